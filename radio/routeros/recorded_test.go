package routeros

import (
	"os"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/testdata"
)

// TestRecordedRegistration reads the two recorded rows of real devices: the
// API words of a version 6 one, and the decorated values that version 7
// prints on its console.
func TestRecordedRegistration(t *testing.T) {
	b, err := os.ReadFile(testdata.Shared(t, "data/telemetry/routeros_api_registration.txt"))
	if err != nil {
		t.Fatal(err)
	}
	first, second, found := strings.Cut(string(b), "# 2)")
	if !found {
		t.Fatal("the file has another shape than expected")
	}

	words := row{}
	for l := range strings.Lines(first) {
		if k, v, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(l), "="), "="); ok && strings.HasPrefix(l, "=") {
			words[k] = v
		}
	}
	p := wirelessPeer(words)
	near(t, "signal", p.Signal, -51)
	near(t, "chain 0", p.Chain0, -53)
	near(t, "chain 1", p.Chain1, -62)
	near(t, "snr", p.SNR, 50)
	near(t, "tx rate", p.TxRate, 48)
	near(t, "rx rate", p.RxRate, 65)
	near(t, "tx ccq", p.TxCCQ, 113)
	near(t, "uptime", p.Uptime, 5*86400+9*60+11)
	unknown(t, "rx ccq", p.RxCCQ)
	unknown(t, "distance", p.Distance)
	if p.MAC != "02:00:00:00:00:01" || p.Interface != "wlan1" {
		t.Errorf("%+v", p)
	}
	if tx, rx, ok := pair(words["bytes"]); tx != 6689896 || rx != 2094536 || !ok {
		t.Error("bytes", tx, rx, ok)
	}
	near(t, "last activity", duration(words["last-activity"]), 4.75)

	words = row{}
	for _, f := range strings.Fields(second) {
		if k, v, ok := strings.Cut(f, "="); ok {
			words[k] = strings.Trim(v, `"`)
		}
	}
	p = wirelessPeer(words)
	near(t, "signal", p.Signal, -65)
	near(t, "chain 0", p.Chain0, -70)
	near(t, "chain 1", p.Chain1, -67)
	near(t, "snr", p.SNR, 43)
	near(t, "tx rate", p.TxRate, 144.4)
	near(t, "rx rate", p.RxRate, 117)
	near(t, "tx ccq", p.TxCCQ, 96)
	near(t, "distance", p.Distance, 1000)
	near(t, "uptime", p.Uptime, 9*60+55)
}

// TestRecordedMonitors reads the console output of real Ethernet ports.
func TestRecordedMonitors(t *testing.T) {
	for file, want := range map[string]float64{"": 1000, "2": none, "3": 10000, "4": 1000} {
		name := "data/telemetry/ntc/interface_ethernet_monitor_name_once/mikrotik_routeros_interface_ethernet_monitor_name_once" + file + ".raw"
		b, err := os.ReadFile(testdata.Shared(t, name))
		if err != nil {
			t.Fatal(err)
		}
		v := row{}
		for l := range strings.Lines(string(b)) {
			if k, x, ok := strings.Cut(l, ": "); ok {
				v[strings.TrimSpace(k)] = strings.TrimSpace(x)
			}
		}
		if have := flat(rate(v["rate"])); have != want {
			t.Errorf("%s: rate %q gives %v, want %v", name, v["rate"], have, want)
		}
		if want != none && !truth(v["full-duplex"]) {
			t.Errorf("%s: not full duplex: %v", name, v)
		}
	}
}

// TestRecordedResources reads uptime and load as real devices print them.
func TestRecordedResources(t *testing.T) {
	b, err := os.ReadFile(testdata.Shared(t, "data/telemetry/ntc/system_resource_print/mikrotik_routeros_system_resource_print_1.raw"))
	if err != nil {
		t.Fatal(err)
	}
	v := row{}
	for l := range strings.Lines(string(b)) {
		if k, x, ok := strings.Cut(l, ": "); ok {
			v[strings.TrimSpace(k)] = strings.TrimSpace(x)
		}
	}
	near(t, "uptime", duration(v["uptime"]), 6*7*86400+5*86400+11*3600+55*60+45)
	near(t, "cpu", percent(v["cpu-load"]), 1)
}

// TestHealthShapes: one row of properties, one row per sensor, tenths, none.
func TestHealthShapes(t *testing.T) {
	for _, c := range []struct {
		line          int
		rows          []row
		volts, degree float64
	}{
		{at(), []row{{"voltage": "23.8", "temperature": "46"}}, 23.8, 46},
		{at(), []row{{"voltage": "238", "temperature": "460", "cpu-temperature": "58"}}, 23.8, 46},
		{at(), []row{{"name": "cpu-temperature", "value": "58", "type": "C"}, {"name": "voltage", "value": "23.8", "type": "V"}}, 23.8, 58},
		{at(), []row{{"name": "psu1-voltage", "value": "24.1"}, {"name": "board-temperature1", "value": "31"}}, 24.1, 31},
		{at(), nil, none, none},
		{at(), []row{{"state": "disabled"}}, none, none},
	} {
		h := parseHealth(c.rows)
		if flat(h.volts) != c.volts || flat(h.celsius) != c.degree {
			t.Errorf("line %d: %+v", c.line, h)
		}
	}
}

func TestTrapKinds(t *testing.T) {
	for _, c := range []struct {
		line   int
		words  []string
		kind   string
		absent bool
	}{
		{at(), []string{"=message=no such command prefix"}, "not-found", true},
		{at(), []string{"=category=0", "=message=no such command"}, "not-found", true},
		{at(), []string{"=message=no such item (4)"}, "not-found", false},
		{at(), []string{"=category=0"}, "not-found", false},
		{at(), []string{"=message=not enough permissions (9)"}, "denied", false},
		{at(), []string{"=message=failure: not allowed by device-mode"}, "denied", false},
		{at(), []string{"=category=2", "=message=interrupted"}, "refused", false},
		{at(), []string{"=category=1", "=message=input does not match any value of interface"}, "refused", false},
		{at(), nil, "refused", false},
	} {
		err := refusal([]note{{"!trap", c.words}})
		tr := asTrap(err)
		if tr == nil || tr.kind().String() != c.kind || tr.absent() != c.absent || tr.Error() == "" {
			t.Errorf("line %d: %v", c.line, err)
		}
	}
}
