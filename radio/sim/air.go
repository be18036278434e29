package sim

import (
	"math"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// level is the received level at one end without the noise of one sample:
// planned, with what the settings, the weather and the faults change. False:
// not known.
func (l *link) level(e *end, now time.Time) (float64, bool) {
	p, ok := e.planned.Get()
	if !ok || l.b == nil {
		return 0, false
	}
	here, far := e.radio(), e.other().radio()
	v := float64(p) + far.tx - e.other().txRef
	freq := here.freq
	if freq == 0 {
		freq = far.freq
	}
	if freq > 0 {
		v -= 20*math.Log10(freq) - l.lossBase
		v -= rainLoss(freq/1000, l.fleet.weather.RainMMH, l.km)
	}
	for _, x := range l.fleet.faults {
		if x.Kind == Attenuate && x.hits(l) {
			v -= float64(x.DB)
		}
		if x.Kind == ChainLoss && x.Device == e.dev.id {
			v -= 10 * math.Log10(2/(1+math.Pow(10, -float64(x.DB)/10)))
		}
	}
	// Refraction and foliage wander by the hour, the same both ways.
	name := "drift/" + string(l.net.ID)
	v += 0.8*l.fleet.smooth(name, now, time.Hour) + 0.5*l.fleet.smooth(name+"/fast", now, 4*time.Minute)
	return v, true
}

// sampled is level with the noise of one sample.
func (l *link) sampled(e *end, now time.Time) float64 {
	v, _ := l.level(e, now)
	return v + 0.4*l.fleet.normal("sample/"+string(l.net.ID)+e.letter(), now.UnixMilli()/100)
}

func (e *end) letter() string {
	if e.isA() {
		return "/a"
	}
	return "/b"
}

// noiseFigure of every receiver, dB.
const noiseFigure = 6

// noise floor in dBm of a channel width in MHz: thermal noise (-174 dBm/Hz), the
// receiver's figure, and interference.
func (d *device) noise(width float64, now time.Time) float64 {
	v := -174 + 10*math.Log10(width*1e6) + noiseFigure + d.interference()
	return v + 0.5*d.fleet.smooth("noise/"+string(d.id), now, 2*time.Minute)
}

func (e *end) noise(now time.Time) float64 { return e.dev.noise(e.radio().width, now) }

func (d *device) interference() float64 {
	v := 0.0
	for _, x := range d.fleet.faults {
		if x.Kind == Interference && x.Device == d.id {
			v += float64(x.DB)
		}
	}
	return v
}

// chains splits a level over two receive chains that add up to it.
func (e *end) chains(level float64) (ch0, ch1 float64) {
	gap := 3 * (e.dev.fleet.uniform("chains/"+string(e.link.net.ID)+e.letter(), 0) - 0.5)
	for _, x := range e.dev.fleet.faults {
		if x.Kind == ChainLoss && x.Device == e.dev.id {
			gap += float64(x.DB)
		}
	}
	ch0 = level - 10*math.Log10(1+math.Pow(10, -gap/10))
	return ch0, ch0 - gap
}

// sheet is the rates of a device's gear at a width; where its sheet has none,
// the minima of the standards stand in. It needs the fleet's lock.
func (d *device) sheet(width float64) []network.Rate {
	rs := d.sheets[width]
	if rs == nil {
		rs = d.newSheet(width)
		d.sheets[width] = rs
	}
	return rs
}

func (d *device) newSheet(width float64) []network.Rate {
	var rs []network.Rate
	for _, r := range d.gear.Rates {
		if float64(r.Width) == width {
			rs = append(rs, r)
		}
	}
	if len(rs) > 0 {
		return rs
	}
	if d.driver == w60g {
		return minima60
	}
	return minima(width)
}

// Least receiver levels of IEEE 802.11 VHT at 20 MHz, MCS 0 to 8, and the rates
// of one stream with 800 ns guard interval; 3 dB more for each doubling of the
// width. The levels are general knowledge, the standard was not read for them.
var vht = []struct{ sens, mbps float64 }{
	{-82, 6.5}, {-79, 13}, {-77, 19.5}, {-74, 26}, {-70, 39}, {-66, 52}, {-65, 58.5}, {-64, 65}, {-59, 78},
}

func minima(width float64) []network.Rate {
	rs := make([]network.Rate, len(vht))
	for i, v := range vht {
		rs[i] = network.Rate{MCS: i, Streams: 2, Width: unit.MHz(width), PHY: unit.Mbps(2 * v.mbps * dataShare(width)), Sensitivity: unit.DBm(v.sens + 10*math.Log10(width/20))}
	}
	return rs
}

// dataShare is the number of data subcarriers over the 52 of 20 MHz.
func dataShare(width float64) float64 {
	switch {
	case width >= 160:
		return 468.0 / 52
	case width >= 80:
		return 234.0 / 52
	case width >= 40:
		return 108.0 / 52
	}
	return width / 20
}

// Least levels and rates of IEEE 802.11 DMG, MCS 1 to 12: general knowledge,
// the standard was not read for them.
var minima60 = func() []network.Rate {
	var rs []network.Rate
	for i, v := range []struct{ sens, mbps float64 }{
		{-68, 385}, {-66, 770}, {-65, 962.5}, {-64, 1155}, {-62, 1251.25}, {-63, 1540}, {-62, 1925}, {-61, 2310}, {-59, 2502.5}, {-55, 3080}, {-54, 3850}, {-53, 4620},
	} {
		rs = append(rs, network.Rate{MCS: i + 1, Streams: 1, Width: width60, PHY: unit.Mbps(v.mbps), Sensitivity: unit.DBm(v.sens)})
	}
	return rs
}()

// faintest is the least level that any rate of the device holds at.
func (d *device) faintest(width float64) float64 {
	v := math.Inf(1)
	for _, r := range d.sheet(width) {
		v = math.Min(v, float64(r.Sensitivity))
	}
	return v
}

// best is the rate sent from one end: the fastest that the level at the other
// sustains over its noise. False: only the legacy rate is left.
func (l *link) best(from *end, now time.Time) (network.Rate, bool) {
	to := from.other()
	level, _ := l.level(to, now)
	level -= to.dev.interference()
	return to.dev.best(to.radio().width, level)
}

// best is the fastest rate that a level sustains at the device.
func (d *device) best(width, level float64) (best network.Rate, found bool) {
	for _, r := range d.sheet(width) {
		if level >= float64(r.Sensitivity) && (!found || r.PHY > best.PHY) {
			best, found = r, true
		}
	}
	return best, found
}

// rate in Mbps on the air from one end.
func (l *link) rate(from *end, now time.Time) float64 {
	if r, ok := l.best(from, now); ok {
		return float64(r.PHY)
	}
	if from.dev.driver == w60g {
		return 27.5 // the control rate of DMG, MCS 0
	}
	return 6 * from.radio().width / 20
}

// margin is how far the level at to lies above what its present rate needs.
func (l *link) margin(to *end, now time.Time) float64 {
	level, _ := l.level(to, now)
	level -= to.dev.interference()
	if r, ok := l.best(to.other(), now); ok {
		return level - float64(r.Sensitivity)
	}
	return level - to.dev.faintest(to.radio().width)
}

// ccq in percent of what is sent from one end: near 100 with some margin.
func (l *link) ccq(from *end, now time.Time) float64 {
	m := l.margin(from.other(), now)
	v := 100 - 22*math.Exp(-math.Max(m, -4)/1.5)
	return clamp(v+2*l.fleet.normal("ccq/"+string(l.net.ID)+from.letter(), now.UnixMilli()/1000), 3, 100)
}

// Shares of a link's rate that traffic can use, and of the downward traffic
// that goes up.
const (
	usable  = 0.6
	upShare = 0.12
)

// traffic in Mbps sent from one end now: the demand of the hour, as far as the
// link and the cables behind it carry it.
func (l *link) traffic(from *end, now time.Time) float64 {
	if !l.up || !from.dev.on() {
		return 0
	}
	v := l.demand * busy(now) * (1 + 0.3*l.fleet.smooth("demand/"+string(l.net.ID), now, 90*time.Second))
	if !from.isA() {
		v *= upShare
	}
	limit := 900.0
	if l.net.Medium == network.Radio {
		limit = usable * l.rate(from, now)
	}
	for _, e := range l.both() {
		if e.dev.slowCable() {
			limit = math.Min(limit, 94)
		}
	}
	return math.Min(v, limit)
}

func (d *device) slowCable() bool {
	return d.fleet.has(func(x *active) bool { return x.Kind == Ethernet100 && x.Device == d.id })
}

// busy is the share of the peak demand by the hour of Central European Time:
// least at five in the morning, most at nine in the evening.
func busy(t time.Time) float64 {
	t = t.UTC()
	h := math.Mod(float64(t.Hour()+1)+float64(t.Minute())/60+float64(t.Second())/3600, 24)
	v := 0.55 + 0.35*math.Cos((h-21)/24*2*math.Pi) + 0.12*math.Cos((h-21)/12*2*math.Pi)
	return clamp(v, 0.08, 1)
}

// count adds the traffic since the last count, in steps of a minute or more.
func (l *link) count(now time.Time) {
	gap := now.Sub(l.counted)
	if gap <= 0 {
		return
	}
	if l.up {
		n := int(clamp(math.Ceil(gap.Minutes()), 1, 60))
		step := gap / time.Duration(n)
		for i := range n {
			at := l.counted.Add(time.Duration(i)*step + step/2)
			down := l.traffic(l.a, at) * 1e6 / 8 * step.Seconds()
			l.a.tx += down
			if l.b == nil {
				l.a.rx += down / upShare
				continue
			}
			up := l.traffic(l.b, at) * 1e6 / 8 * step.Seconds()
			l.a.rx += up
			l.b.tx += up
			l.b.rx += down
		}
	}
	l.counted = now
}

// flow is the traffic of an end now, Mbps.
func (e *end) flow(now time.Time) (tx, rx float64) {
	tx = e.link.traffic(e, now)
	if o := e.other(); o != nil {
		return tx, e.link.traffic(o, now)
	}
	return tx * upShare, tx // an outside line brings more than it takes
}
