package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crinale/crinale/edge"
)

// Find gives what is stored at an address, the newest first.
func (s *Store) Find(key string) []edge.Object {
	_, comune := s.cfg.Owner(key)
	l, ok := s.lockOf(comune)
	if !ok {
		return nil
	}
	d := l.address(key)
	var few [4]uint64
	s.mu.Lock()
	if !s.open {
		s.mu.Unlock()
		return nil
	}
	ids := s.t.find(few[:0], d, s)
	s.mu.Unlock()
	var out []edge.Object
	for _, id := range ids {
		if o := s.object(id, d, l); o != nil && o.rec.address == key {
			out = append(out, o)
		}
	}
	if len(out) == 0 {
		s.count.misses.Add(1)
	}
	return out
}

// object is one that the index names; nil when its record cannot be read.
func (s *Store) object(id uint64, d digest, l *lock) *object {
	if o, ok := s.warm.GetIfPresent(id); ok && o.rec.lockID == l.identity() {
		return o
	}
	r, err := s.record(id, s.lockOf)
	switch {
	case err == nil && r.addr == d && r.lockID == l.identity():
		o := &object{s: s, rec: r}
		s.warm.Set(id, o)
		return o
	case passing(err) || errors.Is(err, errKey):
		return nil
	case errors.Is(err, os.ErrNotExist): // purged just before the power went
	default:
		s.fault(&s.count.damaged, "the record of a stored answer cannot be read, and it is forgotten", "id", id, "err", err)
	}
	s.drop(d, id)
	return nil
}

func (s *Store) recordPath(id uint64) string {
	return filepath.Join(s.cfg.Dir, "objects", fmt.Sprintf("%x", id>>8), fmt.Sprintf("%x", id))
}

// record reads that of an id; with a nil open only what is in the clear.
func (s *Store) record(id uint64, open func(string) (*lock, bool)) (*record, error) {
	b, err := slurp(s.chunks.fs, s.recordPath(id), mostHead)
	if err != nil {
		return nil, err
	}
	r, err := unpack(b, open)
	if r != nil && r.id != id {
		return nil, errRecord
	}
	return r, err
}
