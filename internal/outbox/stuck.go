package outbox

import (
	"context"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Stuck is a message that was given up. Its body is not shown.
type Stuck struct {
	ID    string    `json:"id"`
	Queue string    `json:"queue"`
	Key   string    `json:"key"`
	Tries int       `json:"tries"`
	Error string    `json:"error"` // of the last try
	Added time.Time `json:"added"`
}

// List gives the messages that were given up, the oldest first, at most limit.
func (b *Box) List(ctx context.Context, limit int) ([]Stuck, error) {
	var out []Stuck
	err := b.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, `SELECT id, queue, key, tries, error, added_ms FROM outbox_messages
			WHERE given_up = 1 ORDER BY added_ms, id LIMIT $1`, max(limit, 0))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s Stuck
			var added int64
			if err := rows.Scan(&s.ID, &s.Queue, &s.Key, &s.Tries, &s.Error, &added); err != nil {
				return err
			}
			s.Added = store.Time(added)
			out = append(out, s)
		}
		return rows.Err()
	})
	return out, err
}

// Retry makes a given-up message due now, as if it were new. NotFound when
// there is none.
func (b *Box) Retry(ctx context.Context, id string) error {
	err := b.deps.Store.Do(ctx, func(tx *store.Tx) error { return b.RetryIn(ctx, tx, id) })
	if err == nil {
		b.Wake()
	}
	return err
}

// RetryIn is Retry in a transaction of the caller, who wakes the box after it.
func (b *Box) RetryIn(ctx context.Context, tx *store.Tx, id string) error {
	return settle(ctx, tx, "try again", `UPDATE outbox_messages SET given_up = 0, tries = 0, due_ms = $2 WHERE id = $1 AND given_up = 1`, id, store.Millis(tx.Now))
}

// Drop takes a given-up message away for good; its key stays known for
// Config.Keep. NotFound when there is none.
func (b *Box) Drop(ctx context.Context, id string) error {
	return b.deps.Store.Do(ctx, func(tx *store.Tx) error { return b.DropIn(ctx, tx, id) })
}

// DropIn is Drop in a transaction of the caller.
func (b *Box) DropIn(ctx context.Context, tx *store.Tx, id string) error {
	return settle(ctx, tx, "drop", `UPDATE outbox_messages SET given_up = 0, done_ms = $2, body = $3 WHERE id = $1 AND given_up = 1`, id, store.Millis(tx.Now), []byte{})
}

func settle(ctx context.Context, tx *store.Tx, doing, query string, args ...any) error {
	res, err := tx.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.New(fault.NotFound, "%s a message: none of that name was given up", doing)
}

// Figures are counts of what waits, and of what this process delivered.
type Figures struct {
	Waiting   int64                   `json:"waiting"`
	GivenUp   int64                   `json:"given_up"`
	Delivered uint64                  `json:"delivered"`
	Failed    uint64                  `json:"failed"` // tries
	Queues    map[string]QueueFigures `json:"queues"`
}

// QueueFigures are those of one queue.
type QueueFigures struct {
	Waiting   int64     `json:"waiting"`
	GivenUp   int64     `json:"given_up"`
	Delivered uint64    `json:"delivered"`
	Failed    uint64    `json:"failed"`
	Oldest    time.Time `json:"oldest,omitzero"` // of those that wait, by when it was added
}

// Figures of the box now.
func (b *Box) Figures(ctx context.Context) (Figures, error) {
	var f Figures
	err := b.deps.Store.View(ctx, func(tx *store.Tx) error {
		f = Figures{Queues: map[string]QueueFigures{}}
		rows, err := tx.Query(ctx, `SELECT queue, SUM(1 - given_up), SUM(given_up), MIN(CASE given_up WHEN 0 THEN added_ms END)
			FROM outbox_messages WHERE done_ms = 0 GROUP BY queue`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var q QueueFigures
			var oldest *int64
			if err := rows.Scan(&name, &q.Waiting, &q.GivenUp, &oldest); err != nil {
				return err
			}
			if oldest != nil {
				q.Oldest = store.Time(*oldest)
			}
			f.Queues[name] = q
			f.Waiting += q.Waiting
			f.GivenUp += q.GivenUp
		}
		return rows.Err()
	})
	if err != nil {
		return Figures{}, err
	}
	for _, q := range b.all() {
		one := f.Queues[q.name]
		one.Delivered, one.Failed = q.done.Load(), q.failed.Load()
		f.Queues[q.name] = one
		f.Delivered += one.Delivered
		f.Failed += one.Failed
	}
	return f, nil
}
