package export

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/planning"
)

// PNGOptions shape a coverage picture.
type PNGOptions struct {
	Title   string // "" is "Coverage"
	MaxSide int    // of the picture in pixels, 400 to 8000; 0 is 1400
}

const (
	defaultSide = 1400
	margin      = 16
	lineHeight  = 20
	swatch      = 14
)

var (
	ink    = color.NRGBA{0x20, 0x20, 0x20, 0xff}
	faint  = color.NRGBA{0x60, 0x60, 0x60, 0xff}
	paper  = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	border = color.NRGBA{0x90, 0x90, 0x90, 0xff}
)

// PNG writes a picture of a coverage: the class of each cell, the sectors, a
// legend, and what it rests on. North is up and the scale is the same both
// ways at the middle of the picture. White is not computed.
func PNG(w io.Writer, c *planning.Coverage, o PNGOptions) error {
	if c == nil {
		return fault.New(fault.Internal, "draw coverage: no coverage")
	}
	if err := check(c.Rate); err != nil {
		return fmt.Errorf("draw coverage: %w", err)
	}
	if o.MaxSide == 0 {
		o.MaxSide = defaultSide
	}
	if o.MaxSide < 400 || o.MaxSide > 8000 {
		return fault.New(fault.Invalid, "draw coverage: a side of %d pixels: give 400 to 8000", o.MaxSide)
	}
	if o.Title == "" {
		o.Title = "Coverage"
	}
	p, err := newPicture(c, o)
	if err != nil {
		return fmt.Errorf("draw coverage: %w", err)
	}
	p.cells()
	p.masts()
	if err := p.words(); err != nil {
		return fmt.Errorf("draw coverage: %w", err)
	}
	if err := png.Encode(w, p.img); err != nil {
		return fmt.Errorf("draw coverage: %w", err)
	}
	return nil
}

// picture is the map and the words beneath it.
type picture struct {
	c     *planning.Coverage
	o     PNGOptions
	img   *image.NRGBA
	plot  image.Rectangle
	notes []string
}

func newPicture(c *planning.Coverage, o PNGOptions) (*picture, error) {
	p := &picture{c: c, o: o, notes: notes(c)}
	b := area(c.Rate)
	ratio := (b.East - b.West) / (b.North - b.South) * math.Cos((b.North+b.South)/2*math.Pi/180)
	if !(ratio > 0.01 && ratio < 100) {
		return nil, fault.New(fault.Invalid, "an area %.3f° wide and %.3f° high is too narrow to draw", b.East-b.West, b.North-b.South)
	}
	below := margin + lineHeight*(len(classes)+len(p.notes)+1) + margin
	most := float64(o.MaxSide - 2*margin)
	high := math.Min(most-lineHeight*2, float64(o.MaxSide-below-3*margin-lineHeight))
	w, h := most, most/ratio
	if h > high {
		w, h = high*ratio, high
	}
	pw, ph := max(int(math.Round(w)), 1), max(int(math.Round(h)), 1)
	p.plot = image.Rect(margin, 2*margin+lineHeight, margin+pw, 2*margin+lineHeight+ph)
	width := min(max(pw+2*margin, 400), o.MaxSide)
	p.img = image.NewNRGBA(image.Rect(0, 0, width, p.plot.Max.Y+below))
	draw.Draw(p.img, p.img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	return p, nil
}

// cells paints the class of the nearest cell.
func (p *picture) cells() {
	r := p.c.Rate
	w, h := p.plot.Dx(), p.plot.Dy()
	for y := range h {
		row := min(y*r.Rows/h, r.Rows-1)
		for x := range w {
			k := classOf(r.V[row*r.Cols+min(x*r.Cols/w, r.Cols-1)])
			if k >= 0 {
				p.img.SetNRGBA(p.plot.Min.X+x, p.plot.Min.Y+y, classes[k].Colour)
			}
		}
	}
	f := p.plot.Inset(-1)
	for x := f.Min.X; x < f.Max.X; x++ {
		p.img.SetNRGBA(x, f.Min.Y, border)
		p.img.SetNRGBA(x, f.Max.Y-1, border)
	}
	for y := f.Min.Y; y < f.Max.Y; y++ {
		p.img.SetNRGBA(f.Min.X, y, border)
		p.img.SetNRGBA(f.Max.X-1, y, border)
	}
}

// masts draws a triangle where a sector stands.
func (p *picture) masts() {
	b := area(p.c.Rate)
	for _, t := range p.c.Transmitters {
		x := p.plot.Min.X + int((t.At.Lon-b.West)/(b.East-b.West)*float64(p.plot.Dx()))
		y := p.plot.Min.Y + int((b.North-t.At.Lat)/(b.North-b.South)*float64(p.plot.Dy()))
		for _, tri := range []struct {
			size int
			col  color.NRGBA
		}{{8, paper}, {6, ink}} {
			for dy := -tri.size; dy <= tri.size; dy++ {
				half := (dy + tri.size) / 2
				for dx := -half; dx <= half; dx++ {
					if at := image.Pt(x+dx, y+dy); at.In(p.plot) {
						p.img.SetNRGBA(at.X, at.Y, tri.col)
					}
				}
			}
		}
	}
}

// words writes the title, the legend and the notes.
func (p *picture) words() error {
	if err := p.write(p.o.Title, margin, margin+lineHeight-4, 18, ink); err != nil {
		return err
	}
	y := p.plot.Max.Y + margin
	for _, c := range classes {
		box := image.Rect(margin, y, margin+2*swatch, y+swatch)
		draw.Draw(p.img, box, image.NewUniform(border), image.Point{}, draw.Src)
		draw.Draw(p.img, box.Inset(1), image.NewUniform(c.Colour), image.Point{}, draw.Src)
		if err := p.write(c.Label, margin+3*swatch, y+swatch-2, 14, ink); err != nil {
			return err
		}
		y += lineHeight
	}
	y += lineHeight / 2
	for _, n := range p.notes {
		if err := p.write(n, margin, y+swatch-2, 13, faint); err != nil {
			return err
		}
		y += lineHeight
	}
	return nil
}
