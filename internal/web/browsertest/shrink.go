package browsertest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// shrink writes a picture again with 256 colours, the most frequent ones, so
// that those in the repository stay small.
func shrink(picture []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("shrink a picture: %w", err)
	}
	bin := func(c color.Color) uint16 {
		r, g, b, _ := c.RGBA()
		return uint16(r>>11)<<10 | uint16(g>>11)<<5 | uint16(b>>11)
	}
	count, sample := map[uint16]int{}, map[uint16]color.Color{}
	box := src.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := src.At(x, y)
			count[bin(c)]++
			sample[bin(c)] = c
		}
	}
	bins := make([]uint16, 0, len(count))
	for k := range count {
		bins = append(bins, k)
	}
	slices.SortFunc(bins, func(a, b uint16) int { return count[b] - count[a] })
	var palette color.Palette
	for _, k := range bins[:min(256, len(bins))] {
		palette = append(palette, sample[k])
	}
	index := map[uint16]uint8{}
	for k := range count {
		index[k] = uint8(palette.Index(sample[k]))
	}
	dst := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			dst.SetColorIndex(x, y, index[bin(src.At(x, y))])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, dst); err != nil {
		return nil, fmt.Errorf("shrink a picture: %w", err)
	}
	return out.Bytes(), nil
}
