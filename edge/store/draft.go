package store

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// draft is an answer that is being kept, piece by piece.
type draft struct {
	s    *Store
	k    key
	head *edge.Stored
	old  []piece // of the object that it adds to

	mu     sync.Mutex
	at     int64
	done   []piece
	cur    *chunkWriter
	read   body // reads what is done
	err    error
	closed bool
	pinned []name
}

// Begin starts to keep an answer.
func (s *Store) Begin(address string, head *edge.Stored, held edge.Part, o edge.Object) (edge.Draft, error) {
	k, ok := s.keyOf(address)
	if !ok {
		s.stats.refused.Add(1)
		return nil, fault.New(fault.Refused, "store: the key of comune %s is not here, so nothing of it is kept", s.cfg.Place(address).Comune)
	}
	if left, err := s.queue.free.bytes(s.cfg.Dir); err != nil || left-max(held.Length, 0) < s.cfg.MinFree {
		s.stats.refused.Add(1)
		s.queue.wake()
		if err != nil {
			s.failed("look for room", err)
			return nil, err
		}
		return nil, errNoRoom
	}
	if held.Length > s.cfg.Most/2 {
		s.stats.refused.Add(1)
		return nil, fmt.Errorf("store: an answer of %d bytes, more than half of all that may be kept", held.Length)
	}
	d := &draft{s: s, k: k, head: head, at: held.First}
	if o, ok := o.(*object); ok && o != nil {
		d.old = o.pieces
		for _, p := range d.old {
			d.pinned = append(d.pinned, p.chunk)
		}
		s.pins.pin(d.pinned...)
	}
	d.read.o = &object{s: s, key: k}
	d.read.o.pieces = slices.Clone(d.old)
	return d, nil
}

var errEnded = errors.New("store: the draft has ended")

func (d *draft) Write(p []byte) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return 0, d.err
	}
	if d.closed {
		return 0, errEnded
	}
	for n < len(p) {
		if d.cur == nil {
			if d.cur, err = d.s.newChunk(d.k, d.at); err != nil {
				return n, d.fail(err)
			}
		}
		part := p[n:]
		part = part[:min(int64(len(part)), d.cur.room())]
		k, err := d.cur.Write(part)
		n += k
		d.at += int64(k)
		if err != nil {
			return n, d.fail(err)
		}
		if d.cur.n > 0 && d.at%chunkSize == 0 {
			if err := d.finish(); err != nil {
				return n, d.fail(err)
			}
		}
	}
	return n, nil
}

// fail remembers that nothing more can be kept.
func (d *draft) fail(err error) error {
	d.err = fmt.Errorf("store: %w", err)
	d.s.failed("write a chunk", err)
	return d.err
}

// finish gives the chunk that is being written its name.
func (d *draft) finish() error {
	if d.cur == nil {
		return nil
	}
	w := d.cur
	d.cur = nil
	p, err := w.finish()
	if err != nil {
		return err
	}
	d.pinned = append(d.pinned, p.chunk)
	d.done = append(d.done, p)
	d.read.o.pieces = append(d.read.o.pieces, p)
	return nil
}

// ReadAt reads what was written, or was there before, by the place in the whole.
func (d *draft) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, errEnded
	}
	n := 0
	if len(d.read.o.pieces) > 0 {
		k, err := d.read.ReadAt(p, off)
		if n = k; err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	if c := d.cur; c != nil && n < len(p) {
		if at := off + int64(n) - c.first; at >= 0 && at < c.n {
			k, err := c.readAt(p[n:], at)
			n += k
			if err != nil && !errors.Is(err, io.EOF) {
				return n, err
			}
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Commit makes it an object.
func (d *draft) Commit(length int64) (edge.Object, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.err != nil:
		return nil, d.err
	case d.closed:
		return nil, errEnded
	case length < -1:
		return nil, fault.New(fault.Internal, "store: a length of %d", length)
	}
	if err := d.finish(); err != nil {
		return nil, d.fail(err)
	}
	o := &object{s: d.s, key: d.k, head: d.head, length: length, pieces: needed(slices.Concat(d.done, d.old))}
	o.held = spans(o.pieces)
	if n := len(o.held); n > 0 && length >= 0 && o.held[n-1].End() > length {
		return nil, fault.New(fault.Internal, "store: %d bytes are held of %d", o.held[n-1].End(), length)
	}
	if err := d.s.put(d.k, o); err != nil {
		return nil, d.fail(err)
	}
	return o, nil
}

// Abort forgets it; after Commit it only lets go.
func (d *draft) Abort() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	if d.cur != nil {
		d.cur.abort()
		d.cur = nil
	}
	if d.read.r != nil {
		_ = d.read.r.f.Close()
	}
	// Chunks that were written for nothing have no reference: they are looked at.
	var mine []name
	for _, p := range d.done {
		mine = append(mine, p.chunk)
	}
	d.s.unpin(d.pinned...)
	if len(mine) > 0 {
		d.s.index.tell(change{look: mine})
	}
}

// needed leaves out pieces whose bytes others hold: the longer stays, of two as
// long the first.
func needed(all []piece) []piece {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b piece) int { return int(min(max(b.Length-a.Length, -1), 1)) })
	var out []piece
	for _, p := range order {
		if !edge.Holds(spans(out), p.Span) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b piece) int { return int(min(max(a.First-b.First, -1), 1)) })
	return out
}
