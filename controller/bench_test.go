package controller

import (
	"fmt"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// BenchmarkRound takes one whole round of a network of 2,000 links through
// pairing, judging and the cache: 200 access points with 10 clients each.
func BenchmarkRound(b *testing.B) {
	n := &network.Network{}
	var heard []network.Observation
	up := func(d network.DeviceID, peers []network.Peer) {
		n.Devices = append(n.Devices, network.Device{ID: d, MAC: "M-" + string(d), Address: "h"})
		heard = append(heard, network.Observation{Device: d, Peers: peers, Uptime: unit.Some[network.Seconds](1000),
			Interfaces: []network.Interface{{Name: "ether1", Type: "ether", Running: true, Rate: unit.Some[unit.Mbps](1000)}}})
	}
	row := func(d network.DeviceID) network.Peer {
		return network.Peer{Interface: "wlan1", MAC: "M-" + string(d), Signal: unit.Some[unit.DBm](-61), TxRate: unit.Some[unit.Mbps](200), RxRate: unit.Some[unit.Mbps](200)}
	}
	for i := range 200 {
		ap := network.DeviceID(fmt.Sprintf("ap-%03d", i))
		var rows []network.Peer
		for j := range 10 {
			c := network.DeviceID(fmt.Sprintf("cpe-%03d-%d", i, j))
			rows = append(rows, row(c))
			up(c, []network.Peer{row(ap)})
			n.Links = append(n.Links, network.Link{ID: network.LinkID(c), Medium: network.Radio, A: ap, B: c, Partner: []network.PartnerID{"p"}})
		}
		up(ap, rows)
	}
	n.Index()
	c := newCache(n, DefaultRules(), nil)
	at := t0
	for b.Loop() {
		at = at.Add(10 * time.Second)
		for _, o := range heard {
			o.At = at
			c.take(poll{device: o.Device, at: at, observation: &o}, Pair(n, o))
		}
	}
	b.ReportMetric(float64(len(heard))*float64(b.N)/b.Elapsed().Seconds(), "devices/s")
}
