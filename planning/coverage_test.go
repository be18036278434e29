package planning_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// mast is an all-round sector on a summit of the Provence tile's window.
func mast() planning.Transmitter {
	return planning.Transmitter{ID: "mast", At: geo.LonLat{Lon: 5.6504, Lat: 43.4303}, Height: 30, Width: 20}
}

func cover(t testing.TB, g planning.Terrain, tx []planning.Transmitter, o planning.CoverOptions) *planning.Coverage {
	t.Helper()
	c, err := planning.Cover(context.Background(), g, tx, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The sweep against the full computation of single paths, on fine heights and
// on the coarse ones of the real area, which are resampled to 6 seconds. Where
// the ray grazes a ridge half a cell aside is many decibels: hence the tail.
func TestCoverageAgreesWithPaths(t *testing.T) {
	fine := provence(t)
	coarse, _, _ := langa(t)
	ridge := planning.Transmitter{ID: "ridge", At: geo.LonLat{Lon: 8.0873, Lat: 44.4705}, Height: 20}
	for name, c := range map[string]struct {
		g           planning.Terrain
		tx          planning.Transmitter
		median, p99 float64 // dB, what is asked for
		wrong       int
	}{
		"3 seconds":  {fine, mast(), 0.3, 8, 6},
		"30 seconds": {coarse, ridge, 0.5, 15, 6},
	} {
		t.Run(name, func(t *testing.T) {
			cov := cover(t, c.g, []planning.Transmitter{c.tx}, planning.CoverOptions{Radius: 15000})
			rnd := rand.New(rand.NewPCG(1, 2))
			var diffs []float64
			sight, wrong := 0, 0
			for len(diffs) < 600 {
				col, row := rnd.IntN(cov.Level.Cols), rnd.IntN(cov.Level.Rows)
				level := float64(cov.Level.At(col, row))
				if level != level {
					continue
				}
				at := cov.Level.LonLat(col, row)
				p := plan(t, c.g, planning.LinkQuery{A: planning.End{At: c.tx.At, Height: c.tx.Height, Azimuth: c.tx.Azimuth}, B: planning.End{At: at, Height: 6}})
				near := level + float64(planning.Off(planning.Generic().Antenna, 0, unit.Degrees(p.Tilt))) // a sector looks level, a link aims
				diffs = append(diffs, math.Abs(near-p.Budget.RSSI))
				if p.Clearance.LineOfSight {
					sight++
				}
				if (p.Budget.Usable >= 30) != (cov.Rate.At(col, row) >= 30) {
					wrong++
				}
			}
			slices.Sort(diffs)
			q := func(f float64) float64 { return diffs[int(f*float64(len(diffs)-1))] }
			t.Logf("%d paths, %d in sight: |difference| median %.2f dB, 90 %% %.2f, 99 %% %.2f, worst %.2f; 30 Mbps told otherwise at %d",
				len(diffs), sight, q(0.5), q(0.9), q(0.99), q(1), wrong)
			if q(0.5) > c.median || q(0.99) > c.p99 || wrong > c.wrong {
				t.Errorf("the sweep is too far from the single paths")
			}
		})
	}
}

// Every cell of the disc over flat ground has a level, once, and it falls with
// distance alone.
func TestCoverageFillsDisc(t *testing.T) {
	g := flat(300)
	for _, at := range []geo.LonLat{{Lon: 8.1, Lat: 44.5}, {Lon: 8.1003, Lat: 44.5002}, {Lon: 8.10042, Lat: 44.50042}} {
		c := cover(t, g, []planning.Transmitter{{ID: "x", At: at, Height: 40}}, planning.CoverOptions{Radius: 8000})
		for row := range c.Level.Rows {
			for col := range c.Level.Cols {
				p := c.Level.LonLat(col, row)
				d, v := float64(at.Distance(p)), c.Level.At(col, row)
				if inside := d < 7990; inside != (v == v) && math.Abs(d-8000) > 10 {
					t.Fatalf("%v, %.0f m off: level %v", p, d, v)
				}
				if v == v && d > 1500 && d < 4000 {
					want := 27 + 23 - float64(planning.FreeSpace(5600, unit.Metres(d)))
					near(t, p.String(), float64(v), want, 0.6)
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

func TestCoverageSectorPoints(t *testing.T) {
	g := flat(300)
	tx := planning.Transmitter{ID: "east", At: geo.LonLat{Lon: 8.1, Lat: 44.5}, Height: 40, Azimuth: unit.Some[unit.Degrees](90),
		Gear: sectorGear()}
	c := cover(t, g, []planning.Transmitter{tx}, planning.CoverOptions{Radius: 8000})
	at := func(bearing unit.Degrees) float64 {
		col, row, _ := c.Level.Cell(tx.At.Toward(bearing, 5000))
		return float64(c.Level.At(col, row))
	}
	near(t, "half power at the edge of the beam", at(90)-at(45), 3, 0.3)
	near(t, "the same on the other side", at(90)-at(135), 3, 0.3)
	near(t, "behind", at(90)-at(270), 25, 0.3)
}

func sectorGear() *network.Gear {
	g := *planning.Generic()
	g.ID, g.Product = "sector", "sector antenna 16 dBi"
	g.Antenna = network.Antenna{Gain: 16, BeamwidthAz: 90, BeamwidthEl: 10, Confidence: network.StandardMinimum}
	return &g
}

// The answer is the same whatever the number of workers, and one more sector
// lowers no throughput.
func TestCoverageDeterministicAndMonotone(t *testing.T) {
	g := provence(t)
	one := []planning.Transmitter{mast()}
	two := append(one, planning.Transmitter{ID: "second", At: geo.LonLat{Lon: 5.72, Lat: 43.47}, Height: 20, Width: 40})
	a := cover(t, g, two, planning.CoverOptions{Radius: 10000, Workers: 1})
	b := cover(t, g, two, planning.CoverOptions{Radius: 10000, Workers: 3})
	for i := range a.Level.V {
		if math.Float32bits(a.Level.V[i]) != math.Float32bits(b.Level.V[i]) || a.Best[i] != b.Best[i] {
			t.Fatalf("cell %d: %v and %v", i, a.Level.V[i], b.Level.V[i])
		}
	}
	single := cover(t, g, one, planning.CoverOptions{Radius: 10000})
	for row := range single.Rate.Rows {
		for col := range single.Rate.Cols {
			before := single.Rate.At(col, row)
			c, r, ok := a.Rate.Cell(single.Rate.LonLat(col, row))
			if !ok || before > a.Rate.At(c, r) {
				t.Fatalf("%v: %v Mbps with one sector, %v with two", single.Rate.LonLat(col, row), before, a.Rate.At(c, r))
			}
		}
	}
}

func TestCoverageRefusesAndStops(t *testing.T) {
	g := flat(300)
	ok := planning.Transmitter{ID: "ok", At: geo.LonLat{Lon: 8.1, Lat: 44.5}, Height: 20}
	outside, low, odd, far, swap := ok, ok, ok, ok, ok
	outside.At.Lat, low.Height, odd.Width, far.Freq = 50, 0, 33, 2450
	swap.At = geo.LonLat{Lon: ok.At.Lat, Lat: ok.At.Lon}
	wide, narrow := *planning.Generic(), *planning.Generic()
	wide.Bands, narrow.Bands = nil, []network.Band{{From: 5470, To: 5590}}
	bare := far
	bare.Gear = &wide
	for name, c := range map[string]struct {
		tx   []planning.Transmitter
		o    planning.CoverOptions
		want string
	}{
		"none": {}, "outside": {tx: []planning.Transmitter{outside}}, "low": {tx: []planning.Transmitter{low}}, "width": {tx: []planning.Transmitter{odd}},
		"radius":     {[]planning.Transmitter{ok}, planning.CoverOptions{Radius: 1e6}, "radius"},
		"cells":      {[]planning.Transmitter{ok}, planning.CoverOptions{CellDeg: 1e-6}, "cells"},
		"height":     {[]planning.Transmitter{ok}, planning.CoverOptions{Height: -1}, "antenna"},
		"k":          {[]planning.Transmitter{ok}, planning.CoverOptions{K: 11}, "must be 0.3 to 10"},
		"band":       {[]planning.Transmitter{far}, planning.CoverOptions{}, "sector ok: channel at 2450 MHz"},
		"subscriber": {[]planning.Transmitter{bare}, planning.CoverOptions{}, "subscriber: channel at 2450 MHz"},
		"one band":   {[]planning.Transmitter{ok}, planning.CoverOptions{Gear: &narrow}, "(5470 to 5590 MHz)"},
		"swapped":    {[]planning.Transmitter{swap}, planning.CoverOptions{}, "did you swap latitude and longitude?"},
	} {
		if _, err := planning.Cover(context.Background(), g, c.tx, c.o, nil); err == nil || fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, stop := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	stop(why)
	if _, err := planning.Cover(ctx, g, []planning.Transmitter{ok}, planning.CoverOptions{}, nil); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
}

// One site, 30 km radius, 3 arc seconds.
func BenchmarkCover30km(b *testing.B) {
	g := provence(b)
	for b.Loop() {
		if _, err := planning.Cover(context.Background(), g, []planning.Transmitter{mast()}, planning.CoverOptions{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
