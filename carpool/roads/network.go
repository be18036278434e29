package roads

import (
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// point is a position in 1e-7 degrees, as OpenStreetMap keeps it.
type point struct{ lon, lat int32 }

const perDegree = 1e7

func pointOf(p geo.LonLat) point {
	return point{int32(math.Round(p.Lon * perDegree)), int32(math.Round(p.Lat * perDegree))}
}

func (p point) lonLat() geo.LonLat {
	return geo.LonLat{Lon: float64(p.lon) / perDegree, Lat: float64(p.lat) / perDegree}
}

func (p point) valid() bool {
	return p.lon >= -180*perDegree && p.lon <= 180*perDegree && p.lat >= -90*perDegree && p.lat <= 90*perDegree
}

// segment is a piece of road between two nodes where one may turn off.
type segment struct {
	a, b   uint32
	ab, ba uint32 // milliseconds each way; shut when closed
	dm     uint32 // decimetres
	shape  uint32 // where its points between a and b begin in network.shape
	island bool   // outside the large component: no way there or none back
}

// network is roads as nodes and segments: those for cars or those on foot.
type network struct {
	metric Metric
	nodes  []point
	segs   []segment
	shape  []point

	first []uint32 // of each node, where its segments begin in at
	at    []uint32
	grid  grid
}

// newNetwork checks what it is given and adds what is found from it. The slices
// are its own from then on.
func newNetwork(metric Metric, nodes []point, segs []segment, shape []point) (*network, error) {
	n := &network{metric: metric, nodes: nodes, segs: segs, shape: shape}
	if err := n.check(); err != nil {
		return nil, err
	}
	n.join()
	n.findIslands()
	n.grid = newGrid(n)
	return n, nil
}

func (n *network) check() error {
	for i, p := range n.nodes {
		if !p.valid() {
			return fault.New(fault.Invalid, "roads: node %d: a position outside the world", i)
		}
	}
	for i, p := range n.shape {
		if !p.valid() {
			return fault.New(fault.Invalid, "roads: shape point %d: a position outside the world", i)
		}
	}
	if len(n.nodes) >= math.MaxInt32 || len(n.segs) >= math.MaxInt32 || len(n.shape) >= math.MaxInt32 {
		return fault.New(fault.Invalid, "roads: more than 2,147,483,646 nodes or segments: take a smaller extract")
	}
	at := uint32(0)
	for i, s := range n.segs {
		switch {
		case int(s.a) >= len(n.nodes) || int(s.b) >= len(n.nodes):
			return fault.New(fault.Invalid, "roads: segment %d: a node that is not there", i)
		case s.ab == shut && s.ba == shut:
			return fault.New(fault.Invalid, "roads: segment %d: closed both ways", i)
		case s.ab != shut && s.ab > maxSegmentMs || s.ba != shut && s.ba > maxSegmentMs:
			return fault.New(fault.Invalid, "roads: segment %d: takes more than a day", i)
		case s.dm > maxSegmentDm:
			return fault.New(fault.Invalid, "roads: segment %d: longer than 1,000 km", i)
		case s.shape < at || int(s.shape) > len(n.shape):
			return fault.New(fault.Invalid, "roads: segment %d: its shape is out of order", i)
		}
		at = s.shape
	}
	return nil
}

// join lists the segments at each node.
func (n *network) join() {
	n.first = make([]uint32, len(n.nodes)+1)
	for _, s := range n.segs {
		n.first[s.a+1]++
		if s.a != s.b {
			n.first[s.b+1]++
		}
	}
	for i := range n.nodes {
		n.first[i+1] += n.first[i]
	}
	n.at = make([]uint32, n.first[len(n.nodes)])
	next := append([]uint32(nil), n.first...)
	for i, s := range n.segs {
		n.at[next[s.a]] = uint32(i)
		next[s.a]++
		if s.a != s.b {
			n.at[next[s.b]] = uint32(i)
			next[s.b]++
		}
	}
}

// exits calls f with each node that can be driven to from v, and what it costs.
func (n *network) exits(v uint32, f func(to uint32, w weight)) {
	for _, i := range n.at[n.first[v]:n.first[v+1]] {
		s := &n.segs[i]
		if s.a == v && s.ab != shut {
			f(s.b, n.metric.weight(s.ab, s.dm))
		}
		if s.b == v && s.ba != shut {
			f(s.a, n.metric.weight(s.ba, s.dm))
		}
	}
}

// line is the points of a segment from a to b. buf is used when it is large
// enough.
func (n *network) line(i uint32, buf []point) []point {
	s := &n.segs[i]
	buf = append(buf[:0], n.nodes[s.a])
	buf = append(buf, n.shape[s.shape:n.shapeEnd(i)]...)
	return append(buf, n.nodes[s.b])
}

// shapeEnd is where the points between the ends of a segment end.
func (n *network) shapeEnd(i uint32) uint32 {
	if int(i+1) < len(n.segs) {
		return n.segs[i+1].shape
	}
	return uint32(len(n.shape))
}

// edges counts the directions that are open.
func (n *network) edges() int {
	sum := 0
	for _, s := range n.segs {
		if s.ab != shut {
			sum++
		}
		if s.ba != shut {
			sum++
		}
	}
	return sum
}

// renumber gives node v the number rank[v].
func (n *network) renumber(rank []uint32) {
	nodes := make([]point, len(n.nodes))
	for v, r := range rank {
		nodes[r] = n.nodes[v]
	}
	n.nodes = nodes
	for i := range n.segs {
		n.segs[i].a, n.segs[i].b = rank[n.segs[i].a], rank[n.segs[i].b]
	}
	n.join()
}
