package sim_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio/sim"
)

func linkOf(t *testing.T, f *sim.Fleet, id network.LinkID) sim.LinkState {
	t.Helper()
	for _, l := range f.State().Links {
		if l.ID == id {
			return l
		}
	}
	t.Fatalf("no link %s", id)
	return sim.LinkState{}
}

func deviceOf(t *testing.T, f *sim.Fleet, id network.DeviceID) sim.DeviceState {
	t.Helper()
	for _, d := range f.State().Devices {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("no device %s", id)
	return sim.DeviceState{}
}

// TestRestart keeps passwords, ports, boot times and what was written.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	f, stop := startedAs(t, sim.Config{StateDir: dir})
	before := f.Devices()
	c := dial(t, f, "sector")
	run(t, c, "/interface/wireless/set", "=numbers=wlan1", "=frequency=5660")
	run(t, c, "/system/identity/set", "=name=ridge sector")
	r := run(t, c, "/ip/address/add", "=address=10.1.2.3/24", "=interface=bridge1", "=comment=caffè")
	id := r.Done.Map["ret"]
	if !strings.HasPrefix(id, "*") {
		t.Errorf("add gave %q", id)
	}
	run(t, c, "/interface/disable", "=numbers=ether1")
	run(t, c, "/user/set", "=numbers=crinale", "=password=new secret")
	up := deviceOf(t, f, "cpe-2").UptimeS
	if _, err := f.Inject(sim.Fault{Device: "cpe-1", Kind: sim.Reboot, ForS: 0.01}); err != nil {
		t.Fatal(err)
	}
	within(t, "cpe-1 has booted", func() bool { return deviceOf(t, f, "cpe-1").On })
	stop()

	f, stop = startedAs(t, sim.Config{StateDir: dir})
	for i, e := range f.Devices() {
		was := before[i]
		if e.ID == "sector" {
			was.Password = "new secret"
		}
		if e.Address != was.Address || *e.TLS != *was.TLS || e.Password != was.Password {
			t.Errorf("%s is at %s after the restart, was at %s", e.ID, e.Address, was.Address)
		}
	}
	if got := deviceOf(t, f, "cpe-2").UptimeS; got < up {
		t.Errorf("uptime fell from %v to %v", up, got)
	}
	if got := deviceOf(t, f, "cpe-1").UptimeS; got > 60 {
		t.Errorf("the reboot is forgotten: uptime %v", got)
	}
	c = dial(t, f, "sector")
	if w := run(t, c, "/interface/wireless/print").Re[0].Map; w["frequency"] != "5660" {
		t.Errorf("frequency is %s", w["frequency"])
	}
	if n := run(t, c, "/system/identity/print").Re[0].Map["name"]; n != "ridge sector" {
		t.Errorf("identity is %q", n)
	}
	if a := run(t, c, "/ip/address/print", "?.id="+id).Re; len(a) != 1 || a[0].Map["comment"] != "caffè" || a[0].Map["network"] != "10.1.2.0" {
		t.Errorf("address: %v", a)
	}
	if e := run(t, c, "/interface/print", "?name=ether1").Re[0].Map; e["disabled"] != "true" || e["running"] != "false" {
		t.Errorf("ether1: %v", e)
	}
	run(t, c, "/ip/address/remove", "=.id="+id)
	refused(t, c, "no such item (4)", "/ip/address/remove", "=.id="+id)
	stop()

	// A port that is taken gives a new one, and the rest stays.
	l, err := net.Listen("tcp", before[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f = started(t, sim.Config{StateDir: dir})
	now := f.Devices()
	if now[0].Address == before[0].Address || now[1].Address != before[1].Address {
		t.Errorf("addresses %s %s, were %s %s", now[0].Address, now[1].Address, before[0].Address, before[1].Address)
	}
}

func TestDamagedState(t *testing.T) {
	dir := t.TempDir()
	f, stop := startedAs(t, sim.Config{StateDir: dir})
	run(t, dial(t, f, "sector"), "/system/identity/set", "=name=x")
	stop()
	path := filepath.Join(dir, "devices", "sector.json")
	for _, text := range []string{`{"driver": "w60g", "config": {}}`, `{"driver": "wireless", "config": {"tables": {"interface": {"rows": [null]}}}}`, `{}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, stop := startedAs(t, sim.Config{StateDir: dir})
		if n := run(t, dial(t, f, "sector"), "/system/identity/print").Re[0].Map["name"]; n != "sector" {
			t.Errorf("kept %s: identity %q", text, n)
		}
		stop()
	}
	if err := os.WriteFile(path, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad, err := sim.New(sim.Config{StateDir: dir}, sim.Deps{Network: smallNetwork(), Level: flat})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "sector.json") || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	n := smallNetwork()
	for name, c := range map[string]struct {
		cfg  sim.Config
		deps sim.Deps
	}{
		"no state":        {sim.Config{}, sim.Deps{Network: n, Level: flat}},
		"no level":        {sim.Config{StateDir: "x"}, sim.Deps{Network: n}},
		"not loopback":    {sim.Config{StateDir: "x", Listen: "0.0.0.0:0"}, sim.Deps{Network: n, Level: flat}},
		"no port":         {sim.Config{StateDir: "x", Control: "127.0.0.1"}, sim.Deps{Network: n, Level: flat}},
		"unknown device":  {sim.Config{StateDir: "x", Versions: map[network.DeviceID]string{"nope": "7.1"}}, sim.Deps{Network: n, Level: flat}},
		"unknown version": {sim.Config{StateDir: "x", Versions: map[network.DeviceID]string{"sector": "new"}}, sim.Deps{Network: n, Level: flat}},
	} {
		if _, err := sim.New(c.cfg, c.deps); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMatch changes one end of a link after the other: it drops out of both
// tables, and comes back when both ends fit again.
func TestMatch(t *testing.T) {
	f := started(t, sim.Config{})
	ap, st := dial(t, f, "nv2-a"), dial(t, f, "nv2-b")
	table := func() (int, int) {
		a := run(t, ap, "/interface/wireless/registration-table/print", "=count-only=").Done.Map["ret"]
		b := run(t, st, "/interface/wireless/registration-table/print", "=count-only=").Done.Map["ret"]
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x, y
	}
	first := run(t, ap, "/interface/wireless/registration-table/print", "=.proplist=.id").Re[0].Map[".id"]
	for _, c := range []struct{ key, away, back string }{
		{"frequency", "5700", "5600"}, {"channel-width", "20mhz", "20/40mhz-Ce"}, {"ssid", "other", "langa"},
		{"wireless-protocol", "802.11", "nv2"}, {"mode", "station-bridge", "ap-bridge"}, {"disabled", "yes", "no"},
	} {
		run(t, ap, "/interface/wireless/set", "=numbers=wlan1", "="+c.key+"="+c.away)
		if a, b := table(); a != 0 || b != 0 {
			t.Errorf("%s=%s: tables have %d and %d rows", c.key, c.away, a, b)
		}
		if s := run(t, st, "/interface/wireless/monitor", "=numbers=wlan1", "=once=").Re[0].Map["status"]; s != "searching-for-network" {
			t.Errorf("%s: station is %s", c.key, s)
		}
		if l := linkOf(t, f, "l3"); l.Up || l.Since != nil {
			t.Errorf("%s: truth is %v", c.key, l)
		}
		run(t, ap, "/interface/wireless/set", "=numbers=wlan1", "="+c.key+"="+c.back)
		if a, b := table(); a != 1 || b != 1 {
			t.Errorf("%s=%s: tables have %d and %d rows", c.key, c.back, a, b)
		}
	}
	// Both ends moved together fit as well.
	run(t, ap, "/interface/wireless/set", "=numbers=wlan1", "=frequency=5700")
	run(t, st, "/interface/wireless/set", "=numbers=wlan1", "=frequency=5700")
	if a, b := table(); a != 1 || b != 1 {
		t.Errorf("both at 5700: tables have %d and %d rows", a, b)
	}
	if id := run(t, ap, "/interface/wireless/registration-table/print", "=.proplist=.id").Re[0].Map[".id"]; id == first {
		t.Errorf("a new association has the old id %s", id)
	}
	run(t, st, "/interface/wireless/registration-table/remove", "=.id="+run(t, st, "/interface/wireless/registration-table/print").Re[0].Map[".id"])
	if a, b := table(); a != 1 || b != 1 {
		t.Errorf("after a kick: tables have %d and %d rows", a, b)
	}
}

// TestPower: x dB less sent is x dB less at the peer, and the same at home.
func TestPower(t *testing.T) {
	f := started(t, sim.Config{})
	c := dial(t, f, "sector")
	was := linkOf(t, f, "l1")
	run(t, c, "/interface/wireless/set", "=numbers=wlan1", "=tx-power=13")
	now := linkOf(t, f, "l1")
	if d := *was.SignalB - *now.SignalB; d < 6.9 || d > 7.1 {
		t.Errorf("the peer hears %v dB less, want 7", d)
	}
	if d := *was.SignalA - *now.SignalA; d < -0.1 || d > 0.1 {
		t.Errorf("the sector itself hears %v dB less, want 0", d)
	}
	// In the default mode a device goes by its own table, whatever is set.
	run(t, c, "/interface/wireless/set", "=numbers=wlan1", "=tx-power-mode=default")
	if d := *linkOf(t, f, "l1").SignalB - *now.SignalB; d < 11.9 || d > 12.1 {
		t.Errorf("in the default mode %v dB more, want 12", d)
	}
	refused(t, c, "out of range", "/interface/wireless/set", "=numbers=wlan1", "=tx-power=99")
	refused(t, c, "input does not match any value of frequency", "/interface/wireless/set", "=numbers=wlan1", "=frequency=100")
	refused(t, c, "input does not match any value of channel-width", "/interface/wireless/set", "=numbers=wlan1", "=channel-width=33mhz")
	refused(t, c, "unknown parameter", "/interface/wireless/set", "=numbers=wlan1", "=colour=red")
	refused(t, c, "already have interface with such name", "/interface/set", "=numbers=wlan1", "=name=ether1")
	refused(t, c, "missing value(s)", "/interface/set", "=comment=x")
	if n := f.Writes()["sector"]; n != 8 {
		t.Errorf("%d writes counted, want 8", n)
	}
	if n := f.Writes()["cpe-1"]; n != 0 {
		t.Errorf("%d writes counted on a device nobody wrote to", n)
	}
}

func TestReadOnlyUser(t *testing.T) {
	f := started(t, sim.Config{})
	run(t, dial(t, f, "sector"), "/user/add", "=name=viewer", "=group=read", "=password=p")
	e := endpoint(t, f, "sector")
	e.User, e.Password = "viewer", "p"
	c, err := tryDial(t, e)
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "/interface/print")
	refused(t, c, "not enough permissions (9)", "/system/identity/set", "=name=x")
}

// TestSilencedSession: a session whose answer was swallowed is closed when the
// fault ends, so that nobody waits forever.
// TestPlannedRange serves on consecutive ports where they are asked for.
func TestPlannedRange(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port // taken: the range goes round it
	defer l.Close()
	f := started(t, sim.Config{Listen: "127.0.0.1:" + strconv.Itoa(port), NoTLS: true})
	for _, e := range f.Devices() {
		if e.Address == l.Addr().String() {
			t.Errorf("%s has the taken port", e.ID)
		}
	}
}
