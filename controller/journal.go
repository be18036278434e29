package controller

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store"
)

//go:embed changes/*.sql
var changeFiles embed.FS

// journal keeps changes in the store. A record is one row with its value as
// JSON, its events are rows of their own; the other columns are for looking up.
type journal struct{ db *store.DB }

func (j journal) open(ctx context.Context) error {
	files, err := fs.Sub(changeFiles, "changes")
	if err != nil {
		return err
	}
	return j.db.Migrate(ctx, "changes", files)
}

// put writes a record as it is now and its newest events.
func (j journal) put(ctx context.Context, tx *store.Tx, r ChangeRecord, events []ChangeEvent) error {
	bare := r.turned(freeze)
	bare.Events = nil
	body, err := json.Marshal(bare)
	if err != nil {
		return fmt.Errorf("change %s: %w", r.ID, err)
	}
	var until any
	if r.Until != nil {
		until = store.Millis(*r.Until)
	}
	_, err = tx.Exec(ctx, `INSERT INTO changes (id, state, ended, created_ms, until_ms, who, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended = excluded.ended, until_ms = excluded.until_ms, body = excluded.body`,
		r.ID, string(r.State), flag(r.State.Ended()), store.Millis(r.Created), until, r.Who, string(body))
	if err != nil {
		return fmt.Errorf("write change %s: %w", r.ID, err)
	}
	for _, d := range r.Devices {
		over := r.State.Ended() || d.State.ended() && d.State != StepConfirmed // which may have to come back
		var at any
		if over {
			at = store.Millis(tx.Now)
		}
		_, err := tx.Exec(ctx, `INSERT INTO changes_devices (change_id, device, ended, ended_ms) VALUES ($1, $2, $3, $4)
			ON CONFLICT (change_id, device) DO UPDATE SET ended = excluded.ended, ended_ms = COALESCE(changes_devices.ended_ms, excluded.ended_ms)`,
			r.ID, string(d.Device), flag(over), at)
		if err != nil {
			return fmt.Errorf("write change %s: %w", r.ID, err)
		}
	}
	if r.State.Ended() { // also the devices that left it on the way
		_, err := tx.Exec(ctx, `UPDATE changes_devices SET ended = 1, ended_ms = COALESCE(ended_ms, $2) WHERE change_id = $1`, r.ID, store.Millis(tx.Now))
		if err != nil {
			return fmt.Errorf("write change %s: %w", r.ID, err)
		}
	}
	for _, e := range events {
		_, err := tx.Exec(ctx, `INSERT INTO changes_events (change_id, seq, at_ms, device, step, body) VALUES ($1, $2, $3, $4, $5, $6)`,
			r.ID, e.Seq, store.Millis(e.At), string(e.Device), e.Step, e.Text)
		if err != nil {
			return fmt.Errorf("write change %s: %w", r.ID, err)
		}
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// get reads one change with its events.
func (j journal) get(ctx context.Context, id string) (ChangeRecord, error) {
	var r ChangeRecord
	err := j.db.View(ctx, func(tx *store.Tx) error {
		r = ChangeRecord{}
		var body string
		err := tx.QueryRow(ctx, `SELECT body FROM changes WHERE id = $1`, id).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no change %.40q: the history lists those there were", id)
		}
		if err != nil {
			return fmt.Errorf("read change %s: %w", id, err)
		}
		if r, err = readChange(id, body); err != nil {
			return err
		}
		r.Events, err = readEvents(ctx, tx, id)
		return err
	})
	return r, err
}

func readChange(id, body string) (ChangeRecord, error) {
	var r ChangeRecord
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("read change %s: %w", id, err)
	}
	r.Events = []ChangeEvent{}
	return r.turned(thaw), nil
}

func readEvents(ctx context.Context, tx *store.Tx, id string) ([]ChangeEvent, error) {
	rows, err := tx.Query(ctx, `SELECT seq, at_ms, device, step, body FROM changes_events WHERE change_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read change %s: %w", id, err)
	}
	defer rows.Close()
	events := []ChangeEvent{}
	for rows.Next() {
		var e ChangeEvent
		var at int64
		if err := rows.Scan(&e.Seq, &at, &e.Device, &e.Step, &e.Text); err != nil {
			return nil, fmt.Errorf("read change %s: %w", id, err)
		}
		e.At = store.Time(at)
		events = append(events, e)
	}
	return events, rows.Err()
}

// list reads changes by a query that gives id and body.
func (j journal) list(ctx context.Context, query string, args ...any) ([]ChangeRecord, error) {
	var out []ChangeRecord
	err := j.db.View(ctx, func(tx *store.Tx) error {
		out = []ChangeRecord{}
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("read changes: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, body string
			if err := rows.Scan(&id, &body); err != nil {
				return fmt.Errorf("read changes: %w", err)
			}
			r, err := readChange(id, body)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}

// history lists the changes before one, the newest first; the zero record is
// before none.
func (j journal) history(ctx context.Context, d network.DeviceID, before ChangeRecord, limit int) ([]ChangeRecord, error) {
	latest := int64(1) << 62
	if before.ID != "" {
		latest = store.Millis(before.Created)
	}
	query, args := `SELECT id, body FROM changes WHERE (created_ms < $1 OR created_ms = $1 AND id < $2)`, []any{latest, before.ID}
	if d != "" {
		query += ` AND id IN (SELECT change_id FROM changes_devices WHERE device = $4)`
		args = append(args, limit, string(d))
	} else {
		args = append(args, limit)
	}
	return j.list(ctx, query+` ORDER BY created_ms DESC, id DESC LIMIT $3`, args...)
}

// unended reads the changes that are under way, with their events.
func (j journal) unended(ctx context.Context) ([]ChangeRecord, error) {
	list, err := j.list(ctx, `SELECT id, body FROM changes WHERE ended = 0 ORDER BY created_ms, id`)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i], err = j.get(ctx, list[i].ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}
