package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-routeros/routeros/v3"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio/sim"
)

// quote writes any bytes as a string of the script language, the plain ones too
// in hexadecimal where they are not letters.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
			b.WriteByte(c)
		case c == '"' || c == '\\' || c == '$':
			b.WriteString("\\" + string(c))
		default:
			fmt.Fprintf(&b, "\\%02X", c)
		}
	}
	return b.String() + `"`
}

func frequency(t *testing.T, c *routeros.Client) string {
	t.Helper()
	return run(t, c, "/interface/wireless/print").Re[0].Map["frequency"]
}

// TestWayBack: an entry added over the API undoes a change after the session
// has gone, and a restart of the fleet in between does not lose it.
func TestWayBack(t *testing.T) {
	dir := t.TempDir()
	f, stop := startedAs(t, sim.Config{StateDir: dir})
	c := dial(t, f, "sector")
	id := run(t, c, "/system/scheduler/add", "=name=crinale-undo-1", "=interval=2s",
		"=on-event="+`:do { /interface wireless set [find name="wlan1"] frequency=5600 } on-error={ :log error "frequency" }`+"\n"+`/system scheduler remove [find name="crinale-undo-1"]`).Done.Map["ret"]
	e := run(t, c, "/system/scheduler/print", "?.id="+id).Re[0].Map
	if e["name"] != "crinale-undo-1" || e["interval"] != "2s" || e["owner"] != "crinale" || e["disabled"] != "false" || e["next-run"] == "" || e["run-count"] != "0" || !strings.Contains(e["policy"], "write") {
		t.Errorf("entry: %v", e)
	}
	refused(t, c, "already have schedule with such name", "/system/scheduler/add", "=name=crinale-undo-1")
	refused(t, c, "out of range", "/system/scheduler/set", "=.id="+id, "=interval=1500ms")
	refused(t, c, "invalid time value", "/system/scheduler/set", "=.id="+id, "=interval=often")
	refused(t, c, "input does not match any value of policy", "/system/scheduler/set", "=.id="+id, "=policy=all")
	run(t, c, "/interface/wireless/set", "=numbers=wlan1", "=frequency=5700")
	c.Close()
	stop()
	f, _ = startedAs(t, sim.Config{StateDir: dir})
	c = dial(t, f, "sector")
	within(t, "the device has gone back", func() bool { return frequency(t, c) == "5600" })
	within(t, "the entry is gone", func() bool { return len(run(t, c, "/system/scheduler/print").Re) == 0 })
	if n := f.Writes()["sector"]; n != 0 {
		t.Errorf("the device's own script counts as %d writes on the wire", n)
	}
}

// TestAnyBytes of an SSID survive the script, the disk and the API.
func TestAnyBytes(t *testing.T) {
	dir := t.TempDir()
	f, stop := startedAs(t, sim.Config{StateDir: dir})
	var all []string
	for i := 0; i < 256; i += 16 {
		b := make([]byte, 16)
		for j := range b {
			b[j] = byte(i + j)
		}
		all = append(all, string(b))
	}
	all = append(all, `"; :error "x`, `\"`, "$ssid", "caffè ☕", "\xc3(", " ", "a\r\nb")
	for _, ssid := range all {
		if err := f.Console(t.Context(), "sector", "/interface wireless set wlan1 ssid="+quote(ssid)); err != nil {
			t.Fatalf("%q: %v", ssid, err)
		}
		if got := run(t, dial(t, f, "sector"), "/interface/wireless/print").Re[0].Map["ssid"]; got != ssid {
			t.Errorf("ssid is %q, want %q", got, ssid)
		}
	}
	const odd = "\x00\xff\xfe\"\\$\r\n"
	run(t, dial(t, f, "sector"), "/interface/wireless/set", "=numbers=wlan1", "=ssid="+odd)
	stop()
	f = started(t, sim.Config{StateDir: dir})
	if got := run(t, dial(t, f, "sector"), "/interface/wireless/print").Re[0].Map["ssid"]; got != odd {
		t.Errorf("after the restart ssid is %q, want %q", got, odd)
	}
}

// TestRefusedScheduler are the devices on which no way back can be armed.
func TestRefusedScheduler(t *testing.T) {
	f := started(t, sim.Config{Versions: map[network.DeviceID]string{"sector": "7.18.2", "cpe-1": "7.16.2", "core-1": "7.18.2"}})
	c := dial(t, f, "sector")
	mode := func() map[string]string { return run(t, c, "/system/device-mode/print").Re[0].Map }
	if m := mode(); m["mode"] != "basic" || m["scheduler"] != "true" || m["bandwidth-test"] != "false" {
		t.Errorf("device-mode: %v", m)
	}
	if m := run(t, dial(t, f, "core-1"), "/system/device-mode/print").Re[0].Map; m["mode"] != "advanced" {
		t.Errorf("device-mode of a router: %v", m)
	}
	refused(t, dial(t, f, "cpe-1"), "no such command prefix", "/system/device-mode/print")

	id, err := f.Inject(sim.Fault{Device: "sector", Kind: sim.RefuseScheduler})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, c, "failure: not allowed by device-mode", "/system/scheduler/add", "=name=x", "=interval=1m", "=on-event=:log info x")
	if m := mode(); m["mode"] != "home" || m["scheduler"] != "false" {
		t.Errorf("device-mode: %v", m)
	}
	f.Clear(id)

	if id, err = f.Inject(sim.Fault{Device: "sector", Kind: sim.DeafScheduler}); err != nil {
		t.Fatal(err)
	}
	run(t, c, "/system/scheduler/add", "=name=x", "=interval=1s", "=on-event=:log info deaf")
	e := run(t, c, "/system/scheduler/print").Re[0].Map
	if e["invalid"] != "true" || e["next-run"] != "" || e[".about"] != "inactivated, not allowed by device-mode" {
		t.Errorf("deaf: %v", e)
	}
	f.Clear(id)
	if e := run(t, c, "/system/scheduler/print").Re[0].Map; e["invalid"] != "" || e["next-run"] == "" {
		t.Errorf("no longer deaf: %v", e)
	}
	within(t, "it runs now", func() bool { return len(run(t, c, "/log/print", "?message=deaf").Re) > 0 })
}

// TestClock1970: a device that does not know the time keeps intervals.
func TestClock1970(t *testing.T) {
	f := started(t, sim.Config{Versions: map[network.DeviceID]string{"sector": "6.49.18", "cpe-1": "7.18.2"}})
	for id, want := range map[network.DeviceID]string{"sector": "/1970", "cpe-1": "1970-"} {
		if _, err := f.Inject(sim.Fault{Device: id, Kind: sim.Reboot, ForS: 0.01}); err != nil {
			t.Fatal(err)
		}
		within(t, "it has booted", func() bool { d := deviceOf(t, f, id); return d.On && d.UptimeS < 3600 })
		if _, err := f.Inject(sim.Fault{Device: id, Kind: sim.Clock1970}); err != nil {
			t.Fatal(err)
		}
		c := dial(t, f, id)
		if d := run(t, c, "/system/clock/print").Re[0].Map["date"]; !strings.Contains(d, want) {
			t.Errorf("%s: date is %s", id, d)
		}
		run(t, c, "/system/scheduler/add", "=name=tick", "=interval=1s", "=on-event=:log info tick")
		if e := run(t, c, "/system/scheduler/print").Re[0].Map; !strings.Contains(e["next-run"], want) || !strings.Contains(e["start-date"], want) {
			t.Errorf("%s: %v", id, e)
		}
		within(t, "the entry runs", func() bool { return len(run(t, c, "/log/print", "?message=tick", "?topics=script,info").Re) > 0 })
		if l := run(t, c, "/log/print", "?message=tick").Re[0].Map; !strings.Contains(l["time"], want) {
			t.Errorf("%s: %v", id, l)
		}
	}
}

// TestAfterWrites: a fault comes in the middle of a change.
func TestAfterWrites(t *testing.T) {
	f := started(t, sim.Config{})
	if _, err := f.Inject(sim.Fault{Device: "sector", Kind: sim.Off, AfterWrites: -1}); fault.Of(err) != fault.Invalid {
		t.Errorf("-1 writes: %v", err)
	}
	c := dial(t, f, "sector")
	id, err := f.Inject(sim.Fault{Device: "sector", Kind: sim.Off, AfterWrites: 2})
	if err != nil {
		t.Fatal(err)
	}
	if x := f.State().Faults; len(x) != 1 || x[0].WritesLeft != 2 || x[0].Since != nil {
		t.Errorf("faults: %v", x)
	}
	run(t, c, "/interface/wireless/set", "=numbers=wlan1", "=comment=one")
	run(t, c, "/interface/wireless/print")
	refused(t, c, "unknown parameter", "/interface/wireless/set", "=numbers=wlan1", "=colour=two") // answered, then gone
	if _, err := c.Run("/interface/wireless/set", "=numbers=wlan1", "=comment=three"); err == nil {
		t.Error("a device without power answered")
	}
	if x := f.State().Faults; len(x) != 1 || x[0].WritesLeft != 0 || x[0].Since == nil {
		t.Errorf("faults: %v", x)
	}
	if err := f.Clear(id); err != nil {
		t.Fatal(err)
	}
	if got := run(t, dial(t, f, "sector"), "/interface/wireless/print").Re[0].Map["comment"]; got != "one" {
		t.Errorf("comment is %s", got)
	}
	// A link counts the writes of both its ends; a fault that waits can be cleared.
	gone, err := f.Inject(sim.Fault{Link: "l1", Kind: sim.Off, AfterWrites: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Inject(sim.Fault{Link: "l1", Kind: sim.Attenuate, DB: 9, AfterWrites: 2}); err != nil {
		t.Fatal(err)
	}
	was := *linkOf(t, f, "l1").SignalA
	run(t, dial(t, f, "cpe-2"), "/system/identity/set", "=name=other")
	run(t, dial(t, f, "sector"), "/system/identity/set", "=name=near")
	run(t, dial(t, f, "cpe-1"), "/system/identity/set", "=name=far")
	within(t, "the link is weaker", func() bool { d := was - *linkOf(t, f, "l1").SignalA; return d > 8.9 && d < 9.1 })
	if err := f.Clear(gone); err != nil {
		t.Fatal(err)
	}
	run(t, dial(t, f, "cpe-1"), "/system/identity/set", "=name=farther")
	if x := f.State().Faults; len(x) != 1 || x[0].Kind != sim.Attenuate || !linkOf(t, f, "l1").Up {
		t.Errorf("faults: %v", x)
	}
}

// TestConsole changes a device behind its manager's back.
func TestConsole(t *testing.T) {
	f := started(t, sim.Config{})
	post := func(id, kind, body string) (int, string) {
		t.Helper()
		r, err := http.Post(f.Control()+"/devices/"+id+"/run", kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b := make([]byte, 4096)
		n, _ := r.Body.Read(b)
		return r.StatusCode, string(b[:n])
	}
	const raw = "application/octet-stream"
	for _, c := range []struct {
		id, kind, body string
		status         int
		says           string
	}{
		{"sector", raw, "/interface wireless set wlan1 ssid=\"by hand\"", 204, ""},
		{"sector", "application/json", `{"script": "/interface set wlan1 comment=\"per mano\""}`, 204, ""},
		{"sector", "text/plain", "/interface", 400, "application/octet-stream"},
		{"sector", "application/json", `{"scritp": ""}`, 400, "scritp"},
		{"sector", raw, "/interface wireless set wlan1 ssid=\"", 400, "expected closing quote of \\\" (line 1)"},
		{"sector", raw, "\n/interface wireless set wlan1 frequency=1", 422, "input does not match any value of frequency (line 2)"},
		{"sector", raw, strings.Repeat("#", 70<<10), 400, "too large"},
		{"nobody", raw, ":log info x", 404, "no device"},
	} {
		if status, body := post(c.id, c.kind, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%.50s: %d %s", c.body, status, body)
		}
	}
	w := run(t, dial(t, f, "sector"), "/interface/wireless/print").Re[0].Map
	if w["ssid"] != "by hand" || w["comment"] != "per mano" {
		t.Errorf("wlan1: %v", w)
	}
	if n := f.Writes()["sector"]; n != 0 {
		t.Errorf("%d writes counted", n)
	}
	if l := run(t, dial(t, f, "sector"), "/log/print", "?message=interface changed by console").Re; len(l) != 2 {
		t.Errorf("log: %v", l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Console(ctx, "sector", ":log info waiting\n:delay 1h") }()
	c := dial(t, f, "sector")
	within(t, "the script waits", func() bool { return len(run(t, c, "/log/print", "?message=waiting").Re) == 1 })
	cancel()
	if err := <-ended; fault.Of(err) != fault.Unreachable || !errors.Is(err, context.Canceled) {
		t.Errorf("left: %v", err)
	}
	if _, err := f.Inject(sim.Fault{Device: "sector", Kind: sim.Off}); err != nil {
		t.Fatal(err)
	}
	if status, body := post("sector", raw, ":log info x"); status != 503 || !strings.Contains(body, "no power") {
		t.Errorf("without power: %d %s", status, body)
	}
}

// TestScripts of the repository run by command, by the scheduler and by others.
func TestScripts(t *testing.T) {
	f := started(t, sim.Config{Versions: map[network.DeviceID]string{"sector": "7.18.2"}})
	c := dial(t, f, "sector")
	run(t, c, "/system/script/add", "=name=note", "=source=:log info noted")
	run(t, c, "/system/script/add", "=name=twice", "=source=/system script run note\n/system/script/run note")
	run(t, c, "/system/script/add", "=name=loop", "=source=/system script run loop")
	run(t, c, "/system/script/add", "=source=:log info \"", "=comment=broken")
	run(t, c, "/system/script/run", "=number=twice")
	if n := len(run(t, c, "/log/print", "?message=noted").Re); n != 2 {
		t.Errorf("noted %d times", n)
	}
	s := run(t, c, "/system/script/print", "?name=note").Re[0].Map
	if s["run-count"] != "2" || s["owner"] != "crinale" || s["invalid"] != "false" || s["last-started"] == "" {
		t.Errorf("script: %v", s)
	}
	if s := run(t, c, "/system/script/print", "?comment=broken").Re[0].Map; s["invalid"] != "true" || s["name"] != "script1" {
		t.Errorf("broken script: %v", s)
	}
	refused(t, c, "run each other", "/system/script/run", "=number=loop")
	refused(t, c, "expected closing quote", "/system/script/run", "=.id=script1")
	refused(t, c, "no such item (4)", "/system/script/run", "=number=nothing")
	run(t, c, "/system/script/remove", "=numbers=note,twice,loop,script1")
	if n := len(run(t, c, "/system/script/print").Re); n != 0 {
		t.Errorf("%d scripts left", n)
	}

	run(t, c, "/user/add", "=name=viewer", "=group=read", "=password=p")
	e := endpoint(t, f, "sector")
	e.User, e.Password = "viewer", "p"
	v, err := tryDial(t, e)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, v, "not enough permissions (9)", "/system/scheduler/add", "=name=x")
	refused(t, v, "not enough permissions (9)", "/system/script/run", "=number=x")
}
