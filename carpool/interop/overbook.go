package interop

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

const (
	late  = 15 * time.Minute // by how much a pick-up may have moved since the search
	place = 100              // metres that a position may be from the meeting point
)

// errNoJourney is all that an operator learns of why a lift cannot be had.
var errNoJourney = fault.New(fault.Invalid, "missing_journey")

// asked is what an operator's booking says, in the portal's words.
type asked struct {
	by         carpool.By
	ride       carpool.Ride
	from, drop carpool.Place
	request    carpool.Request
}

// read takes an operator's booking apart.
func (o *over) read(ctx context.Context, operator string, b Booking) (asked, error) {
	var a asked
	parts, ok := o.names.open(kindJourney, operator, b.DriverJourney, 3)
	if !ok {
		return a, errNoJourney
	}
	driver, ok := o.names.open(kindUser, operator, b.Driver.ID, 1)
	if !ok {
		return a, fault.New(fault.Invalid, "missing_user")
	}
	var err error
	if a.ride, err = o.p.Offers.Ride(ctx, carpool.RideID(parts[0])); err == nil {
		if a.from, err = o.p.Places.Get(ctx, carpool.PlaceID(parts[1])); err == nil {
			a.drop, err = o.p.Places.Get(ctx, carpool.PlaceID(parts[2]))
		}
	}
	if err != nil {
		return a, hide(err)
	}
	if string(a.ride.Driver) != driver[0] {
		return a, fault.New(fault.Invalid, "driver: not the one of driverJourneyId")
	}
	for _, end := range []struct {
		place    carpool.Place
		lat, lng float64
	}{{a.from, b.PickupLat, b.PickupLng}, {a.drop, b.DropLat, b.DropLng}} {
		if end.place.At.Distance(geo.LonLat{Lon: end.lng, Lat: end.lat}) > place {
			return a, fault.New(fault.Invalid, "passengerPickupLat: not a meeting point of driverJourneyId")
		}
	}
	if a.by, err = o.p.Members.Outside(ctx, operator, b.Passenger.ID, b.Passenger.Alias); err != nil {
		return a, err
	}
	at := b.PickupDate.Time()
	a.request = carpool.Request{Rider: a.by.Member, From: carpool.Spot{Place: a.from.ID, At: a.from.At}, To: carpool.Spot{Place: a.drop.ID, At: a.drop.At},
		When: carpool.Window{From: at.Add(-late), To: at.Add(late)}}
	return a, nil
}

// hide keeps the portal's own reasons from other operators: whether somebody
// is blocked, suspended or busy is not theirs to know.
func hide(err error) error {
	switch fault.Of(err) {
	case fault.NotFound, fault.Denied, fault.Conflict, fault.Invalid:
		return errNoJourney
	}
	return err
}

// Book asks the driver: a request of the passenger, and a booking on it. Both
// are made once, however often it is asked; when the booking cannot be had the
// request goes too.
func (o *over) Book(ctx context.Context, operator string, b Booking) (string, Booking, error) {
	a, err := o.read(ctx, operator, b)
	if err != nil {
		return "", b, err
	}
	mark := "outside-" + b.ID
	r, err := o.p.Bookings.Request(ctx, a.by, a.request, nil, mark)
	if err != nil {
		return "", b, hide(err)
	}
	bk, err := o.p.Bookings.Book(ctx, a.by, r.ID, carpool.Match{Ride: a.ride.ID,
		Pickup: carpool.MatchStop{Place: a.from.ID, Time: b.PickupDate.Time()}, Drop: carpool.MatchStop{Place: a.drop.ID}}, mark)
	if err != nil {
		if hidden := hide(err); hidden == errNoJourney {
			return "", b, o.withdraw(ctx, a.by, r.ID, hidden)
		}
		return "", b, err
	}
	b.PickupDate = Unix(bk.Pickup.At.Unix())
	b.PickupLat, b.PickupLng, b.DropLat, b.DropLng = a.from.At.Lat, a.from.At.Lon, a.drop.At.Lat, a.drop.At.Lon
	b.PickupAddress, b.DropAddress = a.from.Name, a.drop.Name
	took, way := int(bk.Drop.At.Sub(bk.Pickup.At).Seconds()), bk.Metres
	b.Duration, b.Distance, b.Price, b.WebURL = &took, &way, price(bk.Cents), o.cfg.Web
	b.Status = statusOf(bk.State)
	b.Driver = o.user(operator, bk.Driver)
	return string(bk.ID), b, nil
}

// withdraw takes a request back for which there is no booking.
func (o *over) withdraw(ctx context.Context, by carpool.By, id carpool.RequestID, why error) error {
	if err := o.p.Bookings.WithdrawRequest(ctx, by, id, ""); err != nil && fault.Of(err) != fault.Conflict {
		return fmt.Errorf("take back a request: %w", err)
	}
	return why
}

// Abandon withdraws the requests that a Book left open.
func (o *over) Abandon(ctx context.Context, operator string, b Booking) error {
	by, err := o.p.Members.Outside(ctx, operator, b.Passenger.ID, b.Passenger.Alias)
	if err != nil {
		return err
	}
	list, err := o.p.Bookings.Requests(ctx, by.Member)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.State == carpool.RequestOpen && r.When.From.Equal(b.PickupDate.Time().Add(-late)) {
			if err := o.withdraw(ctx, by, r.ID, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// statusOf is the portal's state in the words of the standard.
func statusOf(s carpool.BookingState) Status {
	switch s {
	case carpool.Asked:
		return Waiting
	case carpool.Accepted, carpool.Boarded:
		return Confirmed
	case carpool.Completed:
		return Completed
	}
	return Cancelled
}

// Status of a booking now.
func (o *over) Status(ctx context.Context, ref string) (Status, error) {
	bk, _, err := o.p.Bookings.OutsideBooking(ctx, carpool.BookingID(ref))
	if err != nil {
		return "", err
	}
	return statusOf(bk.State), nil
}

// Move cancels a booking, or says that the ride has taken place.
func (o *over) Move(ctx context.Context, _, ref string, to Status, message string) error {
	bk, by, err := o.p.Bookings.OutsideBooking(ctx, carpool.BookingID(ref))
	if err != nil {
		return err
	}
	switch to {
	case Cancelled:
		_, err = o.p.Bookings.Cancel(ctx, by, bk.ID, short(message))
	case Completed:
		_, err = o.p.Bookings.Complete(ctx, by, bk.ID, "")
	default:
		err = fault.New(fault.Invalid, "status: %s is not for a passenger's operator to say", to)
	}
	return err
}

// maxReason is the length of a reason in the portal, which is less than a
// message of the standard may have.
const maxReason = 200

func short(s string) string {
	if r := []rune(s); len(r) > maxReason {
		return string(r[:maxReason])
	}
	return s
}

// Message goes to the driver of a booking.
func (o *over) Message(ctx context.Context, operator, ref string, m Message) error {
	to, ok := o.names.open(kindUser, operator, m.To.ID, 1)
	if !ok {
		return missingUser
	}
	if ref == "" {
		return fault.New(fault.Invalid, "bookingId: a message must be about a booking")
	}
	bk, by, err := o.p.Bookings.OutsideBooking(ctx, carpool.BookingID(ref))
	if fault.Of(err) == fault.NotFound && err != nil {
		return missingUser
	}
	if err != nil {
		return err
	}
	if to[0] != string(bk.Driver) {
		return missingUser
	}
	err = o.p.Talk.Send(ctx, by, bk.ID, m.Message)
	if fault.Of(err) == fault.Denied && err != nil {
		return missingUser // blocked since: as if nobody were there
	}
	return err
}
