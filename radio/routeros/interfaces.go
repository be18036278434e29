package routeros

import (
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// perCommand is how many interfaces one monitor command names at most.
const perCommand = 64

// interfaces reads the interface table, the state of the Ethernet ports and
// the traffic of ports and radios.
func (r *round) interfaces() {
	rows, ok := r.read("/interface/print", "name,type,mac-address,running,disabled,rx-byte,tx-byte,link-downs")
	if !ok {
		return
	}
	var ports, flows, radios []string
	at := map[string]int{}
	for _, v := range rows {
		i := network.Interface{
			Name: text(v["name"]), Type: text(v["type"]), MAC: hardware(v["mac-address"]),
			Running: truth(v["running"]), Disabled: truth(v["disabled"]),
		}
		i.RxBytes, _ = counter(v["rx-byte"])
		i.TxBytes, _ = counter(v["tx-byte"])
		i.LinkDowns, _ = counter(v["link-downs"])
		i.TxTraffic, i.RxTraffic = r.meter("interface/"+v["name"], i.TxBytes, i.RxBytes)
		at[v["name"]] = len(r.obs.Interfaces)
		r.obs.Interfaces = append(r.obs.Interfaces, i)

		kind := v["type"]
		if radioType(kind) {
			radios = append(radios, v["name"])
		}
		if i.Disabled || strings.Contains(v["name"], ",") { // a comma cannot be told from the list's own
			continue
		}
		if kind == "ether" {
			ports = append(ports, v["name"])
		}
		if i.Running && (kind == "ether" || radioType(kind)) {
			flows = append(flows, v["name"])
		}
	}
	r.reshaped(radios)

	for names := range slices.Chunk(ports, perCommand) {
		rows, _ := r.read("/interface/ethernet/monitor", "name,status,rate,full-duplex",
			"=numbers="+strings.Join(names, ","), "=once=")
		for name, v := range byName(rows, names) {
			i, ok := at[name]
			if !ok || v["status"] != "" && v["status"] != "link-ok" {
				continue
			}
			r.obs.Interfaces[i].Rate = rate(v["rate"])
			r.obs.Interfaces[i].FullDup = truth(v["full-duplex"])
		}
	}
	for names := range slices.Chunk(flows, perCommand) {
		rows, _ := r.read("/interface/monitor-traffic", "name,rx-bits-per-second,tx-bits-per-second",
			"=interface="+strings.Join(names, ","), "=once=")
		for name, v := range byName(rows, names) {
			i, ok := at[name]
			if !ok {
				continue
			}
			if tx, rx := rate(v["tx-bits-per-second"]), rate(v["rx-bits-per-second"]); tx.Known() || rx.Known() {
				r.obs.Interfaces[i].TxTraffic, r.obs.Interfaces[i].RxTraffic = tx, rx
			}
		}
	}
}

// radioType says whether an interface type is that of a radio.
func radioType(kind string) bool {
	switch kind {
	case "wlan", "wifi", "wifiwave2", "w60g", "w60g-station":
		return true
	}
	return false
}

// reshaped has the slow radio menus read again when radios came or went.
func (r *round) reshaped(radios []string) {
	shape := strings.Join(radios, ",")
	if shape == r.s.shape {
		return
	}
	r.s.shape = shape
	for _, d := range drivers {
		for _, p := range d.paths {
			delete(r.s.due, p+"/print")
		}
	}
}

// byName gives each row the interface it is about: by its name property, or by
// its place where rows have none and there is one per interface asked for.
func byName(rows []row, asked []string) map[string]row {
	m := make(map[string]row, len(rows))
	for i, v := range rows {
		if name := v["name"]; name != "" {
			m[name] = v
		} else if len(rows) == len(asked) {
			m[asked[i]] = v
		}
	}
	return m
}

// single gives the traffic of a radio interface with one peer to that peer,
// where its table has none.
func (r *round) single() {
	peers := map[string]int{}
	for _, p := range r.obs.Peers {
		peers[p.Interface]++
	}
	for i := range r.obs.Peers {
		p := &r.obs.Peers[i]
		if peers[p.Interface] != 1 || p.TxTraffic.Known() || p.RxTraffic.Known() {
			continue
		}
		for _, f := range r.obs.Interfaces {
			if f.Name == p.Interface {
				p.TxTraffic, p.RxTraffic = f.TxTraffic, f.RxTraffic
			}
		}
	}
}

// mbps is a traffic in bit/s over seconds.
func mbps(bytes uint64, seconds float64) unit.Opt[unit.Mbps] {
	return unit.Some(unit.Mbps(float64(bytes) * 8 / seconds / 1e6))
}
