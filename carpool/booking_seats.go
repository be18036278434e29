package carpool

import "github.com/crinale/crinale/internal/fault"

// mostAboard is the most seats that are taken at one time along some stops.
func mostAboard(stops []Stop) int {
	now, most := 0, 0
	for _, s := range stops {
		switch s.Kind {
		case StopPickup:
			now += s.Seats
		case StopDrop:
			now -= s.Seats
		}
		most = max(most, now)
	}
	return most
}

// CheckStops refuses stops that no car can make: more aboard on a section than
// there are seats, a drop before its pick-up, a booking that is not there
// twice, ends that are not the driver's, times that run backwards.
func CheckStops(stops []Stop, seats int) error {
	if len(stops) < 2 || stops[0].Kind != StopStart || stops[len(stops)-1].Kind != StopEnd {
		return fault.New(fault.Internal, "ride: its stops do not begin and end with the driver's own")
	}
	aboard, now := map[BookingID]int{}, 0
	done := map[BookingID]bool{}
	for i, s := range stops {
		if i > 0 && s.At.Before(stops[i-1].At) {
			return fault.New(fault.Internal, "ride: stop %d is before the one it follows", i)
		}
		_, in := aboard[s.Booking]
		switch s.Kind {
		case StopPickup:
			if in || done[s.Booking] || s.Seats < 1 {
				return fault.New(fault.Internal, "ride: booking %s gets in twice", s.Booking)
			}
			aboard[s.Booking] = s.Seats
			now += s.Seats
		case StopDrop:
			if !in || aboard[s.Booking] != s.Seats {
				return fault.New(fault.Internal, "ride: booking %s gets out and was not in", s.Booking)
			}
			delete(aboard, s.Booking)
			done[s.Booking] = true
			now -= s.Seats
		default:
			if i > 0 && i < len(stops)-1 {
				return fault.New(fault.Internal, "ride: stop %d is an end in the middle", i)
			}
		}
		if now > seats {
			return fault.New(fault.Conflict, "ride: there is no seat left on this part of the way")
		}
	}
	if len(aboard) > 0 {
		return fault.New(fault.Internal, "ride: somebody never gets out")
	}
	return nil
}
