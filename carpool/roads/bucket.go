package roads

import (
	"math"
	"slices"
	"time"
)

// entry is a stop in a bucket, its weight in two halves. room is how much of
// the time between the stop and its neighbour is left at the node, below 0 when
// it is farther: a place that is farther from there than that and the budget
// cannot be taken in.
type entry struct {
	slot, hi, lo uint32
	room         int32
}

func (e entry) w() weight { return weight(e.hi)<<32 | weight(e.lo) }

// tiers are the detours up to which entries stand together; the last has none.
var tiers = [...]time.Duration{5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 60 * time.Minute}

// tierOf is where a detour belongs.
func tierOf(d time.Duration) int {
	for t, most := range tiers {
		if d <= most {
			return t
		}
	}
	return len(tiers)
}

// rooms are the least room, in milliseconds, of entries that stand together in
// a tier; the last have less. A search passes over those that have too little.
var rooms = [...]int32{30 * 60_000, 15 * 60_000, 0}

const (
	roomClasses = len(rooms) + 1
	classes     = (len(tiers) + 1) * roomClasses
)

// bucket is a list of entries by class: those of the least detours first, of
// these those with the most room. Within a class they have no order.
type bucket struct {
	list []entry
	ends *[classes]uint32 // nil while there are none
}

// classOf is where an entry belongs.
func classOf(tier int, room int32) int {
	r := 0
	for r < len(rooms) && room < rooms[r] {
		r++
	}
	return tier*roomClasses + r
}

// put adds an entry: the first of each class behind moves to its end.
func (b *bucket) put(tier int, e entry) {
	if b.ends == nil {
		b.ends = new([classes]uint32)
	}
	b.list = append(b.list, e)
	hole := len(b.list) - 1
	for c := classes - 1; c > classOf(tier, e.room); c-- {
		first := int(b.ends[c-1])
		b.list[hole] = b.list[first]
		hole = first
		b.ends[c]++
	}
	b.ends[classOf(tier, e.room)]++
	b.list[hole] = e
}

// within calls f with the entries whose detour may be within a budget and that
// may have some room, and with others.
func (b *bucket) within(budget time.Duration, room int64, f func([]entry)) {
	if b.ends == nil || budget < 0 {
		return
	}
	from := uint32(0)
	for c := range (tierOf(budget) + 1) * roomClasses {
		to := b.ends[c]
		if r := c % roomClasses; to > from && (r == 0 || int64(rooms[r-1]) > room) {
			f(b.list[from:to])
		}
		from = to
	}
}

// renumber gives slots their new numbers and drops those without one.
func (b *bucket) renumber(moved []uint32) {
	if b.ends == nil {
		return
	}
	from := uint32(0)
	kept := b.list[:0]
	for c, to := range b.ends {
		for _, e := range b.list[from:to] {
			if e.slot = moved[e.slot]; e.slot != noNode {
				kept = append(kept, e)
			}
		}
		b.ends[c] = uint32(len(kept))
		from = to
	}
	b.list = kept
	if cap(b.list) > 4*len(b.list)+16 {
		b.list = slices.Clone(b.list)
	}
	if len(b.list) == 0 {
		*b = bucket{}
	}
}

// label is a node where a way of a stop may be highest, with the tier of the
// least detour of a ride that leaves by it and the room it leaves.
type label struct {
	reach
	tier int
	room int32
}

func (l label) entry(slot uint32) entry { return entry{slot, uint32(l.w >> 32), uint32(l.w), l.room} }

// labels are those of the ways from one stop and of the ways to the next, each
// with its tier: whoever goes by node v drives at least from stop to v and from
// v to the next stop, and no place makes that shorter.
func (x *stopIndex) labels(f *finder, from, to *spot, between weight) (out, in []label) {
	ways := x.g.ways
	f.fore.climb(&ways.up, &ways.down, from.out.list())
	f.back.climb(&ways.down, &ways.up, to.in.list())
	out = x.tiered(f, &f.fore, &f.back, &ways.up, between)
	in = x.tiered(f, &f.back, &f.fore, &ways.down, between)
	return out, in
}

// tiered finds for each label of one side its way on to the other end: down
// from the highest node, each by the nodes above it.
func (x *stopIndex) tiered(f *finder, here, there *side, with *arcs, between weight) []label {
	if f.rest == nil {
		f.rest = make([]weight, x.g.ways.count)
		for i := range f.rest {
			f.rest[i] = never
		}
	}
	// All nodes above the labels; rest marks those that are listed.
	f.above = f.above[:0]
	for _, l := range here.labels {
		if f.rest[l.node] == never {
			f.rest[l.node] = 0
			f.above = append(f.above, l.node)
		}
	}
	for i := 0; i < len(f.above); i++ {
		for _, a := range with.of(f.above[i]) {
			if f.rest[a.to] == never {
				f.rest[a.to] = 0
				f.above = append(f.above, a.to)
			}
		}
	}
	slices.SortFunc(f.above, func(a, b uint32) int { return int(b) - int(a) })
	for _, v := range f.above {
		best := there.dist[v]
		for _, a := range with.of(v) {
			best = min(best, a.w().plus(f.rest[a.to]))
		}
		f.rest[v] = best
	}
	out := make([]label, 0, len(here.labels))
	ms := func(w weight) time.Duration { return x.g.car.metric.leg(w).Time }
	for _, l := range here.labels {
		if rest := f.rest[l.node]; rest != never {
			room, tier := (ms(between) - ms(l.w)).Milliseconds(), tierOf(ms(l.w+rest)-ms(between))
			if x.g.car.metric != Fastest { // then weights are no times, and bound none
				room, tier = math.MaxInt32, 0
			}
			out = append(out, label{l, tier, int32(min(math.MaxInt32, max(math.MinInt32, room)))})
		}
	}
	for _, v := range f.above {
		f.rest[v] = never
	}
	return out
}
