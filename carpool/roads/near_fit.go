package roads

import "github.com/crinale/crinale/carpool"

// fit is a pair of a ride's stop and a point that is passed by after it, with
// the milliseconds that it costs.
type fit struct {
	stop, point uint32
	more        int64
}

// fits adds to out the pairs of one ride and a group whose first point has a
// number, of those that are within the budget.
func (x *stopIndex) fits(out []fit, r *ride, g *group, number uint32, most int64) []fit {
	points, half := len(g.spots), x.g.car.metric.timeShift()
	for i := range r.count - 1 {
		slot := int(r.first) + i
		if !g.reached[slot+1] {
			continue
		}
		between := x.pairs[slot].between
		to, next := g.to[slot*points:(slot+1)*points], g.from[(slot+1)*points:(slot+2)*points]
		for p, w := range to {
			if v := next[p]; w != never && v != never {
				if more := int64(uint32(w>>half)) + int64(uint32(v>>half)) - int64(between); more <= most {
					out = append(out, fit{uint32(i), number + uint32(p), more})
				}
			}
		}
	}
	return out
}

// joined says whether a ride can pass by one of its fits at the first end and
// after that, or between the same two stops, by one at the second.
func joined(from, to []fit, most int64) bool {
	for _, b := range to {
		for _, a := range from {
			if a.stop == b.stop || a.stop < b.stop && a.more+b.more <= most {
				return true
			}
		}
	}
	return false
}

// answer is what is known of the rides that fit.
func (x *stopIndex) answer(s *nearSpace, most int64) carpool.Nearby {
	kept := s.rides[:0]
	s.fits, s.ends = s.fits[:0], s.ends[:0]
	for _, number := range s.rides {
		r, before := &x.rides[number], len(s.fits)
		s.fits = x.fits(s.fits, r, &s.from, 0, most)
		half := len(s.fits)
		s.fits = x.fits(s.fits, r, &s.to, uint32(len(s.from.spots)), most)
		if !joined(s.fits[before:half], s.fits[half:], most) {
			s.fits = s.fits[:before]
			continue
		}
		kept = append(kept, number)
		s.ends = append(s.ends, len(s.fits))
	}
	points := len(s.from.spots) + len(s.to.spots)
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
					legs = make([]carpool.Leg, max(2*r.count, 256))
				}
				*to, *on, legs = legs[:r.count:r.count], legs[r.count:2*r.count:2*r.count], legs[2*r.count:]
			}
			(*to)[f.stop], (*on)[f.stop+1] = x.waysOf(s, r, f)
		}
		from = s.ends[k]
		out.Rides = append(out.Rides, near)
	}
	return out
}

// waysOf are those of a fit: to the point, and from it to the next stop.
func (x *stopIndex) waysOf(s *nearSpace, r *ride, f fit) (to, on carpool.Leg) {
	g, p := &s.from, int(f.point)
	if p >= len(g.spots) {
		g, p = &s.to, p-len(g.spots)
	}
	at := int(r.first+f.stop)*len(g.spots) + p
	return x.g.car.metric.leg(g.to[at]), x.g.car.metric.leg(g.from[at+len(g.spots)])
}
