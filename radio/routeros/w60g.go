package routeros

import (
	"strings"

	"github.com/crinale/crinale/internal/network"
)

// w60g reads the 60 GHz radios. Only monitor tells of the peers; for several
// stations its values are lists, one entry per station.
func (r *round) w60g() {
	set, path := r.settings("w60g")
	if path == "" || len(set) == 0 {
		return
	}
	stations := r.stations(path)
	const state = "name,connected,frequency,remote-address,tx-mcs,mcs,tx-phy-rate,phy-rate,rssi,10s-average-rssi,distance"
	found := r.monitor(path, state, r.enabled(set))
	for _, s := range set {
		radio := s.state("w60g")
		v := found[s.name]
		tune(&radio, channel{Freq: frequency(v["frequency"])})
		peers := w60gPeers(radio.Interface, v)
		for i := range peers {
			for _, f := range r.obs.Interfaces {
				if name := stations[peers[i].MAC]; name != "" && f.Name == name {
					peers[i].TxTraffic, peers[i].RxTraffic = f.TxTraffic, f.RxTraffic
				}
			}
		}
		if in, known := yes(v["connected"]); known {
			radio.Status = "searching"
			if in {
				radio.Status = "connected"
			}
		}
		radio.Stations = len(peers)
		r.obs.Radios = append(r.obs.Radios, radio)
		r.obs.Peers = append(r.obs.Peers, peers...)
	}
}

// stations are the interfaces of the stations, by the stations' address.
func (r *round) stations(path string) map[string]string {
	if rows, ok := r.slowly(path+"/station/print", "name,remote-address", r.cfg.SlowEvery); ok {
		r.s.stations = map[string]string{}
		for _, v := range rows {
			if mac := hardware(v["remote-address"]); mac != "" {
				r.s.stations[mac] = text(v["name"])
			}
		}
	}
	return r.s.stations
}

// w60gPeers reads the peers of one radio: none while it is not connected.
func w60gPeers(name string, v row) []network.Peer {
	if in, known := yes(v["connected"]); known && !in {
		return nil
	}
	macs := list(v["remote-address"])
	of := func(i int, keys ...string) string {
		for _, k := range keys {
			if v[k] == "" {
				continue
			}
			if all := list(v[k]); len(all) == len(macs) {
				return strings.TrimSpace(all[i])
			}
			if len(macs) == 1 {
				return v[k]
			}
			return ""
		}
		return ""
	}
	var peers []network.Peer
	for i, m := range macs {
		p := network.Peer{
			Interface: name, Driver: "w60g", MAC: hardware(strings.TrimSpace(m)),
			Signal:   or(level(of(i, "rssi")), level(of(i, "10s-average-rssi"))),
			TxRate:   rate(of(i, "tx-phy-rate", "phy-rate")),
			MCS:      count(of(i, "tx-mcs", "mcs")),
			Distance: distance(of(i, "distance"), 1),
		}
		if p.MAC != "" {
			peers = append(peers, p)
		}
	}
	return peers
}
