package roads

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// town is a graph of chance: nodes on a bent grid, some roads one-way, some
// missing, some with points between, and a piece that is not joined.
func town(t testing.TB, seed uint64, side int) *Graph {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	var nodes []point
	var segs []segment
	var shape []point
	node := func(x, y int) uint32 { return uint32(y*side + x) }
	for y := range side {
		for x := range side {
			nodes = append(nodes, point{int32(80_000_000 + x*20_000 + rng.IntN(9000)), int32(445_000_000 + y*15_000 + rng.IntN(7000))})
		}
	}
	join := func(a, b uint32) {
		if rng.IntN(6) == 0 {
			return
		}
		s := segment{a: a, b: b, shape: uint32(len(shape))}
		long := nodes[a].lonLat().Distance(nodes[b].lonLat())
		if rng.IntN(3) == 0 {
			mid := point{(nodes[a].lon+nodes[b].lon)/2 + int32(rng.IntN(4000)), (nodes[a].lat + nodes[b].lat) / 2}
			shape = append(shape, mid)
			long = nodes[a].lonLat().Distance(mid.lonLat()) + mid.lonLat().Distance(nodes[b].lonLat())
		}
		s.dm = uint32(long * 10)
		s.ab = uint32(float64(long) / (5 + 15*rng.Float64()) * 1000)
		s.ba = s.ab + uint32(rng.IntN(3000))
		switch rng.IntN(6) {
		case 0:
			s.ab = shut
		case 1:
			s.ba = shut
		}
		segs = append(segs, s)
	}
	for y := range side {
		for x := range side {
			if x+1 < side {
				join(node(x, y), node(x+1, y))
			}
			if y+1 < side {
				join(node(x, y), node(x, y+1))
			}
		}
	}
	nodes = append(nodes, point{79_900_000, 445_000_000}, point{79_900_000, 445_010_000})
	segs = append(segs, segment{a: uint32(len(nodes) - 2), b: uint32(len(nodes) - 1), ab: 9000, ba: 9000, dm: 1100, shape: uint32(len(shape))})
	return graphOf(t, Fastest, nodes, segs, shape)
}

func graphOf(t testing.TB, m Metric, nodes []point, segs []segment, shape []point) *Graph {
	t.Helper()
	car, err := newNetwork(m, nodes, segs, shape)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := contract(context.Background(), car, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newGraph(carpool.RoadsAbout{Kind: "graph", Source: "a town of chance"}, car, ways, nil)
}

// plain is a graph as the textbook has it, made of the segments alone, with a
// search that shares nothing with the hierarchy: what everything is held
// against.
type plain struct {
	n   *network
	out [][]reach
}

func newPlain(n *network) *plain {
	p := &plain{n: n, out: make([][]reach, len(n.nodes))}
	for _, s := range n.segs {
		if s.ab != shut {
			p.out[s.a] = append(p.out[s.a], reach{s.b, n.metric.weight(s.ab, s.dm)})
		}
		if s.ba != shut {
			p.out[s.b] = append(p.out[s.b], reach{s.a, n.metric.weight(s.ba, s.dm)})
		}
	}
	return p
}

// open is the open list of Dijkstra's search.
type open []reach

func (o open) Len() int           { return len(o) }
func (o open) Less(i, j int) bool { return o[i].w < o[j].w }
func (o open) Swap(i, j int)      { o[i], o[j] = o[j], o[i] }
func (o *open) Push(x any)        { *o = append(*o, x.(reach)) }
func (o *open) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return last
}

// dijkstra is the way between two places on the roads.
func (p *plain) dijkstra(from, to *spot) weight {
	dist := map[uint32]weight{}
	o := &open{}
	reached := func(v uint32, w weight) {
		if d, ok := dist[v]; !ok || w < d {
			dist[v] = w
			heap.Push(o, reach{v, w})
		}
	}
	for _, r := range from.out.list() {
		reached(r.node, r.w)
	}
	for o.Len() > 0 {
		r := heap.Pop(o).(reach)
		if r.w > dist[r.node] {
			continue
		}
		for _, e := range p.out[r.node] {
			reached(e.node, r.w+e.w)
		}
	}
	best := p.n.along(from, to)
	for _, r := range to.in.list() {
		if d, ok := dist[r.node]; ok {
			best = min(best, d+r.w)
		}
	}
	return best
}

// places are n points of chance near the roads of g.
func (g *Graph) places(rng *rand.Rand, n int) []geo.LonLat {
	out := make([]geo.LonLat, n)
	for i := range out {
		s := g.car.segs[rng.IntN(len(g.car.segs))]
		a, b := g.car.nodes[s.a].lonLat(), g.car.nodes[s.b].lonLat()
		t := rng.Float64()
		out[i] = geo.LonLat{Lon: a.Lon + t*(b.Lon-a.Lon) + rng.Float64()*0.0004, Lat: a.Lat + t*(b.Lat-a.Lat) + rng.Float64()*0.0004}
	}
	return out
}

func rideID(i int) carpool.RideID { return carpool.RideID(fmt.Sprintf("r-%05d", i)) }

// refused says whether an error is there and speaks of all the words.
func refused(err error, words ...string) bool {
	if err == nil {
		return false
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			return false
		}
	}
	return true
}
