package roads

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

// TestProveMatch: on Andorra, the detour of N rides of chance by a place of
// chance equals that of a plain Dijkstra to the millisecond and the decimetre,
// by the index and by the ways alone; and distances equal those of Routino, a
// router that nobody here wrote, on pairs of at least 2 km, both looking for
// the shortest way. What Routino says otherwise by more than 5 % is explained
// or fails.
func TestProveMatch(t *testing.T) {
	if os.Getenv("PROVE") != "match" {
		t.Skip("run by make prove-match")
	}
	n, err := strconv.Atoi(os.Getenv("N"))
	if err != nil || n < 20 {
		n = 1000
	}
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	rng := rand.New(rand.NewPCG(seed, 1000))
	equal := sameDetours(t, andorra(t, Import{}), rng, n)
	r := newRoutino(t)
	c := r.compare(t, andorra(t, Import{Metric: Shortest}), rng, n)
	for _, o := range c.outside {
		t.Log(o)
	}
	t.Logf("N=%d SEED=%d: %d of %d detours equal Dijkstra; %d pairs of 2 km and more against Routino: median ratio %.4f (0.98–1.02), %.2f %% inside 0.95–1.05 (99.5 %%), %d outside, %d of them explained",
		n, seed, equal, n, c.pairs, c.median, c.inside, len(c.outside), c.explained)
	if equal != n || c.pairs < n*3/4 || c.median < 0.98 || c.median > 1.02 || c.inside < 99.5 || c.explained != len(c.outside) {
		t.Errorf("short of what is claimed")
	}
}

// sameDetours counts the triples whose detour is that of Dijkstra.
func sameDetours(t *testing.T, g *Graph, rng *rand.Rand, n int) int {
	oracle := newPlain(g.car)
	equal := 0
	for i := range n {
		at := g.places(rng, 3) // from, by, to
		spots, err := g.spots(context.Background(), "place", at)
		if err != nil {
			t.Fatal(err)
		}
		leg := func(a, b int) carpool.Leg { return g.car.metric.leg(oracle.dijkstra(&spots[a], &spots[b])) }
		in, on, straight := leg(0, 1), leg(1, 2), leg(0, 2)
		legs, err := g.Legs(context.Background(), at, at)
		if err != nil {
			t.Fatal(err)
		}
		x := newStopIndex(g)
		if err := x.Put("r-1", []geo.LonLat{at[0], at[2]}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		near, err := x.Near(context.Background(), at[1:2], at[1:2], 24*time.Hour, carpool.Window{})
		if err != nil {
			t.Fatal(err)
		}
		same := legs[0][1] == in && legs[1][2] == on && legs[0][2] == straight
		if in.OK && on.OK && straight.OK {
			same = same && len(near.Rides) == 1 && near.Rides[0].To[0][0] == in && near.Rides[0].From[1][1] == on && near.Rides[0].Between[0] == straight
		} else {
			same = same && len(near.Rides) == 0
		}
		// With the detour itself as budget it is found, with a millisecond less not.
		if same && straight.OK && in.OK && on.OK {
			detour := in.Time + on.Time - straight.Time
			for _, b := range []time.Duration{detour, detour - time.Millisecond} {
				near, err := x.Near(context.Background(), at[1:2], at[1:2], b, carpool.Window{})
				same = same && err == nil && (len(near.Rides) == 1) == (b == detour)
			}
		}
		if same {
			equal++
		} else {
			t.Errorf("triple %d, %v: Dijkstra %v %v %v, ways %v, index %+v", i, at, in, on, straight, legs, near)
		}
	}
	return equal
}

// routino is a database of Routino over the same extract.
type routino struct {
	dir       string
	trackless *Graph // ours, when it is needed
}

func newRoutino(t *testing.T) *routino {
	t.Helper()
	if _, err := exec.LookPath("planetsplitter"); err != nil {
		if testdata.Real() {
			t.Fatalf("Routino is missing and CRINALE_REAL=all: %v", err)
		}
		t.Skip("SKIPPED, NOT TESTED: Routino is missing: apt-get install routino")
	}
	r := &routino{dir: t.TempDir()}
	out, err := exec.Command("planetsplitter", "--dir="+r.dir, "--prefix=a", "--tagging=/usr/share/routino/tagging.xml", "--loggable", "--prune-none",
		testdata.Shared(t, andorraFile)).CombinedOutput()
	if err != nil {
		t.Fatalf("planetsplitter: %v: %s", err, out)
	}
	return r
}

// route is what Routino says of a way.
type route struct {
	metres     float64
	start, end geo.LonLat
	ok         bool
}

// neutral are settings under which Routino looks for the shortest way and
// nothing else: by itself it prefers larger and paved roads even then. It keeps
// the lengths of its pieces, some 25 m each, in whole metres, and its ways come
// out about 1.5 % shorter than ours.
var neutral = []string{"--highway-motorway=100", "--highway-trunk=100", "--highway-primary=100", "--highway-secondary=100", "--highway-tertiary=100",
	"--highway-unclassified=100", "--highway-residential=100", "--highway-service=100", "--highway-track=100", "--highway-ferry=0",
	"--property-paved=50", "--property-multilane=50", "--property-bridge=50", "--property-tunnel=50", "--property-footroute=50", "--property-bicycleroute=50"}

func (r *routino) ask(t *testing.T, from, to geo.LonLat, more ...string) route {
	t.Helper()
	args := append([]string{"--dir=" + r.dir, "--prefix=a", "--profiles=/usr/share/routino/profiles.xml", "--translations=/usr/share/routino/translations.xml",
		"--transport=motorcar", "--shortest", "--quiet", "--output-text-all", "--output-stdout",
		fmt.Sprintf("--lat1=%.7f", from.Lat), fmt.Sprintf("--lon1=%.7f", from.Lon), fmt.Sprintf("--lat2=%.7f", to.Lat), fmt.Sprintf("--lon2=%.7f", to.Lon)}, neutral...)
	out, err := exec.Command("routino-router", append(args, more...)...).Output()
	if err != nil {
		return route{}
	}
	var w route
	for _, line := range strings.Split(string(out), "\n") {
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(f) < 5 {
			continue
		}
		lat, err1 := strconv.ParseFloat(strings.TrimSpace(f[0]), 64)
		lon, err2 := strconv.ParseFloat(strings.TrimSpace(f[1]), 64)
		km, err3 := strconv.ParseFloat(strings.TrimSpace(f[4]), 64)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatalf("routino-router wrote %q", line)
		}
		w.end = geo.LonLat{Lon: lon, Lat: lat}
		if !w.ok {
			w.start, w.ok = w.end, true
		}
		w.metres += km * 1000
	}
	return w
}

// comparison is what came of it.
type comparison struct {
	pairs, explained int
	median, inside   float64
	outside          []string
}

func (r *routino) compare(t *testing.T, g *Graph, rng *rand.Rand, n int) comparison {
	t.Helper()
	var c comparison
	var ratios []float64
	for tries := 0; c.pairs < n && tries < 3*n; tries++ {
		a, b := g.crossing(rng), g.crossing(rng)
		legs, err := g.Legs(context.Background(), []geo.LonLat{a}, []geo.LonLat{b})
		if err != nil {
			t.Fatal(err)
		}
		ours := float64(legs[0][0].Metres)
		if !legs[0][0].OK || ours < 2000 {
			continue
		}
		c.pairs++
		w := r.ask(t, a, b)
		ratio := math.Inf(1)
		if w.ok && w.metres > 0 {
			ratio = ours / w.metres
		}
		ratios = append(ratios, ratio)
		if ratio >= 0.95 && ratio <= 1.05 {
			continue
		}
		why := r.explain(t, g, a, b, ours, w)
		if why != "" {
			c.explained++
		}
		c.outside = append(c.outside, fmt.Sprintf("%v to %v: ours %.0f m, Routino %.0f m, ratio %.3f: %s", a, b, ours, w.metres, ratio, why))
	}
	slices.Sort(ratios)
	c.median = ratios[len(ratios)/2]
	c.inside = 100 * float64(c.pairs-len(c.outside)) / float64(c.pairs)
	return c
}

// crossing is a node of chance where roads of the large component meet.
func (g *Graph) crossing(rng *rand.Rand) geo.LonLat {
	for {
		if s := g.car.segs[rng.IntN(len(g.car.segs))]; !s.island {
			return g.car.nodes[s.a].lonLat()
		}
	}
}

// explain finds what the two take differently, by asking again without it: only
// when the answers then agree is it the reason.
func (r *routino) explain(t *testing.T, g *Graph, a, b geo.LonLat, ours float64, w route) string {
	t.Helper()
	agree := func(x, y float64) bool { return y > 0 && x/y >= 0.95 && x/y <= 1.05 }
	if x := r.ask(t, a, b, "--turns=0"); x.ok && agree(ours, x.metres) {
		return "a turn restriction, which Routino keeps and we leave out"
	}
	if w.ok && agree(g.metres(t, w.start, w.end), w.metres) {
		return fmt.Sprintf("Routino puts the places %.1f and %.1f m away, on another road or past a one-way exit; from there we agree",
			float64(w.start.Distance(a)), float64(w.end.Distance(b)))
	}
	if r.trackless == nil {
		r.trackless = withoutTracks(t)
	}
	if agree(r.trackless.metres(t, a, b), w.metres) {
		return "a track that motor_vehicle=yes opens to us and not to Routino; without tracks we agree"
	}
	if w.ok && agree(r.trackless.metres(t, w.start, w.end), w.metres) {
		return "a track that motor_vehicle=yes opens to us and not to Routino, which puts a place beside it; from there and without tracks we agree"
	}
	return ""
}

// metres of the way between two places.
func (g *Graph) metres(t *testing.T, a, b geo.LonLat) float64 {
	t.Helper()
	legs, err := g.Legs(context.Background(), []geo.LonLat{a}, []geo.LonLat{b})
	if err != nil {
		t.Fatal(err)
	}
	return float64(legs[0][0].Metres)
}

// withoutTracks is Andorra with no track open to cars.
func withoutTracks(t *testing.T) *Graph {
	t.Helper()
	f, err := os.Open(testdata.Shared(t, andorraFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := Import{Metric: Shortest}
	tracks := map[string]bool{}
	name := func(refs []int64) string { return fmt.Sprint(refs) }
	if _, err := o.scan(context.Background(), f, "tracks", sink{way: func(refs []int64, t tags) error {
		if t.Find("highway") == "track" {
			tracks[name(refs)] = true
		}
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	ways, _, err := o.ways(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	ways = slices.DeleteFunc(ways, func(w way) bool { return tracks[name(w.refs)] })
	j := newJunctions(ways)
	if err := o.nodes(context.Background(), f, j); err != nil {
		t.Fatal(err)
	}
	c := cut(byCar, ways, j, nil)
	return graphOf(t, Shortest, c.nodes, c.segs, c.shape)
}

// Routino must be asked the way it is meant: its own text of a known way.
func TestRoutinoIsRead(t *testing.T) {
	if os.Getenv("PROVE") != "match" {
		t.Skip("run by make prove-match")
	}
	r := newRoutino(t)
	w := r.ask(t, geo.LonLat{Lon: 1.5218, Lat: 42.5063}, geo.LonLat{Lon: 1.5976, Lat: 42.5662})
	if !w.ok || w.metres < 10_000 || w.metres > 13_000 {
		t.Errorf("Andorra la Vella to Canillo by Routino: %+v", w)
	}
}
