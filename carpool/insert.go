package carpool

import (
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// Plan is how a rider is taken into a ride: where and when they get in and
// out, and what it costs everybody.
type Plan struct {
	Pickup, Drop     int    // of Around.Pickups and Around.Drops
	After            [2]int // stops of the ride after which the two stand
	PickupAt, DropAt time.Time
	Shift            time.Duration // of the departure planned so far; below 0 it is earlier
	Detour           time.Duration // of the driver, added by this rider
	Aboard           time.Duration
	Metres           unit.Metres   // aboard
	Walk             time.Duration // to the pick-up and from the drop
	Wait             time.Duration // see Insert
	Delay            time.Duration // more time aboard for the riders promised before, summed
	Cost             time.Duration // see Insert
}

// Insert finds the best way to take a rider into a ride, over all pick-ups and
// drops, all places between the stops of the ride, and all departures that the
// driver's Flex allows. It is exact. false: there is none.
//
// What must hold: there are seats on every section that the rider is aboard;
// the whole detour of the ride stays within the driver's MaxDetour; no rider
// with a promise is aboard for longer than promised by more than ExtraAboard,
// nor leaves or arrives outside their window, nor is picked up earlier than
// planned, but by a quarter of an hour when they hear of it hours before; the
// rider's own window and MaxWalk; nobody leaves before now, and a ride that
// should have left has; the driver's ride before has ended, and the next has
// not begun. The driver does not wait anywhere: when one stop moves, all after
// it do.
//
// What is least: Cost = Detour + Delay + |Shift| + 2·Walk + ½·Wait, in minutes
// of people's time. A minute on foot counts double, one waited at home or at
// the destination half; Wait is the time between the beginning of the window
// and leaving, or between arriving and the end of the window where it bounds
// the arrival. These weights are a choice of this service, to be changed in
// planCost. As a shift costs more than the wait it may save, the departure moves
// only when it must, and as little as it can.
func Insert(a Ask, around Around, c Candidate, now time.Time) (Plan, bool) {
	l := newLayout(&a, &around, now)
	if !l.lay(&c) || !l.search() {
		return Plan{}, false
	}
	return l.plan(), true
}

// planCost is what ranks plans and matches.
func planCost(detour, delay, shift, walk, wait time.Duration) time.Duration {
	return detour + delay + shift.Abs() + 2*walk + wait/2
}

// combo is one way to take somebody in: a pick-up p after stop i and a drop q
// after stop j.
type combo struct {
	p, q, i, j int
	// offP and offQ are the times from the departure to the pick-up and the drop.
	offP, offQ time.Duration
	// d1 delays what is after stop i, d2 what is after stop j on top of it.
	d1, d2 time.Duration

	detour, shift, walk, wait, delay, cost time.Duration
}

// later is how much later a stop is for the insertion.
func (m *combo) later(stop int) (d time.Duration) {
	if stop > m.i {
		d = m.d1
	}
	if stop > m.j {
		d += m.d2
	}
	return d
}

// search tries every combination on the ride laid out last, and says whether
// one fits. If none does, miss is the one that nearly did. What is dropped
// before try sees it could neither be better nor nearly fit.
func (l *layout) search() bool {
	near, last := &l.c.Near, len(l.c.Near.Between)
	nq := len(l.around.Drops)
	var m combo
	for p := range l.around.Pickups {
		if l.around.Pickups[p].Door && !l.c.Offer.DoorToDoor {
			continue
		}
		to, from, legs := near.To[p], near.From[p], l.around.Legs[p]
		walkP := l.around.Pickups[p].Walk.Time
		for i := range last {
			if !to[i].OK || !l.a.When.Arrive && !l.nearWindow(l.pre[i]+to[i].Time-walkP) {
				continue
			}
			m.p, m.i, m.offP = p, i, l.pre[i]+to[i].Time
			in := to[i].Time - near.Between[i].Time
			for q := range nq {
				most, ok := l.most(p, q)
				if !ok {
					continue
				}
				m.q = q
				if d := in + legs[q].Time + l.out[q*last+i]; legs[q].OK && d <= most {
					m.j, m.offQ, m.d1, m.d2 = i, m.offP+legs[q].Time, d, 0
					l.try(&m)
				}
				if d1 := in + from[i+1].Time; from[i+1].OK && d1+l.least <= most {
					toQ := near.To[len(l.around.Pickups)+q]
					for j := i + 1; j < last; j++ {
						if d2 := l.by[q*last+j]; d1+d2 <= most {
							m.j, m.offQ, m.d1, m.d2 = j, l.pre[j]+d1+toQ[j].Time, d1, d2
							l.try(&m)
						}
					}
				}
			}
		}
	}
	return l.found
}

// most is the longest detour that still matters between two ends; false where
// none does.
func (l *layout) most(p, q int) (time.Duration, bool) {
	in, out := &l.around.Pickups[p], &l.around.Drops[q]
	if out.Door && !l.c.Offer.DoorToDoor || in.At == out.At {
		return 0, false
	}
	if !l.found {
		most := l.budget + min(NearDetour, l.reach)
		return most, most >= 0
	}
	most := min(l.budget, l.best.cost-2*(in.Walk.Time+out.Walk.Time)-1)
	return most, most >= 0
}

// nearWindow says whether a moment, with the departure as planned, may be
// brought so near the window that it matters.
func (l *layout) nearWindow(at time.Duration) bool {
	return at+l.hi >= l.from-l.reach && at+l.lo <= l.till+l.reach
}

// try keeps a combination if it is the best so far, or the nearest miss.
func (l *layout) try(m *combo) {
	walkP, walkQ := l.around.Pickups[m.p].Walk.Time, l.around.Drops[m.q].Walk.Time
	m.detour, m.walk, m.delay = max(m.d1+m.d2, 0), walkP+walkQ, 0
	var wrong faults
	if l.needs {
		wrong.add(cannotCarry)
	}
	wrong.over(tooFarAround, m.detour-l.budget)
	wrong.over(tooFarOnFoot, max(walkP, walkQ)-l.a.MaxWalk)
	if m.j > l.room[m.i] {
		wrong.add(tooFull)
	}
	if wrong.n > 1 || l.found && wrong.n > 0 {
		return
	}
	// at is the moment that the window bounds, with the departure as planned.
	at := m.offP - walkP
	if l.a.When.Arrive {
		at = m.offQ + walkQ
	}
	if !l.nearWindow(at) {
		return
	}
	lo, hi := max(l.lo, l.now+walkP-m.offP), min(l.hi, l.next-l.pre[len(l.pre)-1]-m.d1-m.d2)
	for k := range l.held {
		h := &l.held[k]
		if late := m.later(h.out) - m.later(h.in); late > h.slack {
			return
		} else if late > 0 {
			m.delay += late
		}
		moved := m.later(h.bound)
		lo, hi = max(lo, h.lo-moved, h.early-m.later(h.in)), min(hi, h.hi-moved)
	}
	if lo > hi {
		return
	}
	wrong.over(tooLate, lo+at-l.till)
	wrong.over(tooEarly, l.from-at-hi)
	if wrong.n > 0 {
		if wrong.n == 1 && !l.found && wrong.near() && (!l.missed || wrong.compare(l.miss) < 0) {
			l.miss, l.missed = wrong, true
		}
		return
	}
	m.shift = min(max(0, lo, l.from-at), hi, l.till-at)
	m.wait = at + m.shift - l.from
	if l.a.When.Arrive {
		m.wait = l.till - at - m.shift
	}
	m.cost = planCost(m.detour, m.delay, m.shift, m.walk, m.wait)
	if !l.found || m.cost < l.best.cost {
		l.best, l.found = *m, true
	}
}

// plan is the best combination as a Plan.
func (l *layout) plan() Plan {
	m := &l.best
	return Plan{Pickup: m.p, Drop: m.q, After: [2]int{m.i, m.j},
		PickupAt: l.start.Add(m.shift + m.offP), DropAt: l.start.Add(m.shift + m.offQ),
		Shift: m.shift, Detour: m.detour, Aboard: m.offQ - m.offP, Metres: l.metres(m),
		Walk: m.walk, Wait: m.wait, Delay: m.delay, Cost: m.cost}
}

// metres that the rider is aboard.
func (l *layout) metres(m *combo) unit.Metres {
	if m.i == m.j {
		return l.around.Legs[m.p][m.q].Metres
	}
	near := &l.c.Near
	way := near.From[m.p][m.i+1].Metres + near.To[len(l.around.Pickups)+m.q][m.j].Metres
	for s := m.i + 1; s < m.j; s++ {
		way += near.Between[s].Metres
	}
	return way
}
