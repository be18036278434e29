package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// queue is one queue's worker.
type queue struct {
	name    string
	handler atomic.Pointer[Handler]
	wake    chan struct{}
	turn    chan struct{} // held by whoever delivers: one message at a time
	done    atomic.Uint64
	failed  atomic.Uint64
}

func newQueue(name string) *queue {
	return &queue{name: name, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
}

// markTimeout is for noting what came of a delivery, also when the program is
// told to end meanwhile.
const markTimeout = 5 * time.Second

// purgeEvery is how often Run forgets what was delivered long ago.
const purgeEvery = time.Hour

// Run delivers until ctx ends. It may run once at a time.
func (b *Box) Run(ctx context.Context) error {
	b.mu.Lock()
	if b.running {
		b.mu.Unlock()
		return fault.New(fault.Internal, "outbox: it runs already")
	}
	b.running = true
	b.mu.Unlock()
	var wg sync.WaitGroup
	defer func() {
		wg.Wait()
		b.mu.Lock()
		b.running = false
		b.mu.Unlock()
	}()
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	started := map[*queue]bool{}
	for {
		for _, q := range b.all() {
			if !started[q] {
				started[q] = true
				wg.Go(func() { b.work(ctx, q) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-b.fresh:
		case <-purge.C:
			if err := b.purge(ctx); err != nil && ctx.Err() == nil {
				b.deps.Log.Error("outbox: delivered messages stay", "err", err)
			}
		}
	}
}

func (b *Box) all() []*queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*queue, 0, len(b.queues))
	for _, q := range b.queues {
		out = append(out, q)
	}
	return out
}

// work delivers the messages of one queue until ctx ends.
func (b *Box) work(ctx context.Context, q *queue) {
	tick := time.NewTicker(b.cfg.Every)
	defer tick.Stop()
	trouble := false
	for {
		more, err := b.pass(ctx, q)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != trouble {
			trouble = err != nil
			if trouble {
				b.deps.Log.Error("outbox: messages wait", "queue", q.name, "err", err)
			} else {
				b.deps.Log.Info("outbox: messages are read again", "queue", q.name)
			}
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-q.wake:
		}
	}
}

// Deliver tries each message that is due once, all queues at the same time,
// and says whether there may be more. A failure to deliver is not its error:
// that message waits.
func (b *Box) Deliver(ctx context.Context) (more bool, err error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, q := range b.all() {
		wg.Go(func() {
			m, err := b.pass(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			more = more || m
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return more, errors.Join(errs...)
}

// pass tries each message of a queue that is due.
func (b *Box) pass(ctx context.Context, q *queue) (more bool, err error) {
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	due, err := b.due(ctx, q.name)
	if err != nil {
		return false, err
	}
	for _, m := range due {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err := b.one(ctx, q, m); err != nil {
			return false, err
		}
	}
	return len(due) == b.cfg.Batch, nil
}

// kept is a message with the name of its row.
type kept struct {
	id string
	Message
}

// due gives the next batch, new messages and those tried before in turn, so
// that neither holds up the other.
func (b *Box) due(ctx context.Context, queue string) ([]kept, error) {
	var fresh, again []kept
	err := b.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		if fresh, err = b.read(ctx, tx, queue, `tries = 0`); err != nil {
			return err
		}
		again, err = b.read(ctx, tx, queue, `tries > 0`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox %s: %w", queue, err)
	}
	var out []kept
	for i := 0; len(out) < b.cfg.Batch && (i < len(fresh) || i < len(again)); i++ {
		if i < len(fresh) {
			out = append(out, fresh[i])
		}
		if i < len(again) && len(out) < b.cfg.Batch {
			out = append(out, again[i])
		}
	}
	return out, nil
}

func (b *Box) read(ctx context.Context, tx *store.Tx, queue, which string) ([]kept, error) {
	rows, err := tx.Query(ctx, `SELECT id, queue, key, body, tries, added_ms FROM outbox_messages
		WHERE queue = $1 AND done_ms = 0 AND given_up = 0 AND due_ms <= $2 AND `+which+` ORDER BY due_ms, id LIMIT $3`,
		queue, store.Millis(tx.Now), b.cfg.Batch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []kept
	for rows.Next() {
		var m kept
		var added int64
		if err := rows.Scan(&m.id, &m.Queue, &m.Key, &m.Body, &m.Tries, &added); err != nil {
			return nil, err
		}
		m.Added = store.Time(added)
		out = append(out, m)
	}
	return out, rows.Err()
}

// one delivers a message and notes what came of it.
func (b *Box) one(ctx context.Context, q *queue, m kept) error {
	err := b.call(ctx, q, m.Message)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the end of the program is not a try
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
	defer cancel()
	noted := b.deps.Store.Do(ctx, func(tx *store.Tx) error {
		query, args := b.mark(m, err, tx.Now)
		_, e := tx.Exec(ctx, query, args...)
		return e
	})
	if noted != nil {
		return fmt.Errorf("note what came of %s %s: %w", m.Queue, m.Key, noted)
	}
	var wait *later
	switch {
	case err == nil:
		q.done.Add(1)
	case errors.As(err, &wait):
	default:
		q.failed.Add(1)
		if b.final(m, err) {
			b.deps.Log.Warn("outbox: given up", "queue", m.Queue, "key", m.Key, "tries", m.Tries+1, "err", err)
		}
	}
	return nil
}

// mark is the statement that notes the outcome of a try.
func (b *Box) mark(m kept, err error, now time.Time) (query string, args []any) {
	var wait *later
	switch {
	case err == nil:
		return `UPDATE outbox_messages SET done_ms = $2, body = $3, error = '' WHERE id = $1`,
			[]any{m.id, store.Millis(now), []byte{}}
	case errors.As(err, &wait):
		at := wait.at
		if latest := now.Add(b.cfg.Longest); at.After(latest) {
			at = latest
		}
		if soonest := now.Add(b.cfg.First); at.Before(soonest) {
			at = soonest
		}
		return `UPDATE outbox_messages SET error = $2, due_ms = $3 WHERE id = $1`, []any{m.id, text(err), store.Millis(at)}
	}
	return `UPDATE outbox_messages SET tries = tries + 1, given_up = $2, error = $3, due_ms = $4 WHERE id = $1`,
		[]any{m.id, bit(b.final(m, err)), text(err), store.Millis(now.Add(b.pause(m.Tries)))}
}

// final says whether a failure is the last.
func (b *Box) final(m kept, err error) bool {
	kind := fault.Of(err)
	return m.Tries+1 >= b.cfg.Tries || kind == fault.Refused || kind == fault.Invalid
}

// call runs the handler. One that panics has failed.
func (b *Box) call(ctx context.Context, q *queue, m Message) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, b.cfg.Timeout,
		fault.New(fault.Unreachable, "the handler of queue %s took longer than %v", q.name, b.cfg.Timeout))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			b.deps.Log.Error("outbox: a handler panicked", "queue", q.name, "key", m.Key, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "the handler of queue %s panicked", q.name)
		}
	}()
	return (*q.handler.Load())(ctx, m)
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
	return min(p, b.cfg.Longest)
}

// purge forgets what was delivered longer than Keep ago.
func (b *Box) purge(ctx context.Context) error {
	return b.deps.Store.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbox_messages WHERE done_ms > 0 AND done_ms < $1`, store.Millis(tx.Now.Add(-b.cfg.Keep)))
		return err
	})
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
