package page

import (
	"html/template"
	"strings"
)

// field is one field of a form as a template draws it: with its label over it,
// its hint and what is wrong with it below.
type field struct {
	Name, Label, Hint, Bad, Value string
	Kind                          string // of <input>
	Complete                      string // autocomplete
	Mode                          string // inputmode
	Length                        int
	Min, Max                      string // of numbers and dates
	Needed                        bool
	First                         bool // the first one with something wrong: it gets the focus
	Options                       []option
	Made                          template.HTML // lines of a list that is made already, instead of Options
}

// option is a line of a list to choose from; with Group it opens a group.
type option struct {
	Value, Text string
	On          bool
	Options     []option
}

// Field makes a field of a form, with the words KEY and, where there are any,
// KEY.hint.
func (f *filled) Field(name, key string) *field {
	out := &field{Name: name, Label: f.say.word(key), Bad: f.wrong[name], Value: f.values.Get(name), Kind: "text", Length: longest}
	if f.say.has(key + ".hint") {
		out.Hint = f.say.word(key + ".hint")
	}
	out.First = len(f.order) > 0 && f.order[0] == name
	return out
}

// Type of an <input>.
func (d *field) Type(kind string) *field {
	d.Kind = kind
	if kind == "date" || kind == "time" || kind == "number" {
		d.Length = 0
	}
	return d
}

// Auto is the autocomplete token.
func (d *field) Auto(token string) *field { d.Complete = token; return d }

// Keys is the inputmode, which shows the right keys on a phone.
func (d *field) Keys(mode string) *field { d.Mode = mode; return d }

// Most is how many signs fit.
func (d *field) Most(n int) *field { d.Length = n; return d }

// Range of a number or a date.
func (d *field) Range(min, max string) *field { d.Min, d.Max = min, max; return d }

// Must marks a field that cannot stay empty.
func (d *field) Must() *field { d.Needed = true; return d }

// With gives the lines of a list; the one whose value the form has is chosen.
func (d *field) With(options []option) *field { d.Options = marked(options, d.Value); return d }

// marked is a list with the line of a value chosen.
func marked(options []option, value string) []option {
	out := make([]option, len(options))
	for i, o := range options {
		o.On = o.Options == nil && o.Value == value
		o.Options = marked(o.Options, value)
		if len(o.Options) == 0 {
			o.Options = nil
		}
		out[i] = o
	}
	return out
}

// Described names what else is said of the field, for readers of screens.
func (d *field) Described() string {
	var ids []string
	if d.Bad != "" {
		ids = append(ids, d.Name+"-errore")
	}
	if d.Hint != "" {
		ids = append(ids, d.Name+"-aiuto")
	}
	return strings.Join(ids, " ")
}

// words makes the lines of a list from the words PREFIX.VALUE.
func (t tongue) words(prefix string, values ...string) []option {
	out := make([]option, len(values))
	for i, v := range values {
		out[i] = option{Value: v, Text: t.word(prefix + "." + v)}
	}
	return out
}

// Lines gives lines of which one is chosen already.
func (d *field) Lines(options []option) *field { d.Options = options; return d }

// Among gives a list that is made already; the line of the field's value is
// chosen.
func (d *field) Among(lines template.HTML) *field {
	d.Made = lines
	if d.Value != "" {
		mark := `value="` + template.HTMLEscapeString(d.Value) + `"`
		d.Made = template.HTML(strings.Replace(string(lines), mark+">", mark+" selected>", 1))
	}
	return d
}
