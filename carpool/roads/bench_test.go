package roads

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

// The figures of issue 4: Andorra laid out to 170,000 nodes, 10,000 open
// offers between places of chance, one core, up to 20 minutes of detour.
const (
	benchOffers = 10_000
	benchBudget = 20 * time.Minute
)

// bench is what the benchmarks share: built by the first that needs it.
var bench struct {
	graph, rides sync.Once
	g            *Graph
	took, cpu    time.Duration
}

func benchGraph(b *testing.B) *Graph {
	b.Helper()
	testdata.Shared(b, andorraFile) // each is skipped without it
	bench.graph.Do(func() {
		nodes, segs, shape := large(b)
		runtime.GC()
		begun, used := time.Now(), threadTime()
		car, err := newNetwork(Fastest, nodes, segs, shape)
		if err != nil {
			b.Fatal(err)
		}
		ways, err := contract(context.Background(), car, nil)
		if err != nil {
			b.Fatal(err)
		}
		car.grid = newGrid(car)
		bench.g = newGraph(carpool.RoadsAbout{Kind: "graph", Source: "Andorra, tiled"}, car, ways, nil)
		bench.took, bench.cpu = time.Since(begun), threadTime()-used
	})
	return bench.g
}

// benchIndex is the graph with its offers.
func benchIndex(b *testing.B) *Graph {
	b.Helper()
	g := benchGraph(b)
	bench.rides.Do(func() {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range benchOffers {
			if err := g.Index().Put(rideID(i), g.places(rng, 2), time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	return g
}

// oneCore keeps a benchmark on one core and one thread, until it ends.
func oneCore(b *testing.B) {
	before := runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	b.Cleanup(func() {
		runtime.UnlockOSThread()
		runtime.GOMAXPROCS(before)
	})
}

// stopwatch takes times by the clock and by the processor of this thread.
type stopwatch struct{ clock, cpu []time.Duration }

func (s *stopwatch) time(f func()) {
	begun, used := time.Now(), threadTime()
	f()
	s.clock, s.cpu = append(s.clock, time.Since(begun)), append(s.cpu, threadTime()-used)
}

// report prints the percentiles: by the clock, which is what people wait, and
// by the processor, which says the same on a busy machine as on an idle one.
func (s *stopwatch) report(b *testing.B) {
	b.ReportMetric(percentile(s.clock, 50), "p50-ms")
	b.ReportMetric(percentile(s.clock, 99), "p99-ms")
	b.ReportMetric(percentile(s.cpu, 50), "cpu-p50-ms")
	b.ReportMetric(percentile(s.cpu, 99), "cpu-p99-ms")
}

// percentile is the time below which a part of 100 lies, in milliseconds.
func percentile(took []time.Duration, part int) float64 {
	s := slices.Sorted(slices.Values(took))
	return float64(s[min(len(s)-1, len(s)*part/100)]) / 1e6
}

// BenchmarkGraphBuild is the hierarchy of 170,000 nodes. Limit: 5 s.
func BenchmarkGraphBuild(b *testing.B) {
	oneCore(b)
	for range b.N {
		g := benchGraph(b)
		b.ReportMetric(bench.took.Seconds(), "build-s")
		b.ReportMetric(bench.cpu.Seconds(), "cpu-s")
		b.ReportMetric(5, "limit-s")
		b.ReportMetric(float64(g.about.Nodes), "nodes")
		b.ReportMetric(float64(len(g.ways.up.list)+len(g.ways.down.list)), "arcs")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkGraphRead is the same graph from its file.
func BenchmarkGraphRead(b *testing.B) {
	oneCore(b)
	g := benchGraph(b)
	file := written(b, g)
	b.ResetTimer()
	for range b.N {
		if _, err := Read(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(file))/(1<<20), "MB")
}

// BenchmarkOfferInsert is one offer more among 10,000. Limit: p99 1 ms.
func BenchmarkOfferInsert(b *testing.B) {
	oneCore(b)
	g := benchIndex(b)
	rng := rand.New(rand.NewPCG(3, 3))
	places := g.places(rng, 4000)
	var puts, drops stopwatch
	runtime.GC()
	for range b.N {
		for i := range 2000 {
			puts.time(func() {
				if err := g.Index().Put("r-more", places[2*i:2*i+2], time.Time{}); err != nil {
					b.Fatal(err)
				}
			})
			drops.time(func() { g.Index().Drop("r-more") })
		}
	}
	puts.report(b)
	b.ReportMetric(1, "limit-ms")
	b.ReportMetric(percentile(drops.clock, 99), "drop-p99-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOfferMatch is a request against 10,000 open offers: exact times
// between its two ends and every stop of those that fit. Limit: p99 3 ms, and
// 90 times faster than the 2n point-to-point queries of the same hierarchy that
// find the same detours, in the same run.
func BenchmarkOfferMatch(b *testing.B) {
	for _, c := range []struct {
		name   string
		points int
	}{{"ends", 2}, {"ends-and-8-meeting-points", 10}} {
		b.Run(c.name, func(b *testing.B) { benchMatch(b, c.points) })
	}
}

func benchMatch(b *testing.B, points int) {
	oneCore(b)
	g := benchIndex(b)
	rng := rand.New(rand.NewPCG(7, 7))
	const requests = 2000
	asked := make([][]geo.LonLat, requests)
	for i := range asked {
		for _, end := range g.places(rng, 2) {
			asked[i] = append(asked[i], end)
			for range points/2 - 1 { // meeting points within a walk
				asked[i] = append(asked[i], geo.LonLat{Lon: end.Lon + 0.01*(rng.Float64()-0.5), Lat: end.Lat + 0.008*(rng.Float64()-0.5)})
			}
		}
	}
	near := func(at []geo.LonLat) int {
		n, err := g.Index().Near(context.Background(), at[:len(at)/2], at[len(at)/2:], benchBudget, carpool.Window{})
		if err != nil {
			b.Fatal(err)
		}
		return len(n.Rides)
	}
	for i := range 50 {
		near(asked[i])
	}
	runtime.GC()
	var took stopwatch
	found := 0
	for range b.N {
		for _, at := range asked {
			took.time(func() { found += near(at) })
		}
	}
	took.report(b)
	b.ReportMetric(float64(found)/float64(len(took.cpu)), "rides")
	b.ReportMetric(0, "ns/op")
	if points != 2 {
		return
	}
	b.ReportMetric(3, "limit-ms")
	var sum time.Duration
	for _, d := range took.cpu {
		sum += d
	}
	b.ReportMetric(pointToPoint(b, g, asked[:3]).Seconds()/(sum.Seconds()/float64(len(took.cpu))), "times-faster")
	b.ReportMetric(90, "limit-times")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse+m.StackInuse)/(1<<20), "heap-MB")
	debug.FreeOSMemory()
	var pages, resident int
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(string(statm), &pages, &resident); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(resident*os.Getpagesize())/(1<<20), "rss-MB")
	}
	b.ReportMetric(200, "limit-MB")
}

// pointToPoint is the processor time of one request with a query for the way from
// each offer's start and one to its end; the places are on the roads already.
func pointToPoint(b *testing.B, g *Graph, asked [][]geo.LonLat) time.Duration {
	x := g.index()
	f := g.ways.borrow()
	defer g.ways.giveBack(f)
	begun := threadTime()
	ways := 0
	for _, at := range asked {
		spots, err := g.spots(context.Background(), "end", at)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range x.rides {
			if r.count == 0 {
				continue
			}
			start, end := &x.stops[r.first].spot, &x.stops[r.first+1].spot
			for _, w := range []weight{
				g.ways.between(f, start.out.list(), spots[0].in.list()),
				g.ways.between(f, spots[1].out.list(), end.in.list()),
			} {
				if w != never {
					ways++
				}
			}
		}
	}
	if ways == 0 {
		b.Fatal("no way was found")
	}
	return (threadTime() - begun) / time.Duration(len(asked))
}
