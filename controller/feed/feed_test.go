package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

const (
	a = "crinale/v1/partners/wisp-a/"
	b = "crinale/v1/partners/wisp-b/"
)

func TestStaleAfterFollowsTheInterval(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{time.Second: 30 * time.Second, 10 * time.Second: 30 * time.Second, time.Minute: 3 * time.Minute} {
		got := Default().For(interval)
		if got.StaleAfter != want {
			t.Errorf("read every %v, stale after %v, want %v", interval, got.StaleAfter, want)
		}
		if got.StaleAfter = Default().StaleAfter; got != Default() {
			t.Errorf("more than the time changed: %+v", got)
		}
	}
}

// The whole way, with a client of another make: what A must see, and what it
// must never see.
func TestPartnerSeesItsOwnOverMQTT(t *testing.T) {
	s := spinetest.Start(t, nil, users(t, "wisp-a", "wisp-b")...)
	w := &fakeWatch{links: []network.LinkState{up("la", "bric-1", time.Now(), -60), up("lb", "bric-2", time.Now(), -60)}}
	w.open = []controller.Alert{weak("lb", "weak-lb", time.Now())}
	f, _ := run(t, Default(), ridge(), w, embedded(s))
	ready(t, f)
	if f.Err() != nil {
		t.Error(f.Err())
	}
	one := weak("la", "weak-la", time.Now())
	w.opens(one)

	sub := login(s, "wisp-a").Sub(t, "-t", a+"#", "-t", "crinale/v1/status", "-t", "#", "-t", "crinale/#", "-t", b+"#", "-q", "1")
	need := map[string]bool{a + "links/la/state": true, a + "links/both/state": true, a + "alerts/weak-la": true, a + "sites/bric": true, StatusTopic: true}
	seen := sub.Until(t, "all that is retained", func(m spinetest.Msg) bool {
		delete(need, m.Topic)
		return len(need) == 0
	})
	var st State
	if err := json.Unmarshal([]byte(last(seen)["partners/wisp-a/links/la/state"]), &st); err != nil || st.Status != "up" || *st.SignalDBm != -60 || *st.RateMbps != 86.7 || st.Quality != Partial {
		t.Errorf("state %+v, %v", st, err)
	}

	w.readings.Publish(reading("lb", "bric-2", time.Now(), -71))
	w.readings.Publish(reading("la", "bric-1", time.Now(), -72))
	more := sub.Until(t, "a sample", spinetest.Topic(a+"links/la/sample"))
	if m := more[len(more)-1]; m.QoS != 0 || m.Retained || !strings.Contains(m.Payload, `"signal_dbm":-72`) {
		t.Errorf("sample %+v", m)
	}
	down := up("la", "bric-1", time.Now(), -72)
	down.Status = network.StatusDown
	w.states.Publish(down)
	more = append(more, sub.Until(t, "the new state", func(m spinetest.Msg) bool {
		return m.Topic == a+"links/la/state" && strings.Contains(m.Payload, `"status":"down"`) && m.QoS == 1
	})...)
	w.closes(one, time.Now())
	more = append(more, sub.Until(t, "the end of the alert", func(m spinetest.Msg) bool {
		return m.Topic == a+"alerts/weak-la" && m.Payload == ""
	})...)
	for _, m := range append(seen, more...) {
		if m.Topic != StatusTopic && !strings.HasPrefix(m.Topic, a) {
			t.Errorf("A got %+v", m)
		}
	}
}

// A broker that was away: alerts in their order, states only as they are now,
// nothing twice by mistake and nothing lost.
func TestBrokerAwayLosesNoAlert(t *testing.T) {
	cfg := spine.Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	us := users(t, "wisp-a")
	start := func() (s *spine.Spine, stop func()) {
		s, err := spine.New(cfg, spine.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetPartners(us); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		<-s.Ready()
		cfg.MQTTAddr = s.MQTTAddr()
		return s, func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	s, stop := start()
	w := &fakeWatch{}
	var current atomic.Pointer[spine.Spine]
	current.Store(s)
	f, _ := run(t, Default(), ridge(), w, func() Broker { return embedded(current.Load())() })
	ready(t, f)
	before := weak("la", "before", time.Now())
	w.opens(before)
	// A subscriber with a session, away too: it must get all of it in the end.
	session := []string{"-i", "noc", "-c", "-q", "1", "-t", a + "alerts/+"}
	first := login(s, "wisp-a").Sub(t, session...)
	first.Until(t, "the alert", spinetest.Topic(a+"alerts/before"))
	first.Stop()
	stop()
	eventually(t, "the feed notices", func() bool { return f.Err() != nil })

	short, long := weak("la", "short", time.Now()), weak("la", "long", time.Now())
	w.opens(short)
	w.opens(long)
	w.closes(before, time.Now())
	w.closes(short, time.Now())
	for i := range 500 {
		w.states.Publish(up("la", "bric-1", time.Now(), -60-float64(i%30)))
		w.readings.Publish(reading("la", "bric-1", time.Now(), -60))
	}
	down := up("la", "bric-1", time.Now(), -95)
	down.Status = network.StatusDown
	w.states.Publish(down)
	eventually(t, "samples are dropped", func() bool { return f.Dropped() > 0 })

	// The new broker has a new internal password: the feed asks for it.
	next, err := spine.New(cfg, spine.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := next.SetPartners(us); err != nil {
		t.Fatal(err)
	}
	current.Store(next)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- next.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	<-next.Ready()
	again := login(next, "wisp-a").Sub(t, session...)
	got := map[string]string{}
	again.Until(t, "all alerts in order", func(m spinetest.Msg) bool {
		if m.Payload == "" {
			got[m.Topic] += "-"
		} else {
			got[m.Topic] += "+"
		}
		return strings.HasSuffix(got[a+"alerts/before"], "-") && got[a+"alerts/short"] == "+-" && strings.Contains(got[a+"alerts/long"], "+")
	})
	fresh := login(next, "wisp-a").Sub(t, "-t", a+"links/la/state", "-t", a+"alerts/+")
	kept := map[string]string{}
	fresh.Until(t, "state and alert", func(m spinetest.Msg) bool {
		kept[m.Topic] = m.Payload
		return len(kept) == 2
	})
	if !strings.Contains(kept[a+"links/la/state"], `"status":"down"`) || kept[a+"alerts/long"] == "" {
		t.Errorf("retained: %v", kept)
	}
}

// Who missed the retained message of an alert has it with the next repeat.
func TestOpenAlertComesAgain(t *testing.T) {
	s := spinetest.Start(t, nil, users(t, "wisp-a")...)
	w := &fakeWatch{}
	cfg := Default()
	cfg.Repeat = time.Second
	f, _ := run(t, cfg, ridge(), w, embedded(s))
	ready(t, f)
	w.opens(weak("la", "x-1", time.Now()))
	sub := login(s, "wisp-a").Sub(t, "-q", "1", "-t", a+"alerts/+")
	var got []string
	sub.Until(t, "the alert, three times", func(m spinetest.Msg) bool {
		got = append(got, m.Payload)
		return len(got) == 3
	})
	if got[0] == "" || got[1] != got[0] || got[2] != got[0] {
		t.Errorf("got %q", got)
	}
}

// What an earlier life left on the broker and is no longer the partner's goes
// away; what is still its stays.
func TestLeftoversAreCleared(t *testing.T) {
	s := spinetest.Start(t, nil, users(t, "wisp-a")...)
	in := spinetest.Internal(s)
	for _, topic := range []string{"links/lb/state", "links/gone/state", "alerts/closed-long-ago", "sites/elsewhere", "links/la/state"} {
		if err := in.Pub(t, "-t", a+topic, "-r", "-q", "1", "-m", "leftover"); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Pub(t, "-t", "crinale/v1/partners/gone/links/la/state", "-r", "-q", "1", "-m", "leftover"); err != nil {
		t.Fatal(err)
	}
	w := &fakeWatch{links: []network.LinkState{up("la", "bric-1", time.Now(), -60)}}
	w.open = []controller.Alert{weak("la", "open", time.Now())}
	all := in.Sub(t, "-t", "crinale/v1/partners/#", "-q", "1")
	all.Until(t, "leftovers", spinetest.Topic("crinale/v1/partners/gone/links/la/state"))
	run(t, Default(), ridge(), w, embedded(s))
	cleared := map[string]bool{}
	all.Until(t, "clearings", func(m spinetest.Msg) bool {
		if m.Payload == "" {
			cleared[strings.TrimPrefix(m.Topic, "crinale/v1/partners/")] = true
		}
		return len(cleared) == 5
	})
	for _, topic := range []string{"wisp-a/links/lb/state", "wisp-a/links/gone/state", "wisp-a/alerts/closed-long-ago", "wisp-a/sites/elsewhere", "gone/links/la/state"} {
		if !cleared[topic] {
			t.Errorf("%s was not cleared; cleared are %v", topic, cleared)
		}
	}
	kept := map[string]string{}
	in.Sub(t, "-t", a+"#").Until(t, "what is kept", func(m spinetest.Msg) bool {
		kept[m.Topic] = m.Payload
		return kept[a+"links/la/state"] != "" && kept[a+"alerts/open"] != ""
	})
	if kept[a+"links/la/state"] == "leftover" {
		t.Error("the old state stayed")
	}
}

func TestStatusTellsOfLifeAndEnd(t *testing.T) {
	s := spinetest.Start(t, nil, users(t, "wisp-a")...)
	f, stop := run(t, Default(), ridge(), &fakeWatch{}, embedded(s))
	ready(t, f)
	sub := login(s, "wisp-a").Sub(t, "-t", StatusTopic, "-q", "1")
	sub.Until(t, "online", func(m spinetest.Msg) bool { return m.Retained && strings.Contains(m.Payload, `"status":"online"`) })
	stop()
	end := sub.Until(t, "offline", func(m spinetest.Msg) bool { return strings.Contains(m.Payload, `"status":"offline"`) })
	if m := end[len(end)-1]; strings.Contains(m.Payload, "null") {
		t.Errorf("an orderly end has its time: %s", m.Payload)
	}
}

// A feed that dies without a word leaves it to the broker to say so.
func TestLastWill(t *testing.T) {
	s := spinetest.Start(t, nil, users(t, "wisp-a")...)
	var cut atomic.Pointer[net.Conn]
	through := serve(t, func(c net.Conn) {
		up, err := net.Dial("tcp", s.MQTTAddr())
		if err != nil {
			c.Close()
			return
		}
		cut.Store(&c)
		go func() { io.Copy(c, up); c.Close() }()
		io.Copy(up, c)
		up.Close()
	})
	f, _ := run(t, Default(), ridge(), &fakeWatch{}, func() Broker {
		b := embedded(s)()
		b.URL = "tcp://" + through
		return b
	})
	ready(t, f)
	sub := login(s, "wisp-a").Sub(t, "-t", StatusTopic, "-q", "1")
	online := func(m spinetest.Msg) bool { return strings.Contains(m.Payload, `"status":"online"`) }
	sub.Until(t, "online", online)
	(*cut.Load()).Close()
	sub.Until(t, "the last will", func(m spinetest.Msg) bool { return m.Payload == `{"status":"offline","since":null}` })
	sub.Until(t, "online again", online)
}

func TestWhyTheFeedIsNotIn(t *testing.T) {
	s := spinetest.Start(t, nil)
	closing := serve(t, func(c net.Conn) { c.Read(make([]byte, 100)); c.Close() })
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unused.Close()
	for _, c := range []struct {
		name, url string
		kind      fault.Kind
		want      string
	}{
		{"wrong password", "tcp://" + s.MQTTAddr(), fault.Denied, "wrong user or password"},
		{"mqtt scheme", "mqtt://" + s.MQTTAddr(), fault.Denied, "wrong user or password"},
		{"closes at login", "tcp://" + closing, fault.Refused, "most often a wrong user or password"},
		{"nobody there", "tcp://" + unused.Addr().String(), fault.Unreachable, "nothing listens there"},
		{"no such host", "tcp://broker.invalid:1883", fault.Unreachable, "host"},
		{"TLS asked of plain", "ssl://" + s.MQTTAddr(), fault.Unreachable, ""},
		{"no scheme", s.MQTTAddr(), fault.Invalid, "write it as tcp://HOST:PORT"},
		{"http", "http://localhost", fault.Invalid, "write it as tcp://HOST:PORT"},
		{"password inline", "tcp://u:hush@localhost", fault.Invalid, "give user and password apart"},
		{"empty", "", fault.Invalid, "write it as tcp://HOST:PORT"},
	} {
		f, stop := run(t, Default(), ridge(), &fakeWatch{}, func() Broker { return Broker{c.url, "somebody", "hush"} })
		first := f.Err()
		eventually(t, c.name, func() bool { return !errors.Is(f.Err(), first) })
		err := f.Err()
		if c.want != "" && (fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.want)) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v: %v", c.name, fault.Of(err), err)
		}
		stop()
	}
	for url, good := range map[string]bool{"tcp://localhost": true, "ssl://h:8883": true, "mqtts://h": true, "ftp://h": false, "tcp://": false, "tcp://h/path": false} {
		if err := CheckURL(url); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// serve runs one server for connections of a kind.
func serve(t *testing.T, each func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go each(c)
		}
	}()
	return l.Addr().String()
}

// A broker that lets the feed in and then neither reads nor acknowledges must
// not hold up those who publish, and is left after the limit.
func TestStalledBrokerStallsNobody(t *testing.T) {
	release := make(chan struct{})
	stalled := serve(t, func(c net.Conn) {
		c.Read(make([]byte, 1000))
		c.Write([]byte{0x20, 2, 0, 0}) // CONNACK: accepted
		<-release
		c.Close()
	})
	defer close(release)
	cfg := Default()
	cfg.AckLimit = 300 * time.Millisecond
	w := &fakeWatch{}
	f, _ := run(t, cfg, ridge(), w, func() Broker { return Broker{"tcp://" + stalled, "u", "p"} })
	eventually(t, "connected", func() bool { return f.Err() == nil })
	begun := time.Now()
	big := strings.Repeat("x", 20_000)
	for i := range 3000 {
		al := weak("la", fmt.Sprint("a-", i), time.Now())
		al.Seen.EN = big
		w.alerts.Publish(controller.AlertEvent{Change: controller.Opened, Alert: al})
		w.readings.Publish(reading("la", "bric-1", time.Now(), -60))
	}
	// Each that waited would have waited for AckLimit: a quarter of an hour together.
	if d := time.Since(begun); d > 30*time.Second {
		t.Errorf("publishing took %s", d)
	}
	eventually(t, "the feed leaves it", func() bool { return f.Err() != nil })
	if err := f.Err(); !strings.Contains(err.Error(), stalled) {
		t.Error(err)
	}
	select {
	case <-f.Ready():
		t.Error("ready, although nothing was acknowledged")
	default:
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	good := Deps{Network: ridge(), Watch: &fakeWatch{}, Broker: func() Broker { return Broker{} }}
	if _, err := New(Default(), good); err != nil {
		t.Error(err)
	}
	for _, d := range []Deps{{}, {Network: good.Network, Watch: good.Watch}, {Network: good.Network, Broker: good.Broker}} {
		if _, err := New(Default(), d); err == nil {
			t.Errorf("%+v: taken", d)
		}
	}
	if _, err := New(Config{}, good); fault.Of(err) != fault.Invalid {
		t.Error("an empty configuration was taken")
	}
}
