package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Report is what the verification of a log found.
type Report struct {
	Lines   int64    `json:"lines"`   // read and found right
	Seq     int64    `json:"seq"`     // number of the last right line; 0 where there is none
	Hash    string   `json:"hash"`    // its hash; note it elsewhere to notice later that the end was cut
	Problem *Problem `json:"problem"` // the first thing that is wrong; null: all is right
}

// OK says that every line is right.
func (r Report) OK() bool { return r.Problem == nil }

// Problem is the first line that is wrong.
type Problem struct {
	Seq  int64  `json:"seq"`  // number of the line that should stand there
	Kind string `json:"kind"` // changed, missing, out-of-order, cut, unreadable, anchor
	Text string `json:"text"`
}

// Kinds of problems.
const (
	Changed    = "changed"      // its content does not fit its hash
	Missing    = "missing"      // numbers were skipped
	OutOfOrder = "out-of-order" // lines changed places
	Cut        = "cut"          // the log ends before its anchor
	Unreadable = "unreadable"   // not a line at all
	Damaged    = "anchor"       // the anchor cannot be read
)

// Verify reads the whole log, line by line, and holds it against its chain and
// its anchor. An error means that it could not be read; what is wrong with the
// log stands in the report.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	// The anchor first: lines that come meanwhile are beyond it.
	var at Anchor
	var anchorErr error
	if l.head != nil {
		at, anchorErr = readAnchor(l.head.path)
	}
	c := &chain{anchor: at}
	err := l.db.View(ctx, func(tx *store.Tx) error {
		*c = chain{anchor: at}
		err := each(ctx, tx, func(n Line, err error) error {
			if err != nil {
				c.unreadable(err)
			} else {
				c.next(n)
			}
			if c.done() {
				return errStop
			}
			return nil
		}, `SELECT `+columns+` FROM audit_line ORDER BY seq`)
		if errors.Is(err, errStop) {
			return nil
		}
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("verify the audit log: %w", err)
	}
	r := c.end()
	if r.Problem == nil && anchorErr != nil {
		text := fmt.Sprintf("%v: the chain is right, but nothing says whether its end was cut; compare with a copy, then move the file away and start again", anchorErr)
		if errors.Is(anchorErr, fs.ErrNotExist) {
			text = fmt.Sprintf("the anchor %s is gone: the chain is right, but nothing says whether its end was cut; start again to make a new one", l.head.path)
		}
		r.Problem = &Problem{Seq: r.Seq, Kind: Damaged, Text: text}
	}
	return r, nil
}

var errStop = errors.New("stop")

// chain holds lines against each other as they come. It keeps one line back,
// to tell lines that are missing from lines that changed places.
type chain struct {
	anchor Anchor // Seq 0: none

	report  Report
	hash    string // of the last right line; "" before the first
	pending *Line  // it skips numbers; the next line tells why
}

func (c *chain) done() bool { return c.report.Problem != nil }

func (c *chain) wrong(seq int64, kind, format string, args ...any) {
	c.report.Problem = &Problem{seq, kind, fmt.Sprintf(format, args...)}
}

func (c *chain) want() int64 { return c.report.Seq + 1 }

func (c *chain) unreadable(err error) {
	if c.pending != nil {
		c.skipped()
		return
	}
	c.wrong(c.want(), Unreadable, "line %d cannot be read: %v", c.want(), err)
}

func (c *chain) skipped() {
	first, last := c.want(), c.pending.Seq-1
	if first == last {
		c.wrong(first, Missing, "line %d is missing: after line %d comes line %d", first, first-1, last+1)
		return
	}
	c.wrong(first, Missing, "lines %d to %d are missing: after line %d comes line %d", first, last, first-1, last+1)
}

func (c *chain) next(n Line) {
	if c.done() {
		return
	}
	if c.pending != nil {
		if n.Seq < c.pending.Seq {
			c.wrong(c.want(), OutOfOrder, "lines are out of order: where line %d should stand is line %d, and line %d comes after it", c.want(), c.pending.Seq, n.Seq)
		} else {
			c.skipped()
		}
		return
	}
	if c.hash == "" {
		c.hash = Start
	}
	want := c.want()
	switch sum := n.sum(); {
	case n.Seq > want:
		c.pending = &n
	case n.Seq < want:
		c.wrong(want, OutOfOrder, "lines are out of order: where line %d should stand is line %d again", want, n.Seq)
	case sum != n.Hash:
		for _, other := range []int64{want + 1, want - 1} {
			moved := n
			if moved.Seq = other; moved.sum() == n.Hash {
				c.wrong(want, OutOfOrder, "lines are out of order: where line %d should stand is what was written as line %d", want, other)
				return
			}
		}
		c.wrong(want, Changed, "line %d was changed: its content does not fit its hash", want)
	case n.Prev != c.hash:
		c.wrong(want, Changed, "line %d does not follow line %d: one of them was written anew after the other", want, want-1)
	case n.Seq == c.anchor.Seq && n.Hash != c.anchor.Hash:
		c.wrong(want, Changed, "line %d is not the one that the anchor remembers: the log was written anew from there or before", want)
	default:
		c.report.Lines, c.report.Seq, c.report.Hash, c.hash = c.report.Lines+1, n.Seq, n.Hash, n.Hash
	}
}

func (c *chain) end() Report {
	switch {
	case c.done():
	case c.pending != nil:
		c.skipped()
	case c.report.Seq < c.anchor.Seq:
		c.wrong(c.want(), Cut, "the log ends at line %d, but the anchor remembers line %d: the end was cut, or an old copy of the database was put in place", c.report.Seq, c.anchor.Seq)
	}
	return c.report
}

// maxLine is the longest line of an export, far above what clean allows.
const maxLine = 1 << 18

// Export writes the whole log, oldest first, one JSON object a line.
// [VerifyLines] checks such a file without the database.
func (l *Log) Export(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	err := l.db.View(ctx, func(tx *store.Tx) error {
		return each(ctx, tx, func(n Line, err error) error {
			if err != nil {
				return err
			}
			b, err := n.encode()
			if err != nil {
				return err
			}
			_, err = out.Write(b)
			return err
		}, `SELECT `+columns+` FROM audit_line ORDER BY seq`)
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("export the audit log: %w", err)
	}
	return nil
}

// encode is the one way a line is written in an export.
func (l *Line) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, fmt.Errorf("line %d: %w", l.Seq, err)
	}
	return b.Bytes(), nil
}

// VerifyLines checks an export. That its end was not cut, only a number and
// hash noted elsewhere can tell: compare them with those of the report.
func VerifyLines(r io.Reader) (Report, error) {
	c := &chain{}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), maxLine)
	in.Split(splitLines)
	for in.Scan() && !c.done() {
		if n, err := decode(in.Bytes()); err != nil {
			c.unreadable(err)
		} else {
			c.next(n)
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		c.unreadable(fault.New(fault.Invalid, "it is longer than %d bytes", maxLine))
	case err != nil:
		return Report{}, fmt.Errorf("read the export of the audit log after line %d: %w", c.report.Seq, err)
	}
	return c.end(), nil
}

// splitLines is bufio.ScanLines without its kindness to \r.
func splitLines(b []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1, b[:i], nil
	}
	if atEOF && len(b) > 0 {
		return len(b), b, nil
	}
	return 0, nil, nil
}

// decode takes a line only in the very bytes that Export writes, so that what
// is verified is what any other reader of the file sees.
func decode(b []byte) (Line, error) {
	var n Line
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fault.New(fault.Invalid, "not a line of an export: %w", err)
	}
	if n.Detail == nil {
		return n, fault.New(fault.Invalid, "its detail is missing")
	}
	again, err := n.encode()
	if err != nil {
		return n, err
	}
	if got := append(bytes.Clone(b), '\n'); !bytes.Equal(got, again) {
		return n, fault.New(fault.Invalid, "not written as an export writes it, first at byte %s", strconv.Itoa(differ(got, again)))
	}
	return n, nil
}

func differ(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i + 1
		}
	}
	return min(len(a), len(b)) + 1
}
