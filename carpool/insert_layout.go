package carpool

import "time"

// layout is one ride laid out so that taking somebody in can be tried many
// times over. It is used again for the next ride, so that a search does not
// allocate for each.
//
// Times are counted from start, the departure as planned so far.
type layout struct {
	a      *Ask
	around *Around
	at     time.Time // now

	c          *Candidate
	start      time.Time
	pre        []time.Duration // to each stop
	load       []int           // seats taken after each stop
	room       []int           // for each stop, the last one up to which there are seats all along
	by         []time.Duration // for each drop and section, what going by it costs
	out        []time.Duration // for each drop and section, the way from it to the end of the section
	least      time.Duration   // the least of by
	held       []heldRider
	budget     time.Duration // what is left of the driver's MaxDetour
	lo, hi     time.Duration // of a shift of the departure
	next       time.Duration // when the driver's next ride begins
	now        time.Duration
	from, till time.Duration // the window of the search
	needs      bool          // the car lacks what the rider needs

	reach  time.Duration // how far a miss may be from a match to be worth finding
	best   combo
	found  bool
	miss   faults
	missed bool
}

// heldRider is a rider with a promise.
type heldRider struct {
	in, out, bound int           // stops: in, out, and the one whose time the window bounds
	slack          time.Duration // more time aboard that they bear
	lo, hi         time.Duration // by which the bound stop may move
	early          time.Duration // by which the pick-up may move at the least: 0, or so much earlier
}

// moveNotice is how long before they must leave somebody can still be told to
// come earlier.
const moveNotice = 3 * time.Hour

// ever is longer than any ride lies ahead, and short enough to be added to.
const ever time.Duration = 10 * 365 * 24 * time.Hour

func newLayout(a *Ask, around *Around, now time.Time) *layout {
	return &layout{a: a, around: around, at: now, reach: NearTime}
}

// gapWithin is the time between two moments, within bounds that can be added to.
func gapWithin(from, to time.Time) time.Duration { return min(max(to.Sub(from), -ever), ever) }

// lay lays a ride out. false: it takes nobody in, whoever asks, or what is
// known of it does not fit together.
func (l *layout) lay(c *Candidate) bool {
	l.c, l.found, l.missed = c, false, false
	l.pre, l.load, l.held = l.pre[:0], l.load[:0], l.held[:0]
	if !l.open() || !l.clocks() || !l.known() {
		return false
	}
	var t time.Duration
	load := 0
	for i := range c.Ride.Stops {
		switch s := &c.Ride.Stops[i]; s.Kind {
		case StopPickup:
			load += s.Seats
		case StopDrop:
			load -= s.Seats
		}
		l.pre, l.load = append(l.pre, t), append(l.load, load)
		if i < len(c.Near.Between) {
			t += c.Near.Between[i].Time
		}
	}
	for i := range c.Ride.Stops {
		if c.Ride.Stops[i].Kind == StopPickup && !l.hold(i) {
			return false
		}
	}
	l.budget = c.Offer.MaxDetour
	if len(l.held) > 0 {
		if c.Direct <= 0 {
			return false
		}
		l.budget -= max(t-c.Direct, 0)
	}
	l.needs = !l.a.Needs.Met(c.Offer.Carries)
	l.roomOf()
	l.ways()
	return true
}

// open says whether a ride takes anybody in at all.
func (l *layout) open() bool {
	c := l.c
	if c.Ride == nil || c.Offer == nil || l.a.Seats < 1 || l.a.When.To.Before(l.a.When.From) {
		return false
	}
	r := c.Ride
	return r.State == RideOpen && r.Risk == "" && (l.a.For == "" || l.a.For != r.Driver) &&
		len(r.Stops) >= 2 && len(c.Near.Between) == len(r.Stops)-1
}

// clocks sets all that is counted from the departure. false: the ride has
// left, or it cannot come near the window at all. Most rides of a day cannot,
// and are looked at no further.
func (l *layout) clocks() bool {
	r, flex := l.c.Ride, l.c.Offer.Flex
	l.start = r.Stops[0].At
	if l.now = gapWithin(l.start, l.at); l.now > 0 {
		return false
	}
	planned := time.Duration(0)
	if !r.Depart.IsZero() {
		planned = gapWithin(l.start, r.Depart)
	}
	l.lo, l.hi = max(min(planned-flex, 0), l.now), max(planned+flex, 0)
	if l.next = ever; !l.c.Before.IsZero() {
		l.next = gapWithin(l.start, l.c.Before)
	}
	if !l.c.After.IsZero() {
		l.lo = max(l.lo, gapWithin(l.start, l.c.After))
	}
	l.from, l.till = gapWithin(l.start, l.a.When.From), gapWithin(l.start, l.a.When.To)
	walk := l.a.MaxWalk + NearWalk
	if l.lo-walk > l.till+l.reach {
		return false
	}
	last := l.hi + max(l.c.Offer.MaxDetour, 0) + NearDetour + walk
	for _, b := range l.c.Near.Between {
		if !b.OK {
			return false
		}
		last += b.Time
	}
	return last >= l.from-l.reach
}

// known says whether the legs are those of the stops and of the points of the
// search.
func (l *layout) known() bool {
	c, n := l.c, len(l.c.Ride.Stops)
	points := len(l.around.Pickups) + len(l.around.Drops)
	if len(c.Near.To) != points || len(c.Near.From) != points || len(l.around.Legs) != len(l.around.Pickups) {
		return false
	}
	for p := range points {
		if len(c.Near.To[p]) != n || len(c.Near.From[p]) != n {
			return false
		}
	}
	for _, row := range l.around.Legs {
		if len(row) != len(l.around.Drops) {
			return false
		}
	}
	return true
}

// roomOf finds how far there are seats from each stop on.
func (l *layout) roomOf() {
	n := len(l.load)
	l.room = append(l.room[:0], l.load...)
	for i := n - 1; i >= 0; i-- {
		switch {
		case l.load[i]+l.a.Seats > l.c.Ride.Seats:
			l.room[i] = i - 1
		case i == n-1:
			l.room[i] = i
		default:
			l.room[i] = l.room[i+1]
		}
	}
}

// ways lays out what each drop costs on each section; ever where there is no
// way.
func (l *layout) ways() {
	near, last := &l.c.Near, len(l.c.Near.Between)
	l.by, l.out, l.least = l.by[:0], l.out[:0], ever
	for q := range l.around.Drops {
		to, from := near.To[len(l.around.Pickups)+q], near.From[len(l.around.Pickups)+q]
		for j := range last {
			by, out := ever, ever
			if from[j+1].OK {
				out = from[j+1].Time
				if to[j].OK {
					by = to[j].Time + out - near.Between[j].Time
				}
			}
			l.by, l.out, l.least = append(l.by, by), append(l.out, out), min(l.least, by)
		}
	}
}

// hold notes the promise to the rider who gets in at a stop.
func (l *layout) hold(in int) bool {
	r, id := l.c.Ride, l.c.Ride.Stops[in].Booking
	out := in + 1
	for out < len(r.Stops) && (r.Stops[out].Kind != StopDrop || r.Stops[out].Booking != id) {
		out++
	}
	if out == len(r.Stops) {
		return false
	}
	h := heldRider{in: in, out: out, bound: in, slack: ExtraAboard, lo: -ever, hi: ever}
	walk := time.Duration(0)
	for i := range l.c.Riders {
		p := &l.c.Riders[i]
		if p.Booking != id {
			continue
		}
		if aboard := l.pre[out] - l.pre[in]; p.Aboard > 0 {
			h.slack = max(p.Aboard+ExtraAboard-aboard, 0)
		}
		walk = p.Walk[0]
		if p.When.From.IsZero() && p.When.To.IsZero() {
			break
		}
		at := l.pre[in] - p.Walk[0]
		if p.When.Arrive {
			h.bound, at = out, l.pre[out]+p.Walk[1]
		}
		// What is already outside its window need not come back, only not go further.
		h.lo, h.hi = min(gapWithin(l.start, p.When.From)-at, 0), max(gapWithin(l.start, p.When.To)-at, 0)
		break
	}
	h.early = min(max(l.now+moveNotice+walk-l.pre[in], -timeMoved), 0)
	l.held = append(l.held, h)
	return true
}
