package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/planning"
)

// coverage plans once, in the background, what the sectors of the network
// reach, for the pages.
type coverage struct {
	world world
	log   *slog.Logger
	done  chan struct{}

	mu    sync.Mutex
	grid  *planning.Coverage
	share *planning.ShareReport
	err   error
}

func newCoverage(w world, log *slog.Logger) *coverage {
	return &coverage{world: w, log: log, done: make(chan struct{})}
}

func (c *coverage) run(ctx context.Context) error {
	grid, share, err := planAll(ctx, c.world, nil)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		c.log.Error("coverage is not planned", "error", err)
		err = fault.New(fault.Of(err), "coverage is not planned: %w", err)
	}
	c.mu.Lock()
	c.grid, c.share, c.err = grid, share, err
	c.mu.Unlock()
	close(c.done)
	<-ctx.Done()
	return nil
}

// planAll computes the coverage raster and the share of inhabitants.
func planAll(ctx context.Context, w world, step func(done, total int)) (*planning.Coverage, *planning.ShareReport, error) {
	tx, err := planning.Transmitters(w.network)
	if err != nil {
		return nil, nil, err
	}
	o := planning.CoverOptions{}
	grid, err := planning.Cover(ctx, w.terrain, tx, o, step)
	if err != nil {
		return nil, nil, fmt.Errorf("coverage: %w", err)
	}
	share, err := planning.Share(ctx, w.terrain, tx, w.demand, o)
	if err != nil {
		return nil, nil, fmt.Errorf("share: %w", err)
	}
	return grid, share, nil
}

// Planned is what was planned; false while it is still being computed.
func (c *coverage) Planned() (grid *planning.Coverage, share *planning.ShareReport, ok bool, err error) {
	select {
	case <-c.done:
	default:
		return nil, nil, false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.grid, c.share, c.err == nil, c.err
}
