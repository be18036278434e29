package carpool

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Picture of a paper. It is kept until the decision and not a moment longer.
type Picture struct {
	ID    string      `json:"id"`
	Kind  PictureKind `json:"kind"`
	Media string      `json:"media"` // "image/jpeg" of those kept
	Data  []byte      `json:"-"`
}

// PictureKind is the paper that a picture shows.
type PictureKind string

const (
	PictureLicence    PictureKind = "licence"
	PictureInsurance  PictureKind = "insurance"
	PictureRoadworthy PictureKind = "roadworthy"
)

var pictureKinds = []PictureKind{PictureLicence, PictureInsurance, PictureRoadworthy}

// Bounds of what is taken in.
const (
	MaxPicture  = 8 << 20 // bytes of one picture
	MaxPictures = 6       // of one check
	maxSide     = 1800    // points of the longer side as kept: print can be read
)

// Points of a picture that is taken in, so that none takes more than about 80
// MB while it is drawn: phones give 12 million, in the plain form of JPEG. The
// progressive form takes 15 bytes a point, a PNG up to 8.
const (
	maxPlain       = 20e6
	maxProgressive = 5e6
	maxPNG         = 8e6
)

// decoding lets one picture at a time take memory.
var decoding = make(chan struct{}, 1)

// cleanPicture is a picture drawn anew: what a camera writes into it besides,
// such as where it was taken, is gone, and so is all that was hidden in it.
func cleanPicture(ctx context.Context, p Picture) (Picture, error) {
	bad := func(what string) (Picture, error) {
		return Picture{}, fault.New(fault.Invalid, "picture of the %s: %s", p.Kind, what)
	}
	if !slices.Contains(pictureKinds, p.Kind) {
		return Picture{}, fault.New(fault.Invalid, "picture: say whether it shows the licence, the insurance or the roadworthiness")
	}
	if len(p.Data) == 0 || len(p.Data) > MaxPicture {
		return bad(fmt.Sprintf("at most %d MB; take it again with less detail", MaxPicture>>20))
	}
	config, decode, most := png.DecodeConfig, png.Decode, maxPNG
	switch {
	case bytes.HasPrefix(p.Data, []byte("\x89PNG\r\n\x1a\n")):
	case bytes.HasPrefix(p.Data, []byte("\xff\xd8\xff")):
		config, decode, most = jpeg.DecodeConfig, jpeg.Decode, maxPlain
		if bytes.Contains(p.Data, []byte{0xff, 0xc2, 0}) { // such a frame begins somewhere
			most = maxProgressive
		}
	default:
		return bad("a photograph as JPEG or PNG; this is something else")
	}
	c, err := config(bytes.NewReader(p.Data))
	if err != nil {
		return bad("it cannot be read; take it again")
	}
	if c.Width < 1 || c.Height < 1 || float64(c.Width)*float64(c.Height) > most {
		return bad(fmt.Sprintf("at most %.0f million points; take it again with less detail", most/1e6))
	}
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return Picture{}, fmt.Errorf("wait to read a picture: %w", context.Cause(ctx))
	}
	img, err := decode(bytes.NewReader(p.Data))
	if err != nil {
		return bad("it cannot be read; take it again")
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turned(shrunk(img, maxSide), orientation(p.Data)), &jpeg.Options{Quality: 82}); err != nil {
		return bad("it cannot be read; take it again")
	}
	return Picture{ID: newID("i"), Kind: p.Kind, Media: "image/jpeg", Data: out.Bytes()}, nil
}

// shrunk is a picture with its longer side at most so many points: each is the
// mean of those it stands for, on white where it was clear.
func shrunk(img image.Image, side int) *image.RGBA {
	b := img.Bounds()
	scale := math.Max(1, float64(max(b.Dx(), b.Dy()))/float64(side))
	w, h := max(1, int(float64(b.Dx())/scale)), max(1, int(float64(b.Dy())/scale))
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		y0, y1 := b.Min.Y+y*b.Dy()/h, b.Min.Y+max((y+1)*b.Dy()/h, y*b.Dy()/h+1)
		for x := range w {
			x0, x1 := b.Min.X+x*b.Dx()/w, b.Min.X+max((x+1)*b.Dx()/w, x*b.Dx()/w+1)
			out.SetRGBA(x, y, mean(img, x0, y0, x1, y1))
		}
	}
	return out
}

func mean(img image.Image, x0, y0, x1, y1 int) color.RGBA {
	var r, g, b, n uint64
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			pr, pg, pb, pa := img.At(x, y).RGBA()
			white := uint64(0xffff - pa)
			r, g, b, n = r+uint64(pr)+white, g+uint64(pg)+white, b+uint64(pb)+white, n+1
		}
	}
	return color.RGBA{uint8(r / n >> 8), uint8(g / n >> 8), uint8(b / n >> 8), 255}
}

// putPicture keeps one for a check.
func putPicture(ctx context.Context, tx *store.Tx, check string, p Picture) error {
	_, err := tx.Exec(ctx, `INSERT INTO carpool_pictures (id, check_id, kind, media, data, at_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, check, string(p.Kind), p.Media, p.Data, store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("write a picture of check %s: %w", check, err)
	}
	return nil
}

// pictureNames are the pictures of a check, without what they show.
func pictureNames(ctx context.Context, tx *store.Tx, check string) ([]Picture, error) {
	rows, err := tx.Query(ctx, `SELECT id, kind, media FROM carpool_pictures WHERE check_id = $1 ORDER BY at_ms, id`, check)
	if err != nil {
		return nil, fmt.Errorf("read pictures of check %s: %w", check, err)
	}
	return all(rows, func(r scanner) (Picture, error) {
		var p Picture
		err := r.Scan(&p.ID, &p.Kind, &p.Media)
		return p, err
	})
}
