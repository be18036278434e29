package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/spine/spinetest"
)

// edgeBroker is a real broker of which the edge of a test is a user, at an address
// that stays the same.
type edgeBroker struct {
	t    *testing.T
	cfg  spine.Config
	s    *spine.Spine
	stop func()
}

func newEdgeBroker(t *testing.T) *edgeBroker {
	b := &edgeBroker{t: t, cfg: spine.Default()}
	b.cfg.Dir, b.cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *edgeBroker) start() {
	b.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("channel-secret"), bcrypt.MinCost)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.s, err = spine.New(b.cfg, spine.Deps{}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.s.SetPartners([]spine.User{{Name: "edge-bergolo", Hash: string(hash), Read: controller.EdgeTopics("bergolo")}}); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.s.Run(ctx) }()
	<-b.s.Ready()
	b.cfg.MQTTAddr = b.s.MQTTAddr()
	b.stop = func() { cancel(); <-done; b.stop = func() {} }
}

func (b *edgeBroker) say(topic, payload string) {
	b.t.Helper()
	if err := spinetest.Internal(b.s).Pub(b.t, "-t", "crinale/v1/edge/bergolo/"+topic, "-r", "-q", "1", "-m", payload); err != nil {
		b.t.Fatal(err)
	}
}

func (b *edgeBroker) way(state string) {
	b.t.Helper()
	b.say("way", fmt.Sprintf(`{"state":%q,"mbps":12,"at":%q}`, state, time.Now().UTC().Format(time.RFC3339Nano)))
}

// orders gives the tags t, numbered up to head.
func (b *edgeBroker) orders(head int, tags ...string) {
	b.t.Helper()
	var all []string
	for i, tag := range tags {
		seq := head - len(tags) + 1 + i
		all = append(all, fmt.Sprintf(`{"seq":%d,"at":"2026-11-23T10:00:%02dZ","kind":"tag","what":%q}`, seq, seq, tag))
	}
	b.say("orders", fmt.Sprintf(`{"head":%d,"orders":[%s]}`, head, strings.Join(all, ",")))
}

// TestEdgeAndItsController: a real edge at a real broker. Words change its mode
// within two seconds; what was ordered to be forgotten while it was away is never
// given again.
func TestEdgeAndItsController(t *testing.T) {
	b := newEdgeBroker(t)
	pass := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(pass, []byte("channel-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newEdgeHall(t, "    offline: {rule: until, days: 7}\ncontroller: {broker: \"tcp://"+b.cfg.MQTTAddr+"\", user: edge-bergolo, password_file: "+pass+"}\n")
	standing := func() (s edgeStanding) {
		t.Helper()
		var out bytes.Buffer
		if code := run([]string{"crinale", "edge", "status", "--data", h.data(), "--json"}, &out, io.Discard); code != 0 {
			t.Fatalf("status: %d", code)
		}
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	until := func(what string, so func(s edgeStanding) bool) time.Duration {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			s := standing()
			if so(s) {
				return time.Since(begun)
			}
			if time.Since(begun) > patience {
				t.Fatalf("%s: %+v %+v", what, s, s.Controller)
			}
		}
	}
	get := func(path, want string) string {
		t.Helper()
		res, body, err := h.get(path)
		var n, size int
		_, _ = fmt.Sscanf(path, "/%d/%d", &n, &size)
		if err != nil || res.StatusCode != 200 || !bytes.Equal(body, edgeBody(n, size)) {
			t.Fatalf("%s: %v", path, err)
		}
		status := res.Header.Get("Cache-Status")
		if !strings.Contains(status, want) {
			t.Errorf("%s: %q, want %q", path, status, want)
		}
		return status
	}
	fill := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			get(path, "")
			for end := time.Now().Add(patience); !strings.Contains(get(path, ""), "hit"); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%s is not stored", path)
				}
			}
		}
	}
	b.orders(0)
	b.way("up")
	p := h.run(t)
	until("heard", func(s edgeStanding) bool {
		c := s.Controller
		return c != nil && c.Connected && c.Obeyed && c.State != nil && *c.State == "up" && *c.Mbps == 12 && c.Problem == ""
	})
	fill("/1/1000", "/2/2000", "/3/3000")

	for _, step := range []struct{ say, mode string }{{"down", "offline"}, {"narrow", "degraded"}, {"up", "online"}} {
		b.way(step.say)
		if d := until(step.say, func(s edgeStanding) bool { return s.Mode == step.mode }); d > 2*time.Second {
			t.Errorf("%s: %s after %v", step.say, step.mode, d)
		} else {
			t.Logf("%s: %s after %v", step.say, step.mode, d)
		}
	}
	if code := run([]string{"crinale", "edge", "tell", "narrow", "--data", h.data()}, io.Discard, io.Discard); code != 0 {
		t.Error(code)
	}
	b.way("down")
	until("the word arrives", func(s edgeStanding) bool { return *s.Controller.State == "down" })
	if s := standing(); s.Mode != "degraded" || !strings.Contains(s.Why, "somebody at the edge") {
		t.Errorf("a word by hand goes before: %+v", s)
	}
	b.way("up")

	// An order is obeyed at once, in all services.
	b.orders(1, "n1")
	until("the order", func(s edgeStanding) bool { return s.Controller.Order == 1 && s.Store.Objects == 2 })
	fill("/1/1000")

	// What is ordered while the edge is away is forgotten before its first answer.
	for i := range 3 {
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.done
		b.orders(2+i, append([]string{"n1"}, strings.Split(strings.Repeat("n2 ", i+1), " ")[:i+1]...)...)
		p = h.run(t)
		get("/2/2000", "stored")
		get("/1/1000", "hit")
		fill("/2/2000")
	}

	// Killed at any moment after an order, an edge never gives again what the order
	// names. What the origin says tells an old answer from a new one.
	rng := rand.New(rand.NewPCG(1, 7))
	for i := range 8 {
		fill("/2/2000")
		b.orders(5+i, "n1", "n2")
		time.Sleep(time.Duration(rng.IntN(8_000)) * time.Microsecond)
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.done
		p = h.run(t)
		if get("/2/2000", "stored"); standing().Controller.Order != int64(5+i) {
			t.Errorf("order %d of %d", standing().Controller.Order, 5+i)
		}
	}
	fill("/1/1000")

	// The broker is gone: what is saved is given when its origin says that it holds.
	asked := h.asked.Load()
	b.stop()
	until("the loss is seen", func(s edgeStanding) bool { return !s.Controller.Connected && !s.Controller.Obeyed })
	if get("/1/1000", "fwd-status=304"); h.asked.Load() != asked+1 {
		t.Errorf("%d requests", h.asked.Load()-asked)
	}
	// And with its date when nobody can be asked, no later than the wait.
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	h.down.Store(true)
	begun := time.Now()
	p = h.run(t)
	res, _, err := h.get("/1/1000")
	if err != nil || res.StatusCode != 200 || res.Header.Get("Crinale-Saved") == "" || !strings.Contains(res.Header.Get("Cache-Status"), "origin-unreachable") {
		t.Errorf("%v %+v", err, res)
	}
	if d := time.Since(begun); d < time.Second || d > 20*time.Second {
		t.Errorf("given after %v", d)
	}

	// Back, with a gap: all is forgotten.
	h.down.Store(false)
	b.start()
	b.orders(20, "n7", "n8")
	until("all is forgotten", func(s edgeStanding) bool {
		return s.Controller.Obeyed && s.Controller.Order == 20 && s.Store.Objects == 0
	})
	get("/1/1000", "stored")
	var out bytes.Buffer
	if run([]string{"crinale", "edge", "status", "--data", h.data()}, &out, io.Discard); !strings.Contains(out.String(), "Its orders are obeyed, up to number 20.") {
		t.Errorf("%s", out.String())
	}
	if strings.Contains(p.talk.String(), "channel-secret") {
		t.Error("the password is in the log")
	}
}
