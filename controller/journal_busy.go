package controller

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

// changing are the devices that are in a change now, or were at a time.
func (j journal) changing(ctx context.Context, tx *store.Tx, at time.Time) (map[network.DeviceID]bool, error) {
	rows, err := tx.Query(ctx, `SELECT device FROM changes_devices WHERE ended = 0 OR ended_ms >= $1`, store.Millis(at))
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	out := map[network.DeviceID]bool{}
	for rows.Next() {
		var d network.DeviceID
		if err := rows.Scan(&d); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		out[d] = true
	}
	return out, rows.Err()
}

// busyDevice is a device in a change that has not ended.
type busyDevice struct {
	device     network.DeviceID
	change     string
	who        string
	since      time.Time
	until      time.Time // zero: not armed yet
	changeOver bool      // the hold is over, so that it disturbs no neighbour
}

func (j journal) busy(ctx context.Context, tx *store.Tx) ([]busyDevice, error) {
	rows, err := tx.Query(ctx, `SELECT d.device, c.id, c.who, c.created_ms, c.until_ms FROM changes_devices d
		JOIN changes c ON c.id = d.change_id WHERE d.ended = 0 ORDER BY c.created_ms, d.device`)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	var out []busyDevice
	for rows.Next() {
		var b busyDevice
		var since int64
		var until sql.NullInt64
		if err := rows.Scan(&b.device, &b.change, &b.who, &since, &until); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		b.since = store.Time(since)
		if until.Valid {
			b.until = store.Time(until.Int64)
			b.changeOver = b.until.Before(tx.Now)
		}
		out = append(out, b)
	}
	return out, rows.Err()
}
