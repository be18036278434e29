package notify

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
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

// Heard counts the short messages that came in.
type Heard struct {
	Taken   int64 `json:"taken"`   // of members, understood or not
	Nobody  int64 `json:"nobody"`  // from numbers that no member has
	Failed  int64 `json:"failed"`  // by a trouble of our own: they are brought again
	Refused int64 `json:"refused"` // with a wrong key
}

type receivedCounts struct {
	taken, nobody, failed, refused atomic.Int64
}

// add counts a message by what came of it.
func (c *receivedCounts) add(err error) {
	switch {
	case err == nil:
		c.taken.Add(1)
	case fault.Of(err) == fault.Denied:
		c.nobody.Add(1)
	default:
		c.failed.Add(1)
	}
}

// Brought counts the notices that a channel was to bring.
type Brought struct {
	Sent, Failed int64 // of the failed the next channel took over
}

type broughtCounts struct {
	sent, failed atomic.Int64
}

// Counts are since the start of the program, and ask no database.
func (n *Notifier) Counts() (by map[carpool.Channel]Brought, heard Heard) {
	by = map[carpool.Channel]Brought{}
	for c, b := range n.brought {
		by[c] = Brought{b.sent.Load(), b.failed.Load()}
	}
	r := &n.received
	return by, Heard{r.taken.Load(), r.nobody.Load(), r.failed.Load(), r.refused.Load()}
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
