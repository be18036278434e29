package page

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
)

// longest is how many signs a field without a limit of its own takes.
const longest = 200

// filled is a form as it was sent or is shown: what was typed, and what is
// wrong with it, by field.
type filled struct {
	values url.Values
	wrong  map[string]string
	order  []string // of the wrong fields, as they were found
	say    tongue
	once   string // names one filling-in, so that a form sent twice counts once
	whose  string // sealed account that it is made for
}

// blank is a form that nobody has sent yet.
func (v *visit) blank(pairs ...string) *filled {
	f := &filled{values: url.Values{}, wrong: map[string]string{}, say: v.say, once: newNonce(), whose: v.whose}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			f.values.Set(pairs[i], pairs[i+1])
		}
	}
	return f
}

// form reads a posted form. A field that known does not name is refused, and
// one that is given twice unless it is known as "NAME…".
func (v *visit) form(known ...string) (*filled, error) {
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); v.r.ContentLength != 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
		return nil, fault.New(fault.Invalid, "form: want Content-Type: application/x-www-form-urlencoded")
	}
	if err := v.r.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return nil, err
		}
		return nil, fault.New(fault.Invalid, "form: %w", err)
	}
	return v.fill(v.r.PostForm, append(known, "volta", "per"))
}

// query reads the parameters of an address likewise; those that are not known
// are left out, since addresses are passed on with all kinds of additions.
func (v *visit) query(known ...string) *filled {
	f := v.blank()
	for _, name := range known {
		for _, x := range v.r.URL.Query()[name] {
			f.values.Add(name, cut(tidy(x), longest))
		}
	}
	return f
}

func (v *visit) fill(given url.Values, known []string) (*filled, error) {
	f := v.blank()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		many := slices.Contains(known, name+"…")
		switch {
		case !many && !slices.Contains(known, name):
			return nil, fault.New(fault.Invalid, "form: field %.40q is not known", name)
		case !many && len(given[name]) > 1:
			return nil, fault.New(fault.Invalid, "form: field %.40q is given %d times: give it once", name, len(given[name]))
		case len(given[name]) > 50:
			return nil, fault.New(fault.Invalid, "form: field %.40q is given %d times", name, len(given[name]))
		}
		for _, x := range given[name] {
			f.values.Add(name, tidy(x))
		}
	}
	if o := f.values.Get("volta"); len(o) >= 16 && len(o) <= 64 {
		f.once = o
	}
	f.values.Del("volta")
	f.values.Del("per")
	return f, nil
}

// tidy takes out what has no place in what somebody types: broken UTF-8,
// control signs (line breaks and tabs stay), signs that turn the direction of
// writing, blanks at both ends.
func tidy(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c):
			return -1
		}
		return c
	}, s)
	return strings.TrimSpace(s)
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// bad notes what is wrong with a field; the first thing stays.
func (f *filled) bad(name, key string, args ...any) {
	if _, ok := f.wrong[name]; !ok {
		f.wrong[name] = f.say.word(key, args...)
		f.order = append(f.order, name)
	}
}

// ok says whether nothing is wrong so far.
func (f *filled) ok() bool { return len(f.wrong) == 0 }

// raw is a value as it was typed.
func (f *filled) raw(name string) string { return f.values.Get(name) }

// line is a value on one line, of at most so many signs.
func (f *filled) line(name string, most int) string {
	s := strings.Join(strings.Fields(f.values.Get(name)), " ")
	if utf8.RuneCountInString(s) > most {
		f.bad(name, "pool.wrong.long", most)
	}
	return s
}

// text is a value of several lines.
func (f *filled) text(name string, most int) string {
	s := f.values.Get(name)
	if utf8.RuneCountInString(s) > most {
		f.bad(name, "pool.wrong.long", most)
	}
	return s
}

// must is line of a field that cannot stay empty.
func (f *filled) must(name string, most int) string {
	s := f.line(name, most)
	if s == "" {
		f.bad(name, "pool.wrong.empty")
	}
	return s
}

// on says whether a box is ticked.
func (f *filled) on(name string) bool { return f.values.Get(name) == "si" }

// all are the values of a field that may be given more than once.
func (f *filled) all(name string) []string { return f.values[name] }

// oneOf is a value out of a list, the first where nothing was given.
func (f *filled) oneOf(name string, of ...string) string {
	s := f.values.Get(name)
	switch {
	case s == "":
		return of[0]
	case !slices.Contains(of, s):
		f.bad(name, "pool.wrong.choice")
		return of[0]
	}
	return s
}

// number is a whole number between two others, usual where nothing was given.
func (f *filled) number(name string, least, most, usual int) int {
	s := f.values.Get(name)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		f.bad(name, "pool.wrong.number", least, most)
		return usual
	}
	return n
}

// blame takes an error of the portal that says "field: …" as what is wrong
// with that field, in the words of the page; what was being done may stand
// before it.
func (f *filled) blame(err error, fields map[string]string) bool {
	if fault.Of(err) != fault.Invalid {
		return false
	}
	for _, name := range strings.SplitN(err.Error(), ": ", 4) {
		if field, known := fields[name]; known {
			if errors.Is(err, carpool.ErrUsePoint) {
				f.bad(field, "pool.wrong.use-point")
				return true
			}
			f.bad(field, "pool.wrong.value")
			if said := f.say.fault(err); said != "" && f.wrong[field] == f.say.word("pool.wrong.value") {
				f.wrong[field] = said
			}
			return true
		}
	}
	return false
}

// status is that of the answer: a form with something wrong is a bad request.
func (f *filled) status() int {
	if f.ok() {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// Wrong are the fields with something wrong, in order, for the list over the
// form.
func (f *filled) Wrong() []wrongField {
	var out []wrongField
	for _, name := range f.order {
		out = append(out, wrongField{name, f.wrong[name]})
	}
	return out
}

type wrongField struct{ Name, Text string }

// Once is the nonce for the hidden field.
func (f *filled) Once() string { return f.once }

// For is the sealed account for the hidden field.
func (f *filled) For() string { return f.whose }

// On says whether a value of a field is chosen.
func (f *filled) On(name, value string) bool { return slices.Contains(f.values[name], value) }

// Value of a field.
func (f *filled) Value(name string) string { return f.values.Get(name) }

// Bad is what is wrong with a field; "" when nothing is.
func (f *filled) Bad(name string) string { return f.wrong[name] }

// Hidden are all values but those that a page shows itself, to carry them on
// to the next step of a form.
func (f *filled) Hidden(but ...string) []hidden {
	var out []hidden
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		if slices.Contains(but, name) {
			continue
		}
		for _, x := range f.values[name] {
			out = append(out, hidden{name, x})
		}
	}
	return out
}

type hidden struct{ Name, Value string }
