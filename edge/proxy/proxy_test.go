package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// hall is an edge before an origin that a test writes.
type hall struct {
	t      *testing.T
	p      *Proxy
	store  *memory
	url    string
	asked  atomic.Int64
	origin *httptest.Server
}

const name = "docs.example"

func newHall(t *testing.T, r edge.Rules, origin http.HandlerFunc) *hall {
	t.Helper()
	h := &hall{t: t, store: newMemory()}
	h.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		h.asked.Add(1)
		origin(w, q)
	}))
	t.Cleanup(h.origin.Close)
	u, err := url.Parse(h.origin.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Services = []Service{{Host: name, Origin: u, Rules: r}}
	if h.p, err = New(c, Deps{Store: h.store}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(h.p)
	t.Cleanup(func() { front.Close(); h.p.Wait() })
	h.url = front.URL
	return h
}

// got is an answer that was read.
type got struct {
	*http.Response
	body string
	err  error // of a body that was cut
}

// ask sends a request with header lines.
func (h *hall) ask(method, path string, lines ...string) got {
	h.t.Helper()
	q, err := http.NewRequest(method, h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	q.Host = name
	for _, l := range lines {
		k, v, _ := strings.Cut(l, ": ")
		if k == "Host" {
			q.Host = v
			continue
		}
		q.Header.Add(k, v)
	}
	res, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return got{res, string(body), err}
}

func (h *hall) settled() { h.p.Wait() }

// wants asks, and wants a body and a part of Cache-Status.
func (h *hall) wants(body, status, method, path string, lines ...string) got {
	h.t.Helper()
	g := h.ask(method, path, lines...)
	h.settled()
	if g.err != nil || g.body != body || !strings.Contains(g.Header.Get("Cache-Status"), status) {
		h.t.Errorf("%s %s %q: %d %q %q (%v), want %q %q", method, path, lines, g.StatusCode, g.body, g.Header["Cache-Status"], g.err, body, status)
	}
	return g
}

func TestServesWhatItStored(t *testing.T) {
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("ETag", `"a"`)
		fmt.Fprint(w, "0123456789")
	})
	h.wants("0123456789", "fwd=uri-miss; stored", "GET", "/a?b")
	g := h.wants("0123456789", "hit", "GET", "/a?b")
	if g.Header.Get("Age") == "" || g.Header.Get("Content-Length") != "10" || !strings.Contains(g.Header.Get("Cache-Status"), "crinale") {
		t.Errorf("%v", g.Header)
	}
	h.wants("0123456789", "uri-miss", "GET", "/a?c")
	if g := h.wants("", "hit", "HEAD", "/a?b"); g.ContentLength != 10 {
		t.Errorf("HEAD: %v", g.Header)
	}
	if g := h.wants("", "hit", "GET", "/a?b", `If-None-Match: "x", W/"a"`); g.StatusCode != 304 || g.Header.Get("Etag") != `"a"` {
		t.Errorf("304: %d %v", g.StatusCode, g.Header)
	}
	for field, want := range map[string]string{"bytes=2-4": "234", "bytes=-3": "789", "bytes=8-99": "89"} {
		if g := h.wants(want, "hit", "GET", "/a?b", "Range: "+field); g.StatusCode != 206 {
			t.Errorf("%s: %d", field, g.StatusCode)
		}
	}
	if g := h.wants("", "hit", "GET", "/a?b", "Range: bytes=10-"); g.StatusCode != 416 || g.Header.Get("Content-Range") != "bytes */10" {
		t.Errorf("416: %d %v", g.StatusCode, g.Header)
	}
	h.wants("0123456789", "hit", "GET", "/a?b", "Range: bytes=0-1", `If-Range: "b"`)
	if n := h.asked.Load(); n != 2 {
		t.Errorf("the origin was asked %d times", n)
	}
	h.ask("POST", "/a?b")
	h.wants("0123456789", "uri-miss", "GET", "/a?b")
}

// Parts are kept beside each other, and what is missing is asked for alone.
func TestPartsAreCompleted(t *testing.T) {
	const whole = "0123456789"
	var ranges []string
	var mu sync.Mutex
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		ranges = append(ranges, q.Header.Get("Range")+" "+q.Header.Get("If-Range"))
		mu.Unlock()
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("ETag", `"a"`)
		http.ServeContent(w, q, "", time.Time{}, strings.NewReader(whole))
	})
	h.wants("234", "stored", "GET", "/", "Range: bytes=2-4")
	h.wants("34", "hit", "GET", "/", "Range: bytes=3-4")
	h.wants("56", "stored", "GET", "/", "Range: bytes=5-6")
	h.wants("3456", "hit", "GET", "/", "Range: bytes=3-6")
	h.wants("01", "stored", "GET", "/", "Range: bytes=0-1")
	if g := h.wants(whole, "fwd=partial", "GET", "/"); g.StatusCode != 200 {
		t.Errorf("completed: %d %v", g.StatusCode, g.Header)
	}
	h.wants(whole, "hit", "GET", "/")
	if want := []string{"bytes=2-4 ", "bytes=5-6 ", "bytes=0-1 ", `bytes=7- "a"`}; fmt.Sprint(ranges) != fmt.Sprint(want) {
		t.Errorf("the origin was asked for %q", ranges)
	}
}

// When the version changed between two parts, the whole comes anew.
func TestPartsOfTwoVersionsAreNeverJoined(t *testing.T) {
	var version atomic.Int64
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		v := version.Load()
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, v))
		http.ServeContent(w, q, "", time.Time{}, strings.NewReader(strings.Repeat(fmt.Sprint(v), 10)))
	})
	h.wants("00000", "stored", "GET", "/", "Range: bytes=0-4")
	version.Store(1)
	h.wants("1111111111", "", "GET", "/")
	h.wants("1111111111", "hit", "GET", "/")
	h.wants("11", "hit", "GET", "/", "Range: bytes=0-1")
}

// One request at the origin for all who ask for the same at once; each has all
// of it, as it comes.
func TestCollapse(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "first,")
		w.(http.Flusher).Flush()
		once.Do(func() { close(begun) })
		<-goOn
		io.WriteString(w, strings.Repeat("x", 100_000))
	})
	var all sync.WaitGroup
	streamed := make(chan struct{}, 100)
	for range 100 {
		all.Go(func() {
			q, _ := http.NewRequest("GET", h.url+"/", nil)
			q.Host = name
			res, err := http.DefaultTransport.RoundTrip(q)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			first := make([]byte, 6)
			if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first," {
				t.Errorf("%q, %v", first, err)
			}
			streamed <- struct{}{}
			if rest, err := io.ReadAll(res.Body); err != nil || len(rest) != 100_000 {
				t.Errorf("%d bytes, %v", len(rest), err)
			}
		})
	}
	<-begun
	for range 100 { // all have the first bytes while the origin still writes
		<-streamed
	}
	close(goOn)
	all.Wait()
	if n := h.asked.Load(); n != 1 {
		t.Errorf("the origin was asked %d times", n)
	}
}

// Who waits for an answer that turns out to be for somebody else gets their own.
func TestJoinersNeverGetWhatIsNotForThem(t *testing.T) {
	for kind, head := range map[string]string{"private": "Cache-Control: private, max-age=60", "no-store": "Cache-Control: no-store", "cookie": "Set-Cookie: a=b", "vary": "Vary: User", "star": "Vary: *",
		"no-cache": "Cache-Control: no-cache", "old": "Cache-Control: max-age=0"} {
		t.Run(kind, func(t *testing.T) {
			begun := make(chan struct{})
			var waiting sync.WaitGroup
			waiting.Add(1)
			h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
				if q.Header.Get("User") == "0" {
					close(begun)
					waiting.Wait() // the others join meanwhile
				}
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("ETag", `"same"`)
				k, v, _ := strings.Cut(head, ": ")
				w.Header().Set(k, v)
				fmt.Fprint(w, "for ", q.Header.Get("User"))
			})
			var all sync.WaitGroup
			answers := make([]got, 20)
			all.Go(func() { answers[0] = h.ask("GET", "/", "User: 0") })
			<-begun
			for i := 1; i < len(answers); i++ {
				all.Go(func() { answers[i] = h.ask("GET", "/", fmt.Sprint("User: ", i)) })
			}
			waiting.Done()
			all.Wait()
			for i, g := range answers {
				if g.body != fmt.Sprint("for ", i) {
					t.Errorf("%d got %q", i, g.body)
				}
			}
		})
	}
}

// A store that fails drops the store, never the answer.
func TestStoreThatFillsCutsNoAnswer(t *testing.T) {
	whole := strings.Repeat("0123456789", 300_000)
	for _, most := range []int64{-1, 1, 32 << 10, 1_000_000, 2_999_999} {
		h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			io.WriteString(w, whole)
		})
		h.store.most, h.store.full = max(most, 0), most < 0
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if g := h.ask("GET", "/"); g.err != nil || g.body != whole {
					t.Errorf("store of %d bytes: %d bytes, %v", most, len(g.body), g.err)
				}
			})
		}
		all.Wait()
		h.settled()
		if len(h.store.Find(name+"/")) != 0 {
			t.Errorf("store of %d bytes: a cut answer is stored", most)
		}
	}
}

// A body that the origin cuts is seen to be cut, and is not stored.
func TestCutBodyIsNotStored(t *testing.T) {
	for kind, handler := range map[string]http.HandlerFunc{
		"length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"private": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
		},
	} {
		h := newHall(t, edge.DefaultRules(), handler)
		if g := h.ask("GET", "/"); g.err == nil {
			t.Errorf("%s: %d bytes are taken for whole", kind, len(g.body))
		}
		h.settled()
		if len(h.store.Find(name+"/")) != 0 {
			t.Errorf("%s: it is stored", kind)
		}
	}
}

func TestOriginAway(t *testing.T) {
	var down atomic.Bool
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		if down.Load() {
			w.WriteHeader(503)
			return
		}
		w.Header().Set("Cache-Control", strings.TrimPrefix(q.URL.Path, "/"))
		w.Header().Set("Age", "100")
		io.WriteString(w, "kept")
	})
	const tolerant, strictly = "/max-age=1,stale-if-error=600", "/max-age=1,must-revalidate,stale-if-error=600"
	h.wants("kept", "stored", "GET", tolerant)
	h.wants("kept", "", "GET", strictly)
	down.Store(true)
	h.wants("kept", "fwd-status=503", "GET", tolerant)
	if g := h.ask("GET", strictly); g.StatusCode != 503 || g.body != "" {
		t.Errorf("must-revalidate: %d %q", g.StatusCode, g.body)
	}
	h.origin.CloseClientConnections()
	h.origin.Close()
	h.wants("kept", "origin-unreachable", "GET", tolerant)
	if g := h.ask("GET", strictly); g.StatusCode != 502 || g.body == "kept" {
		t.Errorf("must-revalidate, nobody there: %d %q", g.StatusCode, g.body)
	}
}

// What is stale for a while is given at once, and asked for behind.
func TestStaleWhileRevalidate(t *testing.T) {
	var n atomic.Int64
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, _ *http.Request) {
		v := n.Add(1)
		w.Header().Set("Cache-Control", "max-age=100, stale-while-revalidate=600")
		if v == 1 {
			w.Header().Set("Age", "200")
		}
		fmt.Fprint(w, v)
	})
	h.wants("1", "stored", "GET", "/")
	h.wants("1", "hit", "GET", "/", "If-None-Match: \"x\"", "Range: bytes=0-0") // the whole is asked for behind it all the same
	h.wants("2", "hit", "GET", "/")
}

// The attack list: nobody reads another's answer, nobody makes another's worse.
func TestPoisoning(t *testing.T) {
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		if _, _, ok := q.BasicAuth(); ok {
			fmt.Fprint(w, "secret of somebody")
			return
		}
		fmt.Fprint(w, q.Method, " ", q.Host, " ", q.URL)
		for _, name := range claims {
			if name != "X-Forwarded-For" && name != "X-Forwarded-Host" {
				fmt.Fprint(w, q.Header.Get(name))
			}
		}
		fmt.Fprint(w, " ", q.Header.Get("X-Forwarded-Host"))
	})
	clean := h.ask("GET", "/clean").body
	for i, line := range []string{
		"X-Forwarded-Host: evil.example", "X-Host: evil.example", "Forwarded: host=evil.example", "X-Original-URL: /admin", "X-Rewrite-URL: /admin",
		"X-HTTP-Method-Override: DELETE", "X-Forwarded-Scheme: http", "X-Forwarded-Proto: http", "X-Forwarded-Prefix: /evil", "Connection: Cache-Control, Host",
	} {
		path := fmt.Sprint("/", i)
		want := strings.ReplaceAll(clean, "/clean", path)
		h.wants(want, "uri-miss", "GET", path, line)
		h.wants(want, "hit", "GET", path)
	}
	if strings.Contains(clean, "evil") || !strings.HasSuffix(clean, name) {
		t.Errorf("%q", clean)
	}
	for _, host := range []string{"evil.example", name + ".evil.example", name + ":80", "127.0.0.1"} {
		if g := h.ask("GET", "/clean", "Host: "+host); g.StatusCode != http.StatusMisdirectedRequest || g.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("host %s: %d %q", host, g.StatusCode, g.body)
		}
	}
	// Somebody's answer is stored for nobody, and a stored one is not told to be
	// there to who may not have it.
	h.wants("secret of somebody", "uri-miss", "GET", "/mine", "Authorization: Basic YTpi")
	if g := h.ask("GET", "/mine"); strings.Contains(g.body, "secret") {
		t.Errorf("a stranger got %q", g.body)
	}
	h.wants("secret of somebody", "fwd=bypass", "GET", "/mine", "Authorization: Basic YTpi")
	if g := h.ask("GET", "/mine"); strings.Contains(g.body, "secret") {
		t.Errorf("a stranger got %q", g.body)
	}
}

// Shapes by which two programs see other requests in the same bytes reach no
// origin.
func TestSmuggling(t *testing.T) {
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, q.URL)
	})
	for kind, raw := range map[string]string{
		"two lengths":      "POST / HTTP/1.1\r\nHost: docs.example\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"unknown coding":   "POST / HTTP/1.1\r\nHost: docs.example\r\nTransfer-Encoding: x\r\n\r\n",
		"coding with tab":  "POST / HTTP/1.1\r\nHost: docs.example\r\nTransfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n",
		"space in a name":  "GET / HTTP/1.1\r\nHost: docs.example\r\nContent-Length : 5\r\n\r\nhello",
		"two hosts":        "GET / HTTP/1.1\r\nHost: docs.example\r\nHost: evil.example\r\n\r\n",
		"line in a target": "GET /a\nb HTTP/1.1\r\nHost: docs.example\r\n\r\n",
		"no host":          "GET / HTTP/1.1\r\n\r\n",
		"other target":     "GET http://evil.example/ HTTP/1.1\r\nHost: docs.example\r\n\r\n",
		"negative length":  "POST / HTTP/1.1\r\nHost: docs.example\r\nContent-Length: -1\r\n\r\n",
	} {
		before := h.asked.Load()
		c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, raw)
		c.(*net.TCPConn).CloseWrite()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		c.Close()
		if res.StatusCode < 400 || h.asked.Load() != before {
			t.Errorf("%s: %d, asked %d times", kind, res.StatusCode, h.asked.Load()-before)
		}
	}
}

// What comes before the final answer, and after it, comes through.
func TestInterimAndTrailers(t *testing.T) {
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "Checksum")
		w.Header().Set("Cache-Control", "no-store")
		io.WriteString(w, "body")
		w.Header().Set("Checksum", "sum")
	})
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: docs.example\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	early, final, _ := bytes.Cut(all, []byte("\r\n\r\n"))
	if !bytes.HasPrefix(early, []byte("HTTP/1.1 103")) || !bytes.Contains(early, []byte("Link: </style.css>")) {
		t.Errorf("early hints: %q", early)
	}
	if bytes.Contains(final, []byte("Link:")) || !bytes.HasSuffix(bytes.TrimSpace(final), []byte("Checksum: sum")) {
		t.Errorf("%q", final)
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	origin := &url.URL{Scheme: "https", Host: "cloud.example"}
	for want, services := range map[string][]Service{
		"give the name":   {{Origin: origin}},
		"in lower case":   {{Host: "Docs.example", Origin: origin}},
		"give an http":    {{Host: name, Origin: &url.URL{Scheme: "ftp", Host: "x"}}},
		"origin":          {{Host: name}},
		"it is there twi": {{Host: name, Origin: origin}, {Host: name, Origin: origin}},
	} {
		c := Default()
		c.Services = services
		if _, err := New(c, Deps{Store: newMemory()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := New(Default(), Deps{}); err == nil {
		t.Error("without a store")
	}
}
