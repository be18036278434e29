package routeros

import (
	"github.com/crinale/crinale/internal/network"
)

// wifi reads the radios of the new driver, under /interface/wifi or, before
// version 7.13, /interface/wifiwave2.
func (r *round) wifi() {
	set, path := r.settings("wifi")
	if path == "" || len(set) == 0 {
		return
	}
	const table = "interface,mac-address,ssid,signal,tx-rate,rx-rate,uptime,bytes,tx-bits-per-second,rx-bits-per-second,authorized"
	ssids := map[string]string{}
	if rows, ok := r.read(path+"/registration-table/print", table); ok {
		for _, v := range rows {
			if in, known := yes(v["authorized"]); known && !in {
				continue // heard, but not let in
			}
			p := wifiPeer(v)
			if tx, rx, ok := pair(v["bytes"]); ok {
				tx, rx := r.meter("peer/"+p.Interface+"/"+p.MAC, tx, rx)
				p.TxTraffic, p.RxTraffic = or(p.TxTraffic, tx), or(p.RxTraffic, rx)
			}
			ssids[p.Interface] = text(v["ssid"])
			r.obs.Peers = append(r.obs.Peers, p)
		}
	}

	const state = "name,state,status,channel,tx-power,noise-floor,registered-peers,authorized-peers"
	found := r.monitor(path, state, r.enabled(set))
	for _, s := range set {
		radio := s.state("wifi")
		v := found[s.name]
		radio.Status = text(v["state"])
		if radio.Status == "" {
			radio.Status = text(v["status"])
		}
		if radio.SSID == "" {
			radio.SSID = ssids[radio.Interface]
		}
		tune(&radio, parseChannel(v["channel"]))
		radio.TxPower = or(level(v["tx-power"]), radio.TxPower)
		radio.Noise = level(v["noise-floor"])
		radio.Stations = r.peersOn("wifi", radio.Interface)
		if n, ok := count(v["authorized-peers"]).Get(); ok {
			radio.Stations = int(n)
		}
		r.obs.Radios = append(r.obs.Radios, radio)
	}
}

// wifiPeer reads one row of the registration table. It has no chains, no CCQ
// and no signal to noise; its rates are plain bit/s.
func wifiPeer(v row) network.Peer {
	return network.Peer{
		Interface: text(v["interface"]), Driver: "wifi", MAC: hardware(v["mac-address"]),
		Signal: level(v["signal"]), TxRate: rate(v["tx-rate"]), RxRate: rate(v["rx-rate"]),
		TxTraffic: rate(v["tx-bits-per-second"]), RxTraffic: rate(v["rx-bits-per-second"]),
		Uptime: duration(v["uptime"]),
	}
}
