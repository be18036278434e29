package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

const (
	wayTopic    = "crinale/v1/edge/bergolo/way"
	ordersTopic = "crinale/v1/edge/bergolo/orders"
)

func user(t testing.TB, name string, read ...string) spine.User {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte("p-"+name), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return spine.User{Name: name, Hash: string(h), Read: read}
}

func bergolo(t testing.TB) spine.User { return user(t, "edge-bergolo", wayTopic, ordersTopic) }

// controller publishes as the controller does.
type controller struct {
	t testing.TB
	c mqtt.Client
}

func publisher(t testing.TB, s *spine.Spine) controller {
	t.Helper()
	name, password := s.Internal()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetClientID("controller").SetUsername(name).SetPassword(password).SetProtocolVersion(4).SetAutoReconnect(false)
	c := mqtt.NewClient(o)
	if tok := c.Connect(); !tok.WaitTimeout(spinetest.Limit) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return controller{t, c}
}

func (c controller) put(topic, payload string) {
	c.t.Helper()
	if tok := c.c.Publish(topic, 1, true, payload); !tok.WaitTimeout(spinetest.Limit) || tok.Error() != nil {
		c.t.Fatal(tok.Error())
	}
}

func said(state string, at time.Time) string {
	return fmt.Sprintf(`{"state":%q,"since":%q,"mbps":12,"unknown":[],"at":%q}`, state, at.UTC().Format(time.RFC3339Nano), at.UTC().Format(time.RFC3339Nano))
}

// orders gives those with these numbers, each of a tag.
func orders(from, to int) string {
	var all []string
	for s := from; s <= to; s++ {
		all = append(all, fmt.Sprintf(`{"seq":%d,"at":"2026-11-23T10:00:%02dZ","kind":"tag","what":"t%d"}`, s, s, s))
	}
	return fmt.Sprintf(`{"head":%d,"orders":[%s]}`, to, strings.Join(all, ","))
}

// ear is a channel with what it brought.
type ear struct {
	*Channel
	mu     sync.Mutex
	words  []edge.Word
	forgot []string
	fail   error
	hold   chan struct{} // an order is carried out when it is closed; nil: at once
	stop   func()
	log    *strings.Builder
}

func (e *ear) heardOrders() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.forgot, " ")
}

func (e *ear) last() edge.Word {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.words) == 0 {
		return edge.Word{}
	}
	return e.words[len(e.words)-1]
}

// listen runs a channel until the test ends, or stop.
func listen(t testing.TB, addr, file string, change func(*Config)) *ear {
	t.Helper()
	e := &ear{log: &strings.Builder{}}
	c := Default()
	c.Broker = at("tcp://" + addr)
	c.User, c.Name, c.Password, c.File, c.Again = "edge-bergolo", "bergolo", "p-edge-bergolo", file, 300*time.Millisecond
	if change != nil {
		change(&c)
	}
	ch, err := New(c, Deps{
		Tell: func(w edge.Word) { e.mu.Lock(); defer e.mu.Unlock(); e.words = append(e.words, w) },
		Forget: func(o edge.Order) error {
			e.mu.Lock()
			hold := e.hold
			e.mu.Unlock()
			if hold != nil {
				<-hold
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.fail != nil {
				return e.fail
			}
			e.forgot = append(e.forgot, string(o.Kind)+":"+o.What)
			return nil
		},
		Log: slog.New(slog.NewTextHandler(&locked{w: e.log}, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Channel = ch
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ch.Run(ctx) }()
	var once sync.Once
	e.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(e.stop)
	return e
}

// at is an address that stays.
func at(url string) func() string { return func() string { return url } }

type locked struct {
	mu sync.Mutex
	w  *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.w.Write(p) }

func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not so after half a minute", what)
		}
	}
}

// A word is told within two seconds, and of a hundred in one the last one stays.
func TestWordsOverTheBroker(t *testing.T) {
	s := spinetest.Start(t, nil, bergolo(t))
	c := publisher(t, s)
	c.put(ordersTopic, orders(1, 0))
	c.put(wayTopic, said("up", time.Now()))
	e := listen(t, s.MQTTAddr(), filepath.Join(t.TempDir(), "orders.json"), nil)
	if !e.Heard(t.Context()) {
		t.Fatalf("%+v", e.State())
	}
	eventually(t, "what is retained", func() bool { w := e.last(); return w.Up && !w.Narrow && w.Mbps == 12 })
	begun := time.Now()
	c.put(wayTopic, said("down", time.Now()))
	eventually(t, "the word", func() bool { return !e.last().Up })
	if d := time.Since(begun); d > 2*time.Second {
		t.Errorf("told after %v", d)
	} else {
		t.Logf("told after %v", d)
	}
	for i := range 100 {
		c.c.Publish(wayTopic, 1, true, said([]string{"up", "down", "narrow"}[i%3], time.Now()))
	}
	c.put(wayTopic, said("unknown", time.Now()))
	eventually(t, "the last of a hundred", func() bool { return e.last().Unknown })
	if st := e.State(); st.Said.State != edge.SaidUnknown || !st.Connected || st.Err != "" || !st.Heard {
		t.Errorf("%+v", st)
	}
}

// What is wrong counts for nothing, is said, and ends nothing.
func TestWordsThatCountForNothing(t *testing.T) {
	s := spinetest.Start(t, nil, bergolo(t))
	c := publisher(t, s)
	c.put(ordersTopic, orders(1, 0))
	e := listen(t, s.MQTTAddr(), filepath.Join(t.TempDir(), "orders.json"), nil)
	e.Heard(t.Context())
	for _, payload := range []string{"{", `{"state":"up"}`, said("up", time.Now().Add(time.Hour)), said("sideways", time.Now()), `"` + strings.Repeat("x", 60<<10) + `"`, said("down", time.Now().Add(-time.Hour)), ""} {
		c.put(wayTopic, payload)
	}
	c.put(wayTopic, said("narrow", time.Now()))
	eventually(t, "the one that counts", func() bool { return e.last().Narrow })
	e.mu.Lock()
	if len(e.words) != 1 {
		t.Errorf("told %+v", e.words)
	}
	e.mu.Unlock()
	c.put(wayTopic, said("down", time.Now().Add(time.Hour)))
	eventually(t, "clocks are spoken of", func() bool { return strings.Contains(e.State().Err, "set the clocks") })
	c.put(wayTopic, said("down", time.Now().Add(-time.Hour)))
	eventually(t, "and when it is the other way round", func() bool { return strings.Contains(e.State().Err, "is 1h0m0s old") })
	c.put(wayTopic, said("narrow", time.Now()))
	eventually(t, "all is well", func() bool { return e.State().Err == "" })
	for _, payload := range []string{"{", `{"head":-1}`, `{"head":2,"orders":[{"seq":1,"kind":"all"}]}`} {
		c.put(ordersTopic, payload)
		eventually(t, "orders that cannot be read make unsure", func() bool { return !e.State().Heard })
		c.put(ordersTopic, orders(1, 0))
		eventually(t, "sure again", func() bool { return e.State().Heard })
	}
	if got := e.heardOrders(); got != "" {
		t.Errorf("forgot %q", got)
	}
}

// Orders are obeyed once, over restarts too; before anything is given; and where
// some may have been missed, all is forgotten.
func TestOrdersOverRestarts(t *testing.T) {
	s := spinetest.Start(t, nil, bergolo(t))
	c := publisher(t, s)
	file := filepath.Join(t.TempDir(), "orders.json")
	for _, step := range []struct{ orders, forgot string }{
		{orders(1, 2), "tag:t1 tag:t2"}, {orders(1, 2), ""}, {orders(1, 3), "tag:t3"}, {orders(4, 5), "tag:t4 tag:t5"}, {orders(8, 9), "all:"}, {orders(8, 9), ""}, {orders(1, 4), "all:"}, {orders(2, 5), "tag:t5"}, {`{"head":0,"orders":[]}`, "all:"}, {orders(1, 1), "tag:t1"},
	} {
		c.put(ordersTopic, step.orders)
		e := listen(t, s.MQTTAddr(), file, nil)
		if !e.Heard(t.Context()) || e.heardOrders() != step.forgot {
			t.Fatalf("%s: forgot %q, want %q; %+v", step.orders, e.heardOrders(), step.forgot, e.State())
		}
		e.stop()
		if e.State().Heard {
			t.Error("heard after its end")
		}
	}
	// A file that cannot be read is as if some had been missed.
	for _, content := range []string{"", "{", `{"seq":-3}`, "\x00\x00"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		e := listen(t, s.MQTTAddr(), file, nil)
		if !e.Heard(t.Context()) || e.heardOrders() != "all:" {
			t.Fatalf("%q: forgot %q", content, e.heardOrders())
		}
		e.stop()
	}
	var o edge.Obeyed
	if b, err := os.ReadFile(file); err != nil || json.Unmarshal(b, &o) != nil || o.Seq != 1 || o.At.IsZero() {
		t.Errorf("%s, %v", b, err)
	}
}

// An order that the disk does not take is none that was obeyed, and is tried again.
func TestDiskThatFails(t *testing.T) {
	s := spinetest.Start(t, nil, bergolo(t))
	c := publisher(t, s)
	file := filepath.Join(t.TempDir(), "orders.json")
	c.put(ordersTopic, orders(1, 1))
	e := listen(t, s.MQTTAddr(), file, nil)
	e.Heard(t.Context())
	e.mu.Lock()
	e.fail = errors.New("no space left on device")
	e.mu.Unlock()
	c.put(ordersTopic, orders(1, 2))
	eventually(t, "the failure is said", func() bool { st := e.State(); return !st.Heard && strings.Contains(st.Err, "no space") })
	if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), `"seq":1`) {
		t.Errorf("%s, %v", b, err)
	}
	e.mu.Lock()
	e.fail = nil
	e.mu.Unlock()
	eventually(t, "it is tried again", func() bool { return e.State().Heard && e.State().Obeyed == 2 })
	if got := e.heardOrders(); got != "tag:t1 tag:t2" {
		t.Errorf("%q", got)
	}

	// While one is carried out, which may take long, nothing is sure, and words are
	// heard all the same.
	hold := make(chan struct{})
	e.mu.Lock()
	e.hold = hold
	e.mu.Unlock()
	c.put(ordersTopic, orders(1, 3))
	eventually(t, "it is under way", func() bool { return !e.State().Heard })
	c.put(wayTopic, said("narrow", time.Now()))
	eventually(t, "the word", func() bool { return e.last().Narrow })
	if st := e.State(); st.Heard || st.Obeyed != 2 || st.Err != "" {
		t.Errorf("%+v", st)
	}
	close(hold)
	eventually(t, "it is done", func() bool { return e.State().Heard && e.State().Obeyed == 3 })
}

// A broker that dies: from then on nothing is sure; when it is back, what was
// ordered meanwhile is obeyed before it is sure again.
func TestBrokerDiesAndComesBack(t *testing.T) {
	cfg := spine.Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	start := func() (*spine.Spine, func()) {
		s, err := spine.New(cfg, spine.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetPartners([]spine.User{bergolo(t)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		<-s.Ready()
		cfg.MQTTAddr = s.MQTTAddr()
		return s, func() { cancel(); <-done }
	}
	s, end := start()
	c := publisher(t, s)
	c.put(ordersTopic, orders(1, 1))
	c.put(wayTopic, said("up", time.Now()))
	e := listen(t, s.MQTTAddr(), filepath.Join(t.TempDir(), "orders.json"), nil)
	if !e.Heard(t.Context()) {
		t.Fatal("not heard")
	}
	c.put(ordersTopic, orders(1, 2)) // may or may not be heard before the end
	end()
	eventually(t, "the loss is seen", func() bool { st := e.State(); return !st.Connected && !st.Heard })
	begun := time.Now()
	if e.Heard(t.Context()) || time.Since(begun) > time.Second {
		t.Error("after the start nobody waits")
	}
	_, end = start()
	defer end()
	eventually(t, "it is heard again", func() bool { return e.State().Heard })
	if got := e.heardOrders(); got != "tag:t1 tag:t2" {
		t.Errorf("forgot %q", got)
	}
}

// Nobody there, or nobody who lets us in: the wait after the start ends in time,
// and no password is told.
func TestWaitIsBounded(t *testing.T) {
	s := spinetest.Start(t, nil, user(t, "edge-bergolo", "crinale/v1/edge/bergolo/way"), user(t, "partner"))
	for name, c := range map[string]struct {
		change func(*Config)
		kind   string
	}{
		"nobody listens":  {func(c *Config) { c.Broker = at("tcp://127.0.0.1:1") }, "nothing listens"},
		"wrong password":  {func(c *Config) { c.Password = "wrong-secret" }, "password_file"},
		"not its topics":  {func(*Config) {}, "may not read crinale/v1/edge/bergolo/orders"},
		"no TLS there":    {func(c *Config) { c.Broker = at("tls://" + s.MQTTAddr()) }, "closed the connection"},
		"no such machine": {func(c *Config) { c.Broker = at("tls://controller.invalid:8883") }, "name of the host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := listen(t, s.MQTTAddr(), filepath.Join(t.TempDir(), "orders.json"), func(cfg *Config) {
				c.change(cfg)
				cfg.Wait = 300 * time.Millisecond
			})
			begun := time.Now()
			if e.Heard(t.Context()) {
				t.Error("heard")
			}
			if d := time.Since(begun); d < 200*time.Millisecond || d > 10*time.Second {
				t.Errorf("waited for %v", d)
			}
			eventually(t, "why", func() bool { return strings.Contains(e.State().Err, c.kind) })
			e.stop()
			if text := e.log.String() + e.State().Err; strings.Contains(text, "secret") || strings.Contains(text, "p-edge") {
				t.Errorf("a password is told: %s", text)
			}
		})
	}
	// Whoever goes away does not wait on.
	e := listen(t, "127.0.0.1:1", filepath.Join(t.TempDir(), "orders.json"), func(c *Config) { c.Wait = time.Minute })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if e.Heard(ctx) {
		t.Error("heard")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, change := range []func(*Config, *Deps){
		func(c *Config, _ *Deps) { c.Broker = nil }, func(c *Config, _ *Deps) { c.Name = "" }, func(c *Config, _ *Deps) { c.User = "" }, func(c *Config, _ *Deps) { c.File = "" },
		func(c *Config, _ *Deps) { c.Wait = 0 }, func(_ *Config, d *Deps) { d.Tell = nil }, func(_ *Config, d *Deps) { d.Forget = nil },
	} {
		c, d := Default(), Deps{Tell: func(edge.Word) {}, Forget: func(edge.Order) error { return nil }}
		c.Broker, c.User, c.Name, c.File = at("tcp://127.0.0.1:1"), "edge-a", "a", filepath.Join(t.TempDir(), "o")
		change(&c, &d)
		if _, err := New(c, d); fault.Of(err) != fault.Invalid && fault.Of(err) != fault.Internal || err == nil {
			t.Error(err)
		}
	}
}
