package planning

import (
	"math"

	"github.com/crinale/crinale/internal/geo"
)

// Surface says what the heights of a terrain are the heights of.
type Surface string

const (
	BareEarth      Surface = "bare-earth" // the ground, without trees and houses
	TopSurface     Surface = "surface"    // what a satellite sees from above
	UnknownSurface Surface = "unknown"
)

// Source says where heights come from and how far they may be trusted.
type Source struct {
	Source  string  `json:"source"`
	CellM   float64 `json:"cell_m"`
	Surface Surface `json:"surface"`
	Coarse  bool    `json:"coarse"` // CellM is over CoarseCellM
}

// CoarseCellM is the cell size in metres over which a terrain is too coarse for
// a decision: a ridge may be lower, or stand elsewhere.
const CoarseCellM = 100

// Terrain is the height of the land. It is safe for concurrent use.
type Terrain interface {
	// Height is metres over sea level, bilinear between cell centres; false in
	// a void or outside.
	Height(p geo.LonLat) (float64, bool)
	Source() Source
	Bounds() geo.Bounds
	// Raster is a window resampled (bilinear) to square cells of cellDeg
	// degrees, for sweeps; cellDeg 0 is the native cell.
	Raster(b geo.Bounds, cellDeg float64) (*Raster, error)
}

// Raster is a grid of values over degrees. Rows go south, columns east.
type Raster struct {
	West, North      float64 // degrees, of the first cell's centre
	CellLon, CellLat float64 // degrees, both positive
	Cols, Rows       int
	V                []float32 // Rows × Cols, row by row; NaN is void
}

// NewRaster is a raster of voids over b with the cell given in degrees; its
// cell centres begin at the north-west corner and cover b.
func NewRaster(b geo.Bounds, cellLon, cellLat float64) *Raster {
	r := &Raster{
		West: b.West, North: b.North, CellLon: cellLon, CellLat: cellLat,
		Cols: int(math.Ceil((b.East-b.West)/cellLon-1e-9)) + 1,
		Rows: int(math.Ceil((b.North-b.South)/cellLat-1e-9)) + 1,
	}
	r.V = make([]float32, r.Cols*r.Rows)
	r.Fill(float32(math.NaN()))
	return r
}

// Fill sets every cell.
func (r *Raster) Fill(v float32) {
	for i := range r.V {
		r.V[i] = v
	}
}

// Like is a raster of voids with the same cells.
func (r *Raster) Like() *Raster {
	out := *r
	out.V = make([]float32, len(r.V))
	out.Fill(float32(math.NaN()))
	return &out
}

// At is the value of a cell; NaN outside.
func (r *Raster) At(col, row int) float32 {
	if col < 0 || row < 0 || col >= r.Cols || row >= r.Rows {
		return float32(math.NaN())
	}
	return r.V[row*r.Cols+col]
}

// LonLat is the centre of a cell.
func (r *Raster) LonLat(col, row int) geo.LonLat {
	return geo.LonLat{Lon: r.West + float64(col)*r.CellLon, Lat: r.North - float64(row)*r.CellLat}
}

// Cell is the cell whose centre is nearest to p; false outside.
func (r *Raster) Cell(p geo.LonLat) (col, row int, ok bool) {
	x, y := math.Round((p.Lon-r.West)/r.CellLon), math.Round((r.North-p.Lat)/r.CellLat)
	if !(x >= 0 && y >= 0 && x < float64(r.Cols) && y < float64(r.Rows)) {
		return 0, 0, false
	}
	return int(x), int(y), true
}

// Bounds is the box of the cell centres.
func (r *Raster) Bounds() geo.Bounds {
	return geo.Bounds{
		West: r.West, North: r.North,
		East: r.West + float64(r.Cols-1)*r.CellLon, South: r.North - float64(r.Rows-1)*r.CellLat,
	}
}

// Bilinear is the value between cell centres; false outside them or beside a
// void.
func (r *Raster) Bilinear(p geo.LonLat) (float64, bool) {
	v := r.bilinear((p.Lon-r.West)/r.CellLon, (r.North-p.Lat)/r.CellLat)
	return v, v == v
}

// bilinear at x columns and y rows from the first centre; NaN outside or void.
func (r *Raster) bilinear(x, y float64) float64 {
	// A billionth of a cell of rounding at the rim is not outside.
	const ε = 1e-6
	if !(x >= -ε && y >= -ε && x <= float64(r.Cols-1)+ε && y <= float64(r.Rows-1)+ε) {
		return math.NaN()
	}
	c, w := min(max(int(x), 0), max(r.Cols-2, 0)), min(max(int(y), 0), max(r.Rows-2, 0))
	fx, fy := x-float64(c), y-float64(w)
	i := w*r.Cols + c
	right, down := 1, r.Cols
	if r.Cols == 1 {
		right = 0
	}
	if r.Rows == 1 {
		down = 0
	}
	a, b := float64(r.V[i]), float64(r.V[i+right])
	d, e := float64(r.V[i+down]), float64(r.V[i+down+right])
	// A void with no weight does not spoil a value on the grid line.
	top, bottom := mix(a, b, fx), mix(d, e, fx)
	return mix(top, bottom, fy)
}

func mix(a, b, f float64) float64 {
	if f <= 0 {
		return a
	}
	if f >= 1 {
		return b
	}
	return a + (b-a)*f
}
