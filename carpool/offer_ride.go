package carpool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Rides gives the rides of a driver that leave in a span, in order. Private
// ends are coarse; what the driver may see of their riders' doors is in
// Bookings.Mine.
func (p *Offers) Rides(ctx context.Context, driver MemberID, from, to time.Time) ([]Ride, error) {
	var out []Ride
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		out, err = ridesIn(ctx, tx, MemberID(sentence(string(driver))), from, to)
		return err
	})
	return out, err
}

// Ride gives one ride, its private ends coarse.
func (p *Offers) Ride(ctx context.Context, id RideID) (Ride, error) {
	var r Ride
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { r, err = rideIn(ctx, tx, id); return err })
	return r, err
}

// CancelRide cancels one ride of an offer before it leaves. Its riders are
// told, and another lift is looked for at once.
func (p *Offers) CancelRide(ctx context.Context, by By, id RideID, reason string) error {
	if err := p.cfg.short("reason", &reason); err != nil {
		return err
	}
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		r, err := rideIn(ctx, tx, id)
		if err != nil && fault.Of(err) == fault.NotFound || err == nil && by.Member != r.Driver {
			return errNotYours
		}
		if err != nil {
			return err
		}
		if _, err := mayAct(ctx, tx, by, r.Driver); err != nil {
			return err
		}
		if r.State != RideOpen && r.State != RideUnderWay {
			return fault.New(fault.Conflict, "this ride is %s already", r.State)
		}
		return p.cancelRideIn(ctx, tx, r, whoOf(by, AsDriver), reason)
	})
	if err != nil {
		return fmt.Errorf("cancel ride: %w", err)
	}
	(&Bookings{p.base}).settleDue(ctx)
	return nil
}

// whoOf names who cancels, as notices say it.
func whoOf(by By, as Party) string {
	if by.Desk {
		return "desk"
	}
	return string(as)
}

// errAboard is a ride that cannot be cancelled any more.
var errAboard = fault.New(fault.Conflict, "this ride is under way with somebody aboard")

// cancelRideIn cancels a ride and its bookings, in somebody else's transaction:
// those too whose time has passed without a word that their rider got in, who
// may be standing there still. Who was aboard until their drop has arrived.
func (b base) cancelRideIn(ctx context.Context, tx *store.Tx, r Ride, who, reason string) error {
	booked, err := bookingsWhere(ctx, tx, `ride = $1 AND (state IN ('asked', 'accepted') OR state = 'boarded' AND drop_ms > $2)`, string(r.ID), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	if slices.ContainsFunc(booked, func(bk Booking) bool { return bk.State == Boarded }) {
		return errAboard
	}
	if err := b.cancelAll(ctx, tx, booked, who, reason); err != nil {
		return err
	}
	return b.dropRide(ctx, tx, r.ID, who, reason)
}

// dropRide notes that a ride does not go, or not on.
func (b base) dropRide(ctx context.Context, tx *store.Tx, id RideID, who, reason string) error {
	if _, err := tx.Exec(ctx, `UPDATE carpool_rides SET state = 'cancelled', reason = $2 WHERE id = $1`, string(id), reason); err != nil {
		return fmt.Errorf("cancel ride %s: %w", id, err)
	}
	return b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.ride.cancel", Object: string(id), Detail: map[string]string{"by": who}})
}

// stopRideIn cancels a ride; of one that is under way, or has somebody aboard
// already, it cancels the bookings of those who still wait further on.
func (b base) stopRideIn(ctx context.Context, tx *store.Tx, r Ride, who, reason string) error {
	if r.State != RideUnderWay {
		if err := b.cancelRideIn(ctx, tx, r, who, reason); !errors.Is(err, errAboard) {
			return err
		}
	}
	waiting, err := bookingsWhere(ctx, tx, `ride = $1 AND state IN ('asked', 'accepted')`, string(r.ID))
	if err != nil {
		return err
	}
	return b.cancelAll(ctx, tx, waiting, who, reason)
}

// cancelAll cancels bookings whose ride does not take them.
func (b base) cancelAll(ctx context.Context, tx *store.Tx, list []Booking, who, reason string) error {
	for _, bk := range list {
		if _, err := b.changeIn(ctx, tx, bk, bookingChange{event: EventCancel, as: AsProgram, who: who, reason: ReasonRide, words: reason}); err != nil {
			return err
		}
	}
	return nil
}

// stillAwaited is for how long after a ride should have ended its riders may stand
// there yet, of whom nobody said that they got in: the driver is late.
const stillAwaited = 3 * time.Hour

// noLonger cancels, when a person ends what a driver offers, the bookings of rides
// that should be over and whose riders may stand there yet: the ride itself counts
// as done by then. With an offer, of its rides alone.
func (b base) noLonger(ctx context.Context, tx *store.Tx, driver MemberID, offer OfferID, who, reason string) error {
	late, err := bookingsWhere(ctx, tx, `driver = $1 AND state = 'accepted' AND drop_ms <= $2 AND drop_ms > $3 AND ($4 = '' OR ride IN (SELECT id FROM carpool_rides WHERE offer = $4))`,
		string(driver), store.Millis(tx.Now), store.Millis(tx.Now.Add(-stillAwaited)), string(offer))
	if err != nil {
		return err
	}
	return b.cancelAll(ctx, tx, late, who, reason)
}

// cancelRidesOf cancels the rides of a driver from a moment on, with one car or
// with any (""), and when that is now, those under way for whoever still waits.
// Their riders are told, and the next round looks for another lift for them.
func (b base) cancelRidesOf(ctx context.Context, tx *store.Tx, driver MemberID, vehicle VehicleID, from time.Time, reason string) error {
	if !from.After(tx.Now) {
		if err := b.noLonger(ctx, tx, driver, "", string(AsProgram), reason); err != nil {
			return err
		}
	}
	rides, err := ridesWhere(ctx, tx, `driver = $1 AND ($2 = '' OR vehicle = $2) AND arrive_ms > $4 AND (leave_ms >= $3 OR $3 <= $4) AND state IN ('open', 'under-way')`,
		string(driver), string(vehicle), store.Millis(from), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	for _, r := range rides {
		if err := b.stopRideIn(ctx, tx, r, string(AsProgram), reason); err != nil {
			return err
		}
	}
	return nil
}

// endAllOf ends all that a member offers, asks for and has booked, when they
// leave, are suspended, or may no longer ride as a minor. Who is aboard goes on.
// Who stays a member and is away has no driver any more, but is not left there:
// the desk calls.
func (b base) endAllOf(ctx context.Context, tx *store.Tx, member MemberID, reason string, stays bool) error {
	offers, err := offersOf(ctx, tx, member)
	if err != nil {
		return err
	}
	if err := b.noLonger(ctx, tx, member, "", string(AsProgram), reason); err != nil {
		return err
	}
	for _, o := range offers {
		if o.State == OfferEnded {
			continue
		}
		if err := b.endIn(ctx, tx, o, string(AsProgram), reason); err != nil {
			return err
		}
	}
	requests, err := requestsWhere(ctx, tx, `rider = $1 AND state NOT IN ('done', 'withdrawn')`, string(member))
	if err != nil {
		return err
	}
	for _, r := range requests {
		home := false
		if stays {
			if r.onTheRoad() {
				continue // the desk has them in hand
			}
			if home, err = away(ctx, tx, r); err != nil {
				return err
			}
		}
		if home {
			err = b.bringHome(ctx, tx, r, reason)
		} else {
			err = b.withdrawIn(ctx, tx, r, string(AsProgram), reason)
		}
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `DELETE FROM carpool_watches WHERE member = $1`, string(member))
	return err
}
