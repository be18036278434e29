package store

import "slices"

// Pin is a set of answers that stay, whatever else must go: those of addresses,
// and those with a tag. What goes beyond Most of it is as any other.
type Pin struct {
	Name      string
	Addresses []string
	Tags      []string
	Most      int64 // bytes
}

// pinned are the sets, as the index knows addresses and tags.
type pinned struct {
	sets      []Pin
	used      []int64
	addresses map[digest]int
	tags      map[uint64]map[uint64]int // lock → tag → set
	lockOf    func(comune string) (*lock, bool)
}

func (s *Store) pinnedOf(sets []Pin) pinned {
	p := pinned{sets: sets, used: make([]int64, len(sets)), addresses: map[digest]int{}, tags: map[uint64]map[uint64]int{}, lockOf: s.lockOf}
	for i, set := range sets {
		for _, a := range set.Addresses {
			_, comune := s.cfg.Owner(a)
			if l, ok := s.lockOf(comune); ok {
				p.addresses[l.address(a)] = i
			}
		}
	}
	return p
}

// enter counts an object into the set that has it and room for it: 1 and on; 0
// for none.
func (p *pinned) enter(b *brief, size int64) uint16 {
	if len(p.sets) == 0 {
		return 0
	}
	i, ok := p.addresses[b.addr]
	if !ok {
		i, ok = p.tagged(b)
	}
	if !ok || p.used[i]+size > p.sets[i].Most {
		return 0
	}
	p.used[i] += size
	return uint16(i + 1)
}

func (p *pinned) tagged(b *brief) (int, bool) {
	if len(b.tags) == 0 {
		return 0, false
	}
	known, ok := p.tags[b.lockID]
	if !ok {
		l, ok := p.lockOf(b.comune)
		if !ok || l.identity() != b.lockID {
			return 0, false
		}
		known = map[uint64]int{}
		for i, set := range slices.Backward(p.sets) {
			for _, t := range set.Tags {
				known[l.tag(t)] = i
			}
		}
		p.tags[b.lockID] = known
	}
	for _, t := range b.tags {
		if i, ok := known[t]; ok {
			return i, true
		}
	}
	return 0, false
}

func (p *pinned) leave(pin uint16, size int64) {
	if pin > 0 {
		p.used[pin-1] -= size
	}
}

func (p *pinned) bytes() (n int64) {
	for _, u := range p.used {
		n += u
	}
	return n
}

// SetPins puts other sets in the place of all that were pinned.
func (s *Store) SetPins(sets []Pin) error {
	if err := s.flush(); err != nil {
		return err
	}
	s.mu.Lock()
	s.pins = s.pinnedOf(sets)
	for i := range s.t.all {
		if e := &s.t.all[i]; e.id != 0 && e.pin != 0 {
			e.pin = 0
			s.t.enqueue(uint32(i), inSmall)
		}
	}
	s.mu.Unlock()
	err := s.walk(func(b *brief) {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := s.t.slot(b.addr, b.id)
		if i == 0 || s.t.all[i].pin != 0 {
			return
		}
		if pin := s.pins.enter(b, s.t.all[i].size); pin != 0 {
			s.t.dequeue(i)
			s.t.enqueue(i, pinnedOut)
			s.t.all[i].pin = pin
		}
	})
	s.evict()
	return err
}
