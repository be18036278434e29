package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// Served says how well the portal serves, in counts without a name.
type Served struct {
	Requests map[RequestState]int `json:"requests"`
	Bookings map[BookingState]int `json:"bookings"`
	Needed   int                  `json:"needed"` // requests whose time has come, and that were not withdrawn
	Lifts    int                  `json:"lifts"`  // of them: rode with a neighbour
	Stated   int                  `json:"stated"` // of them: told of a bus, the list or the desk
	CO2Kg    float64              `json:"co2_saved_kg"`
	Method   string               `json:"co2_method"`
}

// ServedIn counts the requests and bookings whose time lies in a span.
func (p *Portal) ServedIn(ctx context.Context, from, to time.Time) (Served, error) {
	var out Served
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = Served{Requests: map[RequestState]int{}, Bookings: map[BookingState]int{}, Method: CO2Method}
		a, b := store.Millis(from), store.Millis(to)
		if err := counted(ctx, tx, out.Requests, `SELECT state, count(*) FROM carpool_requests WHERE to_ms >= $1 AND to_ms < $2 GROUP BY state`, a, b); err != nil {
			return err
		}
		if err := counted(ctx, tx, out.Bookings, `SELECT state, count(*) FROM carpool_bookings WHERE pickup_ms >= $1 AND pickup_ms < $2 GROUP BY state`, a, b); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*), COALESCE(SUM(rode), 0) FROM (
			SELECT CASE WHEN EXISTS (SELECT 1 FROM carpool_bookings b WHERE b.request = q.id AND b.state IN ('boarded', 'completed')) THEN 1 ELSE 0 END AS rode
			FROM carpool_requests q WHERE q.to_ms >= $1 AND q.to_ms < $2 AND q.to_ms <= $3 AND q.state <> 'withdrawn') AS w`,
			a, b, store.Millis(tx.Now)).Scan(&out.Needed, &out.Lifts)
	})
	if err != nil {
		return Served{}, fmt.Errorf("count requests: %w", err)
	}
	out.Stated = out.Needed - out.Lifts
	list, err := p.travelled(ctx, from, to)
	if err != nil {
		return Served{}, err
	}
	for _, t := range list {
		out.CO2Kg += CO2Saved([]Lifted{{t.Metres, t.ByBus}}, t.Detour)
	}
	return out, nil
}

func counted[K ~string](ctx context.Context, tx *store.Tx, into map[K]int, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k string
		var n int
		if err := rows.Scan(&k, &n); err != nil {
			return err
		}
		into[K(k)] = n
	}
	return rows.Err()
}
