package dem

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/planning"
)

// The heights that GDAL and PROJ find in the same files.
func TestVarietyEqualsGDAL(t *testing.T) {
	dir := testdata.Shared(t, "data/dem/geotiff_variety")
	refused := map[string]string{
		"e_epsg3003_float32_strip_packbits.tif": "EPSG:3003 (Monte Mario / Italy zone 1) is not read: convert it with gdalwarp",
	}
	open := map[string]*Mosaic{}
	worst, seen := map[string]float64{}, map[string]int{}
	for i, row := range samples(t, filepath.Join(dir, "expected_samples.csv")) {
		name := row[0]
		m := open[name]
		if m == nil {
			var err error
			m, err = Open(filepath.Join(dir, name))
			if why := refused[name]; why != "" {
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Fatalf("%s: want a refusal with %q, got %v", name, why, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			open[name] = m
		}
		lat, lon, want := number(t, row[1]), number(t, row[2]), number(t, row[6])
		got, ok := m.Height(geo.LonLat{Lon: lon, Lat: lat})
		if d := math.Abs(got - want); !ok || d > 0.05 {
			t.Errorf("row %d of %s: %v,%v: got %v %v, want %v", i+2, name, lat, lon, got, ok, want)
		} else {
			worst[name] = math.Max(worst[name], d)
		}
		seen[name]++
		// From the pixel itself, without the rounding of degrees.
		s := m.sheets[0]
		got, ok = s.at(number(t, row[3])-0.5, number(t, row[4])-0.5)
		if math.Abs(got-want) > 0.005 || !ok {
			t.Errorf("row %d of %s: pixel %s,%s: got %v %v, want %v", i+2, name, row[3], row[4], got, ok, want)
		}
	}
	for _, letter := range "abcdfghij" {
		for name, n := range seen {
			if strings.HasPrefix(name, string(letter)+"_") && n == 40 {
				t.Logf("%s: %d samples, worst %.4f m", name, n, worst[name])
				delete(seen, name)
			}
		}
	}
	if len(seen) != 0 || len(worst) != 9 {
		t.Errorf("left over %v, read %v", seen, worst)
	}
}

func samples(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return rows[1:]
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Values of gdallocationinfo -wgs84 -valonly: those of the nearest cells. -9999
// is a void.
func TestThirdPartyFiles(t *testing.T) {
	for _, c := range []struct {
		file string
		cell float64
		at   map[geo.LonLat]float64
	}{
		{"data/dem/fine/bigtujunga_30m_epsg32611.tif", 30, map[geo.LonLat]float64{
			{Lon: -118.149238, Lat: 34.320333}: 1265, {Lon: -118.3, Lat: 34.3}: 1124, {Lon: -118.0, Lat: 34.35}: 1812}},
		{"data/dem/geotiff_variety/N43E006_3857_thirdparty.tiff", 92.8, map[geo.LonLat]float64{
			{Lon: 6.5, Lat: 43.5}: 157, {Lon: 6.2, Lat: 43.8}: 694, {Lon: 6.9, Lat: 43.95}: 439}},
		{"data/dem/umbria_hills_20m/umbria_20m_epsg32633.tif", 20, map[geo.LonLat]float64{
			{Lon: 12.19, Lat: 43.23}: 325, {Lon: 12.15, Lat: 43.25}: -9999, {Lon: 12.20, Lat: 43.20}: 439}},
	} {
		m, err := Open(testdata.Shared(t, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if s := m.Source(); math.Abs(s.CellM-c.cell) > 0.3 || s.Coarse || s.Surface != planning.UnknownSurface || s.Source != filepath.Base(c.file) {
			t.Errorf("%s: source %+v", c.file, s)
		}
		s := m.sheets[0]
		for p, want := range c.at {
			x, y := s.proj.forward(p)
			h, ok := s.node(int(math.Round((x-s.x0)/s.dx)), int(math.Round((s.y0-y)/s.dy)))
			if !ok {
				h = -9999
			}
			if h != want {
				t.Errorf("%s: %v is %v m, want %v", c.file, p, h, want)
			}
		}
	}
}

func TestAltaLanga(t *testing.T) {
	m, err := Open(testdata.Shared(t, "data/dem/alta_langa_30s/alta_langa_30s.tif"))
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Source(); !s.Coarse || math.Abs(s.CellM-926.6) > 0.1 {
		t.Errorf("source %+v", s)
	}
	b := m.Bounds()
	const half = 1.0 / 240
	for _, d := range []float64{b.West - 7.5 - half, b.East - 8.75 + half, b.South - 44 - half, b.North - 45 + half} {
		if math.Abs(d) > 1e-9 {
			t.Errorf("bounds %+v", b)
		}
	}
	// The sea is void, not 0 m.
	if h, ok := m.Height(geo.LonLat{Lon: 8.7, Lat: 44.05}); ok {
		t.Errorf("the sea is %v m high", h)
	}
	// The 16 highest cells of the union, at their centres.
	for i, row := range samples(t, testdata.Shared(t, "data/dem/alta_langa_30s/summits_30s.csv")) {
		p := geo.LonLat{Lat: number(t, row[1]), Lon: number(t, row[2])}
		col, r := math.Round((p.Lon-b.West)*120), math.Round((b.North-p.Lat)*120)
		p = geo.LonLat{Lon: b.West + col/120, Lat: b.North - r/120}
		if h, ok := m.Height(p); !ok || math.Abs(h-number(t, row[0])) > 0.01 {
			t.Errorf("row %d: %v is %v %v, want %v", i+2, p, h, ok, row[0])
		}
	}
}

func TestMissing(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "nothing.tif"))
	if fault.Of(err) != fault.NotFound || !strings.Contains(err.Error(), "nothing.tif: no such file") {
		t.Error(err)
	}
	_, err = Open(t.TempDir())
	if fault.Of(err) != fault.NotFound || !strings.Contains(err.Error(), "holds no .hgt") {
		t.Error(err)
	}
	if _, err = Open(); fault.Of(err) != fault.Invalid {
		t.Error(err)
	}
}
