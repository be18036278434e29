package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

func show(t *testing.T, s Standing, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	p, err := New(Config{Zone: time.UTC}, Deps{Now: func() Standing { return s }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestStatusPage(t *testing.T) {
	since := time.Date(2026, 11, 20, 9, 42, 0, 0, time.UTC)
	s := Standing{Name: "bergolo", Saved: 450_000_000, Mbps: 30, Stored: 1_250_000_000, Objects: 12, Spent: 3_000_000, Cap: 20_000_000_000, Services: []Service{
		{Host: "docs.example", Offline: "until", Until: 7 * 24 * time.Hour},
		{Host: "pay.example", Offline: "never", Lost: since},
		{Host: "<b>.example", Offline: "stale-if-error"},
	}}
	for mode, want := range map[edge.Mode][]string{
		edge.ModeOnline:   {"Il collegamento funziona", "raggiungibile", "ultimi 7 giorni", "non risponde dalle 09:42 del 20/11/2026", "1,2 GB", "450 MB, cioè 2 minuti di linea", "3 MB di 20,0 GB", "&lt;b&gt;"},
		edge.ModeOffline:  {"Il collegamento è interrotto", "Che cosa si può fare ora", "dalle 09:42 del 20/11/2026", "SPID"},
		edge.ModeDraining: {"si stanno inviando", "<strong>2</strong> invii in attesa"},
		edge.ModeDegraded: {"è ridotto", "sulla seconda via"},
	} {
		s.Stand = edge.Stand{Mode: mode, Way: edge.WayMain, Since: since}
		s.Waiting = 0
		if mode == edge.ModeDraining {
			s.Waiting = 2
		}
		if mode == edge.ModeDegraded {
			s.Stand.Way = edge.WaySecond
		}
		w := show(t, s, "GET", "/")
		for _, part := range want {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%v: no %q in %s", mode, part, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "<b>.example") || w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Body.String(), "non sono conservazione a norma") {
			t.Errorf("%v: %v", mode, w.Header())
		}
	}
	if w := show(t, s, "GET", "/x"); w.Code != http.StatusNotFound {
		t.Errorf("another path: %d", w.Code)
	}
	if w := show(t, s, "POST", "/"); w.Code != http.StatusNotFound {
		t.Errorf("POST: %d", w.Code)
	}
	if _, err := New(Config{}, Deps{}); err == nil {
		t.Error("a page of nothing")
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[int64]string{0: "0 kB", 1: "1 kB", 999_999: "1000 kB", 1_000_000: "1 MB", 1_990_000_000: "1,9 GB"} {
		if got := amount(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
