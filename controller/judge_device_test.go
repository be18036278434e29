package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// walk is a device on its way through time.
type walk struct {
	t     *testing.T
	rules Rules
	state State
	at    time.Time
	log   []string
}

func newWalk(t *testing.T) *walk { return &walk{t: t, rules: DefaultRules(), at: t0} }

func (w *walk) read(o *network.Observation, err error) {
	w.at = w.at.Add(10 * time.Second)
	s, evs := Judge(w.rules, w.state, DeviceSight{At: w.at, Device: "d", Place: "Bric", Partners: []network.PartnerID{"p", "q"}, Observation: o, Err: err})
	w.state = s
	for _, ev := range evs {
		w.log = append(w.log, string(ev.Change)+" "+string(ev.Alert.Kind))
		checkAlert(w.t, ev.Alert)
		if len(ev.Alert.Partners) != 2 {
			w.t.Errorf("alert %s concerns %v", ev.Alert.ID, ev.Alert.Partners)
		}
	}
}

func (w *walk) want(m mark, log ...string) {
	w.t.Helper()
	if strings.Join(w.log, ", ") != strings.Join(log, ", ") {
		w.t.Errorf("%v: %q, want %q", m, w.log, log)
	}
	w.log = nil
}

func up(s network.Seconds) *network.Observation {
	return &network.Observation{Uptime: unit.Some(s)}
}

func ports(rate ...unit.Mbps) *network.Observation {
	o := &network.Observation{}
	for i, r := range rate {
		o.Interfaces = append(o.Interfaces, network.Interface{Name: fmt.Sprintf("ether%d", i+1), Type: "ether", Running: r > 0, Rate: unit.Some(r)})
	}
	return o
}

func TestDeviceUnreachable(t *testing.T) {
	w := newWalk(t)
	silent := fault.New(fault.Unreachable, "d: no answer in 8s")
	for range 10 { // every second read lost: annoying, not unreachable
		w.read(up(1), nil)
		w.read(nil, silent)
	}
	w.want(here())
	w.read(nil, silent)
	w.read(nil, silent)
	w.want(here(), "opened device-unreachable")
	for range 10 { // and one lucky read is not back
		w.read(up(1), nil)
		w.read(nil, silent)
	}
	w.want(here())
	w.read(up(1), nil)
	w.read(up(1), nil)
	w.want(here(), "closed device-unreachable")
}

// The advice is that of the trouble: power and cable only for silence, the
// account file and no blame for a device that nobody asked.
func TestUnreachableAdviceFollowsTheKind(t *testing.T) {
	advice := map[string]string{"alimenta": "power", "certificato": "certificate", "credentials_file": "credentials_file", "registro": "log"}
	for kind, c := range map[fault.Kind]struct {
		it       string
		seen     string
		severity Severity
	}{
		fault.Denied:      {"certificato", "answers but cannot be read", Critical},
		fault.Refused:     {"certificato", "answers but cannot be read", Critical},
		fault.Unreachable: {"alimenta", "does not answer", Critical},
		fault.Invalid:     {"credentials_file", "is not read", Warning},
		fault.Internal:    {"registro", "was not read", Critical},
		fault.Conflict:    {"registro", "was not read", Critical},
	} {
		w := newWalk(t)
		for range 3 {
			w.read(nil, fmt.Errorf("observe d: %w", fault.New(kind, "connect to 10.0.0.7:8729: because")))
		}
		a := w.state.Open()[0]
		for it, en := range advice {
			if strings.Contains(a.ToDo.IT, it) != (it == c.it) || strings.Contains(a.ToDo.EN, en) != (it == c.it) {
				t.Errorf("%v, %s: %v", kind, en, a.ToDo)
			}
		}
		if a.Severity != c.severity || !strings.Contains(a.Seen.EN, "d (Bric) "+c.seen) || !strings.HasSuffix(a.Seen.EN, " (because).") || !strings.HasSuffix(a.Seen.IT, " (because).") {
			t.Errorf("%v: %s %v", kind, a.Severity, a.Seen)
		}
	}
	w := newWalk(t)
	for range 3 {
		w.read(nil, errors.New("plain"))
	}
	w.want(here(), "opened device-unreachable")
}

type foreign struct{}

func (foreign) Error() string { return "it announces a word of 536870912 bytes" }
func (foreign) Foreign() bool { return true }

// Who answers something else has power: the address and the port are looked at.
func TestForeignAnswerIsNotSilence(t *testing.T) {
	w := newWalk(t)
	for range 3 {
		w.read(nil, fmt.Errorf("observe d: %w", fault.New(fault.Unreachable, "10.0.0.7:8728: %w", foreign{})))
	}
	a := w.state.Open()[0]
	for text, wants := range map[string][2]string{
		a.Seen.IT: {"non è l'API di RouterOS", "536870912 bytes)."}, a.Seen.EN: {"d (Bric) answers something that is no RouterOS API", "536870912 bytes)."},
		a.ToDo.IT: {"l'indirizzo e la porta", "giusti"}, a.ToDo.EN: {"address and port", "are right"},
	} {
		if !strings.Contains(text, wants[0]) || !strings.Contains(text, wants[1]) || strings.Contains(text, "alimenta") || strings.Contains(text, "power") {
			t.Errorf("%q lacks %q", text, wants)
		}
	}
}

func TestDeviceRebooted(t *testing.T) {
	w := newWalk(t)
	w.read(up(100), nil)
	w.read(up(110), nil)
	w.read(&network.Observation{}, nil) // not told this time
	w.read(up(110), nil)                // a clock of whole seconds may stand still
	w.want(here())
	w.read(nil, errors.New("rebooting"))
	w.read(up(5), nil)
	w.want(here(), "opened device-rebooted")
	if a := w.state.Open()[0]; a.Severity != Notice || a.Measured.Value != 5 || a.Expected.Value != 110 {
		t.Errorf("%+v", a)
	}
	for i := range 60 {
		w.read(up(network.Seconds(15+10*i)), nil)
	}
	w.want(here())
	w.read(up(3), nil) // again, while it is open: the same alert, longer
	w.want(here())
	for i := range 89 {
		w.read(up(network.Seconds(13+10*i)), nil)
	}
	w.want(here())
	w.read(up(2000), nil)
	w.want(here(), "closed device-rebooted")
	w.read(up(5), nil)
	w.want(here(), "opened device-rebooted")
	for range 91 { // it closes though the device says nothing more
		w.read(nil, errors.New("silent"))
	}
	w.want(here(), "opened device-unreachable", "closed device-rebooted")
}

func TestEthernetRenegotiated(t *testing.T) {
	for _, c := range []struct {
		at    mark
		reads []*network.Observation
		want  []string
	}{
		{here(), []*network.Observation{ports(1000), ports(100), ports(100)}, []string{"opened ethernet-renegotiated"}},
		{here(), []*network.Observation{ports(100), ports(10), ports(10)}, []string{"opened ethernet-renegotiated"}},
		{here(), []*network.Observation{ports(1000), ports(10), ports(10)}, []string{"opened ethernet-renegotiated"}},
		{here(), []*network.Observation{ports(10), ports(10)}, []string{"opened ethernet-renegotiated"}}, // wrong at any time
		{here(), []*network.Observation{ports(100), ports(100), ports(100)}, nil},                        // that is what it is
		{here(), []*network.Observation{ports(100), ports(1000), ports(1000)}, nil},
		{here(), []*network.Observation{ports(1000), ports(100), ports(1000), ports(100), ports(1000)}, nil},
		{here(), []*network.Observation{ports(1000), ports(100), ports(0), {}, ports(0), ports(100)}, []string{"opened ethernet-renegotiated"}},
		{here(), []*network.Observation{ports(1000), ports(100), ports(100), ports(1000), ports(100), ports(1000), ports(1000)}, []string{"opened ethernet-renegotiated", "closed ethernet-renegotiated"}},
		{here(), []*network.Observation{ports(1000, 100), ports(0, 100), ports(0, 100)}, nil}, // another port is another cable
		{here(), []*network.Observation{ports(1000, 100), ports(1000, 10), ports(1000, 10)}, nil},
	} {
		w := newWalk(t)
		for _, o := range c.reads {
			w.read(o, nil)
		}
		w.want(c.at, c.want...)
	}
}

func TestCable(t *testing.T) {
	o := network.Observation{Interfaces: []network.Interface{
		{Name: "ether10", Type: "ether", Running: true, Rate: unit.Some[unit.Mbps](10)},
		{Name: "bridge", Type: "bridge", Running: true, Rate: unit.Some[unit.Mbps](10000)},
		{Name: "ether2", Type: "ether", Running: true, Rate: unit.Some[unit.Mbps](100)},
		{Name: "ether1", Type: "ether", Running: true},
		{Name: "ether0", Type: "ether", Running: true, Disabled: true, Rate: unit.Some[unit.Mbps](1000)},
	}}
	if port, rate, ok := Cable(o); port != "ether2" || rate != 100 || !ok {
		t.Errorf("%s %v %v", port, rate, ok)
	}
	if _, _, ok := Cable(network.Observation{}); ok {
		t.Error("a device without ports has a cable")
	}
}
