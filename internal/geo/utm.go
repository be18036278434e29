package geo

import (
	"fmt"
	"math"

	"github.com/crinale/crinale/internal/unit"
)

// UTMZone is one of the 120 zones of the Universal Transverse Mercator grid
// on WGS84: number 1 to 60, north or south of the equator.
type UTMZone struct {
	Number int
	South  bool
}

// UTMZoneOf is the zone a point falls in by its longitude alone; the widened
// zones of Norway and Svalbard are not made.
func UTMZoneOf(p LonLat) UTMZone {
	z := int(math.Floor((wrap(p.Lon)+180)/6)) + 1
	return UTMZone{Number: min(max(z, 1), 60), South: p.Lat < 0}
}

// UTMZoneOfEPSG is the zone of EPSG 32601–32660 (north) and 32701–32760
// (south).
func UTMZoneOfEPSG(code int) (UTMZone, bool) {
	switch {
	case code >= 32601 && code <= 32660:
		return UTMZone{Number: code - 32600}, true
	case code >= 32701 && code <= 32760:
		return UTMZone{Number: code - 32700, South: true}, true
	}
	return UTMZone{}, false
}

// EPSG is the zone's code.
func (z UTMZone) EPSG() int {
	if z.South {
		return 32700 + z.Number
	}
	return 32600 + z.Number
}

// String is as in "32N".
func (z UTMZone) String() string {
	if z.South {
		return fmt.Sprintf("%dS", z.Number)
	}
	return fmt.Sprintf("%dN", z.Number)
}

// Meridian is the zone's central meridian.
func (z UTMZone) Meridian() unit.Degrees { return unit.Degrees(6*z.Number - 183) }

// Scale on the central meridian and the false origins (DMA TM 8358.2, §2-4).
const (
	utmScale      = 0.9996
	utmFalseEast  = 500000
	utmFalseSouth = 10000000
)

// Krüger's series in the third flattening n (Karney, "Transverse Mercator with
// an accuracy of a few nanometers", 2011, equations 14, 35 and 36), cut after
// n⁴: the terms left out are under a micrometre on the ellipsoid of WGS84.
var (
	krügerA       = semiMajor / (1 + n1) * (1 + n2/4 + n4/64)
	krügerForward = [4]float64{n1/2 - n2*2/3 + n3*5/16 + n4*41/180, n2*13/48 - n3*3/5 + n4*557/1440, n3*61/240 - n4*103/140, n4 * 49561 / 161280}
	krügerInverse = [4]float64{n1/2 - n2*2/3 + n3*37/96 - n4/360, n2/48 + n3/15 - n4*437/1440, n3*17/480 - n4*37/840, n4 * 4397 / 161280}
	eccentricity  = math.Sqrt(ecc2)
)

const (
	n1 = flattening / (2 - flattening)
	n2 = n1 * n1
	n3 = n2 * n1
	n4 = n2 * n2
)

// Forward is easting and northing in metres, within a millimetre up to 30°
// from the central meridian. Beyond 80° from it both are NaN.
func (z UTMZone) Forward(p LonLat) (east, north float64) {
	dλ := wrap(p.Lon - float64(z.Meridian()))
	if !(math.Abs(dλ) <= 80) || !(math.Abs(p.Lat) <= 90) {
		return math.NaN(), math.NaN()
	}
	sφ, cφ := math.Sincos(rad(p.Lat))
	sλ, cλ := math.Sincos(rad(dλ))
	// Tangent of the conformal latitude (Karney, equations 7 and 9), here
	// times cos φ so that the poles need no care.
	σ := conformal(sφ)
	t := sφ*math.Sqrt(1+σ*σ) - σ
	ξ := math.Atan2(t, cφ*cλ)
	η := math.Asinh(cφ * sλ / math.Sqrt(t*t+cφ*cφ*cλ*cλ))
	dξ, dη := krügerSum(&krügerForward, ξ, η)
	east = utmFalseEast + utmScale*krügerA*(η+dη)
	north = utmScale * krügerA * (ξ + dξ)
	if z.South {
		north += utmFalseSouth
	}
	return east, north
}

// Inverse is the position of an easting and a northing in metres.
func (z UTMZone) Inverse(east, north float64) LonLat {
	if z.South {
		north -= utmFalseSouth
	}
	ξ := north / (utmScale * krügerA)
	η := (east - utmFalseEast) / (utmScale * krügerA)
	dξ, dη := krügerSum(&krügerInverse, ξ, η)
	ξ, η = ξ-dξ, η-dη
	sξ, cξ := math.Sincos(ξ)
	sh := math.Sinh(η)
	τ := geodetic(sξ / math.Hypot(sh, cξ))
	λ := math.Atan2(sh, cξ)
	return LonLat{Lon: wrap(float64(z.Meridian()) + deg(λ)), Lat: deg(math.Atan(τ))}
}

// conformal is sinh(e artanh(e s)) of the sine of a latitude (Karney, equation
// 9) by power series: e s is under 0.082, what is left out under 1e-14.
func conformal(s float64) float64 {
	x := eccentricity * s
	q := x * x
	a := eccentricity * x * (1 + q*(1.0/3+q*(1.0/5+q*(1.0/7+q*(1.0/9+q/11)))))
	return a * (1 + a*a*(1.0/6+a*a/120))
}

// geodetic is the tangent of the latitude whose conformal latitude has the
// tangent t, by Newton's method (Karney, equations 19 to 21).
func geodetic(t float64) float64 {
	τ := t / (1 - ecc2)
	if math.IsInf(τ, 0) || math.Abs(τ) > 1e12 {
		return τ
	}
	for range 5 {
		r := math.Sqrt(1 + τ*τ)
		σ := conformal(τ / r)
		ti := τ*math.Sqrt(1+σ*σ) - σ*r
		d := (t - ti) / math.Sqrt(1+ti*ti) * (1 + (1-ecc2)*τ*τ) / ((1 - ecc2) * r)
		τ += d
		if !(math.Abs(d) > 1e-14*(1+math.Abs(τ))) {
			break
		}
	}
	return τ
}

// krügerSum is Σ cⱼ sin 2jξ cosh 2jη and Σ cⱼ cos 2jξ sinh 2jη; the multiple
// angles by the addition theorems.
func krügerSum(c *[4]float64, ξ, η float64) (dξ, dη float64) {
	s1, c1 := math.Sincos(2 * ξ)
	e := math.Exp(2 * η)
	sh1, ch1 := (e-1/e)/2, (e+1/e)/2
	if math.Abs(η) < 1e-3 { // e-1/e loses digits
		sh1 = math.Sinh(2 * η)
	}
	s, cs, sh, ch := s1, c1, sh1, ch1
	for j := 0; ; j++ {
		dξ += c[j] * s * ch
		dη += c[j] * cs * sh
		if j == len(c)-1 {
			return dξ, dη
		}
		s, cs = s*c1+cs*s1, cs*c1-s*s1
		sh, ch = sh*ch1+ch*sh1, ch*ch1+sh*sh1
	}
}
