package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Where somebody searches from and to stands in no log: not what they typed, not
// the position, whether they are answered, refused or slowed down.
func TestSearchesLeaveNoPlaceInTheLog(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	v := w.resident()
	search := func(pairs ...string) got {
		q := url.Values{"giorno": {"2026-11-25"}, "ora": {"08:00"}, "senso": {"arrivo"}, "lang": {"it"}}
		for i := 0; i+1 < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return v.get("/passaggi?" + q.Encode())
	}
	v.wants(search("da-testo", "44.54321, 8.18765", "a", "cortemilia-municipio"), http.StatusOK, "Chiedi questo passaggio")
	search("da-testo", "Via Segretaqz 7", "a", "cortemilia-municipio")
	search("da-testo", "944.54321, 8.18765", "a-testo", "44.54321, 8.18765")
	search("da-testo", "44.54321, 8.18765", "a", "cortemilia-municipio", "giorno", "2025-01-01")
	p := w.program(v)
	for _, from := range []string{"44.54321,8.18765", "944.54321,8.18765", "segretaqz"} {
		p.call("GET", "/search?from="+from+"&to=cortemilia-municipio&arrive=2026-11-25T08:00:00%2B01:00", nil)
	}
	for range 40 {
		search("da-testo", "44.54321, 8.18765", "a", "cortemilia-municipio")
	}
	log := w.logged.String()
	if !strings.Contains(log, "path=/passaggi") || !strings.Contains(log, "status=429") {
		t.Fatalf("the log does not say what was asked: %.300s", log)
	}
	for _, secret := range []string{"44.543", "44.54", "8.187", "8.18", "egretaqz"} {
		if i := strings.Index(log, secret); i >= 0 {
			t.Errorf("the log holds %q: %s", secret, log[max(0, i-200):min(len(log), i+100)])
		}
	}
}

// A stranger's Host is refused before anything happens, and one that a proxy is
// said to have seen changes no address that the portal writes or leads to.
func TestPoisonedHosts(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	body := v.wants(w.visitor().get("/passaggi/iscrizione"), http.StatusOK)
	form := fields("volta", onceIn(t, body), "nome", "Residente", "cognome", "Prova", "comune", "004021", "telefono", "0173 123456", "casa", "si", "email", "prova@example.it",
		"accesso", "email", "password", good, "ripeti", good, "condizioni", "si")
	poisoned := func(host string) int {
		r, err := http.NewRequest("POST", w.URL+"/passaggi/iscrizione", strings.NewReader(form))
		must(t, err)
		r.Host = host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+host)
		res, err := v.http.Do(r)
		must(t, err)
		_ = res.Body.Close()
		return res.StatusCode
	}
	if status := poisoned("evil.example"); status != http.StatusMisdirectedRequest || w.codes.of("prova@example.it") != "" {
		t.Errorf("a stranger's host: %d, or a code was sent", status)
	}
	if people, err := w.people.List(t.Context()); err != nil || len(people) != 1 {
		t.Errorf("%d accounts, %v", len(people), err)
	}
	forwarded := []string{"X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example", "X-Host", "evil.example", "X-Original-URL", "//evil.example"}
	for _, path := range []string{"/passaggi", "/passaggi/miei", "/passaggi/profilo", "/passaggi/miei/b-none", "/entra?dopo=//evil.example"} {
		if g := v.get(path, forwarded...); strings.Contains(g.Body, "evil.example") && !strings.HasPrefix(path, "/entra") || strings.Contains(g.Header.Get("Location"), "evil.example") {
			t.Errorf("%s says or leads to a stranger's host: %s", path, g.Header.Get("Location"))
		}
	}
	stranger := w.visitor()
	if g := stranger.do("POST", "/passaggi/caratteri", "", append(forwarded, "Content-Type", "application/x-www-form-urlencoded", "Origin", w.URL, "Referer", "http://evil.example/passaggi")...); g.Header.Get("Location") != "/passaggi" {
		t.Errorf("back to %q", g.Header.Get("Location"))
	}
	calendar := v.do("POST", "/passaggi/profilo/calendario", fields("fa", "nuovo"), append(forwarded, "Content-Type", "application/x-www-form-urlencoded", "Origin", w.URL)...)
	if strings.Contains(calendar.Body, "evil.example") || !strings.Contains(calendar.Body, "/passaggi/calendario/") {
		t.Error("the address of a calendar is a stranger's")
	}
}
