package dem

import (
	"math"

	"github.com/crinale/crinale/internal/geo"
)

// sheet is grids on one lattice: a node of it has one place, whichever grid
// holds its height, so a point between two grids is interpolated as if they
// were one.
type sheet struct {
	grid  // only its lattice is used, then moved to the north-west corner of all
	grids []*grid
	cellM float64

	tiles      []tile
	cols, rows int        // of all tiles
	bounds     geo.Bounds // of the centres
	box        geo.Bounds // a little more, to reject by

	inv [2]float64 // 1/dx, 1/dy

	// Tiles by squares of the lattice, to find one among many.
	bucket   int // side in cells
	acrossNo int
	buckets  [][]*tile
}

// tile is a grid at its place in the sheet.
type tile struct {
	*grid
	col, row int
}

// fits says whether g lies on the sheet's lattice, to a thousandth of a cell.
func (s *sheet) fits(g *grid) bool {
	if crsOf(s.proj) != crsOf(g.proj) || math.Abs(s.dx-g.dx) > 1e-7*g.dx || math.Abs(s.dy-g.dy) > 1e-7*g.dy {
		return false
	}
	c, r := (g.x0-s.x0)/s.dx, (s.y0-g.y0)/s.dy
	return math.Abs(c-math.Round(c)) < 1e-3 && math.Abs(r-math.Round(r)) < 1e-3
}

// close places the grids and prepares the search.
func (s *sheet) close() {
	minCol, minRow, maxCol, maxRow := 0, 0, 0, 0
	for i, g := range s.grids {
		c, r := int(math.Round((g.x0-s.x0)/s.dx)), int(math.Round((s.y0-g.y0)/s.dy))
		s.tiles = append(s.tiles, tile{g, c, r})
		if i == 0 {
			minCol, minRow, maxCol, maxRow = c, r, c+g.cols, r+g.rows
		}
		minCol, minRow = min(minCol, c), min(minRow, r)
		maxCol, maxRow = max(maxCol, c+g.cols), max(maxRow, r+g.rows)
	}
	s.x0 += float64(minCol) * s.dx
	s.y0 -= float64(minRow) * s.dy
	s.cols, s.rows = maxCol-minCol, maxRow-minRow
	s.inv = [2]float64{1 / s.dx, 1 / s.dy}
	for i := range s.tiles {
		s.tiles[i].col -= minCol
		s.tiles[i].row -= minRow
		b := s.tiles[i].boundsDeg()
		if i == 0 {
			s.bounds = b
		}
		s.bounds = join(s.bounds, b)
	}
	// Between the sampled points of a projected edge the box may bulge.
	ε := 1e-9
	if s.proj != nil {
		ε = 1e-4 + 2*math.Max(s.bounds.East-s.bounds.West, s.bounds.North-s.bounds.South)/64
	}
	s.box = geo.Bounds{West: s.bounds.West - ε, East: s.bounds.East + ε, South: s.bounds.South - ε, North: s.bounds.North + ε}
	s.index()
}

// index sorts the tiles into buckets, at most some ten thousand of them.
func (s *sheet) index() {
	if len(s.tiles) == 1 {
		return
	}
	s.bucket = math.MaxInt
	for _, t := range s.tiles {
		s.bucket = min(s.bucket, t.cols, t.rows)
	}
	for s.bucket = max(s.bucket, 1); (s.cols/s.bucket+1)*(s.rows/s.bucket+1) > 1<<14; {
		s.bucket *= 2
	}
	s.acrossNo = s.cols/s.bucket + 1
	s.buckets = make([][]*tile, s.acrossNo*(s.rows/s.bucket+1))
	for i := range s.tiles {
		t := &s.tiles[i]
		for r := t.row / s.bucket; r <= (t.row+t.rows-1)/s.bucket; r++ {
			for c := t.col / s.bucket; c <= (t.col+t.cols-1)/s.bucket; c++ {
				s.buckets[r*s.acrossNo+c] = append(s.buckets[r*s.acrossNo+c], t)
			}
		}
	}
}

// boundsDeg is the box of the centres in degrees.
func (g *grid) boundsDeg() geo.Bounds {
	x1, y1 := g.x0+float64(g.cols-1)*g.dx, g.y0-float64(g.rows-1)*g.dy
	if g.proj == nil {
		return geo.Bounds{West: g.x0, North: g.y0, East: x1, South: y1}
	}
	b := geo.Bounds{West: 180, South: 90, East: -180, North: -90}
	const n = 32
	for i := range n + 1 {
		f := float64(i) / n
		x, y := g.x0+(x1-g.x0)*f, g.y0+(y1-g.y0)*f
		for _, p := range [...]geo.LonLat{g.proj.inverse(x, g.y0), g.proj.inverse(x, y1), g.proj.inverse(g.x0, y), g.proj.inverse(x1, y)} {
			b = join(b, geo.Bounds{West: p.Lon, East: p.Lon, South: p.Lat, North: p.Lat})
		}
	}
	return b
}

// height of one place; false where the sheet does not know it.
func (s *sheet) height(p geo.LonLat) (float64, bool) {
	if s.proj == nil {
		return s.at((p.Lon-s.x0)*s.inv[0], (s.y0-p.Lat)*s.inv[1])
	}
	if !s.box.Contains(p) {
		return 0, false
	}
	x, y := s.proj.forward(p)
	return s.at((x-s.x0)*s.inv[0], (s.y0-y)*s.inv[1])
}

// onNode is how near to a node, in cells, a point counts as on it.
const onNode = 1e-7

// at is the height x columns and y rows from the first node.
func (s *sheet) at(x, y float64) (float64, bool) {
	if !(x >= -onNode && y >= -onNode && x <= float64(s.cols-1)+onNode && y <= float64(s.rows-1)+onNode) {
		return 0, false
	}
	c, r := int(x), int(y)
	fx, fy := x-float64(c), y-float64(r)
	if t := s.tileAt(c, r); t != nil {
		i := (r-t.row)*t.cols + c - t.col
		j := i + t.cols
		if t.i16 != nil {
			a, b, d, e := t.i16[i], t.i16[i+1], t.i16[j], t.i16[j+1]
			if a != void16 && b != void16 && d != void16 && e != void16 {
				top := float64(a) + fx*(float64(b)-float64(a))
				bottom := float64(d) + fx*(float64(e)-float64(d))
				return top + fy*(bottom-top), true
			}
		} else {
			a, b, d, e := float64(t.f32[i]), float64(t.f32[i+1]), float64(t.f32[j]), float64(t.f32[j+1])
			top := a + fx*(b-a)
			bottom := d + fx*(e-d)
			if h := top + fy*(bottom-top); h == h {
				return h, true
			}
		}
	}
	return s.byNodes(c, r, fx, fy)
}

// tileAt is a tile that holds the nodes (c, r) to (c+1, r+1), nil if no single
// one does.
func (s *sheet) tileAt(c, r int) *tile {
	if s.buckets == nil {
		if t := &s.tiles[0]; c+1 < t.cols && r+1 < t.rows {
			return t
		}
		return nil
	}
	for _, t := range s.buckets[r/s.bucket*s.acrossNo+c/s.bucket] {
		if c >= t.col && r >= t.row && c+1 < t.col+t.cols && r+1 < t.row+t.rows {
			return t
		}
	}
	return nil
}

// byNodes is at where tiles meet, the sheet ends, or a node is void. Nodes
// without weight are not asked, so a point on a grid line needs two, and a
// point on a node one.
func (s *sheet) byNodes(c, r int, fx, fy float64) (float64, bool) {
	c, fx = onto(c, fx)
	r, fy = onto(r, fy)
	var h float64
	for i, w := range [4]float64{(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy} {
		if w == 0 {
			continue
		}
		v, ok := s.node(c+i&1, r+i>>1)
		if !ok {
			return 0, false
		}
		h += w * v
	}
	return h, true
}

// onto moves a point that is nearly on a node onto it.
func onto(c int, f float64) (int, float64) {
	switch {
	case f < onNode:
		return c, 0
	case f > 1-onNode:
		return c + 1, 0
	}
	return c, f
}

// node is the height of a node, from the first tile that knows it.
func (s *sheet) node(c, r int) (float64, bool) {
	if c < 0 || r < 0 || c >= s.cols || r >= s.rows {
		return 0, false
	}
	if s.buckets == nil {
		return s.tiles[0].node(c, r)
	}
	for _, t := range s.buckets[r/s.bucket*s.acrossNo+c/s.bucket] {
		if h, ok := t.node(c, r); ok {
			return h, true
		}
	}
	return 0, false
}

func (t *tile) node(c, r int) (float64, bool) {
	c, r = c-t.col, r-t.row
	if c < 0 || r < 0 || c >= t.cols || r >= t.rows {
		return 0, false
	}
	i := r*t.cols + c
	if t.i16 != nil {
		return float64(t.i16[i]), t.i16[i] != void16
	}
	v := float64(t.f32[i])
	return v, v == v
}
