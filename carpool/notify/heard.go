package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
)

// heard is a message that came in, and how far it was taken.
type heard struct {
	message string // hash of its name
	known   bool   // it was brought before: what it answers is chosen
	notice  string // that it answers; "": none
	done    bool   // nothing is left to do
}

// recall is what is known of a message. As long as it is brought it is not
// forgotten.
func (n *Notifier) recall(ctx context.Context, id string) (heard, error) {
	h := heard{message: digest(id)}
	var stale bool
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		var day string
		err := tx.QueryRow(ctx, `SELECT day, notice, done FROM notify_heard WHERE message = $1`, h.message).Scan(&day, &h.notice, &h.done)
		h.known, stale = err == nil, err == nil && carpool.Date(day) != n.today(tx)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && stale {
		err = n.keep(ctx, h)
	}
	if err != nil {
		return h, fmt.Errorf("look for a message that came in: %w", err)
	}
	return h, nil
}

// keep writes down how far a message was taken.
func (n *Notifier) keep(ctx context.Context, h heard) error {
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error { return n.keepIn(ctx, tx, h) })
}

func (n *Notifier) keepIn(ctx context.Context, tx *store.Tx, h heard) error {
	done := 0
	if h.done {
		done = 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO notify_heard (message, day, notice, done) VALUES ($1, $2, $3, $4)
		ON CONFLICT (message) DO UPDATE SET day = excluded.day, done = excluded.done`, h.message, string(n.today(tx)), h.notice, done)
	if err != nil {
		return fmt.Errorf("note a message that came in: %w", err)
	}
	return nil
}

// finish ends a message: the question it answered is closed, the short answers
// to it wait to be sent, and it does nothing any more, all or nothing of it.
func (n *Notifier) finish(ctx context.Context, h heard, how string, replies ...shortReply) error {
	h.done = true
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if h.notice != "" {
			if err := closeIn(ctx, tx, h.notice, how); err != nil {
				return err
			}
		}
		for _, r := range replies {
			if err := n.answerIn(ctx, tx, r); err != nil {
				return err
			}
		}
		return n.keepIn(ctx, tx, h)
	})
}

func (n *Notifier) today(tx *store.Tx) carpool.Date { return carpool.DateOf(tx.Now, n.cfg.Location) }
