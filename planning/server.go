package planning

import (
	"fmt"
	"math"
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// CoverOptions say whom a sector is to reach, and how it is computed.
type CoverOptions struct {
	Radius       unit.Metres   // 0: DefaultRadius
	Height       unit.Metres   // of the subscriber's antenna over ground; 0: DefaultInstall
	Gear         *network.Gear // of the subscriber, aimed at the sector; nil: Generic
	K            float64       // 0: 4/3
	Polarisation Polarisation  // "": vertical
	CellDeg      float64       // of the raster; 0: the terrain's own, but at most sweepCell
	Workers      int           // 0: one per core
}

// What a subscriber is taken to have: a small dish on the roof of a house of
// two floors, 6 m over ground, outdoors.
const (
	DefaultRadius  unit.Metres = 30000
	DefaultInstall unit.Metres = 6
)

func (o CoverOptions) withDefaults() CoverOptions {
	if o.Radius == 0 {
		o.Radius = DefaultRadius
	}
	if o.Height == 0 {
		o.Height = DefaultInstall
	}
	if o.Gear == nil {
		o.Gear = Generic()
	}
	if o.K == 0 {
		o.K = StandardK
	}
	if o.Polarisation == "" {
		o.Polarisation = Vertical
	}
	return o
}

func (o CoverOptions) valid() error {
	switch {
	case !(o.Radius >= 100 && o.Radius <= 100e3):
		return fault.New(fault.Invalid, "coverage radius %v: must be 100 to 100000 m", o.Radius)
	case !(o.Height > 0 && o.Height <= 500):
		return fault.New(fault.Invalid, "subscriber's antenna %v over ground: must be over 0 and at most 500 m", o.Height)
	case !(o.CellDeg >= 0 && o.CellDeg <= 1):
		return fault.New(fault.Invalid, "cell %g degrees: must be 0 (the terrain's own) to 1", o.CellDeg)
	}
	return nil
}

// server is a transmitter made ready to compute levels at subscribers.
type server struct {
	Transmitter
	opt    CoverOptions
	wave   Wave
	λ, ae  float64
	ground float64 // metres over sea level under the antenna
	h      float64 // of the antenna over sea level
	base   float64 // dBm: greatest EIRP plus the subscriber's gain
	fs1    float64 // free space loss at 1 m
	gas1   float64 // dB per metre
	beamAz float64 // degrees
	beamEl float64
	grades []grade // by rising level
	conf   network.Confidence
}

// grade is the throughput from a level on.
type grade struct {
	from   float64 // dBm
	usable float64 // Mbps
}

func newServer(t Terrain, tx Transmitter, o CoverOptions) (*server, error) {
	tx = tx.withDefaults()
	s := &server{Transmitter: tx, opt: o, wave: Wave{tx.Freq, o.K, o.Polarisation}}
	if err := s.wave.Valid(); err != nil {
		return nil, fmt.Errorf("sector %s: %w", tx.ID, err)
	}
	if !(tx.Height > 0 && tx.Height <= 500) {
		return nil, fault.New(fault.Invalid, "sector %s: antenna %v over ground: must be over 0 and at most 500 m", tx.ID, tx.Height)
	}
	if err := tx.inBand(); err != nil {
		return nil, err
	}
	if err := inBand(o.Gear, tx.Freq, tx.Width, "choose a subscriber's gear that has that band (--gear)"); err != nil {
		return nil, fmt.Errorf("sector %s: subscriber: %w", tx.ID, err)
	}
	if err := shareRate(tx.Gear, o.Gear, tx.Width); err != nil {
		return nil, fmt.Errorf("sector %s: %w", tx.ID, err)
	}
	if err := shareRate(o.Gear, tx.Gear, tx.Width); err != nil {
		return nil, fmt.Errorf("sector %s: %w", tx.ID, err)
	}
	from, err := tx.sender()
	if err != nil {
		return nil, err
	}
	ground, ok := t.Height(tx.At)
	if !ok {
		return nil, fault.New(fault.Invalid, "sector %s: no height at %v: load a terrain that covers it (crinale terrain info shows what is loaded)%s", tx.ID, tx.At, swapped(t, tx.At))
	}
	s.ground, s.h = ground, ground+float64(tx.Height)
	s.λ, s.ae = float64(tx.Freq.Wavelength()), s.wave.Radius()
	s.fs1 = float64(FreeSpace(tx.Freq, 1))
	s.gas1 = float64(StandardAir.Gas(tx.Freq, 1))
	s.beamAz, s.beamEl = beamwidths(s.Gear.Antenna)
	s.grade(from)
	return s, nil
}

// grade fills base and grades: a rate counts where it fits at the subscriber
// and the sector hears the subscriber at its most robust rate.
func (s *server) grade(from sender) {
	ss := steps(from, s.opt.Gear, s.Width)
	eirp := unit.DBm(math.Inf(-1))
	for _, st := range ss {
		eirp = max(eirp, st.eirp)
		s.conf = network.Worse(s.conf, st.rate.Confidence)
	}
	s.base = float64(eirp.Plus(s.opt.Gear.Antenna.Gain))
	// The subscriber answers within the same law.
	back := math.Inf(1)
	for _, st := range steps(sender{gear: s.opt.Gear, limit: from.limit}, s.Gear, s.Width) {
		need := st.rate.Sensitivity.Over(st.eirp.Plus(s.Gear.Antenna.Gain)) // −loss at least this
		back = math.Min(back, s.base+float64(need))
	}
	for _, st := range ss {
		from := float64(st.rate.Sensitivity.Plus(eirp.Over(st.eirp)))
		s.grades = append(s.grades, grade{math.Max(from, back), float64(Usable(st.rate.PHY))})
	}
	slices.SortFunc(s.grades, func(a, b grade) int {
		if a.from != b.from {
			if a.from < b.from {
				return -1
			}
			return 1
		}
		return int(math.Copysign(1, a.usable-b.usable))
	})
	best := 0.0
	keep := s.grades[:0]
	for _, g := range s.grades {
		if g.usable > best {
			best = g.usable
			keep = append(keep, g)
		}
	}
	s.grades = keep
}

// usable throughput in Mbps at a level; 0 when none fits.
func (s *server) usable(level float64) float64 {
	out := 0.0
	for _, g := range s.grades {
		if level < g.from {
			break
		}
		out = g.usable
	}
	return out
}

// level in dBm at the subscriber, d metres off, after diffraction, seen from
// the sector at an azimuth (radians) and rise (metres over its antenna).
func (s *server) level(d, azimuth, rise, diffraction float64) float64 {
	slant := math.Max(math.Hypot(d, rise), nearest)
	return s.base - s.off(d, azimuth, rise) - s.fs1 - 20*math.Log10(slant) - s.gas1*slant - diffraction
}

// nearest is the distance in metres under which free space loss means nothing.
const nearest = 10.0

// off is the pattern loss; a sector without azimuth has none in azimuth.
func (s *server) off(d, azimuth, rise float64) float64 {
	dAz := 0.0
	if az, ok := s.Azimuth.Get(); ok {
		dAz = azimuth*180/math.Pi - float64(az)
	}
	d = math.Max(d, 1)
	el := math.Atan(rise/d-d/(2*s.ae)) * 180 / math.Pi
	return pattern(s.beamAz, s.beamEl, dAz, el-float64(s.Tilt))
}

// exact is the level at one place by its own profile, as PlanLink computes it.
func (s *server) exact(t Terrain, p geo.LonLat) (float64, error) {
	prof, err := NewProfile(t, s.At, p)
	if err != nil {
		return 0, err
	}
	h := prof.H[len(prof.H)-1] + float64(s.opt.Height)
	d := prof.Length()
	az := s.At.Bearing(p).Radians()
	return s.level(d, az, h-s.h, float64(prof.Diffract(s.h, h, s.wave).Loss)), nil
}
