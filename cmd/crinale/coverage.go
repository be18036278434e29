package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
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
	// Half of the machine stays for those who watch radios.
	grid, share, err := planAll(ctx, c.world, planning.CoverOptions{Workers: max(1, runtime.NumCPU()/2)})
	if ctx.Err() != nil {
		return nil
	}
	if errors.Is(err, errNoSectors) {
		c.log.Info("coverage is not planned: the network has no sectors")
	} else if err != nil {
		c.log.Error("coverage is not planned", "error", err)
	}
	c.mu.Lock()
	c.grid, c.share, c.err = grid, share, err
	c.mu.Unlock()
	close(c.done)
	<-ctx.Done()
	return nil
}

// errNoSectors: a network of point-to-point links alone is allowed.
var errNoSectors = fault.New(fault.NotFound, "no coverage is planned: the network files name no sectors")

// planAll computes the coverage raster and the share of inhabitants.
func planAll(ctx context.Context, w world, o planning.CoverOptions) (*planning.Coverage, *planning.ShareReport, error) {
	tx, err := planning.Transmitters(w.network)
	if err != nil {
		return nil, nil, err
	}
	if len(tx) == 0 {
		return nil, nil, errNoSectors
	}
	grid, err := planning.Cover(ctx, w.terrain, tx, o, nil)
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
