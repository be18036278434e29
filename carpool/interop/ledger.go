package interop

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// entry is a booking as both operators know it.
type entry struct {
	Booking
	operator string
	digest   string
	ref      string
}

const entryQuery = `SELECT id, operator, digest, ref, body, status FROM interop_bookings`

func scanEntry(scan func(...any) error) (entry, error) {
	var e entry
	var id, body, status string
	if err := scan(&id, &e.operator, &e.digest, &e.ref, &body, &status); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(body), &e.Booking); err != nil {
		return e, fmt.Errorf("booking %s: read what is kept: %w", id, err)
	}
	e.ID, e.Status = id, Status(status)
	return e, nil
}

// entries are the bookings that meet a condition.
func (s *Server) entries(ctx context.Context, where string, args ...any) ([]entry, error) {
	var out []entry
	err := s.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, entryQuery+` WHERE `+where+` ORDER BY id`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scanEntry(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}

// find a booking of an operator. Those of others are not there.
func (s *Server) find(ctx context.Context, operator, id string) (entry, error) {
	var e entry
	err := s.deps.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		e, err = s.entryIn(ctx, tx, operator, id)
		return err
	})
	return e, err
}

func (s *Server) entryIn(ctx context.Context, tx *store.Tx, operator, id string) (entry, error) {
	e, err := scanEntry(tx.QueryRow(ctx, entryQuery+` WHERE id = $1`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && e.operator != operator {
		return entry{}, missingBooking
	}
	return e, err
}

// claim keeps the name of a booking for what was posted. What was posted
// already with the same words is found again.
func (s *Server) claim(ctx context.Context, operator, digest string, b Booking) (entry, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return entry{}, fmt.Errorf("booking %s: %w", b.ID, err)
	}
	var e entry
	err = s.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO interop_bookings (id, operator, digest, ref, body, status, pickup_ms, created_ms, changed_ms)
			VALUES ($1, $2, $3, '', $4, $5, $6, $7, $7) ON CONFLICT (id) DO NOTHING`,
			b.ID, operator, digest, string(text), string(b.Status), store.Millis(b.PickupDate.Time()), store.Millis(tx.Now))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if e, err = s.entryIn(ctx, tx, operator, b.ID); errors.Is(err, missingBooking) || err == nil && e.digest != digest {
			return fault.New(fault.Invalid, "id: a booking of that id exists already")
		}
		if err != nil || n == 0 {
			return err
		}
		return s.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.outside.claim", Object: b.ID, Detail: map[string]string{"operator": operator}})
	})
	return e, err
}

// made notes the portal's booking.
func (s *Server) made(ctx context.Context, e entry) error {
	text, err := json.Marshal(e.Booking)
	if err != nil {
		return fmt.Errorf("booking %s: %w", e.ID, err)
	}
	return s.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.outside.book", Object: e.ID, Detail: map[string]string{"operator": e.operator, "booking": e.ref}}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE interop_bookings SET ref = $2, body = $3, status = $4, changed_ms = $5 WHERE id = $1`,
			e.ID, e.ref, string(text), string(e.Status), store.Millis(tx.Now))
		return err
	})
}

// drop lets go of a name for which no booking came about.
func (s *Server) drop(ctx context.Context, id string) error {
	return s.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.outside.drop", Object: id}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM interop_bookings WHERE id = $1 AND ref = ''`, id)
		return err
	})
}

// note writes the status that both know now.
func (s *Server) note(ctx context.Context, id string, to Status) error {
	return s.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.outside.status", Object: id, Detail: map[string]string{"status": string(to)}}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE interop_bookings SET status = $2, changed_ms = $3 WHERE id = $1`, id, string(to), store.Millis(tx.Now))
		return err
	})
}

// forget drops bookings and events that nobody needs any more.
func (s *Server) forget(ctx context.Context, now time.Time) error {
	before := store.Millis(now.Add(-s.cfg.Kept))
	return s.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM interop_bookings WHERE pickup_ms < $1 AND changed_ms < $1`, before)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM interop_told WHERE until_ms < $1`, store.Millis(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM interop_events WHERE at_ms < $1`, before); err != nil || n == 0 {
			return err
		}
		return s.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.outside.forget", Detail: map[string]string{"bookings": fmt.Sprint(n)}})
	})
}
