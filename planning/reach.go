package planning

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// Service is what one place gets from its best sector.
type Service struct {
	Tx     int                // index of the sector; −1: none reaches it
	Level  unit.Opt[unit.DBm] // received, sum of all chains
	Usable unit.Mbps          // throughput of a subscriber alone on the sector
	// Unknown: the ground towards a sector in range is not known, so that the
	// place may be served better than it says.
	Unknown bool
}

// Reach computes the best sector of each place over its own profile, as
// PlanLink does: exact where Cover is a map. A sector is only looked at where
// free space alone would let it serve.
func Reach(ctx context.Context, t Terrain, tx []Transmitter, places []geo.LonLat, o CoverOptions) ([]Service, error) {
	o = o.withDefaults()
	if err := o.valid(); err != nil {
		return nil, err
	}
	servers, err := newServers(t, tx, o)
	if err != nil {
		return nil, err
	}
	out := make([]Service, len(places))
	var next atomic.Int64
	var wg sync.WaitGroup
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(places) {
					return
				}
				out[i] = best(t, servers, places[i])
			}
		})
	}
	wg.Wait()
	return out, context.Cause(ctx)
}

// best of the servers at one place: the most throughput, then the strongest
// level, then the first.
func best(t Terrain, servers []*server, p geo.LonLat) Service {
	out := Service{Tx: -1}
	level := math.Inf(-1)
	for i, s := range servers {
		d := float64(s.At.Distance(p))
		if d > float64(s.opt.Radius) {
			continue
		}
		// No path is better than free space, seen by the middle of the beam.
		most := s.base - s.fs1 - 20*math.Log10(math.Max(d, nearest))
		if u := unit.Mbps(s.usable(most)); u == 0 || u < out.Usable || u == out.Usable && most <= level {
			continue
		}
		got, err := s.exact(t, p)
		if err != nil {
			out.Unknown = true
			continue
		}
		u := unit.Mbps(s.usable(got))
		if u == 0 || u < out.Usable || u == out.Usable && got <= level {
			continue
		}
		level = got
		out.Tx, out.Level, out.Usable = i, unit.Some(unit.DBm(got)), u
	}
	return out
}
