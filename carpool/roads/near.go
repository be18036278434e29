package roads

import (
	"context"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// nearSpace is the working space of Near.
type nearSpace struct {
	left     []bool   // by slot: of rides that are looked at
	rides    []uint32 // that are looked at, in the order of their names
	from, to group
	marks    []mark
	fits     []fit // of all rides that fit, one after the other
	ends     []int // of each such ride in fits
}

// group are the points at one end of a search: for every slot, the weights to
// and from each of them, one after the other. Slots of rides that are not looked
// at hold anything.
type group struct {
	spots    []spot
	to, from []weight
	reached  []bool // by slot: stops to which a ride may go on from a point
}

// mark is a node that a climb from a point left.
type mark struct {
	node  uint32
	point uint32
	w     weight
}

// maxPoints of one search.
const maxPoints = 256

// tooMany refuses a search of too many points.
func tooMany(points int) error {
	if points > maxPoints {
		return fault.New(fault.Invalid, "roads: a search of %d points: %d at most", points, maxPoints)
	}
	return nil
}

// Near gives the rides of a time that can pass by one of from and then by one
// of to, with detours of at most budget, as StopIndex says, in the order of
// their names. What they cost is exact, the same as Legs gives; ways that no
// such detour uses are left out. A point outside the map is Invalid.
//
// The rides that cannot pass by from are not looked at for to: few are left.
func (x *stopIndex) Near(ctx context.Context, from, to []geo.LonLat, budget time.Duration, during carpool.Window) (carpool.Nearby, error) {
	if err := tooMany(len(from) + len(to)); err != nil {
		return carpool.Nearby{}, err
	}
	starts, err := x.g.spots(ctx, "from", from)
	if err != nil {
		return carpool.Nearby{}, err
	}
	ends, err := x.g.spots(ctx, "to", to)
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
	s.from.spots, s.to.spots = starts, ends
	f := x.g.ways.borrow()
	defer x.g.ways.giveBack(f)
	x.look(s, during)
	for _, g := range []*group{&s.from, &s.to} {
		if err := ctx.Err(); err != nil {
			return carpool.Nearby{}, err
		}
		x.meet(f, s, g, budget)
		x.narrow(s, g, milliseconds(budget))
	}
	return x.answer(s, milliseconds(budget)), nil
}

// look chooses the rides of a time.
func (x *stopIndex) look(s *nearSpace, during carpool.Window) {
	s.left = slices.Grow(s.left[:0], len(x.stops))[:len(x.stops)]
	clear(s.left)
	s.rides = s.rides[:0]
	from, to := bounds(during)
	for _, number := range x.order {
		if t := &x.times[number]; t.leave > to || t.arrive < from {
			continue
		}
		s.rides = append(s.rides, number)
		r := &x.rides[number]
		for i := range uint32(r.count) {
			s.left[r.first+i] = true
		}
	}
}

// narrow looks no more at the rides that can pass by no point of a group.
func (x *stopIndex) narrow(s *nearSpace, g *group, most int64) {
	kept := s.rides[:0]
	for _, number := range s.rides {
		r := &x.rides[number]
		if s.fits = x.fits(s.fits[:0], r, g, 0, most); len(s.fits) > 0 {
			kept = append(kept, number)
			continue
		}
		for i := range uint32(r.count) {
			s.left[r.first+i] = false
		}
	}
	s.rides = kept
}

// room makes room in a group for the rides that are looked at.
func (x *stopIndex) room(s *nearSpace, g *group) {
	points := len(g.spots)
	if n := points * len(x.stops); cap(g.to) < n {
		n += n / 4
		g.to, g.from = make([]weight, n), make([]weight, n)
	}
	g.to, g.from = g.to[:cap(g.to)], g.from[:cap(g.from)]
	for _, number := range s.rides {
		r := &x.rides[number]
		a, b := int(r.first)*points, (int(r.first)+r.count)*points
		there, back := g.to[a:b], g.from[a:b]
		for i := range there {
			there[i] = never
		}
		for i := range back {
			back[i] = never
		}
	}
}

// meet fills the weights between the places of a group and every stop that a
// detour within the budget can use; others may be missing or too large. Places
// near each other climb by the same nodes: each bucket is gone through once for
// all.
func (x *stopIndex) meet(f *finder, s *nearSpace, g *group, budget time.Duration) {
	x.room(s, g)
	ways, spots := x.g.ways, g.spots
	s.marks = s.marks[:0]
	for p := range spots {
		f.back.climb(&ways.down, &ways.up, spots[p].in.list())
		s.note(p, f.back.labels)
	}
	s.pour(x.from, s.left, budget, len(spots), g.to)
	for p := range spots {
		for _, slot := range x.bySeg[spots[p].seg] {
			if s.left[slot] {
				to := &g.to[int(slot)*len(spots)+p]
				*to = min(*to, x.g.car.along(&x.stops[slot].spot, &spots[p]))
			}
		}
	}
	x.goOn(s, g, milliseconds(budget))
	s.marks = s.marks[:0]
	for p := range spots {
		f.fore.climb(&ways.up, &ways.down, spots[p].out.list())
		s.note(p, f.fore.labels)
	}
	s.pour(x.to, g.reached, budget, len(spots), g.from)
	for p := range spots {
		for _, slot := range x.bySeg[spots[p].seg] {
			if g.reached[slot] {
				from := &g.from[int(slot)*len(spots)+p]
				*from = min(*from, x.g.car.along(&spots[p], &x.stops[slot].spot))
			}
		}
	}
}

// goOn chooses the stops to which a ride may go on from a point of a group:
// those before which some point is near enough to the stop before.
func (x *stopIndex) goOn(s *nearSpace, g *group, most int64) {
	g.reached = slices.Grow(g.reached[:0], len(x.stops))[:len(x.stops)]
	clear(g.reached)
	points, half := len(g.spots), x.g.car.metric.timeShift()
	for _, number := range s.rides {
		r := &x.rides[number]
		for slot := r.first; slot+1 < r.first+uint32(r.count); slot++ {
			between := x.pairs[slot].between
			if between == shut {
				continue
			}
			for _, w := range g.to[int(slot)*points : int(slot+1)*points] {
				if w != never && int64(uint32(w>>half)) <= most+int64(between) {
					g.reached[slot+1] = true
					break
				}
			}
		}
	}
}

func (s *nearSpace) note(p int, labels []reach) {
	for _, l := range labels {
		s.marks = append(s.marks, mark{l.node, uint32(p), l.w})
	}
}

// pour relaxes the weights of the chosen stops in the buckets of the marked
// nodes.
func (s *nearSpace) pour(buckets []bucket, chosen []bool, budget time.Duration, points int, into []weight) {
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
				pourOne(list, chosen, points, here[0], into)
				return
			}
			for i := range list {
				e := &list[i]
				if !chosen[e.slot] || int64(e.room) < short {
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
func pourOne(list []entry, chosen []bool, points int, m mark, into []weight) {
	for i := range list {
		if e := &list[i]; chosen[e.slot] { // room is not asked again: guessing wrong costs more than a weight too many
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
