package export

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// HillshadeTile writes a map tile (PNG, 256 × 256, Web Mercator as web maps
// number it) of the terrain: tinted by height, shaded by slope with light from
// the north-west, transparent where the height is not known. Neighbouring
// tiles join without a seam. A tile that does not exist is fault.NotFound.
func HillshadeTile(w io.Writer, t planning.Terrain, z, x, y int) error {
	tile := geo.Tile{Z: z, X: x, Y: y}
	if !tile.Valid() {
		return fault.New(fault.NotFound, "draw map tile %d/%d/%d: there is no such tile", z, x, y)
	}
	if !meet(tile.Bounds(), t.Bounds()) {
		return emptyTile(w)
	}
	img := drawHills(t, tile)
	if img == nil {
		return emptyTile(w)
	}
	if err := encoder.Encode(w, img); err != nil {
		return fmt.Errorf("draw map tile %d/%d/%d: %w", z, x, y, err)
	}
	return nil
}

// encoder favours speed: tiles are drawn when they are asked for.
var encoder = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: new(buffers)}

// buffers lets the encoder use its buffers again.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}
func (b *buffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }

// emptyTile is a transparent one.
func emptyTile(w io.Writer) error {
	_, err := w.Write(empty())
	return err
}

var empty = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	img := image.NewPaletted(image.Rect(0, 0, geo.TileSide, geo.TileSide), color.Palette{color.NRGBA{}})
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a picture in memory, always the same
	}
	return b.Bytes()
})

func meet(a, b geo.Bounds) bool {
	return a.West <= b.East && b.West <= a.East && a.South <= b.North && b.South <= a.North
}

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
}

// drawHills is nil when nothing is known of the tile.
func drawHills(t planning.Terrain, tile geo.Tile) *image.NRGBA {
	h := newHills(t, tile)
	if h == nil {
		return nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, geo.TileSide, geo.TileSide))
	inv := 1 / float32(h.step)
	for py := range geo.TileSide {
		ny := tile.Y*geo.TileSide + py
		r := floorDiv(ny, h.step)
		fy := float32(ny-r*h.step) * inv
		i0 := (r - h.row) * h.cols
		out := img.Pix[py*img.Stride : py*img.Stride+4*geo.TileSide]
		for px := range geo.TileSide {
			nx := tile.X*geo.TileSide + px
			c := nx / h.step
			fx := float32(nx-c*h.step) * inv
			i := i0 + c - h.col
			v := blend(h.height, i, h.cols, fx, fy)
			if v != v {
				continue // transparent
			}
			paint(out[4*px:4*px+4], v, blend(h.light, i, h.cols, fx, fy))
		}
	}
	return img
}

func floorDiv(a, b int) int { return int(math.Floor(float64(a) / float64(b))) }

// blend is bilinear; nodes without weight do not count.
func blend(v []float32, i, cols int, fx, fy float32) float32 {
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

func newHills(t planning.Terrain, tile geo.Tile) *hills {
	b := t.Bounds()
	mid := math.Cos((b.South + b.North) / 2 * math.Pi / 180)
	world := float64(int(geo.TileSide) << tile.Z)
	pixelM := 2 * geo.MercatorMax / world * mid
	h := &hills{step: int(min(max(t.Source().CellM/pixelM, 1), 128))}
	first := func(n int) (node, count int) {
		node = floorDiv(n*geo.TileSide, h.step) - 1
		return node, floorDiv(n*geo.TileSide+geo.TileSide-1, h.step) + 3 - node
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

// Light comes from the north-west, two thirds, and a third from the west and
// north to keep ridges along the main light visible; it stands at 45°.
var lights = [...]struct{ east, north, up, weight float32 }{
	{-0.5, 0.5, 0.70711, 0.64},
	{-0.70711, 0, 0.70711, 0.18},
	{0, 0.70711, 0.70711, 0.18},
}

// shade computes the light at the nodes, spacing metres apart, 1 on flat
// ground. Slopes of wide cells are shaved, so they are drawn steeper.
func (h *hills) shade(spacing float64) {
	steeper := 1 + math.Min(2, spacing/400)
	scale := float32(steeper / (2 * spacing))
	h.light = make([]float32, len(h.height))
	at := func(i, c, r int) float32 {
		if c < 0 || r < 0 || c >= h.cols || r >= h.rows {
			return h.height[i]
		}
		if v := h.height[r*h.cols+c]; v == v {
			return v
		}
		return h.height[i] // beside a void the ground counts as level
	}
	for r := range h.rows {
		for c := range h.cols {
			i := r*h.cols + c
			east := (at(i, c+1, r) - at(i, c-1, r)) * scale
			north := (at(i, c, r-1) - at(i, c, r+1)) * scale
			n := 1 / float32(math.Sqrt(float64(1+east*east+north*north)))
			var sum float32
			for _, l := range lights {
				sum += l.weight * max(0, (l.up-east*l.east-north*l.north)*n)
			}
			h.light[i] = sum / 0.70711
		}
	}
}

// The tint by height in metres: green valleys, ochre hills, grey and white
// mountains.
var tints = [...]struct{ m, r, g, b float32 }{
	{-500, 150, 180, 170}, {0, 172, 206, 176}, {150, 188, 214, 172}, {300, 212, 224, 178}, {450, 232, 230, 186},
	{600, 234, 216, 168}, {800, 222, 194, 146}, {1100, 204, 174, 138}, {1600, 190, 168, 150}, {2200, 206, 200, 196}, {3000, 245, 245, 245},
}

const tintStep = 5 // metres in one entry of the table

var tintTable = sync.OnceValue(func() [][3]float32 {
	low, high := tints[0].m, tints[len(tints)-1].m
	table := make([][3]float32, int((high-low)/tintStep)+1)
	k := 0
	for i := range table {
		m := low + float32(i*tintStep)
		for k+2 < len(tints) && m > tints[k+1].m {
			k++
		}
		a, b := tints[k], tints[k+1]
		f := (m - a.m) / (b.m - a.m)
		table[i] = [3]float32{a.r + (b.r-a.r)*f, a.g + (b.g-a.g)*f, a.b + (b.b-a.b)*f}
	}
	return table
})

// paint sets a pixel to the tint of a height under a light.
func paint(p []byte, height, light float32) {
	table := tintTable()
	i := int((height - tints[0].m) / tintStep)
	tint := &table[min(max(i, 0), len(table)-1)]
	k := min(0.35+0.65*light, 1.12)
	for c := range 3 {
		p[c] = byte(min(tint[c]*k, 255))
	}
	p[3] = 255
}
