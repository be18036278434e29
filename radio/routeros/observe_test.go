package routeros

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// near compares an optional quantity with a number.
func near[T ~float64](t *testing.T, what string, have unit.Opt[T], want float64) {
	t.Helper()
	v, ok := have.Get()
	if d := float64(v) - want; !ok || d > 1e-6 || d < -1e-6 {
		t.Errorf("%s = %v (known %v), want %v", what, v, ok, want)
	}
}

func unknown[T ~float64](t *testing.T, what string, have unit.Opt[T]) {
	t.Helper()
	if v, ok := have.Get(); ok {
		t.Errorf("%s = %v, want unknown", what, v)
	}
}

// nv2 is a version 6 access point with nv2 clients; values as recorded from
// real gear (reference: registration table of an nv2 AP, monitor of the
// manual's Nv2 page, v6 health).
var nv2 = script{
	"/system/resource/print": rows("uptime=1w4d23h26m9s version=6.49.8_(stable) cpu-load=7 board-name=RB922UAGS-5HPacD architecture-name=mipsbe"),
	"/interface/print": rows(
		".id=*1 name=ether1 type=ether mac-address=4C:5E:0C:00:00:01 running=true disabled=false rx-byte=38784330741 tx-byte=1000 link-downs=83",
		".id=*2 name=wlan1 type=wlan mac-address=4c:5e:0c:00:00:02 running=true disabled=false rx-byte=1 tx-byte=2 link-downs=0",
		".id=*3 name=bridge type=bridge mac-address=4C:5E:0C:00:00:01 running=true disabled=false"),
	"/interface/ethernet/monitor": rows("name=ether1 status=link-ok auto-negotiation=done rate=100Mbps full-duplex=true"),
	"/interface/monitor-traffic": rows(
		"name=ether1 rx-packets-per-second=19 rx-bits-per-second=27800 tx-bits-per-second=1500000",
		"name=wlan1 rx-bits-per-second=2000000 tx-bits-per-second=8000000"),
	"/interface/wireless/print": rows(".id=*2 name=wlan1 ssid=al-mombarcaro frequency=5220 channel-width=20mhz"),
	"/interface/wireless/registration-table/print": rows(
		".id=*2 interface=wlan1 radio-name=camerana-1 mac-address=4C:5E:0C:0F:2B:3B rx-rate=26Mbps-20MHz/2S tx-rate=60Mbps-40MHz/2S/SGI packets=37184706,33176656 bytes=5000000,3000000 uptime=4d15h19m47s signal-strength=-76 signal-to-noise=40 signal-strength-ch0=-77 signal-strength-ch1=-82 tx-signal-strength=-75 tx-ccq=76 rx-ccq=33 distance=2 tdma-windfull=0"),
	"/interface/wireless/monitor": rows("status=running-ap channel=5220/20/an wireless-protocol=nv2 noise-floor=-110 registered-clients=1 authenticated-clients=1 nv2-sync-state=synced overall-tx-ccq=76"),
	"/system/identity/print":      rows("name=Mombarcaro_Nord"),
	"/system/health/print":        rows("voltage=23.8 temperature=46 cpu-temperature=58"),
	"/ip/neighbor/print":          rows("interface=ether1,bridge address=10.159.1.159 address4=10.159.1.159 mac-address=12:34:56:78:90:AB identity=MikroTik-Dev platform=MikroTik version=6.42.2_(stable) age=17s board=RBwAPG-5HacT2HnD interface-name=bridge"),
}

func TestObserveVersion6Nv2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(nv2)
		o, err := d.driver(t).Observe(t.Context(), d.target)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Warnings) != 0 {
			t.Errorf("warnings %q", o.Warnings)
		}
		if o.Identity != "Mombarcaro Nord" || o.Version != "6.49.8 (stable)" || o.Arch != "mipsbe" || o.Board != "RB922UAGS-5HPacD" {
			t.Errorf("identity %q %q %q %q", o.Identity, o.Version, o.Arch, o.Board)
		}
		near(t, "uptime", o.Uptime, 7*86400+4*86400+23*3600+26*60+9)
		near(t, "cpu", o.CPU, 7)
		near(t, "voltage", o.Voltage, 23.8)
		near(t, "temperature", o.Celsius, 46)
		if len(o.Interfaces) != 3 || len(o.Radios) != 1 || len(o.Peers) != 1 || len(o.Neighbours) != 1 {
			t.Fatalf("%d interfaces, %d radios, %d peers, %d neighbours", len(o.Interfaces), len(o.Radios), len(o.Peers), len(o.Neighbours))
		}
		e := o.Interfaces[0]
		near(t, "ethernet rate", e.Rate, 100)
		near(t, "ethernet rx", e.RxTraffic, 0.0278)
		if !e.FullDup || !e.Running || e.RxBytes != 38784330741 || e.LinkDowns != 83 {
			t.Errorf("ether1 %+v", e)
		}
		if o.Interfaces[1].MAC != "4C:5E:0C:00:00:02" {
			t.Errorf("mac %q", o.Interfaces[1].MAC)
		}
		r := o.Radios[0]
		if r.Interface != "wlan1" || r.Driver != "wireless" || r.Status != "running-ap" || r.SSID != "al-mombarcaro" || r.Stations != 1 {
			t.Errorf("radio %+v", r)
		}
		near(t, "freq", r.Freq, 5220)
		near(t, "width", r.Width, 20)
		near(t, "noise", r.Noise, -110)
		near(t, "radio ccq", r.CCQ, 76)
		p := o.Peers[0]
		if p.MAC != "4C:5E:0C:0F:2B:3B" || p.Name != "camerana-1" || p.Interface != "wlan1" {
			t.Errorf("peer %+v", p)
		}
		near(t, "signal", p.Signal, -76)
		near(t, "chain 0", p.Chain0, -77)
		near(t, "chain 1", p.Chain1, -82)
		near(t, "tx signal", p.TxSignal, -75)
		near(t, "snr", p.SNR, 40)
		near(t, "tx rate", p.TxRate, 60)
		near(t, "rx rate", p.RxRate, 26)
		near(t, "tx ccq", p.TxCCQ, 76)
		near(t, "rx ccq", p.RxCCQ, 33)
		near(t, "distance", p.Distance, 2000)
		near(t, "peer uptime", p.Uptime, 4*86400+15*3600+19*60+47)
		near(t, "peer tx traffic", p.TxTraffic, 8) // the only peer of its interface
		unknown(t, "mcs", p.MCS)
		n := o.Neighbours[0]
		if n.Identity != "MikroTik-Dev" || n.Address != "10.159.1.159" || n.Version != "6.42.2 (stable)" {
			t.Errorf("neighbour %+v", n)
		}
	})
}

func TestEveryReadNamesItsProperties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(nv2)
		if _, err := d.driver(t).Observe(t.Context(), d.target); err != nil {
			t.Fatal(err)
		}
		for _, c := range d.commands()[1:] {
			if !strings.Contains(c, "=.proplist=") {
				t.Errorf("no property list in %q", c)
			}
		}
	})
}

func TestSlowReadsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(nv2)
		driver := d.driver(t)
		look := func() network.Observation {
			o, err := driver.Observe(t.Context(), d.target)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		look()
		first := len(d.commands())
		time.Sleep(10 * time.Second) // of the bubble
		o := look()
		second := d.commands()[first:]
		if len(second) != 6 {
			t.Errorf("the second round asked %d commands: %q", len(second), second)
		}
		if o.Identity != "Mombarcaro Nord" || len(o.Neighbours) != 1 || o.Radios[0].SSID == "" || !o.Voltage.Known() {
			t.Errorf("kept facts are missing: %+v", o)
		}
		if d.dials != 1 {
			t.Errorf("%d connections, want the first one kept", d.dials)
		}

		time.Sleep(15 * time.Minute)
		before := len(d.commands())
		look()
		again := strings.Join(d.commands()[before:], "\n")
		for _, c := range []string{"/system/identity/print", "/ip/neighbor/print", "/interface/wireless/print", "/system/health/print"} {
			if !strings.Contains(again, c) {
				t.Errorf("%s was not asked again", c)
			}
		}
		if strings.Contains(again, "/interface/wifi/print") || strings.Contains(again, "/interface/w60g/print") {
			t.Errorf("absent menus were asked again: %s", again)
		}
	})
}

func TestRestartForgetsWhatWasKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{}
		for k, v := range nv2 {
			s[k] = v
		}
		d := newScripted(s)
		driver := d.driver(t)
		if _, err := driver.Observe(t.Context(), d.target); err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		s["/system/resource/print"] = rows("uptime=12s version=7.18.2_(stable) cpu-load=7")
		s["/system/identity/print"] = rows("name=other")
		d.mu.Unlock()
		o, err := driver.Observe(t.Context(), d.target)
		if err != nil || o.Identity != "other" || o.Version != "7.18.2 (stable)" {
			t.Errorf("identity %q version %q err %v", o.Identity, o.Version, err)
		}
	})
}

// TestObserveVersion7Wifi has the rows recorded from a version 7 access point
// with the new driver, sensors one per row, and !empty for an empty table.
func TestObserveVersion7Wifi(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(script{
			"/system/resource/print": rows("uptime=2d15h version=7.18.2_(stable) cpu-load=0 board-name=CCR2004-16G-2S+ architecture-name=arm64"),
			"/interface/print":       rows("name=ether1 type=ether running=false disabled=false", "name=wifi1 type=wifi running=true disabled=false", "name=wifi2 type=wifi running=false disabled=true"),
			"/interface/wifi/print":  rows("name=wifi1 configuration.ssid=al-camerana", "name=wifi2 configuration.ssid=off channel.frequency=2412 channel.width=20mhz"),
			"/interface/wifi/registration-table/print": rows(
				".id=*F7 interface=wifi1 ssid=al-camerana mac-address=02:00:00:00:00:0A uptime=2d15h28m27s signal=-47 tx-rate=54000000 rx-rate=54000000 packets=17748,18516 bytes=1851474,2037295 tx-bits-per-second=2500000 rx-bits-per-second=0 authorized=true",
				".id=*F8 interface=wifi1 ssid=al-camerana mac-address=02:00:00:00:00:0B signal=-90 authorized=false"),
			"/interface/wifi/monitor":     rows("state=running channel=5500/ax/Ceee registered-peers=2 authorized-peers=1 tx-power=20"),
			"/interface/ethernet/monitor": rows("name=ether1 status=no-link auto-negotiation=done"),
			"/interface/monitor-traffic":  rows("name=wifi1 rx-bits-per-second=1 tx-bits-per-second=2"),
			"/system/identity/print":      rows("name=ap"),
			"/system/health/print": rows(".id=*E name=temperature value=46 type=C", "name=cpu-temperature value=58 type=C",
				"name=fan1-speed value=6090 type=RPM", "name=voltage value=23.8 type=V"),
			"/ip/neighbor/print": {{"!empty"}, {"!done"}},
		})
		o, err := d.driver(t).Observe(t.Context(), d.target)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Warnings) != 0 || len(o.Peers) != 1 || len(o.Radios) != 2 || len(o.Neighbours) != 0 {
			t.Fatalf("%+v", o)
		}
		near(t, "voltage", o.Voltage, 23.8)
		near(t, "temperature", o.Celsius, 46)
		unknown(t, "rate of a port without link", o.Interfaces[0].Rate)
		p, r := o.Peers[0], o.Radios[0]
		near(t, "signal", p.Signal, -47)
		near(t, "tx rate", p.TxRate, 54)
		near(t, "tx traffic", p.TxTraffic, 2.5)
		near(t, "rx traffic", p.RxTraffic, 0)
		unknown(t, "snr", p.SNR)
		unknown(t, "chain 0", p.Chain0)
		if r.SSID != "al-camerana" || r.Status != "running" || r.Stations != 1 {
			t.Errorf("radio %+v", r)
		}
		near(t, "freq", r.Freq, 5500)
		near(t, "width", r.Width, 80)
		near(t, "power", r.TxPower, 20)
		near(t, "freq of the one that is off", o.Radios[1].Freq, 2412)
		for _, c := range d.commands() {
			if strings.Contains(c, "wifi/monitor") && strings.Contains(c, "wifi2") {
				t.Errorf("a disabled radio was monitored: %q", c)
			}
		}
	})
}

// TestObserveWifiwave2 finds the menu under the name it had before 7.13.
func TestObserveWifiwave2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(script{
			"/system/resource/print":                        rows("uptime=1h version=7.12.1_(stable)"),
			"/interface/print":                              rows("name=wifi1 type=wifiwave2 running=true disabled=false"),
			"/interface/wifiwave2/print":                    rows("name=wifi1 configuration.ssid=x"),
			"/interface/wifiwave2/registration-table/print": rows("interface=wifi1 mac-address=020000000001 signal=-50 tx-rate=1.2Gbps"),
			"/interface/wifiwave2/monitor":                  rows("status=running channel=5180/ac"),
			"/system/identity/print":                        rows("name=ap"),
			"/ip/neighbor/print":                            rows(),
		})
		o, err := d.driver(t).Observe(t.Context(), d.target)
		if err != nil || len(o.Peers) != 1 || len(o.Radios) != 1 {
			t.Fatalf("%v %+v", err, o)
		}
		near(t, "tx rate", o.Peers[0].TxRate, 1200)
		near(t, "width", o.Radios[0].Width, 20)
		if o.Peers[0].MAC != "02:00:00:00:00:01" || o.Radios[0].Status != "running" {
			t.Errorf("%+v", o)
		}
	})
}

// TestObserve60GHz has the monitor of the manual's W60G page, and a device
// with two stations.
func TestObserve60GHz(t *testing.T) {
	one := "connected=true frequency=58320 remote-address=04:D6:AA:AA:AA:AA tx-mcs=8 tx-phy-rate=2.3Gbps signal=80 rssi=-68 10s-average-rssi=-63.1 tx-sector=28 tx-sector-info=left_19_degrees,_up_26.6_degrees distance=160.9m tx-packet-error-rate=5%"
	two := "connected=true frequency=60480 remote-address=04:D6:AA:AA:AA:AA,04:D6:AA:AA:AA:BB mcs=8,4 phy-rate=2.3Gbps,1.1Gbps rssi=-60,-70 distance=160.9m,1.2km"
	base := script{
		"/system/resource/print":        rows("uptime=1h version=7.16_(stable)"),
		"/interface/print":              rows("name=wlan60-1 type=w60g running=true disabled=false", "name=wlan60-station-2 type=w60g-station running=true disabled=false rx-byte=0 tx-byte=0"),
		"/interface/w60g/print":         rows("name=wlan60-1 ssid=ridge frequency=58320"),
		"/interface/w60g/station/print": rows("name=wlan60-station-2 parent=wlan60-1 remote-address=04:D6:AA:AA:AA:BB put-in-bridge=parent"),
		"/interface/monitor-traffic":    rows("name=wlan60-1 rx-bits-per-second=7000000 tx-bits-per-second=9000000", "name=wlan60-station-2 rx-bits-per-second=3000000 tx-bits-per-second=4000000"),
		"/system/identity/print":        rows("name=ap"),
	}
	look := func(t *testing.T, monitor string) network.Observation {
		s := script{"/interface/w60g/monitor": rows(monitor)}
		for k, v := range base {
			s[k] = v
		}
		d := newScripted(s)
		o, err := d.driver(t).Observe(t.Context(), d.target)
		if err != nil || len(o.Radios) != 1 {
			t.Fatalf("%v %+v", err, o)
		}
		return o
	}
	synctest.Test(t, func(t *testing.T) {
		o := look(t, one)
		if len(o.Peers) != 1 || o.Radios[0].Status != "connected" {
			t.Fatalf("%+v", o)
		}
		p := o.Peers[0]
		near(t, "signal", p.Signal, -68)
		near(t, "rate", p.TxRate, 2300)
		near(t, "mcs", p.MCS, 8)
		near(t, "distance", p.Distance, 160.9)
		near(t, "traffic", p.TxTraffic, 9)
		near(t, "freq", o.Radios[0].Freq, 58320)

		o = look(t, two)
		if len(o.Peers) != 2 || o.Peers[1].MAC != "04:D6:AA:AA:AA:BB" {
			t.Fatalf("%+v", o.Peers)
		}
		near(t, "second signal", o.Peers[1].Signal, -70)
		near(t, "second rate", o.Peers[1].TxRate, 1100)
		near(t, "second mcs", o.Peers[1].MCS, 4)
		near(t, "second distance", o.Peers[1].Distance, 1200)
		near(t, "second traffic", o.Peers[1].TxTraffic, 4)
		unknown(t, "first traffic", o.Peers[0].TxTraffic)

		o = look(t, "connected=false frequency=58320 rssi=0")
		if len(o.Peers) != 0 || o.Radios[0].Status != "searching" {
			t.Errorf("%+v", o)
		}
	})
}

// TestStation has the monitor of a station that tells its channel with power.
func TestStation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newScripted(script{
			"/system/resource/print":                       rows("uptime=1h version=6.49_(stable)"),
			"/interface/print":                             rows("name=wlan1 type=wlan running=true disabled=false", "name=wlan2 type=wlan running=false disabled=false"),
			"/interface/wireless/print":                    rows("name=wlan1 ssid=x frequency=5180 channel-width=20/40mhz-Ce", "name=wlan2 ssid=y frequency=auto channel-width=20/40mhz-Ce"),
			"/interface/wireless/registration-table/print": rows("interface=wlan1 mac-address=02:00:00:00:00:01 signal-strength=-58@MCS7 tx-rate=150Mbps"),
			"/interface/wireless/monitor": rows(
				"status=connected-to-ess channel=5825/20/ac(10dBm) bssid=02:00:00:00:00:01 signal-strength=-58@MCS7 signal-to-noise=37 tx-ccq=90 rx-ccq=80 tx-rate=150Mbps",
				"status=searching-for-network"),
		})
		o, err := d.driver(t).Observe(t.Context(), d.target)
		if err != nil || len(o.Radios) != 2 || len(o.Peers) != 1 {
			t.Fatalf("%v %+v", err, o)
		}
		near(t, "freq", o.Radios[0].Freq, 5825)
		near(t, "width", o.Radios[0].Width, 20)
		near(t, "power", o.Radios[0].TxPower, 10)
		near(t, "ccq", o.Radios[0].CCQ, 90)
		near(t, "signal", o.Peers[0].Signal, -58)
		unknown(t, "freq of the searching one", o.Radios[1].Freq)
		unknown(t, "width of the searching one", o.Radios[1].Width)
		if o.Radios[1].Status != "searching-for-network" || o.Radios[1].Stations != 0 {
			t.Errorf("%+v", o.Radios[1])
		}
	})
}

// TestRefusedMenuIsAWarning: one menu refused, the rest is there; the warning
// of a slow menu stands in later rounds too.
func TestRefusedMenuIsAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{}
		for k, v := range nv2 {
			s[k] = v
		}
		s["/interface/wireless/registration-table/print"] = [][]string{
			{"!re", "=interface=wlan1"}, {"!trap", "=category=4", "=message=internal failure"}, {"!trap", "=message=and another"}, {"!done"}}
		s["/ip/neighbor/print"] = [][]string{{"!trap", "=message=not enough permissions (9)"}, {"!done"}}
		d := newScripted(s)
		driver := d.driver(t)
		for range 2 {
			o, err := driver.Observe(t.Context(), d.target)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{
				"/interface/wireless/registration-table/print: internal failure; and another",
				"/ip/neighbor/print: not enough permissions (9)",
			}
			if strings.Join(o.Warnings, "|") != strings.Join(want, "|") {
				t.Errorf("warnings %q", o.Warnings)
			}
			if len(o.Radios) != 1 || o.Radios[0].Status != "running-ap" || len(o.Peers) != 0 {
				t.Errorf("the rest is lost: %+v", o)
			}
		}
		if d.dials != 1 {
			t.Errorf("a trap cost the session: %d connections", d.dials)
		}
	})
}

// TestCounters: traffic of a peer from its byte counters, and the view with
// =stats= where the plain one lacks them.
func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{}
		for k, v := range nv2 {
			s[k] = v
		}
		table := "/interface/wireless/registration-table/print"
		s[table] = rows("interface=wlan1 mac-address=02:00:00:00:00:01 signal-strength=-60", "interface=wlan1 mac-address=02:00:00:00:00:02 signal-strength=-61")
		d := newScripted(s)
		driver := d.driver(t)
		look := func(tx string) network.Observation {
			if tx != "" {
				d.mu.Lock()
				s[table] = rows("interface=wlan1 mac-address=02:00:00:00:00:01 tx-rate=60Mbps bytes="+tx, "interface=wlan1 mac-address=02:00:00:00:00:02 tx-rate=60Mbps bytes=0,0")
				d.mu.Unlock()
			}
			o, err := driver.Observe(context.Background(), d.target)
			if err != nil || len(o.Peers) != 2 {
				t.Fatalf("%v %+v", err, o)
			}
			time.Sleep(10 * time.Second)
			return o
		}
		look("")
		unknown(t, "first", look("1000,0").Peers[0].TxTraffic)
		o := look("1251000,2500000")
		near(t, "sent", o.Peers[0].TxTraffic, 1)
		near(t, "received", o.Peers[0].RxTraffic, 2)
		near(t, "still", o.Peers[1].TxTraffic, 0)
		unknown(t, "after a reset", look("5,5").Peers[0].TxTraffic)
		found := false
		for _, c := range d.commands() {
			found = found || strings.HasPrefix(c, table+" =stats=")
		}
		if !found {
			t.Error("the table was not asked with =stats=")
		}
	})
}
