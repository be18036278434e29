package queue

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/zone"
)

// Protocol is the protocol system, when it can be reached by a program.
type Protocol interface {
	// Find is the official number that a line has got already, by its emergency
	// number: it is asked first, as an earlier Assign may have been cut off.
	Find(ctx context.Context, comune, emergency string) (o edge.Official, ok bool, err error)
	// Assign registers a line, which keeps its emergency number and date there.
	Assign(ctx context.Context, comune, emergency string, l edge.RegisterLine) (edge.Official, error)
}

// Books are the emergency registers of the comuni of an edge. Each step is on the
// disk when its call returns.
type Books struct{ q *Queue }

// Books are those that lie with this queue.
func (q *Queue) Books() Books { return Books{q} }

// Open begins a register of a comune. There can be one only that takes lines.
func (b Books) Open(comune, officer, cause string, since time.Time) (*edge.Register, error) {
	if !comuneCode.MatchString(comune) || len(comune) > 64 {
		return nil, fault.New(fault.Invalid, "comune %q: use capital letters, digits and hyphens", comune)
	}
	var r *edge.Register
	err := b.change(func(tx *bbolt.Tx) error {
		all, err := b.all(tx, comune)
		if err != nil {
			return err
		}
		first := 1
		for _, old := range all {
			if old.Ended.IsZero() {
				return fault.New(fault.Conflict, "comune %s: the register %s is open: use it", comune, old.ID)
			}
			for _, l := range old.Lines {
				first = max(first, l.Number+1)
			}
		}
		now := time.Now()
		series := fmt.Sprintf("%s-%d-RE", comune, now.In(zone.Rome()).Year())
		n, err := count(tx.Bucket(bNumbers), series)
		if err != nil {
			return err
		}
		if r, err = edge.OpenRegister(fmt.Sprintf("%s%02d", series, n), comune, officer, cause, since, now, first); err != nil {
			return err
		}
		return store(tx, r.ID, 0, r.Steps[0])
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Line registers a document, and gives the line with its number.
func (b Books) Line(id, by string, d edge.Direction, correspondent, subject, digest string) (edge.RegisterLine, error) {
	r, err := b.step(id, func(r *edge.Register) edge.RegisterStep {
		next := r.Steps[0].Line
		if n := len(r.Lines); n > 0 {
			next = r.Lines[n-1].Number + 1
		}
		return edge.RegisterStep{Kind: "line", By: by, Line: next, Direction: d, Correspondent: correspondent, Subject: subject, Digest: digest}
	})
	if err != nil {
		return edge.RegisterLine{}, err
	}
	return r.Lines[len(r.Lines)-1], nil
}

// Authorise notes the act by which a register may be used for longer than a day.
func (b Books) Authorise(id, by, act string, until time.Time) error {
	_, err := b.step(id, func(*edge.Register) edge.RegisterStep {
		return edge.RegisterStep{Kind: "authorise", By: by, Act: act, Time: until}
	})
	return err
}

// Annul marks a line as annulled. It stays readable.
func (b Books) Annul(id, by string, line int, why string) error {
	_, err := b.step(id, func(*edge.Register) edge.RegisterStep {
		return edge.RegisterStep{Kind: "annul", By: by, Line: line, Cause: why}
	})
	return err
}

// Restore notes when the protocol system was back. The register takes no lines
// any more.
func (b Books) Restore(id, by string, ended time.Time) error {
	_, err := b.step(id, func(*edge.Register) edge.RegisterStep {
		return edge.RegisterStep{Kind: "restore", By: by, Time: ended}
	})
	return err
}

// Number notes the official number of a line, typed by hand.
func (b Books) Number(id, by string, line int, official string, date time.Time) error {
	return b.number(id, line, edge.Official{Number: official, Date: date, By: by, ByHand: true})
}

func (b Books) number(id string, line int, o edge.Official) error {
	_, err := b.step(id, func(*edge.Register) edge.RegisterStep {
		return edge.RegisterStep{Kind: "reconcile", By: o.By, Line: line, Official: o.Number, Time: o.Date, ByHand: o.ByHand}
	})
	return err
}

// Reconcile asks the protocol system for the official number of each line that
// has none, in order, and notes it. It stops at the first that gets none; called
// again it goes on there.
func (b Books) Reconcile(ctx context.Context, id, by string) error {
	p := b.q.deps.Protocol
	if p == nil {
		return fault.New(fault.Refused, "register %s: no protocol system is connected: type the official numbers by hand", id)
	}
	r, err := b.Get(id)
	if err != nil {
		return err
	}
	if r.Ended.IsZero() {
		return fault.New(fault.Conflict, "register %s: note first when the protocol system was back", id)
	}
	for _, l := range r.Open() {
		emergency := r.LineNumber(l.Number)
		o, ok, err := p.Find(ctx, r.Comune, emergency)
		if err == nil && !ok {
			o, err = p.Assign(ctx, r.Comune, emergency, l)
		}
		if err != nil {
			return fmt.Errorf("register %s: line %d: %w", id, l.Number, err)
		}
		o.By, o.ByHand = by, false
		if err := b.number(id, l.Number, o); err != nil {
			return err
		}
	}
	return nil
}

// Close ends a register of which every line has its official number.
func (b Books) Close(id, by string) error {
	_, err := b.step(id, func(*edge.Register) edge.RegisterStep { return edge.RegisterStep{Kind: "close", By: by} })
	return err
}

// Get reads a register and verifies its chain.
func (b Books) Get(id string) (r *edge.Register, err error) {
	err = b.q.view(func(tx *bbolt.Tx) error {
		r, err = load(tx, id)
		return err
	})
	return r, err
}

// List are the registers of a comune, or all for "".
func (b Books) List(comune string) (out []*edge.Register, err error) {
	err = b.q.view(func(tx *bbolt.Tx) error {
		out, err = b.all(tx, comune)
		return err
	})
	return out, err
}

func (b Books) all(tx *bbolt.Tx, comune string) ([]*edge.Register, error) {
	var out []*edge.Register
	c := tx.Bucket(bBooks).Cursor()
	for k, _ := c.First(); k != nil; {
		id, _, _ := strings.Cut(string(k), "\x00")
		r, err := load(tx, id)
		if err != nil {
			return nil, err
		}
		if comune == "" || r.Comune == comune {
			out = append(out, r)
		}
		k, _ = c.Seek([]byte(id + "\x01"))
	}
	return out, nil
}

func (b Books) change(do func(*bbolt.Tx) error) error {
	b.q.mu.Lock()
	defer b.q.mu.Unlock()
	return b.q.update(do)
}

func (b Books) step(id string, make func(*edge.Register) edge.RegisterStep) (r *edge.Register, err error) {
	err = b.change(func(tx *bbolt.Tx) error {
		if r, err = load(tx, id); err != nil {
			return err
		}
		s := make(r)
		s.At = time.Now()
		if s, err = r.Add(s); err != nil {
			return err
		}
		return store(tx, id, len(r.Steps)-1, s)
	})
	return r, err
}

func store(tx *bbolt.Tx, id string, at int, s edge.RegisterStep) error {
	data, err := encode(s)
	if err != nil {
		return err
	}
	return tx.Bucket(bBooks).Put(binary.BigEndian.AppendUint64([]byte(id+"\x00"), uint64(at)), data)
}

func load(tx *bbolt.Tx, id string) (*edge.Register, error) {
	var steps []edge.RegisterStep
	c, prefix := tx.Bucket(bBooks).Cursor(), id+"\x00"
	for k, v := c.Seek([]byte(prefix)); strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		var s edge.RegisterStep
		if err := decode(v, &s); err != nil {
			return nil, fmt.Errorf("register %s: step %d: %w", id, len(steps)+1, err)
		}
		steps = append(steps, s)
	}
	if len(steps) == 0 {
		return nil, fault.New(fault.NotFound, "register %q: there is none with this name", id)
	}
	return edge.FoldRegister(steps)
}
