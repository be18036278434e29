package roads

import (
	"context"
	"slices"
)

// arc is one end of an edge of the hierarchy and its weight in two halves, so
// that it takes twelve bytes.
type arc struct{ to, hi, lo uint32 }

func newArc(to uint32, w weight) arc { return arc{to, uint32(w >> 32), uint32(w)} }

func (a arc) w() weight { return weight(a.hi)<<32 | weight(a.lo) }

// arcs are the arcs of each node.
type arcs struct {
	first []uint32
	list  []arc
}

func (a *arcs) of(v uint32) []arc { return a.list[a.first[v]:a.first[v+1]] }

// How far a search for a way around a node goes before it is given up: what
// is not found costs a shortcut too many, never a wrong answer.
const (
	triedNodes = 40  // when a node is only judged
	takenNodes = 120 // when it is taken out
)

// contractor takes nodes out of a graph one by one and puts shortcuts in their
// place (Geisberger et al., "Contraction Hierarchies", WEA 2008): the node
// whose removal adds least goes first, of equal ones the lower number.
type contractor struct {
	out, in [][]arc // among the nodes that are left
	up      [][]arc // of nodes taken out: to nodes that went later
	down    [][]arc // from nodes that went later
	level   []int
	rank    []uint32

	dist    []weight
	touched []uint32
	heap    queue
	needed  []shortcut
}

type shortcut struct {
	from, to uint32
	w        weight
}

// contract orders the nodes of n, numbers them by that order and gives the
// hierarchy. told is called now and then with how many are done.
func contract(ctx context.Context, n *network, told func(done, total int)) (*hierarchy, error) {
	count := len(n.nodes)
	c := &contractor{
		out: make([][]arc, count), in: make([][]arc, count), up: make([][]arc, count), down: make([][]arc, count),
		level: make([]int, count), rank: make([]uint32, count), dist: make([]weight, count),
	}
	for v := range count {
		c.dist[v] = never
		n.exits(uint32(v), func(to uint32, w weight) {
			if to != uint32(v) {
				c.join(uint32(v), to, w)
			}
		})
	}
	var order queue
	for v := range count {
		order = append(order, reach{uint32(v), c.cost(uint32(v))})
		if v%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	slices.SortFunc(order, func(a, b reach) int { // a sorted list is a heap
		if a.before(b) {
			return -1
		}
		return 1
	})
	for done := 0; len(order) > 0; {
		v := order.pop().node
		if w := c.cost(v); len(order) > 0 && order[0].before(reach{v, w}) {
			order.push(reach{v, w})
			continue
		}
		c.remove(v)
		c.rank[v] = uint32(done)
		done++
		if done%1024 == 0 || done == count {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if told != nil {
				told(done, count)
			}
		}
	}
	n.renumber(c.rank)
	return &hierarchy{count: count, up: c.ranked(c.up), down: c.ranked(c.down)}, nil
}

// join adds an edge, or makes the one that is there no dearer.
func (c *contractor) join(from, to uint32, w weight) {
	c.out[from] = cheapest(c.out[from], to, w)
	c.in[to] = cheapest(c.in[to], from, w)
}

func cheapest(list []arc, to uint32, w weight) []arc {
	for i := range list {
		if list[i].to == to {
			if w < list[i].w() {
				list[i] = newArc(to, w)
			}
			return list
		}
	}
	return append(list, newArc(to, w))
}

// cost is what taking v out now would add, as a weight to sort by.
func (c *contractor) cost(v uint32) weight {
	c.shortcuts(v, triedNodes)
	cost := 4*len(c.needed) - 2*(len(c.in[v])+len(c.out[v])) + 2*c.level[v]
	return weight(cost + 1<<20)
}

// shortcuts fills needed with what must replace v.
func (c *contractor) shortcuts(v uint32, nodes int) {
	c.needed = c.needed[:0]
	for _, a := range c.in[v] {
		far, targets := weight(0), 0
		for _, b := range c.out[v] {
			if b.to != a.to {
				far = max(far, b.w())
				targets++
			}
		}
		if targets == 0 {
			continue
		}
		c.around(a.to, v, a.w()+far, nodes)
		for _, b := range c.out[v] {
			if via := a.w() + b.w(); b.to != a.to && c.dist[b.to] > via {
				c.needed = append(c.needed, shortcut{a.to, b.to, via})
			}
		}
		for _, t := range c.touched {
			c.dist[t] = never
		}
		c.touched = c.touched[:0]
	}
}

// around searches from a node without v up to a distance.
func (c *contractor) around(from, v uint32, far weight, nodes int) {
	c.heap = c.heap[:0]
	c.heap.push(reach{from, 0})
	c.dist[from] = 0
	c.touched = append(c.touched, from)
	for len(c.heap) > 0 && nodes > 0 {
		r := c.heap.pop()
		if r.w > c.dist[r.node] {
			continue
		}
		if r.w > far {
			return
		}
		nodes--
		for _, a := range c.out[r.node] {
			if a.to == v {
				continue
			}
			if w := r.w + a.w(); w < c.dist[a.to] && w <= far {
				if c.dist[a.to] == never {
					c.touched = append(c.touched, a.to)
				}
				c.dist[a.to] = w
				c.heap.push(reach{a.to, w})
			}
		}
	}
}

// remove takes v out.
func (c *contractor) remove(v uint32) {
	c.shortcuts(v, takenNodes)
	for _, a := range c.in[v] {
		c.out[a.to] = without(c.out[a.to], v)
		c.level[a.to] = max(c.level[a.to], c.level[v]+1)
	}
	for _, a := range c.out[v] {
		c.in[a.to] = without(c.in[a.to], v)
		c.level[a.to] = max(c.level[a.to], c.level[v]+1)
	}
	c.up[v], c.down[v] = c.out[v], c.in[v]
	c.out[v], c.in[v] = nil, nil
	for _, s := range c.needed {
		c.join(s.from, s.to, s.w)
	}
}

func without(list []arc, to uint32) []arc {
	i := slices.IndexFunc(list, func(a arc) bool { return a.to == to })
	if i < 0 {
		return list
	}
	list[i] = list[len(list)-1]
	return list[:len(list)-1]
}

// ranked is the arcs by number of order.
func (c *contractor) ranked(lists [][]arc) arcs {
	at := make([]uint32, len(lists))
	for v, r := range c.rank {
		at[r] = uint32(v)
	}
	var a arcs
	a.first = make([]uint32, 1, len(lists)+1)
	for _, v := range at {
		begin := len(a.list)
		for _, b := range lists[v] {
			a.list = append(a.list, arc{c.rank[b.to], b.hi, b.lo})
		}
		slices.SortFunc(a.list[begin:], func(x, y arc) int { return int(x.to) - int(y.to) })
		a.first = append(a.first, uint32(len(a.list)))
	}
	return a
}
