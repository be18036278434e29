package carpool

import (
	"context"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// How often one rider may book one driver and cancel again.
const (
	mostCancelled  = 3
	cancelledSince = 7 * 24 * time.Hour
)

// mayRide refuses a rider who may not ride: suspended, gone, or a minor whose
// guardian has not agreed.
func mayRide(ctx context.Context, tx *store.Tx, rider Member) error {
	if rider.State != Active {
		return fault.New(fault.Denied, "rider: only who takes part and is not suspended can ask for a lift")
	}
	if !rider.Minor {
		return nil
	}
	_, ok, err := consentIn(ctx, tx, rider.ID, ConsentMinor)
	if err == nil && !ok {
		err = fault.New(fault.Denied, "rider: a minor rides when the guardian has agreed; the guardian or the desk writes it down first")
	}
	return err
}

// mayShare refuses two who may not share a car on that ride.
func (b base) mayShare(ctx context.Context, tx *store.Tx, rider Member, r Ride) error {
	if err := mayRide(ctx, tx, rider); err != nil {
		return err
	}
	if err := b.maySit(ctx, tx, rider, r); err != nil {
		return err
	}
	driver, err := memberIn(ctx, tx, r.Driver)
	if err == nil && rider.Phone != "" && rider.Phone == driver.Phone {
		err = errOnePhone
	}
	return err
}

// errOnePhone is a lift between two with one phone. It is told to the office
// alone: numbers are not proved, so whoever wrote somebody's number as their own
// would learn by it which ride is theirs. The driver is asked as by anybody, and
// the question lapses, as one that nobody answers: it cannot be accepted.
var errOnePhone = fault.New(fault.Denied, "booking: rider and driver have the same phone")

// errLapses is told to a driver who accepts a rider with the same number, or one
// whom somebody aboard keeps away, in the words for one whom no room is left for.
var errLapses = fault.New(fault.Conflict, "%s", errNoSeat.Error())

// noteOnePhone tells the office of two with one phone of whom one asks the other
// for a lift.
func (b base) noteOnePhone(ctx context.Context, tx *store.Tx, bk Booking) error {
	if err := flagReport(ctx, tx, Report{About: bk.Rider, Other: bk.Driver, Ride: bk.Ride, Kind: ReportPhone}); err != nil {
		return err
	}
	return b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.booking.same-phone", Object: string(bk.Ride)})
}

// errOwnRide is a driver who would ride with themselves.
var errOwnRide = fault.New(fault.Denied, "booking: this is your own ride")

// maySit refuses somebody who is no company for that ride, whether they may
// ride or not.
func (b base) maySit(ctx context.Context, tx *store.Tx, rider Member, r Ride) error {
	if rider.ID == r.Driver {
		return errOwnRide
	}
	return mayMeet(ctx, tx, rider.ID, r)
}

// mayAskAgain refuses a rider who books a lift and cancels again and again, and
// one with too many bookings on the day. It counts by the offer, not by its
// driver: a refusal would tell which rides are of one driver.
func (b base) mayAskAgain(ctx context.Context, tx *store.Tx, bk Booking) error {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_bookings WHERE rider = $1 AND state = 'cancelled' AND ended_by = $3 AND changed_ms > $4
		AND ride IN (SELECT id FROM carpool_rides WHERE offer = (SELECT offer FROM carpool_rides WHERE id = $2))`,
		string(bk.Rider), string(bk.Ride), string(AsRider), store.Millis(tx.Now.Add(-cancelledSince))).Scan(&n)
	if err != nil {
		return err
	}
	if n >= mostCancelled {
		return fault.New(fault.Denied, "booking: you cancelled this lift %d times in a week; choose another", n)
	}
	from, to, err := b.dayOf(bk.Pickup.At)
	if err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM carpool_bookings WHERE rider = $1 AND pickup_ms >= $2 AND pickup_ms < $3 AND state IN ('asked', 'accepted', 'boarded', 'completed')`,
		string(bk.Rider), store.Millis(from), store.Millis(to)).Scan(&n)
	if err != nil {
		return err
	}
	if n >= b.cfg.Limits.BookingsADay {
		return fault.New(fault.Conflict, "booking: %d lifts on this day already; more than that the desk arranges", n)
	}
	return nil
}

// mayAskMore refuses a rider who asked many drivers lately: each is sent a
// message, and what is cancelled was sent too. The search of the portal for
// somebody whose driver fell away asks beside that.
func (b base) mayAskMore(ctx context.Context, tx *store.Tx, rider MemberID) error {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_bookings WHERE rider = $1 AND created_ms > $2`,
		string(rider), store.Millis(tx.Now.Add(-24*time.Hour))).Scan(&n)
	if err != nil {
		return err
	}
	if n >= b.cfg.Limits.AsksADay {
		return fault.New(fault.Conflict, "booking: you asked for %d lifts since yesterday; wait, or call the desk", n)
	}
	return nil
}

// dayOf is the local day that holds a moment, from its beginning to the next.
func (b base) dayOf(at time.Time) (from, to time.Time, err error) {
	day := DateOf(at, b.cfg.Location)
	if from, err = Clock("00:00").On(day, b.cfg.Location); err != nil {
		return from, to, err
	}
	to, err = Clock("00:00").On(day.Plus(1), b.cfg.Location)
	return from, to, err
}

// fitFor is fitIn told to the rider: that the driver may not drive is all they
// learn.
func (b base) fitFor(ctx context.Context, tx *store.Tx, r Ride) error {
	err := fitIn(ctx, tx, r.Driver, r.Vehicle, DateOf(r.Depart, b.cfg.Location))
	if err != nil && (fault.Of(err) == fault.Denied || fault.Of(err) == fault.NotFound) {
		return errGone
	}
	return err
}
