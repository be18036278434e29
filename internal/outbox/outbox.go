// Package outbox keeps messages that are born in the transaction of the event
// they tell of, and hands each to its queue's handler until that has taken it:
// at least once, across crashes, in any order.
package outbox

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

//go:embed migrations
var migrations embed.FS

// Message is something to be delivered.
type Message struct {
	Queue string    // whose handler takes it
	Key   string    // the same key in a queue again is the same message, and not added
	Body  []byte    // what the handler reads
	Due   time.Time // not before; zero: at once
	Tries int       // so far, when it comes to a handler
}

// Handler delivers a message. An error means to try again later; one of kind
// fault.Refused or fault.Invalid means that no try will ever do.
type Handler func(ctx context.Context, m Message) error

// Config of an outbox.
type Config struct {
	Every   time.Duration // between looks for messages that are due
	First   time.Duration // pause after the first failure; doubled each time
	Longest time.Duration // pause
	Tries   int           // then it is given up, and kept to be looked at
	Batch   int           // messages of one look
	Timeout time.Duration // of one delivery
}

// Default tries for about two days.
func Default() Config {
	return Config{Every: time.Second, First: 2 * time.Second, Longest: 2 * time.Hour, Tries: 36, Batch: 50, Timeout: 30 * time.Second}
}

// Deps are what an outbox works with.
type Deps struct {
	Store *store.DB
	Log   *slog.Logger // nil: slog.Default
}

// Box is the outbox of one database.
type Box struct {
	cfg      Config
	deps     Deps
	wake     chan struct{}
	mu       sync.Mutex
	handlers map[string]Handler
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Box, error) {
	if deps.Store == nil {
		return nil, fault.New(fault.Internal, "outbox: store must be given")
	}
	if cfg.Every <= 0 || cfg.First <= 0 || cfg.Longest < cfg.First || cfg.Tries < 1 || cfg.Batch < 1 || cfg.Timeout <= 0 {
		return nil, fault.New(fault.Internal, "outbox: every, first, longest, tries, batch and timeout must be above 0")
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	return &Box{cfg: cfg, deps: deps, wake: make(chan struct{}, 1), handlers: map[string]Handler{}}, nil
}

// Open brings the table up to date.
func (b *Box) Open(ctx context.Context) error {
	return b.deps.Store.Migrate(ctx, "outbox", migrations)
}

// Handle gives a queue its handler. Messages of a queue without one wait.
func (b *Box) Handle(queue string, h Handler) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handlers[queue] = h
}

// Add puts a message in, in the transaction of its event: both stay or none.
func (b *Box) Add(ctx context.Context, tx *store.Tx, m Message) error {
	if m.Queue == "" || m.Key == "" {
		return fault.New(fault.Internal, "outbox: a message needs a queue and a key")
	}
	due := m.Due
	if due.Before(tx.Now) {
		due = tx.Now
	}
	_, err := tx.Exec(ctx, `INSERT INTO outbox_messages (id, queue, key, body, due_ms, tries, given_up, error, added_ms)
		VALUES ($1, $2, $3, $4, $5, 0, 0, '', $6) ON CONFLICT (queue, key) DO NOTHING`,
		rand.Text(), m.Queue, m.Key, m.Body, store.Millis(due), store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("outbox %s %s: %w", m.Queue, m.Key, err)
	}
	b.Wake()
	return nil
}

// Wake lets Run look now. What a transaction that has not ended yet put in is
// found at the next look.
func (b *Box) Wake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends.
func (b *Box) Run(ctx context.Context) error {
	tick := time.NewTicker(b.cfg.Every)
	defer tick.Stop()
	trouble := false
	for {
		more, err := b.Deliver(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if (err != nil) != trouble {
			trouble = err != nil
			if trouble {
				b.deps.Log.Error("outbox: messages wait", "err", err)
			} else {
				b.deps.Log.Info("outbox: messages are read again")
			}
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-b.wake:
		}
	}
}

// kept is a message with the name of its row.
type kept struct {
	id string
	Message
}

// Deliver tries each message that is due once, and says whether there may be
// more. A failure to deliver is not its error: that message waits.
func (b *Box) Deliver(ctx context.Context) (more bool, err error) {
	b.mu.Lock()
	handlers := make(map[string]Handler, len(b.handlers))
	for q, h := range b.handlers {
		handlers[q] = h
	}
	b.mu.Unlock()
	for queue, h := range handlers {
		due, err := b.due(ctx, queue)
		if err != nil {
			return false, err
		}
		for _, m := range due {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			if err := b.one(ctx, m, h); err != nil {
				return false, err
			}
		}
		more = more || len(due) == b.cfg.Batch
	}
	return more, nil
}

func (b *Box) due(ctx context.Context, queue string) ([]kept, error) {
	var out []kept
	err := b.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, `SELECT id, queue, key, body, tries FROM outbox_messages
			WHERE queue = $1 AND given_up = 0 AND due_ms <= $2 ORDER BY due_ms, id LIMIT $3`, queue, store.Millis(tx.Now), b.cfg.Batch)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m kept
			if err := rows.Scan(&m.id, &m.Queue, &m.Key, &m.Body, &m.Tries); err != nil {
				return err
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	return out, err
}

// one delivers a message and notes what came of it.
func (b *Box) one(ctx context.Context, m kept, h Handler) error {
	bound, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	err := h(bound, m.Message)
	cancel()
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the end of the program is not a try
	}
	return b.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if err == nil {
			_, e := tx.Exec(ctx, `DELETE FROM outbox_messages WHERE id = $1`, m.id)
			return e
		}
		final := m.Tries+1 >= b.cfg.Tries || fault.Of(err) == fault.Refused || fault.Of(err) == fault.Invalid
		if final {
			b.deps.Log.Warn("outbox: given up", "queue", m.Queue, "key", m.Key, "tries", m.Tries+1, "err", err)
		}
		_, e := tx.Exec(ctx, `UPDATE outbox_messages SET tries = tries + 1, given_up = $2, error = $3, due_ms = $4 WHERE id = $1`,
			m.id, bit(final), text(err), store.Millis(tx.Now.Add(b.pause(m.Tries))))
		return e
	})
}

// pause before the next try.
func (b *Box) pause(tries int) time.Duration {
	p := b.cfg.First
	for range tries {
		if p >= b.cfg.Longest/2 {
			return b.cfg.Longest
		}
		p *= 2
	}
	return p
}

// Figures are counts of what waits.
type Figures struct {
	Waiting int64
	GivenUp int64
}

// Figures of the box now.
func (b *Box) Figures(ctx context.Context) (Figures, error) {
	var f Figures
	err := b.deps.Store.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(SUM(1 - given_up), 0), COALESCE(SUM(given_up), 0) FROM outbox_messages`).Scan(&f.Waiting, &f.GivenUp)
	})
	return f, err
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// text of an error, short enough to keep.
func text(err error) string {
	return fmt.Sprintf("%.300s", err.Error())
}
