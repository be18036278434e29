package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

func shell(t *testing.T, change ...func(*Config)) *Shell {
	t.Helper()
	cfg := Default()
	cfg.Addr = "127.0.0.1:0"
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s *Shell, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:8080"
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestRefusesToListenBeyondThisMachine(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:8080": true, "localhost:0": true, "127.8.9.1:1": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:80": false, "192.168.1.2:80": false, "crinale.example:80": false, "8080": false, "": false,
	} {
		_, err := New(Config{Addr: addr}, Deps{})
		if ok != (err == nil) {
			t.Errorf("%q: %v", addr, err)
		}
		if err != nil && (fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "127.0.0.1")) {
			t.Errorf("%q: the line does not say what to use: %v", addr, err)
		}
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := shell(t, func(c *Config) { c.Addr = l.Addr().String() })
	err = s.Run(t.Context())
	if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "another program uses this port") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v", err)
	}
}

func TestRunEndsGracefully(t *testing.T) {
	s := shell(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	s.Handle("GET /slow", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	}))
	s.Handle("GET /stream", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ": hello\n\n")
		_ = http.NewResponseController(w).Flush()
		<-Closing(r.Context())
	}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()

	stream, err := http.Get(s.URL() + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	type answer struct {
		body string
		err  error
	}
	slow := make(chan answer, 1)
	go func() {
		res, err := http.Get(s.URL() + "/slow")
		if err != nil {
			slow <- answer{"", err}
			return
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		slow <- answer{string(b), err}
	}()
	<-entered
	cancel()
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("stream: %v", err)
	}
	close(leave)
	if a := <-slow; a.err != nil || a.body != "done" {
		t.Errorf("an answer under way was lost: %+v", a)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestHostHeader(t *testing.T) {
	s := shell(t, func(c *Config) { c.Hosts = []string{"Crinale.Example"} })
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "localhost": 200, "LOCALHOST:1": 200, "[::1]:8080": 200, "crinale.example": 200, "crinale.example.:8080": 200,
		"evil.example": 421, "192.168.1.2:8080": 421, "127.0.0.1.evil.example": 421, "": 421,
	} {
		if w := ask(s, "GET", "/healthz", "Host", host); w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	s := shell(t)
	s.Handle("GET /panic", Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	for _, target := range []string{"/", "/nothing", "/panic", "/healthz", "/static/crinale.css", "/api/v1/nothing"} {
		h := ask(s, "GET", target).Header()
		if v := h.Get("Content-Security-Policy"); !strings.Contains(v, "frame-ancestors 'none'") || strings.Contains(v, "unsafe") {
			t.Errorf("%s: CSP %q", target, v)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: headers %v", target, h)
		}
	}
}

func TestErrorsByKind(t *testing.T) {
	s := shell(t)
	for kind := fault.Internal; kind <= fault.Unconfirmed; kind++ {
		f := s.Func(func(http.ResponseWriter, *http.Request) error {
			return fault.New(kind, "read radio: secret %s", "sauce")
		})
		s.Handle("GET /fail/"+kind.String(), Public, f)
		s.Handle("GET /api/v1/fail/"+kind.String(), Public, f)
		status, known := statuses[kind]
		if !known {
			t.Fatalf("no status for %v", kind)
		}
		page := ask(s, "GET", "/fail/"+kind.String())
		if page.Code != status || !strings.Contains(page.Body.String(), s.own.Text(Italian, "error."+kind.String()+".title")) {
			t.Errorf("%v: page %d %s", kind, page.Code, page.Body)
		}
		api := ask(s, "GET", "/api/v1/fail/"+kind.String())
		var p Problem
		if err := json.Unmarshal(api.Body.Bytes(), &p); err != nil || api.Header().Get("Content-Type") != "application/problem+json" {
			t.Fatalf("%v: %v %s", kind, err, api.Body)
		}
		if p.Status != status || api.Code != status || p.Kind != kind.String() || strings.HasPrefix(p.Title, "error.") || p.Ref == "" {
			t.Errorf("%v: %+v", kind, p)
		}
		told := strings.Contains(page.Body.String(), "sauce") || strings.Contains(p.Detail, "sauce")
		if told == (kind == fault.Internal) {
			t.Errorf("%v: text of the error told: %v", kind, told)
		}
	}
}

func TestErrorsOfHTTP(t *testing.T) {
	s := shell(t, func(c *Config) { c.MaxBody = 10 })
	s.Handle("POST /form", Public, s.Func(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		return err
	}))
	s.Handle("GET /panic", Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	s.Handle("GET /api/v1/slow", Public, s.Func(func(http.ResponseWriter, *http.Request) error {
		return fmt.Errorf("sign in: %w", fault.As(fault.Denied, login.Slow{After: 1500 * time.Millisecond}))
	}))
	if w := ask(s, "GET", "/api/v1/slow"); w.Code != 429 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), `"kind":"slow"`) || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("slow: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := ask(s, "GET", "/nothing"); w.Code != 404 || !strings.Contains(w.Body.String(), "Pagina non trovata") {
		t.Errorf("404: %d", w.Code)
	}
	if w := ask(s, "GET", "/static/nothing.css"); w.Code != 404 || !strings.Contains(w.Body.String(), "Pagina non trovata") {
		t.Errorf("404 static: %d", w.Code)
	}
	if w := ask(s, "DELETE", "/form"); w.Code != 405 || w.Header().Get("Allow") != "POST" || !strings.Contains(w.Body.String(), "Richiesta non possibile") {
		t.Errorf("405: %d %v", w.Code, w.Header())
	}
	if w := ask(s, "GET", "/panic"); w.Code != 500 || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("panic: %d %s", w.Code, w.Body)
	}
	if w := ask(s, "POST", "/form", "Sec-Fetch-Site", "cross-site"); w.Code != 403 || !strings.Contains(w.Body.String(), "altro sito") {
		t.Errorf("cross-origin: %d", w.Code)
	}
	r := httptest.NewRequest("POST", "/form", strings.NewReader(strings.Repeat("a", 11)))
	r.Host = "localhost"
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != 413 || !strings.Contains(w.Body.String(), "Troppi dati") {
		t.Errorf("too big: %d %s", w.Code, w.Body)
	}
}

func TestPanicAfterTheAnswerBeganCutsIt(t *testing.T) {
	s := shell(t)
	s.Handle("GET /half", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, strings.Repeat("half an answer ", 10000))
		panic("boom")
	}))
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	res, err := http.Get(srv.URL + "/half")
	if err != nil {
		return // cut before the header left
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("a cut answer looked whole")
	}
}

func TestCompression(t *testing.T) {
	s := shell(t)
	w := ask(s, "GET", "/", "Accept-Encoding", "br, gzip;q=0.5")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v", w.Header())
	}
	gz, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(gz)
	if err != nil || !bytes.Contains(b, []byte("</html>")) {
		t.Fatalf("%v %d bytes", err, len(b))
	}
	for _, refuse := range []string{"", "br", "gzip;q=0", "gzip; q=0.0"} {
		if w := ask(s, "GET", "/", "Accept-Encoding", refuse); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%q: compressed", refuse)
		}
	}
	if w := ask(s, "HEAD", "/", "Accept-Encoding", "gzip"); w.Code != 200 {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func TestStaticFiles(t *testing.T) {
	s := shell(t)
	url := s.static.url("crinale.css")
	w := ask(s, "GET", url, "Accept-Encoding", "gzip")
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if again := ask(s, "GET", url, "Accept-Encoding", "gzip", "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("not 304: %d", again.Code)
	}
	if plain := ask(s, "GET", url, "If-None-Match", w.Header().Get("ETag")); plain.Code != 200 {
		t.Errorf("the tag of the compressed bytes must not fit the plain ones: %d", plain.Code)
	}
	if stale := ask(s, "GET", "/static/crinale.css?v=old"); strings.Contains(stale.Header().Get("Cache-Control"), "immutable") {
		t.Error("an old fingerprint is kept for ever")
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		target, cookie, accept string
		want                   Lang
	}{
		{"/", "", "", Italian},
		{"/", "", "de-CH", Italian},
		{"/", "", "en-GB,it;q=0.5", English},
		{"/", "", "en;q=0.3, it;q=0.5", Italian},
		{"/", "", "en;q=zzz,,;", Italian},
		{"/", "en", "it", English},
		{"/?lang=it", "en", "en", Italian},
		{"/?lang=xx", "", "", Italian},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "lang", Value: c.cookie})
		}
		if got := LangOf(r); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	s := shell(t)
	w := ask(s, "GET", "/?lang=en")
	if !strings.Contains(w.Body.String(), `<html lang="en">`) || !strings.Contains(w.Header().Get("Set-Cookie"), "lang=en") {
		t.Error("?lang=en does not stick")
	}
}

func TestNumbersAndSpans(t *testing.T) {
	for _, c := range []struct {
		v        float64
		dec      int
		it, enUK string
	}{
		{17755, 0, "17.755", "17,755"}, {1234, 0, "1234", "1234"}, {-71.25, 1, "−71,2", "−71.2"}, {-0.01, 1, "0,0", "0.0"}, {1234567.5, 1, "1.234.567,5", "1,234,567.5"},
	} {
		if it, en := Number(Italian, c.v, c.dec), Number(English, c.v, c.dec); it != c.it || en != c.enUK {
			t.Errorf("%v: %s %s", c.v, it, en)
		}
	}
	s := shell(t)
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 90 * time.Second: "90 s", 119 * time.Minute: "119 min", 47 * time.Hour: "47 h", 72 * time.Hour: "3 giorni",
	} {
		if got := s.own.Span(Italian, d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestHealth(t *testing.T) {
	if w := ask(shell(t), "GET", "/healthz"); w.Code != 200 || !strings.Contains(w.Body.String(), `"ok"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s, err := New(Config{Addr: "127.0.0.1:0"}, Deps{Health: func(context.Context) error { return errors.New("disk full") }})
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(s, "GET", "/healthz"); w.Code != 503 || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAPIDocument(t *testing.T) {
	s := shell(t)
	h := s.Func(func(w http.ResponseWriter, r *http.Request) error {
		return JSON(w, r, map[string]any{"rate_mbps": nil})
	})
	fragment := []byte(`{"paths": {"/api/v1/things": {"get": {"summary": "Things"}}}}`)
	if err := s.API(fragment, map[string]Route{"GET /api/v1/things": {Public, h}, "GET /api/v1/more": {Public, h}}); err == nil || !strings.Contains(err.Error(), "more") {
		t.Errorf("an undescribed route passed: %v", err)
	}
	if err := s.API(fragment, nil); err == nil || !strings.Contains(err.Error(), "things") {
		t.Errorf("a route that is not there passed: %v", err)
	}
	if err := s.API(fragment, map[string]Route{"GET /api/v1/things": {Public, h}}); err != nil {
		t.Fatal(err)
	}
	w := ask(s, "GET", "/api/v1/openapi.json")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI == "" {
		t.Fatalf("%v %s", err, w.Body)
	}
	for _, route := range s.APIRoutes() {
		method, path, _ := strings.Cut(route, " ")
		if doc.Paths[path][strings.ToLower(method)] == nil {
			t.Errorf("%s is not described", route)
		}
	}
	things := ask(s, "GET", "/api/v1/things")
	if again := ask(s, "GET", "/api/v1/things", "If-None-Match", things.Header().Get("ETag")); again.Code != 304 {
		t.Errorf("no 304: %d", again.Code)
	}
	if w := ask(s, "GET", "/api/v1/nothing"); w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("unknown route: %d %v", w.Code, w.Header())
	}
}

// TestAnswersAreTimed: every answer is told with the class of its status.
func TestAnswersAreTimed(t *testing.T) {
	got := map[string]int{}
	s, err := New(Default(), Deps{Observe: func(class string, took time.Duration) {
		if took < 0 {
			t.Errorf("an answer of %v", took)
		}
		got[class]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Handle("GET /stream", Public, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ": hello\n\n")
	}))
	for _, path := range []string{"/", "/nowhere", "/stream", "/healthz"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "localhost"
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	if got["2xx"] != 2 || got["4xx"] != 1 || len(got) != 2 {
		t.Errorf("told of %v, want two well, one not found, and no stream", got)
	}
}
