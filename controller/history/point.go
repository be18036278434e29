package history

import (
	"database/sql"
	"math"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/unit"
)

// Point is what the readings of one stretch of time say together; of one
// reading, when every reading was asked for. The quantities stand in the order
// of network.Columns, in the units named there; a quantity that no reading
// knew is unknown.
type Point struct {
	At    time.Time // beginning of the stretch, UTC; of the reading itself for single ones
	Count int       // readings
	Up    int       // readings that had the peer connected
	Min   [12]unit.Opt[float64]
	Mean  [12]unit.Opt[float64]
	Max   [12]unit.Opt[float64]
}

// sum gathers the readings of one stretch.
type sum struct {
	count, up int
	n         [12]int
	lo, hi    [12]float64
	total     [12]float64
}

func (s *sum) sample(x sample) {
	s.count++
	if x.up {
		s.up++
	}
	for i, v := range x.v {
		if !math.IsNaN(v) {
			s.values(i, v, v, v, 1)
		}
	}
}

func (s *sum) values(i int, lo, mean, hi float64, n int) {
	if s.n[i] == 0 {
		s.lo[i], s.hi[i] = lo, hi
	}
	s.lo[i], s.hi[i] = min(s.lo[i], lo), max(s.hi[i], hi)
	s.total[i] += mean * float64(n)
	s.n[i] += n
}

// row is a line of a roll-up.
type row struct {
	t         int64
	count, up int
	v         [12]struct {
		lo, mean, hi sql.NullFloat64
		n            int
	}
}

func (s *sum) row(r *row) {
	s.count += r.count
	s.up += r.up
	for i, v := range r.v {
		if v.n > 0 {
			s.values(i, v.lo.Float64, v.mean.Float64, v.hi.Float64, v.n)
		}
	}
}

func (s *sum) point(t int64) Point {
	p := Point{At: time.UnixMilli(t).UTC(), Count: s.count, Up: s.up}
	for i, n := range s.n {
		if n > 0 {
			p.Min[i], p.Mean[i], p.Max[i] = unit.Some(s.lo[i]), unit.Some(s.total[i]/float64(n)), unit.Some(s.hi[i])
		}
	}
	return p
}

// sums are the stretches of an answer by their beginning. With a step of 0
// each time is a stretch of its own.
type sums struct {
	step int64
	by   map[int64]*sum
}

func (s *sums) at(t int64) *sum {
	if s.step > 0 {
		t = floor(t, s.step)
	}
	x := s.by[t]
	if x == nil {
		x = &sum{}
		s.by[t] = x
	}
	return x
}

func (s *sums) points() []Point {
	ts := make([]int64, 0, len(s.by))
	for t := range s.by {
		ts = append(ts, t)
	}
	slices.Sort(ts)
	ps := make([]Point, 0, len(ts))
	for _, t := range ts {
		ps = append(ps, s.by[t].point(t))
	}
	return ps
}

// floor is the multiple of step at or before t, for times before 1970 too.
func floor(t, step int64) int64 {
	r := t % step
	if r < 0 {
		r += step
	}
	return t - r
}
