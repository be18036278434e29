package roads

import (
	"math"

	"github.com/crinale/crinale/internal/geo"
)

// metresPerDegree of a great circle.
const metresPerDegree = math.Pi / 180 * geo.Radius

// grid finds the pieces of road near a place: cells of equal degrees over the
// box of all roads, each with the pieces that touch it.
type grid struct {
	west, south int32
	width       int64 // of a cell, 1e-7 degrees of longitude
	height      int64 // of latitude
	cols, rows  int
	side        float64 // metres of the smaller side of a cell, at least
	first       []uint32
	pieces      []piece
}

// piece is one straight line of a segment.
type piece struct{ seg, at uint32 }

const maxCells = 4 << 20

func newGrid(n *network) grid {
	var g grid
	count := len(n.shape) + len(n.segs)
	if count == 0 {
		return g
	}
	lo, hi := point{math.MaxInt32, math.MaxInt32}, point{math.MinInt32, math.MinInt32}
	n.eachPiece(func(_ piece, p, q point) bool {
		lo = point{min(lo.lon, p.lon, q.lon), min(lo.lat, p.lat, q.lat)}
		hi = point{max(hi.lon, p.lon, q.lon), max(hi.lat, p.lat, q.lat)}
		return true
	})
	g.west, g.south = lo.lon, lo.lat
	slim := max(0.01, math.Cos(math.Max(math.Abs(lo.lonLat().Lat), math.Abs(hi.lonLat().Lat))*math.Pi/180))
	wide := (float64(hi.lon) - float64(lo.lon)) / perDegree * metresPerDegree * slim
	high := (float64(hi.lat) - float64(lo.lat)) / perDegree * metresPerDegree
	cells := float64(min(2*count, maxCells))
	side := math.Max(50, math.Sqrt(wide*high/cells))
	side = math.Max(side, math.Max(wide, high)/cells)
	// Long lines touch many cells: then the cells are made larger.
	for !g.count(n, lo, hi, wide, high, side, 16*count+1<<16) {
		side *= 2
	}
	g.side = math.Min(float64(g.width)*slim, float64(g.height)) / perDegree * metresPerDegree
	for c := range g.cols * g.rows {
		g.first[c+1] += g.first[c]
	}
	g.pieces = make([]piece, g.first[len(g.first)-1])
	next := append([]uint32(nil), g.first...)
	n.eachPiece(func(k piece, p, q point) bool {
		g.touched(p, q, func(c int) {
			g.pieces[next[c]] = k
			next[c]++
		})
		return true
	})
	return g
}

// count lays out cells of a side and counts the pieces in each; false when
// there are more than most in all, and more than one cell.
func (g *grid) count(n *network, lo, hi point, wide, high, side float64, most int) bool {
	g.cols, g.rows = int(wide/side)+1, int(high/side)+1
	g.width = (int64(hi.lon)-int64(lo.lon))/int64(g.cols) + 1
	g.height = (int64(hi.lat)-int64(lo.lat))/int64(g.rows) + 1
	g.first = make([]uint32, g.cols*g.rows+1)
	total := 0
	n.eachPiece(func(_ piece, p, q point) bool {
		g.touched(p, q, func(c int) {
			g.first[c+1]++
			total++
		})
		return total <= most
	})
	return total <= most || g.cols*g.rows == 1
}

// eachPiece calls f with every straight line until it says false.
func (n *network) eachPiece(f func(k piece, p, q point) bool) {
	var buf []point
	for i := range n.segs {
		buf = n.line(uint32(i), buf)
		for k := range len(buf) - 1 {
			if !f(piece{uint32(i), uint32(k)}, buf[k], buf[k+1]) {
				return
			}
		}
	}
}

// touched calls f with every cell that the line may touch: column by column,
// the rows it has there and one more on each side for rounding.
func (g *grid) touched(p, q point, f func(cell int)) {
	if p.lon > q.lon {
		p, q = q, p
	}
	c0, c1 := g.col(p.lon), g.col(q.lon)
	for c := c0; c <= c1; c++ {
		at := func(lon float64) float64 {
			if q.lon == p.lon {
				return float64(p.lat)
			}
			t := (lon - float64(p.lon)) / (float64(q.lon) - float64(p.lon))
			return float64(p.lat) + math.Min(1, math.Max(0, t))*(float64(q.lat)-float64(p.lat))
		}
		y0 := at(float64(g.west) + float64(c)*float64(g.width))
		y1 := at(float64(g.west) + float64(c+1)*float64(g.width))
		if p.lon == q.lon {
			y0, y1 = float64(p.lat), float64(q.lat)
		}
		r0, r1 := g.row(math.Min(y0, y1)-1), g.row(math.Max(y0, y1)+1)
		for r := r0; r <= r1; r++ {
			f(r*g.cols + c)
		}
	}
}

func (g *grid) col(lon int32) int {
	return min(g.cols-1, max(0, int((int64(lon)-int64(g.west))/g.width)))
}

func (g *grid) row(lat float64) int {
	return min(g.rows-1, max(0, int((lat-float64(g.south))/float64(g.height))))
}

// found is the nearest point of a segment.
type found struct {
	seg    uint32
	part   float64 // of its way from a to b, 0 to 1
	metres float64 // from the place asked
	ok     bool
}

// nearer says whether f is better than o; of two as near, the first segment,
// then the smaller part, so that the answer is always the same.
func (f found) nearer(o found) bool {
	switch {
	case !o.ok:
		return true
	case f.metres != o.metres:
		return f.metres < o.metres
	case f.seg != o.seg:
		return f.seg < o.seg
	}
	return f.part < o.part
}

// nearest finds the nearest road to p, and the nearest that is no island when
// that is at most slack metres farther.
func (n *network) nearest(p geo.LonLat, slack float64) found {
	g := &n.grid
	if g.cols == 0 {
		return found{}
	}
	here := pointOf(p)
	c0, r0 := g.col(here.lon), g.row(float64(here.lat))
	var best, main found
	var buf []point
	for ring := 0; ring <= max(g.cols, g.rows); ring++ {
		least := float64(ring-1) * g.side
		if best.ok && (least > best.metres+slack || main.ok && least > main.metres) {
			break
		}
		g.ring(c0, r0, ring, func(cell int) {
			for _, k := range g.pieces[g.first[cell]:g.first[cell+1]] {
				most := math.Inf(1)
				if main.ok {
					most = main.metres
				}
				var f found
				if f, buf = n.project(p, k, most, buf); !f.ok {
					continue
				}
				if f.nearer(best) {
					best = f
				}
				if !n.segs[k.seg].island && f.nearer(main) {
					main = f
				}
			}
		})
	}
	if main.ok && main.metres <= best.metres+slack {
		return main
	}
	return best
}

// ring calls f with the cells that are ring away from a cell.
func (g *grid) ring(c0, r0, ring int, f func(cell int)) {
	for r := max(0, r0-ring); r <= min(g.rows-1, r0+ring); r++ {
		step := 1
		if r != r0-ring && r != r0+ring && ring > 0 {
			step = 2 * ring
		}
		for c := c0 - ring; c <= c0+ring; c += step {
			if c >= 0 && c < g.cols {
				f(r*g.cols + c)
			}
		}
	}
}

// project is the point of a piece nearest to p, on the plane that touches the
// Earth there; its part of the segment only when it is within most metres.
func (n *network) project(p geo.LonLat, k piece, most float64, buf []point) (found, []point) {
	slim := math.Cos(p.Lat * math.Pi / 180)
	x := func(q point) float64 { return (float64(q.lon)/perDegree - p.Lon) * metresPerDegree * slim }
	y := func(q point) float64 { return (float64(q.lat)/perDegree - p.Lat) * metresPerDegree }
	a, b := n.corner(k.seg, k.at), n.corner(k.seg, k.at+1)
	ax, ay := x(a), y(a)
	dx, dy := x(b)-ax, y(b)-ay
	t := 0.0
	if d := dx*dx + dy*dy; d > 0 {
		t = math.Min(1, math.Max(0, -(ax*dx+ay*dy)/d))
	}
	f := found{seg: k.seg, ok: true, metres: math.Hypot(ax+t*dx, ay+t*dy)}
	if f.metres > most {
		return found{}, buf
	}
	buf = n.line(k.seg, buf)
	along, whole := 0.0, 0.0
	for i := range len(buf) - 1 {
		l := math.Hypot(x(buf[i+1])-x(buf[i]), y(buf[i+1])-y(buf[i]))
		switch {
		case uint32(i) < k.at:
			along += l
		case uint32(i) == k.at:
			along += t * l
		}
		whole += l
	}
	if whole > 0 {
		f.part = math.Min(1, along/whole)
	}
	return f, buf
}

// corner is one point of the line of a segment.
func (n *network) corner(i, k uint32) point {
	s := &n.segs[i]
	if k == 0 {
		return n.nodes[s.a]
	}
	if at := s.shape + k - 1; at < n.shapeEnd(i) {
		return n.shape[at]
	}
	return n.nodes[s.b]
}
