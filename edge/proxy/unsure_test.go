package proxy

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// TestUnsure: while orders to forget may have been missed, what is fresh is given
// only when its origin says that it holds, or with its date when nobody can be
// asked.
func TestUnsure(t *testing.T) {
	tag := atomic.Pointer[string]{}
	one, two := `"1"`, `"2"`
	tag.Store(&one)
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Cache-Control", "max-age=1000, stale-while-revalidate=1000")
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Etag", *tag.Load())
		if q.Header.Get("If-None-Match") == *tag.Load() {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "<body>ciao "+*tag.Load())
	})
	s := h.under()
	var heard atomic.Bool
	heard.Store(true)
	h.p.deps.Heard = func(context.Context) bool { return heard.Load() }
	wants := func(body, status string, lines ...string) {
		t.Helper()
		g := h.ask("GET", "/a", lines...)
		h.settled()
		if !strings.Contains(g.body, body) || !strings.Contains(g.Header.Get("Cache-Status"), status) {
			t.Errorf("%d %q %q, want %q %q", g.StatusCode, g.body, g.Header.Get("Cache-Status"), body, status)
		}
	}
	wants("ciao", "stored")
	wants("ciao", "hit")
	heard.Store(false)
	wants(`<body>ciao "1"`, "fwd=stale; fwd-status=304")
	wants("", "only-if-cached", "Cache-Control: only-if-cached")
	tag.Store(&two)
	wants(`ciao "2"`, "fwd=stale")
	heard.Store(true)
	before := h.asked.Load()
	wants(`<body>ciao "2"`, "hit")
	if h.asked.Load() != before {
		t.Error("asked though all is heard")
	}

	// Nobody can be asked: the copy says from when it is, though it is fresh.
	heard.Store(false)
	s.set(edge.ModeOffline)
	wants("Copia salvata", "detail=offline", "Accept: text/html")
	if h.asked.Load() != before {
		t.Error("asked while offline")
	}
	heard.Store(true)
	if g := h.ask("GET", "/a"); strings.Contains(g.body, "Copia") || !strings.Contains(g.Header.Get("Cache-Status"), "hit") {
		t.Errorf("heard again: %q", g.body)
	}
}

// TestWaitsForOrders: what is forgotten while a request waits is not given to it.
func TestWaitsForOrders(t *testing.T) {
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=1000")
		fmt.Fprint(w, time.Now().UnixNano())
	})
	old := h.ask("GET", "/a").body
	h.settled()
	ready := make(chan struct{})
	h.p.deps.Heard = func(ctx context.Context) bool {
		select {
		case <-ready:
			return true
		case <-ctx.Done():
			return false
		}
	}
	got := make(chan string, 1)
	go func() { got <- h.ask("GET", "/a").body }()
	select {
	case b := <-got:
		t.Fatalf("given before the orders were heard: %q", b)
	case <-time.After(50 * time.Millisecond):
	}
	h.p.deps.Store.Delete(name + "/a")
	close(ready)
	if b := <-got; b == old {
		t.Error("what was forgotten is given")
	}
}
