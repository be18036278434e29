package carpool

import (
	"cmp"
	"slices"
	"time"
)

// ofDriver are the patterns of one driver's rides, in the order of their
// departure.
func (t TaxiRules) ofDriver(driver MemberID, rides []*TakenRide) []Pattern {
	var out []Pattern
	days := map[Date][]*TakenRide{} // with riders
	for _, r := range rides {
		if !r.Dropped && len(r.Riders) > 0 {
			days[t.day(r.Depart)] = append(days[t.day(r.Depart)], r)
		}
	}
	for day, with := range days {
		if len(with) > t.RidesADay {
			out = append(out, Pattern{Key: TaxiMany, Who: driver, On: day, Rides: rideNames(with), Count: len(with)})
		}
		if n, riders := turns(with); n >= t.Loops && riders >= t.Strangers {
			out = append(out, Pattern{Key: TaxiLoop, Who: driver, On: day, Rides: rideNames(with), Count: n})
		}
	}
	// A pause is looked for across midnight too. Rides that overlap are two cars
	// at once, not a short pause.
	var before *TakenRide
	for _, r := range rides {
		if r.Dropped || len(r.Riders) == 0 {
			continue
		}
		if before != nil {
			if gap := r.Depart.Sub(before.Arrive); gap >= 0 && gap < t.Gap && !sameRiders(before, r) {
				out = append(out, Pattern{Key: TaxiGap, Who: driver, On: t.day(r.Depart),
					Rides: []RideID{before.Ride, r.Ride}, Gap: int(gap / time.Minute)})
			}
		}
		if before == nil || r.Arrive.After(before.Arrive) {
			before = r
		}
	}
	return append(out, t.neverAlone(driver, rides)...)
}

// neverAlone is a driver whose one-off rides take place only when somebody has
// booked: the journey is not their own. Rides of a recurring offer do not
// count, as a commuter who is always full is a success.
func (t TaxiRules) neverAlone(driver MemberID, rides []*TakenRide) []Pattern {
	var with []*TakenRide
	dropped := 0
	for _, r := range rides {
		switch {
		case r.Regular:
		case len(r.Riders) == 0 && !r.Dropped:
			return nil
		case len(r.Riders) == 0:
			dropped++
		case !r.Dropped:
			with = append(with, r)
		}
	}
	// Without a ride dropped for want of riders, being always booked may be luck.
	if dropped == 0 || len(with)+dropped < t.NeverAlone {
		return nil
	}
	return []Pattern{{Key: TaxiNeverAlone, Who: driver, Rides: rideNames(with), Count: len(with)}}
}

// turns counts how often the rides of a day come back on the road they went,
// with other riders than on the way there, and how many different riders there are.
// A neighbour who takes the same people there and back makes none.
func turns(rides []*TakenRide) (n, riders int) {
	people := map[MemberID]bool{}
	for i, r := range rides {
		if i > 0 && r.From == rides[i-1].To && r.To == rides[i-1].From && r.From != r.To && !sameRiders(rides[i-1], r) {
			n++
		}
		for _, p := range r.Riders {
			people[p.Member] = true
		}
	}
	return n, len(people)
}

// sameRiders says whether somebody is on both rides.
func sameRiders(a, b *TakenRide) bool {
	return slices.ContainsFunc(a.Riders, func(p TakenRider) bool {
		return slices.ContainsFunc(b.Riders, func(q TakenRider) bool { return p.Member == q.Member })
	})
}

// ofRide are the patterns that one ride shows by itself.
func ofRide(r *TakenRide, on Date) []Pattern {
	var out []Pattern
	if most := max(r.Seats, r.Carried); r.MostSeats > 0 && most > r.MostSeats {
		out = append(out, Pattern{Key: TaxiSeats, Who: r.Driver, On: on, Rides: []RideID{r.Ride}, Count: most})
	}
	for _, p := range r.Riders {
		if p.Member == r.Driver || r.Phone != "" && p.Phone == r.Phone {
			out = append(out, Pattern{Key: TaxiSamePhone, Who: r.Driver, On: on, Rides: []RideID{r.Ride}})
			break
		}
	}
	if r.Plate != "" && slices.ContainsFunc(r.Riders, func(p TakenRider) bool { return slices.Contains(p.Plates, r.Plate) }) {
		out = append(out, Pattern{Key: TaxiSamePlate, Who: r.Driver, On: on, Rides: []RideID{r.Ride}})
	}
	return out
}

// inCar is one person in one car for some time.
type inCar struct {
	who      MemberID
	ride     RideID
	in, out  time.Time
	from, to Cell
}

// between finds people who are in two cars at once, as rider or driver, and
// those who get into one farther away than they can have come since the last.
func (t TaxiRules) between(rides []TakenRide) []Pattern {
	var seats []inCar
	for _, r := range rides {
		if r.Dropped {
			continue
		}
		if len(r.Riders) > 0 {
			seats = append(seats, inCar{r.Driver, r.Ride, r.Depart, r.Arrive, r.From, r.To})
		}
		for _, p := range r.Riders {
			if p.Member != r.Driver {
				seats = append(seats, inCar{p.Member, r.Ride, p.In, p.Out, p.From, p.To})
			}
		}
	}
	slices.SortFunc(seats, func(a, b inCar) int {
		return cmp.Or(cmp.Compare(a.who, b.who), a.in.Compare(b.in), cmp.Compare(a.ride, b.ride))
	})
	var out []Pattern
	for i := range seats {
		if i > 0 && t.tooFar(seats[i-1], seats[i]) {
			out = append(out, Pattern{Key: TaxiTooFar, Who: seats[i].who, On: t.day(seats[i].in), Rides: []RideID{seats[i-1].ride, seats[i].ride}})
		}
		for _, next := range seats[i+1:] {
			if next.who != seats[i].who || seats[i].out.Sub(next.in) <= t.Overlap {
				break
			}
			if next.ride != seats[i].ride && next.out.Sub(next.in) > t.Overlap {
				out = append(out, Pattern{Key: TaxiTwoCars, Who: next.who, On: t.day(next.in), Rides: []RideID{seats[i].ride, next.ride}})
			}
		}
	}
	return out
}

// tooFar says whether nobody comes from where one seat was left to where the
// next was taken, in the time between; two in two cars at once are another thing.
func (t TaxiRules) tooFar(last, next inCar) bool {
	unknown := Cell{}
	if last.who != next.who || last.ride == next.ride || last.to == unknown || next.from == unknown || last.out.Sub(next.in) > t.Overlap {
		return false
	}
	const within = 2 * 1500 // metres from the middles of two cells, at most
	far := last.to.Middle().Distance(next.from.Middle()) - within
	return float64(far) > float64(t.Fastest)*max(next.in.Sub(last.out), 0).Hours()
}

func rideNames(rides []*TakenRide) []RideID {
	out := make([]RideID, len(rides))
	for i, r := range rides {
		out[i] = r.Ride
	}
	return out
}
