package page_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/network"
)

// TestEventsWithinTheScope tells a partner of its own links and alerts only.
func TestEventsWithinTheScope(t *testing.T) {
	w := newWorld(t, shared)
	srv := httptest.NewServer(w.shell.Handler())
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	open := func(query string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/rete/eventi"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("As", "uno")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	for range 30 { // refused streams take nobody's place
		if res := open("?link=saliceto-murazzano"); res.StatusCode != 404 {
			t.Fatalf("a stream of another's link: %s", res.Status)
		}
	}
	lines := bufio.NewScanner(open("").Body)
	var told []string
	next := func(prefix string) string {
		for lines.Scan() {
			told = append(told, lines.Text())
			if s, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return s
			}
		}
		t.Fatalf("the stream ended before %q: %v", prefix, lines.Err())
		return ""
	}
	next(": still here") // the subscription stands
	w.changes.Publish(network.LinkState{Link: "saliceto-murazzano", Status: network.StatusDown})
	w.changes.Publish(network.LinkState{Link: "fibra-cortemilia", Status: network.StatusDown})
	w.events.Publish(controller.AlertEvent{Change: controller.Opened, Alert: controller.Alert{ID: "altrui", Link: "saliceto-murazzano", Device: "cortemilia-est"}})
	w.events.Publish(controller.AlertEvent{Change: controller.Opened, Alert: controller.Alert{ID: "altrui", Device: "saliceto-est"}})
	w.events.Publish(controller.AlertEvent{Change: controller.Opened, Alert: controller.Alert{ID: "propria", Device: "mombarcaro-est"}})
	if next("event: ") != "alert" || !strings.Contains(next("data: "), "propria") {
		t.Errorf("told %q", told)
	}
	w.changes.Publish(network.LinkState{Link: "mombarcaro-cortemilia", Status: network.StatusDown})
	if next("event: ") != "state" || !strings.Contains(next("data: "), "mombarcaro-cortemilia") {
		t.Errorf("told %q", told)
	}
	if all := strings.Join(told, "\n"); strings.Contains(all, "altrui") || strings.Contains(all, "saliceto") || strings.Contains(all, "fibra") {
		t.Errorf("a partner is told %s", all)
	}
}

// A stream ends by itself, so that who may no longer read is told nothing more.
func TestEventStreamEnds(t *testing.T) {
	w := newWorld(t, func(c *page.Config, _ *page.Deps) { c.Beat, c.Stay = 10*time.Millisecond, 100*time.Millisecond })
	srv := httptest.NewServer(w.shell.Handler())
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/rete/eventi", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	all, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(all), "retry: 5000") || !strings.Contains(string(all), "still here") {
		t.Errorf("%v %q", err, all)
	}
}
