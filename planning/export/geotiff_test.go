package export_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
	"github.com/crinale/crinale/planning/export"
)

// heights is a raster of hills with a few voids, tall enough for many strips.
func heights() *planning.Raster {
	r := &planning.Raster{West: 7.95, North: 44.72, CellLon: 1.0 / 1200, CellLat: 1.0 / 1200, Cols: 301, Rows: 203}
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range r.Cols * r.Rows {
		v := float32(400 + 300*math.Sin(float64(i%r.Cols)/40)*math.Cos(float64(i/r.Cols)/30) + rnd.Float64())
		if rnd.IntN(500) == 0 {
			v = float32(math.NaN())
		}
		r.V = append(r.V, v)
	}
	return r
}

func TestGeoTIFFIsReadBack(t *testing.T) {
	for _, whole := range []bool{false, true} {
		var b bytes.Buffer
		r := heights()
		if err := export.GeoTIFF(&b, r, export.GeoTIFFOptions{Whole: whole, Name: "height", Unit: "m"}); err != nil {
			t.Fatal(err)
		}
		m, err := dem.OpenFS(fstest.MapFS{"h.tif": {Data: b.Bytes()}}, "h.tif")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.Bounds(), r.Bounds(); math.Abs(got.West-want.West)+math.Abs(got.South-want.South)+math.Abs(got.East-want.East)+math.Abs(got.North-want.North) > 1e-9 {
			t.Errorf("bounds %+v, want %+v", got, want)
		}
		back, err := m.Raster(r.Bounds(), 0)
		if err != nil || back.Cols != r.Cols || back.Rows != r.Rows {
			t.Fatalf("%v %+v", err, back)
		}
		for i, want := range r.V {
			if whole && want == want {
				want = float32(math.Round(float64(want)))
			}
			if got := back.V[i]; got != want && (got == got || want == want) {
				t.Fatalf("whole %v, cell %d: got %v, want %v", whole, i, got, want)
			}
		}
	}
}

// GDAL is a reader that no one here wrote.
func TestGeoTIFFIsReadByGDAL(t *testing.T) {
	info, err := exec.LookPath("gdalinfo")
	at, err2 := exec.LookPath("gdallocationinfo")
	if err != nil || err2 != nil {
		if testdata.Real() {
			t.Fatal("gdalinfo is missing and CRINALE_REAL=all: install gdal-bin")
		}
		t.Skip("SKIPPED, NOT TESTED: gdalinfo is not installed (Debian gdal-bin)")
	}
	r := heights()
	for _, whole := range []bool{false, true} {
		name := filepath.Join(t.TempDir(), "h.tif")
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		err = export.GeoTIFF(f, r, export.GeoTIFFOptions{
			Whole: whole, Name: "level", Unit: "dBm",
			Terrain: planning.Source{Source: "a <b> \"c\"", CellM: 92.7, Surface: planning.BareEarth},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(info, "-checksum", name).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		kind, predictor, void := "Float32", "3", "-9999"
		if whole {
			kind, predictor, void = "Int16", "2", "-32768"
		}
		for _, want := range []string{
			"Size is 301, 203", "Type=" + kind, "COMPRESSION=DEFLATE", "PREDICTOR=" + predictor, "NoData Value=" + void,
			"AREA_OR_POINT=Area", "ID[\"EPSG\",4326]", "Origin = (7.949583333333", "Description = level", "Unit Type: dBm",
			"TERRAIN_SOURCE=a <b> \"c\"", "TERRAIN_SURFACE=bare-earth", "TERRAIN_COARSE=false",
		} {
			if !strings.Contains(string(out), want) {
				t.Errorf("gdalinfo does not say %q:\n%s", want, out)
			}
		}
		for _, bad := range []string{"ERROR", "Warning"} {
			if strings.Contains(string(out), bad) {
				t.Errorf("gdalinfo complains:\n%s", out)
			}
		}
		var ask, want bytes.Buffer
		for i := 0; i < len(r.V); i += 997 {
			p := r.LonLat(i%r.Cols, i/r.Cols)
			fmt.Fprintf(&ask, "%.9f %.9f\n", p.Lon, p.Lat)
			v := float64(r.V[i])
			if math.IsNaN(v) {
				v = -9999
				if whole {
					v = -32768
				}
			} else if whole {
				v = math.Round(v)
			}
			fmt.Fprintf(&want, "%.3f\n", v)
		}
		cmd := exec.Command(at, "-wgs84", "-valonly", name)
		cmd.Stdin = &ask
		out, err = cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		for _, l := range strings.Fields(string(out)) {
			var v float64
			if _, err := fmt.Sscan(l, &v); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%.3f\n", v)
		}
		if got.String() != want.String() {
			t.Errorf("whole %v: GDAL reads\n%swant\n%s", whole, got.String(), want.String())
		}
	}
}

// A terrain cut in two files must be as one: also on the half cell between the
// last column of one and the first of the other, which only both know.
func TestSeamBetweenTwoGeoTIFFs(t *testing.T) {
	r := heights()
	half := func(from, to int) *fstest.MapFile {
		h := &planning.Raster{West: r.West + float64(from)*r.CellLon, North: r.North, CellLon: r.CellLon, CellLat: r.CellLat, Cols: to - from, Rows: r.Rows}
		for row := range r.Rows {
			h.V = append(h.V, r.V[row*r.Cols+from:row*r.Cols+to]...)
		}
		var b bytes.Buffer
		if err := export.GeoTIFF(&b, h, export.GeoTIFFOptions{}); err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: b.Bytes()}
	}
	m, err := dem.OpenFS(fstest.MapFS{"east.tif": half(157, 301), "west.tif": half(0, 157)})
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Bounds(); math.Abs(b.East-r.Bounds().East) > 1e-9 || math.Abs(b.West-r.Bounds().West) > 1e-9 {
		t.Errorf("bounds %+v", b)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	known := 0
	for range 20000 {
		// Three columns on either side of the cut.
		p := geo.LonLat{Lon: r.West + (153.5+6*rnd.Float64())*r.CellLon, Lat: r.North - rnd.Float64()*float64(r.Rows-1)*r.CellLat}
		got, ok := m.Height(p)
		want, wantOK := r.Bilinear(p)
		if ok != wantOK || math.Abs(got-want) > 1e-3 {
			t.Fatalf("%v: got %v %v, want %v %v", p, got, ok, want, wantOK)
		}
		if ok {
			known++
		}
	}
	if known < 19000 {
		t.Errorf("only %d known", known)
	}
	whole, err := m.Raster(r.Bounds(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range r.V {
		if g := whole.V[i]; g != v && (g == g || v == v) {
			t.Fatalf("cell %d: %v, want %v", i, g, v)
		}
	}
}

func TestGeoTIFFOfOneCell(t *testing.T) {
	var b bytes.Buffer
	r := &planning.Raster{West: 8, North: 44, CellLon: 0.1, CellLat: 0.1, Cols: 1, Rows: 1, V: []float32{1}}
	if err := export.GeoTIFF(&b, r, export.GeoTIFFOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := dem.OpenFS(fstest.MapFS{"a.tif": {Data: b.Bytes()}}); err == nil || !strings.Contains(err.Error(), "at least 2 × 2") {
		t.Error(err)
	}
	if err := export.GeoTIFF(io.Discard, &planning.Raster{Cols: 3, Rows: 3}, export.GeoTIFFOptions{}); err == nil {
		t.Error("a raster without values was written")
	}
}

func BenchmarkGeoTIFF(b *testing.B) {
	r := heights()
	b.SetBytes(int64(len(r.V) * 4))
	for b.Loop() {
		if err := export.GeoTIFF(io.Discard, r, export.GeoTIFFOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
