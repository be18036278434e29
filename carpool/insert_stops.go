package carpool

import (
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Stops are those of a ride with the rider of a plan taken in, all with their
// new times. from and to are where exactly they get in and out: the meeting
// points of the plan, or the doors.
func (p Plan) Stops(c Candidate, around Around, booking BookingID, from, to Spot, seats int) ([]Stop, error) {
	i, j := p.After[0], p.After[1]
	if i < 0 || j < i || j+1 >= len(c.Ride.Stops) {
		return nil, fault.New(fault.Internal, "ride %s: a rider after stops %d and %d of %d", c.Ride.ID, i, j, len(c.Ride.Stops))
	}
	near, q := c.Near, len(around.Pickups)+p.Drop
	legs := slices.Clone(near.Between[:i])
	if i == j {
		legs = append(legs, near.To[p.Pickup][i], around.Legs[p.Pickup][p.Drop], near.From[q][i+1])
	} else {
		legs = append(legs, near.To[p.Pickup][i], near.From[p.Pickup][i+1])
		legs = append(legs, near.Between[i+1:j]...)
		legs = append(legs, near.To[q][j], near.From[q][j+1])
	}
	legs = append(legs, near.Between[j+1:]...)
	stops := slices.Clone(c.Ride.Stops[:i+1])
	stops = append(stops, Stop{Kind: StopPickup, Booking: booking, Spot: from, Seats: seats})
	stops = append(stops, c.Ride.Stops[i+1:j+1]...)
	stops = append(stops, Stop{Kind: StopDrop, Booking: booking, Spot: to, Seats: seats})
	stops = append(stops, c.Ride.Stops[j+1:]...)
	return Retime(stops, legs, c.Ride.Stops[0].At.Add(p.Shift))
}

// Without are the stops of a ride after a rider has left it. Their times are
// Retime's to set.
func Without(stops []Stop, booking BookingID) []Stop {
	return slices.DeleteFunc(slices.Clone(stops), func(s Stop) bool {
		return s.Booking == booking && (s.Kind == StopPickup || s.Kind == StopDrop)
	})
}

// Retime gives stops their times: the first is left at depart, each next one
// reached by its leg, without a wait. A ride without riders goes back to
// Ride.Depart; one with riders keeps the departure they were told of.
func Retime(stops []Stop, legs []Leg, depart time.Time) ([]Stop, error) {
	if len(stops) == 0 || len(legs) != len(stops)-1 {
		return nil, fault.New(fault.Internal, "times of %d stops: %d ways between them", len(stops), len(legs))
	}
	out := slices.Clone(stops)
	for i := range out {
		out[i].At = depart
		if i == len(legs) {
			break
		}
		if !legs[i].OK {
			return nil, fault.New(fault.Invalid, "stops: there is no way by road from stop %d to the next; choose another meeting point", i+1)
		}
		depart = depart.Add(legs[i].Time)
	}
	return out, nil
}
