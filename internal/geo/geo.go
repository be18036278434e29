// Package geo holds positions on the Earth: degrees (LonLat), metres in a
// local frame (Local), Earth-centred metres (ECEF), the great circle between
// two points, and UTM. Degrees and metres are different types on purpose.
package geo

import (
	"fmt"
	"math"

	"github.com/crinale/crinale/internal/unit"
)

// LonLat is a position in WGS84 degrees, longitude first as in GeoJSON.
type LonLat struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

// Radius is the mean Earth radius R₁ in metres (IUGG, Moritz 2000).
const Radius = 6371008.8

// Valid says whether both coordinates are finite and in range.
func (p LonLat) Valid() bool {
	return p.Lon >= -180 && p.Lon <= 180 && p.Lat >= -90 && p.Lat <= 90
}

// String is "LAT,LON", the order in which map sites print them.
func (p LonLat) String() string { return fmt.Sprintf("%.6f,%.6f", p.Lat, p.Lon) }

// Distance along the great circle on the sphere of Radius; within 0.3 % of
// the WGS84 geodesic at our latitudes.
func (p LonLat) Distance(q LonLat) unit.Metres {
	return unit.Metres(Radius * p.angle(q))
}

// angle is the central angle in radians, by the haversine formula.
func (p LonLat) angle(q LonLat) float64 {
	φ1, φ2 := rad(p.Lat), rad(q.Lat)
	sφ, sλ := math.Sin((φ2-φ1)/2), math.Sin(rad(q.Lon-p.Lon)/2)
	h := sφ*sφ + math.Cos(φ1)*math.Cos(φ2)*sλ*sλ
	return 2 * math.Asin(math.Sqrt(math.Min(1, h)))
}

// Bearing is the initial great-circle bearing from p to q, clockwise from
// true north, in [0, 360). It is 0 when p equals q.
func (p LonLat) Bearing(q LonLat) unit.Degrees {
	φ1, φ2, Δλ := rad(p.Lat), rad(q.Lat), rad(q.Lon-p.Lon)
	y := math.Sin(Δλ) * math.Cos(φ2)
	x := math.Cos(φ1)*math.Sin(φ2) - math.Sin(φ1)*math.Cos(φ2)*math.Cos(Δλ)
	return unit.FromRadians(math.Atan2(y, x)).Bearing()
}

// Toward is the point at distance d from p on the initial bearing b.
func (p LonLat) Toward(b unit.Degrees, d unit.Metres) LonLat {
	φ1, λ1, θ, δ := rad(p.Lat), rad(p.Lon), b.Radians(), float64(d)/Radius
	sφ2 := math.Sin(φ1)*math.Cos(δ) + math.Cos(φ1)*math.Sin(δ)*math.Cos(θ)
	φ2 := math.Asin(math.Max(-1, math.Min(1, sφ2)))
	λ2 := λ1 + math.Atan2(math.Sin(θ)*math.Sin(δ)*math.Cos(φ1), math.Cos(δ)-math.Sin(φ1)*sφ2)
	return LonLat{Lon: wrap(deg(λ2)), Lat: deg(φ2)}
}

// Walk gives n+1 points from p to q, both included, at equal steps along the
// great circle. n must be at least 1.
func (p LonLat) Walk(q LonLat, n int) []LonLat {
	pts := make([]LonLat, n+1)
	δ := p.angle(q)
	φ1, λ1, φ2, λ2 := rad(p.Lat), rad(p.Lon), rad(q.Lat), rad(q.Lon)
	s1, c1 := math.Sincos(φ1)
	s2, c2 := math.Sincos(φ2)
	sl1, cl1 := math.Sincos(λ1)
	sl2, cl2 := math.Sincos(λ2)
	sδ := math.Sin(δ)
	for i := range pts {
		f := float64(i) / float64(n)
		a, b := 1-f, f
		if sδ > 1e-12 {
			a, b = math.Sin((1-f)*δ)/sδ, math.Sin(f*δ)/sδ
		}
		x := a*c1*cl1 + b*c2*cl2
		y := a*c1*sl1 + b*c2*sl2
		z := a*s1 + b*s2
		pts[i] = LonLat{Lon: deg(math.Atan2(y, x)), Lat: deg(math.Atan2(z, math.Hypot(x, y)))}
	}
	pts[0], pts[n] = p, q
	return pts
}

// Bounds is a box in degrees; it never crosses the antimeridian.
type Bounds struct {
	West, South, East, North float64
}

// Contains says whether p lies in the box, edges included.
func (b Bounds) Contains(p LonLat) bool {
	return p.Lon >= b.West && p.Lon <= b.East && p.Lat >= b.South && p.Lat <= b.North
}

// Around is the box that holds the disc of radius r around p.
func Around(p LonLat, r unit.Metres) Bounds {
	dLat := deg(float64(r) / Radius)
	c := math.Max(math.Cos(rad(math.Min(89.9, math.Abs(p.Lat)+dLat))), 1e-3)
	dLon := dLat / c
	return Bounds{
		West: math.Max(-180, p.Lon-dLon), East: math.Min(180, p.Lon+dLon),
		South: math.Max(-90, p.Lat-dLat), North: math.Min(90, p.Lat+dLat),
	}
}

func rad(d float64) float64 { return d * math.Pi / 180 }
func deg(r float64) float64 { return r * 180 / math.Pi }

func wrap(lon float64) float64 {
	for lon > 180 {
		lon -= 360
	}
	for lon < -180 {
		lon += 360
	}
	return lon
}
