// Package outbox keeps messages that are born in the transaction of the event
// they tell of, and hands each to its queue's handler until that has taken it:
// at least once, across crashes, in any order.
//
// Each queue has a worker of its own, so that a slow handler holds up nobody
// else. One program works on a database's outbox; a second one would deliver
// the same messages again.
package outbox

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
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
	Body  []byte    // what the handler reads; dropped when it is delivered
	Due   time.Time // not before; zero: at once
	Tries int       // so far, when it comes to a handler
	Added time.Time // when it was added, when it comes to a handler
}

// Handler delivers a message. An error means to try again later; one of kind
// fault.Refused or fault.Invalid means that no try will ever do; one of Later
// that it was no try at all.
type Handler func(ctx context.Context, m Message) error

// Config of an outbox.
type Config struct {
	Every   time.Duration // between looks for messages that are due
	First   time.Duration // pause after the first failure; doubled each time
	Longest time.Duration // pause
	Tries   int           // then it is given up, and kept to be looked at
	Batch   int           // messages of one look
	Timeout time.Duration // of one delivery
	Keep    time.Duration // a delivered message is remembered by its key
}

// Default tries for about two days.
func Default() Config {
	return Config{Every: time.Second, First: 2 * time.Second, Longest: 2 * time.Hour, Tries: 36, Batch: 50,
		Timeout: 30 * time.Second, Keep: 7 * 24 * time.Hour}
}

// Deps are what an outbox works with.
type Deps struct {
	Store *store.DB
	Log   *slog.Logger // nil: slog.Default
}

// Box is the outbox of one database. Its methods may be used by many
// goroutines.
type Box struct {
	cfg   Config
	deps  Deps
	fresh chan struct{} // a queue got its first handler

	mu      sync.Mutex
	queues  map[string]*queue
	running bool
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Box, error) {
	if deps.Store == nil {
		return nil, fault.New(fault.Internal, "outbox: store must be given")
	}
	if cfg.Every <= 0 || cfg.First <= 0 || cfg.Longest < cfg.First || cfg.Tries < 1 || cfg.Batch < 2 || cfg.Timeout <= 0 || cfg.Keep <= 0 {
		return nil, fault.New(fault.Internal, "outbox: every, first, longest, tries, timeout and keep must be above 0, batch at least 2, and longest not below first")
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	return &Box{cfg: cfg, deps: deps, fresh: make(chan struct{}, 1), queues: map[string]*queue{}}, nil
}

// Open brings the table up to date.
func (b *Box) Open(ctx context.Context) error {
	return b.deps.Store.Migrate(ctx, "outbox", migrations)
}

// Handle gives a queue its handler, or another one. Messages of a queue
// without one wait. It may be called before Run or while it runs.
func (b *Box) Handle(name string, h Handler) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[name]
	if q == nil {
		q = newQueue(name)
		b.queues[name] = q
	}
	q.handler.Store(&h)
	signal(b.fresh)
}

// Bounds of a message.
const (
	maxName = 200
	maxBody = 64 << 10
)

// Add puts a message in, in the transaction of its event: both stay or none.
func (b *Box) Add(ctx context.Context, tx *store.Tx, m Message) error {
	if m.Queue == "" || m.Key == "" || len(m.Queue) > maxName || len(m.Key) > maxName || len(m.Body) > maxBody {
		return fault.New(fault.Internal, "outbox: a message needs a queue and a key of at most %d bytes, and a body of at most %d", maxName, maxBody)
	}
	due := m.Due
	if due.Before(tx.Now) {
		due = tx.Now
	}
	if m.Body == nil {
		m.Body = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO outbox_messages (id, queue, key, body, due_ms, tries, given_up, error, added_ms, done_ms)
		VALUES ($1, $2, $3, $4, $5, 0, 0, '', $6, 0) ON CONFLICT (queue, key) DO NOTHING`,
		rand.Text(), m.Queue, m.Key, m.Body, store.Millis(due), store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("outbox %s %s: %w", m.Queue, m.Key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[m.Queue]; q != nil {
		signal(q.wake)
	}
	return nil
}

// Wake lets Run look now. What a transaction that has not ended yet put in is
// found at the next look.
func (b *Box) Wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.queues {
		signal(q.wake)
	}
}

// signal tells that something changed, to whoever looks next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// later is an answer of a handler that is not a failure.
type later struct {
	at  time.Time
	err error
}

func (l *later) Error() string { return l.err.Error() }
func (l *later) Unwrap() error { return l.err }

// Later is the answer of a handler that could not try: the message is due
// again at the given time, but not later than Config.Longest from now, and its
// tries stay as they are. err says why.
func Later(at time.Time, err error) error {
	if err == nil {
		err = errors.New("it has to wait")
	}
	return &later{at, err}
}

// Waits says until when an error of Later waits; false for others.
func Waits(err error) (time.Time, bool) {
	var l *later
	if errors.As(err, &l) {
		return l.at, true
	}
	return time.Time{}, false
}
