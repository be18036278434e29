package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/zone"
)

// TestEdgeWarm: the list is here before anybody asks, and asked for once.
func TestEdgeWarm(t *testing.T) {
	far := (time.Now().In(zone.Rome()).Hour() + 12) % 24 // so that it does not begin by itself
	h := newEdgeHall(t, fmt.Sprintf(`    warm:
      - {urls: [/1/1000, /2/2000, /3/3000], window: "%02d:00-%02d:01", budget_mb: 1}
`, far, far))
	h.run(t)
	var first, second warmed
	for _, into := range []*warmed{&first, &second} {
		if err := json.Unmarshal([]byte(edgeVerb(t, 0, "warm", "--data", h.data(), "--json")), into); err != nil {
			t.Fatal(err)
		}
	}
	if r := first.Runs[0]; len(first.Runs) != 1 || r.Stored != 3 || r.Bytes != 6000 {
		t.Errorf("%+v", first)
	}
	if r := second.Runs[0]; r.Fresh != 3 || r.Bytes != 0 || h.asked.Load() != 3 {
		t.Errorf("%+v, the origin was asked %d times", second, h.asked.Load())
	}
	var s edgeStanding
	if err := json.Unmarshal([]byte(edgeVerb(t, 0, "status", "--data", h.data(), "--json")), &s); err != nil || s.Services[0].Requests != 0 || s.Saved.Given != 0 || s.Saved.Fetched != 6000 {
		t.Errorf("what nobody asked for counts as saved: %+v, %v", s, err)
	}
	h.down.Store(true)
	edgeVerb(t, 0, "tell", "down", "--data", h.data())
	if res, body, err := h.get("/3/3000"); err != nil || res.StatusCode != 200 || len(body) != 3000 {
		t.Errorf("what was warmed, offline: %v", err)
	}
	if out := edgeVerb(t, 1, "warm", "--data", h.data()); !strings.Contains(out, "offline") {
		t.Errorf("warm while offline: %s", out)
	}
}
