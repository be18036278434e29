package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// none gives "there is no row" its kind.
func none(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "it is not there any more")
	}
	return fmt.Errorf("read what a notice is about: %w", err)
}

// nameIn is the name of a meeting point; a door for a private address.
func (s Spot) nameIn(ctx context.Context, tx *store.Tx) (name string, door bool, err error) {
	if s.Place == "" {
		return "", true, nil
	}
	p, err := placeIn(ctx, tx, s.Place)
	if fault.Of(err) == fault.NotFound && err != nil {
		return "", false, nil
	}
	return p.Name, false, err
}

// wordsIn are those of a private address, "" when it was erased.
func (s Spot) wordsIn(ctx context.Context, tx *store.Tx) (string, error) {
	if s.kept == "" {
		return "", nil
	}
	at, err := addressIn(ctx, tx, s.kept)
	if fault.Of(err) == fault.NotFound && err != nil {
		return "", nil
	}
	return at.Address, err
}

// booking reads a booking for one of its two parties; for others there is
// none. The guardian of a minor sees it as the minor.
func (v *NoticeView) booking(ctx context.Context, tx *store.Tx, id string, kept time.Duration) error {
	b, err := bookingIn(ctx, tx, BookingID(id))
	if err != nil {
		return err
	}
	v.Stale = v.Stale || over(v.Notice.Kind, b.State)
	if b.Rider != v.To.ID && b.Driver != v.To.ID {
		m, err := memberIn(ctx, tx, b.Rider)
		if err != nil {
			return err
		}
		if !m.Minor || m.Guardian != v.To.ID {
			return fault.New(fault.NotFound, "it is not theirs")
		}
		v.For = m.First
	}
	v.Trip, err = b.seen(ctx, tx, v.To.ID, v.Trusted, kept)
	return err
}

// seen is a booking as one of its parties may see it now: names and numbers
// from the acceptance until kept after the lift. A third person that the rider
// trusts hears when and where, and nothing of the other.
func (b Booking) seen(ctx context.Context, tx *store.Tx, reader MemberID, third bool, kept time.Duration) (*NoticeTrip, error) {
	from, to := b.Pickup.Spot, b.Drop.Spot
	t := &NoticeTrip{Booking: b.ID, Driver: reader == b.Driver, Leave: b.Pickup.At, Arrive: b.Drop.At, Deadline: b.Deadline, Changed: b.Changed,
		Seats: b.Seats, Cents: b.Cents, State: b.State}
	var err error
	if t.From, t.FromDoor, err = from.nameIn(ctx, tx); err != nil {
		return nil, err
	}
	if t.To, t.ToDoor, err = to.nameIn(ctx, tx); err != nil {
		return nil, err
	}
	if third {
		t.FromDoor, t.ToDoor = false, false
		return t, nil
	}
	other := b.Driver
	known, err := known(ctx, tx, b, kept)
	if err != nil {
		return nil, err
	}
	if t.Driver {
		other = b.Rider
		if known {
			if t.FromAddress, err = from.wordsIn(ctx, tx); err != nil {
				return nil, err
			}
			if t.ToAddress, err = to.wordsIn(ctx, tx); err != nil {
				return nil, err
			}
		}
	}
	if !t.Driver && !b.named() {
		return t, nil
	}
	return t, t.party(ctx, tx, reader, other, b.Ride, known)
}

// mostTrips of a member are shown at once.
const mostTrips = 1000

// Trips are the bookings of a member, as rider and as driver, that begin within
// a time and were asked for or accepted, in order; as a notice would show them.
func (p *Members) Trips(ctx context.Context, member MemberID, from, to time.Time) ([]NoticeTrip, error) {
	var out []NoticeTrip
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = nil
		found, err := bookingsWhere(ctx, tx, `(rider = $1 OR driver = $1 AND unseen = 0) AND pickup_ms >= $2 AND pickup_ms < $3 AND state IN ('asked', 'accepted', 'boarded', 'completed')`,
			sentence(string(member)), store.Millis(from), store.Millis(to))
		if err != nil {
			return err
		}
		for _, b := range found[:min(len(found), mostTrips)] {
			t, err := b.seen(ctx, tx, member, false, p.cfg.AddressKept)
			if err != nil && fault.Of(err) != fault.NotFound {
				return err
			}
			if t != nil {
				out = append(out, *t)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the journeys of %s: %w", member, err)
	}
	return out, nil
}

// party fills in who the other is, as far as the reader may know.
func (t *NoticeTrip) party(ctx context.Context, tx *store.Tx, reader, other MemberID, ride RideID, known bool) error {
	hidden, err := blockedIn(ctx, tx, reader, other)
	if err != nil || hidden {
		return err
	}
	m, err := memberIn(ctx, tx, other)
	if err != nil {
		return err
	}
	if m.State == Gone {
		return nil
	}
	t.Other = m.Shown()
	if !known {
		return nil
	}
	t.Other, t.Phone = m.First+" "+m.Last, m.Phone
	if t.Driver {
		return nil
	}
	var vehicle string
	if err := tx.QueryRow(ctx, `SELECT vehicle FROM carpool_rides WHERE id = $1`, string(ride)).Scan(&vehicle); err != nil {
		return none(err)
	}
	c, err := vehicleIn(ctx, tx, VehicleID(vehicle))
	if err == nil {
		t.Car = c.Label + ", " + c.Plate
	}
	return err
}

// request reads a request: the whole wish for the rider and, of a minor, the
// guardian; for others, drivers who know the road, the meeting points alone.
func (v *NoticeView) request(ctx context.Context, tx *store.Tx, id string) error {
	r, err := requestIn(ctx, tx, RequestID(id))
	if err != nil {
		return err
	}
	v.Stale = v.Stale || past(v.Notice.Kind, r.State)
	if r.Way.Kind == WayBus && v.Bus == nil {
		v.Bus = &Bus{}
	}
	if v.Trip != nil {
		return nil // the booking says more
	}
	t := &NoticeTrip{Leave: r.When.From, Arrive: r.When.To, Window: true, Seats: r.Seats(), Driver: r.Rider != v.To.ID}
	if t.Driver {
		m, err := memberIn(ctx, tx, r.Rider)
		if err != nil {
			return err
		}
		if m.Minor && m.Guardian == v.To.ID {
			t.Driver, v.For = false, m.First
		}
	}
	if t.From, t.FromDoor, err = r.From.nameIn(ctx, tx); err != nil {
		return err
	}
	if t.To, t.ToDoor, err = r.To.nameIn(ctx, tx); err != nil {
		return err
	}
	if t.Driver || v.Trusted { // not even that it is a door
		t.FromDoor, t.ToDoor = false, false
	}
	v.Trip = t
	return nil
}

// ride reads when a ride begins, for its driver and those who ride on it.
func (v *NoticeView) ride(ctx context.Context, tx *store.Tx, id string) error {
	var driver, risk string
	var depart int64
	var state RideState
	if err := tx.QueryRow(ctx, `SELECT driver, depart_ms, state, risk FROM carpool_rides WHERE id = $1`, sentence(id)).Scan(&driver, &depart, &state, &risk); err != nil {
		return none(err)
	}
	if v.Notice.Kind == NoticeAtRisk || v.Notice.Kind == NoticeSafe {
		v.Stale = v.Stale || state == RideCancelled || state == RideDone || (risk == "") != (v.Notice.Kind == NoticeSafe)
	}
	if v.Trip != nil {
		return nil // the booking says more
	}
	v.Trip = &NoticeTrip{Leave: moment(depart), Driver: MemberID(driver) == v.To.ID}
	return nil
}
