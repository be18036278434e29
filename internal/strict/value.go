package strict

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonType     = reflect.TypeFor[json.Unmarshaler]()
	durationType = reflect.TypeFor[time.Duration]()
)

// value reads node n into v; field is the path for messages.
func (d *decoder) value(n *yaml.Node, v reflect.Value, field string, depth int) {
	n, ok := d.enter(n, field, depth)
	if !ok {
		return
	}
	if isNull(n) && v.Kind() != reflect.Struct {
		return // "key:" with nothing behind it is as good as no key
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		d.value(n, p.Elem(), field, depth+1)
		v.Set(p)
		return
	}
	switch p := v.Addr(); {
	case p.Type().Implements(textType):
		if d.scalar(n, field, "a text") {
			if err := p.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
				d.fail(n.Line, field, "%v", err)
			}
		}
		return
	case p.Type().Implements(jsonType): // a quantity that may be unknown
		d.opt(n, p, field)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, field, depth)
	case reflect.Map:
		d.mapping(n, v, field, depth)
	case reflect.Slice:
		d.sequence(n, v, field, depth)
	default:
		d.plain(n, v, field)
	}
}

func (d *decoder) scalar(n *yaml.Node, field, want string) bool {
	if n.Kind != yaml.ScalarNode {
		d.fail(n.Line, field, "want %s here, found %s", want, kindName(n))
		return false
	}
	return true
}

func (d *decoder) opt(n *yaml.Node, p reflect.Value, field string) {
	if isNull(n) || !d.scalar(n, field, "a number") {
		return
	}
	f, ok := d.number(n, field)
	if !ok {
		return
	}
	if err := p.Interface().(json.Unmarshaler).UnmarshalJSON([]byte(strconv.FormatFloat(f, 'g', -1, 64))); err != nil {
		d.fail(n.Line, field, "%v", err)
	}
}

// number reads a plain decimal number; no units, quotes, hexadecimals,
// infinities.
func (d *decoder) number(n *yaml.Node, field string) (float64, bool) {
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(n.Value, "xX_pP") || n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		d.fail(n.Line, field, "want a plain number such as 24.5, found %s: no unit and no quotes, the unit stands in the key", quote(n.Value))
		return 0, false
	}
	return f, true
}

func (d *decoder) plain(n *yaml.Node, v reflect.Value, field string) {
	switch {
	case v.Type() == durationType:
		if d.scalar(n, field, "a duration such as 10s") {
			t, err := time.ParseDuration(n.Value)
			if err != nil {
				d.fail(n.Line, field, "want a duration such as 10s or 5m, found %s", quote(n.Value))
				return
			}
			v.SetInt(int64(t))
		}
	case v.Kind() == reflect.String:
		if d.scalar(n, field, "a text") {
			v.SetString(n.Value) // as written: 004018 stays 004018
		}
	case v.Kind() == reflect.Bool:
		if d.scalar(n, field, "true or false") {
			if n.Value != "true" && n.Value != "false" {
				d.fail(n.Line, field, "want true or false, found %s", quote(n.Value))
				return
			}
			v.SetBool(n.Value == "true")
		}
	case v.CanFloat():
		if d.scalar(n, field, "a number") {
			if f, ok := d.number(n, field); ok {
				v.SetFloat(f)
			}
		}
	case v.CanInt():
		if d.scalar(n, field, "a whole number") {
			i, err := strconv.ParseInt(n.Value, 10, v.Type().Bits())
			if err != nil {
				d.fail(n.Line, field, "want a whole number such as 12, found %s", quote(n.Value))
				return
			}
			v.SetInt(i)
		}
	case v.CanUint():
		if d.scalar(n, field, "a whole number") {
			u, err := strconv.ParseUint(n.Value, 10, v.Type().Bits())
			if err != nil {
				d.fail(n.Line, field, "want a whole number from 0 up, found %s", quote(n.Value))
				return
			}
			v.SetUint(u)
		}
	default:
		d.fail(n.Line, field, "a %s cannot be read from YAML", v.Type())
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "keys with values"
	case yaml.ScalarNode:
		if isNull(n) {
			return "nothing"
		}
		return quote(n.Value)
	}
	return "something else"
}

// quote shows a value of the file, shortened.
func quote(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return strconv.Quote(s)
}
