package proxy

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// sky is a Watch that a test sets.
type sky struct {
	mu    sync.Mutex
	s     edge.Stand
	notes []bool
}

func (s *sky) Stand() edge.Stand {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.s
}

func (s *sky) Note(_ edge.Way, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, ok)
}

func (s *sky) set(m edge.Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s = edge.Stand{Mode: m, Way: edge.WayMain, Since: time.Date(2026, 11, 20, 9, 42, 0, 0, time.UTC)}
	if m == edge.ModeOffline {
		s.s.Way = edge.WayNone
	}
}

// under gives a hall a Watch.
func (h *hall) under() *sky {
	s := &sky{}
	s.set(edge.ModeOnline)
	h.p.deps.Watch = s
	h.p.cfg.Zone = time.UTC
	return s
}

const forPeople = "Accept: text/html,application/xhtml+xml"

// TestOfflineServesWhatTheRuleLets: no request is sent while the mode is
// offline; what is given says its age; what is not there says so in words.
func TestOfflineServesWhatTheRuleLets(t *testing.T) {
	r := edge.DefaultRules()
	r.Offline = edge.Offline{Rule: edge.OfflineUntil, Until: time.Hour}
	h := newHall(t, r, func(w http.ResponseWriter, q *http.Request) {
		cc := "max-age=0"
		if q.URL.Path == "/strict" {
			cc = "max-age=0, must-revalidate"
		}
		w.Header().Set("Cache-Control", cc)
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if q.URL.Path == "/plain" {
			w.Header().Set("Content-Type", "text/plain")
		}
		fmt.Fprint(w, "<html><head><title><body></title></head><body class='a>b'>ciao</body></html>")
	})
	s := h.under()
	for _, p := range []string{"/page", "/strict", "/plain"} {
		h.ask("GET", p)
		h.settled()
	}
	before := h.asked.Load()
	s.set(edge.ModeOffline)

	g := h.ask("GET", "/page", forPeople, `If-None-Match: "v1"`)
	if g.StatusCode != 200 || g.err != nil || g.Header.Get("Etag") != "" || g.Header.Get("Cache-Control") != "no-store" || g.Header.Get(savedField) == "" || g.Header.Get("Age") == "" ||
		!strings.Contains(g.Header.Get("Cache-Status"), "hit") || !strings.Contains(g.Header.Get("Cache-Status"), "detail=offline") {
		t.Errorf("page: %d %v %v", g.StatusCode, g.Header, g.err)
	}
	if !strings.Contains(g.body, "<body class='a>b'><div role=\"status\"") || !strings.HasSuffix(g.body, "</div>ciao</body></html>") || !strings.Contains(g.body, "Copia salvata oggi alle ") {
		t.Errorf("page: %q", g.body)
	}
	if g := h.ask("GET", "/plain"); g.StatusCode != 200 || strings.Contains(g.body, "Copia") || g.Header.Get(savedField) == "" {
		t.Errorf("plain: %d %q %v", g.StatusCode, g.body, g.Header)
	}
	for path, want := range map[string]string{"/strict": "non ha una copia", "/never-seen": "non ha una copia"} {
		g := h.ask("GET", path, forPeople)
		if g.StatusCode != 503 || !strings.Contains(g.body, want) || !strings.Contains(g.body, "dalle 09:42 del 20/11/2026") || g.Header.Get("Retry-After") == "" || g.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q %v", path, g.StatusCode, g.body, g.Header)
		}
	}
	if g := h.ask("GET", "/never-seen"); g.StatusCode != 503 || strings.Contains(g.body, "<") {
		t.Errorf("a program is told in its own words: %q", g.body)
	}
	if g := h.ask("POST", "/page", forPeople); g.StatusCode != 503 || !strings.Contains(g.body, "non sono stati registrati") {
		t.Errorf("POST: %d %q", g.StatusCode, g.body)
	}
	if n := h.asked.Load(); n != before {
		t.Errorf("%d requests were sent while offline", n-before)
	}
	s.set(edge.ModeOnline)
	if g := h.ask("GET", "/page", forPeople); strings.Contains(g.body, "Copia") || h.asked.Load() == before {
		t.Errorf("back: %q", g.body)
	}
}

// TestUnsentIsOffered: what cannot be sent is given to who may keep it, and
// never what was under way when the origin was lost.
func TestUnsentIsOffered(t *testing.T) {
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) { panic(http.ErrAbortHandler) })
	s := h.under()
	var kept []string
	h.p.deps.Unsent = func(w http.ResponseWriter, r *http.Request, host string) bool {
		if r.URL.Path == "/pay" {
			return false
		}
		b, _ := io.ReadAll(r.Body)
		kept = append(kept, r.Method+" "+host+r.URL.Path+" "+string(b))
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	if g := h.ask("PUT", "/form"); g.StatusCode != 502 || len(kept) != 0 {
		t.Errorf("a write that was under way: %d %q", g.StatusCode, kept)
	}
	s.set(edge.ModeOffline)
	if g := h.ask("PUT", "/form"); g.StatusCode != 202 || len(kept) != 1 || kept[0] != "PUT "+name+"/form " {
		t.Errorf("%d %q", g.StatusCode, kept)
	}
	if g := h.ask("POST", "/pay"); g.StatusCode != 503 || len(kept) != 1 {
		t.Errorf("%d %q", g.StatusCode, kept)
	}
	if len(s.notes) == 0 || s.notes[0] {
		t.Errorf("the watch was told %v", s.notes)
	}
}

// TestLostOrigin: an origin that takes no connection is not asked by everybody
// any more, one at a time tries; what is stored is given.
func TestLostOrigin(t *testing.T) {
	r := edge.DefaultRules()
	r.StaleIfError = time.Hour
	h := newHall(t, r, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/breaks" {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Cache-Control", "max-age=0")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "ciao")
	})
	h.under()
	h.ask("GET", "/a")
	h.settled()

	// An address that breaks closes nothing.
	for range 2 * giveUpAfter {
		if g := h.ask("GET", "/breaks"); g.StatusCode != 502 {
			t.Fatalf("%d", g.StatusCode)
		}
	}
	if g := h.ask("GET", "/a"); g.body != "ciao" {
		t.Fatalf("%q", g.body)
	}
	h.settled()

	rc := h.p.reaches[name]
	there := *h.p.services[name].Origin
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody listens there
	h.p.services[name].Origin = &url.URL{Scheme: "http", Host: l.Addr().String()}
	for i := range 20 {
		g := h.ask("GET", "/a")
		if g.StatusCode != 200 || !strings.HasPrefix(g.body, "ciao<div") {
			t.Fatalf("%d: %d %q", i, g.StatusCode, g.body)
		}
	}
	rc.mu.Lock()
	failed := rc.failed
	rc.until = time.Now()
	rc.mu.Unlock()
	if failed < giveUpAfter {
		t.Errorf("%d failures were counted", failed)
	}
	h.p.services[name].Origin = &there
	if g := h.ask("GET", "/a"); g.body != "ciao" || !rc.lostSince().IsZero() {
		t.Errorf("back: %q", g.body)
	}
}

func TestReachLetsOneTry(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var r reach
	for range giveUpAfter {
		if !r.open(now) {
			t.Fatal("closed too soon")
		}
		r.note(false, now)
	}
	if r.open(now.Add(tryAgain-1)) || !r.lostSince().Equal(now) {
		t.Error("open")
	}
	later := now.Add(tryAgain)
	if !r.open(later) || r.open(later) || r.open(later.Add(tryAgain-1)) || !r.open(later.Add(tryAgain)) {
		t.Error("not one at a time")
	}
	r.note(true, later)
	if !r.open(later) || !r.lostSince().IsZero() {
		t.Error("closed")
	}
}

// TestMarkedGzip: a page that was stored packed is unpacked to be marked; one
// that cannot be unpacked is given as it is.
func TestMarkedGzip(t *testing.T) {
	r := edge.DefaultRules()
	r.Offline = edge.Offline{Rule: edge.OfflineUntil, Until: time.Hour}
	h := newHall(t, r, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Cache-Control", "max-age=0")
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		if q.URL.Path == "/broken" {
			fmt.Fprint(w, "no gzip")
			return
		}
		z := gzip.NewWriter(w)
		fmt.Fprint(z, "<body>ciao")
		_ = z.Close()
	})
	s := h.under()
	for _, p := range []string{"/a", "/broken"} {
		h.ask("GET", p, "Accept-Encoding: gzip")
		h.settled()
	}
	s.set(edge.ModeOffline)
	if g := h.ask("GET", "/a", "Accept-Encoding: gzip"); g.Header.Get("Content-Encoding") != "" || !strings.HasPrefix(g.body, "<body><div") || !strings.HasSuffix(g.body, "ciao") {
		t.Errorf("%q %v", g.body, g.Header)
	}
	if g := h.ask("GET", "/broken", "Accept-Encoding: gzip"); g.Header.Get("Content-Encoding") != "gzip" || g.body != "no gzip" || g.Header.Get(savedField) == "" {
		t.Errorf("%q %v", g.body, g.Header)
	}
}

func TestAfterBodyTag(t *testing.T) {
	for page, want := range map[string]string{
		"<body>x":                                        "x",
		"<BODY\nclass=\"a>b\">x":                         "x",
		"<!-- <body> --><body>x":                         "x",
		"<script>'<body>'</script><body>x":               "x",
		"<head><style>a{}</style></head><body onload=x>": "",
		"<p>no tag":                                      "",
		"<!-- no end <body>":                             "",
		"<script>no end <body>":                          "",
		"<bodyguard><body>x":                             "x",
		"<body no end":                                   "",
		"":                                               "",
		"<":                                              "",
	} {
		if at := afterBodyTag([]byte(page)); page[at:] != want {
			t.Errorf("%q: before %q, want %q", page, page[at:], want)
		}
	}
}

// FuzzAfterBodyTag: whatever the page, the place is in it, and never inside of
// a letter that takes several bytes where the page was sound.
func FuzzAfterBodyTag(f *testing.F) {
	for _, s := range []string{"<body>x", "<!--<body>", "<script></script><body a='>'>è", "İ<body>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		at := afterBodyTag(page)
		if at < 0 || at > len(page) {
			t.Fatalf("%d of %d", at, len(page))
		}
		if at > 0 && at < len(page) && page[at-1] != '>' {
			t.Fatalf("%q | %q", page[:at], page[at:])
		}
	})
}
