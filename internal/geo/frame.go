package geo

import (
	"math"

	"github.com/go-gl/mathgl/mgl64"

	"github.com/crinale/crinale/internal/unit"
)

// ECEF is an Earth-centred, Earth-fixed position in metres (WGS84).
type ECEF = mgl64.Vec3

// Local is a position in metres east, north and up of a Frame's origin.
type Local struct {
	East, North, Up float64
}

// WGS84 ellipsoid (NIMA TR8350.2, table 3.1).
const (
	semiMajor  = 6378137.0
	flattening = 1 / 298.257223563
	ecc2       = flattening * (2 - flattening)
)

// ToECEF places p at height h over the ellipsoid.
func (p LonLat) ToECEF(h unit.Metres) ECEF {
	sφ, cφ := math.Sincos(rad(p.Lat))
	sλ, cλ := math.Sincos(rad(p.Lon))
	n := semiMajor / math.Sqrt(1-ecc2*sφ*sφ)
	r := (n + float64(h)) * cφ
	return ECEF{r * cλ, r * sλ, (n*(1-ecc2) + float64(h)) * sφ}
}

// Frame is the local tangent frame of a mast: east, north, up at its origin.
type Frame struct {
	origin ECEF
	toENU  mgl64.Mat3
}

// NewFrame is the tangent frame at p, h metres over the ellipsoid.
func NewFrame(p LonLat, h unit.Metres) Frame {
	sφ, cφ := math.Sincos(rad(p.Lat))
	sλ, cλ := math.Sincos(rad(p.Lon))
	return Frame{
		origin: p.ToECEF(h),
		toENU: mgl64.Mat3FromRows(
			mgl64.Vec3{-sλ, cλ, 0},
			mgl64.Vec3{-sφ * cλ, -sφ * sλ, cφ},
			mgl64.Vec3{cφ * cλ, cφ * sλ, sφ},
		),
	}
}

// Local is where p, h metres over the ellipsoid, stands in the frame.
func (f Frame) Local(p LonLat, h unit.Metres) Local {
	v := f.toENU.Mul3x1(p.ToECEF(h).Sub(f.origin))
	return Local{v[0], v[1], v[2]}
}

// Aim is how an antenna at the frame's origin must point to see the place:
// azimuth from true north, tilt above the horizontal (negative is down), and
// the slant range. Straight up and down have azimuth 0.
func (l Local) Aim() (azimuth, tilt unit.Degrees, slant unit.Metres) {
	flat := math.Hypot(l.East, l.North)
	azimuth = unit.FromRadians(math.Atan2(l.East, l.North)).Bearing()
	tilt = unit.FromRadians(math.Atan2(l.Up, flat))
	return azimuth, tilt, unit.Metres(math.Hypot(flat, l.Up))
}

// OffAxis is the angle between the direction to l and a boresight given by
// azimuth and tilt: atan2(|a×b|, a·b), exact near zero where acos is not.
func (l Local) OffAxis(azimuth, tilt unit.Degrees) unit.Degrees {
	sa, ca := math.Sincos(azimuth.Radians())
	st, ct := math.Sincos(tilt.Radians())
	bore := mgl64.Vec3{ct * sa, ct * ca, st}
	v := mgl64.Vec3{l.East, l.North, l.Up}
	return unit.FromRadians(math.Atan2(bore.Cross(v).Len(), bore.Dot(v)))
}
