package planning

import (
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
)

// Polarisation of the wave.
type Polarisation string

const (
	Vertical   Polarisation = "vertical"
	Horizontal Polarisation = "horizontal"
)

// Wave is what the models must know of the radio wave and the air.
type Wave struct {
	Freq         unit.MHz
	K            float64 // effective Earth radius factor
	Polarisation Polarisation
}

// StandardK is the effective Earth radius factor of the mean atmosphere
// (ITU-R P.310; the median gradient of the Alta Langa gives 1.32).
const StandardK = 4.0 / 3

// Between these k says something: under the one no air bends a ray so much,
// over the other the Earth is all but flat.
const leastK, mostK = 0.3, 10.0

// Radius is the effective Earth radius in metres.
func (w Wave) Radius() float64 { return w.K * earthMean }

// Valid says what is wrong with a wave. The diffraction models hold from
// 0.1 GHz, gas absorption to 100 GHz.
func (w Wave) Valid() error {
	if !(w.Freq >= 100 && w.Freq <= 100000) {
		return fault.New(fault.Invalid, "frequency %v: must be 100 to 100000 MHz", w.Freq)
	}
	if !(w.K >= leastK && w.K <= mostK) {
		return fault.New(fault.Invalid, "effective Earth factor k %g: must be %g to %g; 4/3 is the mean atmosphere", w.K, leastK, mostK)
	}
	if w.Polarisation != Vertical && w.Polarisation != Horizontal {
		return fault.New(fault.Invalid, "polarisation %q: must be %q or %q", string(w.Polarisation), Vertical, Horizontal)
	}
	return nil
}

// FreeSpace is the basic transmission loss in free space at d metres
// (ITU-R P.525-4 equation 4: 20 log10(4πd/λ)).
func FreeSpace(f unit.MHz, d unit.Metres) unit.DB {
	return unit.DB(20 * math.Log10(4*math.Pi*float64(d)/float64(f.Wavelength())))
}
