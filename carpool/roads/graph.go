package roads

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// Graph is a road graph with its hierarchy. It never changes once it is built,
// but for the rides in its index; any number of goroutines may ask it.
type Graph struct {
	about carpool.RoadsAbout
	car   *network
	ways  *hierarchy
	foot  *network // nil: walks are estimated

	onRoad, onFoot snapping
	walks          sync.Pool // of *side, for foot
	index          func() *stopIndex
}

// How far from a road a place may be, and how it is got there: by car as on a
// track, on foot as Tobler has it off the path (three fifths of a flat path).
const (
	carLimit  = 2000
	footLimit = 2000
	slack     = 300
	carOff    = 15 / 3.6
)

// Limits of a request, so that none takes all there is.
const maxPairs = 1 << 20

func newGraph(about carpool.RoadsAbout, car *network, ways *hierarchy, foot *network) *Graph {
	about.Nodes, about.Edges = len(car.nodes), car.edges()
	g := &Graph{about: about, car: car, ways: ways, foot: foot,
		onRoad: snapping{limit: carLimit, slack: slack, speed: carOff, what: about.Source},
		onFoot: snapping{limit: footLimit, slack: slack, speed: 0.6 * toblerSpeed(0), what: about.Source},
	}
	g.index = sync.OnceValue(func() *stopIndex { return newStopIndex(g) })
	return g
}

// About says what the answers rest on.
func (g *Graph) About() carpool.RoadsAbout { return g.about }

// Index is the one index of rides over the graph.
func (g *Graph) Index() carpool.StopIndex { return g.index() }

// Legs are the ways by car from each point to each point. A point that is
// farther than 2 km from every road (5 km on a schematic) is Invalid.
func (g *Graph) Legs(ctx context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	if len(from)*len(to) > maxPairs {
		return nil, fault.New(fault.Invalid, "roads: %d × %d ways at once: ask for fewer", len(from), len(to))
	}
	a, err := g.spots(ctx, "from", from)
	if err != nil {
		return nil, err
	}
	b, err := g.spots(ctx, "to", to)
	if err != nil {
		return nil, err
	}
	w := g.weights(a, b)
	out := make([][]carpool.Leg, len(from))
	for i := range out {
		out[i] = make([]carpool.Leg, len(to))
		for j := range out[i] {
			out[i][j] = g.car.metric.leg(w[i][j])
		}
	}
	return out, nil
}

// weights are those of the ways from each spot to each spot.
func (g *Graph) weights(from, to []spot) [][]weight {
	slab := make([]weight, len(from)*len(to))
	out := make([][]weight, len(from))
	for i := range out {
		out[i] = slab[i*len(to) : (i+1)*len(to)]
		for j := range to {
			out[i][j] = g.car.along(&from[i], &to[j])
		}
	}
	f := g.ways.borrow()
	defer g.ways.giveBack(f)
	if len(from) == 1 && len(to) == 1 {
		out[0][0] = min(out[0][0], g.ways.between(f, from[0].out.list(), to[0].in.list()))
	} else {
		g.ways.table(f, from, to, out)
	}
	return out
}

func (g *Graph) spots(ctx context.Context, name string, at []geo.LonLat) ([]spot, error) {
	out := make([]spot, len(at))
	for i, p := range at {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if out[i], err = g.car.spot(fmt.Sprintf("%s[%d]", name, i), p, g.onRoad); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// setLimit changes how far from a road a place may be.
func (g *Graph) setLimit(metres float64, speed float64) {
	g.onRoad.limit, g.onRoad.speed = unitMetres(metres), speed
}

// longestWalk is the longest beeline for which a way on foot is looked for.
const longestWalk = 15000

// Walk is the way on foot. Without a footpath graph it is a straight line
// times a factor. Over 15 km of beeline there is none.
func (g *Graph) Walk(ctx context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	if !from.Valid() || !to.Valid() {
		return carpool.Leg{}, fault.New(fault.Invalid, "walk: not a position: latitude is -90 to 90, longitude -180 to 180")
	}
	if err := ctx.Err(); err != nil {
		return carpool.Leg{}, err
	}
	if from.Distance(to) > longestWalk {
		return carpool.Leg{}, nil
	}
	if g.foot == nil {
		return straightWalk(from, to), nil
	}
	a, err := g.foot.spot("walk from", from, g.onFoot)
	if err != nil {
		return carpool.Leg{}, err
	}
	b, err := g.foot.spot("walk to", to, g.onFoot)
	if err != nil {
		return carpool.Leg{}, err
	}
	s, ok := g.walks.Get().(*side)
	if !ok {
		fresh := newSide(len(g.foot.nodes))
		s = &fresh
	}
	defer g.walks.Put(s)
	return g.foot.metric.leg(g.foot.walk(s, &a, &b, to)), nil
}

// walk is the best way between two spots by A* over the plain graph: walks are
// short, a hierarchy would not pay.
func (n *network) walk(s *side, from, to *spot, goal geo.LonLat) weight {
	defer s.clear()
	best := n.along(from, to)
	// No step is faster than Tobler's best, so the beeline at that speed is
	// never more than what is left; a tenth of a second less, for rounding.
	ahead := func(v uint32) weight {
		ms := float64(n.nodes[v].lonLat().Distance(goal))/toblerBest*1000 - 100
		return weight(max(0, ms)) << 32
	}
	if n.metric != Fastest {
		ahead = func(uint32) weight { return 0 }
	}
	reached := func(v uint32, w weight) {
		if w < s.dist[v] {
			if s.dist[v] == never {
				s.touched = append(s.touched, v)
			}
			s.dist[v] = w
			s.heap.push(reach{v, w + ahead(v)})
		}
	}
	for _, r := range from.out.list() {
		reached(r.node, r.w)
	}
	for len(s.heap) > 0 {
		r := s.heap.pop()
		if r.w >= best {
			break
		}
		d := s.dist[r.node]
		if r.w > d+ahead(r.node) {
			continue
		}
		for _, e := range to.in.list() {
			if e.node == r.node {
				best = min(best, d+e.w)
			}
		}
		n.exits(r.node, func(to uint32, w weight) { reached(to, d+w) })
	}
	return best
}

// built is the moment of a build, to the second.
func built(now time.Time) time.Time { return now.UTC().Truncate(time.Second) }
