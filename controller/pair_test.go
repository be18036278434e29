package controller

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// hill is an access point with three clients, a fibre, an LTE and a satellite
// link.
func hill() *network.Network {
	n := &network.Network{
		Devices: []network.Device{
			{ID: "ap", MAC: "AA:00:00:00:00:00", Address: "h"},
			{ID: "c1", MAC: "AA:00:00:00:00:01", Address: "h"},
			{ID: "c2", MAC: "AA:00:00:00:00:02", Address: "h"},
			{ID: "c3", Address: "h"}, // nobody wrote down its MAC
			{ID: "far", Address: "h"},
		},
		Links: []network.Link{
			{ID: "l1", Medium: network.Radio, A: "ap", B: "c1"},
			{ID: "l2", Medium: network.Radio, A: "c2", B: "ap"},
			{ID: "l3", Medium: network.Radio, A: "ap", B: "c3"},
			{ID: "fibre", Medium: network.Fibre, A: "ap", B: "far"},
			{ID: "lte", Medium: network.LTE, A: "ap"},
			{ID: "sat", Medium: network.Satellite, A: "ap"},
			{ID: "elsewhere", Medium: network.Radio, A: "c1", B: "c2"},
		},
	}
	n.Index()
	return n
}

func peer(mac, name string, level unit.DBm) network.Peer {
	return network.Peer{Interface: "wlan1", MAC: mac, Name: name, Signal: unit.Some(level)}
}

func TestPairTable(t *testing.T) {
	for _, c := range []struct {
		at    mark
		peers []network.Peer
		want  map[network.LinkID]unit.DBm // of the connected radio links
	}{
		{here(), nil, nil},
		{here(), []network.Peer{peer("AA:00:00:00:00:01", "", -51), peer("AA:00:00:00:00:02", "", -52)}, map[network.LinkID]unit.DBm{"l1": -51, "l2": -52}},
		{here(), []network.Peer{peer("aa:00:00:00:00:01", "c2", -51)}, map[network.LinkID]unit.DBm{"l1": -51}},                                                                                             // the MAC before the name
		{here(), []network.Peer{peer("BB:00:00:00:00:01", "C1", -51)}, map[network.LinkID]unit.DBm{"l1": -51}},                                                                                             // a radio was replaced
		{here(), []network.Peer{peer("BB:00:00:00:00:01", "c3", -53)}, map[network.LinkID]unit.DBm{"l3": -53}},                                                                                             // by name
		{here(), []network.Peer{peer("AA:00:00:00:00:01", "", -51), peer("AA:00:00:00:00:02", "", -52), peer("BB:00:00:00:00:03", "", -53)}, map[network.LinkID]unit.DBm{"l1": -51, "l2": -52, "l3": -53}}, // the only one left
		{here(), []network.Peer{peer("BB:00:00:00:00:03", "", -53)}, nil},                                                                                                                                  // could be any
		{here(), []network.Peer{peer("AA:00:00:00:00:01", "", -51), peer("AA:00:00:00:00:02", "", -52), peer("BB:0", "", -53), peer("BB:1", "", -54)}, map[network.LinkID]unit.DBm{"l1": -51, "l2": -52}},  // two strangers
		{here(), []network.Peer{peer("AA:00:00:00:00:01", "", -51), peer("AA:00:00:00:00:02", "", -52), peer("BB:0", "far", -53)}, map[network.LinkID]unit.DBm{"l1": -51, "l2": -52}},                      // it says it is another
		{here(), []network.Peer{peer("AA:00:00:00:00:02", "", -52), peer("BB:00:00:00:00:03", "c3", -53), peer("BB:0", "", -70)}, map[network.LinkID]unit.DBm{"l2": -52, "l3": -53}},                       // c1 has a MAC: a stranger is not c1
		{here(), []network.Peer{peer("AA:00:00:00:00:01", "", -51), {Interface: "wlan1", MAC: "AA:00:00:00:00:01"}}, map[network.LinkID]unit.DBm{"l1": -51}},                                               // an old row
	} {
		o := network.Observation{Device: "ap", At: t0, Peers: c.peers}
		got := map[network.LinkID]unit.DBm{}
		for _, r := range Pair(hill(), o) {
			if l, _ := hill().Link(r.Link); l.Medium == network.Radio && r.Connected {
				got[r.Link] = r.Signal.Or(0)
			}
			if r.Device != "ap" || r.At != t0 || r.Link == "elsewhere" {
				t.Errorf("%v: %+v", c.at, r)
			}
			if want := map[network.LinkID]network.End{"l2": network.EndB}[r.Link]; want != "" && r.End != want {
				t.Errorf("%v: end %s of %s", c.at, r.End, r.Link)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%v: %v, want %v", c.at, got, c.want)
		}
	}
}

func TestPairFillsFigures(t *testing.T) {
	o := network.Observation{
		Device: "ap", At: t0, Uptime: unit.Some[network.Seconds](77),
		Interfaces: []network.Interface{
			{Name: "ether1", Type: "ether", Running: true, Rate: unit.Some[unit.Mbps](100)},
			{Name: "wlan1", Type: "wlan", Running: true, RxTraffic: unit.Some[unit.Mbps](3), TxTraffic: unit.Some[unit.Mbps](4)},
		},
		Radios: []network.RadioState{{Interface: "wlan1", Noise: unit.Some[unit.DBm](-100), CCQ: unit.Some[network.Percent](80)}},
		Peers:  []network.Peer{peer("AA:00:00:00:00:01", "", -60)},
	}
	r := Pair(hill(), o)[0]
	if r.SNR.Or(0) != 40 || r.Noise.Or(0) != -100 || r.CCQ.Or(0) != 80 || r.RxTraffic.Or(0) != 3 || r.TxTraffic.Or(0) != 4 || r.Ethernet.Or(0) != 100 || r.Uptime.Or(0) != 77 {
		t.Errorf("%+v", r)
	}
	// With a second client the interface's figures are nobody's own.
	o.Peers = append(o.Peers, peer("AA:00:00:00:00:02", "", -60))
	r = Pair(hill(), o)[0]
	if r.CCQ.Known() || r.RxTraffic.Known() || r.TxTraffic.Known() || r.SNR.Or(0) != 40 {
		t.Errorf("%+v", r)
	}
}

func TestPairSaysNothingOfATableItCouldNotRead(t *testing.T) {
	o := network.Observation{Device: "ap", At: t0, Peers: []network.Peer{peer("AA:00:00:00:00:01", "", -60)},
		Warnings: []string{"/interface/wireless/registration-table/print: interrupted"}}
	for _, r := range Pair(hill(), o) {
		if r.Link == "l2" || r.Link == "l3" {
			t.Errorf("a reading of %s: %+v", r.Link, r)
		}
	}
	o.Warnings = []string{"/system/health/print: no such command"}
	if n := len(Pair(hill(), o)); n != 6 {
		t.Errorf("%d readings, want one for each link of the device", n)
	}
}

func TestPairOtherMedia(t *testing.T) {
	iface := func(name, kind string, running bool) network.Interface {
		return network.Interface{Name: name, Type: kind, Running: running, Rate: unit.Some[unit.Mbps](1000)}
	}
	for _, c := range []struct {
		at               mark
		ifaces           []network.Interface
		neighbours       []network.Neighbour
		fibre, lte, sats bool
	}{
		{here(), nil, nil, true, true, true}, // it answers: that is all that is known
		{here(), []network.Interface{iface("sfp1", "ether", true), iface("lte1", "lte", true)}, nil, true, true, true},
		{here(), []network.Interface{iface("sfp1", "ether", false), iface("lte1", "lte", false)}, nil, false, false, true},
		{here(), []network.Interface{iface("sfp1", "ether", false), iface("sfp2", "ether", true)}, nil, true, true, true}, // which one?
		{here(), []network.Interface{iface("sfp1", "ether", true), iface("sfp2", "ether", false)}, []network.Neighbour{{Identity: "far", Interface: "bridge,sfp2"}}, false, true, true},
		{here(), []network.Interface{iface("ether3", "ether", true)}, []network.Neighbour{{Identity: "FAR", Interface: "ether3"}}, true, true, true},
		{here(), []network.Interface{iface("wlan1", "wlan", false)}, []network.Neighbour{{Identity: "far", Interface: "wlan1"}}, true, true, true}, // no fibre in the air
		{here(), []network.Interface{iface("ether1", "ether", true), iface("satellite1", "ether", false)}, nil, true, true, false},
		{here(), []network.Interface{iface("ether1", "ether", false), iface("Sat-modem", "ether", true)}, nil, true, true, true},
		{here(), []network.Interface{iface("ether1", "ether", false)}, nil, true, true, true}, // no port is named after it
	} {
		got := map[network.LinkID]bool{}
		for _, r := range Pair(hill(), network.Observation{Device: "ap", At: t0, Interfaces: c.ifaces, Neighbours: c.neighbours}) {
			got[r.Link] = r.Connected
		}
		if got["fibre"] != c.fibre || got["lte"] != c.lte || got["sat"] != c.sats {
			t.Errorf("%v: %v", c.at, got)
		}
	}
}

func TestPairOfAStrangerIsNothing(t *testing.T) {
	if rs := Pair(hill(), network.Observation{Device: "nobody", Peers: []network.Peer{peer("", "", 0)}}); len(rs) != 0 {
		t.Errorf("%+v", rs)
	}
}

// Whatever a device says: one reading for each of its links at most, and no
// row used twice.
func TestPairOfChanceObservations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	n := hill()
	macs := []string{"AA:00:00:00:00:01", "AA:00:00:00:00:02", "BB:00:00:00:00:03", "", "x"}
	names := []string{"c1", "C2", "c3", "far", "ap", "", "who"}
	for range 5000 {
		o := network.Observation{Device: "ap", At: time.Unix(1, 0)}
		for i := range rnd.IntN(6) {
			o.Peers = append(o.Peers, peer(macs[rnd.IntN(len(macs))], names[rnd.IntN(len(names))], unit.DBm(-10-i)))
		}
		links, levels := map[network.LinkID]bool{}, map[unit.DBm]bool{}
		for _, r := range Pair(n, o) {
			if links[r.Link] {
				t.Fatalf("two readings of %s: %+v", r.Link, o)
			}
			links[r.Link] = true
			if s, ok := r.Signal.Get(); ok {
				if levels[s] {
					t.Fatalf("a row is used twice: %+v", o)
				}
				levels[s] = true
			}
		}
	}
}
