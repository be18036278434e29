package store

import (
	"maps"
	"sync"
)

// queue decides what is evicted: S3-FIFO (Yang and others, SOSP 2023) over
// addresses, by bytes. What comes waits in a small queue; what was asked for
// again there goes on to the main one, the rest leaves and is remembered for a
// while, so that it goes to the main one at once if it comes back. What pays for
// more than its quota leaves first.
type queue struct {
	cfg  Config
	free free
	full chan struct{}

	mu     sync.Mutex
	by     map[id]int32
	slots  []slot
	unused int32 // the first of the slots that are free; -1: none
	small  list
	main   list
	ghosts map[id]int32 // what left the small queue not long ago, by when
	ghost  []id         // a ring of them
	ghostN int32
	owners []owner
	names  map[string]int32
	bytes  int64
	pinned int64
}

// slot is one address. Slots are linked by number, so that the collector of
// memory has nothing to follow in them.
type slot struct {
	id             id
	size           int64
	service        int32
	comune         int32
	prev, next     int32
	used           uint8 // times it was asked for, up to 3
	where          uint8
	pinned, inUsed bool
}

// Where a slot is.
const (
	nowhere uint8 = iota
	inSmall
	inMain
	inPinned
)

// list is a queue of slots: head is the youngest.
type list struct {
	head, tail int32
	bytes      int64
	n          int64
}

// owner is a service or a comune.
type owner struct {
	name         string
	bytes, quota int64
}

// smallShare is the part of the bytes that is for what has just come.
const smallShare = 10

func newQueue(c Config) *queue {
	return &queue{
		cfg: c, full: make(chan struct{}, 1), by: map[id]int32{}, unused: -1,
		small: list{head: -1, tail: -1}, main: list{head: -1, tail: -1},
		ghosts: map[id]int32{}, names: map[string]int32{},
	}
}

// wake has Run look whether there is too much.
func (q *queue) wake() {
	select {
	case q.full <- struct{}{}:
	default:
	}
}

func (q *queue) owner(name string) int32 {
	if i, ok := q.names[name]; ok {
		return i
	}
	i := int32(len(q.owners))
	q.owners = append(q.owners, owner{name: name, quota: q.cfg.Quota[name]})
	q.names[name] = i
	return i
}

// put has an address count with a size, as one that has just come if it was not
// there.
func (q *queue) put(i id, p Place, size int64, pinned bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, there := q.by[i]
	if there {
		q.count(n, -1)
	} else {
		if n = q.unused; n >= 0 {
			q.unused = q.slots[n].next
			q.slots[n] = slot{}
		} else {
			n = int32(len(q.slots))
			q.slots = append(q.slots, slot{})
		}
		q.by[i] = n
	}
	s := &q.slots[n]
	s.id, s.size, s.service, s.comune = i, size, q.owner("service:"+p.Service), q.owner("comune:"+p.Comune)
	was := s.where
	s.pinned = pinned && q.pinned+size <= q.cfg.PinnedMost
	want := was
	switch {
	case s.pinned:
		want = inPinned
	case was == nowhere || was == inPinned:
		want = inSmall
		if _, ok := q.ghosts[i]; ok {
			delete(q.ghosts, i)
			want = inMain
		}
	}
	if want != was {
		q.unlink(n)
		q.link(n, want)
	}
	q.count(n, 1)
	if q.bytes > q.cfg.Most {
		q.wake()
	}
}

// count adds the bytes of a slot to all that it counts for, or takes them away.
func (q *queue) count(n int32, sign int64) {
	s := &q.slots[n]
	d := sign * s.size
	q.bytes += d
	q.owners[s.service].bytes += d
	q.owners[s.comune].bytes += d
	switch s.where {
	case inSmall:
		q.small.bytes += d
	case inMain:
		q.main.bytes += d
	case inPinned:
		q.pinned += d
	}
}

func (q *queue) listOf(where uint8) *list {
	switch where {
	case inSmall:
		return &q.small
	case inMain:
		return &q.main
	}
	return nil
}

// link puts a slot at the young end. Its bytes are counted apart.
func (q *queue) link(n int32, where uint8) {
	s := &q.slots[n]
	s.where, s.prev, s.next = where, -1, -1
	l := q.listOf(where)
	if l == nil {
		return
	}
	s.next = l.head
	if l.head >= 0 {
		q.slots[l.head].prev = n
	} else {
		l.tail = n
	}
	l.head = n
	l.n++
}

func (q *queue) unlink(n int32) {
	s := &q.slots[n]
	if l := q.listOf(s.where); l != nil {
		if s.prev >= 0 {
			q.slots[s.prev].next = s.next
		} else {
			l.head = s.next
		}
		if s.next >= 0 {
			q.slots[s.next].prev = s.prev
		} else {
			l.tail = s.prev
		}
		l.n--
	}
	s.where, s.prev, s.next = nowhere, -1, -1
}

// used notes that an address was asked for.
func (q *queue) used(i id) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n, ok := q.by[i]; ok && q.slots[n].used < 3 {
		q.slots[n].used++
	}
}

// remove has an address count no more.
func (q *queue) remove(i id) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(i)
}

func (q *queue) forget(i id) {
	n, ok := q.by[i]
	if !ok {
		return
	}
	q.count(n, -1)
	q.unlink(n)
	delete(q.by, i)
	q.slots[n] = slot{next: q.unused}
	q.unused = n
}

// victim takes the next address that leaves off the queues; false: there is
// none but what is pinned.
func (q *queue) victim() (i id, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := q.borrower(); n >= 0 {
		i = q.slots[n].id
		q.forget(i)
		return i, true
	}
	for q.small.n+q.main.n > 0 {
		if q.small.n > 0 && (q.small.bytes > q.cfg.Most/smallShare || q.main.n == 0) {
			n := q.small.tail
			s := &q.slots[n]
			if s.used > 0 {
				s.used = 0
				q.move(n, inMain)
				continue
			}
			i = s.id
			q.forget(i)
			q.remember(i)
			return i, true
		}
		n := q.main.tail
		s := &q.slots[n]
		if s.used > 0 {
			s.used--
			q.move(n, inMain)
			continue
		}
		i = s.id
		q.forget(i)
		return i, true
	}
	return id{}, false
}

func (q *queue) move(n int32, where uint8) {
	q.count(n, -1)
	q.unlink(n)
	q.link(n, where)
	q.count(n, 1)
}

// looks is how many of the oldest are looked at for one who borrows.
const looks = 4096

// borrower is the oldest of those whose owner has more than its quota; -1: none
// near the end of a queue.
func (q *queue) borrower() int32 {
	any := false
	for _, o := range q.owners {
		any = any || o.quota > 0 && o.bytes > o.quota
	}
	if !any {
		return -1
	}
	for _, l := range []*list{&q.small, &q.main} {
		n := l.tail
		for range looks {
			if n < 0 {
				break
			}
			if s := &q.slots[n]; q.over(s.service) || q.over(s.comune) {
				return n
			}
			n = q.slots[n].prev
		}
	}
	return -1
}

func (q *queue) over(n int32) bool {
	o := &q.owners[n]
	return o.quota > 0 && o.bytes > o.quota
}

// remember has an address that left the small queue known for as long as the
// main queue is long.
func (q *queue) remember(i id) {
	most := max(int(q.main.n), 1024)
	if len(q.ghost) < most {
		q.ghost = append(q.ghost, i)
		q.ghosts[i] = int32(len(q.ghost) - 1)
		return
	}
	at := q.ghostN % int32(len(q.ghost))
	if old := q.ghost[at]; q.ghosts[old] == at {
		delete(q.ghosts, old)
	}
	q.ghost[at], q.ghosts[i] = i, at
	q.ghostN = (at + 1) % int32(len(q.ghost))
}

// most is how much may be kept: less where others fill the volume.
func (q *queue) tooMuch(dir string) bool {
	q.mu.Lock()
	over := q.bytes > q.cfg.Most
	q.mu.Unlock()
	if over {
		return true
	}
	left, err := q.free.bytes(dir)
	return err == nil && left < q.cfg.MinFree
}

func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	st := Stats{Objects: int64(len(q.by)), Bytes: q.bytes, Pinned: q.pinned, By: map[string]int64{}}
	for _, o := range q.owners {
		st.By[o.name] = o.bytes
	}
	return st
}

// ids are all that count.
func (q *queue) ids() map[id]bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[id]bool, len(q.by))
	for i := range maps.Keys(q.by) {
		out[i] = true
	}
	return out
}
