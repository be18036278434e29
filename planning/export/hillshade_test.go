package export_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
	"github.com/crinale/crinale/planning/export"
)

// land is made ground: hills by a formula, known within a box.
type land struct {
	box  geo.Bounds
	cell float64
}

func (l land) Height(p geo.LonLat) (float64, bool) {
	if !l.box.Contains(p) {
		return 0, false
	}
	return 500 + 300*math.Sin(p.Lon*60)*math.Cos(p.Lat*60), true
}
func (l land) Source() planning.Source {
	return planning.Source{Source: "hills", CellM: l.cell, Surface: planning.BareEarth, Coarse: l.cell > 100}
}
func (l land) Bounds() geo.Bounds { return l.box }
func (l land) Raster(b geo.Bounds, cellDeg float64) (*planning.Raster, error) {
	r := planning.NewRaster(b, cellDeg, cellDeg)
	for i := range r.V {
		if h, ok := l.Height(r.LonLat(i%r.Cols, i/r.Cols)); ok {
			r.V[i] = float32(h)
		}
	}
	return r, nil
}

var made = land{geo.Bounds{West: 7.9, South: 44.3, East: 8.3, North: 44.8}, 30}

func tileImage(t testing.TB, ter planning.Terrain, z, x, y int) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := export.HillshadeTile(&b, ter, z, x, y); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, geo.TileSide, geo.TileSide) {
		t.Fatalf("bounds %v", img.Bounds())
	}
	return img
}

func TestHillshadeIsTransparentOutside(t *testing.T) {
	for _, z := range []int{3, 9, 12} {
		tile := geo.TileAt(geo.LonLat{Lon: 7.9, Lat: 44.5}, z)
		img := tileImage(t, made, z, tile.X, tile.Y)
		inside, outside := 0, 0
		for py := range geo.TileSide {
			for px := range geo.TileSide {
				p := tile.LonLat(float64(px)+0.5, float64(py)+0.5)
				_, _, _, a := img.At(px, py).RGBA()
				// Half a node's width may fall either way.
				rim := math.Min(math.Min(math.Abs(p.Lon-7.9), math.Abs(p.Lon-8.3)), math.Min(math.Abs(p.Lat-44.3), math.Abs(p.Lat-44.8)))
				if rim < 0.002 {
					continue
				}
				if (a != 0) != made.box.Contains(p) {
					t.Fatalf("z %d: pixel %d,%d at %v has alpha %d", z, px, py, p, a)
				}
				if a != 0 {
					inside++
				} else {
					outside++
				}
			}
		}
		if outside == 0 || z > 3 && inside == 0 {
			t.Errorf("z %d: %d in, %d out", z, inside, outside)
		}
	}
	empty := tileImage(t, made, 10, 0, 0)
	if _, _, _, a := empty.At(100, 100).RGBA(); a != 0 {
		t.Error("a tile far away must be transparent")
	}
}

// Two tiles drawn one by one must look like one picture: across the seam
// neighbouring pixels differ no more than within.
func TestHillshadeTilesJoin(t *testing.T) {
	for _, cell := range []float64{30, 926} {
		l := made
		l.cell = cell
		tile := geo.TileAt(geo.LonLat{Lon: 8.1, Lat: 44.5}, 12)
		a := tileImage(t, l, 12, tile.X, tile.Y)
		b := tileImage(t, l, 12, tile.X+1, tile.Y)
		worst, within := 0, 0
		for y := range geo.TileSide {
			worst = max(worst, differ(a, geo.TileSide-1, y, b, 0, y))
			within = max(within, differ(a, geo.TileSide-2, y, a, geo.TileSide-1, y), differ(b, 0, y, b, 1, y))
		}
		if worst > within+2 {
			t.Errorf("cell %v m: %d across the seam, %d within", cell, worst, within)
		}
	}
}

func differ(a image.Image, ax, ay int, b image.Image, bx, by int) int {
	r1, g1, b1, _ := a.At(ax, ay).RGBA()
	r2, g2, b2, _ := b.At(bx, by).RGBA()
	d := 0
	for _, p := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}} {
		d = max(d, int(math.Abs(float64(p[0])-float64(p[1])))>>8)
	}
	return d
}

// Light comes from the north-west: a slope that faces it is brighter than one
// that turns away.
func TestHillshadeLight(t *testing.T) {
	tile := geo.TileAt(geo.LonLat{Lon: 8.1, Lat: 44.5}, 12)
	bright := func(slope float64) float64 {
		img := tileImage(t, ramp{made, slope, tile.LonLat(128.5, 128.5)}, 12, tile.X, tile.Y)
		r, g, b, _ := img.At(128, 128).RGBA()
		return float64(r + g + b)
	}
	// Rising to the south-east is facing the north-west.
	if facing, flat, away := bright(3000), bright(0), bright(-3000); !(facing > flat && flat > away) {
		t.Errorf("facing %v, flat %v, away %v", facing, flat, away)
	}
}

// ramp is an even slope of so many metres a degree toward the south-east.
type ramp struct {
	land
	slope float64
	at    geo.LonLat // 523 m high, off the contour lines
}

func (r ramp) Height(p geo.LonLat) (float64, bool) {
	return 523 + r.slope*(p.Lon-r.at.Lon-(p.Lat-r.at.Lat)), r.box.Contains(p)
}

func TestHillshadeOfNoTile(t *testing.T) {
	for _, c := range [][3]int{{-1, 0, 0}, {2, 4, 0}, {2, 0, -1}, {99, 0, 0}} {
		err := export.HillshadeTile(&bytes.Buffer{}, made, c[0], c[1], c[2])
		if fault.Of(err) != fault.NotFound {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func BenchmarkHillshadeTile(b *testing.B) {
	for _, c := range []struct {
		name, file string
		at         geo.LonLat
	}{
		{"30s", "data/dem/alta_langa_30s/alta_langa_30s.tif", geo.LonLat{Lon: 8.1, Lat: 44.5}},
		{"3s", "data/dem/provence_analog_srtm3/N43E005.hgt", geo.LonLat{Lon: 5.6, Lat: 43.5}},
		{"utm-30m", "data/dem/fine/bigtujunga_30m_epsg32611.tif", geo.LonLat{Lon: -118.15, Lat: 34.32}},
	} {
		m, err := dem.Open(testdata.Shared(b, c.file))
		if err != nil {
			b.Fatal(err)
		}
		for _, z := range []int{10, 13} {
			tile := geo.TileAt(c.at, z)
			b.Run(c.name+"/z"+string(rune('0'+z/10))+string(rune('0'+z%10)), func(b *testing.B) {
				var buf bytes.Buffer
				for b.Loop() {
					buf.Reset()
					if err := export.HillshadeTile(&buf, m, z, tile.X, tile.Y); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(buf.Len()), "B/tile")
			})
		}
	}
}
