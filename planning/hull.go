package planning

// hull is the upper convex hull of points that come with growing x.
type hull struct{ x, y []float64 }

func (h *hull) reset() { h.x, h.y = h.x[:0], h.y[:0] }

// push adds a point to the right of all others.
func (h *hull) push(x, y float64) {
	n := len(h.x)
	for n >= 2 && (h.y[n-1]-h.y[n-2])*(x-h.x[n-1]) <= (y-h.y[n-1])*(h.x[n-1]-h.x[n-2]) {
		n-- // the last point lies under the line from the one before to the new one
	}
	h.x, h.y = append(h.x[:n], x), append(h.y[:n], y)
}

// tangent is the greatest slope, rising to the left, from a point to the right
// of the hull to the hull.
func (h *hull) tangent(x, y float64) float64 {
	// The edges to the right of the touching point pass under (x, y), those to
	// its left over it.
	lo, hi := 0, len(h.x)-1
	for lo < hi {
		m := (lo + hi) / 2
		if (h.y[m+1]-h.y[m])*(x-h.x[m]) <= (y-h.y[m])*(h.x[m+1]-h.x[m]) {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return (h.y[lo] - y) / (x - h.x[lo])
}

// support is the point that stands highest over a line of a slope.
func (h *hull) support(slope float64) int {
	lo, hi := 0, len(h.x)-1
	for lo < hi {
		m := (lo + hi) / 2
		if h.y[m+1]-h.y[m] <= slope*(h.x[m+1]-h.x[m]) {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return lo
}
