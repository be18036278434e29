package carpool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const (
	// tries of a change that another one on the same ride overtook.
	mostTries = 12
	// soon is the least time that a driver has to answer and come.
	soon = 2 * time.Minute
	// timeMoved is by how much a lift may have moved since the rider saw it.
	timeMoved = 15 * time.Minute
)

// errMoved is a ride whose stops changed while its roads were measured.
var errMoved = errors.New("the ride has changed")

// again tries what measures roads outside its transaction until no other
// change came between.
func again(try func() error) error {
	for range mostTries {
		if err := try(); !errors.Is(err, errMoved) {
			return err
		}
	}
	return fault.New(fault.Conflict, "this ride is changed by others at this moment; try again")
}

// Book asks the driver of a match to take the rider of a request. What the
// match says is worked out anew from the ride as it is now; Conflict where it
// cannot be had any more. Only its ride and its two meeting points are taken
// from it; a contribution in it is an upper bound.
func (p *Bookings) Book(ctx context.Context, by By, request RequestID, m Match, mark string) (Booking, error) {
	key, err := onceOf("book", by, mark)
	if err != nil {
		return Booking{}, err
	}
	var out Booking
	err = again(func() (err error) { out, err = p.book(ctx, by, false, request, m, key); return err })
	if err != nil {
		return Booking{}, fmt.Errorf("book: %w", err)
	}
	return out, nil
}

// book is one try. The program acts for a rider whose driver fell away.
func (p *Bookings) book(ctx context.Context, by By, program bool, request RequestID, m Match, key once) (Booking, error) {
	var (
		r        Request
		c        Candidate
		in, last *Place
		now      time.Time
		before   BookingID
	)
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		now = tx.Now
		id, done, err := key.done(ctx, tx)
		if before = BookingID(id); err != nil || done {
			return err
		}
		if r, err = p.requestFor(ctx, tx, by, program, request); err != nil {
			return err
		}
		if c, err = p.candidateIn(ctx, tx, m.Ride); err != nil {
			return err
		}
		if in, err = placeOf(ctx, tx, m.Pickup.Place); err != nil {
			return err
		}
		last, err = placeOf(ctx, tx, m.Drop.Place)
		return err
	})
	if err != nil {
		return Booking{}, err
	}
	if before != "" {
		return p.read(ctx, before)
	}
	ask, around := askOf(r), Around{}
	if program {
		ask.When = rescueWindow(r.When, now)
	}
	first, pickup, err := p.endOf(ctx, in, r.From, r.DoorToDoor)
	if err != nil {
		return Booking{}, err
	}
	end, drop, err := p.endOf(ctx, last, r.To, r.DoorToDoor)
	if err != nil {
		return Booking{}, err
	}
	around.Pickups, around.Drops = []End{first}, []End{end}
	if err := p.measure(ctx, &c, &around); err != nil {
		return Booking{}, err
	}
	if r.Rider == c.Ride.Driver {
		return Booking{}, errOwnRide
	}
	plan, ok := Insert(ask, around, c, now)
	if !ok {
		return Booking{}, errGone
	}
	bk := Booking{
		ID: BookingID(newID("b")), Request: r.ID, Ride: c.Ride.ID, Rider: r.Rider, Driver: c.Ride.Driver, Seats: r.Seats(), State: Asked,
		Cents: r.Seats() * Cents(c.Rate, plan.Metres), Metres: int(plan.Metres), aboard: plan.Aboard, walk: [2]time.Duration{first.Walk.Time, end.Walk.Time},
	}
	bk.Pickup = Stop{Kind: StopPickup, Booking: bk.ID, Spot: pickup, At: plan.PickupAt.Truncate(time.Millisecond), Seats: bk.Seats}
	bk.Drop = Stop{Kind: StopDrop, Booking: bk.ID, Spot: drop, At: plan.DropAt.Truncate(time.Millisecond), Seats: bk.Seats}
	switch {
	case m.Cents > 0 && bk.Cents > m.Cents:
		return Booking{}, fault.New(fault.Conflict, "booking: the contribution is not what it was; look again")
	case !m.Pickup.Time.IsZero() && bk.Pickup.At.Sub(m.Pickup.Time).Abs() > timeMoved:
		return Booking{}, fault.New(fault.Conflict, "booking: the times of this lift have changed; look again")
	}
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		id, done, err := key.done(ctx, tx)
		if before = BookingID(id); err != nil || done {
			return err
		}
		return p.askDriver(ctx, tx, by, program, bk, c.Ride.version, key)
	})
	switch {
	case errors.Is(err, errApart) || errors.Is(err, errOnePhone):
		return Booking{}, errGone // of the program: the next one
	case err != nil:
		return Booking{}, err
	}
	if before != "" {
		return p.read(ctx, before)
	}
	return p.read(ctx, bk.ID)
}

// askDriver writes a booking that asks, in its transaction.
func (p *Bookings) askDriver(ctx context.Context, tx *store.Tx, by By, program bool, bk Booking, version int64, key once) error {
	r, err := p.requestFor(ctx, tx, by, program, bk.Request)
	if err != nil {
		return err
	}
	ride, err := rideIn(ctx, tx, bk.Ride)
	if err != nil {
		return err
	}
	offer, err := offerIn(ctx, tx, ride.Offer)
	if err != nil {
		return err
	}
	if ride.State != RideOpen || ride.Risk != "" || offer.State != OfferOpen {
		return errGone
	}
	if ride.version != version {
		return errMoved
	}
	rider, err := memberIn(ctx, tx, bk.Rider)
	if err != nil {
		return err
	}
	switch err = p.mayShare(ctx, tx, rider, ride); {
	case program:
	case errors.Is(err, errApart):
		bk.unseen, err = true, nil
	case errors.Is(err, errOnePhone):
		err = p.noteOnePhone(ctx, tx, bk)
	}
	if err != nil {
		return err
	}
	if err := p.fitFor(ctx, tx, ride); err != nil {
		return err
	}
	if !program {
		if err := p.mayAskMore(ctx, tx, bk.Rider); err != nil {
			return err
		}
	}
	if err := p.mayAskAgain(ctx, tx, bk); err != nil {
		return err
	}
	if bk.Pickup.At.Before(tx.Now.Add(soon)) {
		return fault.New(fault.Conflict, "booking: this lift leaves now; there is no time to ask the driver")
	}
	bk.Created, bk.Changed, bk.Deadline = tx.Now, tx.Now, AnswerBy(tx.Now, bk.Pickup.At, p.cfg.Answer)
	if err := putBooking(ctx, tx, bk); err != nil {
		return err
	}
	if err := p.keepUntil(ctx, tx, r, bk.Drop.At.Add(p.cfg.AddressKept)); err != nil {
		return err
	}
	if err := p.stepWay(ctx, tx, r, WayFacts{Asked: &bk}); err != nil {
		return err
	}
	if !bk.unseen {
		err = Tell(ctx, tx, p.deps.Outbox, Notice{Key: fmt.Sprintf("%s:%s", NoticeAsked, bk.ID), Member: bk.Driver, Kind: NoticeAsked,
			With: map[string]string{WithBooking: string(bk.ID)}, Due: bk.Deadline})
		if err != nil {
			return err
		}
	}
	if err := key.note(ctx, tx, string(bk.ID)); err != nil {
		return err
	}
	return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.booking.ask", Object: string(bk.ID), Detail: acting(by, map[string]string{"ride": string(bk.Ride)})})
}

// requestFor reads a request that a driver may be asked for, for whoever acts
// for its rider.
func (p *Bookings) requestFor(ctx context.Context, tx *store.Tx, by By, program bool, id RequestID) (Request, error) {
	r, err := requestIn(ctx, tx, id)
	if err != nil && fault.Of(err) == fault.NotFound {
		return r, errNotYours
	}
	if err != nil {
		return r, err
	}
	if !program {
		if _, err := mayAct(ctx, tx, by, r.Rider); err != nil {
			return r, err
		}
	}
	active, err := bookingsWhere(ctx, tx, `request = $1 AND state IN ('asked', 'accepted', 'boarded')`, string(r.ID))
	if err != nil {
		return r, err
	}
	switch {
	case r.State.over():
		return r, fault.New(fault.Conflict, "request: it is over; make a new one")
	case r.State == RequestWaiting:
		return r, fault.New(fault.Conflict, "request: say first that the visit has ended")
	case len(active) > 0 && active[0].State == Asked:
		return r, fault.New(fault.Conflict, "request: a driver was asked already; wait for the answer, or cancel that first")
	case len(active) > 0:
		return r, fault.New(fault.Conflict, "request: it has a lift already; cancel that first")
	}
	return r, nil
}

// read gives a booking as it stands, coarse.
func (p *Bookings) read(ctx context.Context, id BookingID) (Booking, error) {
	var bk Booking
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { bk, err = bookingIn(ctx, tx, id); return err })
	return bk, err
}
