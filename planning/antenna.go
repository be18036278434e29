package planning

import (
	"math"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// The antenna pattern made from two half-power beamwidths: a parabola in dB in
// each plane with floors, as 3GPP TR 36.814 table A.2.1.1-2 gives it; the main
// lobe is also that of ITU-R F.1336-5 (12 dB times the squared ratio).
const (
	backFloor = 25.0 // dB, least level all round
	sideFloor = 20.0 // dB, in the vertical plane
)

// Off is how far in dB an antenna's gain falls under its greatest at dAz and
// dEl from where it points.
func Off(a network.Antenna, dAz, dEl unit.Degrees) unit.DB {
	az, el := beamwidths(a)
	return unit.DB(pattern(az, el, float64(dAz), float64(dEl)))
}

// pattern is Off for known beamwidths, all in degrees.
func pattern(az, el, dAz, dEl float64) float64 {
	var h float64
	if az < 360 {
		x := math.Abs(math.Remainder(dAz, 360)) / az
		h = math.Min(12*x*x, backFloor)
	}
	y := dEl / el
	return math.Min(h+math.Min(12*y*y, sideFloor), backFloor)
}

// beamwidths of the sheet in degrees; what it does not say follows from the
// gain, as gain ≈ 27000 / (az · el) (a usual dish's efficiency).
func beamwidths(a network.Antenna) (az, el float64) {
	az, el = float64(a.BeamwidthAz), float64(a.BeamwidthEl)
	area := 27000 / math.Pow(10, float64(a.Gain)/10)
	switch {
	case az <= 0 && el <= 0:
		az = math.Sqrt(area)
		el = az
	case az <= 0:
		az = area / el
	case el <= 0:
		el = area / az
	}
	return math.Min(az, 360), math.Min(el, 180)
}
