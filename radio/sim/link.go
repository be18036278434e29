package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// link is the air, or the cable, between two devices. The fleet's lock guards
// it.
type link struct {
	fleet *Fleet
	index int
	net   network.Link
	a, b  *end // b is nil where the link leaves the network
	km    float64

	up       bool
	matched  time.Time // since when both ends would associate; zero: they do not
	since    time.Time // association
	joins    int
	counted  time.Time // until when the traffic is in the counters
	demand   float64   // Mbps towards B at the busiest moment
	lossBase float64   // 20 log f of the planned frequency
}

// end is one side of a link.
type end struct {
	link    *link
	dev     *device
	port    string             // default-name of the interface it uses
	planned unit.Opt[unit.DBm] // level here, when all is as in the files
	txRef   float64            // Tx power here in that plan, dBm
	tx, rx  float64            // bytes since boot
	downs   int
	wentUp  time.Time
	wentOff time.Time
}

func (e *end) isA() bool { return e.link.a == e }

func (e *end) other() *end {
	if e.isA() {
		return e.link.b
	}
	return e.link.a
}

func newLink(f *Fleet, i int, nl network.Link) (*link, error) {
	l := &link{fleet: f, index: i, net: nl}
	join := func(id network.DeviceID) (*end, error) {
		d := f.byID[id]
		if d == nil {
			return nil, fmt.Errorf("link %s: no device %q in the network", nl.ID, id)
		}
		e := &end{link: l, dev: d}
		d.ends = append(d.ends, e)
		return e, nil
	}
	var err error
	if l.a, err = join(nl.A); err != nil {
		return nil, err
	}
	if nl.B != "" {
		if nl.B == nl.A {
			return nil, fmt.Errorf("link %s: both ends are %s", nl.ID, nl.A)
		}
		if l.b, err = join(nl.B); err != nil {
			return nil, err
		}
		p, _, ok1 := f.deps.Network.Position(nl.A)
		q, _, ok2 := f.deps.Network.Position(nl.B)
		if ok1 && ok2 {
			l.km = p.Distance(q).Km()
		}
	} else if nl.Medium == network.Radio {
		return nil, fmt.Errorf("link %s: a radio link needs two devices", nl.ID)
	}
	return l, nil
}

// plan asks for the planned levels.
func (f *Fleet) plan() {
	for _, l := range f.links {
		for _, e := range l.both() {
			if l.net.Medium != network.Radio {
				continue
			}
			if p, ok := f.deps.Level(l.net.ID, e.dev.id); ok {
				f.mu.Lock()
				e.planned = unit.Some(p)
				f.mu.Unlock()
			} else {
				f.log.Warn("no planned level: the link stays down", "link", l.net.ID, "at", e.dev.id)
			}
		}
	}
}

// startAir starts the links that can be up, as if they had been so since their
// devices booted. It needs the fleet's lock.
func (f *Fleet) startAir(now time.Time) {
	for _, l := range f.links {
		for _, e := range l.both() {
			if l.net.Medium == network.Radio {
				want := radioOf(e.dev, e.dev.factory.port(e.port))
				e.txRef = want.tx
				l.lossBase = 20 * math.Log10(want.freq)
			}
		}
		l.demand = 20
		if l.net.Medium == network.Radio && l.a.planned.Known() && l.b.planned.Known() {
			l.demand = usable * 6
			if r, ok := l.b.dev.best(l.b.radio().width, float64(l.b.planned.Or(0))); ok {
				l.demand = usable * float64(r.PHY)
			}
		}
		l.demand *= 0.15 + 0.45*f.uniform("demand/"+string(l.net.ID), 0)
		l.begin(now)
	}
}

// begin is up since the later boot of the two, where both ends fit; the bytes
// are those of half the greatest demand since each boot.
func (l *link) begin(now time.Time) {
	l.counted, l.matched, l.up = now, time.Time{}, false
	if !l.fits(now) {
		return
	}
	l.up, l.joins = true, 1
	for _, e := range l.both() {
		if e.dev.boot.After(l.since) {
			l.since = e.dev.boot
		}
	}
	l.matched = l.since
	for _, e := range l.both() {
		e.wentUp = l.since
		down := now.Sub(e.dev.boot).Seconds() * 0.5 * l.demand * 1e6 / 8
		e.tx, e.rx = down, down*upShare
		if !e.isA() {
			e.tx, e.rx = e.rx, e.tx
		}
	}
}

func (l *link) both() []*end {
	if l.b == nil {
		return []*end{l.a}
	}
	return []*end{l.a, l.b}
}

// speaks says whether a station's protocol setting joins an access point's.
func speaks(ap, station string) bool {
	if ap == station {
		return true
	}
	switch station {
	case "any", "unspecified":
		return ap != w60g
	case "nv2-nstreme-802.11":
		return ap == "nv2" || ap == "802.11"
	}
	return false
}

// fits says whether the two ends would associate now.
func (l *link) fits(now time.Time) bool {
	for _, e := range l.both() {
		row := e.dev.config.port(e.port)
		if !e.dev.on() || row == nil || row.disabled() {
			return false
		}
	}
	if l.fleet.has(func(x *active) bool { return x.Kind == Off && x.Link == l.net.ID }) {
		return false
	}
	if l.net.Medium != network.Radio {
		return true
	}
	ap, st := l.a.radio(), l.b.radio()
	if !ap.ap {
		ap, st = st, ap
	}
	if !ap.ap || st.ap || ap.ssid != st.ssid && st.ssid != "" || ap.width != st.width || !speaks(ap.protocol, st.protocol) {
		return false
	}
	if ap.freq != st.freq && ap.freq != 0 && st.freq != 0 {
		return false
	}
	// A link that is up holds on a little below what it needs to come up.
	below := -4.0
	if l.up {
		below = -6
	}
	for _, e := range l.both() {
		level, ok := l.level(e, now)
		if !ok || level < e.dev.faintest(e.radio().width)+below {
			return false
		}
	}
	return true
}

// settle counts the traffic until now, and lets the link come or go.
func (l *link) settle(now time.Time) {
	l.count(now)
	fits := l.fits(now)
	switch {
	case !fits:
		l.matched = time.Time{}
		if l.up {
			l.drop(now)
		}
	case l.matched.IsZero():
		l.matched = now
		fallthrough
	default:
		if t := l.matched.Add(max(l.fleet.cfg.Join, 0)); !l.up && !now.Before(t) {
			l.up, l.since, l.counted = true, t, t
			l.joins++
			for _, e := range l.both() {
				e.wentUp = t
				e.dev.notify()
			}
		}
	}
}

func (l *link) drop(now time.Time) {
	l.up = false
	for _, e := range l.both() {
		e.downs++
		e.wentOff = now
		e.dev.notify()
	}
}
