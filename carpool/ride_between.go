package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// A driver is in one place at a time: a ride is neither moved nor made longer
// into another of theirs.

// betweenMost is how near in time another ride can be to matter.
const betweenMost = 12 * time.Hour

// betweenOthers notes for each candidate when the driver's ride before it ends
// and the next begins.
func betweenOthers(ctx context.Context, tx *store.Tx, list []Candidate) error {
	if len(list) == 0 {
		return nil
	}
	first, last, driver := list[0].Ride.Stops[0].At, list[0].Ride.Stops[0].At, list[0].Ride.Driver
	for _, c := range list[1:] {
		at := c.Ride.Stops[0].At
		if at.Before(first) {
			first = at
		}
		last = later(last, at)
		if c.Ride.Driver != driver {
			driver = ""
		}
	}
	rows, err := tx.Query(ctx, `SELECT id, driver, leave_ms, arrive_ms FROM carpool_rides
		WHERE ($3 = '' OR driver = $3) AND depart_ms >= $1 AND depart_ms < $2 AND state IN ('open', 'under-way')`,
		store.Millis(first.Add(-betweenMost)), store.Millis(last.Add(betweenMost)), string(driver))
	if err != nil {
		return fmt.Errorf("read the rides of drivers: %w", err)
	}
	type span struct {
		ride          RideID
		driver        MemberID
		leave, arrive int64
	}
	spans, err := all(rows, func(row scanner) (s span, err error) { return s, row.Scan(&s.ride, &s.driver, &s.leave, &s.arrive) })
	if err != nil {
		return fmt.Errorf("read the rides of drivers: %w", err)
	}
	of := make(map[MemberID][]span, len(spans))
	for _, s := range spans {
		of[s.driver] = append(of[s.driver], s)
	}
	for i := range list {
		c := &list[i]
		leave := store.Millis(c.Ride.Stops[0].At)
		for _, s := range of[c.Ride.Driver] {
			switch {
			case s.ride == c.Ride.ID:
			case s.leave <= leave:
				c.After = later(c.After, moment(s.arrive))
			case c.Before.IsZero() || s.leave < store.Millis(c.Before):
				c.Before = moment(s.leave)
			}
		}
	}
	return nil
}

// elsewhere says whether the driver of a ride with these stops is on another
// ride at the same time.
func elsewhere(ctx context.Context, tx *store.Tx, r Ride, stops []Stop) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_rides WHERE driver = $1 AND id <> $2 AND state IN ('open', 'under-way') AND leave_ms < $3 AND arrive_ms > $4`,
		string(r.Driver), string(r.ID), store.Millis(stops[len(stops)-1].At), store.Millis(stops[0].At)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("read the other rides of the driver of %s: %w", r.ID, err)
	}
	return n > 0, nil
}
