package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const rideColumns = `id, offer, driver, vehicle, depart_ms, direct_ms, seats, state, risk, version`

func scanRide(row scanner) (Ride, error) {
	var r Ride
	var depart, direct int64
	err := row.Scan(&r.ID, &r.Offer, &r.Driver, &r.Vehicle, &depart, &direct, &r.Seats, &r.State, &r.Risk, &r.version)
	r.Depart, r.direct = moment(depart), time.Duration(direct)*time.Millisecond
	return r, err
}

// scanStop gives the name of the ride with the stop.
func scanStop(row scanner) (rideStop, error) {
	var s rideStop
	var at int64
	err := row.Scan(&s.ride, &s.Kind, &s.Booking, &s.Spot.Place, &s.Spot.kept, &s.Spot.At.Lon, &s.Spot.At.Lat, &at, &s.Seats)
	s.At = moment(at)
	return s, err
}

type rideStop struct {
	ride RideID
	Stop
}

// rideIn reads a ride with its stops, coarse; NotFound where there is none.
func rideIn(ctx context.Context, tx *store.Tx, id RideID) (Ride, error) {
	rides, err := ridesWhere(ctx, tx, `id = $1`, sentence(string(id)))
	if err != nil {
		return Ride{}, err
	}
	if len(rides) == 0 {
		return Ride{}, fault.New(fault.NotFound, "there is no such ride")
	}
	return rides[0], nil
}

// ridesIn are the rides of a driver that leave in a span, in order, coarse; not
// those that gave their day back when the offer was changed (see clear).
func ridesIn(ctx context.Context, tx *store.Tx, driver MemberID, from, to time.Time) ([]Ride, error) {
	return ridesWhere(ctx, tx, `driver = $1 AND depart_ms >= $2 AND depart_ms < $3 AND NOT (state = 'cancelled' AND slot = id)`, string(driver), store.Millis(from), store.Millis(to))
}

// ridesWhere reads rides with their stops by one condition on their columns.
func ridesWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Ride, error) {
	rows, err := tx.Query(ctx, `SELECT `+rideColumns+` FROM carpool_rides WHERE `+where+` ORDER BY depart_ms, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read rides: %w", err)
	}
	rides, err := all(rows, scanRide)
	if err != nil || len(rides) == 0 {
		return rides, err
	}
	rows, err = tx.Query(ctx, `SELECT ride, kind, booking, place, address, lon, lat, at_ms, seats FROM carpool_stops
		WHERE ride IN (SELECT id FROM carpool_rides WHERE `+where+`) ORDER BY ride, position`, args...)
	if err != nil {
		return nil, fmt.Errorf("read stops: %w", err)
	}
	stops, err := all(rows, scanStop)
	if err != nil {
		return nil, fmt.Errorf("read stops: %w", err)
	}
	at := make(map[RideID]int, len(rides))
	for i, r := range rides {
		at[r.ID] = i
	}
	for _, s := range stops {
		r := &rides[at[s.ride]]
		r.Stops = append(r.Stops, s.Stop)
	}
	for i := range rides {
		rides[i].Taken = mostAboard(rides[i].Stops)
	}
	return rides, nil
}

// putStops writes the stops of a ride anew, as its next version.
func putStops(ctx context.Context, tx *store.Tx, r Ride) error {
	if _, err := tx.Exec(ctx, `DELETE FROM carpool_stops WHERE ride = $1`, string(r.ID)); err != nil {
		return fmt.Errorf("write stops of %s: %w", r.ID, err)
	}
	var q strings.Builder
	args := []any{string(r.ID)}
	for i, s := range r.Stops {
		if i > 0 {
			q.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&q, "($1, %d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)", i, n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8)
		args = append(args, string(s.Kind), string(s.Booking), string(s.Spot.Place), s.Spot.kept, s.Spot.At.Lon, s.Spot.At.Lat, store.Millis(s.At), s.Seats)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO carpool_stops (ride, position, kind, booking, place, address, lon, lat, at_ms, seats) VALUES `+q.String(), args...); err != nil {
		return fmt.Errorf("write stops of %s: %w", r.ID, err)
	}
	_, err := tx.Exec(ctx, `UPDATE carpool_rides SET version = version + 1, leave_ms = $2, arrive_ms = $3 WHERE id = $1`,
		string(r.ID), store.Millis(r.Stops[0].At), store.Millis(r.Stops[len(r.Stops)-1].At))
	if err != nil {
		return fmt.Errorf("write ride %s: %w", r.ID, err)
	}
	return nil
}

// opened notes that a ride has room now that it did not have before.
func opened(ctx context.Context, tx *store.Tx, id RideID) error {
	_, err := tx.Exec(ctx, `UPDATE carpool_rides SET opened_ms = $2 WHERE id = $1`, string(id), store.Millis(tx.Now))
	return err
}

const offerColumns = `id, driver, vehicle, from_place, from_address, from_lon, from_lat, to_place, to_address, to_lon, to_lat,
	schedule, seats, aboard, max_detour_ms, flex_ms, door, carries, milli_eur_km, return_offer, note, state, created_ms`

func scanOffer(row scanner) (Offer, error) {
	var o Offer
	var schedule, carries string
	var detour, flex, door, created int64
	err := row.Scan(&o.ID, &o.Driver, &o.Vehicle, &o.From.Place, &o.From.kept, &o.From.At.Lon, &o.From.At.Lat,
		&o.To.Place, &o.To.kept, &o.To.At.Lon, &o.To.At.Lat,
		&schedule, &o.Seats, &o.Aboard, &detour, &flex, &door, &carries, &o.MilliEURKm, &o.Return, &o.Note, &o.State, &created)
	if err != nil {
		return o, err
	}
	o.MaxDetour, o.Flex, o.DoorToDoor, o.Created = time.Duration(detour)*time.Millisecond, time.Duration(flex)*time.Millisecond, door != 0, moment(created)
	if err := unpack(carries, &o.Carries); err != nil {
		return o, err
	}
	return o, unpack(schedule, &o.When)
}

// offerIn reads an offer, coarse; NotFound where there is none.
func offerIn(ctx context.Context, tx *store.Tx, id OfferID) (Offer, error) {
	o, err := scanOffer(tx.QueryRow(ctx, `SELECT `+offerColumns+` FROM carpool_offers WHERE id = $1`, sentence(string(id))))
	if errors.Is(err, sql.ErrNoRows) {
		return o, fault.New(fault.NotFound, "there is no such offer")
	}
	if err != nil {
		return o, fmt.Errorf("read offer %s: %w", id, err)
	}
	return o, nil
}

// putOffer writes an offer, new or changed. Rides are laid out anew up to laid.
func putOffer(ctx context.Context, tx *store.Tx, o Offer, laid Date) error {
	schedule, err := pack(o.When)
	if err != nil {
		return err
	}
	carries, err := pack(o.Carries)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO carpool_offers (`+offerColumns+`, recurs, laid)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
		ON CONFLICT (id) DO UPDATE SET vehicle = excluded.vehicle, from_place = excluded.from_place, from_address = excluded.from_address,
			from_lon = excluded.from_lon, from_lat = excluded.from_lat, to_place = excluded.to_place, to_address = excluded.to_address,
			to_lon = excluded.to_lon, to_lat = excluded.to_lat, schedule = excluded.schedule, seats = excluded.seats, aboard = excluded.aboard,
			max_detour_ms = excluded.max_detour_ms, flex_ms = excluded.flex_ms, door = excluded.door, carries = excluded.carries,
			milli_eur_km = excluded.milli_eur_km, return_offer = excluded.return_offer, note = excluded.note, state = excluded.state,
			recurs = excluded.recurs, laid = excluded.laid`,
		string(o.ID), string(o.Driver), string(o.Vehicle), string(o.From.Place), o.From.kept, o.From.At.Lon, o.From.At.Lat,
		string(o.To.Place), o.To.kept, o.To.At.Lon, o.To.At.Lat, schedule, o.Seats, o.Aboard,
		o.MaxDetour.Milliseconds(), o.Flex.Milliseconds(), flag(o.DoorToDoor), carries, o.MilliEURKm, string(o.Return), o.Note, string(o.State), millis(o.Created),
		flag(o.When.Rule != ""), string(laid))
	if err != nil {
		return fmt.Errorf("write offer %s: %w", o.ID, err)
	}
	return nil
}
