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

// end is one end of a journey as it is stored.
type end struct{ place, address string }

// name of a meeting point; a door for a private address.
func (e end) name(ctx context.Context, tx *store.Tx) (name string, door bool, err error) {
	if e.place == "" {
		return "", true, nil
	}
	p, err := placeIn(ctx, tx, PlaceID(e.place))
	if fault.Of(err) == fault.NotFound && err != nil {
		return "", false, nil
	}
	return p.Name, false, err
}

// words of a private address, "" when it was erased.
func (e end) words(ctx context.Context, tx *store.Tx) (string, error) {
	if e.address == "" {
		return "", nil
	}
	s, err := addressIn(ctx, tx, e.address)
	if fault.Of(err) == fault.NotFound && err != nil {
		return "", nil
	}
	return s.Address, err
}

// booking reads a booking for one of its two parties; for others there is
// none. The guardian of a minor sees it as the minor.
func (v *NoticeView) booking(ctx context.Context, tx *store.Tx, id string, kept time.Duration) error {
	b, err := scanTrip(tx.QueryRow(ctx, `SELECT `+tripColumns+` FROM carpool_bookings WHERE id = $1`, sentence(id)))
	if err != nil {
		return none(err)
	}
	v.Stale = v.Stale || over(v.Notice.Kind, b.state)
	if b.rider != v.To.ID && b.driver != v.To.ID {
		m, err := memberIn(ctx, tx, b.rider)
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

const tripColumns = `id, rider, driver, ride, pickup_place, pickup_address, drop_place, drop_address, pickup_ms, drop_ms, seats, cents, state, deadline_ms, changed_ms`

// trip is what is read of a booking.
type trip struct {
	id            BookingID
	rider, driver MemberID
	ride          RideID
	from, to      end
	leave, arrive time.Time
	deadline      time.Time
	changed       time.Time
	seats, cents  int
	state         BookingState
}

func scanTrip(row scanner) (trip, error) {
	var t trip
	var leave, arrive, deadline, changed int64
	err := row.Scan(&t.id, &t.rider, &t.driver, &t.ride, &t.from.place, &t.from.address, &t.to.place, &t.to.address,
		&leave, &arrive, &t.seats, &t.cents, &t.state, &deadline, &changed)
	t.leave, t.arrive, t.deadline, t.changed = moment(leave), moment(arrive), moment(deadline), moment(changed)
	return t, err
}

// seen is a booking as one of its parties may see it now: names and numbers
// from the acceptance until kept after the lift. A third person that the rider
// trusts hears when and where, and nothing of the other.
func (b trip) seen(ctx context.Context, tx *store.Tx, reader MemberID, third bool, kept time.Duration) (*NoticeTrip, error) {
	t := &NoticeTrip{Booking: b.id, Driver: reader == b.driver, Leave: b.leave, Arrive: b.arrive, Deadline: b.deadline, Changed: b.changed,
		Seats: b.seats, Cents: b.cents, State: b.state}
	var err error
	if t.From, t.FromDoor, err = b.from.name(ctx, tx); err != nil {
		return nil, err
	}
	if t.To, t.ToDoor, err = b.to.name(ctx, tx); err != nil {
		return nil, err
	}
	if third {
		t.FromDoor, t.ToDoor = false, false
		return t, nil
	}
	other := b.driver
	known, err := known(ctx, tx, Booking{Rider: b.rider, Driver: b.driver, State: b.state, Drop: Stop{At: b.arrive}}, kept)
	if err != nil {
		return nil, err
	}
	if t.Driver {
		other = b.rider
		if known {
			if t.FromAddress, err = b.from.words(ctx, tx); err != nil {
				return nil, err
			}
			if t.ToAddress, err = b.to.words(ctx, tx); err != nil {
				return nil, err
			}
		}
	}
	return t, t.party(ctx, tx, reader, other, b.ride, known)
}

// Trips are the bookings of a member, as rider and as driver, that begin within
// a time and were asked for or accepted, in order; as a notice would show them.
func (p *Members) Trips(ctx context.Context, member MemberID, from, to time.Time) ([]NoticeTrip, error) {
	var out []NoticeTrip
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, `SELECT `+tripColumns+` FROM carpool_bookings
			WHERE (rider = $1 OR driver = $1) AND pickup_ms >= $2 AND pickup_ms < $3 AND state IN ('asked', 'accepted', 'boarded', 'completed')
			ORDER BY pickup_ms, id LIMIT 1000`, sentence(string(member)), store.Millis(from), store.Millis(to))
		if err != nil {
			return err
		}
		found, err := all(rows, scanTrip)
		if err != nil {
			return err
		}
		for _, b := range found {
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
	var (
		from, to      end
		rider, way    string
		state         RequestState
		leave, arrive int64
		companions    int
	)
	err := tx.QueryRow(ctx, `SELECT rider, from_place, from_address, to_place, to_address, from_ms, to_ms, companions, state, way FROM carpool_requests WHERE id = $1`, sentence(id)).
		Scan(&rider, &from.place, &from.address, &to.place, &to.address, &leave, &arrive, &companions, &state, &way)
	if err != nil {
		return none(err)
	}
	v.Stale = v.Stale || past(v.Notice.Kind, state)
	if WayKind(way) == WayBus && v.Bus == nil {
		v.Bus = &Bus{}
	}
	if v.Trip != nil {
		return nil // the booking says more
	}
	t := &NoticeTrip{Leave: moment(leave), Arrive: moment(arrive), Window: true, Seats: 1 + companions, Driver: MemberID(rider) != v.To.ID}
	if t.Driver {
		m, err := memberIn(ctx, tx, MemberID(rider))
		if err != nil {
			return err
		}
		if m.Minor && m.Guardian == v.To.ID {
			t.Driver, v.For = false, m.First
		}
	}
	if t.From, t.FromDoor, err = from.name(ctx, tx); err != nil {
		return err
	}
	if t.To, t.ToDoor, err = to.name(ctx, tx); err != nil {
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
