package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// Problem is one thing that is wrong in a file.
type Problem struct {
	File  string `json:"file"`
	Line  int    `json:"line"`  // from 1
	Field string `json:"field"` // "sites[mombarcaro].height_m"; "" for the whole file
	Text  string `json:"text"`  // what is wrong and how to mend it
}

// Error is "file:line: field: text".
func (p Problem) Error() string {
	if p.Field == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Field, p.Text)
}

// Problems is everything wrong, sorted by file and line.
type Problems []Problem

// shown is how many problems are printed; one slip can cause hundreds.
const shown = 50

// Error is one problem a line.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i == shown {
			fmt.Fprintf(&b, "\n… and %d more", len(ps)-shown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// List collects problems. The zero List is empty and ready.
type List struct {
	all Problems
}

// Add notes one problem.
func (l *List) Add(p Problem) { l.all = append(l.all, p) }

// Has says whether a problem was noted at the same field of the same file and
// line as p.
func (l *List) Has(p Problem) bool {
	return slices.ContainsFunc(l.all, func(q Problem) bool {
		return q.File == p.File && q.Field == p.Field && q.Line == p.Line
	})
}

// Join notes the problems inside err, if it holds any; another error is
// noted as it is, against the file.
func (l *List) Join(file string, err error) {
	if err == nil {
		return
	}
	if ps, ok := All(err); ok {
		l.all = append(l.all, ps...)
		return
	}
	l.Add(Problem{File: file, Line: 1, Text: err.Error()})
}

// Err is nil when nothing was noted, else a Problems of kind fault.Invalid.
func (l *List) Err() error {
	if len(l.all) == 0 {
		return nil
	}
	out := slices.Clone(l.all)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return fault.As(fault.Invalid, out)
}

// All takes the problems out of an error of Decode or List.Err.
func All(err error) (Problems, bool) {
	for err != nil {
		if ps, ok := err.(Problems); ok {
			return ps, true
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return nil, false
		}
		err = u.Unwrap()
	}
	return nil, false
}

// At is where a struct stood in its file. A struct with a field of this type
// has it filled by Decode.
type At struct {
	File  string
	Line  int
	Path  string // of the struct: "sites[mombarcaro]"
	lines map[string]int
}

// Has says whether the key was written.
func (a At) Has(key string) bool { _, ok := a.lines[key]; return ok }

// LineOf is the line of a key, the struct's own when the key is not there.
func (a At) LineOf(key string) int {
	if n, ok := a.lines[key]; ok {
		return n
	}
	return a.Line
}

// String is "file:line".
func (a At) String() string { return fmt.Sprintf("%s:%d", a.File, a.Line) }

// Problem is a problem of meaning at a key of the struct; key may be "".
func (a At) Problem(key, format string, args ...any) Problem {
	field := a.Path
	if key != "" {
		field = join(a.Path, key)
	}
	return Problem{File: a.File, Line: a.LineOf(key), Field: field, Text: fmt.Sprintf(format, args...)}
}
