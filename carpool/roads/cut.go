package roads

import (
	"math"
	"slices"

	"github.com/crinale/crinale/internal/fault"
)

// way is a way of an extract that cars or people on foot may use.
type way struct {
	refs  []int64
	lanes [2]lane // of cars, of people on foot
	level bool    // a bridge or a tunnel
}

const (
	byCar  = 0
	onFoot = 1
)

// junctions are the nodes that ways use, in order of their numbers.
type junctions struct {
	ids   []int64
	at    []point
	known []bool
	stops [2][]bool // cars, people on foot
}

func newJunctions(ways []way) *junctions {
	j := &junctions{}
	for _, w := range ways {
		j.ids = append(j.ids, w.refs...)
	}
	slices.Sort(j.ids)
	j.ids = slices.Clip(slices.Compact(j.ids))
	n := len(j.ids)
	j.at, j.known, j.stops = make([]point, n), make([]bool, n), [2][]bool{make([]bool, n), make([]bool, n)}
	return j
}

func (j *junctions) find(id int64) (int, bool) { return slices.BinarySearch(j.ids, id) }

// cutter makes a network of the ways of one kind: cut where ways meet, end, or
// something stops the traffic.
type cutter struct {
	kind int
	j    *junctions
	h    Heights

	uses  []uint8  // of each junction, 2 means more
	node  []uint32 // its number in the network, none when not given yet
	nodes []point
	segs  []segment
	shape []point
}

const noNode = ^uint32(0)

func cut(kind int, ways []way, j *junctions, h Heights) *cutter {
	c := &cutter{kind: kind, j: j, h: h, uses: make([]uint8, len(j.ids)), node: make([]uint32, len(j.ids))}
	for i := range c.node {
		c.node[i] = noNode
	}
	for _, w := range ways {
		c.runs(w, func(run []int) {
			for k, i := range run {
				add := uint8(1)
				if k == 0 || k == len(run)-1 {
					add = 2
				}
				c.uses[i] = min(2, c.uses[i]+add)
			}
		})
	}
	for _, w := range ways {
		c.runs(w, func(run []int) { c.cut(w, run) })
	}
	return c
}

// runs calls f with the parts of a way whose nodes are all in the extract;
// beyond its border they are not.
func (c *cutter) runs(w way, f func(run []int)) {
	if !w.lanes[c.kind].open() {
		return
	}
	var run []int
	end := func() {
		if len(run) > 1 {
			f(run)
		}
		run = run[:0]
	}
	for _, id := range w.refs {
		i, ok := c.j.find(id)
		if !ok || !c.j.known[i] {
			end()
			continue
		}
		if len(run) == 0 || run[len(run)-1] != i {
			run = append(run, i)
		}
	}
	end()
}

func (c *cutter) cut(w way, run []int) {
	from := 0
	for k := 1; k < len(run); k++ {
		if k == len(run)-1 || c.uses[run[k]] > 1 || c.j.stops[c.kind][run[k]] {
			c.segment(w, run[from:k+1])
			from = k
		}
	}
}

// at is the number of a node. One that stops the traffic is another each time,
// so that nothing passes.
func (c *cutter) at(i int) uint32 {
	if c.node[i] != noNode && !c.j.stops[c.kind][i] {
		return c.node[i]
	}
	c.node[i] = uint32(len(c.nodes))
	c.nodes = append(c.nodes, c.j.at[i])
	return c.node[i]
}

func (c *cutter) segment(w way, run []int) {
	line := make([]point, len(run))
	for k, i := range run {
		line[k] = c.j.at[i]
	}
	l := w.lanes[c.kind]
	metres, ahead, back := 0.0, 0.0, 0.0
	for _, s := range stretches(line, c.h, w.level) {
		metres += s.metres
		ahead += c.time(s.metres, s.slope, l.ahead)
		back += c.time(s.metres, -s.slope, l.back)
	}
	s := segment{shape: uint32(len(c.shape)), dm: uint32(math.Min(math.Round(metres*10), maxSegmentDm+1)), ab: shut, ba: shut}
	if l.ahead > 0 {
		s.ab = uint32(math.Min(math.Ceil(ahead), maxSegmentMs+1))
	}
	if l.back > 0 {
		s.ba = uint32(math.Min(math.Ceil(back), maxSegmentMs+1))
	}
	s.a, s.b = c.at(run[0]), c.at(run[len(run)-1])
	c.shape = append(c.shape, line[1:len(line)-1]...)
	c.segs = append(c.segs, s)
}

func (c *cutter) time(metres, slope, speed float64) float64 {
	switch {
	case speed == 0:
		return 0
	case c.kind == onFoot:
		return walkTime(metres, slope, speed)
	}
	return driveTime(metres, slope, speed)
}

// network is what was cut.
func (c *cutter) network(m Metric) (*network, error) {
	if uint64(len(c.nodes)) >= math.MaxInt32 || uint64(len(c.shape)) >= math.MaxInt32 {
		return nil, fault.New(fault.Invalid, "roads: too many nodes: take a smaller extract")
	}
	return newNetwork(m, c.nodes, c.segs, c.shape)
}
