package controller

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// memory is a ledger that may be out of order.
type memory struct {
	mu     sync.Mutex
	alerts map[string]Alert
	err    error
}

func (m *memory) Load(context.Context) (as []Alert, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.alerts {
		as = append(as, a)
	}
	return as, m.err
}

func (m *memory) Save(_ context.Context, as []Alert) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	for _, a := range as {
		m.alerts[a.ID] = a
	}
	return nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) open() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.alerts {
		if a.IsOpen() {
			n++
		}
	}
	return n
}

// sink counts readings.
type sink struct {
	mu  sync.Mutex
	n   int
	err error
}

func (s *sink) Append(_ context.Context, rs []network.Reading) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += len(rs)
	return s.err
}

// pairNet is one radio link between two devices, for one partner.
func pairNet() *network.Network {
	n := &network.Network{
		Sites:   []network.Site{{ID: "s", Name: "Bric"}},
		Devices: []network.Device{{ID: "da", MAC: "A", Address: "h", Site: "s"}, {ID: "db", MAC: "B", Address: "h"}, {ID: "later"}},
		Links: []network.Link{
			{ID: "l", Medium: network.Radio, A: "da", B: "db", Partner: []network.PartnerID{"p"}},
			{ID: "planned", Medium: network.Radio, A: "later", B: "db"},
		},
	}
	n.Index()
	return n
}

// hears answers with one peer at a level.
func hears(mac string, level unit.DBm) func(context.Context) (network.Observation, error) {
	return func(context.Context) (network.Observation, error) {
		return network.Observation{Peers: []network.Peer{{MAC: mac, Signal: unit.Some(level), TxRate: unit.Some[unit.Mbps](300), RxRate: unit.Some[unit.Mbps](300)}}}, nil
	}
}

func silence(context.Context) (network.Observation, error) {
	return network.Observation{}, fault.New(fault.Unreachable, "no answer")
}

// running starts a controller; stop ends it and waits.
func running(t *testing.T, f *fleet, change func(*Deps)) (c *Controller, stop func()) {
	t.Helper()
	deps := Deps{
		Network: pairNet(), Observer: f, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Planned: func(network.LinkID) Planned {
			return Planned{A: unit.Some[unit.DBm](-60), B: unit.Some[unit.DBm](-62)}
		},
	}
	if change != nil {
		change(&deps)
	}
	c, err := New(Default(), deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	<-c.Ready()
	return c, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestFromPollToScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, led, snk := newFleet(), &memory{alerts: map[string]Alert{}}, &sink{}
		f.set("da", hears("B", -61))
		f.set("db", hears("A", -63))
		c, stop := running(t, f, func(d *Deps) { d.Ledger, d.Sinks = led, []Sink{snk} })
		states, readings, events := c.States().Subscribe(1000), c.Readings().Subscribe(1000), c.AlertEvents().Subscribe(1000)
		if l, ok := c.Link("l"); !ok || l.Status != network.StatusUnknown || !l.At.IsZero() || l.Planned.Or(0) != -62 {
			t.Errorf("before the first read: %+v", l)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		l, _ := c.Link("l")
		if l.Status != network.StatusUp || l.A.Signal.Or(0) != -61 || l.B.Signal.Or(0) != -63 || l.Capacity.Or(0) != 150 || len(l.Alerts) != 0 {
			t.Errorf("%+v", l)
		}
		if l, _ := c.Link("planned"); l.Status != network.StatusUnknown || l.B == nil || l.A != nil {
			t.Errorf("the link to a device that is not there yet: %+v", l)
		}
		if d, _ := c.Device("da"); d.Reach != ReachUp || d.Observation == nil || d.At.IsZero() {
			t.Errorf("%+v", d)
		}
		if d, _ := c.Device("later"); d.Reach != ReachPlanned {
			t.Errorf("%+v", d)
		}

		f.set("da", hears("B", -70)) // planned -60
		time.Sleep(30 * time.Second)
		synctest.Wait()
		l, _ = c.Link("l")
		if l.Status != network.StatusDegraded || len(l.Alerts) != 1 {
			t.Errorf("%+v", l)
		}
		a, ok := c.Alert(l.Alerts[0])
		if !ok || a.Kind != WeakSignal || a.Device != "da" || a.Measured.Value != -70 || !reflect.DeepEqual(a.Partners, []network.PartnerID{"p"}) || !strings.Contains(a.Seen.IT, "-70 dBm") {
			t.Errorf("%+v", a)
		}
		if n := len(c.Alerts(true)); n != 1 || led.open() != 1 {
			t.Errorf("%d alerts are open, %d in the ledger: want 1", n, led.open())
		}
		f.set("da", hears("B", -61))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if a, _ := c.Alert(a.ID); a.IsOpen() {
			t.Errorf("still open: %+v", a)
		}
		if l, _ = c.Link("l"); l.Status != network.StatusUp || len(l.Alerts) != 0 {
			t.Errorf("%+v", l)
		}
		stop()
		if snk.n == 0 || len(readings.C) != snk.n || len(states.C) < snk.n {
			t.Errorf("%d readings in the sink, %d on the topic, %d states", snk.n, len(readings.C), len(states.C))
		}
		var log []string
		for len(events.C) > 0 {
			e := <-events.C
			log = append(log, string(e.Change)+" "+string(e.Alert.Kind))
		}
		if strings.Join(log, ", ") != "opened weak-signal, closed weak-signal" {
			t.Errorf("%v", log)
		}
	})
}

func TestSilenceMakesLinksUnknownNotDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.set("da", hears("B", -61))
		f.set("db", hears("A", -63))
		c, stop := running(t, f, nil)
		defer stop()
		time.Sleep(25 * time.Second)
		f.set("da", silence)
		f.set("db", silence)
		before, _ := c.Link("l")
		states := c.States().Subscribe(1000)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		l, _ := c.Link("l")
		if l.Status != network.StatusUnknown || time.Since(l.At) < 2*time.Minute || !l.At.Equal(before.At.Add(l.At.Sub(before.At))) {
			t.Errorf("%+v", l)
		}
		if age := l.Since.Sub(l.At); age < 30*time.Second || age > 40*time.Second {
			t.Errorf("unknown %v after the last reading, want three intervals", age)
		}
		told := false
		for len(states.C) > 0 {
			s := <-states.C
			told = told || s.Link == "l" && s.Status == network.StatusUnknown
		}
		if !told {
			t.Error("nobody was told")
		}
		for _, a := range c.Alerts(true) {
			if a.Kind != DeviceUnreachable {
				t.Errorf("%+v", a)
			}
		}
		if d, _ := c.Device("da"); d.Reach != ReachUnreachable || d.Failures < 10 || d.Err == "" || d.Observation == nil || len(d.Alerts) != 1 {
			t.Errorf("%+v", d)
		}
		if len(l.Alerts) != 2 {
			t.Errorf("the link shows %v, want the alerts of its devices", l.Alerts)
		}
	})
}

// A kill -9 is a controller that never says goodbye: the next one finds what
// the ledger has.
func TestOpenAlertsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, led := newFleet(), &memory{alerts: map[string]Alert{}}
		f.set("da", hears("B", -75))
		f.set("db", silence)
		c, stop := running(t, f, func(d *Deps) { d.Ledger = led })
		time.Sleep(time.Minute)
		synctest.Wait()
		kept := &memory{alerts: map[string]Alert{}}
		for _, a := range led.alerts { // as of the kill
			kept.alerts[a.ID] = a
		}
		before := c.Alerts(true)
		stop()
		gone := Alert{ID: "link-down-no-more-1", Kind: LinkDown, Link: "no-more", Partners: []network.PartnerID{}, Opened: t0}
		kept.alerts[gone.ID] = gone
		time.Sleep(time.Hour)

		c, stop = running(t, f, func(d *Deps) { d.Ledger = kept })
		if after := c.Alerts(true); !reflect.DeepEqual(before, after) || len(after) < 2 {
			t.Errorf("after the restart\n%+v, before\n%+v", after, before)
		}
		if l, _ := c.Link("l"); len(l.Alerts) == 0 {
			t.Error("the link does not show its alert before it is read")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if after := c.Alerts(true); !reflect.DeepEqual(before, after) {
			t.Errorf("a minute later\n%+v, before\n%+v", after, before)
		}
		if a, ok := c.Alert(gone.ID); !ok || a.IsOpen() || kept.alerts[gone.ID].IsOpen() {
			t.Errorf("the alert of a link that is no more: %+v", a)
		}
		f.set("da", hears("B", -60))
		f.set("db", hears("A", -60))
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, a := range c.Alerts(true) {
			t.Errorf("still open: %+v", a)
		}
		stop()
	})
}

func TestLedgerOutOfOrderCostsNoAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, led := newFleet(), &memory{alerts: map[string]Alert{}}
		f.set("da", hears("B", -75))
		f.set("db", hears("A", -60))
		var log strings.Builder
		c, stop := running(t, f, func(d *Deps) { d.Ledger, d.Log = led, slog.New(slog.NewTextHandler(&log, nil)) })
		led.fail(errors.New("disk full"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(c.Alerts(true)) == 0 || led.open() != 0 {
			t.Errorf("%d open, %d written", len(c.Alerts(true)), led.open())
		}
		led.fail(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(c.Alerts(true)) != led.open() {
			t.Errorf("%d open, %d written", len(c.Alerts(true)), led.open())
		}
		stop()
		if n := strings.Count(log.String(), "disk full"); n != 1 || !strings.Contains(log.String(), "written again") {
			t.Errorf("%d lines of trouble:\n%s", n, log.String())
		}
	})
}

func TestLedgerThatCannotBeReadEndsTheRun(t *testing.T) {
	c, err := New(Default(), Deps{Network: pairNet(), Observer: newFleet(), Ledger: &memory{err: errors.New("no such file")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

func TestSinkInTroubleIsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, bad, well := newFleet(), &sink{err: errors.New("queue on fire")}, &sink{}
		f.set("da", hears("B", -61))
		f.set("db", hears("A", -63))
		var log strings.Builder
		_, stop := running(t, f, func(d *Deps) { d.Sinks, d.Log = []Sink{bad, well}, slog.New(slog.NewTextHandler(&log, nil)) })
		time.Sleep(time.Minute)
		stop()
		if n := strings.Count(log.String(), "on fire"); n != 1 || well.n < 10 || bad.n != well.n {
			t.Errorf("%d lines, %d and %d readings", n, bad.n, well.n)
		}
	})
}

func TestNewTouchesNothingAndRefusesNonsense(t *testing.T) {
	ok := Deps{Network: pairNet(), Observer: newFleet()}
	if _, err := New(Default(), ok); err != nil {
		t.Error(err)
	}
	for i, change := range []func(*Config, *Deps){
		func(c *Config, _ *Deps) { c.Interval = 0 }, func(c *Config, _ *Deps) { c.Deadline = 11 * time.Second },
		func(c *Config, _ *Deps) { c.Workers = 0 }, func(c *Config, _ *Deps) { c.Patience = 0 },
		func(c *Config, _ *Deps) { c.Spread = -1 }, func(c *Config, _ *Deps) { c.Rules = Rules{} },
		func(_ *Config, d *Deps) { d.Network = nil }, func(_ *Config, d *Deps) { d.Observer = nil },
	} {
		cfg, deps := Default(), ok
		change(&cfg, &deps)
		if _, err := New(cfg, deps); err == nil {
			t.Errorf("change %d was taken", i)
		}
	}
}
