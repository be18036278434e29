package controller

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// keptClosed is how many closed alerts stay in memory; the ledger has all.
const keptClosed = 500

// book holds the alerts of this run and writes them to the ledger. Nobody
// waits for the ledger; what could not be written is tried again, the newest
// state of each alert only, so the queue is no longer than the alerts.
type book struct {
	ledger Ledger
	log    *slog.Logger
	due    chan struct{} // size one: something is to be written

	mu     sync.Mutex
	alerts map[string]Alert
	dirty  map[string]struct{}
}

func newBook(l Ledger, log *slog.Logger) *book {
	return &book{ledger: l, log: log, due: make(chan struct{}, 1), alerts: map[string]Alert{}, dirty: map[string]struct{}{}}
}

// fill takes what the ledger had.
func (b *book) fill(alerts []Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range alerts {
		b.alerts[a.ID] = a
	}
}

// put notes a new state of an alert.
func (b *book) put(a Alert) {
	b.mu.Lock()
	b.alerts[a.ID] = a
	b.dirty[a.ID] = struct{}{}
	b.trim()
	b.mu.Unlock()
	select {
	case b.due <- struct{}{}:
	default:
	}
}

// trim forgets the oldest closed alerts that are written.
func (b *book) trim() {
	if len(b.alerts) <= 2*keptClosed {
		return
	}
	var closed []Alert
	for id, a := range b.alerts {
		if _, dirty := b.dirty[id]; !dirty && !a.IsOpen() {
			closed = append(closed, a)
		}
	}
	sortAlerts(closed)
	for _, a := range closed[:max(0, len(closed)-keptClosed)] {
		delete(b.alerts, a.ID)
	}
}

// list gives the alerts, the oldest first.
func (b *book) list(open bool) []Alert {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Alert{}
	for _, a := range b.alerts {
		if a.IsOpen() || !open {
			out = append(out, a)
		}
	}
	sortAlerts(out)
	return out
}

func (b *book) get(id string) (Alert, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.alerts[id]
	return a, ok
}

// run writes until ctx ends, and then once more what is left.
func (b *book) run(ctx context.Context) {
	if b.ledger == nil {
		return
	}
	var failing trouble
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := b.write(last); err != nil {
				b.log.Error("alerts could not be written before the end", "err", err)
			}
			return
		case <-b.due:
		case <-retry.C:
		}
		err := b.write(ctx)
		if failing.note(err, time.Now()) && ctx.Err() == nil {
			if err != nil {
				b.log.Error("alerts cannot be written; they are kept in memory and tried again", "err", err)
			} else {
				b.log.Info("alerts are written again", "failed", failing.last)
			}
		}
		if err != nil {
			retry.Reset(time.Second)
		}
	}
}

// write saves every alert that is due.
func (b *book) write(ctx context.Context) error {
	b.mu.Lock()
	due := make([]Alert, 0, len(b.dirty))
	for id := range b.dirty {
		due = append(due, b.alerts[id])
	}
	clear(b.dirty)
	b.mu.Unlock()
	if len(due) == 0 {
		return nil
	}
	sortAlerts(due)
	err := b.ledger.Save(ctx, due)
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range due {
		b.dirty[a.ID] = struct{}{}
	}
	return err
}
