package export

import (
	"fmt"
	"image"
	"image/color"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/planning"
)

// notes say what a coverage rests on.
func notes(c *planning.Coverage) []string {
	s := c.Source
	heights := map[planning.Surface]string{planning.BareEarth: "bare earth", planning.TopSurface: "top of trees and roofs"}[s.Surface]
	if heights == "" {
		heights = "bare earth or surface unknown"
	}
	out := []string{fmt.Sprintf("Terrain: %s", s.Source), fmt.Sprintf("Cells of %.4g m, %s", s.CellM, heights)}
	if s.Coarse {
		out = append(out, "COARSE: hidden places may look covered")
	}
	if c.Confidence != "" {
		out = append(out, fmt.Sprintf("Gear figures: %s", c.Confidence))
	}
	return append(out, "Triangles: sectors. White: not computed")
}

// area is the box of a raster's cells with their whole extent.
func area(r *planning.Raster) geo.Bounds {
	b := r.Bounds()
	b.West, b.East = b.West-r.CellLon/2, b.East+r.CellLon/2
	b.South, b.North = b.South-r.CellLat/2, b.North+r.CellLat/2
	return b
}

var regular = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// write sets a line of text with its baseline at y, cut to the picture.
func (p *picture) write(s string, x, y int, size float64, c color.Color) error {
	f, err := regular()
	if err != nil {
		return err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return err
	}
	defer face.Close()
	room := fixed.I(p.img.Bounds().Max.X - x - margin/2)
	if font.MeasureString(face, s) > room {
		r := []rune(s)
		for len(r) > 0 && font.MeasureString(face, string(r)+"…") > room {
			r = r[:len(r)-1]
		}
		s = string(r) + "…"
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(s)
	return nil
}
