package export

import (
	"image"
	"image/color"
	"slices"
)

// paletted is a picture in at most 256 colours, the most frequent ones in
// steps of 8 in each channel: a third of the bytes of the full one, and for
// hills no difference that an eye would find. What is transparent stays so.
func paletted(img *image.NRGBA) *image.Paletted {
	type bin struct {
		key     uint16
		n       int
		r, g, b int // sums
	}
	var (
		bins  []bin
		at    [1 << 15]int32 // of a key in bins, from 1; 0: not seen
		clear = false
	)
	key := func(p []byte) uint16 { return uint16(p[0]>>3)<<10 | uint16(p[1]>>3)<<5 | uint16(p[2]>>3) }
	for i := 0; i < len(img.Pix); i += 4 {
		p := img.Pix[i : i+4 : i+4]
		if p[3] == 0 {
			clear = true
			continue
		}
		k := key(p)
		if at[k] == 0 {
			bins = append(bins, bin{key: k})
			at[k] = int32(len(bins))
		}
		b := &bins[at[k]-1]
		b.n, b.r, b.g, b.b = b.n+1, b.r+int(p[0]), b.g+int(p[1]), b.b+int(p[2])
	}
	slices.SortFunc(bins, func(a, b bin) int {
		if a.n != b.n {
			return b.n - a.n
		}
		return int(a.key) - int(b.key)
	})
	var colours color.Palette
	if clear {
		colours = append(colours, color.NRGBA{})
	}
	first := len(colours)
	for _, b := range bins[:min(len(bins), 256-first)] {
		colours = append(colours, color.NRGBA{uint8(b.r / b.n), uint8(b.g / b.n), uint8(b.b / b.n), 255})
	}
	var index [1 << 15]uint8
	for i, b := range bins {
		if first+i < len(colours) {
			index[b.key] = uint8(first + i)
		} else {
			index[b.key] = uint8(first + colours[first:].Index(color.NRGBA{uint8(b.r / b.n), uint8(b.g / b.n), uint8(b.b / b.n), 255}))
		}
	}
	out := image.NewPaletted(img.Rect, colours)
	for i := range out.Pix {
		if p := img.Pix[4*i : 4*i+4 : 4*i+4]; p[3] != 0 {
			out.Pix[i] = index[key(p)]
		}
	}
	return out
}
