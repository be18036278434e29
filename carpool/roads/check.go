package roads

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// Facts are figures of a graph, for people who look after it.
type Facts struct {
	Km        float64    `json:"km"`       // of road for cars
	Segments  int        `json:"segments"` // pieces of road between two nodes
	Islands   int        `json:"islands"`  // segments without a way to the large part or back
	Shortcuts int        `json:"shortcuts"`
	FootNodes int        `json:"foot_nodes"` // 0: walks are estimated
	FootKm    float64    `json:"foot_km"`
	Bounds    geo.Bounds `json:"bounds"` // of the roads for cars
}

// Facts counts.
func (g *Graph) Facts() Facts {
	f := Facts{Segments: len(g.car.segs), Shortcuts: len(g.ways.up.list) + len(g.ways.down.list) - g.car.edges()}
	for i, s := range g.car.segs {
		f.Km += float64(s.dm) / 10_000
		if s.island {
			f.Islands++
		}
		p := g.car.nodes[s.a].lonLat()
		if i == 0 {
			f.Bounds = geo.Bounds{West: p.Lon, East: p.Lon, South: p.Lat, North: p.Lat}
		}
	}
	g.car.eachPiece(func(_ piece, p, q point) bool {
		for _, at := range [2]geo.LonLat{p.lonLat(), q.lonLat()} {
			f.Bounds.West, f.Bounds.East = min(f.Bounds.West, at.Lon), max(f.Bounds.East, at.Lon)
			f.Bounds.South, f.Bounds.North = min(f.Bounds.South, at.Lat), max(f.Bounds.North, at.Lat)
		}
		return true
	})
	if g.foot != nil {
		f.FootNodes = len(g.foot.nodes)
		for _, s := range g.foot.segs {
			f.FootKm += float64(s.dm) / 10_000
		}
	}
	return f
}

// Checked is what Check found.
type Checked struct {
	Pairs  int    `json:"pairs"`
	Equal  int    `json:"equal"`
	NoWay  int    `json:"no_way"` // of the equal ones: pairs without a way
	Differ string `json:"differ,omitempty"`
}

// Check holds the hierarchy against a plain search over the roads, for pairs of
// nodes of chance; the same seed takes the same pairs. told is called with how
// many are done.
func (g *Graph) Check(ctx context.Context, pairs int, seed uint64, told func(done, total int)) (Checked, error) {
	n := uint32(len(g.car.nodes))
	if n == 0 || pairs < 1 {
		return Checked{}, fault.New(fault.Invalid, "check road graph: there is nothing to check")
	}
	c := Checked{Pairs: pairs}
	rng := rand.New(rand.NewPCG(seed, 0))
	s := newSide(int(n))
	f := g.ways.borrow()
	defer g.ways.giveBack(f)
	for i := range pairs {
		if ctx.Err() != nil {
			return c, ctx.Err()
		}
		a, b := rng.Uint32N(n), rng.Uint32N(n)
		want := g.car.search(&s, a, b)
		got := g.ways.between(f, []reach{{a, 0}}, []reach{{b, 0}})
		switch {
		case got != want:
			c.Differ = fmt.Sprintf("from node %d to node %d: hierarchy %v, plain search %v", a, b, g.car.metric.leg(got), g.car.metric.leg(want))
		case got == never:
			c.NoWay++
			fallthrough
		default:
			c.Equal++
		}
		if told != nil {
			told(i+1, pairs)
		}
	}
	return c, nil
}

// search is Dijkstra's, from one node to another.
func (n *network) search(s *side, from, to uint32) weight {
	s.clear()
	s.relax(from, 0)
	for len(s.heap) > 0 {
		r := s.heap.pop()
		if r.node == to {
			return r.w
		}
		if r.w == s.dist[r.node] {
			n.exits(r.node, func(v uint32, w weight) { s.relax(v, r.w+w) })
		}
	}
	return never
}
