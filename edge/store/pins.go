package store

import (
	"os"
	"sync"
)

// pins are the chunks that somebody reads or is about to keep: they are not
// removed meanwhile.
type pins struct {
	mu     sync.Mutex
	held   map[name]int
	doomed map[name]bool // that nobody referred to when they were held
}

func (p *pins) init() { p.held, p.doomed = map[name]int{}, map[name]bool{} }

func (p *pins) pin(all ...name) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range all {
		p.held[n]++
	}
}

// unpin lets go, and gives those that must be looked at again.
func (p *pins) unpin(all []name) (again []name) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range all {
		if p.held[n]--; p.held[n] > 0 {
			continue
		}
		delete(p.held, n)
		if p.doomed[n] {
			delete(p.doomed, n)
			again = append(again, n)
		}
	}
	return again
}

func (s *Store) unpin(all ...name) {
	if again := s.pins.unpin(all); len(again) > 0 {
		s.index.tell(change{look: again})
	}
}

// unreferenced removes chunks that the index knows nobody to have, unless
// somebody holds them: then the last who does has them looked at again.
func (s *Store) unreferenced(all []name) {
	s.pins.mu.Lock()
	defer s.pins.mu.Unlock()
	for _, n := range all {
		if s.pins.held[n] > 0 {
			s.pins.doomed[n] = true
			continue
		}
		s.verified.drop(n)
		if err := os.Remove(s.chunkPath(n)); err != nil && !os.IsNotExist(err) {
			s.failed("remove a chunk", err)
		}
	}
}
