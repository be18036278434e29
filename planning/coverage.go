package planning

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
)

// Coverage is what subscribers would receive, cell by cell, each from its best
// sector: the one with the most throughput, then with the strongest level.
type Coverage struct {
	Level        *Raster // dBm, sum of all chains; NaN where nothing is known
	Rate         *Raster // usable Mbps of a subscriber alone on the sector; 0 where no rate fits
	Best         []int32 // index into Transmitters; −1 where nothing is known
	Source       Source
	Transmitters []Transmitter // with their defaults filled in
	Options      CoverOptions  // with their defaults filled in
	Confidence   network.Confidence
}

// coverCells is the most cells of a coverage: about 1 GB while it is computed.
const coverCells = 60e6

// sweepCell is the largest cell in degrees (6 seconds) taken by itself: rays
// pass up to half a cell beside their place, which on coarse ground is far.
const sweepCell = 1.0 / 600

// rayChunk is how many rays a worker takes at a time.
const rayChunk = 32

// Cover sweeps the ground around each transmitter. progress, if any, is called
// after each of them. The answer does not depend on the number of workers.
func Cover(ctx context.Context, t Terrain, tx []Transmitter, o CoverOptions, progress func(done, total int)) (*Coverage, error) {
	o = o.withDefaults()
	if err := o.valid(); err != nil {
		return nil, err
	}
	servers, err := newServers(t, tx, o)
	if err != nil {
		return nil, err
	}
	ground, err := coverGround(t, servers, o)
	if err != nil {
		return nil, err
	}
	c := &Coverage{Level: ground.Like(), Rate: ground.Like(), Best: make([]int32, len(ground.V)), Source: t.Source(), Options: o}
	for i := range c.Best {
		c.Best[i] = -1
	}
	for i, s := range servers {
		c.Transmitters = append(c.Transmitters, s.Transmitter)
		c.Confidence = network.Worse(c.Confidence, s.conf)
		sw := newSweep(s, ground)
		if err := sw.all(ctx, o.Workers); err != nil {
			return nil, err
		}
		c.merge(int32(i), sw)
		if progress != nil {
			progress(i+1, len(servers))
		}
	}
	return c, nil
}

func newServers(t Terrain, tx []Transmitter, o CoverOptions) ([]*server, error) {
	if len(tx) == 0 {
		return nil, fault.New(fault.Invalid, "coverage: no sector to compute; add one to the network's files")
	}
	out := make([]*server, len(tx))
	for i, x := range tx {
		s, err := newServer(t, x, o)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// coverGround is the raster of heights that holds all discs.
func coverGround(t Terrain, servers []*server, o CoverOptions) (*Raster, error) {
	b := geo.Bounds{West: 180, South: 90, East: -180, North: -90}
	for _, s := range servers {
		a := geo.Around(s.At, o.Radius)
		b.West, b.South = math.Min(b.West, a.West), math.Min(b.South, a.South)
		b.East, b.North = math.Max(b.East, a.East), math.Max(b.North, a.North)
	}
	l := t.Bounds()
	b.West, b.South = math.Max(b.West, l.West), math.Max(b.South, l.South)
	b.East, b.North = math.Min(b.East, l.East), math.Min(b.North, l.North)
	want := o.CellDeg
	cell := want
	if cell == 0 {
		if cell = t.Source().CellM / 111000; cell > 1.5*sweepCell { // near enough
			cell, want = sweepCell, sweepCell
		}
	}
	if n := (b.East - b.West) / cell * (b.North - b.South) / cell; n > coverCells {
		return nil, fault.New(fault.Invalid, "coverage: about %.0f million cells are too many (at most %.0f): take a smaller radius or larger cells", n/1e6, coverCells/1e6)
	}
	r, err := t.Raster(b, want)
	if err != nil {
		return nil, fmt.Errorf("coverage: heights: %w", err)
	}
	if r.Cols < 2 || r.Rows < 2 {
		return nil, fault.New(fault.Invalid, "coverage: the terrain has only %d × %d cells there: load a terrain that covers the sectors", r.Cols, r.Rows)
	}
	return r, nil
}

// all runs every ray.
func (s *sweep) all(ctx context.Context, workers int) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	rays := s.rays()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			g := &skyline{}
			for ctx.Err() == nil {
				i := int(next.Add(rayChunk)) - rayChunk
				if i >= len(rays) {
					return
				}
				for _, q := range rays[i:min(i+rayChunk, len(rays))] {
					s.run(q, g)
				}
			}
		})
	}
	wg.Wait()
	s.home()
	return context.Cause(ctx)
}

// merge takes what is better in a sweep.
func (c *Coverage) merge(i int32, s *sweep) {
	for row := range s.n {
		for col := range s.w {
			level := s.out[row*s.w+col]
			if level != level {
				continue
			}
			k := (row+s.r0)*c.Level.Cols + col + s.c0
			rate := float32(s.usable(float64(level)))
			if c.Best[k] >= 0 && (rate < c.Rate.V[k] || rate == c.Rate.V[k] && level <= c.Level.V[k]) {
				continue
			}
			c.Best[k], c.Level.V[k], c.Rate.V[k] = i, level, rate
		}
	}
}
