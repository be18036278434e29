package feed

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/bus"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
	"github.com/crinale/crinale/internal/unit"
)

// A ridge with three links: one of A, one of B, one of both, and one of nobody.
func ridge() *network.Network {
	n := &network.Network{
		Partners: []network.Partner{{ID: "wisp-a", Name: "A"}, {ID: "wisp-b", Name: "B"}},
		Sites: []network.Site{
			{ID: "bric", Name: "Bric", At: geo.LonLat{Lon: 8.1, Lat: 44.5}, Structure: "mast", HeightM: 12, Power: network.Power{Source: "solar", BatteryHours: 36}, Access: "the key is under the stone"},
			{ID: "colle", Name: "Colle", At: geo.LonLat{Lon: 8.2, Lat: 44.6}, Shared: []network.PartnerID{"wisp-b"}},
		},
		Devices: []network.Device{
			{ID: "bric-1", Site: "bric", Address: "192.0.2.1"}, {ID: "bric-2", Site: "bric", Address: "192.0.2.2"},
			{ID: "colle-1", Site: "colle", Address: "192.0.2.3"}, {ID: "colle-2", Site: "colle"},
		},
		Links: []network.Link{
			{ID: "la", Name: "Bric – Colle", Medium: network.Radio, A: "bric-1", B: "colle-1", Partner: []network.PartnerID{"wisp-a"}},
			{ID: "lb", Medium: network.Radio, A: "bric-2", B: "colle-2", Partner: []network.PartnerID{"wisp-b"}},
			{ID: "both", Medium: network.Fibre, A: "bric-1", Partner: []network.PartnerID{"wisp-a", "wisp-b"}},
			{ID: "ours", Medium: network.Radio, A: "bric-2", B: "colle-1"},
		},
	}
	n.Index()
	return n
}

// fakeWatch is a controller whose news a test makes.
type fakeWatch struct {
	states   bus.Topic[network.LinkState]
	readings bus.Topic[network.Reading]
	alerts   bus.Topic[controller.AlertEvent]

	mu    sync.Mutex
	links []network.LinkState
	open  []controller.Alert
}

func (w *fakeWatch) States() *bus.Topic[network.LinkState]          { return &w.states }
func (w *fakeWatch) Readings() *bus.Topic[network.Reading]          { return &w.readings }
func (w *fakeWatch) AlertEvents() *bus.Topic[controller.AlertEvent] { return &w.alerts }

func (w *fakeWatch) Links() []network.LinkState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]network.LinkState(nil), w.links...)
}

func (w *fakeWatch) Alerts(bool) []controller.Alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]controller.Alert(nil), w.open...)
}

// opens and closes an alert, as the controller does.
func (w *fakeWatch) opens(a controller.Alert) {
	w.mu.Lock()
	w.open = append(w.open, a)
	w.mu.Unlock()
	w.alerts.Publish(controller.AlertEvent{Change: controller.Opened, Alert: a})
}

func (w *fakeWatch) closes(a controller.Alert, at time.Time) {
	w.mu.Lock()
	for i := range w.open {
		if w.open[i].ID == a.ID {
			w.open = append(w.open[:i], w.open[i+1:]...)
			break
		}
	}
	w.mu.Unlock()
	a.Closed = &at
	w.alerts.Publish(controller.AlertEvent{Change: controller.Closed, Alert: a})
}

func reading(l network.LinkID, d network.DeviceID, at time.Time, signal float64) network.Reading {
	return network.Reading{Link: l, End: network.EndA, Device: d, At: at, Connected: true,
		Signal: unit.Some(unit.DBm(signal)), TxRate: unit.Some(unit.Mbps(173.3)), RxRate: unit.Some(unit.Mbps(86.7))}
}

func up(l network.LinkID, d network.DeviceID, at time.Time, signal float64) network.LinkState {
	r := reading(l, d, at, signal)
	return network.LinkState{Link: l, Status: network.StatusUp, Since: at, At: at, A: &r, Capacity: unit.Some(unit.Mbps(80))}
}

func weak(l network.LinkID, id string, at time.Time) controller.Alert {
	return controller.Alert{ID: id, Kind: controller.WeakSignal, Severity: controller.Warning, Link: l, End: network.EndA,
		Partners: []network.PartnerID{"wisp-a", "wisp-b"}, Opened: at,
		Measured: controller.Figure{Key: "signal_dbm", Value: -84.5}, Seen: controller.Text{IT: "debole", EN: "weak"}}
}

func users(t testing.TB, ids ...network.PartnerID) (us []spine.User) {
	t.Helper()
	for _, id := range ids {
		h, err := bcrypt.GenerateFromPassword([]byte("p-"+string(id)), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		us = append(us, spine.User{Name: string(id), Hash: string(h), Read: controller.PartnerTopics(id)})
	}
	return us
}

func login(s *spine.Spine, id network.PartnerID) spinetest.Login {
	return spinetest.Login{Addr: s.MQTTAddr(), User: string(id), Password: "p-" + string(id)}
}

// embedded is the broker of a spine.
func embedded(s *spine.Spine) func() Broker {
	return func() Broker {
		user, password := s.Internal()
		return Broker{"tcp://" + s.MQTTAddr(), user, password}
	}
}

// run runs a feed until the test ends; stop ends it before.
func run(t testing.TB, cfg Config, n *network.Network, w Watch, b func() Broker) (f *Feed, stop func()) {
	t.Helper()
	f, err := New(cfg, Deps{Network: n, Watch: w, Broker: b})
	if err != nil {
		t.Fatal(err)
	}
	return f, runs(t, f)
}

// runs runs a feed as it was made.
func runs(t testing.TB, f *Feed) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("feed: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func ready(t testing.TB, f *Feed) {
	t.Helper()
	select {
	case <-f.Ready():
	case <-time.After(spinetest.Limit):
		t.Fatalf("the feed was not ready in time: %v", f.Err())
	}
}

// eventually asks until it is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	late, again := time.After(spinetest.Limit), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("%s: not so after %s", what, spinetest.Limit)
		}
	}
}

// last is the last payload of each topic.
func last(ms []spinetest.Msg) map[string]string {
	out := map[string]string{}
	for _, m := range ms {
		out[strings.TrimPrefix(m.Topic, "crinale/v1/")] = m.Payload
	}
	return out
}
