package store

import (
	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Begin starts to keep an answer.
func (s *Store) Begin(key string, st *edge.Stored, held edge.Part, o edge.Object) (edge.Draft, error) {
	service, comune := s.cfg.Owner(key)
	l, ok := s.lockOf(comune)
	switch {
	case !ok:
		return nil, noKey(comune)
	case held.First < 0 || held.First > 1<<62:
		return nil, fault.New(fault.Invalid, "store: keep %s from byte %d: give a place in the whole", key, held.First)
	case held.Length > s.cfg.Most:
		return nil, fault.New(fault.Refused, "store: keep %s: %d bytes are more than the cache has: raise most above %d", key, held.Length, s.cfg.Most)
	}
	if err := s.room(max(held.Length, 0)); err != nil {
		return nil, err
	}
	d := &draft{s: s, l: l, at: held.First}
	d.rec = record{addr: l.address(key), service: service, comune: comune, lockID: l.identity(), address: key, head: st, tags: s.cfg.Tags(st)}
	d.rec.variant = l.variant(d.rec.addr, st.Variant)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return nil, err
	}
	if o != nil {
		old, mine := o.(*object)
		if !mine || old.s != s || old.rec.addr != d.rec.addr || old.rec.lockID != d.rec.lockID || s.t.slot(old.rec.addr, old.rec.id) == 0 {
			return nil, errGone
		}
		d.from = old.rec
		s.chunks.holdAll(d.from.pieces)
	}
	s.drafts[d] = struct{}{}
	return d, nil
}

// writable says why nothing can be kept now.
func (s *Store) writable() error {
	switch {
	case !s.open:
		return fault.New(fault.Unreachable, "store: it is not open: start it first")
	case len(s.pend) >= mostPending:
		return fault.New(fault.Unreachable, "store: the index takes nothing: see the disk")
	}
	return nil
}

// Freshen gives a stored answer another head.
func (s *Store) Freshen(o edge.Object, st *edge.Stored) (edge.Object, error) {
	old, mine := o.(*object)
	if !mine || old.s != s {
		return nil, errGone
	}
	l, ok := s.lockOf(old.rec.comune)
	if !ok || l.identity() != old.rec.lockID {
		return nil, noKey(old.rec.comune)
	}
	r := *old.rec
	r.head, r.tags = st, s.cfg.Tags(st)
	r.variant = l.variant(r.addr, st.Variant)
	r.stored = s.cfg.Now().Unix()
	return s.keep(&r, l, old.body, nil, nil)
}

// keep makes a record an object: that of draft d, or without one another head
// of the object whose id r has. It takes the place of what is stored of its
// variant.
func (s *Store) keep(r *record, l *lock, body []byte, fresh []string, d *draft) (edge.Object, error) {
	was := r.id
	s.mu.Lock()
	if err := s.writable(); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	r.id = s.next
	s.next++
	s.making[r.id] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.making, r.id)
		s.mu.Unlock()
	}()
	data, path := r.pack(l), s.recordPath(r.id)
	if len(data) > mostHead {
		return nil, fault.New(fault.Refused, "store: keep %s: its head is %d bytes, which no answer needs", r.address, len(data))
	}
	if err := s.chunks.put(path, data); err != nil {
		return nil, fault.New(fault.Internal, "store: keep %s: %w", r.address, s.writeFault(err))
	}
	b := r.brief(l, len(data))
	s.mu.Lock()
	if !s.open || d != nil && d.stale || d == nil && s.t.slot(r.addr, was) == 0 {
		s.mu.Unlock()
		s.chunks.fs.Remove(path)
		return nil, errGone
	}
	var gone []uint64
	if id := s.t.same(r.addr, r.variant); id != 0 {
		gone = append(gone, id)
	}
	if d == nil && (len(gone) == 0 || gone[0] != was) {
		gone = append(gone, was) // the other head is of another variant
	}
	s.chunks.holdAll(r.pieces)
	for _, id := range gone { // what takes another's place has what that one earned
		queue, freq := s.t.state(s.t.slot(r.addr, id))
		b.queue, b.freq = max(b.queue, queue), max(b.freq, freq)
		s.take(r.addr, id)
	}
	b.queue, b.freq = s.t.state(s.insert(b, r.bytes(), true))
	s.pend[r.id] = change{brief: b.pack(), files: append(fresh, path)}
	full := len(s.pend) > 4096
	s.mu.Unlock()
	for _, id := range gone {
		s.forget(id)
	}
	o := &object{s: s, rec: r, body: body}
	s.warm.Set(r.id, o)
	s.count.stored.Add(1)
	s.evict()
	if full {
		s.flush()
	}
	return o, nil
}
