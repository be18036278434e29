package carpool

import "time"

// Keys of the words that say why a ride fits; what stands in brackets are the
// arguments, in order.
const (
	WhySameRoad      = "why.same-road"      // the driver passes there anyway
	WhyDetour        = "why.detour"         // {minutes} that the driver goes out of the way
	WhyDoor          = "why.door"           // in and out at the rider's door
	WhyNoWalk        = "why.no-walk"        // in and out where the rider asked
	WhyWalk          = "why.walk"           // {minutes} on foot, both ends
	WhyOnTime        = "why.on-time"        // at the time that was asked for
	WhyWait          = "why.wait"           // {minutes} of wait before leaving or after arriving
	WhyDriverEarlier = "why.driver-earlier" // {minutes} that the driver leaves earlier
	WhyDriverLater   = "why.driver-later"   // {minutes} that the driver leaves later
	WhyDirect        = "why.direct"         // no stop for others on the way
	WhyRegular       = "why.regular"        // the driver goes again and again
	WhyFullNeeds     = "why.full-needs"     // the car carries all that the rider needs
	WhyLastBus       = "why.last-bus"       // {line} {time} of the last bus, at about the time of the ride
)

// ReasonKeys are all keys that Match.Why can hold; pages have words for each.
var ReasonKeys = []string{WhySameRoad, WhyDetour, WhyDoor, WhyNoWalk, WhyWalk, WhyOnTime, WhyWait,
	WhyDriverEarlier, WhyDriverLater, WhyDirect, WhyRegular, WhyFullNeeds, WhyLastBus}

const (
	sameRoad = time.Minute      // a detour that nobody calls one
	onTime   = 15 * time.Minute // a wait that nobody calls one

	// LastBusNear is how near to the ride the last bus must leave for the ride to
	// say so.
	LastBusNear = 30 * time.Minute
	// busAsGood is how much longer the journey by bus may be and still be as good:
	// it needs no favour and no detour.
	busAsGood = 10 * time.Minute
)

// begunMinutes rounds up.
func begunMinutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// whyMatch says why a ride fits.
func whyMatch(a Ask, in, out End, c Candidate, p Plan) []Reason {
	why := make([]Reason, 0, 8)
	say := func(key string, args ...any) { why = append(why, Reason{key, args}) }
	if p.Detour <= sameRoad {
		say(WhySameRoad)
	} else {
		say(WhyDetour, begunMinutes(p.Detour))
	}
	switch {
	case in.Door && out.Door:
		say(WhyDoor)
	case p.Walk == 0:
		say(WhyNoWalk)
	default:
		say(WhyWalk, begunMinutes(p.Walk))
	}
	if p.Wait <= onTime {
		say(WhyOnTime)
	} else {
		say(WhyWait, begunMinutes(p.Wait))
	}
	if p.Shift < 0 {
		say(WhyDriverEarlier, begunMinutes(-p.Shift))
	} else if p.Shift > 0 {
		say(WhyDriverLater, begunMinutes(p.Shift))
	}
	if p.After[0] == p.After[1] {
		say(WhyDirect)
	}
	if c.Offer.When.Rule != "" {
		say(WhyRegular)
	}
	if a.Needs != (Needs{}) {
		say(WhyFullNeeds)
	}
	return why
}

// lastBus is the bus that a ride might quietly replace: it fits the search, is
// the last of the day, and leaves within LastBusNear of the pick-up. asGood
// says that its journey is no more than ten minutes longer than the rider's
// whole way by car, walks included; then it is shown first.
func lastBus(a Ask, buses []Bus, m Match) (bus *Bus, asGood bool) {
	for i := range buses {
		b := &buses[i]
		early, late := a.offWindow(b)
		if !b.Last || early > 0 || late > 0 || b.Depart.Sub(m.Pickup.Time).Abs() > LastBusNear {
			continue
		}
		good := b.Arrive.Sub(b.Depart) <= m.Pickup.Walk+m.Aboard+m.Drop.Walk+busAsGood
		if bus == nil || good && !asGood {
			bus, asGood = b, good
		}
	}
	return bus, asGood
}
