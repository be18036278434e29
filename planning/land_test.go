package planning_test

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// land is a terrain in memory.
type land struct {
	r   *planning.Raster
	src planning.Source
}

func (l land) Height(p geo.LonLat) (float64, bool) { return l.r.Bilinear(p) }
func (l land) Source() planning.Source             { return l.src }
func (l land) Bounds() geo.Bounds                  { return l.r.Bounds() }

func (l land) Raster(b geo.Bounds, cell float64) (*planning.Raster, error) {
	cw, ch := l.r.CellLon, l.r.CellLat
	if cell > 0 {
		cw, ch = cell, cell
	} else { // keep to the native grid
		b.West = l.r.West + math.Floor((b.West-l.r.West)/cw)*cw
		b.North = l.r.North - math.Floor((l.r.North-b.North)/ch)*ch
	}
	out := planning.NewRaster(b, cw, ch)
	for row := range out.Rows {
		for col := range out.Cols {
			if h, ok := l.r.Bilinear(out.LonLat(col, row)); ok {
				out.V[row*out.Cols+col] = float32(h)
			}
		}
	}
	return out, nil
}

// shape is 3-arc-second ground around 44.5 N 8.1 E made by a function.
func shape(h func(p geo.LonLat) float64) land {
	r := planning.NewRaster(geo.Bounds{West: 7.9, South: 44.3, East: 8.3, North: 44.7}, 1.0/1200, 1.0/1200)
	for row := range r.Rows {
		for col := range r.Cols {
			r.V[row*r.Cols+col] = float32(h(r.LonLat(col, row)))
		}
	}
	return land{r, planning.Source{Source: "test", CellM: 93, Surface: planning.BareEarth}}
}

func flat(h float64) land { return shape(func(geo.LonLat) float64 { return h }) }

// ridge is flat ground at 300 m with a wall along the meridian of lon.
func ridge(lon, top float64) land {
	return shape(func(p geo.LonLat) float64 {
		if math.Abs(p.Lon-lon) < 1.0/1200 {
			return top
		}
		return 300
	})
}

// provence is the 3-arc-second tile N43E005.
func provence(t testing.TB) land {
	t.Helper()
	b, err := os.ReadFile(testdata.Shared(t, "data/dem/provence_analog_srtm3/N43E005.hgt"))
	if err != nil {
		t.Fatal(err)
	}
	r := planning.NewRaster(geo.Bounds{West: 5, South: 43, East: 6, North: 44}, 1.0/1200, 1.0/1200)
	if len(b) != 2*len(r.V) {
		t.Fatalf("%d bytes for %d × %d cells", len(b), r.Cols, r.Rows)
	}
	for i := range r.V {
		if v := int16(binary.BigEndian.Uint16(b[2*i:])); v != -32768 {
			r.V[i] = float32(v)
		}
	}
	return land{r, planning.Source{Source: "N43E005", CellM: 93, Surface: planning.BareEarth}}
}

func place(lat, lon float64, h float64) planning.End {
	return planning.End{At: geo.LonLat{Lon: lon, Lat: lat}, Height: unit.Metres(h)}
}
