package notify

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
)

// Figures are counts of notices, of those remembered.
type Figures struct {
	Sent    map[carpool.Channel]int64 `json:"sent"`    // by channel
	Failed  map[carpool.Channel]int64 `json:"failed"`  // by channel: the next one took over
	Skipped int64                     `json:"skipped"` // settled before they were sent
	Waiting map[carpool.Channel]int64 `json:"waiting"` // in the queue of each channel
	Queued  int64                     `json:"queued"`  // not given to a channel yet
	GivenUp int64                     `json:"given_up"`
}

// Figures of the notices now.
func (n *Notifier) Figures(ctx context.Context) (Figures, error) {
	f := Figures{Sent: map[carpool.Channel]int64{}, Failed: map[carpool.Channel]int64{}, Waiting: map[carpool.Channel]int64{}}
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		clear(f.Sent)
		clear(f.Failed)
		f.Skipped = 0
		rows, err := tx.Query(ctx, `SELECT channel, state, COUNT(*) FROM notify_sent GROUP BY channel, state`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c, state string
			var count int64
			if err := rows.Scan(&c, &state, &count); err != nil {
				return err
			}
			switch state {
			case stateSent:
				f.Sent[carpool.Channel(c)] = count
			case stateFailed:
				f.Failed[carpool.Channel(c)] = count
			case stateSkipped:
				f.Skipped += count
			}
		}
		return rows.Err()
	})
	if err != nil {
		return Figures{}, fmt.Errorf("count notices: %w", err)
	}
	box, err := n.deps.Outbox.Figures(ctx)
	if err != nil {
		return Figures{}, fmt.Errorf("count notices: %w", err)
	}
	for _, c := range channels {
		q := box.Queues[queueOf(c)]
		f.Waiting[c], f.GivenUp = q.Waiting, f.GivenUp+q.GivenUp
	}
	q := box.Queues[carpool.Queue]
	f.Queued, f.GivenUp = q.Waiting, f.GivenUp+q.GivenUp
	return f, nil
}
