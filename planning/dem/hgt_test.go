package dem

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

func TestHGTIsPointRegistered(t *testing.T) {
	for name, sw := range map[string]geo.LonLat{
		"N44E007.hgt": {Lon: 7, Lat: 44}, "s34w071.HGT": {Lon: -71, Lat: -34}, "N00E000.hgt": {}, "N44E007.SRTMGL1.hgt": {Lon: 7, Lat: 44},
	} {
		m, err := openBytes(name, hgtBytes(61, func(col, row int) int16 { return int16(100*row + col) }))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := m.Bounds(), (geo.Bounds{West: sw.Lon, South: sw.Lat, East: sw.Lon + 1, North: sw.Lat + 1}); got != want {
			t.Errorf("%s: bounds %+v", name, got)
		}
		for _, c := range []struct{ dLon, dLat, want float64 }{
			{0, 1, 0}, {1, 1, 60}, {0, 0, 6000}, {1, 0, 6060}, {0.25, 0.75, 1515}, {0.125, 1, 7.5}, {0.5, 0.125, 5280}, {0.375, 0.375, 3772.5},
		} {
			if h := heightAt(t, m, sw.Lon+c.dLon, sw.Lat+c.dLat); math.Abs(h-c.want) > 1e-6 {
				t.Errorf("%s: %+v is %v m", name, c, h)
			}
		}
		for _, p := range []geo.LonLat{{Lon: sw.Lon - 1e-6, Lat: sw.Lat}, {Lon: sw.Lon, Lat: sw.Lat + 1.00001}, {Lon: math.NaN(), Lat: sw.Lat}} {
			if h, ok := m.Height(p); ok {
				t.Errorf("%s: %v is outside and %v m high", name, p, h)
			}
		}
	}
}

// A void among the four neighbours is not known, and never 0 m; beside it, on a
// grid line, it has no weight.
func TestHGTVoids(t *testing.T) {
	m, err := openBytes("N44E007.hgt", hgtBytes(61, func(col, row int) int16 {
		if col > 15 && col < 45 && row > 15 && row < 45 {
			return void16
		}
		return 700
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lon, lat float64
		ok       bool
	}{
		{7.5, 44.5, false}, {7.4, 44.4, false}, {7.6, 44.6, false}, {7.45, 44.5, false}, {7.26, 44.4, false}, {7.25, 44.4, true}, {7.2, 44.4, true}, {7.75, 44.5, true},
	} {
		if h, ok := m.Height(geo.LonLat{Lon: c.lon, Lat: c.lat}); ok != c.ok || ok && math.Abs(h-700) > 1e-9 || !ok && h != 0 {
			t.Errorf("%v,%v: %v %v", c.lat, c.lon, h, ok)
		}
	}
}

func TestHGTRefusals(t *testing.T) {
	good := hgtBytes(61, func(int, int) int16 { return 1 })
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"N44E007.hgt", good[:48], "48 bytes are not a whole tile (61 × 61 heights have 7442 bytes): it looks truncated or still packed, download it again"},
		{"N44E007.hgt", good[:len(good)-1], "7441 bytes are not a whole tile"},
		{"N44E007.hgt", nil, "0 bytes are not a whole tile"},
		{"N44E007.hgt", good[:2], "2 bytes are not a whole tile"},
		{"N44E007.hgt", good[:8], "8 bytes are not a whole tile"},
		{"N44E007.hgt", good[:512], "512 bytes are not a whole tile"}, // 16 × 16, and 15 parts of a degree are whole minutes
		{"N43E005.hgt", make([]byte, 2<<20), "2097152 bytes are not a whole tile (901 × 901 heights have 1623602 bytes, 1201 × 1201 heights have 2884802 bytes)"},
		{"mountains.hgt", good, "as in N44E007.hgt: rename it"},
		{"N95E007.hgt", good, "not on Earth"},
		{"N44E200.hgt", good, "not on Earth"},
		{"N44E0077.hgt", good, "rename it"},
		{"a.dat", good, "neither an SRTM tile (.hgt) nor a GeoTIFF (.tif)"},
	} {
		_, err := openBytes(c.name, c.b)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "read terrain "+c.name) || fault.Of(err) != fault.Invalid {
			t.Errorf("%s of %d bytes: %v\nwant %q", c.name, len(c.b), err, c.want)
		}
	}
}

// A square is a tile only when its spacing is a sensible one.
func TestHGTSizes(t *testing.T) {
	for _, n := range []uint64{61, 121, 241, 301, 401, 601, 901, 1201, 1801, 3601, 7201, 10801} {
		if got, err := sizeHGT(int64(2 * n * n)); got != n || err != nil {
			t.Errorf("%d: %d %v", n, got, err)
		}
		for _, off := range []int64{-2, -1, 1, 2} {
			if got, err := sizeHGT(int64(2*n*n) + off); err == nil {
				t.Errorf("%d%+d bytes are read as %d", 2*n*n, off, got)
			}
		}
	}
	for _, n := range []uint64{0, 1, 2, 3, 16, 31, 60, 62, 64, 128, 256, 512, 1000, 1024, 1200, 1202, 2048, 3600, 4096, 1 << 30} {
		_, err := sizeHGT(int64(2 * n * n))
		if err == nil || !strings.Contains(err.Error(), "looks truncated") {
			t.Errorf("%d: %v", n, err)
		}
	}
	if _, err := sizeHGT(math.MaxInt64); err == nil {
		t.Error("the largest file is a tile")
	}
}

func TestMaxCells(t *testing.T) {
	c := Default()
	c.MaxCells = 6000
	tile := &fstest.MapFile{Data: hgtBytes(61, func(int, int) int16 { return 1 })}
	if _, err := c.OpenFS(fstest.MapFS{"N44E007.hgt": tile}); err != nil {
		t.Error(err)
	}
	_, err := c.OpenFS(fstest.MapFS{"N44E007.hgt": tile, "N44E008.hgt": tile})
	if err == nil || !strings.Contains(err.Error(), "N44E008.hgt: 61 × 61 cells are more than the 2279 that fit") {
		t.Error(err)
	}
}

// The two real tiles with voids.
func TestHGTReal(t *testing.T) {
	for _, c := range []struct {
		file            string
		voids           int
		lowest, highest int16
	}{
		{"data/dem/ligurian_alps_srtm3/N43E007.hgt", 1595, -50, 2064},
		{"data/dem/andorra_srtm3/N42E001.hgt", 7652, 0, 3400},
		{"data/dem/provence_analog_srtm3/N43E005.hgt", 0, -10, 1253},
	} {
		m, err := Open(testdata.Shared(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		voids, low, high := 0, int16(9000), int16(-500)
		for _, v := range m.sheets[0].tiles[0].i16 {
			if v == void16 {
				voids++
				continue
			}
			low, high = min(low, v), max(high, v)
		}
		t.Logf("%s: %d voids, %d..%d m", c.file, voids, low, high)
		if voids != c.voids || low < c.lowest || high > c.highest {
			t.Errorf("%s: %d voids, %d..%d m", c.file, voids, low, high)
		}
	}
}

func FuzzHGT(f *testing.F) {
	f.Add("N44E007.hgt", hgtBytes(61, func(col, row int) int16 { return int16(col * row) }))
	f.Add("S01W180.hgt", hgtBytes(61, func(int, int) int16 { return void16 }))
	f.Add("N90E179.hgt", []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		g, err := readHGT(input{strings.NewReader(string(b)), int64(len(b))}, name, 1<<16)
		if err != nil {
			return
		}
		m := Config{}.mosaic([]*grid{g})
		box := m.Bounds()
		if !(geo.LonLat{Lon: box.West, Lat: box.South}).Valid() || !(geo.LonLat{Lon: box.East, Lat: box.North}).Valid() {
			t.Fatalf("%+v is not on Earth", box)
		}
		for i, v := range g.i16 {
			p := geo.LonLat{Lon: g.x0 + float64(i%g.cols)*g.dx, Lat: g.y0 - float64(i/g.cols)*g.dy}
			if h, ok := m.Height(p); ok != (v != void16) || ok && math.Abs(h-float64(v)) > 1e-3 {
				t.Fatalf("cell %d at %v: %v %v, want %v", i, p, h, ok, v)
			}
		}
	})
}
