package controller

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
)

// Changes makes the devices what the files want, and never leaves one that
// cannot be reached: every device holds its own way back before its first
// setting changes, and goes back by itself unless the change is confirmed.
//
// Every step is in the journal, in the store, before it is done. After the end
// of the program, however sudden, Run takes up what was under way: what was to
// stay is confirmed where the way back is still there, all else goes back.
type Changes struct {
	cfg     ChangesConfig
	deps    ChangesDeps
	log     *slog.Logger
	journal journal
	ready   chan struct{}
	start   chan *worker
	stopped chan struct{}
	noting  func(r ChangeRecord, written bool) // for tests: before and after each step of a journal

	mu      sync.Mutex
	workers map[string]*worker // of changes under way
	figures ChangeFigures
	drift   Differences
}

// ChangeFigures count what became of changes since the start.
type ChangeFigures struct {
	Ended    map[ChangeState]uint64 // by their end
	UnderWay int
	Drifted  int // devices that were changed by hand, as of the last round
	Unread   int // devices that could not be read in the last round
}

// NewChanges wires the changes; it touches nothing outside.
func NewChanges(cfg ChangesConfig, deps ChangesDeps) (*Changes, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	if deps.Planned == nil {
		deps.Planned = nothingPlanned
	}
	return &Changes{
		cfg: cfg, deps: deps, log: deps.Log, journal: journal{deps.Store},
		ready: make(chan struct{}), start: make(chan *worker), stopped: make(chan struct{}),
		workers: map[string]*worker{}, figures: ChangeFigures{Ended: map[ChangeState]uint64{}},
	}, nil
}

// Ready is closed once the tables are there and the changes of the last run
// are taken up again.
func (c *Changes) Ready() <-chan struct{} { return c.ready }

// Run brings the tables up to date, takes up the changes of the last run, and
// works until ctx ends. It may be called once.
func (c *Changes) Run(ctx context.Context) error {
	if err := c.journal.open(ctx); err != nil {
		return err
	}
	open, err := c.journal.unended(ctx)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer close(c.stopped)
	begin := func(w *worker) {
		work.Go(func() {
			w.run(ctx)
			c.mu.Lock()
			delete(c.workers, w.id)
			c.mu.Unlock()
		})
	}
	for _, r := range open {
		w := newWorker(c, r, nil)
		c.enlist(w)
		c.log.Info("a change of the last run is taken up", "change", r.ID, "state", r.State)
		begin(w)
	}
	close(c.ready)
	work.Go(func() { c.watchDrift(ctx) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-c.start:
			begin(w)
		}
	}
}

func (c *Changes) enlist(w *worker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workers[w.id] = w
}

// launch hands a change that is in the journal to Run. When Run has ended, the
// next one takes it up.
func (c *Changes) launch(w *worker) {
	c.enlist(w)
	select {
	case c.start <- w:
	case <-c.stopped:
	}
}

func (c *Changes) running() error {
	select {
	case <-c.stopped:
		return fault.New(fault.Unreachable, "changes: crinale is ending")
	default:
	}
	select {
	case <-c.ready:
		return nil
	default:
		return fault.New(fault.Unreachable, "changes: crinale is still starting: try again in a moment")
	}
}

// Figures count changes, for metrics.
func (c *Changes) Figures() ChangeFigures {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.figures
	f.Ended = make(map[ChangeState]uint64, len(c.figures.Ended))
	for k, v := range c.figures.Ended {
		f.Ended[k] = v
	}
	f.UnderWay = len(c.workers)
	return f
}

func (c *Changes) count(r ChangeRecord) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.figures.Ended[r.State]++
}

// Change is one change with its journal. fault.NotFound when there is none of
// that ID.
func (c *Changes) Change(ctx context.Context, id string) (ChangeRecord, error) {
	if err := c.running(); err != nil {
		return ChangeRecord{}, err
	}
	return c.journal.get(ctx, id)
}

// History lists changes, the newest first, without their events.
func (c *Changes) History(ctx context.Context, q HistoryQuery) ([]ChangeRecord, error) {
	if err := c.running(); err != nil {
		return nil, err
	}
	limit := q.Limit
	switch {
	case limit < 0 || limit > 500:
		return nil, fault.New(fault.Invalid, "history: limit %d: give one from 1 to 500", limit)
	case limit == 0:
		limit = 50
	}
	before := ChangeRecord{}
	if q.Before != "" {
		var err error
		if before, err = c.journal.get(ctx, q.Before); err != nil {
			return nil, err
		}
	}
	return c.journal.history(ctx, q.Device, before, limit)
}

// answerWithin is how long Confirm and Revert wait for the end of what they
// asked for, before they give the record as it is.
const answerWithin = 10 * time.Second

// Confirm makes a change stay that waits for it, and waits a while for its end.
// One that was confirmed before stays confirmed, and that is no error.
// fault.Unconfirmed: it went back, or is going back; fault.Conflict: it is not
// verified yet, or confirms by itself; fault.NotFound.
func (c *Changes) Confirm(ctx context.Context, id string) (ChangeRecord, error) {
	r, err := c.command(ctx, id, true)
	if err != nil {
		return r, err
	}
	if r.State != ChangeConfirmed && r.State != ChangeConfirming {
		return r, fault.New(fault.Unconfirmed, "confirm %s: it does not stay: %s", id, nonEmpty(r.Outcome, r.Why))
	}
	return r, nil
}

// Revert takes a change back. One that is under way is undone now, and Revert
// waits a while for its end. Of one that was confirmed the inverse starts as a
// change of its own, with its own hold: that is the record it gives.
// fault.Conflict: it went back already, or is being confirmed.
func (c *Changes) Revert(ctx context.Context, id string) (ChangeRecord, error) {
	r, err := c.Change(ctx, id)
	if err == nil && r.State == ChangeConfirmed {
		return c.inverse(ctx, r)
	}
	if err != nil {
		return r, err
	}
	return c.command(ctx, id, false)
}

// command asks the worker of a change for something and waits for its end.
func (c *Changes) command(ctx context.Context, id string, confirm bool) (ChangeRecord, error) {
	doing := "revert"
	if confirm {
		doing = "confirm"
	}
	r, err := c.Change(ctx, id)
	if err != nil {
		return r, fmt.Errorf("%s: %w", doing, err)
	}
	c.mu.Lock()
	w := c.workers[id]
	c.mu.Unlock()
	if w == nil || r.State.Ended() {
		return c.afterEnd(ctx, r, doing)
	}
	cmd := command{confirm: confirm, by: audit.By(ctx), reply: make(chan error, 1)}
	select {
	case w.cmds <- cmd:
	case <-w.done:
		if r, err = c.Change(ctx, id); err != nil {
			return r, fmt.Errorf("%s: %w", doing, err)
		}
		return c.afterEnd(ctx, r, doing)
	case <-ctx.Done():
		return r, fmt.Errorf("%s %s: it is busy with a device: %w", doing, id, context.Cause(ctx))
	}
	select {
	case err = <-cmd.reply:
	case <-w.done:
		select {
		case err = <-cmd.reply:
		default:
			err = fault.New(fault.Unreachable, "%s %s: crinale ended before it could answer: look at the change when it runs again", doing, id)
		}
	}
	if err != nil {
		return r, err
	}
	t := time.NewTimer(answerWithin)
	defer t.Stop()
	select {
	case <-w.done:
	case <-t.C:
	case <-ctx.Done():
	}
	return c.journal.get(context.WithoutCancel(ctx), id)
}

// afterEnd is the answer to a command that comes after the end of a change.
func (c *Changes) afterEnd(_ context.Context, r ChangeRecord, doing string) (ChangeRecord, error) {
	switch {
	case r.State == ChangeConfirmed && doing == "confirm":
		return r, nil
	case r.State == ChangeConfirmed:
		return r, fault.New(fault.Conflict, "revert %s: it was confirmed this very moment: revert it again", r.ID)
	case r.State.Ended() && doing == "confirm":
		return r, fault.New(fault.Unconfirmed, "confirm %s: too late: %s", r.ID, r.Outcome)
	case r.State.Ended():
		return r, fault.New(fault.Conflict, "revert %s: it went back already: %s", r.ID, r.Outcome)
	}
	return r, fault.New(fault.Unreachable, "%s %s: crinale is ending", doing, r.ID)
}

func nonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
