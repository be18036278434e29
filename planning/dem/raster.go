package dem

import (
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// maxRaster is how many cells a window may have: a quarter of a gigabyte.
const maxRaster = 1 << 26

// Raster is the heights of a window, bilinear, in square cells of cellDeg
// degrees beginning at its north-west corner. With cellDeg 0 the cells are
// those of the finest grid: of a grid in degrees its very nodes, so that
// nothing is interpolated, of a projected one cells of the same size in
// metres. The window covers b; what lies outside the terrain is void.
func (m *Mosaic) Raster(b geo.Bounds, cellDeg float64) (*planning.Raster, error) {
	if !(b.West < b.East && b.South < b.North && b.West >= -360 && b.East <= 360 && b.South >= -90 && b.North <= 90) {
		return nil, fault.New(fault.Invalid, "cut terrain window %+v: its sides must be degrees, west under east and south under north", b)
	}
	if !(cellDeg >= 0) || math.IsInf(cellDeg, 0) {
		return nil, fault.New(fault.Invalid, "cut terrain window: cell of %v°: give a size over 0, or 0 for the native one", cellDeg)
	}
	cellLon, cellLat := cellDeg, cellDeg
	if cellDeg == 0 {
		s := m.sheets[0]
		if s.proj == nil {
			cellLon, cellLat = s.dx, s.dy
			// A window that begins on a node, give or take rounding, begins there.
			b.West = s.x0 + math.Floor((b.West-s.x0)/s.dx+onNode)*s.dx
			b.North = s.y0 - math.Floor((s.y0-b.North)/s.dy+onNode)*s.dy
		} else {
			cellLat = s.cellM / geo.Radius * 180 / math.Pi
			cellLon = cellLat / math.Max(0.01, math.Cos((b.South+b.North)/2*math.Pi/180))
		}
	}
	if cols, rows := (b.East-b.West)/cellLon, (b.North-b.South)/cellLat; (cols+2)*(rows+2) > maxRaster {
		return nil, fault.New(fault.Invalid, "cut terrain window: %.0f × %.0f cells are too many: take a smaller window or a larger cell", cols, rows)
	}
	r := planning.NewRaster(b, cellLon, cellLat)
	for row := range r.Rows {
		m.HeightRow(r.North-float64(row)*r.CellLat, r.West, r.CellLon, r.V[row*r.Cols:(row+1)*r.Cols])
	}
	return r, nil
}

// row fills what is still void of a row of points at one latitude, and says
// whether voids are left.
func (s *sheet) row(out []float32, lat, west, step float64) (left bool) {
	if lat < s.box.South || lat > s.box.North {
		return true
	}
	walk := s.walk(lat, west, step)
	for i := range out {
		if out[i] == out[i] {
			continue
		}
		lon := west + float64(i)*step
		if lon >= s.box.West && lon <= s.box.East {
			if h, ok := s.at(walk(i)); ok {
				out[i] = float32(h)
				continue
			}
		}
		left = true
	}
	return left
}

// segmentM is how far apart points of a parallel are projected exactly; those
// between lie on the chord, which is under a centimetre away from the arc (its
// sagitta is L² tan φ / 8R).
const segmentM = 500

// walk gives the columns and rows, from the first node, of the points of a
// row; it is to be called with growing indices.
func (s *sheet) walk(lat, west, step float64) func(i int) (x, y float64) {
	if s.proj == nil {
		y := (s.y0 - lat) * s.inv[1]
		return func(i int) (float64, float64) { return (west + float64(i)*step - s.x0) * s.inv[0], y }
	}
	exact := func(i int) (float64, float64) {
		x, y := s.proj.forward(geo.LonLat{Lon: west + float64(i)*step, Lat: lat})
		return (x - s.x0) * s.inv[0], (s.y0 - y) * s.inv[1]
	}
	stepM := step * math.Pi / 180 * geo.Radius * math.Cos(lat*math.Pi/180)
	n := int(segmentM / stepM)
	if n < 2 || math.Abs(lat) > 75 {
		return exact
	}
	n = min(n, 1000)
	from := -2 * n
	var xa, ya, xb, yb float64
	return func(i int) (float64, float64) {
		if k := i - i%n; k != from {
			from = k
			xa, ya = exact(k)
			xb, yb = exact(k + n)
		}
		f := float64(i-from) / float64(n)
		return xa + (xb-xa)*f, ya + (yb-ya)*f
	}
}

// HeightRow gives the heights of points on one parallel, the first at west and
// each step degrees further east; NaN where nothing is known. It is faster
// than Height for many points, by far where the grid is projected.
func (m *Mosaic) HeightRow(lat, west, step float64, out []float32) {
	for i := range out {
		out[i] = float32(math.NaN())
	}
	for _, s := range m.sheets {
		if !s.row(out, lat, west, step) {
			return
		}
	}
}
