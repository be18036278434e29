package interop

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
)

// What is kept of bookings that an operator tells of and that were not made here.
const (
	mostTold = 1000 // of one operator
	keepTold = 7 * 24 * time.Hour
	soonTold = 366 * 24 * time.Hour // how far ahead one may be
)

// keepTold keeps what an operator with ScopeOwn tells of a booking of its own. Nobody
// of the portal has part in it: it is matched with nothing, shown to nobody but
// that operator, and leads to no notice.
func (s *Server) keepTold(ctx context.Context, op Operator, b Booking) error {
	b = b.told(op.ID)
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("booking %s: %w", b.ID, err)
	}
	e := audit.Entry{Action: "carpool.outside.told", Object: b.ID, Detail: map[string]string{"operator": op.ID, "status": string(b.Status)}}
	return s.deps.Audit.Do(ctx, e, func(tx *store.Tx) error {
		pickup := b.PickupDate.Time()
		if pickup.Before(tx.Now.Add(-keepTold)) || pickup.After(tx.Now.Add(soonTold)) {
			return fault.New(fault.Invalid, "data: passengerPickupDate: it is over a week past, or over a year ahead")
		}
		var was string
		err := tx.QueryRow(ctx, `SELECT status FROM interop_told WHERE operator = $1 AND id = $2`, op.ID, b.ID).Scan(&was)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			var n int
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM interop_told WHERE operator = $1`, op.ID).Scan(&n); err != nil {
				return err
			}
			if n >= mostTold {
				return fault.New(fault.Invalid, "data: id: %d bookings of yours are kept here already", mostTold)
			}
		case err != nil:
			return err
		case Status(was) == b.Status: // the same event again, of which a sudden end kept the half
			return nil
		default:
			if err := step(Status(was), b.Status, true); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO interop_told (operator, id, body, status, until_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (operator, id) DO UPDATE SET status = excluded.status`,
			op.ID, b.ID, string(text), string(b.Status), store.Millis(pickup.Add(keepTold)))
		return err
	})
}

// told is what of a booking the standard's Booking must have: nobody by any name or
// id, no address, no car, and the middles of the cells in which it begins and ends.
// Both sides are the operator's own: it can tell of nobody here.
func (b Booking) told(operator string) Booking {
	out := Booking{ID: b.ID, PickupDate: b.PickupDate, Status: b.Status, Price: Price{Type: b.Price.Type}}
	out.Driver, out.Passenger = User{Operator: operator}, User{Operator: operator}
	from := carpool.CellOf(geo.LonLat{Lon: b.PickupLng, Lat: b.PickupLat}).Middle()
	to := carpool.CellOf(geo.LonLat{Lon: b.DropLng, Lat: b.DropLat}).Middle()
	out.PickupLat, out.PickupLng, out.DropLat, out.DropLng = from.Lat, from.Lon, to.Lat, to.Lon
	return out
}

// told finds a booking that an operator told of. Those of others are not there.
func (s *Server) told(ctx context.Context, operator, id string) (b Booking, err error) {
	var text, status string
	err = s.deps.Store.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT body, status FROM interop_told WHERE operator = $1 AND id = $2`, operator, id).Scan(&text, &status)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return b, missingBooking
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &b)
	}
	b.Status = Status(status)
	return b, err
}
