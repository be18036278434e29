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
}

// Promise is what a rider was told when they got their place, and what may
// not be broken by taking in others.
type Promise struct {
	Booking BookingID
	When    Window           // of their request; the zero value binds nothing
	Walk    [2]time.Duration // to the pick-up, from the drop
	Aboard  time.Duration    // as told; 0: as planned now
}
