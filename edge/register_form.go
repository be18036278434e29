package edge

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/zone"
)

// mostRegister is the greatest register that is read, bytes.
const mostRegister = 64 << 20

// form is a register as JSON: its steps, and the hash of the last.
type form struct {
	Form  int            `json:"form"` // 1
	Steps []RegisterStep `json:"steps"`
	Head  string         `json:"head"`
}

// JSON is the register in the one form that ParseRegister takes.
func (r *Register) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(form{1, r.Steps, r.Head()}, "", "  ")
	return append(data, '\n'), err
}

// ParseRegister reads what JSON wrote, and verifies it. A file of which a single
// byte was changed is refused; the error names the first line that was altered.
func ParseRegister(data []byte) (*Register, error) {
	if len(data) > mostRegister {
		return nil, fault.New(fault.Invalid, "register: %d bytes: it is greater than any that was written", len(data))
	}
	var f form
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fault.New(fault.Invalid, "register: %w", err)
	}
	r, err := FoldRegister(f.Steps)
	if err != nil {
		return nil, err
	}
	if f.Form != 1 || f.Head != r.Head() {
		return nil, fault.New(fault.Invalid, "register %s: %s or what followed was altered: the head is not that of the last step", r.ID, r.name(len(r.Steps)-1))
	}
	if again, err := r.JSON(); err != nil || !bytes.Equal(again, data) {
		return nil, fault.New(fault.Invalid, "register %s: the file is not as it was written: take it from the edge anew", r.ID)
	}
	return r, nil
}

// FoldRegister makes a register of its steps, in order, and verifies the chain.
// The error names the first line that was altered.
func FoldRegister(steps []RegisterStep) (*Register, error) {
	if len(steps) == 0 {
		return nil, fault.New(fault.Invalid, "register: it has no steps")
	}
	r := &Register{}
	for i, s := range steps {
		if s.Hash != s.sum() {
			return nil, fault.New(fault.Invalid, "register %s: %s was altered: its hash is another", r.ID, step(r, s))
		}
		if s.Previous != r.Head() {
			return nil, fault.New(fault.Invalid, "register %s: %s was altered, or what followed it taken out: the next step does not follow it", r.ID, r.name(i-1))
		}
		if err := r.follow(s); err != nil {
			return nil, fault.New(fault.Invalid, "register %s: %s cannot be: %w", r.ID, step(r, s), err)
		}
	}
	return r, nil
}

func (r *Register) name(i int) string {
	if i < 0 || i >= len(r.Steps) {
		return "the opening"
	}
	return step(r, r.Steps[i])
}

func step(r *Register, s RegisterStep) string {
	number := r.LineNumber(s.Line)
	switch s.Kind {
	case "line":
		return "line " + number
	case "reconcile":
		return "the reconciliation of line " + number
	case "annul":
		return "the annulment of line " + number
	case "open":
		return "the opening"
	}
	return "the step " + s.Kind
}

//go:embed register.html.tmpl
var registerPage string

var registerTemplate = template.Must(template.New("register").Funcs(template.FuncMap{
	"when": func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone.Rome()).Format("02/01/2006 15:04")
	},
	"short": func(hash string) string { return hash[:min(len(hash), 16)] },
}).Parse(registerPage))

// DayCount is how many lines were registered on a day (art. 63 c. 3).
type DayCount struct {
	Day   string // 23/11/2026, Italian time
	Lines int
}

// Days are the totals of each day that has lines, in order.
func (r *Register) Days() []DayCount {
	var out []DayCount
	for _, l := range r.Lines {
		day := l.Date.In(zone.Rome()).Format("02/01/2006")
		if n := len(out); n == 0 || out[n-1].Day != day {
			out = append(out, DayCount{Day: day})
		}
		out[len(out)-1].Lines++
	}
	return out
}

// HTML prints the register, in Italian, for A4.
func (r *Register) HTML(w io.Writer, now time.Time) error {
	return registerTemplate.Execute(w, struct {
		*Register
		Now     time.Time
		Act     bool
		Missing int
	}{r, now, r.NeedsAct(now), len(r.Open())})
}
