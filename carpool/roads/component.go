package roads

// findIslands marks the segments that are not of the large component: the most
// nodes from each of which one can drive to each other and back. A place is
// put on those only when nothing better is near.
func (n *network) findIslands() {
	of, large := n.components()
	for i := range n.segs {
		s := &n.segs[i]
		s.island = of[s.a] != large || of[s.b] != large
	}
}

// components numbers the strongly connected components of the nodes (Tarjan,
// "Depth-first search and linear graph algorithms", 1972, without recursion)
// and names the largest; the first found when two are.
func (n *network) components() (of []uint32, large uint32) {
	const none = ^uint32(0)
	type frame struct{ node, next uint32 }
	count := len(n.nodes)
	of = make([]uint32, count)
	index, low := make([]uint32, count), make([]uint32, count)
	for i := range of {
		of[i], index[i] = none, none
	}
	var open []uint32
	var path []frame
	seen, found, size := uint32(0), uint32(0), 0
	enter := func(v uint32) {
		index[v], low[v] = seen, seen
		seen++
		open = append(open, v)
		path = append(path, frame{v, n.first[v]})
	}
	for root := range n.nodes {
		if index[root] != none {
			continue
		}
		enter(uint32(root))
		for len(path) > 0 {
			f := &path[len(path)-1]
			v := f.node
			if f.next < n.first[v+1] {
				s := &n.segs[n.at[f.next]]
				f.next++
				to, shutIt := s.b, s.ab
				if s.a != v {
					to, shutIt = s.a, s.ba
				}
				switch {
				case shutIt == shut:
				case index[to] == none:
					enter(to)
				case of[to] == none:
					low[v] = min(low[v], index[to])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				up := path[len(path)-1].node
				low[up] = min(low[up], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			here := 0
			for {
				w := open[len(open)-1]
				open = open[:len(open)-1]
				of[w] = found
				here++
				if w == v {
					break
				}
			}
			if here > size {
				size, large = here, found
			}
			found++
		}
	}
	return of, large
}
