package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Person is somebody as the other side of a booking may know them: a rider by
// the first name, a driver not at all; with surname and phone once the booking is
// accepted.
type Person struct {
	First string `json:"first"`
	Last  string `json:"last,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// BookingView is a booking as one of its two sides may see it now. Before the
// acceptance, and a day after the lift, private ends of the other are coarse
// and there is no surname, phone or plate.
type BookingView struct {
	Booking
	As           Party          `json:"as"` // who looks
	RiderIs      Person         `json:"rider_is"`
	DriverIs     Person         `json:"driver_is"`
	Car          string         `json:"car,omitempty"` // "Panda rossa"
	Plate        string         `json:"plate,omitempty"`
	PickupName   string         `json:"pickup_name,omitempty"` // of the meeting point; "" at a door
	DropName     string         `json:"drop_name,omitempty"`
	When         Window         `json:"when"` // that the rider asked for
	Companions   int            `json:"companions"`
	Needs        Needs          `json:"needs"`
	Note         string         `json:"note,omitempty"` // of the request
	OfferNote    string         `json:"offer_note,omitempty"`
	May          []BookingEvent `json:"may"` // what this side can do now
	ContactUntil time.Time      `json:"contact_until,omitzero"`
}

// Get gives a booking to one of its two sides, or to the desk for them: that is
// a look at that side, and at the other where their name is told.
func (p *Bookings) Get(ctx context.Context, by By, id BookingID) (BookingView, error) {
	var v BookingView
	err := p.reading(ctx, by, func(tx *store.Tx) (shown, error) {
		bk, as, err := p.party(ctx, tx, by, id)
		if err != nil {
			return shown{}, err
		}
		if v, err = p.view(ctx, tx, bk, as); err != nil {
			return shown{}, err
		}
		of := []MemberID{bk.side(as)}
		for m, who := range map[MemberID]Person{bk.Rider: v.RiderIs, bk.Driver: v.DriverIs} {
			if m != of[0] && who.Last != "" {
				of = append(of, m)
			}
		}
		return by.sees(LookBooking, string(id), of...), nil
	})
	if err != nil {
		return BookingView{}, err
	}
	return v, nil
}

// known says whether the two sides of a booking may know each other fully:
// from the acceptance until a time after the lift, and not while one keeps the
// other away.
func known(ctx context.Context, tx *store.Tx, bk Booking, kept time.Duration) (bool, error) {
	if !bk.State.Holds() || !tx.Now.Before(bk.Drop.At.Add(kept)) {
		return false, nil
	}
	apart, err := blockedIn(ctx, tx, bk.Rider, bk.Driver)
	return !apart, err
}

// named says whether the rider of a booking may know who drives: once the driver
// has taken them in. Before, nobody learns whose ride it is by looking.
func (b Booking) named() bool { return b.State.Holds() || b.State == NoShow }

// view is a booking as one side may see it.
func (b base) view(ctx context.Context, tx *store.Tx, bk Booking, as Party) (BookingView, error) {
	v := BookingView{As: as, May: []BookingEvent{}}
	known, err := known(ctx, tx, bk, b.cfg.AddressKept)
	if err != nil {
		return v, err
	}
	if known || as == AsRider {
		if err := bk.exact(ctx, tx); err != nil {
			return v, err
		}
	}
	v.Booking = bk
	if known {
		v.ContactUntil = bk.Drop.At.Add(b.cfg.AddressKept)
	}
	if v.RiderIs, err = person(ctx, tx, bk.Rider, known || as == AsRider); err != nil {
		return v, err
	}
	if as == AsDriver || bk.named() {
		if v.DriverIs, err = person(ctx, tx, bk.Driver, known || as == AsDriver); err != nil {
			return v, err
		}
	}
	if v.PickupName, err = placeName(ctx, tx, bk.Pickup.Spot.Place); err != nil {
		return v, err
	}
	if v.DropName, err = placeName(ctx, tx, bk.Drop.Spot.Place); err != nil {
		return v, err
	}
	r, err := requestIn(ctx, tx, bk.Request)
	if err != nil && fault.Of(err) != fault.NotFound {
		return v, err
	}
	v.When, v.Companions, v.Needs, v.Note = r.When, r.Companions, r.Needs, r.Note
	if !known {
		if err := v.hide(ctx, tx); err != nil {
			return v, err
		}
	}
	ride, err := rideIn(ctx, tx, bk.Ride)
	if err != nil && fault.Of(err) != fault.NotFound {
		return v, err
	}
	if err == nil {
		if err := v.car(ctx, tx, ride, known || as == AsDriver); err != nil {
			return v, err
		}
	}
	for _, e := range []BookingEvent{EventAccept, EventDecline, EventCancel, EventBoard, EventComplete, EventStopped, EventNoShow} {
		if _, err := Next(bk.State, e, as, bk.moment(tx.Now)); err == nil {
			v.May = append(v.May, e)
		}
	}
	return v, nil
}

// car fills in what the car is known by.
func (v *BookingView) car(ctx context.Context, tx *store.Tx, r Ride, known bool) error {
	car, err := vehicleIn(ctx, tx, r.Vehicle)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if err == nil && known {
		v.Car, v.Plate = car.Label, car.Plate
	}
	o, err := offerIn(ctx, tx, r.Offer)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	v.OfferNote = o.Note
	if v.As == AsRider {
		v.OfferNote, err = maskFor(ctx, tx, o.Note, o.Driver)
	}
	return unless(err)
}

// hide takes numbers and the surname out of what the other side wrote.
func (v *BookingView) hide(ctx context.Context, tx *store.Tx) (err error) {
	if v.As == AsDriver {
		if v.Note, err = maskFor(ctx, tx, v.Note, v.Rider); err != nil {
			return err
		}
	}
	if v.EndedBy == v.As.other() {
		v.Reason, err = maskFor(ctx, tx, v.Reason, v.side(v.EndedBy))
	}
	return err
}

// maskFor is mask of what a member wrote.
func maskFor(ctx context.Context, tx *store.Tx, s string, by MemberID) (string, error) {
	if s == "" {
		return "", nil
	}
	m, err := memberIn(ctx, tx, by)
	return mask(s, m.Last), unless(err)
}

// person is somebody by first name, or fully.
func person(ctx context.Context, tx *store.Tx, id MemberID, fully bool) (Person, error) {
	m, err := memberIn(ctx, tx, id)
	if err != nil {
		return Person{}, unless(err)
	}
	if !fully {
		return Person{First: m.Shown()}, nil
	}
	return Person{First: m.First, Last: m.Last, Phone: m.Phone}, nil
}

func placeName(ctx context.Context, tx *store.Tx, id PlaceID) (string, error) {
	if id == "" {
		return "", nil
	}
	p, err := placeIn(ctx, tx, id)
	return p.Name, unless(err)
}

// Journey is a ride of somebody's, as driver or as rider: what stands in "my
// rides", on the slip and the daily sheet, in the calendar.
type Journey struct {
	As       Party         `json:"as"`
	Ride     Ride          `json:"ride"`     // its private ends coarse; to a rider without the stops of others
	Bookings []BookingView `json:"bookings"` // a rider's one; a driver's all that are asked, accepted or later
	From     time.Time     `json:"from"`     // in the car
	To       time.Time     `json:"to"`
}

// Mine gives the journeys of a member that begin in a span, as driver and as
// rider, in order; a rider's with every booking, also those that were declined
// or cancelled. Who asks must be that member, or the desk for them.
func (p *Bookings) Mine(ctx context.Context, member MemberID, from, to time.Time) ([]Journey, error) {
	var out []Journey
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = []Journey{}
		rides, err := ridesIn(ctx, tx, MemberID(sentence(string(member))), from, to)
		if err != nil {
			return err
		}
		for _, r := range rides {
			j := Journey{As: AsDriver, Ride: r, From: r.Stops[0].At, To: r.Stops[len(r.Stops)-1].At, Bookings: []BookingView{}}
			booked, err := bookingsWhere(ctx, tx, `ride = $1 AND state NOT IN ('declined', 'cancelled') AND unseen = 0`, string(r.ID))
			if err != nil {
				return err
			}
			if j.Bookings, err = p.views(ctx, tx, booked, AsDriver); err != nil {
				return err
			}
			out = append(out, j)
		}
		booked, err := bookingsWhere(ctx, tx, `rider = $1 AND pickup_ms >= $2 AND pickup_ms < $3`, sentence(string(member)), store.Millis(from), store.Millis(to))
		if err != nil {
			return err
		}
		for _, bk := range booked {
			j := Journey{As: AsRider, From: bk.Pickup.At, To: bk.Drop.At}
			if j.Ride, err = rideIn(ctx, tx, bk.Ride); err != nil {
				return err
			}
			j.Ride.Stops = ownStops(j.Ride.Stops, bk.ID)
			if j.Bookings, err = p.views(ctx, tx, []Booking{bk}, AsRider); err != nil {
				return err
			}
			out = append(out, j)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("my rides: %w", err)
	}
	sortJourneys(out)
	return out, nil
}

func (b base) views(ctx context.Context, tx *store.Tx, booked []Booking, as Party) ([]BookingView, error) {
	out := make([]BookingView, 0, len(booked))
	for _, bk := range booked {
		v, err := b.view(ctx, tx, bk, as)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
