package routeros

import (
	"github.com/crinale/crinale/internal/network"
)

// wireless reads the radios of the old driver: 802.11 and nv2.
func (r *round) wireless() {
	set, path := r.settings("wireless")
	if path == "" || len(set) == 0 {
		return
	}
	const table = "interface,mac-address,radio-name,signal-strength,signal-strength-ch0,signal-strength-ch1," +
		"tx-signal-strength,signal-to-noise,tx-rate,rx-rate,tx-ccq,rx-ccq,distance,uptime,bytes"
	var view []string
	if r.s.stats {
		view = []string{"=stats="}
	}
	if rows, ok := r.read(path+"/registration-table/print", table, view...); ok {
		// Some versions leave the counters out of the plain view.
		if len(rows) > 0 && rows[0]["tx-rate"] == "" && rows[0]["bytes"] == "" {
			r.s.stats = true
		}
		for _, v := range rows {
			p := wirelessPeer(v)
			if tx, rx, ok := pair(v["bytes"]); ok {
				p.TxTraffic, p.RxTraffic = r.meter("peer/"+p.Interface+"/"+p.MAC, tx, rx)
			}
			r.obs.Peers = append(r.obs.Peers, p)
		}
	}

	const state = "name,status,channel,frequency,noise-floor,registered-clients,overall-tx-ccq,tx-ccq"
	found := r.monitor(path, state, r.enabled(set))
	for _, s := range set {
		radio := s.state("wireless")
		v := found[s.name]
		radio.Status = text(v["status"])
		tune(&radio, channel{Freq: frequency(v["frequency"])})
		tune(&radio, parseChannel(v["channel"]))
		radio.Noise = level(v["noise-floor"])
		radio.CCQ = or(percent(v["overall-tx-ccq"]), percent(v["tx-ccq"]))
		radio.Stations = r.peersOn("wireless", radio.Interface)
		if n, ok := count(v["registered-clients"]).Get(); ok {
			radio.Stations = int(n)
		}
		r.obs.Radios = append(r.obs.Radios, radio)
	}
}

// wirelessPeer reads one row of the registration table. Distances there are
// whole kilometres.
func wirelessPeer(v row) network.Peer {
	return network.Peer{
		Interface: text(v["interface"]), Driver: "wireless", MAC: hardware(v["mac-address"]), Name: text(v["radio-name"]),
		Signal: level(v["signal-strength"]), Chain0: level(v["signal-strength-ch0"]), Chain1: level(v["signal-strength-ch1"]),
		TxSignal: level(v["tx-signal-strength"]), SNR: ratio(v["signal-to-noise"]),
		TxRate: rate(v["tx-rate"]), RxRate: rate(v["rx-rate"]),
		TxCCQ: percent(v["tx-ccq"]), RxCCQ: percent(v["rx-ccq"]),
		Distance: distance(v["distance"], 1000), Uptime: duration(v["uptime"]),
	}
}
