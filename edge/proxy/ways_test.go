package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// TestWays: requests leave from the address of the way of the moment; those on
// the second are counted over restarts, and end with its cap.
func TestWays(t *testing.T) {
	var from string
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ = net.SplitHostPort(r.RemoteAddr)
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
	}))
	defer origin.Close()
	addr := origin.Listener.Addr().String()
	way := edge.WayMain
	c := WaysConfig{Timeout: time.Minute, Probes: []string{"127.0.0.1:1", addr},
		Second: &SecondWay{Source: net.ParseIP("127.0.0.77"), Cap: 25_000, File: filepath.Join(t.TempDir(), "second.json")}}
	stand := func() edge.Stand { return edge.Stand{Way: way} }
	w, err := NewWays(c, stand)
	if err != nil {
		t.Fatal(err)
	}
	get := func(w *Ways) error {
		r, err := http.NewRequest("GET", origin.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := w.RoundTrip(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	if err := get(w); err != nil || from != "127.0.0.1" || w.Spent() != 0 {
		t.Errorf("main: %v from %s, spent %d", err, from, w.Spent())
	}
	if w.Probe(t.Context(), edge.WayMain) != nil || w.Probe(t.Context(), edge.WaySecond) != nil {
		t.Error("a way that works is not seen")
	}
	way = edge.WaySecond
	w.Turned(way)
	if err := get(w); err != nil || from != "127.0.0.77" || w.Spent() < 10_000 {
		t.Errorf("second: %v from %s, spent %d", err, from, w.Spent())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	w, err = NewWays(c, stand)
	if err != nil || w.Spent() < 10_000 || !w.SecondOpen() {
		t.Fatalf("%v, after a restart %d", err, w.Spent())
	}
	for range 2 {
		if err := get(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := get(w); err == nil || w.SecondOpen() || !unconnected(err) {
		t.Errorf("beyond the cap: %v, spent %d", err, w.Spent())
	}
	w.meter.turn(time.Now().AddDate(0, 1, 0))
	if w.meter.now.Bytes != 0 {
		t.Error("the next month begins with bytes")
	}
	_ = origin.Listener.Close()
	if w.Probe(t.Context(), edge.WayMain) == nil {
		t.Error("a way that does not work is not seen")
	}
}

func TestMeterFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "second.json")
	for _, bad := range []string{"", "x", `{"month":"2026-11","bytes":-1}`} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := newMeter(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, c := range []WaysConfig{{}, {Timeout: 1, Second: &SecondWay{}}} {
		if _, err := NewWays(c, nil); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
