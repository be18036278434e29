package store

import (
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// Purge says what is to be forgotten: the answers at one address, at all that
// begin alike, with a tag, or all. One of them is given.
type Purge struct {
	Address string
	Prefix  string
	Tag     string
	All     bool
}

// Purge forgets, and says how many answers that were. What is under way and
// would belong to them is not kept either. It returns when the disk knows.
// Answers whose key is not there cannot be told by prefix or tag; they are
// misses, and stay so: all of such a comune is forgotten.
func (s *Store) Purge(p Purge) (n int, err error) {
	given := 0
	if p.All {
		given++
	}
	for _, what := range []string{p.Address, p.Prefix, p.Tag} {
		if what != "" {
			given++
		}
	}
	if given != 1 {
		return 0, fault.New(fault.Invalid, "store: purge: give one of address, prefix, tag and all")
	}
	if p.Address != "" {
		_, comune := s.cfg.Owner(p.Address)
		l, ok := s.lockOf(comune)
		if !ok {
			return 0, noKey(comune)
		}
		n = s.deleteAll(l.address(p.Address))
		return n, s.flush()
	}
	s.mu.Lock()
	for d := range s.drafts {
		if p.takes(d.rec.address, d.rec.tags) {
			d.stale = true
		}
	}
	s.mu.Unlock()
	type found struct {
		addr digest
		id   uint64
	}
	var all []found
	hashes := map[uint64]uint64{} // lock → the tag
	err = s.walk(func(b *brief) {
		if s.chosen(p, b, hashes) {
			all = append(all, found{b.addr, b.id})
		}
	})
	if err != nil {
		return 0, err
	}
	for _, f := range all {
		if s.drop(f.addr, f.id) {
			n++
		}
	}
	return n, s.flush()
}

func (p Purge) takes(address string, tags []string) bool {
	if p.All {
		return true
	}
	if p.Prefix != "" {
		return strings.HasPrefix(address, p.Prefix)
	}
	for _, t := range tags {
		if t == p.Tag {
			return true
		}
	}
	return false
}

func (s *Store) chosen(p Purge, b *brief, hashes map[uint64]uint64) bool {
	if p.All {
		return true
	}
	var l *lock
	if b.lockID != 0 {
		var ok bool
		if l, ok = s.lockOf(b.comune); !ok || l.identity() != b.lockID {
			return true
		}
	}
	if p.Prefix != "" {
		address := b.address
		if l != nil {
			var err error
			if address, err = l.open(address, b.addr[:]); err != nil {
				return true
			}
		}
		return strings.HasPrefix(string(address), p.Prefix)
	}
	want, ok := hashes[b.lockID]
	if !ok {
		want = l.tag(p.Tag)
		hashes[b.lockID] = want
	}
	for _, t := range b.tags {
		if t == want {
			return true
		}
	}
	return false
}
