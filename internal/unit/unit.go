// Package unit holds the quantities of radio work as distinct types, so that
// a power is never added to a power and a distance never passed for a height.
//
// The pattern is that of time.Duration: the type documents the unit, the
// methods say which arithmetic makes sense. Outside the program (JSON, MQTT,
// flags, columns) the unit stands in the key: signal_dbm, freq_mhz.
package unit

import (
	"math"
	"strconv"
)

// DBm is an absolute power level in decibels over one milliwatt.
type DBm float64

// DB is a ratio of powers in decibels: a gain, a loss, a margin.
type DB float64

// DBi is the gain of an antenna over an isotropic one; it is a DB.
type DBi = DB

// MHz is a frequency or a bandwidth.
type MHz float64

// Mbps is a rate in 10⁶ bit/s.
type Mbps float64

// Metres is a length, a height or a distance.
type Metres float64

// Degrees is an angle: a bearing from true north clockwise, a tilt above the
// horizon, a latitude or a longitude where no better type exists.
type Degrees float64

// Plus is the level after a gain.
func (p DBm) Plus(g DB) DBm { return p + DBm(g) }

// Minus is the level after a loss.
func (p DBm) Minus(l DB) DBm { return p - DBm(l) }

// Over is how far p lies above q.
func (p DBm) Over(q DBm) DB { return DB(p - q) }

// Milliwatts is the power on a linear scale.
func (p DBm) Milliwatts() float64 { return math.Pow(10, float64(p)/10) }

// FromMilliwatts is the level of a linear power; -Inf for 0.
func FromMilliwatts(mw float64) DBm { return DBm(10 * math.Log10(mw)) }

// GHz is the frequency in GHz, as ITU-R formulas take it.
func (f MHz) GHz() float64 { return float64(f) / 1000 }

// SpeedOfLight in m/s (exact, SI).
const SpeedOfLight = 299792458.0

// Wavelength in free space.
func (f MHz) Wavelength() Metres { return Metres(SpeedOfLight / (float64(f) * 1e6)) }

// Km is the length in kilometres.
func (m Metres) Km() float64 { return float64(m) / 1000 }

// Radians of the angle.
func (d Degrees) Radians() float64 { return float64(d) * math.Pi / 180 }

// FromRadians makes Degrees of an angle in radians.
func FromRadians(r float64) Degrees { return Degrees(r * 180 / math.Pi) }

// Bearing folds an angle into [0, 360).
func (d Degrees) Bearing() Degrees {
	b := math.Mod(float64(d), 360)
	if b < 0 {
		b += 360
	}
	if b == 360 {
		b = 0
	}
	return Degrees(b)
}

func print(v float64, prec int, suffix string) string {
	return strconv.FormatFloat(v, 'f', prec, 64) + " " + suffix
}

func (p DBm) String() string     { return print(float64(p), 1, "dBm") }
func (g DB) String() string      { return print(float64(g), 1, "dB") }
func (f MHz) String() string     { return print(float64(f), -1, "MHz") }
func (r Mbps) String() string    { return print(float64(r), 1, "Mbps") }
func (m Metres) String() string  { return print(float64(m), 1, "m") }
func (d Degrees) String() string { return print(float64(d), 2, "°") }
