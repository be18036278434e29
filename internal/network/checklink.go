package network

import (
	"fmt"

	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/strict"
)

// checkSector also fills the use and the band that were left out.
func (l *loader) checkSector(r *sectorRow, p places) {
	if r.Use == "" {
		r.Use = spectrum.RLAN
	}
	d, ok := p.devices[r.Device]
	if !ok {
		l.noDevice(r.At, "device", r.Device, p)
		return
	}
	if first, twice := p.serves[r.Device]; twice {
		l.bad(r.At, "device", "device %q already serves the sector %q at %v: one sector a device", r.Device, first.ID, first.At)
		return
	}
	p.serves[r.Device] = *r
	g, ok := l.net.Gear[d.Gear]
	if !ok {
		return
	}
	if g.Class == "router" {
		l.bad(r.At, "device", "device %q has no radio (gear %s)", r.Device, g.ID)
		return
	}
	if g.Antenna.BeamwidthAz < 360 && !d.Azimuth.Known() {
		l.bad(d.At, "azimuth_deg", "missing: the device serves the sector %q, say where its antenna looks", r.ID)
	}
	l.sectorRule(r, d)
}

func (l *loader) sectorRule(r *sectorRow, d deviceRow) {
	f, ok := d.Settings.Freq.Get()
	if !ok {
		l.bad(settingsAt(d), "freq_mhz", "missing: the device serves the sector %q", r.ID)
		return
	}
	rule, err := spectrum.Lookup(f, r.Use)
	if err != nil {
		if us := spectrum.Uses(f); len(us) > 0 {
			l.bad(r.At, "use", "%q is no use known at %v: write one of %s", r.Use, f, words(us))
		}
		return
	}
	band := fmt.Sprintf("%v-%v", float64(rule.From), float64(rule.To))
	if r.Band == "" {
		r.Band = band
	}
	if r.Band != band {
		l.bad(r.At, "band", "%q does not hold the %v of device %q: write %s or leave the key out", r.Band, f, d.ID, band)
	}
}

func (l *loader) noDevice(at strict.At, key string, id DeviceID, p places) {
	if id != "" {
		missing(l, at, key, "device", id, sortedKeys(p.devices), "")
	}
}

func (l *loader) checkLinks(p places) {
	used := map[DeviceID]linkRow{}
	for _, r := range l.links {
		oneOf(l, r.At, "medium", r.Medium, media...)
		l.between(r.At, "min_mbps", float64(r.MinMbps), 0, 100_000)
		l.partnersKnown(r.At, r.Partners, p.partners)
		a, okA := p.devices[r.A]
		if !okA {
			l.noDevice(r.At, "a", r.A, p)
		}
		b, okB := p.devices[r.B]
		if !okB && r.B != "" {
			l.noDevice(r.At, "b", r.B, p)
		}
		if r.A == r.B && r.A != "" {
			l.bad(r.At, "b", "a link joins two devices, not %q with itself", r.A)
		}
		if r.Medium == Radio {
			if r.B == "" {
				l.bad(r.At, "b", "a radio link needs both ends: add b: with the device of the other end")
			}
			for _, end := range []DeviceID{r.A, r.B} {
				if _, ap := p.serves[end]; ap && end == r.A || end == "" {
					continue
				}
				if first, twice := used[end]; twice {
					l.bad(r.At, "", "device %q is already in the link %q at %v: a radio has one link, unless it is a of links of its sector", end, first.ID, first.At)
				}
				used[end] = r
			}
			if okA && okB && r.A != r.B {
				l.checkRadio(r, a, b, p)
			}
		}
		l.checkLinkSector(r, p)
		l.net.Links = append(l.net.Links, Link{r.ID, r.Name, r.Medium, r.A, r.B, r.Sector, r.Partners, r.MinMbps})
	}
}

func (l *loader) checkLinkSector(r linkRow, p places) {
	serves, ap := p.serves[r.A]
	if r.Sector == "" {
		if ap && r.Medium == Radio {
			l.bad(r.At, "sector", "device %q serves the sector %q: add sector: %s", r.A, serves.ID, serves.ID)
		}
		return
	}
	s, ok := p.sectors[r.Sector]
	switch {
	case !ok:
		missing(l, r.At, "sector", "sector", r.Sector, sortedKeys(p.sectors), "")
	case r.Medium != Radio:
		l.bad(r.At, "sector", "a %s link has no sector: remove the key", r.Medium)
	case s.Device != r.A:
		l.bad(r.At, "a", "the access point of the sector %q is %q: write it as a, and the station as b", r.Sector, s.Device)
	}
}

// checkRadio compares the two ends of a radio link.
func (l *loader) checkRadio(r linkRow, a, b deviceRow, p places) {
	ga, okA := l.net.Gear[a.Gear]
	gb, okB := l.net.Gear[b.Gear]
	if !okA || !okB {
		return
	}
	for _, e := range []struct {
		key string
		d   deviceRow
		g   Gear
	}{{"a", a, ga}, {"b", b, gb}} {
		if e.g.Class == "router" {
			l.bad(r.At, e.key, "device %q has no radio (gear %s)", e.d.ID, e.g.ID)
			return
		}
	}
	if (ga.Class == "w60g") != (gb.Class == "w60g") {
		l.bad(r.At, "b", "%s and %s cannot hear each other: only one of them is a 60 GHz radio", ga.ID, gb.ID)
		return
	}
	sa, sb := a.Settings, b.Settings
	if fa, ok := sa.Freq.Get(); ok {
		if fb, ok := sb.Freq.Get(); ok && fa != fb {
			l.bad(sb.At, "freq_mhz", "%v here, but %v at the other end %q of the link %q (%v): make them equal", fb, fa, a.ID, r.ID, a.At)
		}
	}
	if wa, ok := sa.Width.Get(); ok {
		if wb, ok := sb.Width.Get(); ok && wa != wb {
			l.bad(sb.At, "width_mhz", "%v here, but %v at the other end %q of the link %q (%v): make them equal", wb, wa, a.ID, r.ID, a.At)
		}
	}
	if (sa.Protocol == "nv2") != (sb.Protocol == "nv2") {
		l.bad(settingsAt(b), "protocol", "only one end of the link %q speaks nv2, the other is %q (%v): make them equal", r.ID, a.ID, a.At)
	}
	if pa, ok := p.where(a); ok {
		if pb, ok := p.where(b); ok && pa.Distance(pb) < 1 {
			l.bad(r.At, "b", "%q and %q stand at the same place: a radio link needs a distance", a.ID, b.ID)
		}
	}
}

// settingsAt is where the settings of a device stand, or should.
func settingsAt(d deviceRow) strict.At {
	if d.Settings.At.File != "" {
		return d.Settings.At
	}
	at := d.At
	at.Path += ".settings"
	return at
}
