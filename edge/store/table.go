package store

import (
	"encoding/binary"
	"time"
)

// table is the index in memory: a flat list of entries that point to each other
// by their places in it, so that 200,000 of them are some 20 MB and nothing for
// the garbage collector to look at. Place 0 is nobody.
type table struct {
	all    []entry
	free   uint32            // removed entries, by next
	byAddr map[uint64]uint32 // first bytes of the address → the newest there
	groups []*group
	named  map[[2]string]uint16
	meta   int64 // bytes of all records
	seq    uint64
	ghost  ghost

	services, comuni map[string]int64 // quotas
	byService        map[string]int64 // bytes
	byComune         map[string]int64
}

// entry is an object.
type entry struct {
	id      uint64
	addr    digest
	variant uint64
	size    int64  // bytes of what it holds and of its record
	seq     uint64 // when it came into its queue
	used    uint32 // Unix seconds, coarse
	meta    uint32 // bytes of its record
	next    uint32 // the next older at the same place of byAddr
	older   uint32 // in its queue
	newer   uint32
	group   uint16
	pin     uint16 // 1 and on; 0: none
	queue   uint8
	freq    uint8
}

// group is what one service has in one comune, with queues of its own.
type group struct {
	service, comune string
	objects         int
	bytes           int64
	queues          [3]queue // by inSmall, inMain
}

// queue is a list from the newest to the oldest.
type queue struct {
	newest, oldest uint32
	bytes          int64
}

const (
	pinnedOut = 0 // in no queue
	inSmall   = 1
	inMain    = 2
	mostFreq  = 3
)

// coarse is how far behind the stored time of last use may be.
const coarse = time.Hour

func newTable(services, comuni map[string]int64) table {
	return table{all: make([]entry, 1), byAddr: map[uint64]uint32{}, named: map[[2]string]uint16{},
		services: services, comuni: comuni, byService: map[string]int64{}, byComune: map[string]int64{}}
}

func place(d digest) uint64 { return binary.BigEndian.Uint64(d[:8]) }

// slot is the place of an object; 0 when it is not there.
func (t *table) slot(d digest, id uint64) uint32 {
	for i := t.byAddr[place(d)]; i != 0; i = t.all[i].next {
		if t.all[i].id == id && t.all[i].addr == d {
			return i
		}
	}
	return 0
}

// same is the object at an address with a variant.
func (t *table) same(d digest, variant uint64) (id uint64) {
	for i := t.byAddr[place(d)]; i != 0; i = t.all[i].next {
		if e := &t.all[i]; e.addr == d && e.variant == variant {
			return e.id
		}
	}
	return 0
}

// ids are the objects at an address, the newest first.
func (t *table) ids(d digest) (out []uint64) {
	for i := t.byAddr[place(d)]; i != 0; i = t.all[i].next {
		if t.all[i].addr == d {
			out = append(out, t.all[i].id)
		}
	}
	return out
}

// find appends them, and notes that they were wanted.
func (t *table) find(out []uint64, d digest, s *Store) []uint64 {
	for i := t.byAddr[place(d)]; i != 0; i = t.all[i].next {
		e := &t.all[i]
		if e.addr != d {
			continue
		}
		out = append(out, e.id)
		e.freq = min(e.freq+1, mostFreq)
		if now := uint32(s.cfg.Now().Unix()); now-e.used > uint32(coarse/time.Second) && len(s.touched) < mostPending {
			e.used = now
			s.touched[e.id] = touch{now, e.queue, e.freq}
		}
	}
	return out
}

func (t *table) group(service, comune string) uint16 {
	k := [2]string{service, comune}
	g, ok := t.named[k]
	if !ok {
		g = uint16(len(t.groups))
		if len(t.groups) == 1<<16-1 { // more names than any edge has: the rest share one
			return g - 1
		}
		t.groups = append(t.groups, &group{service: service, comune: comune})
		t.named[k] = g
	}
	return g
}

// add puts an entry in, newest at its address and in its queue.
func (t *table) add(e entry) uint32 {
	i := t.free
	if i != 0 {
		t.free = t.all[i].next
	} else {
		i = uint32(len(t.all))
		t.all = append(t.all, entry{})
	}
	k := place(e.addr)
	e.next = t.byAddr[k]
	t.byAddr[k] = i
	t.all[i] = e
	g := t.groups[e.group]
	g.objects++
	g.bytes += e.size
	t.byService[g.service] += e.size
	t.byComune[g.comune] += e.size
	t.meta += int64(e.meta)
	t.enqueue(i, e.queue)
	return i
}

func (t *table) remove(i uint32) {
	e := t.all[i]
	t.dequeue(i)
	k := place(e.addr)
	if t.byAddr[k] == i {
		if e.next == 0 {
			delete(t.byAddr, k)
		} else {
			t.byAddr[k] = e.next
		}
	} else {
		for j := t.byAddr[k]; j != 0; j = t.all[j].next {
			if t.all[j].next == i {
				t.all[j].next = e.next
				break
			}
		}
	}
	g := t.groups[e.group]
	g.objects--
	g.bytes -= e.size
	t.byService[g.service] -= e.size
	t.byComune[g.comune] -= e.size
	t.meta -= int64(e.meta)
	t.all[i] = entry{next: t.free}
	t.free = i
}

func (t *table) state(i uint32) (queue, freq uint8) { return t.all[i].queue, t.all[i].freq }

func (t *table) enqueue(i uint32, which uint8) {
	e := &t.all[i]
	t.seq++
	e.queue, e.seq, e.newer, e.older = which, t.seq, 0, 0
	if which == pinnedOut {
		return
	}
	q := &t.groups[e.group].queues[which]
	e.older = q.newest
	if q.newest != 0 {
		t.all[q.newest].newer = i
	} else {
		q.oldest = i
	}
	q.newest = i
	q.bytes += e.size
}

func (t *table) dequeue(i uint32) {
	e := &t.all[i]
	if e.queue == pinnedOut {
		return
	}
	q := &t.groups[e.group].queues[e.queue]
	if e.newer != 0 {
		t.all[e.newer].older = e.older
	} else {
		q.newest = e.older
	}
	if e.older != 0 {
		t.all[e.older].newer = e.newer
	} else {
		q.oldest = e.newer
	}
	q.bytes -= e.size
	e.newer, e.older = 0, 0
}
