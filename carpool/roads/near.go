package roads

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// nearSpace is the working space of Near: for every slot, the weights to and
// from each point, one after the other. Slots of rides that are not looked at
// hold anything.
type nearSpace struct {
	to, from []weight
	looked   []bool   // by slot
	rides    []uint32 // that are looked at, in the order of their names
	marks    []mark
	fits     []fit // of all rides that fit, one after the other
	ends     []int // of each such ride in fits
}

// mark is a node that a climb from a point left.
type mark struct {
	node  uint32
	point uint32
	w     weight
}

// maxPoints of one search.
const maxPoints = 256

// Near gives the rides of a time that can take in any of the points with a
// detour of at most budget, in the order of their names. What they cost is
// exact, the same as Legs gives; ways that no such detour uses are left out. A
// point outside the map is Invalid.
func (x *stopIndex) Near(ctx context.Context, points []geo.LonLat, budget time.Duration, during carpool.Window) (carpool.Nearby, error) {
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
	x.look(s, len(points), during)
	f := x.g.ways.borrow()
	defer x.g.ways.giveBack(f)
	if err := ctx.Err(); err != nil {
		return carpool.Nearby{}, err
	}
	x.meet(f, s, spots, budget)
	if err := ctx.Err(); err != nil {
		return carpool.Nearby{}, err
	}
	return x.answer(s, len(points), milliseconds(budget)), nil
}

// look chooses the rides of a time and makes room for them.
func (x *stopIndex) look(s *nearSpace, points int, during carpool.Window) {
	if n := points * len(x.stops); cap(s.to) < n {
		n += n / 4
		s.to, s.from = make([]weight, n), make([]weight, n)
	}
	s.to, s.from = s.to[:cap(s.to)], s.from[:cap(s.from)]
	s.looked = slices.Grow(s.looked[:0], len(x.stops))[:len(x.stops)]
	clear(s.looked)
	s.rides = s.rides[:0]
	from, to := bounds(during)
	for _, number := range x.order {
		if t := &x.times[number]; t.leave > to || t.arrive < from {
			continue
		}
		s.rides = append(s.rides, number)
		r := &x.rides[number]
		for i := range uint32(r.count) {
			s.looked[r.first+i] = true
		}
		a, b := int(r.first)*points, (int(r.first)+r.count)*points
		there, back := s.to[a:b], s.from[a:b]
		for i := range there {
			there[i] = never
		}
		for i := range back {
			back[i] = never
		}
	}
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
			if !s.looked[slot] {
				continue
			}
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
		short := int64(least>>32) - milliseconds(budget)
		buckets[here[0].node].within(budget, short, func(list []entry) {
			if n == 1 {
				s.pourOne(list, points, here[0], into)
				return
			}
			for i := range list {
				e := &list[i]
				if !s.looked[e.slot] {
					continue
				}
				at, w := int(e.slot)*points, e.w()
				row := into[at : at+points]
				for _, m := range here {
					row[m.point] = min(row[m.point], m.w+w)
				}
			}
		})
	}
}

// pourOne is pour for one mark.
func (s *nearSpace) pourOne(list []entry, points int, m mark, into []weight) {
	looked := s.looked
	for i := range list {
		if e := &list[i]; looked[e.slot] { // room is not asked again: guessing wrong costs more than a weight too many
			to := &into[int(e.slot)*points+int(m.point)]
			*to = min(*to, m.w+e.w())
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

// fit is a pair of a ride's stop and a point that is taken in after it.
type fit struct{ stop, point uint32 }

// fits notes the pairs of one ride that are within the budget.
func (x *stopIndex) fits(s *nearSpace, r *ride, points int, most int64) {
	half := 32 // of a weight that is the time
	if x.g.car.metric != Fastest {
		half = 0
	}
	for i := range r.count - 1 {
		slot := int(r.first) + i
		between := x.pairs[slot].between
		if between == shut {
			continue
		}
		room := most + int64(between)
		to, next := s.to[slot*points:(slot+1)*points], s.from[(slot+1)*points:(slot+2)*points]
		for p, w := range to {
			if v := next[p]; w != never && v != never && int64(uint32(w>>half))+int64(uint32(v>>half)) <= room {
				s.fits = append(s.fits, fit{uint32(i), uint32(p)})
			}
		}
	}
}

// answer is what is known of the rides that fit.
func (x *stopIndex) answer(s *nearSpace, points int, most int64) carpool.Nearby {
	kept := s.rides[:0]
	s.fits, s.ends = s.fits[:0], s.ends[:0]
	for _, number := range s.rides {
		r, before := &x.rides[number], len(s.fits)
		if x.fits(s, r, points, most); len(s.fits) > before {
			kept = append(kept, number)
			s.ends = append(s.ends, len(s.fits))
		}
	}
	out := carpool.Nearby{Rides: make([]carpool.NearRide, 0, len(kept))}
	rows := make([][]carpool.Leg, 2*points*len(kept))
	var none [maxStops]carpool.Leg // of all points that do not fit
	var legs []carpool.Leg
	from := 0
	for k, number := range kept {
		r := &x.rides[number]
		near := carpool.NearRide{Ride: r.id, Between: r.between, To: rows[:points:points], From: rows[points : 2*points : 2*points]}
		rows = rows[2*points:]
		for p := range points {
			near.To[p], near.From[p] = none[:r.count:r.count], none[:r.count:r.count]
		}
		for _, f := range s.fits[from:s.ends[k]] {
			to, on := &near.To[f.point], &near.From[f.point]
			if &(*to)[0] == &none[0] {
				if len(legs) < 2*r.count {
					legs = make([]carpool.Leg, 4096)
				}
				*to, *on, legs = legs[:r.count:r.count], legs[r.count:2*r.count:2*r.count], legs[2*r.count:]
			}
			at := int(r.first+f.stop)*points + int(f.point)
			(*to)[f.stop], (*on)[f.stop+1] = x.g.car.metric.leg(s.to[at]), x.g.car.metric.leg(s.from[at+points])
		}
		from = s.ends[k]
		out.Rides = append(out.Rides, near)
	}
	return out
}
