package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
	"github.com/crinale/crinale/radio/sim"
)

// chainFiles is a gateway and two radio links one behind the other: what
// stands on the peak is reached through both.
const chainFiles = `
sites:
  - {id: valley, name: Valley, lat: 44.50, lon: 8.10}
  - {id: ridge, name: Ridge, lat: 44.52, lon: 8.12}
  - {id: peak, name: Peak, lat: 44.54, lon: 8.14}
devices:
  - {id: gateway, site: valley, gear: mikrotik-hex, address: 10.0.0.254}
  - {id: valley-up, site: valley, gear: mikrotik-lhg-5-ac, address: 10.0.0.1, mac: "02:A1:00:00:00:01", height_m: 10, settings: {ssid: low, freq_mhz: %[1]d, width_mhz: 20}}
  - {id: ridge-down, site: ridge, gear: mikrotik-lhg-5-ac, address: 10.0.0.2, mac: "02:A1:00:00:00:02", height_m: 10, settings: {ssid: low, freq_mhz: %[1]d, width_mhz: 20}}
  - {id: ridge-up, site: ridge, gear: mikrotik-lhg-5-ac, address: 10.0.0.3, mac: "02:A1:00:00:00:03", height_m: 10, settings: {ssid: high, freq_mhz: %[2]d, width_mhz: 20}}
  - {id: peak-down, site: peak, gear: mikrotik-lhg-5-ac, address: 10.0.0.4, mac: "02:A1:00:00:00:04", height_m: 10, settings: {ssid: high, freq_mhz: %[2]d, width_mhz: 20}}
links:
  - {id: fibre, medium: fibre, a: gateway}
  - {id: low, medium: radio, a: valley-up, b: ridge-down}
  - {id: high, medium: radio, a: ridge-up, b: peak-down}
`

func chain(t *testing.T, low, high int) *network.Network {
	t.Helper()
	n, err := network.Load(fstest.MapFS{"net.yaml": {Data: fmt.Appendf(nil, chainFiles, low, high)}}, demo.FS)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// told is a fleet that tells when a device was told to keep a change.
type toldFleet struct {
	*radio.Fleet
	mu   sync.Mutex
	kept func(network.DeviceID)
}

func (f *toldFleet) Confirm(ctx context.Context, d network.DeviceID, id string) error {
	err := f.Fleet.Confirm(ctx, d, id)
	f.mu.Lock()
	kept := f.kept
	f.mu.Unlock()
	if err == nil && kept != nil {
		kept(d)
	}
	return err
}

// mountain is the chain, simulated, with the management inside the links.
type mountain struct {
	t     *testing.T
	sim   *sim.Fleet
	fleet *toldFleet
	want  *network.Network
	deps  controller.ChangesDeps
}

func newMountain(t *testing.T) *mountain {
	t.Helper()
	m := &mountain{t: t, want: chain(t, 5500, 5600)}
	var err error
	m.sim, err = sim.New(sim.Config{StateDir: t.TempDir(), NoTLS: true, Join: time.Second, Gateways: []network.DeviceID{"gateway"}},
		sim.Deps{Network: m.want, Level: func(network.LinkID, network.DeviceID) (unit.DBm, bool) { return -58, true }})
	if err != nil {
		t.Fatal(err)
	}
	driver, err := routeros.New(routeros.Default(), routeros.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	for _, run := range []func(context.Context) error{m.sim.Run, driver.Run} {
		work.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { stop(); work.Wait() })
	<-m.sim.Ready()
	fleet, err := radio.New(radio.Default(), radio.Deps{Driver: driver, Book: func(_ context.Context, id network.DeviceID) (radio.Target, error) {
		for _, e := range m.sim.Devices() {
			if e.ID == id {
				return radio.Target{Device: id, Address: e.Address, User: e.User, Password: e.Password}, nil
			}
		}
		return radio.Target{}, fmt.Errorf("no device %s", id)
	}})
	if err != nil {
		t.Fatal(err)
	}
	m.fleet = &toldFleet{Fleet: fleet}
	db := storetest.SQLite(t)
	log, err := audit.New(audit.Config{}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.deps = controller.ChangesDeps{
		Store: db, Audit: log, Fleet: m.fleet,
		Observe: func(ctx context.Context, id network.DeviceID) (network.Observation, error) {
			fleet.Retry(ctx, id)
			return fleet.Observe(ctx, id)
		},
		Desired: func(context.Context) (*network.Network, error) { return m.want, nil },
	}
	return m
}

// engine starts one; stop ends it without a farewell.
func (m *mountain) engine() (c *controller.Changes, stop func()) {
	m.t.Helper()
	c, err := controller.NewChanges(controller.DefaultChanges(), m.deps)
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	<-c.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			m.t.Error(err)
		}
	})
	m.t.Cleanup(stop)
	return c, stop
}

// end waits until no change is under way, and gives all, the newest first.
func (m *mountain) end(c *controller.Changes) []controller.ChangeRecord {
	m.t.Helper()
	var all []controller.ChangeRecord
	limit := time.After(4 * time.Minute)
	for {
		var err error
		if all, err = c.History(m.t.Context(), controller.HistoryQuery{}); err != nil {
			m.t.Fatal(err)
		}
		if !slices.ContainsFunc(all, func(r controller.ChangeRecord) bool { return !r.State.Ended() }) {
			return all
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-limit:
			m.t.Fatal("changes do not end")
		}
	}
}

// freqs are the frequencies of the four radios, from the valley up; each must
// answer and hold no way back.
func (m *mountain) freqs() string {
	m.t.Helper()
	out := ""
	for _, id := range []network.DeviceID{"valley-up", "ridge-down", "ridge-up", "peak-down"} {
		ways, err := m.fleet.WaysBack(m.t.Context(), id)
		if err != nil || len(ways) > 0 {
			m.t.Errorf("%s: ways back %v, %v", id, ways, err)
		}
		c, err := m.fleet.Configured(m.t.Context(), id)
		if err != nil {
			m.t.Fatal(err)
		}
		out += " " + c.Values[network.Key{Section: network.RadioSection, Name: c.Radios[0], Field: network.FieldFreq}]
	}
	return out[1:]
}

func (m *mountain) tell(c *controller.Changes) {
	all, _ := c.History(m.t.Context(), controller.HistoryQuery{})
	for _, r := range all {
		r, _ = c.Change(m.t.Context(), r.ID)
		m.t.Logf("%s %s (%s) of %q: %s", r.ID, r.State, r.Cause, r.Of, r.Outcome)
		for _, e := range r.Events {
			m.t.Logf("  %s %s %s %s", e.At.Format("05.000"), e.Device, e.Step, e.Text)
		}
	}
}

// TestInBandChangeOfAChain: both links of the chain change at once; writing an
// end cuts off what is behind it, and its answer.
func TestInBandChangeOfAChain(t *testing.T) {
	m := newMountain(t)
	c, _ := m.engine()
	m.want = chain(t, 5520, 5640)
	begun := time.Now()
	if _, err := c.Apply(t.Context(), controller.ApplyRequest{}); err != nil {
		t.Fatal(err)
	}
	all := m.end(c)
	if got := m.freqs(); all[0].State != controller.ChangeConfirmed || got != "5520 5520 5640 5640" {
		t.Errorf("%s: %s", all[0].State, got)
	}
	if t.Failed() {
		m.tell(c)
	}
	t.Logf("in %v", time.Since(begun))
}

// TestProveStranded: the program dies once the near end of a link was told to keep its new
// frequency, and is away until the far end has gone back by itself: the two
// ends do not agree, and the far end cannot be reached. The next start takes
// the near end back.
func TestProveStranded(t *testing.T) {
	if os.Getenv("PROVE") != "stranded" {
		t.Skip("run by make prove-stranded")
	}
	m := newMountain(t)
	c, stop := m.engine()
	m.want = chain(t, 5520, 5600)
	dead := make(chan struct{})
	m.fleet.mu.Lock()
	m.fleet.kept = func(d network.DeviceID) {
		if d == "valley-up" {
			go func() { stop(); close(dead) }()
			<-time.After(50 * time.Millisecond)
		}
	}
	m.fleet.mu.Unlock()
	r, err := c.Apply(t.Context(), controller.ApplyRequest{Hold: 25 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	<-dead
	m.fleet.mu.Lock()
	m.fleet.kept = nil
	m.fleet.mu.Unlock()
	if _, err := m.fleet.Configured(t.Context(), "ridge-down"); err != nil {
		t.Fatalf("before its hold is over: %v", err)
	}
	until(t, "ridge-down goes back", func() bool {
		for _, d := range m.sim.State().Devices {
			if d.ID == "ridge-down" {
				return !d.Joined
			}
		}
		return false
	})
	begun := time.Now()
	c, _ = m.engine()
	all := m.end(c)
	first, err := c.Change(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.freqs(); got != "5500 5500 5600 5600" || first.State != controller.ChangeFellBack || len(all) < 2 || all[0].Of != r.ID || all[0].State != controller.ChangeConfirmed {
		t.Errorf("%s", got)
		m.tell(c)
		return
	}
	t.Logf("both ends back on 5500 MHz by change %s, %v after the program came back", all[0].State, time.Since(begun).Round(time.Second))
}
