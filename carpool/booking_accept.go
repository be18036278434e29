package carpool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// errNoSeat is an acceptance that came too late.
var errNoSeat = fault.New(fault.Conflict, "booking: there is no room left in this ride for that rider; they look for another")

// Accept takes a rider who asked: their seats are taken, the ride gets its new
// times, and both are told. When there is no room any more the booking is
// declined, its rider is told and looks on, and the answer is a Conflict.
func (p *Bookings) Accept(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	if err := p.cfg.short("reason", &reason); err != nil {
		return Booking{}, err
	}
	var out Booking
	err := again(func() (err error) { out, err = p.accept(ctx, by, id); return err })
	if errors.Is(err, errNoSeat) {
		if e := p.lateSeat(ctx, by, id); e != nil {
			return Booking{}, fmt.Errorf("accept booking: %w", e)
		}
	}
	if err != nil {
		return Booking{}, fmt.Errorf("accept booking: %w", err)
	}
	return out, nil
}

// accept is one try.
func (p *Bookings) accept(ctx context.Context, by By, id BookingID) (Booking, error) {
	var (
		bk  Booking
		r   Request
		c   Candidate
		now time.Time
	)
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		now = tx.Now
		var as Party
		var err error
		if bk, as, err = p.party(ctx, tx, by, id); err != nil {
			return err
		}
		if _, err := Next(bk.State, EventAccept, as, bk.moment(now)); err != nil {
			return err
		}
		if r, err = requestIn(ctx, tx, bk.Request); err != nil {
			return err
		}
		c, err = p.candidateIn(ctx, tx, bk.Ride)
		return err
	})
	if err != nil {
		return Booking{}, err
	}
	around := Around{
		Pickups: []End{{Place: bk.Pickup.Spot.Place, At: bk.Pickup.Spot.At, Walk: Leg{OK: true, Time: bk.walk[0]}, Door: bk.Pickup.Spot.Private()}},
		Drops:   []End{{Place: bk.Drop.Spot.Place, At: bk.Drop.Spot.At, Walk: Leg{OK: true, Time: bk.walk[1]}, Door: bk.Drop.Spot.Private()}},
	}
	if err := p.measure(ctx, &c, &around); err != nil {
		return Booking{}, err
	}
	ask := askOf(r)
	ask.When, ask.MaxWalk = widen(r.When, bk), max(bk.walk[0], bk.walk[1])
	plan, ok := Insert(ask, around, c, now)
	if !ok {
		return Booking{}, errNoSeat
	}
	stops, err := plan.Stops(c, around, bk.ID, bk.Pickup.Spot, bk.Drop.Spot, bk.Seats)
	if err != nil {
		return Booking{}, err
	}
	for i := range stops {
		stops[i].At = stops[i].At.Truncate(time.Millisecond)
	}
	var out Booking
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		out, err = p.seat(ctx, tx, by, id, stops, c.Ride.version)
		return err
	})
	return out, err
}

// seat writes an acceptance, in its transaction.
func (p *Bookings) seat(ctx context.Context, tx *store.Tx, by By, id BookingID, stops []Stop, version int64) (Booking, error) {
	bk, as, err := p.party(ctx, tx, by, id)
	if err != nil {
		return bk, err
	}
	if bk.State, err = Next(bk.State, EventAccept, as, bk.moment(tx.Now)); err != nil {
		return bk, err
	}
	ride, err := rideIn(ctx, tx, bk.Ride)
	if err != nil {
		return bk, err
	}
	if ride.State != RideOpen {
		return bk, fault.New(fault.Conflict, "booking: the ride is %s", ride.State)
	}
	if ride.version != version {
		return bk, errMoved
	}
	r, err := requestIn(ctx, tx, bk.Request)
	if err != nil {
		return bk, err
	}
	rider, err := memberIn(ctx, tx, bk.Rider)
	if err != nil {
		return bk, err
	}
	if err := p.mayShare(ctx, tx, rider, ride); errors.Is(err, errOnePhone) || errors.Is(err, errApart) {
		return bk, errLapses
	} else if err != nil {
		return bk, err
	}
	if err := fitIn(ctx, tx, ride.Driver, ride.Vehicle, DateOf(ride.Depart, p.cfg.Location)); err != nil {
		return bk, err
	}
	if err := seated(ctx, tx, stops, ride, r.Needs); err != nil {
		return bk, err
	}
	if other, err := elsewhere(ctx, tx, ride, stops); err != nil || other {
		return bk, cmp.Or(err, errNoSeat)
	}
	ride.Stops = stops
	if err := putStops(ctx, tx, ride); err != nil {
		return bk, err
	}
	if err := p.retimed(ctx, tx, &bk, ride); err != nil {
		return bk, err
	}
	bk.Changed, bk.Deadline = tx.Now, time.Time{}
	if err := putBooking(ctx, tx, bk); err != nil {
		return bk, err
	}
	who := whoOf(by, as)
	if err := p.tellChange(ctx, tx, bk, bookingChange{event: EventAccept, as: as, who: who}); err != nil {
		return bk, err
	}
	if err := p.keepUntil(ctx, tx, r, bk.Drop.At.Add(p.cfg.AddressKept)); err != nil {
		return bk, err
	}
	if err := p.stepWay(ctx, tx, r, WayFacts{Ride: &bk}); err != nil {
		return bk, err
	}
	return bk, p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.booking.accept", Object: string(bk.ID), Detail: acting(by, map[string]string{"by": who})})
}

// told times are rounded to it: less is not worth a message.
const moved = time.Minute

// retimed gives the bookings of a ride the times of its stops; the riders
// whose times moved are told, but for the one who is just taken in.
func (b base) retimed(ctx context.Context, tx *store.Tx, fresh *Booking, r Ride) error {
	at := map[BookingID][2]time.Time{}
	for _, s := range r.Stops {
		t := at[s.Booking]
		switch s.Kind {
		case StopPickup:
			t[0] = s.At
		case StopDrop:
			t[1] = s.At
		}
		at[s.Booking] = t
	}
	t := at[fresh.ID]
	fresh.Pickup.At, fresh.Drop.At = t[0], t[1]
	others, err := bookingsWhere(ctx, tx, `ride = $1 AND state IN ('accepted', 'boarded')`, string(r.ID))
	if err != nil {
		return err
	}
	for _, bk := range others {
		t, ok := at[bk.ID]
		if !ok || bk.ID == fresh.ID || t[0].Equal(bk.Pickup.At) && t[1].Equal(bk.Drop.At) {
			continue
		}
		far := t[0].Sub(bk.Pickup.At).Abs() >= moved || t[1].Sub(bk.Drop.At).Abs() >= moved
		bk.Pickup.At, bk.Drop.At = t[0], t[1]
		if err := putBooking(ctx, tx, bk); err != nil {
			return err
		}
		if !far {
			continue
		}
		err := Tell(ctx, tx, b.deps.Outbox, Notice{Key: fmt.Sprintf("%s:%s:%d", NoticeMoved, bk.ID, r.version), Member: bk.Rider, Kind: NoticeMoved,
			With: map[string]string{WithBooking: string(bk.ID)}, Due: dueOf(bk, tx.Now)})
		if err != nil {
			return err
		}
	}
	return nil
}

// lateSeat declines a booking that no room is left for.
func (p *Bookings) lateSeat(ctx context.Context, by By, id BookingID) error {
	var bk Booking
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) (err error) {
		if bk, _, err = p.party(ctx, tx, by, id); err != nil || bk.State != Asked {
			return err
		}
		_, err = p.changeIn(ctx, tx, bk, bookingChange{event: EventDecline, as: AsProgram, who: string(AsProgram), reason: ReasonTaken})
		return err
	})
	if err == nil {
		p.settleNow(ctx, bk.Request)
	}
	return err
}
