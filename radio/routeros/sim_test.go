package routeros_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
	"github.com/crinale/crinale/radio/sim"
)

// pairs is a network of radio links, one per gear class, and a fibre.
func pairs() *network.Network {
	n := &network.Network{
		Gear: map[network.GearID]network.Gear{
			"ac": {ID: "ac", Class: "wireless"}, "ax": {ID: "ax", Class: "wifi"}, "sixty": {ID: "sixty", Class: "w60g"}, "rtr": {ID: "rtr", Class: "router"},
		},
		Sites: []network.Site{{ID: "ridge", At: geo.LonLat{Lon: 8.10, Lat: 44.50}}, {ID: "valley", At: geo.LonLat{Lon: 8.14, Lat: 44.52}}},
	}
	for _, g := range []struct {
		gear     network.GearID
		protocol string
		medium   network.Medium
	}{{"ac", "", network.Radio}, {"ac", "nv2", network.Radio}, {"ax", "", network.Radio}, {"sixty", "w60g", network.Radio}, {"rtr", "", network.Fibre}} {
		name := network.DeviceID(strings.TrimSuffix(string(g.gear)+"-"+g.protocol, "-"))
		set := network.Settings{SSID: string(name), Protocol: g.protocol}
		n.Devices = append(n.Devices,
			network.Device{ID: name + "-a", Site: "ridge", Gear: g.gear, Settings: set, HeightM: 10},
			network.Device{ID: name + "-b", Site: "valley", Gear: g.gear, Settings: set, HeightM: 10})
		n.Links = append(n.Links, network.Link{ID: network.LinkID(name), Medium: g.medium, A: name + "-a", B: name + "-b"})
	}
	n.Index()
	return n
}

// simulated is a running fleet of simulated devices, and a book of them.
func simulated(t testing.TB, n *network.Network, versions map[network.DeviceID]string, gateways ...network.DeviceID) (*sim.Fleet, radio.Book) {
	t.Helper()
	c := sim.Default()
	c.StateDir, c.Join, c.Versions, c.Gateways = t.TempDir(), -1, versions, gateways
	f, err := sim.New(c, sim.Deps{Network: n, Level: func(network.LinkID, network.DeviceID) (unit.DBm, bool) { return -60, true }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-f.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatalf("the simulator ended: %v", err)
	}
	all := map[network.DeviceID]sim.Endpoint{}
	for _, e := range f.Devices() {
		all[e.ID] = e
	}
	return f, func(_ context.Context, d network.DeviceID) (radio.Target, error) {
		e, ok := all[d]
		if !ok {
			return radio.Target{}, fault.New(fault.NotFound, "no device %s", d)
		}
		return radio.Target{Device: d, Address: e.Address, User: e.User, Password: e.Password}, nil
	}
}

// fleet observes through a RouterOS driver; change may be nil.
func fleet(t testing.TB, book radio.Book, change func(*routeros.Config)) *radio.Fleet {
	t.Helper()
	c := routeros.Default()
	if change != nil {
		change(&c)
	}
	driver, err := routeros.New(c, routeros.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { driver.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	f, err := radio.New(radio.Default(), radio.Deps{Driver: driver, Book: book})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSimulatedDevices reads every kind of device in versions 6 and 7.
func TestSimulatedDevices(t *testing.T) {
	n := pairs()
	for _, version := range []string{"6.42.1 (stable)", "6.49.18 (long-term)", "7.12.1 (stable)", "7.18.2 (stable)"} {
		t.Run(strings.Fields(version)[0], func(t *testing.T) {
			versions := map[network.DeviceID]string{}
			for _, d := range n.Devices {
				if d.Gear != "ax" {
					versions[d.ID] = version
				}
			}
			_, book := simulated(t, n, versions)
			f := fleet(t, book, nil)
			for _, d := range n.Devices {
				o, err := f.Observe(t.Context(), d.ID)
				if err != nil {
					t.Error(err)
					continue
				}
				if len(o.Warnings) > 0 || o.Identity != string(d.ID) || !o.Uptime.Known() || !o.CPU.Known() || o.Board == "" || o.Arch == "" ||
					d.Gear != "ax" && o.Version != version {
					t.Errorf("%s: %+v", d.ID, o)
				}
				cable := false
				for _, i := range o.Interfaces {
					if i.Type == "ether" && i.Running {
						r, _ := i.Rate.Get()
						cable = cable || r == 1000 && i.FullDup && i.MAC != "" && i.TxTraffic.Known()
					}
				}
				if !cable {
					t.Errorf("%s: no running Ethernet at 1 Gbps: %+v", d.ID, o.Interfaces)
				}
				if d.Gear == "rtr" {
					if len(o.Radios)+len(o.Peers) != 0 {
						t.Errorf("%s: a router with radios: %+v", d.ID, o)
					}
					continue
				}
				if len(o.Peers) != 1 || len(o.Radios) != 1 {
					t.Errorf("%s: %d peers, %d radios: %+v", d.ID, len(o.Peers), len(o.Radios), o)
					continue
				}
				p, r := o.Peers[0], o.Radios[0]
				if s, ok := p.Signal.Get(); !ok || s < -68 || s > -52 {
					t.Errorf("%s: signal %v, planned -60 dBm", d.ID, p.Signal)
				}
				if rate, _ := p.TxRate.Get(); rate < 5 || rate > 10000 || p.MAC == "" || !p.TxTraffic.Known() || !p.RxTraffic.Known() {
					t.Errorf("%s: %+v", d.ID, p)
				}
				if f, _ := r.Freq.Get(); f < 5000 || r.Interface != p.Interface || r.Driver != p.Driver || r.Status == "" || r.SSID == "" || r.Stations != 1 {
					t.Errorf("%s: %+v", d.ID, r)
				}
				if d.Gear == "ac" {
					if !p.Chain0.Known() || !p.Chain1.Known() || !p.SNR.Known() || !p.TxCCQ.Known() || !r.Noise.Known() || !r.CCQ.Known() || p.Name == "" || !p.Uptime.Known() {
						t.Errorf("%s: %+v %+v", d.ID, p, r)
					}
				}
				if d.Gear == "sixty" && (!p.MCS.Known() || !p.Distance.Known()) {
					t.Errorf("%s: %+v", d.ID, p)
				}
			}
		})
	}
}

// TestSimulatedFaults: each fault gives one line with its kind, quickly, while
// the other devices are read as ever; when it ends the device is read again.
func TestSimulatedFaults(t *testing.T) {
	s, book := simulated(t, pairs(), nil)
	f := fleet(t, book, func(c *routeros.Config) { c.CommandTimeout = time.Second })
	read := func(d network.DeviceID) error { _, err := f.Observe(t.Context(), d); return err }
	for _, tt := range []struct {
		fault sim.Kind
		kind  fault.Kind
		text  string
	}{
		{sim.Off, fault.Unreachable, "re"}, // refused or reset
		{sim.Silent, fault.Unreachable, "no answer within 1s"},
		{sim.Slow, fault.Unreachable, "no answer within 1s"},
		{sim.Garbage, fault.Unreachable, ""},
		{sim.HugeLength, fault.Unreachable, "announces a word of 536870912 bytes"},
		{sim.CutMidSentence, fault.Unreachable, "closed the connection"},
		{sim.WrongPassword, fault.Denied, "check the user and the password"},
	} {
		for _, kept := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s kept=%v", tt.fault, kept), func(t *testing.T) {
				if kept { // a session from before the fault
					f.Retry(t.Context(), "ac-a")
					if err := read("ac-a"); err != nil {
						t.Fatal(err)
					}
				}
				id, err := s.Inject(sim.Fault{Device: "ac-a", Kind: tt.fault})
				if err != nil {
					t.Fatal(err)
				}
				f.Retry(t.Context(), "ac-a")
				began := time.Now()
				err = read("ac-a")
				if kept && err == nil && tt.fault == sim.WrongPassword {
					return // an open session needs no password
				}
				if err == nil || fault.Of(err) != tt.kind || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v (%v), want %q (%v)", err, fault.Of(err), tt.text, tt.kind)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
				if err := read("ac-b"); err != nil {
					t.Errorf("another device suffers: %v", err)
				}
				if err := s.Clear(id); err != nil {
					t.Fatal(err)
				}
				f.Retry(t.Context(), "ac-a")
				if err := read("ac-a"); err != nil {
					t.Errorf("after the fault: %v", err)
				}
			})
			if kept {
				for _, a := range s.State().Faults {
					s.Clear(a.ID)
				}
			}
		}
	}
}

// TestSimulatedEthernet: a cable that fell back to 100 Mbps is seen at once.
func TestSimulatedEthernet(t *testing.T) {
	s, book := simulated(t, pairs(), nil)
	f := fleet(t, book, nil)
	ether1 := func() unit.Mbps {
		o, err := f.Observe(t.Context(), "ax-a")
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range o.Interfaces {
			if i.Name == "ether1" {
				return i.Rate.Or(0)
			}
		}
		return 0
	}
	if r := ether1(); r != 1000 {
		t.Errorf("ether1 at %v", r)
	}
	if _, err := s.Inject(sim.Fault{Device: "ax-a", Kind: sim.Ethernet100}); err != nil {
		t.Fatal(err)
	}
	if r := ether1(); r != 100 {
		t.Errorf("ether1 at %v with a bad cable", r)
	}
}

// TestSimulatedTLS: not without trust; with the device's pin, and not with
// another's.
func TestSimulatedTLS(t *testing.T) {
	s, book := simulated(t, pairs(), nil)
	var target radio.Target
	for _, e := range s.Devices() {
		if e.ID == "ac-a" {
			target, _ = book(t.Context(), e.ID)
			target.TLSAddress = *e.TLS
		}
	}
	c, err := tls.Dial("tcp", target.TLSAddress, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	pin := routeros.Pin(c.ConnectionState().PeerCertificates[0])
	c.Close()
	driver, err := routeros.New(routeros.Default(), routeros.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { ctx, cancel := context.WithCancel(t.Context()); cancel(); driver.Run(ctx) }()
	for _, tt := range []struct {
		pin, text string
		kind      fault.Kind
	}{
		{"", pin, fault.Denied}, // the error shows it
		{"sha256:" + strings.Repeat("00", 32), "another key than pinned", fault.Denied},
		{"sha1:00", "the pin must be sha256:", fault.Invalid},
		{pin, "", fault.Internal},
	} {
		target.Pin = tt.pin
		o, err := driver.Observe(t.Context(), target)
		switch {
		case tt.text == "" && (err != nil || o.Identity != "ac-a"):
			t.Errorf("with the right pin: %v %+v", err, o)
		case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "\n") || fault.Of(err) != tt.kind):
			t.Errorf("pin %q: %v of kind %v, want %q of kind %v", tt.pin, err, fault.Of(err), tt.text, tt.kind)
		}
	}
	// A plain port behind a TLS address, and the other way round.
	target.TLSAddress = target.Address
	if _, err := driver.Observe(t.Context(), target); fault.Of(err) != fault.Unreachable {
		t.Errorf("TLS to a plain port: %v", err)
	}
}

// TestManyAtOnce reads all devices from many goroutines.
func TestManyAtOnce(t *testing.T) {
	n := pairs()
	_, book := simulated(t, n, nil)
	f := fleet(t, book, nil)
	var wg sync.WaitGroup
	for range 5 {
		for _, d := range n.Devices {
			wg.Go(func() {
				if _, err := f.Observe(t.Context(), d.ID); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
}
