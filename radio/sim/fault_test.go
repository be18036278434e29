package sim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/radio/sim"
)

// TestWireFaults are those of the connection, as bytes on it.
func TestWireFaults(t *testing.T) {
	f := started(t, sim.Config{})
	short := func(e sim.Endpoint, wait time.Duration) error {
		conn, err := net.Dial("tcp", e.Address)
		if err != nil {
			return err
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(wait))
		conn.Write([]byte("\x06/login\x0c=name=" + e.User[:6] + "\x00"))
		b := make([]byte, 64)
		n, err := conn.Read(b)
		if err != nil {
			return err
		}
		return &answered{b[:n]}
	}
	for _, c := range []struct {
		kind sim.Kind
		wait time.Duration
		ok   func(error) bool
	}{
		{sim.Off, patience, func(err error) bool { return err != nil && !os.IsTimeout(err) }},
		{sim.Silent, 300 * time.Millisecond, os.IsTimeout},
		{sim.Garbage, patience, func(err error) bool {
			b, ok := err.(*answered)
			return ok && !bytes.HasPrefix(b.b, []byte("\x05!trap"))
		}},
		{sim.HugeLength, patience, func(err error) bool { b, ok := err.(*answered); return ok && string(b.b) == "\xf0\x20\x00\x00\x00" }},
		{sim.CutMidSentence, patience, func(err error) bool { b, ok := err.(*answered); return ok && !bytes.HasSuffix(b.b, []byte{0}) }},
		{sim.Slow, 300 * time.Millisecond, os.IsTimeout},
	} {
		id, err := f.Inject(sim.Fault{Device: "cpe-2", Kind: c.kind})
		if err != nil {
			t.Fatal(err)
		}
		if err := short(endpoint(t, f, "cpe-2"), c.wait); !c.ok(err) {
			t.Errorf("%s: %v", c.kind, err)
		}
		if err := f.Clear(id); err != nil {
			t.Error(err)
		}
		run(t, dial(t, f, "cpe-2"), "/system/identity/print")
	}
	id, err := f.Inject(sim.Fault{Device: "cpe-2", Kind: sim.WrongPassword})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryDial(t, endpoint(t, f, "cpe-2")); err == nil || !strings.Contains(err.Error(), "invalid user name or password (6)") {
		t.Errorf("wrong-password: %v", err)
	}
	f.Clear(id)
	run(t, dial(t, f, "cpe-2"), "/system/identity/print")
}

type answered struct{ b []byte }

func (a *answered) Error() string { return strconv.Quote(string(a.b)) }

func TestSilencedSession(t *testing.T) {
	f := started(t, sim.Config{})
	c := dial(t, f, "cpe-2")
	id, err := f.Inject(sim.Fault{Device: "cpe-2", Kind: sim.Silent})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := c.Run("/system/identity/print")
		got <- err
	}()
	// The command is swallowed at some moment after the fault; clearing it
	// before would let the answer through, which is right too.
	within(t, "the session is closed or answers", func() bool {
		f.Clear(id)
		select {
		case <-got:
			return true
		default:
			return false
		}
	})
}

func TestRadioFaults(t *testing.T) {
	f := started(t, sim.Config{})
	inject := func(x sim.Fault) func() {
		t.Helper()
		id, err := f.Inject(x)
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := f.Clear(id); err != nil {
				t.Error(err)
			}
		}
	}
	was := linkOf(t, f, "l1")
	clear := inject(sim.Fault{Link: "l1", Kind: sim.Attenuate, DB: 12})
	now := linkOf(t, f, "l1")
	if d := *was.SignalA - *now.SignalA; d < 11.9 || d > 12.1 || now.RateAMbps >= was.RateAMbps || now.RateBMbps >= was.RateBMbps {
		t.Errorf("12 dB less: %v dB, %v Mbps", d, now.RateAMbps)
	}
	if other := linkOf(t, f, "l2"); *other.SignalA < -62 {
		t.Errorf("the other link of the sector fell too: %v", *other.SignalA)
	}
	clear()
	clear = inject(sim.Fault{Device: "sector", Kind: sim.Attenuate, DB: 60})
	if linkOf(t, f, "l1").Up || linkOf(t, f, "l2").Up || !linkOf(t, f, "l3").Up {
		t.Error("60 dB at the sector should drop its two links and no other")
	}
	clear()
	if !linkOf(t, f, "l1").Up {
		t.Error("the link did not come back")
	}

	c := dial(t, f, "sector")
	ether := func() string {
		return run(t, c, "/interface/ethernet/monitor", "=numbers=ether1", "=once=").Re[0].Map["rate"]
	}
	clear = inject(sim.Fault{Device: "sector", Kind: sim.Ethernet100})
	if r := ether(); r != "100Mbps" {
		t.Errorf("cable at %s", r)
	}
	clear()
	if r := ether(); r != "1Gbps" {
		t.Errorf("cable at %s", r)
	}

	snr := func() (ch0, ch1, snr int) {
		r := run(t, c, "/interface/wireless/registration-table/print", "?radio-name=cpe-1").Re[0].Map
		ch0, _ = strconv.Atoi(r["signal-strength-ch0"])
		ch1, _ = strconv.Atoi(r["signal-strength-ch1"])
		snr, _ = strconv.Atoi(r["signal-to-noise"])
		return
	}
	a0, a1, quiet := snr()
	clear = inject(sim.Fault{Device: "sector", Kind: sim.Interference, DB: 15})
	if _, _, loud := snr(); quiet-loud < 12 || quiet-loud > 18 {
		t.Errorf("interference: SNR from %d to %d", quiet, loud)
	}
	clear()
	clear = inject(sim.Fault{Device: "sector", Kind: sim.ChainLoss, DB: 20})
	b0, b1, _ := snr()
	if a0-b0 > 5 || a1-b1 < 16 {
		t.Errorf("chain lost: %d/%d, then %d/%d", a0, a1, b0, b1)
	}
	clear()

	inject(sim.Fault{Device: "cpe-1", Kind: sim.Reboot, ForS: 0.2})
	if linkOf(t, f, "l1").Up || deviceOf(t, f, "cpe-1").On {
		t.Error("a device that reboots is still there")
	}
	within(t, "it is back", func() bool { return linkOf(t, f, "l1").Up && deviceOf(t, f, "cpe-1").On })
	if up := deviceOf(t, f, "cpe-1").UptimeS; up > 10 {
		t.Errorf("uptime %v after a reboot", up)
	}
	r := run(t, c, "/interface/print", "?name=wlan1").Re[0].Map
	if r["link-downs"] == "0" || r["last-link-down-time"] == "" {
		t.Errorf("wlan1 after drops: %v", r)
	}
}

func TestRain(t *testing.T) {
	f := started(t, sim.Config{})
	dry5, dry60 := *linkOf(t, f, "l1").SignalA, *linkOf(t, f, "l5").SignalA
	if err := f.SetWeather(sim.Weather{RainMMH: 30}); err != nil {
		t.Fatal(err)
	}
	if d := dry5 - *linkOf(t, f, "l1").SignalA; d < -0.1 || d > 0.1 {
		t.Errorf("rain took %v dB at 5.6 GHz", d)
	}
	// 683 m at 58.3 GHz: k 0.84, alpha 0.75 give 10.8 dB/km.
	if d := dry60 - *linkOf(t, f, "l5").SignalA; d < 6.5 || d > 8 {
		t.Errorf("rain took %v dB at 60 GHz", d)
	}
	for _, r := range []float64{-1, 1000} {
		if err := f.SetWeather(sim.Weather{RainMMH: r}); fault.Of(err) != fault.Invalid {
			t.Errorf("rain of %v: %v", r, err)
		}
	}
}

func TestControl(t *testing.T) {
	f := started(t, sim.Config{})
	call := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, f.Control()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json; charset=utf-8")
		}
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(b)
	}
	code, body := call("POST", "/faults", `{"link": "l1", "kind": "attenuate", "db": 9, "for_s": 3600}`)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || code != 201 || made.ID == "" {
		t.Fatalf("%d %s", code, body)
	}
	code, body = call("GET", "/", "")
	var s sim.State
	if err := json.Unmarshal([]byte(body), &s); err != nil || code != 200 {
		t.Fatalf("%d %v", code, err)
	}
	if len(s.Faults) != 1 || s.Faults[0].ID != made.ID || s.Faults[0].DB != 9 || s.Faults[0].Until == nil || len(s.Devices) != 11 || len(s.Links) != 7 {
		t.Errorf("state: %s", body)
	}
	if code, body := call("POST", "/weather", `{"rain_mm_h": 12.5}`); code != 204 || f.State().Weather.RainMMH != 12.5 {
		t.Errorf("weather: %d %s", code, body)
	}
	if code, body := call("DELETE", "/faults/"+made.ID, ""); code != 204 {
		t.Errorf("clear: %d %s", code, body)
	}
	if code, body := call("DELETE", "/faults/"+made.ID, ""); code != 404 {
		t.Errorf("clear again: %d %s", code, body)
	}
	for body, want := range map[string]string{
		`{"device": "sector", "kind": "explode"}`:               "silent",
		`{"device": "nope", "kind": "off"}`:                     "no device",
		`{"link": "nope", "kind": "off"}`:                       "no link",
		`{"kind": "off"}`:                                       "name a device or a link",
		`{"device": "sector", "link": "l1", "kind": "off"}`:     "name a device or a link",
		`{"link": "l1", "kind": "silent"}`:                      "not of a link",
		`{"link": "l6", "kind": "attenuate", "db": 3}`:          "not a radio link",
		`{"link": "l1", "kind": "attenuate"}`:                   "db must be",
		`{"device": "sector", "kind": "off", "db": 3}`:          "takes no db",
		`{"device": "sector", "kind": "off", "delay_ms": 3}`:    "takes no delay_ms",
		`{"device": "sector", "kind": "slow", "delay_ms": -1}`:  "delay_ms must be",
		`{"device": "sector", "kind": "off", "for_s": -1}`:      "for_s must be",
		`{"device": "sector", "kind": "off", "colour": 1}`:      "unknown field",
		`{"device": "sector", "kind": "off"} {}`:                "something follows",
		`{"device": "sector", "kind": "off"`:                    "body",
		`{"device": "sector", "kind": "off", "for_s": "a day"}`: "for_s",
	} {
		code, got := call("POST", "/faults", body)
		if code != 400 && code != 404 || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s", body, code, got)
		}
	}
	if code, got := call("POST", "/weather", `{}`); code != 400 || !strings.Contains(got, "rain_mm_h") {
		t.Errorf("empty weather: %d %s", code, got)
	}
	if code, _ := call("POST", "/nowhere", `{}`); code != 404 {
		t.Errorf("unknown path: %d", code)
	}
	req, _ := http.NewRequest("GET", f.Control(), nil)
	req.Host = "attacker.example"
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 403 {
		t.Errorf("a foreign host name: %d", r.StatusCode)
	}
}
