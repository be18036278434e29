package export

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// overlay is the palette of coverage tiles: 0 is transparent, then the classes,
// so thin that the land shows through.
var overlay = func() color.Palette {
	p := color.Palette{color.NRGBA{}}
	for i, c := range classes {
		c.Colour.A = 0x90
		if i == 0 {
			c.Colour.A = 0x48 // no coverage is a veil, not a colour
		}
		p = append(p, c.Colour)
	}
	return p
}()

// CoverageTile writes a map tile (PNG, 256 × 256, Web Mercator) of coverage
// classes to lay over a HillshadeTile: the class of the nearest cell,
// transparent where nothing was computed. A tile that does not exist is
// fault.NotFound.
func CoverageTile(w io.Writer, c *planning.Coverage, z, x, y int) error {
	tile := geo.Tile{Z: z, X: x, Y: y}
	if !tile.Valid() {
		return fault.New(fault.NotFound, "draw coverage tile %d/%d/%d: there is no such tile", z, x, y)
	}
	if c == nil {
		return fault.New(fault.Internal, "draw coverage tile %d/%d/%d: no coverage", z, x, y)
	}
	if err := check(c.Rate); err != nil {
		return fmt.Errorf("draw coverage tile %d/%d/%d: %w", z, x, y, err)
	}
	r := c.Rate
	cols, rows := tileCells(r, tile)
	img := image.NewPaletted(image.Rect(0, 0, geo.TileSide, geo.TileSide), overlay)
	seen := false
	for py, row := range rows {
		if row < 0 {
			continue
		}
		v := r.V[row*r.Cols : (row+1)*r.Cols]
		out := img.Pix[py*img.Stride:]
		for px, col := range cols {
			if col < 0 {
				continue
			}
			if k := classOf(v[col]); k >= 0 {
				out[px] = byte(1 + k)
				seen = true
			}
		}
	}
	if !seen {
		return emptyTile(w)
	}
	if err := encoder.Encode(w, img); err != nil {
		return fmt.Errorf("draw coverage tile %d/%d/%d: %w", z, x, y, err)
	}
	return nil
}

// tileCells is the column of a raster under each column of a tile's pixels,
// and the row under each row; -1 outside.
func tileCells(r *planning.Raster, tile geo.Tile) (cols, rows [geo.TileSide]int) {
	for i := range geo.TileSide {
		p := tile.LonLat(float64(i)+0.5, float64(i)+0.5)
		cols[i] = nearest((p.Lon-r.West)/r.CellLon, r.Cols)
		rows[i] = nearest((r.North-p.Lat)/r.CellLat, r.Rows)
	}
	return cols, rows
}

// nearest is the cell whose area holds x, given in cells from the first
// centre; -1 outside.
func nearest(x float64, n int) int {
	i := math.Floor(x + 0.5)
	if !(i >= 0 && i < float64(n)) {
		return -1
	}
	return int(i)
}
