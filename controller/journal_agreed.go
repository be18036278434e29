package controller

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

// agreed reads what devices and files last agreed on, with the time of it.
func (j journal) agreed(ctx context.Context) (map[network.DeviceID]Agreed, error) {
	var out map[network.DeviceID]Agreed
	err := j.db.View(ctx, func(tx *store.Tx) error {
		out = map[network.DeviceID]Agreed{}
		rows, err := tx.Query(ctx, `SELECT device, body FROM changes_agreed`)
		if err != nil {
			return fmt.Errorf("read what was agreed: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var d, body string
			if err := rows.Scan(&d, &body); err != nil {
				return fmt.Errorf("read what was agreed: %w", err)
			}
			a, err := readAgreed(network.DeviceID(d), body)
			if err != nil {
				return err
			}
			out[network.DeviceID(d)] = a
		}
		return rows.Err()
	})
	return out, err
}

// agree writes what a device and the files agreed on at a time; what is newer
// stays.
func (j journal) agree(ctx context.Context, tx *store.Tx, d network.DeviceID, at time.Time, a Agreed) error {
	body, err := json.Marshal(a.rows())
	if err != nil {
		return fmt.Errorf("what was agreed with %s: %w", d, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO changes_agreed (device, at_ms, body) VALUES ($1, $2, $3)
		ON CONFLICT (device) DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body WHERE changes_agreed.at_ms <= excluded.at_ms`,
		string(d), store.Millis(at), string(body))
	if err != nil {
		return fmt.Errorf("write what was agreed with %s: %w", d, err)
	}
	return nil
}

// stay writes down that a confirmed change is what device and files agree on.
func (j journal) stay(ctx context.Context, tx *store.Tx, r ChangeRecord) error {
	for _, d := range r.Devices {
		a, err := j.agreedWith(ctx, tx, d.Device)
		if err != nil {
			return err
		}
		for _, c := range d.Changes {
			a[c.Key] = c.To
		}
		if err := j.agree(ctx, tx, d.Device, tx.Now, a); err != nil {
			return err
		}
	}
	return nil
}

func (j journal) agreedWith(ctx context.Context, tx *store.Tx, d network.DeviceID) (Agreed, error) {
	var body string
	err := tx.QueryRow(ctx, `SELECT body FROM changes_agreed WHERE device = $1`, string(d)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return Agreed{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was agreed with %s: %w", d, err)
	}
	return readAgreed(d, body)
}

func readAgreed(d network.DeviceID, body string) (Agreed, error) {
	var list []agreedRow
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, fmt.Errorf("read what was agreed with %s: %w", d, err)
	}
	a := Agreed{}
	for _, r := range list {
		c := eachValue(network.Change{Key: r.Key, To: r.Value}, thaw)
		a[c.Key] = c.To
	}
	return a, nil
}
