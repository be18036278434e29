package roads

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// nearSpace is the working space of Near: for every slot, the weights to and
// from each point, one after the other.
type nearSpace struct {
	to, from []weight
	seen     []bool // by number of ride
	marks    []mark
	last     []weight // of each point
}

// mark is a node that a climb from a point left.
type mark struct {
	node  uint32
	point uint32
	w     weight
}

// maxPoints of one search.
const maxPoints = 256

// Near gives the rides that can take in any of the points with a detour of at
// most budget, in the order of their names. What they cost is exact, the same
// as Legs gives; ways that no such detour
// uses are left out. A point
// outside the map is Invalid.
func (x *stopIndex) Near(ctx context.Context, points []geo.LonLat, budget time.Duration) (carpool.Nearby, error) {
	if len(points) > maxPoints {
		return carpool.Nearby{}, fault.New(fault.Invalid, "roads: a search of %d points: %d at most", len(points), maxPoints)
	}
	spots, err := x.g.spots(ctx, "point", points)
	if err != nil {
		return carpool.Nearby{}, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	s, ok := x.spare.Get().(*nearSpace)
	if !ok {
		s = &nearSpace{}
	}
	defer x.spare.Put(s)
	s.size(len(points)*len(x.stops), len(x.rides))
	f := x.g.ways.borrow()
	defer x.g.ways.giveBack(f)
	if err := ctx.Err(); err != nil {
		return carpool.Nearby{}, err
	}
	x.meet(f, s, spots, budget)
	if err := ctx.Err(); err != nil {
		return carpool.Nearby{}, err
	}
	x.within(s, len(points), milliseconds(budget))
	return x.answer(s, len(points)), nil
}

func (s *nearSpace) size(weights, rides int) {
	if cap(s.to) < weights {
		s.to, s.from = make([]weight, weights), make([]weight, weights)
	}
	s.to, s.from = s.to[:weights], s.from[:weights]
	for i := range s.to {
		s.to[i] = never
	}
	for i := range s.from {
		s.from[i] = never
	}
	if cap(s.seen) < rides {
		s.seen = make([]bool, rides)
	}
	s.seen = s.seen[:rides]
	clear(s.seen)
}

// meet fills the weights between the places and every stop that a detour within
// the budget can use; others may be missing or too large. Places near each
// other climb by the same nodes: each bucket is gone through once for all.
func (x *stopIndex) meet(f *finder, s *nearSpace, spots []spot, budget time.Duration) {
	ways := x.g.ways
	s.marks = s.marks[:0]
	for p := range spots {
		f.back.climb(&ways.down, &ways.up, spots[p].in.list())
		s.note(p, f.back.labels)
	}
	s.pour(x.from, budget, len(spots), s.to)
	s.marks = s.marks[:0]
	for p := range spots {
		f.fore.climb(&ways.up, &ways.down, spots[p].out.list())
		s.note(p, f.fore.labels)
	}
	s.pour(x.to, budget, len(spots), s.from)
	for p := range spots {
		for _, slot := range x.bySeg[spots[p].seg] {
			stop, i := &x.stops[slot].spot, int(slot)*len(spots)+p
			s.to[i] = min(s.to[i], x.g.car.along(stop, &spots[p]))
			s.from[i] = min(s.from[i], x.g.car.along(&spots[p], stop))
		}
	}
}

func (s *nearSpace) note(p int, labels []reach) {
	for _, l := range labels {
		s.marks = append(s.marks, mark{l.node, uint32(p), l.w})
	}
}

// pour relaxes the weights of every stop in the buckets of the marked nodes.
func (s *nearSpace) pour(buckets []bucket, budget time.Duration, points int, into []weight) {
	slices.SortFunc(s.marks, func(a, b mark) int { return int(a.node) - int(b.node) })
	for rest := s.marks; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].node == rest[0].node {
			n++
		}
		here := rest[:n]
		rest = rest[n:]
		least := here[0].w
		for _, m := range here[1:] {
			least = min(least, m.w)
		}
		// Weights of the shortest ways are no times: then all room is endless.
		short := int64(least>>32) - milliseconds(budget)
		for _, e := range buckets[here[0].node].within(budget) {
			if int64(e.room) < short && e.room != math.MaxInt32 {
				continue
			}
			at, w := int(e.slot)*points, e.w()
			for i := range here {
				to := &into[at+int(here[i].point)]
				*to = min(*to, here[i].w+w)
			}
		}
	}
}

// milliseconds rounds down, also below 0.
func milliseconds(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d < 0 && d%time.Millisecond != 0 {
		ms--
	}
	return ms
}

// within marks the rides that can take in a point, and forgets the ways that no
// detour within the budget uses.
func (x *stopIndex) within(s *nearSpace, points int, most int64) {
	ms := func(w weight) int64 { return int64(x.g.car.metric.leg(w).Time / time.Millisecond) }
	if x.g.car.metric == Fastest {
		ms = func(w weight) int64 { return int64(w >> 32) }
	}
	// From a point to stop i: kept when the detour between the stop before and
	// it is used, which is known before its own place is come to.
	s.last = slices.Grow(s.last[:0], points)[:points]
	for p := range s.last {
		s.last[p] = never
	}
	for i, st := range x.pairs {
		to, from := s.to[i*points:(i+1)*points], s.from[i*points:(i+1)*points]
		var next []weight
		if st.between != shut {
			next = s.from[(i+1)*points : (i+2)*points]
		}
		for p := range to {
			from[p], s.last[p] = s.last[p], never
			if next != nil && to[p] != never && next[p] != never && ms(to[p])+ms(next[p])-int64(st.between) <= most {
				s.seen[st.ride] = true
				s.last[p] = next[p]
			} else {
				to[p] = never
			}
		}
	}
}

// answer is what is known of the marked rides.
func (x *stopIndex) answer(s *nearSpace, points int) carpool.Nearby {
	rides, stops := 0, 0
	for number, seen := range s.seen {
		if seen {
			rides++
			stops += x.rides[number].count
		}
	}
	out := carpool.Nearby{Rides: make([]carpool.NearRide, 0, rides)}
	legs := make([]carpool.Leg, 2*points*stops)
	rows := make([][]carpool.Leg, 2*points*rides)
	take := func(w []weight, r *ride, p int) []carpool.Leg {
		row := legs[:r.count:r.count]
		legs = legs[r.count:]
		for i := range row {
			row[i] = x.g.car.metric.leg(w[(int(r.first)+i)*points+p])
		}
		return row
	}
	for _, number := range x.order {
		if !s.seen[number] {
			continue
		}
		r := &x.rides[number]
		near := carpool.NearRide{Ride: r.id, Between: r.between, To: rows[:points:points], From: rows[points : 2*points : 2*points]}
		rows = rows[2*points:]
		for p := range points {
			near.To[p], near.From[p] = take(s.to, r, p), take(s.from, r, p)
		}
		out.Rides = append(out.Rides, near)
	}
	return out
}
