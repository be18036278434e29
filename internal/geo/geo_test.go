package geo

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/unit"
)

var (
	south = LonLat{Lon: 8.1137, Lat: 44.4656}
	north = LonLat{Lon: 8.1920, Lat: 44.5780}
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %v, want %v ± %v", what, got, want, tol)
	}
}

func TestDistanceAndBearingOfTheBlockedPair(t *testing.T) {
	near(t, "distance", float64(south.Distance(north)), 13960, 13960*0.003)
	near(t, "bearing", float64(south.Bearing(north)), 26.4, 0.1)
	near(t, "clear pair", float64(LonLat{8.0458, 44.5208}.Distance(LonLat{8.0958, 44.6042})), 10080, 10080*0.003)
}

func TestDistanceKnown(t *testing.T) {
	quarter := math.Pi / 2 * Radius
	for _, c := range []struct {
		p, q LonLat
		want float64
	}{
		{LonLat{0, 0}, LonLat{90, 0}, quarter},
		{LonLat{12, 90}, LonLat{-77, 0}, quarter},
		{LonLat{0, 0}, LonLat{180, 0}, 2 * quarter},
		{LonLat{179.5, 0}, LonLat{-179.5, 0}, quarter / 90},
		{south, south, 0},
	} {
		near(t, fmt.Sprint(c.p, c.q), float64(c.p.Distance(c.q)), c.want, 1e-6)
	}
}

func TestBearingKnown(t *testing.T) {
	for _, c := range []struct {
		p, q LonLat
		want float64
	}{
		{LonLat{8, 44}, LonLat{8, 45}, 0}, {LonLat{8, 45}, LonLat{8, 44}, 180},
		{LonLat{8, 0}, LonLat{9, 0}, 90}, {LonLat{9, 0}, LonLat{8, 0}, 270}, {south, south, 0},
	} {
		near(t, fmt.Sprint(c.p, c.q), float64(c.p.Bearing(c.q)), c.want, 1e-9)
	}
}

func points(t *rapid.T, name string) LonLat {
	return LonLat{rapid.Float64Range(-180, 180).Draw(t, name+" lon"), rapid.Float64Range(-89, 89).Draw(t, name+" lat")}
}

func TestTowardGoesThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := points(t, "p")
		b := unit.Degrees(rapid.Float64Range(0, 359.99).Draw(t, "bearing"))
		d := unit.Metres(rapid.Float64Range(1, 100e3).Draw(t, "distance"))
		q := p.Toward(b, d)
		if !q.Valid() {
			t.Fatalf("%v is not a position", q)
		}
		if e := math.Abs(float64(p.Distance(q) - d)); e > 1e-3 {
			t.Fatalf("distance is %v off", e)
		}
		if e := float64((p.Bearing(q) - b + 180).Bearing() - 180); math.Abs(e) > 1e-3 {
			t.Fatalf("bearing is %v off", e)
		}
	})
}

func TestWalkIsEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := points(t, "p")
		q := p.Toward(unit.Degrees(rapid.Float64Range(0, 360).Draw(t, "b")), unit.Metres(rapid.Float64Range(0, 200e3).Draw(t, "d")))
		n := rapid.IntRange(1, 50).Draw(t, "n")
		pts := p.Walk(q, n)
		if len(pts) != n+1 || pts[0] != p || pts[n] != q {
			t.Fatalf("%d points from %v to %v", len(pts), pts[0], pts[n])
		}
		step := float64(p.Distance(q)) / float64(n)
		for i := 1; i <= n; i++ {
			if e := math.Abs(float64(pts[i-1].Distance(pts[i])) - step); e > 0.01 {
				t.Fatalf("step %d is %v m off", i, e)
			}
		}
	})
}

func TestAroundHoldsTheDisc(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := LonLat{rapid.Float64Range(-170, 170).Draw(t, "lon"), rapid.Float64Range(-80, 80).Draw(t, "lat")}
		r := unit.Metres(rapid.Float64Range(1, 50e3).Draw(t, "r"))
		b := Around(p, r)
		q := p.Toward(unit.Degrees(rapid.Float64Range(0, 360).Draw(t, "b")), r*0.999999)
		if !b.Contains(q) {
			t.Fatalf("%v at %v m of %v is outside %+v", q, r, p, b)
		}
	})
}

func TestValid(t *testing.T) {
	for p, want := range map[LonLat]bool{
		south: true, {180, 90}: true, {-180, -90}: true, {8339, 44}: false, {8, 91}: false,
		{math.Inf(1), 0}: false,
	} {
		if p.Valid() != want {
			t.Errorf("%v: valid is %v", p, !want)
		}
	}
	if (LonLat{math.NaN(), 0}).Valid() || (LonLat{0, math.NaN()}).Valid() {
		t.Error("NaN is no position")
	}
	if wrap(190) != -170 || wrap(-190) != 170 || wrap(180) != 180 {
		t.Error("wrap")
	}
}

func ExampleLonLat_Distance() {
	fmt.Println(south.Distance(north), south.Bearing(north))
	// Output: 13955.0 m 26.39 °
}

func ExampleLonLat_String() {
	fmt.Println(LonLat{Lon: 8.1137, Lat: 44.4656})
	// Output: 44.465600,8.113700
}
