package feed

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine/spinetest"
	"github.com/crinale/crinale/internal/unit"
)

// fakeEdges is a registry whose news a test makes.
type fakeEdges struct {
	mu      sync.Mutex
	now     []controller.EdgeNews
	changed chan struct{}
}

func (e *fakeEdges) Changed() <-chan struct{} { return e.changed }

func (e *fakeEdges) Now() []controller.EdgeNews {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *fakeEdges) set(now ...controller.EdgeNews) {
	e.mu.Lock()
	e.now = now
	e.mu.Unlock()
	e.changed <- struct{}{}
}

// sent takes everything off the board.
func sent(t *testing.T, b *board, now time.Time) map[string]string {
	t.Helper()
	out := map[string]string{}
	for topic, body, ok := b.next(now); ok; topic, body, ok = b.next(now) {
		out[strings.TrimPrefix(topic, "crinale/v1/edge/")] = string(body)
		b.done(topic, true)
	}
	return out
}

func TestWhatEdgesAreTold(t *testing.T) {
	b := newBoard(10)
	b.connected()
	h := newHalls(Default(), controller.DefaultRules(), ridge(), b)
	carries := func(l network.LinkID, mbps unit.Mbps) network.LinkState {
		return network.LinkState{Link: l, Status: network.StatusUp, Capacity: unit.Some(mbps)}
	}
	both := network.LinkState{Link: "both", Status: network.StatusUp}
	now := noon
	h.state(now, carries("la", 80))
	h.state(now, both)
	h.state(now, network.LinkState{Link: "lb", Status: network.StatusDown})
	h.enrolled(now, []controller.EdgeNews{{ID: "colle", Device: "colle-1"}})
	got := sent(t, b, now)
	if len(got) != 2 || got["colle/way"] != `{"state":"up","since":"2026-11-22T12:00:00Z","mbps":80,"unknown":[],"at":"2026-11-22T12:00:00Z"}` || got["colle/orders"] != `{"head":0,"orders":[],"at":"2026-11-22T12:00:00Z"}` {
		t.Fatalf("%v", got)
	}
	step := func(d time.Duration) { now = now.Add(d) }

	// A small move of the rate says nothing, a large one after a gap, a state at once.
	step(lookEvery)
	h.state(now, carries("la", 77))
	if got := sent(t, b, now); len(got) != 0 {
		t.Errorf("told %v", got)
	}
	step(lookEvery)
	h.state(now, carries("la", 60))
	if got := sent(t, b, now); len(got) != 0 {
		t.Errorf("within the gap: %v", got)
	}
	step(Default().Gap)
	h.state(now, carries("la", 61))
	if got := sent(t, b, now)["colle/way"]; !strings.Contains(got, `"mbps":61`) || !strings.Contains(got, `"since":"2026-11-22T12:00:00Z"`) {
		t.Errorf("%q", got)
	}
	step(lookEvery)
	h.state(now, network.LinkState{Link: "la", Status: network.StatusDown})
	if got := sent(t, b, now)["colle/way"]; !strings.Contains(got, `"state":"unknown"`) || !strings.Contains(got, `"unknown":["ours"]`) {
		t.Errorf("another link of which nothing is known: %q", got)
	}
	h.state(now, network.LinkState{Link: "ours", Status: network.StatusDown})
	if got := sent(t, b, now); len(got) != 0 {
		t.Errorf("at once after another look: %v", got)
	}
	step(lookEvery)
	h.look(now)
	if got := sent(t, b, now)["colle/way"]; !strings.Contains(got, `"state":"down"`) || !strings.Contains(got, `"mbps":null`) {
		t.Errorf("%q", got)
	}

	// Repeated, with a new time and the same since.
	step(30 * time.Second)
	h.tick(now)
	if got := sent(t, b, now); len(got) != 1 || !strings.Contains(got["colle/way"], `"since":"2026-11-22T12:00:10.8Z","mbps":null,"unknown":[],"at":"2026-11-22T12:00:40.8Z"`) {
		t.Errorf("%v", got)
	}
	step(30 * time.Second)
	h.tick(now)
	if got := sent(t, b, now); len(got) != 2 {
		t.Errorf("orders are not repeated: %v", got)
	}

	// An order goes out at once; who is removed is cleared.
	one := controller.EdgeNews{ID: "colle", Device: "colle-1", Head: 1, Orders: []controller.EdgeOrder{{Seq: 1, At: noon, Kind: controller.PurgeTag, What: "albo"}}}
	h.enrolled(now, []controller.EdgeNews{one, {ID: "bric", Device: "gone"}})
	got = sent(t, b, now)
	if !strings.Contains(got["colle/orders"], `{"head":1,"orders":[{"seq":1,"at":"2026-11-22T12:00:00Z","kind":"tag","what":"albo"}]`) || !strings.Contains(got["bric/way"], `"unknown"`) {
		t.Errorf("%v", got)
	}
	h.enrolled(now, []controller.EdgeNews{one})
	if got := sent(t, b, now); len(got) != 2 || got["bric/way"] != "" || got["bric/orders"] != "" {
		t.Errorf("%v", got)
	}
}

func TestOrdersFitIntoAMessage(t *testing.T) {
	var all []controller.EdgeOrder
	for i := range 200 {
		all = append(all, controller.EdgeOrder{Seq: int64(i + 1), At: noon, Kind: controller.PurgeURL, What: "docs.example/" + strings.Repeat("<", i*10)})
	}
	got := newest(all)
	if n := len(marshal(EdgeOrders{Orders: got})); n > ordersRoom+1000 || len(got) < 1 || got[len(got)-1].Seq != 200 {
		t.Errorf("%d orders, %d bytes", len(got), n)
	}
	if got := newest(all[:5]); len(got) != 5 || got[0].Seq != 1 {
		t.Errorf("%d orders", len(got))
	}
	if b := marshal(EdgeOrders{Orders: newest(nil)}); !strings.Contains(string(b), `"orders":[]`) {
		t.Errorf("%s", b)
	}
}

// The whole way: a word at the broker within two seconds of the news, and what is
// retained for an edge that was removed while the feed was away is cleared.
func TestEdgeHearsOverMQTT(t *testing.T) {
	s := spinetest.Start(t, nil)
	in := spinetest.Internal(s)
	if err := in.Pub(t, "-t", "crinale/v1/edge/gone/orders", "-r", "-q", "1", "-m", "old"); err != nil {
		t.Fatal(err)
	}
	w := &fakeWatch{links: []network.LinkState{up("la", "bric-1", time.Now(), -60), {Link: "both", Status: network.StatusUp}, {Link: "lb", Status: network.StatusDown}}}
	edges := &fakeEdges{changed: make(chan struct{}, 1), now: []controller.EdgeNews{{ID: "colle", Device: "colle-1"}}}
	f, err := New(Default(), Deps{Network: ridge(), Watch: w, Broker: embedded(s), Edges: edges})
	if err != nil {
		t.Fatal(err)
	}
	runs(t, f)
	ready(t, f)
	sub := in.Sub(t, "-t", "crinale/v1/edge/#", "-q", "1")
	sub.Until(t, "the way", func(m spinetest.Msg) bool {
		return m.Topic == "crinale/v1/edge/colle/way" && strings.Contains(m.Payload, `"state":"up"`)
	})
	asked := time.Now()
	for _, l := range []network.LinkID{"la", "ours"} {
		w.states.Publish(network.LinkState{Link: l, Status: network.StatusDown})
	}
	sub.Until(t, "the news", func(m spinetest.Msg) bool { return strings.Contains(m.Payload, `"state":"down"`) })
	if d := time.Since(asked); d > 2*time.Second {
		t.Errorf("told after %v", d)
	} else {
		t.Logf("told after %v", d)
	}
	edges.set(controller.EdgeNews{ID: "colle", Device: "colle-1", Head: 1, Orders: []controller.EdgeOrder{{Seq: 1, At: noon, Kind: controller.PurgeAll}}})
	ms := sub.Until(t, "the order", func(m spinetest.Msg) bool { return strings.Contains(m.Payload, `"head":1`) })
	var o EdgeOrders
	if err := json.Unmarshal([]byte(ms[len(ms)-1].Payload), &o); err != nil || len(o.Orders) != 1 || o.Orders[0].Kind != controller.PurgeAll {
		t.Errorf("%+v, %v", o, err)
	}
	eventually(t, "the old one is cleared", func() bool {
		seen := in.Sub(t, "-t", "crinale/v1/edge/+/orders", "-q", "1")
		defer seen.Stop()
		for _, m := range seen.Until(t, "what is retained", spinetest.Topic("crinale/v1/edge/colle/orders")) {
			if m.Topic == "crinale/v1/edge/gone/orders" {
				return false
			}
		}
		return true
	})
}
