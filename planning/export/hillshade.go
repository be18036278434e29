package export

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// HillshadeTile writes a map tile (PNG, 256 × 256, Web Mercator as web maps
// number it) of the terrain: tinted by height, shaded by slope with light from
// the north-west, with contour lines from zoom 11 or so, transparent where the
// height is not known. Neighbouring tiles join without a seam. The land is
// drawn smooth between its cells: it is a picture, not a measure. A tile that
// does not exist is fault.NotFound.
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
	if err := encoder.Encode(w, paletted(img)); err != nil {
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

// drawHills is nil when nothing is known of the tile.
func drawHills(t planning.Terrain, tile geo.Tile) *image.NRGBA {
	h := newHills(t, tile)
	if h == nil {
		return nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, geo.TileSide, geo.TileSide))
	// One pixel more each way, for the slope of the last.
	var here, below line
	h.line(&here, tile, 0)
	for py := range geo.TileSide {
		h.line(&below, tile, py+1)
		out := img.Pix[py*img.Stride : py*img.Stride+4*geo.TileSide]
		for px := range geo.TileSide {
			v := here.height[px]
			if v != v {
				continue // transparent
			}
			p := out[4*px : 4*px+4]
			paint(p, v, here.light[px])
			if h.contour > 0 {
				ink := contour(v, here.height[px+1]-v, below.height[px]-v, h.contour)
				for c := range 3 {
					p[c] = byte(float32(p[c]) * (1 - ink))
				}
			}
		}
		here, below = below, here
	}
	return img
}

// contour is how dark a contour line makes a pixel of height v whose right and
// lower neighbours are so much higher: a line a pixel wide, stronger each
// fifth.
func contour(v, right, down, every float32) float32 {
	slope := float32(math.Sqrt(float64(right*right + down*down)))
	if !(slope > 1e-3) {
		return 0
	}
	k := float32(math.Round(float64(v / every)))
	cover := 1.1 - float32(math.Abs(float64(v-k*every)))/slope
	if cover <= 0 {
		return 0
	}
	ink := float32(0.16)
	if int(k)%5 == 0 {
		ink = 0.3
	}
	return ink * min(cover, 1)
}

// contourEvery is the metres between contour lines where a pixel and a cell
// are so wide, 0 for none: lines on a steep slope stay some pixels apart, and
// a coarse terrain gets no finer lines than it can tell.
func contourEvery(pixelM, cellM float64) float32 {
	for _, m := range []float64{10, 25, 50, 100, 200} {
		if m >= 3*pixelM && m >= cellM/20 {
			return float32(m)
		}
	}
	return 0
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
