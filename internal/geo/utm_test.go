package geo

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Values of PROJ (gdaltransform EPSG:4326 to the zone's code), to its last
// printed digit.
var utmKnown = []struct {
	zone        UTMZone
	lon, lat    float64
	east, north float64
}{
	{UTMZone{32, false}, 8.1137, 44.4656, 429499.670639634, 4923970.09645815},
	{UTMZone{32, false}, 8.1920, 44.5780, 435851.481876393, 4936390.77301107},
	{UTMZone{32, false}, 5.585255, 43.373626, 223352.617536765, 4807971.67507075},
	{UTMZone{33, false}, 8.1137, 44.4656, -47791.187315373, 4946703.85765827},
	{UTMZone{33, false}, 12.12, 43.18, 265935.934658309, 4784831.03520868},
	{UTMZone{11, false}, -118.149238, 34.320333, 394267.796018259, 3798272.70787688},
	{UTMZone{19, true}, -70.5, -33.4, 360505.619896876, 6303362.28812365},
	{UTMZone{19, true}, -66, -10, 828928.736058687, 8893091.14575686},
}

func TestUTMEqualsPROJ(t *testing.T) {
	for _, k := range utmKnown {
		e, n := k.zone.Forward(LonLat{k.lon, k.lat})
		if math.Abs(e-k.east) > 1e-5 || math.Abs(n-k.north) > 1e-5 {
			t.Errorf("%v %v,%v: got %.6f %.6f, want %.6f %.6f", k.zone, k.lat, k.lon, e, n, k.east, k.north)
		}
		p := k.zone.Inverse(k.east, k.north)
		if math.Abs(p.Lon-k.lon) > 1e-10 || math.Abs(p.Lat-k.lat) > 1e-10 {
			t.Errorf("%v %v %v: got %v", k.zone, k.east, k.north, p)
		}
	}
}

func TestUTMRoundTripIsUnderAMillimetre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := UTMZone{rapid.IntRange(1, 60).Draw(t, "zone"), rapid.Bool().Draw(t, "south")}
		p := LonLat{
			Lon: wrap(float64(z.Meridian()) + rapid.Float64Range(-10, 10).Draw(t, "dLon")),
			Lat: rapid.Float64Range(-84, 84).Draw(t, "lat"),
		}
		e, n := z.Forward(p)
		q := z.Inverse(e, n)
		if d := float64(p.Distance(q)); d > 1e-3 {
			t.Fatalf("%v in %v comes back %v: %v m off", p, z, q, d)
		}
		e2, n2 := z.Forward(q)
		if math.Hypot(e-e2, n-n2) > 1e-4 {
			t.Fatalf("%v in %v: %v %v and again %v %v", p, z, e, n, e2, n2)
		}
	})
}

func TestUTMFarFromTheMeridianIsNaN(t *testing.T) {
	for _, p := range []LonLat{{Lon: 120, Lat: 44}, {Lon: 9, Lat: 91}, {Lon: math.NaN(), Lat: 44}, {Lon: 9, Lat: math.NaN()}} {
		if e, n := (UTMZone{Number: 32}).Forward(p); !math.IsNaN(e) || !math.IsNaN(n) {
			t.Errorf("%v: got %v %v", p, e, n)
		}
	}
}

func TestUTMPoles(t *testing.T) {
	// The meridian's quadrant of WGS84 is 10,001,965.729 m.
	e, n := (UTMZone{Number: 32}).Forward(LonLat{Lon: 9, Lat: 90})
	if math.Abs(e-500000) > 1e-6 || math.Abs(n-10001965.729*utmScale) > 1e-3 {
		t.Errorf("north pole: %v %v", e, n)
	}
	if p := (UTMZone{Number: 32}).Inverse(e, n); math.Abs(p.Lat-90) > 1e-9 {
		t.Errorf("back from the pole: %v", p)
	}
}

func TestUTMZones(t *testing.T) {
	for _, c := range []struct {
		p    LonLat
		want UTMZone
		epsg int
	}{
		{LonLat{8.1, 44.5}, UTMZone{32, false}, 32632},
		{LonLat{5.9999, 44.5}, UTMZone{31, false}, 32631},
		{LonLat{6, 44.5}, UTMZone{32, false}, 32632},
		{LonLat{-180, -1}, UTMZone{1, true}, 32701},
		{LonLat{180, 1}, UTMZone{60, false}, 32660},
	} {
		got := UTMZoneOf(c.p)
		if got != c.want || got.EPSG() != c.epsg {
			t.Errorf("%v: got %v %d, want %v %d", c.p, got, got.EPSG(), c.want, c.epsg)
		}
		if back, ok := UTMZoneOfEPSG(c.epsg); !ok || back != c.want {
			t.Errorf("EPSG %d: %v %v", c.epsg, back, ok)
		}
	}
	for _, code := range []int{32600, 32661, 32700, 32761, 4326, 0} {
		if z, ok := UTMZoneOfEPSG(code); ok {
			t.Errorf("EPSG %d is no zone, got %v", code, z)
		}
	}
}

func ExampleUTMZone_Forward() {
	p := LonLat{Lon: 8.1137, Lat: 44.4656}
	z := UTMZoneOf(p)
	e, n := z.Forward(p)
	fmt.Printf("%v %.2f %.2f\n", z, e, n)
	fmt.Println(z.Inverse(e, n))
	// Output:
	// 32N 429499.67 4923970.10
	// 44.465600,8.113700
}

func BenchmarkUTMForward(b *testing.B) {
	z, p := UTMZone{Number: 32}, LonLat{8.1137, 44.4656}
	for b.Loop() {
		p.Lon += 1e-9
		z.Forward(p)
	}
}
