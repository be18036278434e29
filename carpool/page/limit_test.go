package page_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// search asks as a browser of a stranger at some address.
func (w *world) search(from, lang string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", w.URL+answered[:len(answered)-len("it")]+lang, nil)
	r.RemoteAddr = from
	rec := httptest.NewRecorder()
	w.shell.Handler().ServeHTTP(rec, r)
	return rec
}

// A stranger may search sixty times at once and then once a second, a member
// thirty times and then every two seconds; nobody takes from others.
func TestSearchesAreLimited(t *testing.T) {
	w := newWorld(t)
	for n := range 60 {
		if g := w.search("192.0.2.7:1000", "it"); g.Code != http.StatusOK {
			t.Fatalf("search %d of a stranger: %d", n, g.Code)
		}
	}
	g := w.search("192.0.2.7:2000", "it")
	if g.Code != http.StatusTooManyRequests || g.Header().Get("Retry-After") != "1" {
		t.Fatalf("one too many: %d, Retry-After %q", g.Code, g.Header().Get("Retry-After"))
	}
	stranger := w.visitor()
	stranger.wants(got{g.Result(), g.Body.String()}, http.StatusTooManyRequests, "Troppi tentativi", "Aspettate un poco e riprovate")
	if g := w.search("192.0.2.8:1000", "it"); g.Code != http.StatusOK {
		t.Errorf("another address: %d", g.Code)
	}
	for i := range 61 {
		g := w.search("[2001:db8:0:1::"+strconv.FormatInt(int64(i+1), 16)+"]:1000", "en")
		if want := i < 60; (g.Code == http.StatusOK) != want {
			t.Fatalf("search %d out of one IPv6 /64: %d", i, g.Code)
		}
	}
	if g := w.search("[2001:db8:0:2::1]:1000", "en"); g.Code != http.StatusOK {
		t.Errorf("the /64 beside it: %d", g.Code)
	}
	w.at(w.clock().Add(time.Second))
	if g := w.search("192.0.2.7:1000", "it"); g.Code != http.StatusOK {
		t.Errorf("a second later: %d", g.Code)
	}

	one, two := w.resident(), w.resident()
	ask := "/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=2026-11-25T08:00:00%2B01:00"
	p := w.program(one)
	for n := range 30 {
		if g := p.call("GET", ask, nil); g.StatusCode != http.StatusOK {
			t.Fatalf("search %d of a member: %d %s", n, g.StatusCode, g.Body)
		}
	}
	if g := p.call("GET", ask, nil); g.StatusCode != http.StatusTooManyRequests || g.Header.Get("Retry-After") != "2" || g.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("one too many: %d %v", g.StatusCode, g.Header)
	}
	one.wants(one.get(answered), http.StatusTooManyRequests)
	two.wants(two.get(answered), http.StatusOK) // behind the same address
	chosen := []string{"da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-25", "ora", "08:00", "senso", "arrivo", "corsa", "r-1", "ritorno", "no"}
	one.wants(one.post("/passaggi/chiedi", chosen...), http.StatusTooManyRequests, "Troppi tentativi")
	one.wants(one.post("/passaggi/chiedi", append(chosen, "passo", "invia")...), http.StatusTooManyRequests)
	if mine, err := w.Bookings.Requests(t.Context(), one.by.Member); err != nil || len(mine) != 0 {
		t.Errorf("a request was written all the same: %+v, %v", mine, err)
	}
	two.wants(two.post("/passaggi/chiedi", chosen...), http.StatusOK)
	one.wants(one.get("/passaggi"), http.StatusOK)
}
