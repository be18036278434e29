package routeros

import (
	"strings"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// drivers are the three families of radio menus. A path is the menu's; the
// first that exists is used.
var drivers = [...]struct {
	name  string
	paths []string
	props string // of its print: what changes slowly
}{
	{"wireless", []string{"/interface/wireless"}, "name,ssid,frequency,channel-width,tx-power"},
	{"wifi", []string{"/interface/wifi", "/interface/wifiwave2"}, "name,ssid,configuration.ssid,channel.frequency,channel.width,configuration.tx-power"},
	{"w60g", []string{"/interface/w60g"}, "name,ssid,frequency"},
}

// settings are the radios of a driver and the path of its menu, from memory or
// fresh; path is "" when the device has no such driver.
func (r *round) settings(driver string) (set []setting, path string) {
	for _, d := range drivers {
		if d.name != driver {
			continue
		}
		for _, p := range d.paths {
			rows, ok := r.slowly(p+"/print", d.props, r.cfg.SlowEvery)
			if ok {
				r.s.radios[p] = parseSettings(rows)
			}
			if r.err == nil && !r.s.absent[p+"/print"] {
				return r.s.radios[p], p
			}
		}
	}
	return nil, ""
}

func parseSettings(rows []row) []setting {
	first := func(v row, keys ...string) string {
		for _, k := range keys {
			if v[k] != "" {
				return v[k]
			}
		}
		return ""
	}
	var set []setting
	for _, v := range rows {
		if v["name"] == "" || strings.Contains(v["name"], ",") {
			continue
		}
		set = append(set, setting{
			name: v["name"], ssid: first(v, "ssid", "configuration.ssid"),
			freq:  first(v, "frequency", "channel.frequency"),
			width: first(v, "channel-width", "channel.width"),
			power: first(v, "tx-power", "configuration.tx-power"),
		})
	}
	return set
}

// enabled are the names of the radios that can be monitored.
func (r *round) enabled(set []setting) []string {
	off := map[string]bool{}
	for _, i := range r.obs.Interfaces {
		off[i.Name] = i.Disabled
	}
	var names []string
	for _, s := range set {
		if !off[text(s.name)] {
			names = append(names, s.name)
		}
	}
	return names
}

// state is what the settings alone say of a radio.
func (s setting) state(driver string) network.RadioState {
	return network.RadioState{
		Interface: text(s.name), Driver: driver, SSID: text(s.ssid),
		Freq: frequency(s.freq), Width: megahertz(s.width), TxPower: level(s.power),
	}
}

// monitor reads the state of the radios of one menu.
func (r *round) monitor(path, props string, names []string) map[string]row {
	if len(names) == 0 {
		return nil
	}
	rows, _ := r.read(path+"/monitor", props, "=numbers="+strings.Join(names, ","), "=once=")
	return byName(rows, names)
}

// tune lays what the channel in use says over a radio's settings.
func tune(s *network.RadioState, c channel) {
	if c.Freq.Known() {
		s.Freq, s.Width = c.Freq, or(c.Width, s.Width)
	}
	if c.Power.Known() {
		s.TxPower = c.Power
	}
}

// peersOn counts the peers found on one interface.
func (r *round) peersOn(driver, name string) int {
	n := 0
	for _, p := range r.obs.Peers {
		if p.Driver == driver && p.Interface == name {
			n++
		}
	}
	return n
}

// or is the first of two that is known.
func or[T ~float64](a, b unit.Opt[T]) unit.Opt[T] {
	if a.Known() {
		return a
	}
	return b
}
