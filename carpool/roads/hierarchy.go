package roads

import "sync"

// hierarchy is a contraction hierarchy: nodes numbered by the order in which
// they were taken out, so that every arc goes to a higher number. up are arcs
// as one drives them, down those that one drives the other way round.
type hierarchy struct {
	count    int
	up, down arcs
	spare    sync.Pool // of *finder
}

// finder is the working space of a search.
type finder struct {
	fore, back side
	head       []int32 // table: of each node, the last entry of its bucket
	chain      []link
	rest       []weight // tiered: of a node, the way on
	above      []uint32 // tiered: nodes
}

// side is one direction of a search.
type side struct {
	dist    []weight
	touched []uint32
	heap    queue
	labels  []reach // of climb: nodes with what they cost
}

// link is an entry of a bucket of table.
type link struct {
	next   int32
	target uint32
	w      weight
}

func newSide(n int) side {
	s := side{dist: make([]weight, n)}
	for i := range s.dist {
		s.dist[i] = never
	}
	return s
}

func (h *hierarchy) borrow() *finder {
	if f, ok := h.spare.Get().(*finder); ok {
		return f
	}
	return &finder{fore: newSide(h.count), back: newSide(h.count)}
}

func (h *hierarchy) giveBack(f *finder) {
	f.fore.clear()
	f.back.clear()
	h.spare.Put(f)
}

func (s *side) clear() {
	for _, v := range s.touched {
		s.dist[v] = never
	}
	s.touched, s.heap, s.labels = s.touched[:0], s.heap[:0], s.labels[:0]
}

func (s *side) relax(v uint32, w weight) {
	if w < s.dist[v] {
		if s.dist[v] == never {
			s.touched = append(s.touched, v)
		}
		s.dist[v] = w
		s.heap.push(reach{v, w})
	}
}

// stalled says that v is reached cheaper by way of a higher node, so that no
// best way climbs through it.
func (s *side) stalled(v uint32, w weight, against *arcs) bool {
	for _, a := range against.of(v) {
		if d := s.dist[a.to]; d != never && d+a.w() < w {
			return true
		}
	}
	return false
}

// climb searches from the seeds along with, to its end, and leaves in labels
// every node that a best way may have as its highest.
func (s *side) climb(with, against *arcs, seeds []reach) {
	s.clear()
	for _, r := range seeds {
		s.relax(r.node, r.w)
	}
	for len(s.heap) > 0 {
		r := s.heap.pop()
		if r.w > s.dist[r.node] || s.stalled(r.node, r.w, against) {
			continue
		}
		s.labels = append(s.labels, r)
		for _, a := range with.of(r.node) {
			s.relax(a.to, r.w+a.w())
		}
	}
}

// between is the weight of the best way from one of the first to one of the
// second, by a search from both ends.
func (h *hierarchy) between(f *finder, from, to []reach) weight {
	f.fore.clear()
	f.back.clear()
	for _, r := range from {
		f.fore.relax(r.node, r.w)
	}
	for _, r := range to {
		f.back.relax(r.node, r.w)
	}
	best := never
	for {
		a, b := &f.fore, &f.back
		with, against := &h.up, &h.down
		ka, kb := a.key(), b.key()
		if kb < ka {
			a, b, ka = b, a, kb
			with, against = against, with
		}
		if ka >= best {
			return best
		}
		r := a.heap.pop()
		if r.w > a.dist[r.node] {
			continue
		}
		if d := b.dist[r.node]; d != never {
			best = min(best, d+r.w)
		}
		if a.stalled(r.node, r.w, against) {
			continue
		}
		for _, arc := range with.of(r.node) {
			a.relax(arc.to, r.w+arc.w())
		}
	}
}

// key is the least weight that is still to come.
func (s *side) key() weight {
	if len(s.heap) == 0 {
		return never
	}
	return s.heap[0].w
}

// table fills out[i][j] with the weight from spots from[i] to to[j]: one climb
// from each place, the targets' left in buckets at the nodes.
func (h *hierarchy) table(f *finder, from, to []spot, out [][]weight) {
	if f.head == nil {
		f.head = make([]int32, h.count)
	}
	f.chain = append(f.chain[:0], link{}) // entry 0 ends a chain
	var used []uint32
	for j := range to {
		f.back.climb(&h.down, &h.up, to[j].in.list())
		for _, r := range f.back.labels {
			if f.head[r.node] == 0 {
				used = append(used, r.node)
			}
			f.chain = append(f.chain, link{f.head[r.node], uint32(j), r.w})
			f.head[r.node] = int32(len(f.chain) - 1)
		}
	}
	for i := range from {
		f.fore.climb(&h.up, &h.down, from[i].out.list())
		for _, r := range f.fore.labels {
			for k := f.head[r.node]; k != 0; k = f.chain[k].next {
				l := &f.chain[k]
				out[i][l.target] = min(out[i][l.target], r.w+l.w)
			}
		}
	}
	for _, v := range used {
		f.head[v] = 0
	}
}
