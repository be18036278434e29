package carpool

import (
	"cmp"
	"slices"
)

// ownStops are the stops of a ride that one of its riders may see: their own
// and the driver's ends.
func ownStops(stops []Stop, id BookingID) []Stop {
	return slices.DeleteFunc(slices.Clone(stops), func(s Stop) bool { return s.Booking != "" && s.Booking != id })
}

func sortJourneys(list []Journey) {
	slices.SortStableFunc(list, func(a, b Journey) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Ride.ID, b.Ride.ID))
	})
}
