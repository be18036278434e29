package strict

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

var atType = reflect.TypeFor[At]()

// keyField is one readable field of a struct.
type keyField struct {
	index    int
	required bool
}

// fieldsOf lists the keys of a struct, in order, and the index of its At.
func fieldsOf(t reflect.Type) (keys []string, fields map[string]keyField, at int) {
	fields, at = map[string]keyField{}, -1
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type == atType {
			at = i
			continue
		}
		key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || key == "-" || !f.IsExported() {
			continue
		}
		keys = append(keys, key)
		fields[key] = keyField{i, opts == "required"}
	}
	return keys, fields, at
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, field string, depth int) {
	keys, fields, at := fieldsOf(v.Type())
	if isNull(n) {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line}
	}
	where := At{File: d.file, Line: n.Line, Path: field, lines: map[string]int{}}
	if at >= 0 && v.Field(at).CanSet() {
		defer func() { v.Field(at).Set(reflect.ValueOf(where)) }() // also of what is no mapping: checks of meaning name it
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, field, "want the keys %s here, found %s", strings.Join(keys, ", "), kindName(n))
		return
	}
	d.pairs(n, field, func(key string, k, val *yaml.Node) {
		f, ok := fields[key]
		if !ok {
			d.fail(k.Line, join(field, key), "unknown key%s the keys here are %s", meant(key, keys), strings.Join(keys, ", "))
			return
		}
		where.lines[key] = k.Line
		d.value(val, v.Field(f.index), join(field, key), depth+1)
	})
	for _, key := range keys {
		if _, there := where.lines[key]; fields[key].required && !there {
			d.fail(n.Line, join(field, key), "missing: add the key %s", key)
		}
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, field string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, field, "want keys with values here, found %s", kindName(n))
		return
	}
	t := v.Type()
	if t.Key().Kind() != reflect.String {
		d.fail(n.Line, field, "a %s cannot be read from YAML", t)
		return
	}
	out := reflect.MakeMap(t)
	d.pairs(n, field, func(key string, _, val *yaml.Node) {
		e := reflect.New(t.Elem()).Elem()
		d.value(val, e, join(field, key), depth+1)
		out.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), e)
	})
	v.Set(out)
}

// pairs walks the keys of a mapping; a key written twice is reported with
// both lines and read once.
func (d *decoder) pairs(n *yaml.Node, field string, each func(key string, k, val *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if d.full {
			return
		}
		switch {
		case k.Kind != yaml.ScalarNode || k.Style&yaml.TaggedStyle != 0:
			d.fail(k.Line, field, "a key must be a plain word, found %s", kindName(k))
			continue
		case k.ShortTag() == "!!merge":
			d.fail(k.Line, field, "merging with << is not read: write the keys out")
			continue
		}
		if first, twice := seen[k.Value]; twice {
			d.fail(k.Line, join(field, k.Value), "key written twice, first in line %d: remove one", first)
			continue
		}
		seen[k.Value] = k.Line
		each(k.Value, k, n.Content[i+1])
	}
}

// sequence reads a sequence; elements with an id are named by it in messages.
func (d *decoder) sequence(n *yaml.Node, v reflect.Value, field string, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n.Line, field, "want a list here (lines that begin with -), found %s", kindName(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	for i, c := range n.Content {
		if d.full {
			return
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(c, e, fmt.Sprintf("%s[%s]", field, nameOf(c, i)), depth+1)
		out = reflect.Append(out, e)
	}
	v.Set(out)
}

// nameOf is the id of a list's element, its number from 1 when it has none.
func nameOf(n *yaml.Node, i int) string {
	if n.Kind == yaml.MappingNode {
		for j := 0; j+1 < len(n.Content); j += 2 {
			if v := n.Content[j+1]; n.Content[j].Value == "id" && v.Kind == yaml.ScalarNode && v.Value != "" && len(v.Value) <= 63 {
				return v.Value
			}
		}
	}
	return fmt.Sprint(i + 1)
}

func join(field, key string) string {
	if len(key) > 63 {
		key = key[:60] + "..."
	}
	if field == "" {
		return key
	}
	return field + "." + key
}
