package carpool

import (
	"cmp"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// TakenRide is what is known of one ride that took place, or was to, when
// patterns of disguised taxis are looked for.
type TakenRide struct {
	Ride      RideID
	Driver    MemberID
	Phone     string // of the driver, or any key that is equal for equal phones; "" is not known
	Vehicle   VehicleID
	Plate     string // "" is not known
	Seats     int    // for passengers, as offered
	MostSeats int    // of the class of vehicle, beside the driver; 0 is not known
	Carried   int    // most passengers aboard at once, with those of the driver
	From, To  Cell
	Depart    time.Time
	Arrive    time.Time
	Regular   bool // of a recurring offer
	Dropped   bool // cancelled by the driver
	Riders    []TakenRider
}

// TakenRider is one rider of a ride: the booking's, not their companions.
type TakenRider struct {
	Member   MemberID
	Phone    string
	Plates   []string // of their own cars
	In       time.Time
	Out      time.Time
	From, To Cell // of pick-up and drop; zero is not known
}

// TaxiRules are the thresholds of Patterns.
type TaxiRules struct {
	Location   *time.Location // of days
	RidesADay  int            // with riders, of one driver; more are a pattern
	Gap        time.Duration  // between the end of a ride with riders and the next with others
	Loops      int            // turns out and back on one day that carry strangers
	Strangers  int            // different riders that a loop needs to be one
	Overlap    time.Duration  // of one person in two cars; planned times are not more exact
	Fastest    unit.Metres    // that a car comes in an hour, beeline
	NeverAlone int            // one-off rides of a driver, of which none without riders took place
}

// DefaultTaxiRules take the first two from the rules of the French register of
// proof (RPC v3.3: at most 4 rides a day, at least 30 minutes between two);
// the others are our own, so that a neighbour who drives the same road to work
// each day is never named.
func DefaultTaxiRules() TaxiRules {
	return TaxiRules{Location: time.UTC, RidesADay: 4, Gap: 30 * time.Minute, Loops: 2, Strangers: 3, Overlap: 5 * time.Minute, Fastest: 150_000, NeverAlone: 12}
}

// Keys of what a pattern is; pages of the desk have words for each.
const (
	TaxiMany       = "taxi.many"        // too many rides with riders on one day
	TaxiGap        = "taxi.gap"         // hardly a pause before the next riders
	TaxiLoop       = "taxi.loop"        // back and forth on one road with strangers
	TaxiSeats      = "taxi.seats"       // more seats than the class of vehicle has
	TaxiNeverAlone = "taxi.never-alone" // never drives when nobody has booked
	TaxiTwoCars    = "taxi.two-cars"    // one person in two cars at once
	TaxiSamePhone  = "taxi.same-phone"  // one phone on both sides
	TaxiSamePlate  = "taxi.same-plate"  // the rider has a car with the plate of the driver's
	TaxiTooFar     = "taxi.too-far"     // one person farther away than a car comes in the time between
)

// TaxiKeys are all keys that Pattern.Key can be.
var TaxiKeys = []string{TaxiMany, TaxiGap, TaxiLoop, TaxiSeats, TaxiNeverAlone, TaxiTwoCars, TaxiSamePhone, TaxiSamePlate, TaxiTooFar}

// Pattern is something that somebody of the union should look at. It is no
// proof, and nothing follows from it by itself.
type Pattern struct {
	Key   string   `json:"key"`
	Who   MemberID `json:"who"`             // the driver; with TaxiTwoCars and TaxiTooFar the one in two cars
	Rides []RideID `json:"rides,omitempty"` // in the order of their departure
	On    Date     `json:"on,omitempty"`    // the day; "" where it is not of one
	Count int      `json:"count,omitempty"` // rides, turns or seats
	Gap   int      `json:"gap_min,omitempty"`
}

// Patterns finds what looks like a disguised taxi, or like rides made up, in
// the rides of some time, by the default rules for days in UTC.
func Patterns(rides []TakenRide) []Pattern { return DefaultTaxiRules().Patterns(rides) }

// Patterns finds them by these rules. The answer does not depend on the order
// of the rides: by day, then person, then key.
func (t TaxiRules) Patterns(rides []TakenRide) []Pattern {
	rides = slices.Clone(rides)
	slices.SortStableFunc(rides, func(a, b TakenRide) int {
		return cmp.Or(a.Depart.Compare(b.Depart), cmp.Compare(a.Ride, b.Ride))
	})
	byDriver := map[MemberID][]*TakenRide{}
	for i := range rides {
		byDriver[rides[i].Driver] = append(byDriver[rides[i].Driver], &rides[i])
	}
	var out []Pattern
	for driver, own := range byDriver {
		out = append(out, t.ofDriver(driver, own)...)
	}
	for i := range rides {
		out = append(out, ofRide(&rides[i], t.day(rides[i].Depart))...)
	}
	out = append(out, t.between(rides)...)
	slices.SortFunc(out, func(a, b Pattern) int {
		return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Who, b.Who), cmp.Compare(a.Key, b.Key), slices.Compare(a.Rides, b.Rides))
	})
	return out
}

func (t TaxiRules) day(at time.Time) Date {
	if t.Location == nil {
		return DateOf(at, time.UTC)
	}
	return DateOf(at, t.Location)
}
