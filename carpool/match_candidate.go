package carpool

import "time"

const (
	// DefaultFlex is what the form of an offer proposes.
	DefaultFlex = 10 * time.Minute
	// ExtraAboard is how much longer than promised a rider may be aboard because
	// others are taken in after them.
	ExtraAboard = 5 * time.Minute
)

// Candidate is a ride that a search looks at, with all that is needed to say
// whether it fits.
type Candidate struct {
	Ride   *Ride
	Offer  *Offer
	Rate   int           // asked of each rider, thousandths of a euro per km: Caps.Rate
	Direct time.Duration // the driver's own way without riders; may be 0 while there are none
	Riders []Promise     // of those who have a place already, in any order
	Near   NearRide      // its points in the order of Around.Points

	After, Before time.Time // when the driver's ride before this one ends, and the next begins; zero: none is near
}

// leaves is when a ride leaves its first stop, as planned so far.
func (r *Ride) leaves() time.Time {
	if len(r.Stops) == 0 {
		return r.Depart
	}
	return r.Stops[0].At
}

// ReachOf says which rides of a list Rank can match, or name as a near miss: a
// StopIndex that is asked for rides with such a detour and on their way in such
// a time leaves out none of them.
func ReachOf(a Ask, list []Candidate) (budget time.Duration, during Window) {
	var slack time.Duration
	for i := range list {
		c := &list[i]
		moves := max(c.Offer.Flex, 0)
		if !c.Ride.Depart.IsZero() {
			moves += c.Ride.Depart.Sub(c.Ride.leaves()).Abs()
		}
		slack, budget = max(slack, moves), max(budget, c.Offer.MaxDetour)
	}
	slack += NearTime + a.MaxWalk + NearWalk
	budget += NearDetour
	return budget, Window{From: a.When.From.Add(-slack - budget), To: a.When.To.Add(slack)}
}

// Promise is what a rider was told when they got their place, and what may
// not be broken by taking in others.
type Promise struct {
	Booking BookingID
	When    Window           // of their request; the zero value binds nothing
	Walk    [2]time.Duration // to the pick-up, from the drop
	Aboard  time.Duration    // as told; 0: as planned now
}
