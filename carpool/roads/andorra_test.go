package roads

import (
	"context"
	"math"
	"os"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

const andorraFile = "data/roads/andorra.osm.pbf"

// andorra is the graph of the real extract.
func andorra(t testing.TB, o Import) *Graph {
	t.Helper()
	f, err := os.Open(testdata.Shared(t, andorraFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := o.Read(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// tiled lays k × k copies of a network side by side and joins neighbours where
// nodes of the large component lie nearest to the border, as the figures of
// the reference were made.
func tiled(t testing.TB, n *network, k int) ([]point, []segment, []point) {
	t.Helper()
	lo, hi := point{math.MaxInt32, math.MaxInt32}, point{math.MinInt32, math.MinInt32}
	for _, p := range n.nodes {
		lo, hi = point{min(lo.lon, p.lon), min(lo.lat, p.lat)}, point{max(hi.lon, p.lon), max(hi.lat, p.lat)}
	}
	w, h := hi.lon-lo.lon+20_000, hi.lat-lo.lat+20_000
	var nodes, shape []point
	var segs []segment
	for y := range int32(k) {
		for x := range int32(k) {
			move := func(p point) point { return point{p.lon + x*w, p.lat + (y-int32(k)/2)*h} }
			base, at := uint32(len(nodes)), uint32(len(shape))
			for _, p := range n.nodes {
				nodes = append(nodes, move(p))
			}
			for _, p := range n.shape {
				shape = append(shape, move(p))
			}
			for _, s := range n.segs {
				s.a, s.b, s.shape = s.a+base, s.b+base, s.shape+at
				segs = append(segs, s)
			}
		}
	}
	border := func(better func(p, q point) bool) uint32 {
		best := noNode
		for _, s := range n.segs {
			if !s.island && (best == noNode || better(n.nodes[s.a], n.nodes[best])) {
				best = s.a
			}
		}
		return best
	}
	e, wst := border(func(p, q point) bool { return p.lon > q.lon }), border(func(p, q point) bool { return p.lon < q.lon })
	no, so := border(func(p, q point) bool { return p.lat > q.lat }), border(func(p, q point) bool { return p.lat < q.lat })
	join := func(a, b uint32) {
		d := float64(nodes[a].lonLat().Distance(nodes[b].lonLat()))
		ms := uint32(d / (50 / 3.6) * 1000)
		segs = append(segs, segment{a: a, b: b, ab: ms, ba: ms, dm: uint32(d * 10), shape: uint32(len(shape))})
	}
	count := uint32(len(n.nodes))
	for y := range uint32(k) {
		for x := range uint32(k) {
			here := (y*uint32(k) + x) * count
			if int(x) < k-1 {
				join(here+e, here+count+wst)
			}
			if int(y) < k-1 {
				join(here+no, here+uint32(k)*count+so)
			}
		}
	}
	return nodes, segs, shape
}

// large is Andorra laid out until it has about 170,000 nodes.
func large(t testing.TB) ([]point, []segment, []point) {
	t.Helper()
	n := andorra(t, Import{}).car
	k := int(math.Round(math.Sqrt(170_000 / float64(len(n.nodes)))))
	return tiled(t, n, k)
}

func TestAndorra(t *testing.T) {
	g := andorra(t, Import{Source: "Andorra, 2013"})
	a := g.About()
	islands, km := 0, 0.0
	for _, s := range g.car.segs {
		if s.island {
			islands++
		}
		km += float64(s.dm) / 10_000
	}
	t.Logf("cars: %d nodes, %d edges, %.0f km, %d of %d segments on islands, %d arcs up; on foot: %d nodes, %d segments",
		a.Nodes, a.Edges, km, islands, len(g.car.segs), len(g.ways.up.list), len(g.foot.nodes), len(g.foot.segs))
	// SOURCE.md of the extract: 415 km of drivable road.
	if km < 380 || km > 480 || islands*10 > len(g.car.segs) {
		t.Errorf("%.0f km of road, %d of %d segments on islands", km, islands, len(g.car.segs))
	}
	// Andorra la Vella to Canillo and to Pas de la Casa: 12 and 30 km of road.
	town, canillo, pas := geo.LonLat{Lon: 1.5218, Lat: 42.5063}, geo.LonLat{Lon: 1.5976, Lat: 42.5662}, geo.LonLat{Lon: 1.7333, Lat: 42.5425}
	legs, err := g.Legs(context.Background(), []geo.LonLat{town}, []geo.LonLat{canillo, pas})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(legs)
	between(t, "to Canillo", legs[0][0], 10_000, 15_000)
	between(t, "to Pas de la Casa", legs[0][1], 25_000, 36_000)
	walk, err := g.Walk(context.Background(), town, geo.LonLat{Lon: 1.5340, Lat: 42.5095})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(walk)
	between(t, "to Escaldes on foot", walk, 1000, 1700)
}

func between(t *testing.T, what string, l carpool.Leg, least, most float64) {
	t.Helper()
	if m := float64(l.Metres); !l.OK || m < least || m > most {
		t.Errorf("%s: %+v, want %v to %v m", what, l, least, most)
	}
}
