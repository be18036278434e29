package planning_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// everywhere is ground at one height.
type everywhere float64

func (e everywhere) Height(geo.LonLat) (float64, bool) { return float64(e), true }
func (e everywhere) Source() planning.Source           { return planning.Source{CellM: 90} }
func (e everywhere) Bounds() geo.Bounds {
	return geo.Bounds{West: -180, South: -90, East: 180, North: 90}
}
func (e everywhere) Raster(b geo.Bounds, _ float64) (*planning.Raster, error) {
	return planning.NewRaster(b, 0.001, 0.001), nil
}

// The points of a profile stand on the great circle at their distance, over
// both hemispheres, the antimeridian and near the poles.
func TestProfileWalksGreatCircle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := geo.LonLat{Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"), Lat: rapid.Float64Range(-89, 89).Draw(t, "lat")}
		d := rapid.Float64Range(10, 250000).Draw(t, "d")
		b := a.Toward(unit.Degrees(rapid.Float64Range(0, 360).Draw(t, "bearing")), unit.Metres(d))
		p, err := planning.NewProfile(everywhere(100), a, b)
		if err != nil {
			t.Fatal(err)
		}
		n := len(p.At) - 1
		want := a.Walk(b, n)
		for i, q := range p.At {
			if off := float64(q.Distance(want[i])); off > 0.5 {
				t.Fatalf("point %d of %d is %.2f m off", i, n, off)
			}
		}
		if p.At[0] != a || p.At[n] != b {
			t.Fatal("the ends are not the ends")
		}
	})
}

// TestProfileAtTheAntimeridian: one that begins at 180° stands there, and not at
// -180° for some of its way.
func TestProfileAtTheAntimeridian(t *testing.T) {
	for _, lon := range []float64{180, -180, 179.9999} {
		a := geo.LonLat{Lon: lon, Lat: 1}
		b := a.Toward(180.5, 10)
		p, err := planning.NewProfile(everywhere(100), a, b)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range p.At {
			if far := float64(a.Distance(q)); far > 10.01 {
				t.Errorf("from %g: point %d is %.0f m away", lon, i, far)
			}
		}
	}
}

// patched is coarse ground with a fine patch west of 8.1 E.
type patched struct{ everywhere }

func (patched) SourceAt(p geo.LonLat) (planning.Source, bool) {
	if p.Lon < 8.1 {
		return planning.Source{Source: "fine", CellM: 20}, true
	}
	return planning.Source{Source: "coarse", CellM: 900, Coarse: true}, true
}

// A path is sampled for the finest heights on it and judged by the coarsest.
func TestProfileOfJoinedTerrains(t *testing.T) {
	g := patched{100}
	at := func(lon float64) geo.LonLat { return geo.LonLat{Lon: lon, Lat: 44.5} }
	for _, c := range []struct {
		a, b   float64
		source string
		step   float64
	}{{8.0, 8.09, "fine", 10}, {8.11, 8.2, "coarse", 100}, {8.0, 8.2, "coarse", 10}} {
		p, err := planning.NewProfile(g, at(c.a), at(c.b))
		if err != nil {
			t.Fatal(err)
		}
		if p.Source.Source != c.source || p.D[1] > c.step {
			t.Errorf("%v to %v: %+v, step %.0f m, want %s and %.0f m", c.a, c.b, p.Source, p.D[1], c.source, c.step)
		}
	}
}
