package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const bookingColumns = `id, request, ride, rider, driver, seats, pickup_place, pickup_address, pickup_lon, pickup_lat, pickup_ms,
	drop_place, drop_address, drop_lon, drop_lat, drop_ms, cents, metres, walk_to_ms, walk_from_ms, aboard_ms,
	state, ended_by, reason, deadline_ms, created_ms, changed_ms, unseen`

func scanBooking(row scanner) (Booking, error) {
	var b Booking
	var pickup, drop, to, from, aboard, deadline, created, changed int64
	var unseen int
	err := row.Scan(&b.ID, &b.Request, &b.Ride, &b.Rider, &b.Driver, &b.Seats,
		&b.Pickup.Spot.Place, &b.Pickup.Spot.kept, &b.Pickup.Spot.At.Lon, &b.Pickup.Spot.At.Lat, &pickup,
		&b.Drop.Spot.Place, &b.Drop.Spot.kept, &b.Drop.Spot.At.Lon, &b.Drop.Spot.At.Lat, &drop,
		&b.Cents, &b.Metres, &to, &from, &aboard, &b.State, &b.EndedBy, &b.Reason, &deadline, &created, &changed, &unseen)
	b.Pickup.Kind, b.Pickup.Booking, b.Pickup.Seats, b.Pickup.At = StopPickup, b.ID, b.Seats, moment(pickup)
	b.Drop.Kind, b.Drop.Booking, b.Drop.Seats, b.Drop.At = StopDrop, b.ID, b.Seats, moment(drop)
	b.walk = [2]time.Duration{time.Duration(to) * time.Millisecond, time.Duration(from) * time.Millisecond}
	b.aboard, b.unseen = time.Duration(aboard)*time.Millisecond, unseen != 0
	b.Deadline, b.Created, b.Changed = moment(deadline), moment(created), moment(changed)
	return b, err
}

// bookingsWhere reads bookings by a condition, the earliest pick-up first,
// coarse.
func bookingsWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Booking, error) {
	rows, err := tx.Query(ctx, `SELECT `+bookingColumns+` FROM carpool_bookings WHERE `+where+` ORDER BY pickup_ms, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read bookings: %w", err)
	}
	out, err := all(rows, scanBooking)
	if err != nil {
		return nil, fmt.Errorf("read bookings: %w", err)
	}
	return out, nil
}

// bookingIn reads a booking, coarse; NotFound where there is none.
func bookingIn(ctx context.Context, tx *store.Tx, id BookingID) (Booking, error) {
	out, err := bookingsWhere(ctx, tx, `id = $1`, sentence(string(id)))
	if err != nil {
		return Booking{}, err
	}
	if len(out) == 0 {
		return Booking{}, fault.New(fault.NotFound, "there is no such booking")
	}
	return out[0], nil
}

// putBooking writes a booking, new or changed.
func putBooking(ctx context.Context, tx *store.Tx, b Booking) error {
	_, err := tx.Exec(ctx, `INSERT INTO carpool_bookings (`+bookingColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
		ON CONFLICT (id) DO UPDATE SET pickup_ms = excluded.pickup_ms, drop_ms = excluded.drop_ms, state = excluded.state, ended_by = excluded.ended_by, reason = excluded.reason,
			deadline_ms = excluded.deadline_ms, changed_ms = excluded.changed_ms`,
		string(b.ID), string(b.Request), string(b.Ride), string(b.Rider), string(b.Driver), b.Seats,
		string(b.Pickup.Spot.Place), b.Pickup.Spot.kept, b.Pickup.Spot.At.Lon, b.Pickup.Spot.At.Lat, millis(b.Pickup.At),
		string(b.Drop.Spot.Place), b.Drop.Spot.kept, b.Drop.Spot.At.Lon, b.Drop.Spot.At.Lat, millis(b.Drop.At),
		b.Cents, b.Metres, b.walk[0].Milliseconds(), b.walk[1].Milliseconds(), b.aboard.Milliseconds(),
		string(b.State), string(b.EndedBy), b.Reason, millis(b.Deadline), millis(b.Created), millis(b.Changed), flag(b.unseen))
	if err != nil {
		return fmt.Errorf("write booking %s: %w", b.ID, err)
	}
	return nil
}

// moment of a booking, for Next.
func (b Booking) moment(now time.Time) Moment {
	return Moment{Now: now, Deadline: b.Deadline, Pickup: b.Pickup.At, Drop: b.Drop.At, Said: b.EndedBy}
}

// exact gives the spots of a booking their exact place.
func (b *Booking) exact(ctx context.Context, tx *store.Tx) (err error) {
	if b.Pickup.Spot, err = exactSpot(ctx, tx, b.Pickup.Spot); err != nil {
		return err
	}
	b.Drop.Spot, err = exactSpot(ctx, tx, b.Drop.Spot)
	return err
}
