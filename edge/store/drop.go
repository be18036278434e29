package store

import (
	"errors"
	"os"
	"path/filepath"
)

// Delete forgets all that is stored at an address, and what is under way for it.
func (s *Store) Delete(key string) {
	_, comune := s.cfg.Owner(key)
	if l, ok := s.lockOf(comune); ok {
		s.deleteAll(l.address(key))
	}
}

func (s *Store) deleteAll(d digest) (n int) {
	s.mu.Lock()
	for dr := range s.drafts {
		if dr.rec.addr == d {
			dr.stale = true
		}
	}
	ids := s.t.ids(d)
	for _, id := range ids {
		s.take(d, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.forget(id)
	}
	return len(ids)
}

// drop forgets one object, and says whether it was there.
func (s *Store) drop(d digest, id uint64) bool {
	s.mu.Lock()
	there := s.take(d, id)
	s.mu.Unlock()
	if there {
		s.forget(id)
	}
	return there
}

// take takes an object out of the table, which only one can; s.mu is held.
func (s *Store) take(d digest, id uint64) bool {
	slot := s.t.slot(d, id)
	if slot == 0 {
		return false
	}
	s.pins.leave(s.t.all[slot].pin, s.t.all[slot].size)
	s.t.remove(slot)
	delete(s.touched, id)
	s.pend[id] = change{files: []string{filepath.Dir(s.recordPath(id))}}
	return true
}

// forget removes the record of what was taken, and lets its chunks go. Where
// the record cannot be read its chunks stay until scrub finds them.
func (s *Store) forget(id uint64) {
	var r *record
	if o, ok := s.warm.Invalidate(id); ok {
		r = o.rec
	} else {
		r, _ = s.record(id, nil)
	}
	if err := s.chunks.fs.Remove(s.recordPath(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.writeFault(err)
	}
	if r != nil {
		s.released(r.pieces, r.lockID != 0)
	}
}

// released lets chunks go.
func (s *Store) released(all []piece, sealed bool) {
	if n := s.chunks.release(all, sealed); n > 0 {
		s.fault(&s.count.write, "chunks cannot be removed", "chunks", n)
	}
}
