package dem

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// Heights outside of these are no land on Earth (the shore of the Dead Sea is
// at -430 m, Everest at 8849) but a producer's mark for a void that its file
// does not declare, or the bottom of the sea.
const (
	lowest  = -500
	highest = 9000
)

// void16 marks a void among whole metres; among float32 it is NaN.
const void16 = math.MinInt16

func land16(v int16) int16 {
	if v < lowest || v > highest {
		return void16
	}
	return v
}

// grid is the heights of one file. The cell (0, 0) is the north-west one.
type grid struct {
	name       string
	proj       projection // nil: x and y are degrees
	x0, y0     float64    // of the first cell's centre
	dx, dy     float64    // both positive; y falls by dy from row to row
	cols, rows int
	i16        []int16 // one of the two is set
	f32        []float32
}

// cellM is the north-south side of a cell in metres on the ground.
func (g *grid) cellM() float64 {
	if g.proj == nil {
		return g.dy * math.Pi / 180 * geo.Radius
	}
	return g.dy * g.proj.groundScale(g.x0+g.dx*float64(g.cols)/2, g.y0-g.dy*float64(g.rows)/2)
}

// Mosaic is many grids as one terrain: the finest first, and where it is void
// or ends, the next. Grids with the same cells on the same lattice make one
// sheet, in which their seams do not show. It never changes once made.
type Mosaic struct {
	sheets []*sheet
	source planning.Source
	bounds geo.Bounds
}

var _ planning.Terrain = (*Mosaic)(nil)

// mosaic joins grids into sheets.
func (c Config) mosaic(grids []*grid) *Mosaic {
	m := &Mosaic{}
	names := make([]string, 0, len(grids))
	for _, g := range grids {
		names = append(names, g.name)
		i := slices.IndexFunc(m.sheets, func(s *sheet) bool { return s.fits(g) })
		if i < 0 {
			m.sheets = append(m.sheets, &sheet{grid: *g, cellM: g.cellM()})
			i = len(m.sheets) - 1
		}
		m.sheets[i].grids = append(m.sheets[i].grids, g)
	}
	slices.SortStableFunc(m.sheets, func(a, b *sheet) int {
		if math.Abs(a.cellM-b.cellM) < 1e-6*a.cellM {
			return 0
		}
		if a.cellM < b.cellM {
			return -1
		}
		return 1
	})
	for i, s := range m.sheets {
		s.close()
		if i == 0 {
			m.bounds = s.bounds
			continue
		}
		m.bounds = join(m.bounds, s.bounds)
	}
	cell := m.sheets[len(m.sheets)-1].cellM
	m.source = planning.Source{Source: c.Name, CellM: round(cell), Surface: c.Surface, Coarse: cell > planning.CoarseCellM}
	if m.source.Source == "" {
		m.source.Source = shorten(names)
	}
	if m.source.Surface == "" {
		m.source.Surface = planning.UnknownSurface
	}
	return m
}

// round keeps a decimetre, or three digits of what is smaller.
func round(m float64) float64 {
	p := 10.0
	if m < 10 {
		p = 1000
	}
	return math.Round(m*p) / p
}

func shorten(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2)
	}
	return strings.Join(names, ", ")
}

func join(a, b geo.Bounds) geo.Bounds {
	return geo.Bounds{
		West: math.Min(a.West, b.West), East: math.Max(a.East, b.East),
		South: math.Min(a.South, b.South), North: math.Max(a.North, b.North),
	}
}

// Source is the terrain as a whole. Where files of several cell sizes are
// joined it gives the coarsest, since a result may rest on it: SourceAt tells
// for one place.
func (m *Mosaic) Source() planning.Source { return m.source }

// SourceAt is Source with the cell size of the grid that answers at p; false
// where none does.
func (m *Mosaic) SourceAt(p geo.LonLat) (planning.Source, bool) {
	for _, s := range m.sheets {
		if _, ok := s.height(p); ok {
			src := m.source
			src.CellM, src.Coarse = round(s.cellM), s.cellM > planning.CoarseCellM
			return src, true
		}
	}
	return planning.Source{}, false
}

// Bounds is the box of all cell centres.
func (m *Mosaic) Bounds() geo.Bounds { return m.bounds }

// Height is metres over sea level at p, bilinear between the four cells around
// it; false when one of these is void in every grid, or p lies outside.
func (m *Mosaic) Height(p geo.LonLat) (float64, bool) {
	for _, s := range m.sheets {
		if h, ok := s.height(p); ok {
			return h, true
		}
	}
	return 0, false
}
