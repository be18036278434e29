package page

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/crinale/crinale/carpool"
)

// deskBooking is a booking as the desk reads it out for one of its sides. Of
// the other it has what that side may know now.
type deskBooking struct {
	ID                        carpool.BookingID
	State                     carpool.BookingState
	StateName, Deadline       string
	Leave, Arrive, From, To   string
	Driver, Rider, Phone, Car string
	Price, Note, Day          string
	Needs                     []string
	SlipURL                   string
	CanCancel, CanStop        bool
}

// deskBooking reads a booking for a member that the desk acts for.
func (p speech) deskBooking(ctx context.Context, m carpool.Member, id carpool.BookingID) (*deskBooking, error) {
	b, err := p.deps.Bookings.Get(ctx, deskFor(ctx, m.ID), id)
	if err != nil {
		return nil, err
	}
	v := p.booked(b)
	return &v, nil
}

func (p speech) booked(b carpool.BookingView) deskBooking {
	v := deskBooking{ID: b.ID, State: b.State, StateName: p.word("desk.booking." + string(b.State)), Leave: p.moment(b.Pickup.At), Arrive: p.clock(b.Drop.At), Day: p.day(b.Pickup.At),
		From: p.endName(b.PickupName, b.Pickup.Spot), To: p.endName(b.DropName, b.Drop.Spot), Driver: fullName(b.DriverIs), Rider: fullName(b.RiderIs),
		Price: p.euro(b.Cents), Note: b.OfferNote, Needs: p.needs(b.Needs, b.Companions, false), CanCancel: slices.Contains(b.May, carpool.EventCancel), CanStop: slices.Contains(b.May, carpool.EventStopped)}
	v.Phone = b.DriverIs.Phone
	if b.As == carpool.AsDriver {
		v.Phone, v.Note = b.RiderIs.Phone, b.Note
	}
	v.Car = strings.Trim(b.Car+", "+b.Plate, ", ")
	if b.State == carpool.Asked && !b.Deadline.IsZero() {
		v.Deadline = p.word("desk.booking.deadline", p.moment(b.Deadline))
	}
	if b.State.Holds() {
		v.SlipURL = deskPath + "/biglietto/" + url.PathEscape(string(b.ID))
	}
	return v
}

// endName is where somebody gets in or out.
func (p speech) endName(name string, at carpool.Spot) string {
	switch {
	case name != "":
		return name
	case at.Address != "":
		return at.Address
	}
	return p.word("desk.door")
}

func fullName(x carpool.Person) string { return strings.TrimSpace(x.First + " " + x.Last) }
