package export

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

func TestPalettedStaysNearAndKeepsHoles(t *testing.T) {
	hills := image.NewNRGBA(image.Rect(0, 0, 256, 256))
	noise := image.NewNRGBA(image.Rect(0, 0, 256, 256))
	rnd := rand.New(rand.NewPCG(1, 1))
	for y := range 256 {
		for x := range 256 {
			if x < 10 && y < 10 {
				continue // a hole
			}
			hills.SetNRGBA(x, y, color.NRGBA{uint8(100 + x/4), uint8(120 + (x+y)/8), uint8(90 + y/8), 255})
			noise.SetNRGBA(x, y, color.NRGBA{uint8(rnd.IntN(256)), uint8(rnd.IntN(256)), uint8(rnd.IntN(256)), 255})
		}
	}
	for _, c := range []struct {
		name string
		img  *image.NRGBA
		near int
	}{{"hills", hills, 8}, {"noise", noise, 200}} {
		p := paletted(c.img)
		if len(p.Palette) > 256 {
			t.Fatalf("%s: %d colours", c.name, len(p.Palette))
		}
		for y := range 256 {
			for x := range 256 {
				a, b := c.img.NRGBAAt(x, y), p.At(x, y).(color.NRGBA)
				if a.A != b.A {
					t.Fatalf("%s: %d,%d is %v, was %v: a hole was made or filled", c.name, x, y, b, a)
				}
				for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
					if d > c.near || -d > c.near {
						t.Fatalf("%s: %d,%d is %v, was %v", c.name, x, y, b, a)
					}
				}
			}
		}
	}
}
