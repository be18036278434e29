package carpool

import "time"

// SamePlaceSameTime is the plain match that notice boards make: rides that
// begin and end at the very places asked for, in an hour of the clock that the
// window touches, with seats left. It is what Rank is held against, and finds
// nothing that goes past on the way.
//
// Two private addresses are the same place when they are in one cell.
func SamePlaceSameTime(a Ask, rides []Ride, in *time.Location) []RideID {
	var out []RideID
	for i := range rides {
		r := &rides[i]
		if r.State != RideOpen || len(r.Stops) < 2 || r.Seats-r.Taken < a.Seats || a.For != "" && a.For == r.Driver {
			continue
		}
		first, last := r.Stops[0], r.Stops[len(r.Stops)-1]
		at := first.At
		if a.When.Arrive {
			at = last.At
		}
		if samePlace(a.From, first.Spot) && samePlace(a.To, last.Spot) && sameHour(a.When, at, in) {
			out = append(out, r.ID)
		}
	}
	return out
}

func samePlace(a, b Spot) bool {
	if a.Private() != b.Private() {
		return false
	}
	return a.Place == b.Place && (!a.Private() || CellOf(a.At) == CellOf(b.At))
}

// sameHour says whether a moment is in an hour that the window touches.
func sameHour(w Window, at time.Time, in *time.Location) bool {
	first := w.From.In(in)
	begin := first.Add(-time.Duration(first.Minute())*time.Minute - time.Duration(first.Second())*time.Second - time.Duration(first.Nanosecond()))
	end := begin.Add(w.To.Sub(begin).Truncate(time.Hour) + time.Hour)
	return !w.To.Before(w.From) && !at.Before(begin) && at.Before(end)
}
