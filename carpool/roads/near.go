package roads

import (
	"context"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// nearSpace is the working space of Near: for each point, the weights from and
// to every slot.
type nearSpace struct {
	to, from []weight
	seen     []bool // by number of ride
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
	n := len(x.stops)
	for p := range spots {
		if err := ctx.Err(); err != nil {
			return carpool.Nearby{}, err
		}
		x.meet(f, &spots[p], budget, s.to[p*n:(p+1)*n], s.from[p*n:(p+1)*n])
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

// meet fills the weights between one place and every stop that a detour within
// the budget can use; others may be missing or too large.
func (x *stopIndex) meet(f *finder, at *spot, budget time.Duration, to, from []weight) {
	ways := x.g.ways
	f.back.climb(&ways.down, &ways.up, at.in.list())
	for _, l := range f.back.labels {
		for _, e := range x.from[l.node].within(budget) {
			if w := l.w + e.w(); w < to[e.slot] {
				to[e.slot] = w
			}
		}
	}
	f.fore.climb(&ways.up, &ways.down, at.out.list())
	for _, l := range f.fore.labels {
		for _, e := range x.to[l.node].within(budget) {
			if w := l.w + e.w(); w < from[e.slot] {
				from[e.slot] = w
			}
		}
	}
	for _, slot := range x.bySeg[at.seg] {
		stop := &x.stops[slot].spot
		to[slot] = min(to[slot], x.g.car.along(stop, at))
		from[slot] = min(from[slot], x.g.car.along(at, stop))
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
	n := len(x.stops)
	ms := func(w weight) int64 { return int64(x.g.car.metric.leg(w).Time / time.Millisecond) }
	if x.g.car.metric == Fastest {
		ms = func(w weight) int64 { return int64(w >> 32) }
	}
	for p := range points {
		to, from := s.to[p*n:(p+1)*n], s.from[p*n:(p+1)*n]
		last := never // from[i] as it was, until it is known whether stop i is used
		for i, st := range x.pairs {
			used := st.between != shut && to[i] != never && from[i+1] != never &&
				ms(to[i])+ms(from[i+1])-int64(st.between) <= most
			from[i], last = last, never
			if used {
				s.seen[st.ride] = true
				last = from[i+1]
			} else {
				to[i] = never
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
	n := len(x.stops)
	take := func(w []weight) []carpool.Leg {
		row := legs[:len(w):len(w)]
		legs = legs[len(w):]
		for i := range w {
			row[i] = x.g.car.metric.leg(w[i])
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
			at := p*n + int(r.first)
			near.To[p] = take(s.to[at : at+r.count])
			near.From[p] = take(s.from[at : at+r.count])
		}
		out.Rides = append(out.Rides, near)
	}
	return out
}
