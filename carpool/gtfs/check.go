package gtfs

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Finding is one thing that breaks a rule of the specification.
type Finding struct {
	File  string `json:"file"`
	Line  int    `json:"line,omitempty"` // 0: of the file as a whole
	Field string `json:"field,omitempty"`
	Rule  string `json:"rule"`
	Text  string `json:"text"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s: %s", f.File, f.Line, f.Field, f.Rule, f.Text)
}

// record is a row as checks see it.
type record struct {
	line   int
	values map[string]string
}

// checker holds a feed and what was found.
type checker struct {
	source   source
	files    map[string][]record
	columns  map[string][]string
	findings []Finding
}

// maxFindings of one check: who has more has the same one many times.
const maxFindings = 1000

// Check holds a feed against the rules of the GTFS Schedule specification and
// gives all that breaks one; none: it is valid.
func Check(fsys fs.FS, limits Limits) []Finding {
	c := &checker{source: source{fsys, limits, limits.Bytes}, files: map[string][]record{}, columns: map[string][]string{}}
	for _, s := range specs {
		c.load(s)
	}
	for _, s := range specs {
		c.fields(s)
		c.unique(s)
		c.references(s)
	}
	c.calendars()
	c.agencies()
	c.names()
	c.times()
	c.info()
	return c.findings
}

func (c *checker) found(file string, line int, field, rule, format string, args ...any) {
	if len(c.findings) < maxFindings {
		c.findings = append(c.findings, Finding{file, line, field, rule, fmt.Sprintf(format, args...)})
	}
}

// load reads a file whole.
func (c *checker) load(s fileSpec) {
	if !c.source.has(s.name) {
		if s.presence == required {
			c.found(s.name, 0, "", "missing_required_file", "the feed must have it")
		}
		return
	}
	t, err := c.source.open(s.name)
	if err != nil {
		c.found(s.name, 0, "", "unreadable_file", "%v", err)
		return
	}
	defer t.close()
	c.columns[s.name] = t.header
	c.files[s.name] = []record{}
	for _, h := range t.header {
		if h == "" {
			c.found(s.name, 1, "", "empty_column_name", "a column has no name")
		}
	}
	for {
		more, err := t.next()
		if err != nil {
			c.found(s.name, t.line, "", "unreadable_row", "%v", err)
			return
		}
		if !more {
			return
		}
		r := record{t.line, map[string]string{}}
		for i, h := range t.header {
			v := t.row[i]
			if strings.ContainsAny(v, "\t\r\n") {
				c.found(s.name, t.line, h, "new_line_in_value", "a value must be on one line, without tabs")
			}
			if v != strings.TrimSpace(v) {
				c.found(s.name, t.line, h, "leading_or_trailing_whitespaces", "%q", v)
			}
			r.values[h] = strings.Clone(strings.TrimSpace(v))
		}
		c.files[s.name] = append(c.files[s.name], r)
	}
}

// fields holds every value against the type of its field.
func (c *checker) fields(s fileSpec) {
	rows, there := c.files[s.name]
	if !there {
		return
	}
	for _, f := range s.fields {
		has := slices.Contains(c.columns[s.name], f.name)
		if f.presence == required && !has {
			c.found(s.name, 1, f.name, "missing_required_column", "the file must have it")
			continue
		}
		for _, r := range rows {
			v := r.values[f.name]
			switch {
			case v == "" && f.presence == required:
				c.found(s.name, r.line, f.name, "missing_required_field", "it is empty")
			case v != "":
				if err := f.kind(v); err != nil {
					c.found(s.name, r.line, f.name, "invalid_value", "%.60q: %v", v, err)
				}
			}
		}
	}
}

// unique says that the key of a file names one row.
func (c *checker) unique(s fileSpec) {
	if s.key == nil {
		return
	}
	seen := map[string]bool{}
	for _, r := range c.files[s.name] {
		var k []string
		for _, f := range s.key {
			k = append(k, r.values[f])
		}
		id := strings.Join(k, "\x00")
		if seen[id] {
			c.found(s.name, r.line, s.key[len(s.key)-1], "duplicate_key", "%q stands twice", strings.Join(k, " "))
		}
		seen[id] = true
	}
}

// references says that what is pointed to is there.
func (c *checker) references(s fileSpec) {
	for _, f := range s.fields {
		if f.refers == "" {
			continue
		}
		file, column, _ := strings.Cut(f.refers, " ")
		ids := c.ids(file, column)
		for _, r := range c.files[s.name] {
			if v := r.values[f.name]; v != "" && !ids[v] {
				c.found(s.name, r.line, f.name, "foreign_key_violation", "%.60q is not in %s", v, file)
			}
		}
	}
}

func (c *checker) ids(file, column string) map[string]bool {
	out := map[string]bool{}
	for _, r := range c.files[file] {
		out[r.values[column]] = true
	}
	return out
}
