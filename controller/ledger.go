package controller

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/crinale/crinale/internal/store"
)

//go:embed ledger/*.sql
var ledgerFiles embed.FS

// StoreLedger keeps alerts in the relational store. Each alert is one row; its
// whole value is JSON in the column body, and the other columns are for
// looking up.
type StoreLedger struct {
	db *store.DB
}

var _ Ledger = (*StoreLedger)(nil)

// NewLedger keeps alerts in db; it touches nothing until it is used.
func NewLedger(db *store.DB) *StoreLedger { return &StoreLedger{db} }

// Load makes the table where it is absent, and reads every open alert and the
// newest closed ones.
func (l *StoreLedger) Load(ctx context.Context) ([]Alert, error) {
	files, err := fs.Sub(ledgerFiles, "ledger")
	if err != nil {
		return nil, err
	}
	if err := l.db.Migrate(ctx, "alerts", files); err != nil {
		return nil, err
	}
	var alerts []Alert
	err = l.db.View(ctx, func(tx *store.Tx) error {
		open, err := readAlerts(ctx, tx, `SELECT id, body FROM alerts WHERE closed_ms IS NULL ORDER BY opened_ms`)
		if err != nil {
			return err
		}
		closed, err := readAlerts(ctx, tx, `SELECT id, body FROM alerts WHERE closed_ms IS NOT NULL ORDER BY closed_ms DESC LIMIT $1`, keptClosed)
		alerts = append(open, closed...)
		return err
	})
	return alerts, err
}

func readAlerts(ctx context.Context, tx *store.Tx, query string, args ...any) ([]Alert, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rows.Close()
	var alerts []Alert
	for rows.Next() {
		var id, body string
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		var a Alert
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			return nil, fmt.Errorf("read alert %s: %w", id, err)
		}
		alerts = append(alerts, a)
	}
	return alerts, rows.Err()
}

// Save writes all or none.
func (l *StoreLedger) Save(ctx context.Context, alerts []Alert) error {
	return l.db.Do(ctx, func(tx *store.Tx) error {
		for _, a := range alerts {
			body, err := json.Marshal(a)
			if err != nil {
				return fmt.Errorf("alert %s: %w", a.ID, err)
			}
			var closed any
			if a.Closed != nil {
				closed = store.Millis(*a.Closed)
			}
			_, err = tx.Exec(ctx, `INSERT INTO alerts (id, kind, link, device, opened_ms, closed_ms, body)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (id) DO UPDATE SET closed_ms = excluded.closed_ms, body = excluded.body`,
				a.ID, string(a.Kind), string(a.Link), string(a.Device), store.Millis(a.Opened), closed, string(body))
			if err != nil {
				return fmt.Errorf("write alert %s: %w", a.ID, err)
			}
		}
		return nil
	})
}
