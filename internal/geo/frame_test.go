package geo

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/unit"
)

func TestECEFEqualsPROJ(t *testing.T) {
	// gdaltransform EPSG:4979 to EPSG:4978.
	for _, k := range []struct {
		p LonLat
		h unit.Metres
		v ECEF
	}{
		{LonLat{8.1137, 44.4656}, 0, ECEF{4513746.96708632, 643502.50500285, 4445160.92475639}},
		{LonLat{8.1920, 44.5780}, 668, ECEF{4504665.8114211, 648490.241787343, 4454535.06062652}},
		{LonLat{-70.5, -33.4}, 100, ECEF{1779279.57191903, -5024530.51022843, -3491135.16321156}},
		{LonLat{0, 90}, 0, ECEF{0, 0, 6356752.31424518}},
	} {
		if d := k.p.ToECEF(k.h).Sub(k.v).Len(); d > 1e-6 {
			t.Errorf("%v at %v: %v m off", k.p, k.h, d)
		}
	}
}

// aimed is the place an antenna sees at a direction and range.
func aimed(az, tilt unit.Degrees, slant float64) Local {
	sa, ca := math.Sincos(az.Radians())
	st, ct := math.Sincos(tilt.Radians())
	return Local{slant * ct * sa, slant * ct * ca, slant * st}
}

func TestAimAndOffAxis(t *testing.T) {
	// The figures tried with quaternions and dot products: a boresight turned
	// 3° in azimuth stands 2.9995° off, less than 3 because of the tilt.
	l := aimed(131.2181, -1.0634, 8379.11)
	az, tilt, slant := l.Aim()
	near(t, "azimuth", float64(az), 131.2181, 1e-9)
	near(t, "tilt", float64(tilt), -1.0634, 1e-9)
	near(t, "slant", float64(slant), 8379.11, 1e-6)
	near(t, "on axis", float64(l.OffAxis(az, tilt)), 0, 1e-9)
	near(t, "turned by 3°", float64(l.OffAxis(az+3, tilt)), 2.9995, 5e-5)
	near(t, "tilted by 3°", float64(l.OffAxis(az, tilt+3)), 3, 1e-9)
	near(t, "behind", float64(l.OffAxis(az+180, -tilt)), 180, 1e-6)
}

func TestAimOfStraightUpAndHere(t *testing.T) {
	for _, c := range []struct {
		l    Local
		tilt float64
	}{{Local{0, 0, 10}, 90}, {Local{0, 0, -10}, -90}, {Local{}, 0}} {
		az, tilt, _ := c.l.Aim()
		if az != 0 || float64(tilt) != c.tilt {
			t.Errorf("%+v: %v %v", c.l, az, tilt)
		}
	}
	if off := (Local{}).OffAxis(10, 0); math.IsNaN(float64(off)) {
		t.Error("the origin has no angle, and no NaN either")
	}
}

func TestFrameOfThePair(t *testing.T) {
	// East and north by the frame are those of UTM but for its convergence
	// and scale; up falls by d²/2R below the horizon.
	l := NewFrame(south, 0).Local(north, 0)
	az, tilt, slant := l.Aim()
	d := float64(south.Distance(north))
	near(t, "azimuth", float64(az), float64(south.Bearing(north)), 0.1)
	near(t, "slant", float64(slant), d, d*0.003)
	near(t, "up", l.Up, -d*d/2/Radius, 0.1)
	near(t, "tilt", float64(tilt), -float64(unit.FromRadians(d/2/Radius)), 0.001)
}

func TestFrameKeepsLengths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := points(t, "p"), points(t, "q")
		h := unit.Metres(rapid.Float64Range(-100, 9000).Draw(t, "h"))
		l := NewFrame(p, h).Local(q, 0)
		chord := p.ToECEF(h).Sub(q.ToECEF(0)).Len()
		if e := math.Abs(math.Sqrt(l.East*l.East+l.North*l.North+l.Up*l.Up) - chord); e > 1e-6 {
			t.Fatalf("%v m off", e)
		}
	})
}

func ExampleFrame() {
	mast := NewFrame(LonLat{Lon: 8.0458, Lat: 44.5208}, 700+15)
	az, tilt, slant := mast.Local(LonLat{Lon: 8.0958, Lat: 44.6042}, 500+6).Aim()
	fmt.Printf("azimuth %.1f° tilt %.1f° range %.0f m\n", az, tilt, slant)
	// Output: azimuth 23.2° tilt -1.2° range 10086 m
}
