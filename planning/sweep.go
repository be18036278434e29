package planning

import (
	"math"

	"github.com/crinale/crinale/internal/geo"
)

// sweep computes the level of one sector in every cell of a raster along rays
// from the antenna, one ray to each cell of the rim of a box that holds the
// disc. A cell is computed by the one ray that passes nearest to it, so that
// rays can run in parallel and the answer does not depend on their order.
//
// Along a ray the upper hull of the ground is kept, over the curved and over
// the straight Earth. From it follow in O(log n) for each cell the horizons of
// both ends (the Bullington edge) and the obstruction that the smooth Earth of
// the delta part needs.
type sweep struct {
	*server
	r      *Raster // heights
	x0, y0 float64 // of the antenna, in cells
	hx, hy float64 // half the box, in cells
	cos    []float64
	φ0     float64
	cos0   float64
	rx, ry float64 // radians per cell

	c0, r0, w, n int       // the part of the raster that is swept: first cell, columns, rows
	out          []float32 // w × n levels in dBm; NaN where unknown
}

func newSweep(s *server, r *Raster) *sweep {
	w := &sweep{server: s, r: r, φ0: s.At.Lat * math.Pi / 180, rx: r.CellLon * math.Pi / 180, ry: r.CellLat * math.Pi / 180}
	w.x0, w.y0 = (s.At.Lon-r.West)/r.CellLon, (r.North-s.At.Lat)/r.CellLat
	b := geo.Around(s.At, s.opt.Radius)
	w.hx, w.hy = (b.East-b.West)/2/r.CellLon+1, (b.North-b.South)/2/r.CellLat+1
	w.c0, w.r0 = max(int(math.Floor(w.x0-w.hx)), 0), max(int(math.Floor(w.y0-w.hy)), 0)
	w.w = min(int(math.Ceil(w.x0+w.hx)), r.Cols-1) - w.c0 + 1
	w.n = min(int(math.Ceil(w.y0+w.hy)), r.Rows-1) - w.r0 + 1
	w.cos0 = math.Cos(w.φ0)
	w.cos = make([]float64, r.Rows)
	for i := range w.cos {
		w.cos[i] = math.Cos((r.North - float64(i)*r.CellLat) * math.Pi / 180)
	}
	w.out = make([]float32, w.w*w.n)
	for i := range w.out {
		w.out[i] = float32(math.NaN())
	}
	return w
}

// The four sides of the box.
const (
	east = iota
	west
	south
	north
)

// ray names one ray: to cell j of the rim on a side.
type ray struct{ side, j int }

// rays lists them all, side by side.
func (s *sweep) rays() []ray {
	var out []ray
	for side := east; side <= north; side++ {
		centre, along, across, _ := s.axes(side)
		rim := s.rim(side)
		half := across * math.Abs(rim-along0(s, side)) / along
		for j := int(math.Floor(centre-half)) - 1; j <= int(math.Ceil(centre+half))+1; j++ {
			out = append(out, ray{side, j})
		}
	}
	return out
}

// axes of a side: the antenna's place across, the half box along and across,
// and the direction of the steps.
func (s *sweep) axes(side int) (centre, along, across float64, step int) {
	switch side {
	case east:
		return s.y0, s.hx, s.hy, 1
	case west:
		return s.y0, s.hx, s.hy, -1
	case south:
		return s.x0, s.hy, s.hx, 1
	}
	return s.x0, s.hy, s.hx, -1
}

func along0(s *sweep, side int) float64 {
	if side == east || side == west {
		return s.x0
	}
	return s.y0
}

// rim is the column or row of a side of the box.
func (s *sweep) rim(side int) float64 {
	switch side {
	case east:
		return math.Ceil(s.x0 + s.hx)
	case west:
		return math.Floor(s.x0 - s.hx)
	case south:
		return math.Ceil(s.y0 + s.hy)
	}
	return math.Floor(s.y0 - s.hy)
}

// run computes one ray with the scratch of its worker.
func (s *sweep) run(q ray, g *skyline) {
	_, _, _, step := s.axes(q.side)
	sideways := q.side == east || q.side == west
	a0, b0, lenA, lenB := s.x0, s.y0, s.r.Cols, s.r.Rows
	if !sideways {
		a0, b0, lenA, lenB = s.y0, s.x0, s.r.Rows, s.r.Cols
	}
	rim := s.rim(q.side)
	slope := (float64(q.j) - b0) / math.Abs(rim-a0)
	first := int(math.Floor(a0)) + 1
	if step < 0 {
		first = int(math.Ceil(a0)) - 1
	}
	g.reset(s.h, s.ground)
	// A cell of the disc may lie nearer than its ray: go one cell further.
	radius := float64(s.opt.Radius) + geo.Radius*math.Hypot(s.rx, s.ry)
	for a := first; a >= 0 && a < lenA; a += step {
		gone := math.Abs(float64(a) - a0)
		b := b0 + slope*gone
		if b < 0 || b > float64(lenB-1) {
			return
		}
		h, cosφ := s.ground2(a, b, sideways)
		if h != h {
			return // a void: nothing is known beyond
		}
		da, db := float64(a)-a0, b-b0
		if !sideways {
			da, db = db, da
		}
		d := s.distance(da, db, cosφ)
		if d > radius {
			return
		}
		// The cell beside the ray, if this ray is the one nearest to it.
		cell := int(math.Round(b))
		off := float64(cell) - b0
		if int(math.Round(b0+off*math.Abs(rim-a0)/gone)) == q.j && s.mine(sideways, gone, math.Abs(off)) {
			if sideways {
				s.set(a, cell, d, g)
			} else {
				s.set(cell, a, d, g)
			}
		}
		if d >= 1 {
			g.push(d, h, s.ae)
		}
	}
}

// mine says whether a cell gone steps along and off across belongs to a side's
// rays: the box is cut along its diagonals, which go to the sides.
func (s *sweep) mine(sideways bool, gone, off float64) bool {
	if sideways {
		return off*s.hx <= gone*s.hy
	}
	return !(gone*s.hx <= off*s.hy)
}

// ground2 is the height at line a and b across, between two cells, and the
// cosine of its latitude.
func (s *sweep) ground2(a int, b float64, sideways bool) (h, cosφ float64) {
	i := int(b)
	f := b - float64(i)
	if sideways {
		k := i*s.r.Cols + a
		h, cosφ = float64(s.r.V[k]), s.cos[i]
		if f > 0 {
			h += (float64(s.r.V[k+s.r.Cols]) - h) * f
			cosφ += (s.cos[i+1] - cosφ) * f
		}
		return h, cosφ
	}
	k := a*s.r.Cols + i
	h = float64(s.r.V[k])
	if f > 0 {
		h += (float64(s.r.V[k+1]) - h) * f
	}
	return h, s.cos[a]
}

// distance in metres of a place x columns and y rows from the antenna: the
// haversine for small angles, within 1e-5 of it at 100 km.
func (s *sweep) distance(x, y, cosφ float64) float64 {
	λ, φ := x*s.rx, y*s.ry
	return geo.Radius * math.Sqrt(φ*φ+s.cos0*cosφ*λ*λ)
}

// set computes a cell; the ray's own distance to it is d.
func (s *sweep) set(col, row int, d float64, g *skyline) {
	c, r := col-s.c0, row-s.r0
	if c < 0 || r < 0 || c >= s.w || r >= s.n {
		return
	}
	ground := float64(s.r.V[row*s.r.Cols+col])
	if ground != ground {
		return
	}
	x, y := float64(col)-s.x0, float64(row)-s.y0
	exact := s.distance(x, y, s.cos[row])
	if exact > float64(s.opt.Radius) {
		return
	}
	top := ground + float64(s.opt.Height)
	loss := g.diffraction(d, top, ground, s.server)
	s.out[r*s.w+c] = float32(s.level(exact, s.azimuth(x, y, s.cos[row]), top-s.h, loss))
}

// azimuth of a place in radians: the mid-latitude bearing less half the
// convergence of the meridians, which is the great circle's at its start; 0 where the
// sector looks all round.
func (s *sweep) azimuth(x, y, cosφ float64) float64 {
	if !s.Azimuth.Known() {
		return 0
	}
	λ, φ := x*s.rx, -y*s.ry
	mid := s.φ0 + φ/2
	return math.Atan2(λ*(s.cos0+cosφ)/2, φ) - λ*math.Sin(mid)/2
}

// home fills the cell the antenna stands in.
func (s *sweep) home() {
	col, row := int(math.Round(s.x0)), int(math.Round(s.y0))
	c, r := col-s.c0, row-s.r0
	if c < 0 || r < 0 || c >= s.w || r >= s.n || s.out[r*s.w+c] == s.out[r*s.w+c] {
		return
	}
	x, y := float64(col)-s.x0, float64(row)-s.y0
	d := s.distance(x, y, s.cos[row])
	if h := float64(s.r.V[row*s.r.Cols+col]); h == h {
		s.out[r*s.w+c] = float32(s.level(d, s.azimuth(x, y, s.cos[row]), h+float64(s.opt.Height)-s.h, 0))
	}
}
