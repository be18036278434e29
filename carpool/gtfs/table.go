package gtfs

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
)

// source hands out the files of one timetable within one budget.
type source struct {
	fsys   fs.FS
	limits Limits
	left   int64 // bytes that may still be read
}

// has says whether a file is there.
func (s *source) has(name string) bool {
	info, err := fs.Stat(s.fsys, name)
	return err == nil && !info.IsDir()
}

// table is one CSV file under way.
type table struct {
	file    string
	columns map[string]int
	header  []string
	csv     *csv.Reader
	close   func() error
	limits  Limits
	row     []string
	line    int
	rows    int
}

// open begins a file: its header is read.
func (s *source) open(name string) (*table, error) {
	f, err := s.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Invalid, "%s: it is missing, and a timetable must have it", name)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: open: %w", name, err)
	}
	t := &table{file: name, columns: map[string]int{}, close: f.Close, limits: s.limits}
	t.csv = csv.NewReader(&budget{name: name, r: noMark(f), left: &s.left})
	t.csv.ReuseRecord = true
	header, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		err = fault.New(fault.Invalid, "%s: it is empty: the first line must name the columns", name)
	} else if err != nil {
		err = t.broken(err)
	}
	for i, h := range header {
		h = strings.TrimSpace(h)
		if _, twice := t.columns[h]; twice && err == nil {
			err = at(name, 1, h, "the column stands twice")
		}
		t.columns[h] = i
		t.header = append(t.header, h)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// next reads a row; false at the end.
func (t *table) next() (bool, error) {
	row, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, t.broken(err)
	}
	t.row = row
	t.line, _ = t.csv.FieldPos(0)
	if t.rows++; t.rows > t.limits.Rows {
		return false, at(t.file, t.line, "", "more than %d rows", t.limits.Rows)
	}
	for i, v := range row {
		switch {
		case len(v) > t.limits.Field:
			return false, at(t.file, t.line, t.header[i], "longer than %d bytes", t.limits.Field)
		case !utf8.ValidString(v):
			return false, at(t.file, t.line, t.header[i], "not UTF-8")
		}
	}
	return true, nil
}

// get is a field of the row without spaces around it; "" where there is no
// such column.
func (t *table) get(column string) string {
	i, ok := t.columns[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(t.row[i])
}

// need is a field that must have a value.
func (t *table) need(column string) (string, error) {
	v := t.get(column)
	if v == "" {
		return "", t.bad(column, "it is empty, and must not be")
	}
	return strings.Clone(v), nil // a field alone would keep its whole row
}

// bad is an error of the row.
func (t *table) bad(column, format string, args ...any) error {
	return at(t.file, t.line, column, format, args...)
}

func (t *table) broken(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) && !errors.Is(err, csv.ErrFieldCount) {
		return fault.New(fault.Invalid, "%s: line %d: column %d: %w", t.file, p.Line, p.Column, p.Err)
	}
	if errors.As(err, &p) {
		return fault.New(fault.Invalid, "%s: line %d: not as many fields as the first line has", t.file, p.Line)
	}
	return fault.New(fault.Invalid, "%s: read: %w", t.file, err)
}

// budget ends a read that goes beyond what is left for the whole timetable.
type budget struct {
	name string
	r    io.Reader
	left *int64
}

func (b *budget) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, fault.New(fault.Invalid, "%s: the timetable is bigger than this program takes", b.name)
	}
	return n, err
}

// noMark leaves out a byte order mark.
func noMark(r io.Reader) io.Reader {
	var first [3]byte
	n, err := io.ReadFull(r, first[:])
	head := bytes.TrimPrefix(first[:n], []byte("\ufeff"))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.MultiReader(bytes.NewReader(head), failing{err})
	}
	return io.MultiReader(bytes.NewReader(head), r)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
