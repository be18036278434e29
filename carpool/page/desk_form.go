package page

import (
	"crypto/rand"
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// staffForm is a posted form of staff: what was typed, and what is wrong with
// it, by field.
type staffForm struct {
	lang   web.Lang
	html   *web.Pages
	values url.Values
	wrong  map[string]string
	said   string // why the whole form was not done
}

// maxTyped is how many bytes a field without a limit of its own takes.
const maxTyped = 500

// form reads a posted form. Fields that known does not name are refused, and
// those given twice unless they are known as "NAME…".
func (s *Staff) form(r *http.Request, known ...string) (*staffForm, error) {
	f := &staffForm{lang: web.LangOf(r), html: s.html, values: url.Values{}, wrong: map[string]string{}}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
		return nil, fault.New(fault.Invalid, "form: want Content-Type: application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		return nil, fault.As(fault.Invalid, err)
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		values := r.PostForm[name]
		many := slices.Contains(known, name+"…")
		switch {
		case !many && !slices.Contains(known, name):
			return nil, fault.New(fault.Invalid, "form: field %.40q is not known", name)
		case !many && len(values) > 1:
			return nil, fault.New(fault.Invalid, "form: field %.40q is given %d times: give it once", name, len(values))
		}
		for _, v := range values {
			f.values.Add(name, plain(v))
		}
	}
	return f, nil
}

// plain takes out what has no place in a line that somebody types: broken
// UTF-8, control signs (lines and tabs stay), blanks at both ends.
func plain(v string) string {
	v = strings.ReplaceAll(strings.ToValidUTF8(v, ""), "\r\n", "\n")
	v = strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' {
			return c
		}
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return -1
		}
		return c
	}, v)
	return strings.Trim(v, " \u00a0")
}

// get is one line, cut of its line breaks; too long is wrong.
func (f *staffForm) get(name string) string {
	v := strings.Join(strings.Fields(f.values.Get(name)), " ")
	f.tooLong(name, v, maxTyped)
	return v
}

// lines is a text of several lines.
func (f *staffForm) lines(name string, most int) string {
	v := f.values.Get(name)
	f.tooLong(name, v, most)
	return v
}

func (f *staffForm) tooLong(name, v string, most int) {
	if len(v) > most && utf8.RuneCountInString(v) > most {
		f.bad(name, "desk.wrong.long", most)
	}
}

// on says whether a box is ticked.
func (f *staffForm) on(name string) bool { return f.values.Get(name) == "si" }

// bad notes what is wrong with a field; the first thing stays.
func (f *staffForm) bad(name, key string, args ...any) {
	if _, ok := f.wrong[name]; !ok {
		f.wrong[name] = f.html.Text(f.lang, key, args...)
	}
}

// must is get of a field that cannot be empty.
func (f *staffForm) must(name string) string {
	v := f.get(name)
	if v == "" {
		f.bad(name, "desk.wrong.empty")
	}
	return v
}

// ok says whether nothing is wrong so far.
func (f *staffForm) ok() bool { return len(f.wrong) == 0 }

// status is that of the answer: a form with something wrong is a bad request.
func (f *staffForm) status() int {
	if f.ok() {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// mendable takes an error of the portal as what is wrong with the form; other
// errors are given back.
func (f *staffForm) mendable(err error) error {
	if errors.Is(err, carpool.ErrUsePoint) {
		f.refuse("desk.wrong.use-point")
		return nil
	}
	switch fault.Of(err) {
	case fault.Invalid, fault.Conflict, fault.Denied:
		f.wrong[""] = staffFault(f.html, f.lang, err.Error(), fault.Of(err))
		return nil
	}
	return err
}

// staffField is a field of a form with its words.
type staffField struct {
	Name, Label, Hint, Wrong, Value string
	Kind                            string // "text", "tel", "date", "number", "select", "area", "check", "suggest"
	Options                         []staffOption
	Optional                        bool
	Max                             int
	Sometimes                       bool // the server says when it is needed
}

// staffOption is one line of a select, or a suggestion.
type staffOption struct {
	Value, Text string
	On          bool
}

// Described names what else is said of the field, for readers of screens.
func (f staffField) Described() string {
	var ids []string
	if f.Wrong != "" {
		ids = append(ids, f.Name+"-errore")
	}
	if f.Hint != "" {
		ids = append(ids, f.Name+"-aiuto")
	}
	return strings.Join(ids, " ")
}

// Length is the most that can be typed.
func (f staffField) Length() int {
	if f.Max > 0 {
		return f.Max
	}
	return maxTyped
}

// field makes a field with the words KEY and KEY.hint, where there are any,
// and keeps what was typed.
func (f *staffForm) field(kind, name, key string, options ...staffOption) staffField {
	out := staffField{Name: name, Kind: kind, Label: f.html.Text(f.lang, key), Wrong: f.wrong[name], Value: f.values.Get(name), Options: options}
	if hint := f.html.Text(f.lang, key+".hint"); hint != key+".hint" {
		out.Hint = hint
	}
	for i := range out.Options {
		if f.values.Has(name) {
			out.Options[i].On = out.Options[i].Value == out.Value
		}
	}
	return out
}

// optional marks a field that may stay empty.
func (f staffField) optional() staffField { f.Optional = true; return f }

// most bounds what can be typed.
func (f staffField) most(n int) staffField { f.Max = n; return f }

// blank is a form that nobody has sent yet.
func (s *Staff) blank(r *http.Request, pairs ...string) *staffForm {
	f := &staffForm{lang: web.LangOf(r), html: s.html, values: url.Values{}, wrong: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// staffTrouble is why a form was not done.
type staffTrouble struct{ Text, Detail string }

// trouble stands above a form with something wrong.
func (f *staffForm) trouble() *staffTrouble {
	detail, whole := f.wrong[""]
	switch {
	case f.ok():
		return nil
	case f.said != "":
		return &staffTrouble{f.said, detail}
	case whole:
		return &staffTrouble{f.html.Text(f.lang, "desk.trouble"), detail}
	}
	return &staffTrouble{f.html.Text(f.lang, "desk.wrongs"), ""}
}

// refuse says why the whole form was not done.
func (f *staffForm) refuse(key string, args ...any) {
	f.said, f.wrong[""] = f.html.Text(f.lang, key, args...), ""
}

// newOnce is the name of one filling-in of a form: sent twice, it counts once.
func newOnce() string { return rand.Text() }

// once is the nonce of a sent form. A form without one was not made by a page.
func (f *staffForm) once() (string, error) {
	v := f.values.Get("once")
	if len(v) < 16 || len(v) > 64 {
		return "", fault.New(fault.Invalid, "form: once is missing: load the page again and send its form")
	}
	return v, nil
}

// seeOther leads a browser on after a form, so that a reload sends nothing.
func seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
