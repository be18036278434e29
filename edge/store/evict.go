package store

import (
	"github.com/crinale/crinale/internal/fault"
)

// What goes first is chosen by S3-FIFO (Yang et al., SOSP 2023), by bytes: what
// is new waits in the small queue, and goes from there unless it was wanted
// again; what was, or comes back soon, is in the main queue, where each use buys
// it one more turn. Each group has queues of its own; the oldest of all groups
// goes, as if they were one, unless some use more than their quota: then only
// theirs go.

// smallPart is the part of the bytes that the small queue may have, in tenths.
const smallPart = 1

// victim is who goes next; 0 when nobody can.
func (t *table) victim() uint32 {
	over := t.borrowers()
	for {
		var small, main int64
		var first [3]uint32 // the oldest of each queue
		for _, g := range t.groups {
			if over && !t.borrows(g) {
				continue
			}
			small += g.queues[inSmall].bytes
			main += g.queues[inMain].bytes
			for _, k := range [...]uint8{inSmall, inMain} {
				if i := g.queues[k].oldest; i != 0 && (first[k] == 0 || t.all[i].seq < t.all[first[k]].seq) {
					first[k] = i
				}
			}
		}
		i := first[inMain]
		if s := first[inSmall]; s != 0 && (i == 0 || small*10 > (small+main)*smallPart) {
			if t.all[s].freq <= 1 {
				return s
			}
			t.dequeue(s)
			t.enqueue(s, inMain)
			t.all[s].freq = 0
			continue
		}
		if i == 0 {
			if over {
				over = false // all that the borrowers have is pinned
				continue
			}
			return 0
		}
		if t.all[i].freq == 0 {
			return i
		}
		t.all[i].freq--
		t.dequeue(i)
		t.enqueue(i, inMain)
	}
}

// borrows says that a group's service or comune has more than its quota.
func (t *table) borrows(g *group) bool {
	q, bound := t.services[g.service]
	if bound && t.byService[g.service] > q {
		return true
	}
	q, bound = t.comuni[g.comune]
	return bound && t.byComune[g.comune] > q
}

func (t *table) borrowers() bool {
	for _, g := range t.groups {
		if t.borrows(g) && g.queues[inSmall].bytes+g.queues[inMain].bytes > 0 {
			return true
		}
	}
	return false
}

// ghost remembers who went from the small queue of late.
type ghost struct {
	ring []uint64
	at   int
	in   map[uint64]int // → its place in ring
}

// mostGhosts bounds it: a megabyte or two.
const mostGhosts = 50_000

func (g *ghost) add(k uint64) {
	if g.in == nil {
		g.in = map[uint64]int{}
	}
	if len(g.ring) < mostGhosts {
		g.ring = append(g.ring, k)
		g.in[k] = len(g.ring) - 1
		return
	}
	if old := g.ring[g.at]; g.in[old] == g.at {
		delete(g.in, old)
	}
	g.ring[g.at] = k
	g.in[k] = g.at
	g.at = (g.at + 1) % mostGhosts
}

// take says whether one was there, and is no more.
func (g *ghost) take(k uint64) bool {
	_, ok := g.in[k]
	delete(g.in, k)
	return ok
}

// insert puts what the index says of an object into the table; fresh, when it
// came just now. s.mu is held.
func (s *Store) insert(b *brief, bytes int64, fresh bool) uint32 {
	e := entry{id: b.id, addr: b.addr, variant: b.variant, size: bytes + int64(b.meta), used: b.used, meta: b.meta,
		group: s.t.group(b.service, b.comune), queue: b.queue, freq: b.freq}
	if fresh && s.t.ghost.take(place(e.addr)^e.variant) {
		e.queue = inMain
	} else if e.queue == pinnedOut {
		e.queue = inSmall
	}
	if e.pin = s.pins.enter(b, e.size); e.pin != 0 {
		e.queue = pinnedOut
	}
	return s.t.add(e)
}

// over says that more is on the disk than may be; s.mu is held.
func (s *Store) over() bool {
	return s.chunks.used()+s.t.meta-s.pins.bytes() > s.cfg.Most
}

// evict lets objects go until the rest is within bounds.
func (s *Store) evict() {
	for s.evictOne(s.over) {
	}
}

func (s *Store) evictOne(must func() bool) bool {
	s.mu.Lock()
	if !s.open || !must() {
		s.mu.Unlock()
		return false
	}
	i := s.t.victim()
	if i == 0 {
		s.mu.Unlock()
		return false
	}
	e := s.t.all[i]
	if e.queue == inSmall {
		s.t.ghost.add(place(e.addr) ^ e.variant)
	}
	s.take(e.addr, e.id)
	s.mu.Unlock()
	s.forget(e.id)
	s.count.evicted.Add(1)
	return true
}

// room sees to it that so many bytes can be written with MinFree left.
func (s *Store) room(n int64) error {
	for range 1000 {
		free, err := s.chunks.fs.Free(s.cfg.Dir)
		if err != nil {
			return s.writeFault(err)
		}
		if free-n >= s.cfg.MinFree {
			return nil
		}
		if !s.evictOne(func() bool { return true }) {
			break
		}
	}
	return s.writeFault(fault.New(fault.Refused, "store: the volume of %s would have under %d bytes free: make room on it or lower min_free", s.cfg.Dir, s.cfg.MinFree))
}
