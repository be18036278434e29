package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/unit"
)

func (l *loader) checkDevices(p places) {
	macs, addresses := map[string]strict.At{}, map[string]strict.At{}
	for _, r := range l.devices {
		r.MAC = l.mac(r.At, r.MAC)
		l.address(r.At, r.Address)
		l.twice(r.At, "mac", r.MAC, macs)
		l.twice(r.At, "address", r.Address, addresses)
		l.place(r, p)
		l.between(r.At, "height_m", float64(r.HeightM), 0, 300)
		l.between(r.At, "azimuth_deg", float64(r.Azimuth.Or(0)), 0, 360)
		l.between(r.At, "tilt_deg", float64(r.Tilt.Or(0)), -90, 90)
		g, ok := l.gearOf(r)
		l.checkNames(r, ok && g.Class == "router")
		if ok && g.Class != "router" {
			if r.HeightM < 0.5 && !l.told(r.At, "height_m") {
				l.bad(r.At, "height_m", "a radio needs the height of its antenna over ground in metres, at least 0.5")
			}
			l.checkSettings(r, g)
		}
		l.net.Devices = append(l.net.Devices, r.device())
	}
}

// twice reports a value that may be there only once.
func (l *loader) twice(at strict.At, key, value string, seen map[string]strict.At) {
	if value == "" {
		return
	}
	if first, ok := seen[value]; ok {
		l.bad(at, key, "%s is used twice, first at %v: each device has its own", value, first)
		return
	}
	seen[value] = at
}

// place checks that the device stands at one site or one seat that exists.
func (l *loader) place(r deviceRow, p places) {
	switch {
	case r.Site == "" && r.Seat == "":
		l.bad(r.At, "", "the device stands nowhere: add site: or seat:")
	case r.Site != "" && r.Seat != "":
		l.bad(r.At, "seat", "the device stands at a site and at a seat: keep one of them")
	case r.Site != "":
		s, ok := p.sites[r.Site]
		if !ok {
			missing(l, r.At, "site", "site", r.Site, sortedKeys(p.sites), "")
		} else if s.HeightM > 0 && r.HeightM > s.HeightM+3 {
			l.bad(r.At, "height_m", "%v up on a structure of %v at %v: correct one of them", r.HeightM, s.HeightM, s.At)
		}
	default:
		if _, ok := p.seats[r.Seat]; !ok {
			missing(l, r.At, "seat", "seat", r.Seat, sortedKeys(p.seats), "")
		}
	}
}

// gearOf finds the sheet of a device and reports when there is none.
func (l *loader) gearOf(r deviceRow) (Gear, bool) {
	g, ok := l.net.Gear[r.Gear]
	if !ok && r.Gear != "" && l.gearTold(r.Gear) {
		missing(l, r.At, "gear", "gear sheet", r.Gear, sortedKeys(l.net.Gear), " (sheets stand in the folder gear)")
	}
	return g, ok
}

// gearTold says true the first time a sheet is missed: one slip, one line.
func (l *loader) gearTold(id GearID) bool {
	if l.missed[id] {
		return false
	}
	if l.missed == nil {
		l.missed = map[GearID]bool{}
	}
	l.missed[id] = true
	return true
}

func (l *loader) checkSettings(r deviceRow, g Gear) {
	s := r.Settings
	if f, ok := s.Freq.Get(); ok {
		if !g.Carries(f, s.Width.Or(0)) {
			l.bad(s.At, "freq_mhz", "%v is outside the bands of %s: %s, with the width of the channel", f, g.ID, g.BandText())
		} else if len(spectrum.Uses(f)) == 0 {
			l.bad(s.At, "freq_mhz", "no rule is known for %v: choose a frequency that %s may use, or add its rule to the spectrum table", f, g.ID)
		}
	}
	if w, ok := s.Width.Get(); ok {
		if ws := g.Widths(); !slices.Contains(ws, w) {
			l.bad(s.At, "width_mhz", "%s has no rates at %v: write one of %s", g.ID, w, numbers(ws))
		}
	}
	if tx, ok := s.TxPower.Get(); ok {
		l.power(s.At, "tx_power_dbm", s.TxPower)
		if most, ok := g.mostTx(s.Width).Get(); ok && tx > most {
			l.bad(s.At, "tx_power_dbm", "%v is more than the %v that %s can send", tx, most, g.ID)
		}
	}
	oneOf(l, s.At, "protocol", s.Protocol, protocols...)
	switch {
	case g.Class == "w60g" && s.Protocol != "" && s.Protocol != "w60g":
		l.bad(s.At, "protocol", "%s is a 60 GHz radio: write w60g or leave the key out", g.ID)
	case g.Class != "w60g" && s.Protocol == "w60g":
		l.bad(s.At, "protocol", "%s is no 60 GHz radio: write 802.11 or nv2", g.ID)
	case g.Class == "wifi" && s.Protocol == "nv2":
		l.bad(s.At, "protocol", "%s runs the wifi drivers, which lost nv2: write 802.11", g.ID)
	}
	if len([]byte(s.SSID)) > 32 {
		l.bad(s.At, "ssid", "%d bytes: an SSID has at most 32", len([]byte(s.SSID)))
	}
}

// mostTx is the greatest Tx power at the width, of all widths when it is not
// said.
func (g Gear) mostTx(width unit.Opt[unit.MHz]) unit.Opt[unit.DBm] {
	if w, ok := width.Get(); ok {
		return g.MaxTx(w)
	}
	var best unit.Opt[unit.DBm]
	for _, w := range g.Widths() {
		if p, ok := g.MaxTx(w).Get(); ok && p > best.Or(-1000) {
			best = unit.Some(p)
		}
	}
	return best
}

func numbers(ws []unit.MHz) string {
	ss := make([]string, len(ws))
	for i, w := range ws {
		ss[i] = fmt.Sprint(float64(w))
	}
	return strings.Join(ss, ", ")
}
