package controller

import (
	"strings"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Pair turns what one device told into readings of its links, one for each
// link the device takes part in, in the order of the network. A row of a
// registration table belongs to the link whose other device has its MAC, else
// its name; a row that nothing identifies belongs to the only link it can. A
// link without a row gives a reading with Connected false; but when a table of
// the radios could not be read this time, it gives none, for nothing is known.
//
// It is pure. Links of a device that is not in the network give nothing.
func Pair(n *network.Network, o network.Observation) []network.Reading {
	links := n.LinksAt(o.Device)
	rows := match(n, o, links)
	port, rate, cabled := Cable(o)
	whole := tablesRead(o)
	out := make([]network.Reading, 0, len(links))
	for _, l := range links {
		r := network.Reading{Link: l.ID, End: endAt(l, o.Device), Device: o.Device, At: o.At, Uptime: o.Uptime}
		if cabled {
			r.Ethernet = unit.Some(rate)
		}
		if l.Medium != network.Radio {
			wired(&r, n, o, l, port)
		} else if i, ok := rows[l.ID]; ok {
			fill(&r, o, o.Peers[i])
		} else if !whole {
			continue
		}
		out = append(out, r)
	}
	return out
}

// tablesRead is false when a warning tells of a registration table or of a
// 60 GHz monitor.
func tablesRead(o network.Observation) bool {
	for _, w := range o.Warnings {
		if strings.Contains(w, "registration") || strings.Contains(w, "w60g") {
			return false
		}
	}
	return true
}

func endAt(l network.Link, d network.DeviceID) network.End {
	if l.A == d {
		return network.EndA
	}
	return network.EndB
}

func other(l network.Link, d network.DeviceID) network.DeviceID {
	if l.A == d {
		return l.B
	}
	return l.A
}

// match gives the row of o.Peers that belongs to each radio link.
func match(n *network.Network, o network.Observation, links []network.Link) map[network.LinkID]int {
	got := map[network.LinkID]int{}
	used := make([]bool, len(o.Peers))
	take := func(l network.Link, fits func(network.Device, network.Peer) bool) {
		d, ok := n.Device(other(l, o.Device))
		if _, have := got[l.ID]; have || !ok || l.Medium != network.Radio {
			return
		}
		best := -1
		for i, p := range o.Peers {
			if !used[i] && fits(d, p) && (best < 0 || better(p, o.Peers[best])) {
				best = i
			}
		}
		if best >= 0 {
			got[l.ID], used[best] = best, true
		}
	}
	for _, l := range links {
		take(l, func(d network.Device, p network.Peer) bool { return d.MAC != "" && strings.EqualFold(d.MAC, p.MAC) })
	}
	owners := macs(n, o.Device)
	for _, l := range links {
		take(l, func(d network.Device, p network.Peer) bool {
			owner := owners[strings.ToUpper(p.MAC)]
			return p.Name != "" && strings.EqualFold(string(d.ID), p.Name) && (owner == "" || owner == d.ID)
		})
	}
	for l, i := range only(n, o, links, got, used, owners) {
		got[l] = i
	}
	return got
}

// better prefers the row with a level, then the one that stays longer: a
// device that came back may leave its old row for a while.
func better(p, q network.Peer) bool {
	if p.Signal.Known() != q.Signal.Known() {
		return p.Signal.Known()
	}
	return p.Uptime.Or(0) > q.Uptime.Or(0)
}

// macs is whose radio each MAC is, for the devices that share a link with d.
func macs(n *network.Network, d network.DeviceID) map[string]network.DeviceID {
	m := map[string]network.DeviceID{}
	for _, l := range n.LinksAt(d) {
		if p, ok := n.Device(other(l, d)); ok && p.MAC != "" {
			m[strings.ToUpper(p.MAC)] = p.ID
		}
	}
	return m
}

// only matches the last unknown row with the last link that has none, where the link's other device has no MAC in the files and the row
// has no name of another device.
func only(n *network.Network, o network.Observation, links []network.Link, got map[network.LinkID]int, used []bool, owners map[string]network.DeviceID) map[network.LinkID]int {
	var open []network.Link
	for _, l := range links {
		if _, ok := got[l.ID]; !ok && l.Medium == network.Radio {
			open = append(open, l)
		}
	}
	row, rows := -1, 0
	for i := range o.Peers {
		if !used[i] {
			row, rows = i, rows+1
		}
	}
	if len(open) != 1 || rows != 1 {
		return nil
	}
	p := o.Peers[row]
	d, ok := n.Device(other(open[0], o.Device))
	if !ok || d.MAC != "" || owners[strings.ToUpper(p.MAC)] != "" {
		return nil
	}
	if _, stranger := n.Device(network.DeviceID(strings.ToLower(p.Name))); stranger && !strings.EqualFold(p.Name, string(d.ID)) {
		return nil
	}
	return map[network.LinkID]int{open[0].ID: row}
}

// fill puts a row's figures into a reading.
func fill(r *network.Reading, o network.Observation, p network.Peer) {
	r.Connected = true
	r.Signal, r.Chain0, r.Chain1, r.SNR = p.Signal, p.Chain0, p.Chain1, p.SNR
	r.TxRate, r.RxRate = p.TxRate, p.RxRate
	r.TxTraffic, r.RxTraffic = p.TxTraffic, p.RxTraffic
	r.CCQ = p.TxCCQ
	sole := true
	for _, q := range o.Peers {
		sole = sole && (q.Interface != p.Interface || q.MAC == p.MAC)
	}
	for _, s := range o.Radios {
		if s.Interface != p.Interface {
			continue
		}
		r.Noise = s.Noise
		if !r.CCQ.Known() && sole {
			r.CCQ = s.CCQ
		}
	}
	if s, ok := r.Signal.Get(); ok && !r.SNR.Known() {
		if n, ok := r.Noise.Get(); ok {
			r.SNR = unit.Some(s.Over(n))
		}
	}
	for _, i := range o.Interfaces {
		if i.Name == p.Interface && sole {
			traffic(r, i)
		}
	}
}

// traffic takes an interface's counters where the row had none.
func traffic(r *network.Reading, i network.Interface) {
	if !r.TxTraffic.Known() {
		r.TxTraffic = i.TxTraffic
	}
	if !r.RxTraffic.Known() {
		r.RxTraffic = i.RxTraffic
	}
}
