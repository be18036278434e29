package carpool

import (
	"context"
	"fmt"
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/unit"
)

// Clear is how far a stop of the open timetable is from every private address
// that is kept. Which points are stops is what their comune says of the ground;
// no address that is kept later changes it, or the timetable would tell where
// somebody lives. So both sides refuse: a point that is near a door is not
// published, and near a published point no door is kept.
const Clear unit.Metres = 100

// clearHalf bounds the rows that are read: more than Clear in degrees of
// latitude.
const clearHalf = 0.001

var (
	// ErrUsePoint is said to whoever gives an address beside a published point.
	ErrUsePoint = fault.New(fault.Invalid, "address: less than 100 m from a meeting point of the open timetable; choose that meeting point")
	// ErrNearDoor is said to the comune that publishes a point beside an address.
	ErrNearDoor = fault.New(fault.Conflict, "meeting point: a journey begins or ends at a door within 100 m; leave it out of the open timetable")
)

// clearOfStops refuses a door beside a published point.
func clearOfStops(ctx context.Context, tx *store.Tx, door geo.LonLat) error {
	return farFrom(ctx, tx, `SELECT lon, lat FROM carpool_places WHERE published = 1 AND closed = 0 AND lat > $1 AND lat < $2`, door, ErrUsePoint)
}

// clearOfDoors refuses to publish a point beside a door.
func clearOfDoors(ctx context.Context, tx *store.Tx, p Place) error {
	if !p.Published || p.Closed {
		return nil
	}
	return farFrom(ctx, tx, `SELECT lon, lat FROM carpool_addresses WHERE lat > $1 AND lat < $2`, p.At, ErrNearDoor)
}

func farFrom(ctx context.Context, tx *store.Tx, query string, from geo.LonLat, near error) error {
	rows, err := tx.Query(ctx, query, from.Lat-clearHalf, from.Lat+clearHalf)
	if err != nil {
		return fmt.Errorf("read what is near: %w", err)
	}
	points, err := all(rows, func(row scanner) (p geo.LonLat, err error) { return p, row.Scan(&p.Lon, &p.Lat) })
	if err != nil {
		return fmt.Errorf("read what is near: %w", err)
	}
	// A metre more: positions are rounded when they are published.
	if slices.ContainsFunc(points, func(p geo.LonLat) bool { return from.Distance(p) < Clear+1 }) {
		return near
	}
	return nil
}
