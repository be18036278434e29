package feed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// drain takes everything off the board as a broker that acknowledges.
func drain(b *board, now time.Time) (topics []string, bodies map[string]string) {
	bodies = map[string]string{}
	for {
		topic, body, ok := b.next(now)
		if !ok {
			slices.Sort(topics)
			return topics, bodies
		}
		topics = append(topics, strings.TrimPrefix(topic, "crinale/v1/partners/"))
		bodies[strings.TrimPrefix(topic, "crinale/v1/partners/")] = string(body)
		b.done(topic, true)
	}
}

func begun(t *testing.T) (*watcher, *board) {
	t.Helper()
	b := newBoard(10)
	w := newWatcher(Default(), ridge(), b)
	w.begin(noon, []network.LinkState{up("la", "bric-1", noon, -60), up("lb", "bric-2", noon, -60)}, nil)
	return w, b
}

func TestEachPartnerGetsItsOwnLinksAndSites(t *testing.T) {
	_, b := begun(t)
	topics, _ := drain(b, noon)
	want := []string{
		"wisp-a/links/both/state", "wisp-a/links/la/state", "wisp-a/sites/bric", "wisp-a/sites/colle",
		"wisp-b/links/both/state", "wisp-b/links/lb/state", "wisp-b/sites/bric", "wisp-b/sites/colle",
	}
	if !slices.Equal(topics, want) {
		t.Errorf("published %v", topics)
	}
}

func TestWhenAStateIsNews(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		name string
		s    int
		make func(now time.Time) network.LinkState
		news bool
	}{
		{"the same again", 10, func(now time.Time) network.LinkState { return up("la", "bric-1", now, -60) }, false},
		{"half a decibel", 10, func(now time.Time) network.LinkState { return up("la", "bric-1", now, -60.5) }, false},
		{"one decibel", 10, func(now time.Time) network.LinkState { return up("la", "bric-1", now, -61) }, true},
		{"one decibel too soon", 5, func(now time.Time) network.LinkState { return up("la", "bric-1", now, -61) }, false},
		{"down at once", 1, func(now time.Time) network.LinkState {
			s := up("la", "bric-1", now, -60)
			s.Status = network.StatusDown
			return s
		}, true},
		{"an alert at once", 1, func(now time.Time) network.LinkState {
			s := up("la", "bric-1", now, -60)
			s.Alerts = []string{"weak-1"}
			return s
		}, true},
		{"level lost", 10, func(now time.Time) network.LinkState {
			s := up("la", "bric-1", now, -60)
			s.A.Signal = unit.Opt[unit.DBm]{}
			return s
		}, true},
		{"a minute has passed", 60, func(now time.Time) network.LinkState { return up("la", "bric-1", now, -60) }, true},
		{"a link of nobody", 10, func(now time.Time) network.LinkState { return up("ours", "bric-2", now, -90) }, false},
		{"a link not known", 10, func(now time.Time) network.LinkState { return up("gone", "bric-2", now, -90) }, false},
	} {
		w, b := begun(t)
		drain(b, noon)
		w.state(at(c.s), c.make(at(c.s)))
		topics, _ := drain(b, at(c.s))
		if got := slices.Contains(topics, "wisp-a/links/la/state"); got != c.news || len(topics) > 1 {
			t.Errorf("%s: published %v", c.name, topics)
		}
	}
}

// What waited for the gap is sent by the tick; silence makes a state stale,
// and it is repeated each minute with its age.
func TestTimeAloneMakesNews(t *testing.T) {
	w, b := begun(t)
	drain(b, noon)
	w.state(noon.Add(5*time.Second), up("la", "bric-1", noon.Add(5*time.Second), -70))
	w.tick(noon.Add(9 * time.Second))
	if topics, _ := drain(b, noon); len(topics) != 0 {
		t.Errorf("too soon: %v", topics)
	}
	w.tick(noon.Add(10 * time.Second))
	if topics, _ := drain(b, noon); !slices.Equal(topics, []string{"wisp-a/links/la/state"}) {
		t.Errorf("after the gap: %v", topics)
	}
	now := noon.Add(36 * time.Second)
	w.tick(now)
	_, bodies := drain(b, now)
	var s State
	if err := json.Unmarshal([]byte(bodies["wisp-a/links/la/state"]), &s); err != nil || s.Quality != Stale || *s.AgeS != 31 {
		t.Errorf("after 31 s of silence: %+v, %v", s, err)
	}
	w.tick(now.Add(59 * time.Second))
	if topics, _ := drain(b, now); slices.Contains(topics, "wisp-a/links/la/state") {
		t.Error("repeated before the minute is over")
	}
	w.tick(now.Add(60 * time.Second))
	if topics, _ := drain(b, now); !slices.Contains(topics, "wisp-a/links/la/state") {
		t.Error("not repeated after a minute")
	}
}

func TestQuality(t *testing.T) {
	w, _ := begun(t)
	fresh, old := reading("la", "bric-1", noon, -60), reading("la", "colle-1", noon.Add(-31*time.Second), -60)
	for _, c := range []struct {
		link string
		a, b *network.Reading
		want Quality
	}{
		{"la", nil, nil, None}, {"la", &fresh, &fresh, Good}, {"la", &fresh, &old, Partial}, {"la", &fresh, nil, Partial},
		{"la", &old, &old, Stale}, {"la", nil, &old, Stale},
		{"lb", &fresh, nil, Good}, // its other end is only planned
		{"both", &fresh, nil, Good},
	} {
		tr := *w.links[network.LinkID(c.link)]
		tr.state = network.LinkState{A: c.a, B: c.b}
		for _, r := range []*network.Reading{c.a, c.b} {
			if r != nil {
				tr.state.At = r.At
			}
		}
		if got := w.quality(noon, &tr); got != c.want {
			t.Errorf("%s with %v, %v: %s, want %s", c.link, c.a, c.b, got, c.want)
		}
	}
}

func TestAlertsReachThoseConcernedOnly(t *testing.T) {
	for _, c := range []struct {
		name string
		a    controller.Alert
		want []string
	}{
		{"A's link", weak("la", "x-1", noon), []string{"wisp-a"}},
		{"B's link", weak("lb", "x-1", noon), []string{"wisp-b"}},
		{"the link of both", weak("both", "x-1", noon), []string{"wisp-a", "wisp-b"}},
		{"the link of nobody", weak("ours", "x-1", noon), nil},
		{"a link not known", weak("gone", "x-1", noon), nil},
		{"a device of A's and both's", controller.Alert{ID: "x-1", Device: "bric-1", Partners: []network.PartnerID{"wisp-b"}}, []string{"wisp-a", "wisp-b"}},
		{"a device of A's", controller.Alert{ID: "x-1", Device: "colle-1"}, []string{"wisp-a"}},
		{"of nothing", controller.Alert{ID: "x-1"}, nil},
		{"with a wild name", controller.Alert{ID: "x/+/#", Link: "la"}, nil},
		{"with no name", controller.Alert{Link: "la"}, nil},
	} {
		w, b := begun(t)
		drain(b, noon)
		w.alert(controller.AlertEvent{Change: controller.Opened, Alert: c.a})
		opened, bodies := drain(b, noon)
		w.alert(controller.AlertEvent{Change: controller.Closed, Alert: c.a})
		closed, empty := drain(b, noon)
		var want []string
		for _, p := range c.want {
			want = append(want, p+"/alerts/x-1")
		}
		if !slices.Equal(opened, want) || !slices.Equal(closed, want) {
			t.Errorf("%s: opened for %v, closed for %v", c.name, opened, closed)
		}
		for _, topic := range want {
			if bodies[topic] == "" || empty[topic] != "" || strings.Contains(bodies[topic], "wisp") {
				t.Errorf("%s: %s while open, %q when closed", c.name, bodies[topic], empty[topic])
			}
		}
	}
}

// An open alert is sent again each minute, byte for byte, until it is closed;
// while there is no connection nothing piles up.
func TestOpenAlertsAreRepeated(t *testing.T) {
	w, b := begun(t)
	b.connected()
	drain(b, noon)
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	repeats := func(s int) (got []string) {
		t.Helper()
		w.tick(at(s))
		topics, bodies := drain(b, at(s))
		for _, topic := range topics {
			if strings.Contains(topic, "/alerts/") {
				got = append(got, bodies[topic])
			}
		}
		return got
	}
	a := weak("la", "x-1", noon)
	w.alert(controller.AlertEvent{Change: controller.Opened, Alert: a})
	first := repeats(10)
	if len(first) != 1 || first[0] == "" {
		t.Fatalf("at first %q", first)
	}
	for _, c := range []struct{ s, want int }{{11, 0}, {69, 0}, {70, 1}, {71, 0}, {129, 0}, {135, 1}, {194, 0}} {
		got := repeats(c.s)
		if len(got) != c.want || c.want == 1 && got[0] != first[0] {
			t.Errorf("after %d s: %q", c.s, got)
		}
	}
	b.disconnected()
	w.tick(at(300))
	w.tick(at(400))
	if n := b.figures().Waiting; n != 4 {
		t.Errorf("without a connection %d wait, want the four states", n)
	}
	b.connected()
	w.tick(at(401))
	if got := repeats(401); len(got) != 1 {
		t.Errorf("after the connection %q", got)
	}
	w.tick(at(500))
	w.alert(controller.AlertEvent{Change: controller.Closed, Alert: a})
	if got := repeats(500); len(got) != 1 || got[0] != "" {
		t.Errorf("when closed %q", got)
	}
	if got := repeats(600); len(got) != 0 {
		t.Errorf("after it was closed %q", got)
	}
}

func TestAuditMendsWhatWasMissed(t *testing.T) {
	w, b := begun(t)
	drain(b, noon)
	one, two := weak("la", "one", noon), weak("la", "two", noon)
	w.alert(controller.AlertEvent{Change: controller.Opened, Alert: one})
	drain(b, noon)
	w.audit([]controller.Alert{two})
	topics, bodies := drain(b, noon)
	if !slices.Equal(topics, []string{"wisp-a/alerts/one", "wisp-a/alerts/two"}) || bodies[topics[0]] != "" || bodies[topics[1]] == "" {
		t.Errorf("audit published %v", bodies)
	}
	w.audit([]controller.Alert{two})
	if topics, _ := drain(b, noon); len(topics) != 0 {
		t.Errorf("a second audit published %v", topics)
	}
}

func TestSiteSaysWhatAPartnerMayKnow(t *testing.T) {
	w, b := begun(t)
	_, bodies := drain(b, noon)
	var s Site
	if err := json.Unmarshal([]byte(bodies["wisp-a/sites/bric"]), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Links) != 2 || fmt.Sprint(s.SharedBy) != "[wisp-a wisp-b]" || *s.CapacityMbps != 80 || *s.Power.BatteryH != 36 || s.Comune != nil {
		t.Errorf("site %s", bodies["wisp-a/sites/bric"])
	}
	for _, secret := range []string{"key", "stone", `"lb"`, "192.0.2"} {
		if strings.Contains(bodies["wisp-a/sites/bric"], secret) {
			t.Errorf("the site tells %s: %s", secret, bodies["wisp-a/sites/bric"])
		}
	}
	next := up("la", "bric-1", noon.Add(10*time.Second), -60)
	next.Capacity = unit.Some(unit.Mbps(40))
	w.state(noon.Add(10*time.Second), next)
	w.tick(noon.Add(59 * time.Second))
	if topics, _ := drain(b, noon); slices.Contains(topics, "wisp-a/sites/bric") {
		t.Error("a site was repeated within its gap")
	}
	w.tick(noon.Add(60 * time.Second))
	if _, bodies := drain(b, noon); !strings.Contains(bodies["wisp-a/sites/bric"], `"capacity_mbps":40`) {
		t.Errorf("the site's new capacity is not told: %v", bodies)
	}
}

func TestUnknownIsNullNeverZero(t *testing.T) {
	w, b := begun(t)
	_, bodies := drain(b, noon)
	s := bodies["wisp-a/links/both/state"]
	for _, key := range []string{"since", "at", "age_s", "signal_dbm", "rate_mbps", "capacity_mbps", "planned_signal_dbm", "a", "b"} {
		if !strings.Contains(s, `"`+key+`":null`) {
			t.Errorf("%s is not null in %s", key, s)
		}
	}
	if !strings.Contains(s, `"alerts":[]`) || !strings.Contains(s, `"quality":"none"`) {
		t.Errorf("state %s", s)
	}
	b.connected()
	w.reading(reading("la", "bric-1", noon, -60))
	got, ok := b.nextSample()
	if !ok || got.topic != "crinale/v1/partners/wisp-a/links/la/sample" || !strings.Contains(string(got.body), `"snr_db":null`) || !strings.Contains(string(got.body), `"at":"2026-11-22T12:00:00Z"`) {
		t.Errorf("sample %s %s", got.topic, got.body)
	}
	if _, more := b.nextSample(); more {
		t.Error("the sample went to more than its partner")
	}
}

func TestAddressesAreHidden(t *testing.T) {
	for in, want := range map[string]string{
		"The device bric-1 (Bric) does not answer (dial tcp 10.1.2.3:8728: i/o timeout).": "The device bric-1 (Bric) does not answer (dial tcp …: i/o timeout).",
		"read at 10.1.2.3: EOF":                             "read at …: EOF",
		"at [fe80::1%eth0]:8729, refused":                   "at …, refused",
		"at 2001:db8::1.":                                   "at ….",
		"rose from 20.5 to 30 dBm at 12:30, version 7.18.2": "rose from 20.5 to 30 dBm at 12:30, version 7.18.2",
		"": "",
	} {
		if got := hideAddresses(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}
