package planning

import (
	"math"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
)

// What stands for what a query leaves out.
const (
	DefaultFreq  unit.MHz = 5600
	DefaultWidth unit.MHz = 20
)

// End is an antenna at one end of a link.
type End struct {
	At     geo.LonLat
	Height unit.Metres   // of the antenna over ground
	Gear   *network.Gear // nil: Generic
	// TxPower is the power set at the antenna port; unknown: as much as the
	// product and the law allow.
	TxPower unit.Opt[unit.DBm]
	// Azimuth and Tilt the antenna points to; unknown: at the other end.
	Azimuth, Tilt unit.Opt[unit.Degrees]
}

// LinkQuery asks what a link would do. Zero values take the defaults of
// CONTRACTS: generic gear, 5600 MHz, 20 MHz, EIRP by law without TPC, k = 4/3,
// vertical polarisation.
type LinkQuery struct {
	A, B         End
	Freq, Width  unit.MHz
	K            float64
	Polarisation Polarisation
	EIRP         unit.Opt[unit.DBm] // of both ends; unknown: the law's limit
	Use          spectrum.Use       // "": RLAN
}

func (q LinkQuery) withDefaults() LinkQuery {
	if q.A.Gear == nil {
		q.A.Gear = Generic()
	}
	if q.B.Gear == nil {
		q.B.Gear = Generic()
	}
	if q.Freq == 0 {
		q.Freq = DefaultFreq
	}
	if q.Width == 0 {
		q.Width = DefaultWidth
	}
	if q.K == 0 {
		q.K = StandardK
	}
	if q.Polarisation == "" {
		q.Polarisation = Vertical
	}
	if q.Use == "" {
		q.Use = spectrum.RLAN
	}
	return q
}

func (q LinkQuery) wave() Wave { return Wave{q.Freq, q.K, q.Polarisation} }

func (q LinkQuery) valid() error {
	if err := q.wave().Valid(); err != nil {
		return err
	}
	if !(q.Width > 0 && q.Width <= 2160) {
		return fault.New(fault.Invalid, "channel width %v: must be over 0 and at most 2160 MHz", q.Width)
	}
	for _, g := range []*network.Gear{q.A.Gear, q.B.Gear} {
		if err := inBand(g, q.Freq, q.Width, "choose gear that has that band (--gear-a, --gear-b) or another frequency (--freq)"); err != nil {
			return err
		}
	}
	for _, e := range []struct {
		name string
		h    unit.Metres
	}{{"from", q.A.Height}, {"to", q.B.Height}} {
		if !(e.h > 0 && e.h <= 500) {
			return fault.New(fault.Invalid, "height of the antenna at %q: %v over ground must be over 0 and at most 500 m", e.name, e.h)
		}
	}
	if p, ok := q.EIRP.Get(); ok && !(p >= -50 && p <= 90) {
		return fault.New(fault.Invalid, "EIRP %v: must be -50 to 90 dBm", p)
	}
	if err := shareRate(q.A.Gear, q.B.Gear, q.Width); err != nil {
		return err
	}
	return shareRate(q.B.Gear, q.A.Gear, q.Width)
}

// PlanLink is what a link over t would do: clearance, losses, budget, verdict.
func PlanLink(t Terrain, q LinkQuery) (*LinkPlan, error) {
	q = q.withDefaults()
	if err := q.valid(); err != nil {
		return nil, err
	}
	limit, known := q.EIRP.Get()
	law, rule, err := LegalEIRP(q.Freq, q.Width, q.Use)
	if err != nil && !known {
		return nil, err
	}
	if !known {
		limit = law
	}
	prof, err := NewProfile(t, q.A.At, q.B.At)
	if err != nil {
		return nil, err
	}
	p := &LinkPlan{Query: q, Profile: prof, Terrain: prof.Source}
	if rule.Source != "" {
		p.law = &rule
		p.Budget.EIRPLimit = unit.Some(law)
	}
	p.fill()
	p.power(limit)
	p.judge()
	return p, nil
}

// fill sets places, clearance and loss.
func (p *LinkPlan) fill() {
	q, prof := p.Query, p.Profile
	w, d := q.wave(), prof.Length()
	gA, gB := prof.H[0], prof.H[len(prof.H)-1]
	hA, hB := gA+float64(q.A.Height), gB+float64(q.B.Height)
	p.hA, p.hB = hA, hB

	p.From = PlanEnd{Lat: q.A.At.Lat, Lon: q.A.At.Lon, Ground: round(gA), Height: float64(q.A.Height)}
	p.To = PlanEnd{Lat: q.B.At.Lat, Lon: q.B.At.Lon, Ground: round(gB), Height: float64(q.B.Height)}
	aA, tA := aim(q.A.At, q.B.At, hA, hB, d, q.K)
	aB, tB := aim(q.B.At, q.A.At, hB, hA, d, q.K)
	p.Dist, p.Bearing, p.Tilt, p.BackBearing, p.BackTilt = round(d), round(float64(aA)), round(float64(tA)), round(float64(aB)), round(float64(tB))
	p.Freq, p.Channel, p.K, p.Polarisation = float64(q.Freq), float64(q.Width), math.Round(q.K*1e4)/1e4, q.Polarisation

	c := prof.Clear(hA, hB, w)
	p.Limit = c
	p.Clearance = PlanClearance{LineOfSight: c.Metres >= 0, Zones: round(c.Zones), Height: round(c.Metres),
		At: round(c.D), Lat: math.Round(c.At.Lat*1e6) / 1e6, Lon: math.Round(c.At.Lon*1e6) / 1e6, Obstacle: round(c.Ground)}
	if c.Zones < clearEnough {
		a, b := prof.MastFor(hA, hB, clearEnough, w)
		p.Clearance.MastA, p.Clearance.MastB = unit.Some(unit.Metres(round(float64(a)))), unit.Some(unit.Metres(round(float64(b))))
	}

	slant := unit.Metres(math.Hypot(d, hB-hA))
	fs, gas := FreeSpace(q.Freq, slant), StandardAir.Gas(q.Freq, slant)
	diff := prof.Diffract(hA, hB, w)
	p.total = fs + gas + diff.Loss
	p.Loss = PlanLoss{FreeSpace: round(float64(fs)), Diffraction: round(float64(diff.Loss)), Gas: round(float64(gas)), Total: round(float64(p.total))}
}

// power sets the budget of both directions.
func (p *LinkPlan) power(limit unit.DBm) {
	q := p.Query
	offA, offB := q.A.off(p.Bearing, p.Tilt), q.B.off(p.BackBearing, p.BackTilt)
	p.sendA = sender{q.A.Gear, limit, q.A.TxPower, offA}
	p.hearB = receiver{q.B.Gear, offB}
	there := budget(p.sendA, p.hearB, q.Width, p.total)
	back := budget(sender{q.B.Gear, limit, q.B.TxPower, offB}, receiver{q.A.Gear, offA}, q.Width, p.total)
	noise := Noise(q.Width)
	b := &p.Budget
	b.GearA, b.GearB = label(q.A.Gear), label(q.B.Gear)
	b.EIRP, b.RSSI, b.Noise, b.SNR = round(float64(there.eirp)), round(float64(there.rssi)), round(float64(noise)), round(float64(there.rssi.Over(noise)))
	b.NoiseFigure, b.UsableShare = float64(NoiseFigure), UsableShare
	b.MCS, b.Streams, b.Rate = rateKeys(there)
	b.Usable = round(b.Rate * UsableShare)
	b.Confidence = network.Worse(there.conf, back.conf)
	b.BackEIRP, b.BackRSSI = round(float64(back.eirp)), round(float64(back.rssi))
	b.BackMCS, _, b.BackRate = rateKeys(back)
	b.OffA, b.OffB = round(float64(offA)), round(float64(offB))
}

func rateKeys(w way) (mcs, streams *int, phy float64) {
	if !w.ok {
		return nil, nil, 0
	}
	m, s := w.rate.MCS, w.rate.Streams
	return &m, &s, round(float64(w.rate.PHY))
}

// off is the antenna's loss towards the other end, which stands at a bearing
// and a tilt.
func (e End) off(bearing, tilt float64) unit.DB {
	var dAz, dEl unit.Degrees
	if az, ok := e.Azimuth.Get(); ok {
		dAz = unit.Degrees(bearing) - az
	}
	if el, ok := e.Tilt.Get(); ok {
		dEl = unit.Degrees(tilt) - el
	}
	return Off(e.Gear.Antenna, dAz, dEl)
}

// aim is the azimuth on the ellipsoid and the tilt of the ray as it leaves a
// over an Earth of k times its radius.
func aim(a, b geo.LonLat, hA, hB, d, k float64) (azimuth, tilt unit.Degrees) {
	azimuth, _, _ = geo.NewFrame(a, unit.Metres(hA)).Local(b, unit.Metres(hB)).Aim()
	return azimuth, unit.FromRadians(math.Atan((hB-hA)/d - d/(2*k*earthMean)))
}

// round keeps what a figure of ours can mean: a thousandth.
func round(v float64) float64 { return math.Round(v*1000)/1000 + 0 }
