package dem

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/geo"
)

func TestEqualAreaEqualsPROJ(t *testing.T) {
	// gdaltransform EPSG:4326 to EPSG:3035.
	for _, k := range []struct{ lon, lat, x, y float64 }{
		{8.1137, 44.4656, 4170609.90770325, 2374653.84609015},
		{5.585255, 43.373626, 3962483.77061825, 2262251.62816542},
		{10, 52, 4321000, 3210000},
	} {
		x, y := europe.forward(geo.LonLat{Lon: k.lon, Lat: k.lat})
		if math.Hypot(x-k.x, y-k.y) > 1e-5 {
			t.Errorf("%v,%v: got %.6f %.6f", k.lat, k.lon, x, y)
		}
		if p := europe.inverse(k.x, k.y); math.Hypot(p.Lon-k.lon, p.Lat-k.lat) > 1e-8 {
			t.Errorf("%v %v: got %v", k.x, k.y, p)
		}
	}
}

func TestProjectionsLeadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := geo.LonLat{Lon: rapid.Float64Range(5, 13).Draw(t, "lon"), Lat: rapid.Float64Range(36, 60).Draw(t, "lat")}
		for _, code := range []int{32632, 3857, 3035, 25832, 6707, 7791} {
			proj, degrees, ok := byEPSG(code)
			if !ok || degrees {
				t.Fatalf("EPSG:%d is not read", code)
			}
			q := proj.inverse(proj.forward(p))
			if d := p.Distance(q); d > 1e-3 {
				t.Fatalf("EPSG:%d: %v comes back %v m away", code, p, d)
			}
		}
	})
}

func TestCodes(t *testing.T) {
	for code, want := range map[int]int{32632: 32632, 25833: 32633, 7792: 32633, 32719: 32719, 3857: 3857, 900913: 3857, 3035: 3035} {
		if p, degrees, ok := byEPSG(code); !ok || degrees || p.epsg() != want {
			t.Errorf("EPSG:%d: %v %v", code, p, ok)
		}
	}
	for _, code := range []int{4326, 4258, 6706} {
		if p, degrees, ok := byEPSG(code); !ok || !degrees || p != nil || crsOf(p) != 4326 {
			t.Errorf("EPSG:%d: %v %v %v", code, p, degrees, ok)
		}
	}
	for _, code := range []int{0, 3003, 23032, 32600, 32661, 25827, 25839, 32767} {
		if p, _, ok := byEPSG(code); ok {
			t.Errorf("EPSG:%d is read as %v", code, p)
		}
	}
	if x, y := europe.forward(geo.LonLat{Lon: -170, Lat: -52}); !math.IsNaN(x) || !math.IsNaN(y) {
		t.Errorf("the far side of the Earth is at %v, %v", x, y)
	}
}
