package export

import (
	"math"
	"slices"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// hills is heights and light at the nodes of a lattice over a tile. Its
// spacing is the cell of the terrain in pixels, so that a coarse terrain is
// drawn round and not in facets; nodes lie at the same places of the map for
// every tile of a zoom.
type hills struct {
	step       int // pixels
	col, row   int // lattice index of the first node
	cols, rows int
	height     []float32 // NaN is void
	light      []float32
	contour    float32 // metres between lines, 0 for none

	// Of the line of pixels being drawn: nodes blended from north to south.
	rowHeight, rowLight []float32
}

// line is a line of pixels, and one more.
type line struct {
	height, light [geo.TileSide + 1]float32
}

func floorDiv(a, b int) int { return int(math.Floor(float64(a) / float64(b))) }

func newHills(t planning.Terrain, tile geo.Tile) *hills {
	b := t.Bounds()
	mid := math.Cos((b.South + b.North) / 2 * math.Pi / 180)
	world := float64(int(geo.TileSide) << tile.Z)
	pixelM := 2 * geo.MercatorMax / world * mid
	cellM := t.Source().CellM
	h := &hills{step: int(min(max(cellM/pixelM, 1), 256)), contour: contourEvery(pixelM, cellM)}
	// A pixel is drawn from the four nodes around it each way, and the light
	// of a node from its neighbours.
	first := func(n int) (node, count int) {
		node = floorDiv(n*geo.TileSide, h.step) - 2
		return node, floorDiv((n+1)*geo.TileSide, h.step) + 4 - node
	}
	h.col, h.cols = first(tile.X)
	h.row, h.rows = first(tile.Y)
	h.height = make([]float32, h.cols*h.rows)
	fast, _ := t.(rower)
	if fast == nil {
		fast = pointwise{t}
	}
	west := (float64(h.col*h.step)+0.5)/world*360 - 180
	for r := range h.rows {
		y := (float64((h.row+r)*h.step) + 0.5) / world
		lat := geo.FromMercator(0, (1-2*y)*geo.MercatorMax).Lat
		fast.HeightRow(lat, west, float64(h.step)/world*360, h.height[r*h.cols:(r+1)*h.cols])
	}
	if !slices.ContainsFunc(h.height, func(v float32) bool { return v == v }) {
		return nil
	}
	h.shade(pixelM * float64(h.step))
	return h
}

// rower is a terrain that gives many heights of one parallel at once.
type rower interface {
	HeightRow(lat, west, step float64, out []float32)
}

// pointwise makes a rower of any terrain.
type pointwise struct{ planning.Terrain }

func (p pointwise) HeightRow(lat, west, step float64, out []float32) {
	for i := range out {
		v, ok := p.Height(geo.LonLat{Lon: west + float64(i)*step, Lat: lat})
		if !ok {
			v = math.NaN()
		}
		out[i] = float32(v)
	}
}

// line draws the pixels of one line of a tile.
func (h *hills) line(out *line, tile geo.Tile, py int) {
	ny := tile.Y*geo.TileSide + py
	r := floorDiv(ny, h.step)
	first := (r - h.row) * h.cols
	if h.step == 1 { // pixels are nodes
		at := first + tile.X*geo.TileSide - h.col
		copy(out.height[:], h.height[at:])
		copy(out.light[:], h.light[at:])
		return
	}
	fy := float32(ny-r*h.step) / float32(h.step)
	h.rowHeight = h.blendRows(h.rowHeight, h.height, first, fy)
	h.rowLight = h.blendRows(h.rowLight, h.light, first, fy)
	for px := range out.height {
		nx := tile.X*geo.TileSide + px
		c := nx / h.step
		fx := float32(nx-c*h.step) / float32(h.step)
		i := c - h.col
		w := spline(fx)
		v, l := dot(w, h.rowHeight[i-1:i+3]), dot(w, h.rowLight[i-1:i+3])
		if v != v { // beside a void
			v, l = bilinear(h.height, first+i, h.cols, fx, fy), bilinear(h.light, first+i, h.cols, fx, fy)
		}
		out.height[px], out.light[px] = v, l
	}
}

// blendRows blends the four rows of nodes around a line.
func (h *hills) blendRows(out, v []float32, first int, fy float32) []float32 {
	if out == nil {
		out = make([]float32, h.cols)
	}
	w := spline(fy)
	a, b, c, d := v[first-h.cols:first], v[first:], v[first+h.cols:], v[first+2*h.cols:]
	for i := range out {
		out[i] = w[0]*a[i] + w[1]*b[i] + w[2]*c[i] + w[3]*d[i]
	}
	return out
}

// spline is the weights of the cubic B-spline: smooth to the second
// derivative, so that no cell edge shows in the light.
func spline(f float32) [4]float32 {
	g := 1 - f
	return [4]float32{g * g * g / 6, (4 - 6*f*f + 3*f*f*f) / 6, (4 - 6*g*g + 3*g*g*g) / 6, f * f * f / 6}
}

func dot(w [4]float32, v []float32) float32 {
	return w[0]*v[0] + w[1]*v[1] + w[2]*v[2] + w[3]*v[3]
}

// bilinear blends four nodes; those without weight do not count.
func bilinear(v []float32, i, cols int, fx, fy float32) float32 {
	a, b := v[i], v[i+cols]
	if fx > 0 {
		a += (v[i+1] - a) * fx
		b += (v[i+cols+1] - b) * fx
	}
	if fy > 0 {
		return a + (b-a)*fy
	}
	return a
}
