package controller

import (
	"context"
	"log/slog"

	"github.com/crinale/crinale/internal/fault"
)

// Changes makes the devices what the files want, and never leaves one that
// cannot be reached: every device holds its own way back before its first
// setting changes, and goes back by itself unless the change is confirmed.
type Changes struct {
	cfg     ChangesConfig
	deps    ChangesDeps
	log     *slog.Logger
	journal journal
	ready   chan struct{}
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
	return &Changes{cfg: cfg, deps: deps, log: deps.Log, journal: journal{deps.Store}, ready: make(chan struct{})}, nil
}

// Ready is closed once the tables are there and the changes of the last run
// are taken up again.
func (c *Changes) Ready() <-chan struct{} { return c.ready }

func (c *Changes) running() error {
	select {
	case <-c.ready:
		return nil
	default:
		return fault.New(fault.Unreachable, "changes: crinale is still starting: try again in a moment")
	}
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
