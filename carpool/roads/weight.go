package roads

import (
	"math"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/unit"
)

// weight is what a way costs: two halves of 32 bits, first what is made small,
// then the other. With Fastest that is milliseconds and decimetres, so that
// among ways of the same time the shortest counts, sums are plain sums, and
// every search gives the same answer to the last bit.
type weight uint64

const (
	never weight = math.MaxUint64
	shut         = math.MaxUint32 // milliseconds of a direction that is closed

	// A way is shorter than these, so that no half runs over into the other.
	maxSegmentMs = 24 * 3600 * 1000
	maxSegmentDm = 1000 * 10000
)

// Metric is what a way makes small.
type Metric uint8

const (
	Fastest  Metric = iota // time, then distance
	Shortest               // distance, then time: to hold lengths against others
)

func (m Metric) weight(ms, dm uint32) weight {
	if m == Shortest {
		ms, dm = dm, ms
	}
	return weight(ms)<<32 | weight(dm)
}

// timeShift is by how many bits a weight is shifted for its time.
func (m Metric) timeShift() int {
	if m == Shortest {
		return 0
	}
	return 32
}

// leg is a weight as others read it.
func (m Metric) leg(w weight) carpool.Leg {
	if w == never {
		return carpool.Leg{}
	}
	ms, dm := uint32(w>>32), uint32(w)
	if m == Shortest {
		ms, dm = dm, ms
	}
	return carpool.Leg{OK: true, Time: time.Duration(ms) * time.Millisecond, Metres: unit.Metres(dm) / 10}
}

// plus is the sum, never when either is.
func (w weight) plus(v weight) weight {
	if w == never || v == never {
		return never
	}
	return w + v
}

// reach is a node and what it costs to or from it.
type reach struct {
	node uint32
	w    weight
}

// queue is a binary heap of nodes by weight, then by number, so that searches
// run the same way each time.
type queue []reach

func (r reach) before(s reach) bool { return r.w < s.w || r.w == s.w && r.node < s.node }

func (q *queue) push(r reach) {
	h := append(*q, r)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !r.before(h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = r
	*q = h
}

func (q *queue) pop() reach {
	h := *q
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1].before(h[c]) {
			c++
		}
		if !h[c].before(last) {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = last
	return top
}
