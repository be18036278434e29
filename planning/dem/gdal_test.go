package dem

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
)

// GDAL writes the same window in every encoding said to be read; all must give
// the same heights. -co names its creation options.
func TestEncodingsOfGDAL(t *testing.T) {
	gdal, err := exec.LookPath("gdal_translate")
	if err != nil {
		if testdata.Real() {
			t.Fatal("gdal_translate is missing and CRINALE_REAL=all: install gdal-bin")
		}
		t.Skip("SKIPPED, NOT TESTED: gdal_translate is not installed (Debian gdal-bin)")
	}
	tile := testdata.Shared(t, "data/dem/provence_analog_srtm3/N43E005.hgt")
	want, err := Open(tile)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	type encoding struct {
		kind string
		co   []string
	}
	var all []encoding
	for _, kind := range []string{"Int16", "Float32", "Float64"} {
		all = append(all, encoding{kind, []string{"COMPRESS=PACKBITS"}}, encoding{kind, []string{"COMPRESS=NONE", "BLOCKYSIZE=7"}})
		for _, pack := range []string{"DEFLATE", "LZW", "ZSTD"} {
			for _, predictor := range []string{"1", "2", "3"} {
				if predictor == "3" && !strings.HasPrefix(kind, "Float") {
					continue
				}
				co := []string{"COMPRESS=" + pack, "PREDICTOR=" + predictor}
				switch len(all) % 4 {
				case 1:
					co = append(co, "TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=16")
				case 2:
					co = append(co, "BIGTIFF=YES")
				case 3:
					co = append(co, "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64")
				}
				// GDAL 3.6 writes predictor 3 in big-endian files so that it
				// cannot read them itself.
				if predictor != "3" && len(all)%2 == 0 {
					co = append(co, "ENDIANNESS=BIG")
				}
				all = append(all, encoding{kind, co})
			}
		}
	}
	for _, kind := range []string{"Int32", "UInt16", "UInt32"} {
		all = append(all, encoding{kind, []string{"COMPRESS=DEFLATE", "PREDICTOR=2", "ENDIANNESS=BIG"}}, encoding{kind, []string{"COMPRESS=LZW"}})
	}
	for i, e := range all {
		name := filepath.Join(dir, fmt.Sprintf("%d.tif", i))
		args := []string{"-q", "-ot", e.kind, "-srcwin", "500", "300", "75", "50"}
		for _, c := range e.co {
			args = append(args, "-co", c)
		}
		if out, err := exec.Command(gdal, append(args, tile, name)...).CombinedOutput(); err != nil {
			t.Errorf("gdal_translate %v: %v: %s", args, err, out)
			continue
		}
		m, err := Open(name)
		if err != nil {
			t.Errorf("%s %v: %v", e.kind, e.co, err)
			continue
		}
		s := m.sheets[0]
		if s.cols != 75 || s.rows != 50 {
			t.Errorf("%s %v: %d × %d cells", e.kind, e.co, s.cols, s.rows)
		}
		for row := range s.rows {
			for col := range s.cols {
				got, ok := s.node(col, row)
				if h, known := want.sheets[0].node(500+col, 300+row); got != h || ok != known {
					t.Fatalf("%s %v: cell %d,%d: %v %v, want %v %v", e.kind, e.co, col, row, got, ok, h, known)
				}
			}
		}
		p := geo.LonLat{Lon: 5 + 530.0/1200, Lat: 44 - 320.0/1200}
		if a, b := heightAt(t, m, p.Lon, p.Lat), heightAt(t, want, p.Lon, p.Lat); math.Abs(a-b) > 1e-6 {
			t.Errorf("%s %v: %v m at %v, want %v", e.kind, e.co, a, p, b)
		}
	}
	t.Logf("%d encodings", len(all))
}
