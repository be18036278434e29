package dem

import (
	"math"

	"github.com/crinale/crinale/internal/geo"
)

// projection is the plane coordinates of a file, in metres.
type projection interface {
	// forward is NaN where the projection is of no use.
	forward(p geo.LonLat) (x, y float64)
	inverse(x, y float64) geo.LonLat
	// groundScale is metres on the ground in one metre of y at a place.
	groundScale(x, y float64) float64
	epsg() int
}

// crsOf is the code of the coordinates; a nil projection is degrees.
func crsOf(p projection) int {
	if p == nil {
		return 4326
	}
	return p.epsg()
}

// byEPSG is the projection of a code. ETRS89 and its Italian realisation
// RDN2008 count as WGS84: they differ by under a metre in Europe.
func byEPSG(code int) (p projection, degrees, ok bool) {
	switch code {
	case 4326, 4979, 4258, 4937, 6706, 6705:
		return nil, true, true
	case 3857, 900913:
		return mercator{}, false, true
	case 3035:
		return europe, false, true
	case 6707, 7791: // RDN2008 / UTM 32N, both orders of axes
		code = 32632
	case 6708, 7792: // RDN2008 / UTM 33N
		code = 32633
	}
	if code >= 25828 && code <= 25838 { // ETRS89 / UTM
		code += 32600 - 25800
	}
	if z, is := geo.UTMZoneOfEPSG(code); is {
		return utm{z}, false, true
	}
	return nil, false, false
}

type utm struct{ zone geo.UTMZone }

func (u utm) forward(p geo.LonLat) (x, y float64)  { return u.zone.Forward(p) }
func (u utm) inverse(x, y float64) geo.LonLat      { return u.zone.Inverse(x, y) }
func (u utm) groundScale(float64, float64) float64 { return 1 }
func (u utm) epsg() int                            { return u.zone.EPSG() }

type mercator struct{}

func (mercator) forward(p geo.LonLat) (x, y float64) { return geo.Mercator(p) }
func (mercator) inverse(x, y float64) geo.LonLat     { return geo.FromMercator(x, y) }
func (mercator) epsg() int                           { return 3857 }
func (mercator) groundScale(x, y float64) float64 {
	return math.Cos(geo.FromMercator(x, y).Lat * math.Pi / 180)
}

// equalArea is the oblique Lambert azimuthal equal-area projection on an
// ellipsoid (IOGP Guidance Note 7-2, method 9820; Snyder 1987, pp. 187-190).
type equalArea struct {
	code                        int
	e                           float64 // eccentricity
	lon0, falseEast, falseNorth float64
	sinB0, cosB0, rq, d, qp     float64
}

// europe is ETRS89-extended / LAEA Europe (EPSG:3035), on GRS80.
var europe = newEqualArea(3035, 52, 10, 4321000, 3210000, 6378137, 1/298.257222101)

func newEqualArea(code int, lat0, lon0, falseEast, falseNorth, a, f float64) *equalArea {
	l := &equalArea{code: code, e: math.Sqrt(f * (2 - f)), lon0: lon0, falseEast: falseEast, falseNorth: falseNorth}
	l.qp = l.q(1)
	s0, c0 := math.Sincos(lat0 * math.Pi / 180)
	l.sinB0, l.cosB0 = math.Sincos(math.Asin(l.q(s0) / l.qp))
	l.rq = a * math.Sqrt(l.qp/2)
	l.d = a * c0 / math.Sqrt(1-l.e*l.e*s0*s0) / (l.rq * l.cosB0)
	return l
}

// q is Snyder's equation 3-12 of the sine of a latitude.
func (l *equalArea) q(s float64) float64 {
	e := l.e
	return (1 - e*e) * (s/(1-e*e*s*s) + math.Atanh(e*s)/e)
}

func (l *equalArea) forward(p geo.LonLat) (x, y float64) {
	sinB := l.q(math.Sin(p.Lat*math.Pi/180)) / l.qp
	cosB := math.Sqrt(math.Max(0, 1-sinB*sinB))
	sλ, cλ := math.Sincos((p.Lon - l.lon0) * math.Pi / 180)
	w := 1 + l.sinB0*sinB + l.cosB0*cosB*cλ
	if !(w > 1e-6) {
		return math.NaN(), math.NaN()
	}
	b := l.rq * math.Sqrt(2/w)
	return l.falseEast + b*l.d*cosB*sλ, l.falseNorth + b/l.d*(l.cosB0*sinB-l.sinB0*cosB*cλ)
}

func (l *equalArea) inverse(x, y float64) geo.LonLat {
	x, y = (x-l.falseEast)/l.d, (y-l.falseNorth)*l.d
	ρ := math.Hypot(x, y)
	if ρ == 0 {
		return geo.LonLat{Lon: l.lon0, Lat: l.latitude(math.Asin(l.sinB0))}
	}
	sc, cc := math.Sincos(2 * math.Asin(ρ/(2*l.rq)))
	β := math.Asin(cc*l.sinB0 + y*sc*l.cosB0/ρ)
	λ := math.Atan2(x*sc, ρ*l.cosB0*cc-y*l.sinB0*sc)
	return geo.LonLat{Lon: l.lon0 + λ*180/math.Pi, Lat: l.latitude(β)}
}

// latitude in degrees of an authalic one in radians (Snyder, equation 3-18).
func (l *equalArea) latitude(β float64) float64 {
	e2 := l.e * l.e
	e4, e6 := e2*e2, e2*e2*e2
	φ := β + (e2/3+31*e4/180+517*e6/5040)*math.Sin(2*β) +
		(23*e4/360+251*e6/3780)*math.Sin(4*β) + 761*e6/45360*math.Sin(6*β)
	return φ * 180 / math.Pi
}

func (l *equalArea) groundScale(float64, float64) float64 { return 1 }
func (l *equalArea) epsg() int                            { return l.code }
