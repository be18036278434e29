package carpool_test

import (
	"time"

	"github.com/crinale/crinale/carpool"
)

// outcome is one way of taking somebody in, carried out stop by stop.
type outcome struct {
	at                        []time.Time
	pickup, drop              time.Time
	detour, delay, wait, walk time.Duration
	cost                      time.Duration
}

// bruteForce tries every pick-up, drop, place and minute of departure.
func bruteForce(s scene) (best outcome, found bool) {
	stops := len(s.c.Ride.Stops)
	for p := range s.around.Pickups {
		for q := range s.around.Drops {
			for i := range stops - 1 {
				for j := i; j < stops-1; j++ {
					for shift := -30; shift <= 30; shift++ {
						if o, ok := walkThrough(s, p, q, i, j, shift); ok && (!found || o.cost < best.cost) {
							best, found = o, true
						}
					}
				}
			}
		}
	}
	return best, found
}

// halt is a stop of the ride as it would be: an old one, or the new pick-up or
// drop (-1, -2).
type halt struct{ old int }

// wayBetween two halts, by the table that has it.
func (s scene) wayBetween(a, b halt, p, q int) carpool.Leg {
	np := len(s.around.Pickups)
	switch {
	case a.old >= 0 && b.old >= 0:
		return s.c.Near.Between[a.old]
	case a.old >= 0 && b.old == -1:
		return s.c.Near.To[p][a.old]
	case a.old >= 0:
		return s.c.Near.To[np+q][a.old]
	case a.old == -1 && b.old == -2:
		return s.around.Legs[p][q]
	case a.old == -1:
		return s.c.Near.From[p][b.old]
	default:
		return s.c.Near.From[np+q][b.old]
	}
}

// walkThrough carries one way out and judges it by the rules as they are told
// to people.
func walkThrough(s scene, p, q, i, j, shift int) (o outcome, ok bool) {
	ride, offer := s.c.Ride, s.c.Offer
	in, out := s.around.Pickups[p], s.around.Drops[q]
	if (in.Door || out.Door) && !offer.DoorToDoor || in.At == out.At {
		return o, false
	}
	var halts []halt
	for k := range ride.Stops {
		halts = append(halts, halt{k})
		if k == i {
			halts = append(halts, halt{-1})
		}
		if k == j {
			halts = append(halts, halt{-2})
		}
	}
	move := time.Duration(shift) * time.Minute
	at := ride.Stops[0].At.Add(move)
	if at.Before(s.now) || ride.Stops[0].At.Before(s.now) || !withinFlex(s, at) {
		return o, false
	}
	newAt := map[int]time.Time{}
	aboard, room := 0, true
	var whole time.Duration
	for k, h := range halts {
		if k > 0 {
			leg := s.wayBetween(halts[k-1], h, p, q)
			if !leg.OK {
				return o, false
			}
			at, whole = at.Add(leg.Time), whole+leg.Time
		}
		o.at, newAt[h.old] = append(o.at, at), at
		switch {
		case h.old == -1:
			aboard += s.ask.Seats
		case h.old == -2:
			aboard -= s.ask.Seats
		case ride.Stops[h.old].Kind == carpool.StopPickup:
			aboard += ride.Stops[h.old].Seats
		case ride.Stops[h.old].Kind == carpool.StopDrop:
			aboard -= ride.Stops[h.old].Seats
		}
		// Only sections with the new rider on them are new to the car.
		if _, joined := newAt[-1]; joined && k < len(halts)-1 {
			if _, left := newAt[-2]; !left {
				room = room && aboard <= ride.Seats
			}
		}
	}
	var before time.Duration
	for _, b := range s.c.Near.Between {
		before += b.Time
	}
	o.pickup, o.drop = newAt[-1], newAt[-2]
	o.detour, o.walk = max(whole-before, 0), in.Walk.Time+out.Walk.Time
	direct := before
	if len(ride.Stops) > 2 {
		direct = s.c.Direct
	}
	if at.After(s.c.Before) && !s.c.Before.IsZero() || o.at[0].Before(s.c.After) {
		return o, false // on another ride by then
	}
	if !room || before+o.detour-direct > offer.MaxDetour || in.Walk.Time > s.ask.MaxWalk || out.Walk.Time > s.ask.MaxWalk {
		return o, false
	}
	leave, arrive := o.pickup.Add(-in.Walk.Time), o.drop.Add(out.Walk.Time)
	if leave.Before(s.now) {
		return o, false
	}
	bound := leave
	o.wait = leave.Sub(s.ask.When.From)
	if s.ask.When.Arrive {
		bound, o.wait = arrive, s.ask.When.To.Sub(arrive)
	}
	if bound.Before(s.ask.When.From) || bound.After(s.ask.When.To) {
		return o, false
	}
	for _, r := range s.c.Riders {
		more, kept := keepsPromise(s, r, newAt)
		if !kept {
			return o, false
		}
		o.delay += more
	}
	o.cost = o.detour + o.delay + move.Abs() + 2*o.walk + o.wait/2
	return o, true
}

// withinFlex says whether the driver may leave then: within Flex of what they
// offered, or no further off than they agreed to already.
func withinFlex(s scene, at time.Time) bool {
	planned, offered := s.c.Ride.Stops[0].At, s.c.Ride.Depart
	if at.Before(planned) {
		return !at.Before(offered.Add(-s.c.Offer.Flex))
	}
	return !at.After(planned) || !at.After(offered.Add(s.c.Offer.Flex))
}

// keepsPromise judges what becomes of a rider who has a place already.
func keepsPromise(s scene, r carpool.Promise, newAt map[int]time.Time) (more time.Duration, kept bool) {
	in, out := -1, -1
	for k, stop := range s.c.Ride.Stops {
		if stop.Booking == r.Booking && stop.Kind == carpool.StopPickup {
			in = k
		}
		if stop.Booking == r.Booking && stop.Kind == carpool.StopDrop {
			out = k
		}
	}
	old := s.c.Ride.Stops[out].At.Sub(s.c.Ride.Stops[in].At)
	now := newAt[out].Sub(newAt[in])
	told := r.Aboard
	if told == 0 {
		told = old
	}
	if now > max(told+carpool.ExtraAboard, old) {
		return 0, false
	}
	early := 15 * time.Minute // when there are three hours left to hear of it
	if left := s.c.Ride.Stops[in].At.Add(-r.Walk[0]).Sub(s.now) - 3*time.Hour; left < early {
		early = max(left, 0)
	}
	if newAt[in].Before(s.c.Ride.Stops[in].At.Add(-early)) {
		return 0, false
	}
	if r.When != (carpool.Window{}) {
		was, is := s.c.Ride.Stops[in].At.Add(-r.Walk[0]), newAt[in].Add(-r.Walk[0])
		if r.When.Arrive {
			was, is = s.c.Ride.Stops[out].At.Add(r.Walk[1]), newAt[out].Add(r.Walk[1])
		}
		if is.Before(r.When.From) && is.Before(was) || is.After(r.When.To) && is.After(was) {
			return 0, false
		}
	}
	return max(now-old, 0), true
}
