package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/web/browsertest"
)

func picture(name string, width int) string { return fmt.Sprintf("%s-%d.png", name, width) }

// pageHas says whether a page answers 200 and holds a text.
func pageHas(t *testing.T, url, text string) bool {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK && strings.Contains(string(b), text)
}

// TestPicturesAreThere: each page has its picture at each width in docs/, and
// each is a PNG of some size.
func TestPicturesAreThere(t *testing.T) {
	for _, p := range slices.Concat(pages, staffPages) {
		for _, w := range browsertest.Widths {
			file := filepath.Join("../../docs/pictures", picture(p.picture, w))
			b, err := os.ReadFile(file)
			if err != nil || len(b) < 5000 || !strings.HasPrefix(string(b), "\x89PNG") {
				t.Errorf("%s is no picture: run go test ./cmd/crinale -run Browser -update (%v)", file, err)
			}
		}
	}
}

// shrink writes a picture again with 256 colours, the most frequent ones, so
// that the repository stays small.
func shrink(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	src, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
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
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
