package carpool

import (
	"cmp"
	"slices"
	"time"
)

// MostMatches that a search gives.
const MostMatches = 20

// Rank finds which rides fit a search and which nearly do, the best first. For
// each ride it takes the way of taking the rider in that Insert finds, and
// ranks by its Cost: the driver's detour, the rider's walk (with what climbs
// cost, as Leg says), how long they wait before or after, how much the others
// are delayed, how far the driver's departure moves, weighted as Insert says.
// Equal ones stand in the order of their pick-up, then of their names, so that
// the same question always has the same answer. Nothing of the rider comes in
// but the middle of their cell, so the answer is the same in the whole cell.
//
// Rides that are not open, at risk, gone already, or the asker's own are left
// out without a word. At most MostMatches come back, and MostMisses beside the
// buses.
func Rank(a Ask, around Around, candidates []Candidate, now time.Time) (matches []Match, missed []Miss) {
	type scored struct {
		of   int
		plan Plan
	}
	l := newLayout(&a, &around, now)
	fit, nearly := make([]scored, 0, 64), nearest{}
	for i := range candidates {
		if !l.lay(&candidates[i]) {
			continue
		}
		if l.search() {
			fit = append(fit, scored{i, l.plan()})
		} else if l.missed {
			l.reach = nearly.add(rideMiss{candidates[i].Ride.ID, l.miss})
		}
	}
	slices.SortFunc(fit, func(x, y scored) int {
		return cmp.Or(cmp.Compare(x.plan.Cost, y.plan.Cost), x.plan.PickupAt.Compare(y.plan.PickupAt),
			cmp.Compare(candidates[x.of].Ride.ID, candidates[y.of].Ride.ID))
	})
	fit = fit[:min(len(fit), MostMatches)]
	matches = make([]Match, len(fit))
	for i, s := range fit {
		matches[i] = matchOf(a, around, candidates[s.of], s.plan)
	}
	return matches, missesOf(&a, nearly, around.Buses)
}

// matchOf is a plan as a search answers it.
func matchOf(a Ask, around Around, c Candidate, p Plan) Match {
	in, out := around.Pickups[p.Pickup], around.Drops[p.Drop]
	m := Match{
		Ride:   c.Ride.ID,
		Pickup: MatchStop{Place: in.Place, Name: in.Name, At: in.At, Time: p.PickupAt, Walk: in.Walk.Time},
		Drop:   MatchStop{Place: out.Place, Name: out.Name, At: out.At, Time: p.DropAt, Walk: out.Walk.Time},
		Detour: p.Detour, Aboard: p.Aboard, Way: float64(p.Metres),
		Cents: a.Seats * Cents(max(c.Rate, 0), p.Metres), After: p.After, Score: p.Cost,
	}
	m.Why = whyMatch(a, in, out, c, p)
	if bus, asGood := lastBus(a, around.Buses, m); bus != nil {
		m.LastBus, m.BusFirst = true, asGood
		m.Why = append(m.Why, Reason{WhyLastBus, []any{bus.Line, bus.Depart}})
	}
	return m
}
