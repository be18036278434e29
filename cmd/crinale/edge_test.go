package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// edgeHall is an origin that can be taken away, and an edge.yaml before it.
type edgeHall struct {
	dir, yaml, addr string
	origin          string // host:port
	down            atomic.Bool
	asked           atomic.Int64
}

const edgeHost = "docs.bergolo.example"

// newEdgeHall serves bodies that their path makes: /KEY/SIZE, cacheable.
func newEdgeHall(t testing.TB, more string) *edgeHall {
	t.Helper()
	h := &edgeHall{dir: t.TempDir(), addr: freeAddress(t)}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		if h.down.Load() {
			panic(http.ErrAbortHandler)
		}
		var n, size int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d", &n, &size); err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=86400")
		w.Header().Set("Etag", fmt.Sprintf(`"%d-%d"`, n, size))
		w.Header().Set("Surrogate-Key", fmt.Sprintf("all n%d", n))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(edgeBody(n, size)))
	}))
	t.Cleanup(origin.Close)
	h.origin = strings.TrimPrefix(origin.URL, "http://")
	h.yaml = filepath.Join(h.dir, "edge.yaml")
	text := "name: bergolo\ncomune: \"004022\"\nstatus_host: stato.bergolo.example\nstore: {min_free_gb: 0}\nservices:\n  - host: " + edgeHost + "\n    origin: " + origin.URL + "\n    agreed: the origin of this test\n" + more
	if err := os.WriteFile(h.yaml, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// freeAddress is a loopback address that nobody listened at a moment ago, below
// the ports that the system gives away.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

func edgeBody(n, size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), 7}).Read(b)
	return b
}

func (h *edgeHall) data() string { return filepath.Join(h.dir, "data") }

// run starts the edge and waits until it answers.
func (h *edgeHall) run(t testing.TB, more ...string) *process {
	t.Helper()
	p := start(t, append([]string{"edge", "run", "--config", h.yaml, "--data", h.data(), "--listen", h.addr, "--log", "error"}, more...)...)
	for end := time.Now().Add(patience); ; {
		if c, err := net.DialTimeout("tcp", h.addr, time.Second); err == nil {
			_ = c.Close()
			if run([]string{"crinale", "edge", "status", "--data", h.data()}, io.Discard, io.Discard) == exitDone {
				return p
			}
		}
		select {
		case <-p.done:
			t.Fatalf("the edge ended:\n%s", p.talk.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("the edge does not answer:\n%s", p.talk.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var edgeClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

// get asks the edge; err is of a connection, or of a body that was cut.
func (h *edgeHall) get(path string, lines ...string) (*http.Response, []byte, error) {
	r, err := http.NewRequest("GET", "http://"+h.addr+path, nil)
	if err != nil {
		return nil, nil, err
	}
	r.Host = edgeHost
	for _, l := range lines {
		k, v, _ := strings.Cut(l, ": ")
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
	res, err := edgeClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

// TestEdge: one edge from its file to what is given offline, through its verbs.
func TestEdge(t *testing.T) {
	h := newEdgeHall(t, "    offline: {rule: until, days: 7}\n")
	p := h.run(t)
	verb := func(code int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(append([]string{"crinale", "edge"}, args...), &out, &errs); got != code {
			t.Fatalf("edge %v: %d, want %d: %s", args, got, code, errs.String())
		}
		return out.String() + errs.String()
	}
	standing := func() (s edgeStanding) {
		t.Helper()
		if err := json.Unmarshal([]byte(verb(0, "status", "--data", h.data(), "--json")), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	wants := func(path, status string, lines ...string) {
		t.Helper()
		res, body, err := h.get(path, lines...)
		var n, size int
		_, _ = fmt.Sscanf(path, "/%d/%d", &n, &size)
		if err != nil || res.StatusCode != 200 || !bytes.Equal(body, edgeBody(n, size)) || !strings.Contains(res.Header.Get("Cache-Status"), status) {
			t.Errorf("%s: %v, %d bytes, want %q", path, err, len(body), status)
			if err == nil {
				t.Errorf("%d %v", res.StatusCode, res.Header)
			}
		}
	}
	for _, path := range []string{"/1/1000", "/2/70000", "/3/3000000"} {
		wants(path, "stored")
		for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			if res, _, err := h.get(path); err == nil && strings.Contains(res.Header.Get("Cache-Status"), "hit") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not stored", path)
			}
		}
	}
	if res, body, err := h.get("/3/3000000", "Range: bytes=1048570-1048579"); err != nil || res.StatusCode != 206 || !bytes.Equal(body, edgeBody(3, 3000000)[1048570:1048580]) {
		t.Errorf("range: %v", err)
	}
	if s := standing(); s.Mode != "online" || s.Store.Objects != 3 || s.Services[0].Requests == 0 || s.Services[0].GivenB == 0 {
		t.Errorf("%+v", s)
	}
	if out := verb(0, "status", "--data", h.data()); !strings.Contains(out, "Edge bergolo (comune 004022): online") || !strings.Contains(out, edgeHost) {
		t.Errorf("%s", out)
	}
	for _, line := range strings.Split(verb(0, "status", "--data", h.data()), "\n") {
		if len([]rune(line)) > 80 {
			t.Errorf("wider than a terminal: %q", line)
		}
	}

	// The word of the controller counts at once.
	h.down.Store(true)
	verb(0, "tell", "down", "--data", h.data())
	asked := h.asked.Load()
	wants("/1/1000", "hit")
	if res, body, err := h.get("/9/9", "Accept: text/html"); err != nil || res.StatusCode != 503 || !strings.Contains(string(body), "ora non si può aprire") {
		t.Errorf("what is not saved: %v", err)
	}
	if n := h.asked.Load(); n != asked {
		t.Errorf("%d requests left while offline", n-asked)
	}
	if s := standing(); s.Mode != "offline" || s.Way != "none" || !strings.Contains(s.Why, "somebody at the edge") {
		t.Errorf("%+v", s)
	}
	if res, body, err := h.get("/", "Host: stato.bergolo.example"); err != nil || res.StatusCode != 200 || !strings.Contains(string(body), "Il collegamento è interrotto") {
		t.Errorf("status page: %v %s", err, body)
	}
	if res, _, err := h.get("/", "Host: bank.example"); err != nil || res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a name that is not ours: %v", err)
	}

	// All of it is there after a sudden end, without the origin.
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	h.run(t)
	for _, path := range []string{"/1/1000", "/2/70000", "/3/3000000"} {
		wants(path, "hit")
	}
	h.down.Store(false)
	verb(0, "tell", "up", "--data", h.data())
	if out := verb(0, "purge", "--data", h.data(), "--tag", "n2"); !strings.Contains(out, "1 saved answers") {
		t.Errorf("%s", out)
	}
	wants("/2/70000", "stored")
	if out := verb(0, "purge", "--data", h.data(), "--url", "http://"+edgeHost+"/1/1000", "--json"); !strings.Contains(out, `"purged": 1`) {
		t.Errorf("%s", out)
	}
	wants("/1/1000", "stored")
	if out := verb(0, "purge", "--data", h.data(), "--prefix", "http://"+edgeHost+"/3/"); !strings.Contains(out, "1 saved answers") {
		t.Errorf("%s", out)
	}
	verb(1, "purge", "--data", h.data(), "--url", "http://other.example/")
	verb(2, "purge", "--data", h.data())
	verb(2, "purge", "--data", h.data(), "--tag", "a", "--url", "http://a/b")
	verb(2, "tell", "sideways", "--data", h.data())
	verb(4, "status", "--data", t.TempDir())
	if out := verb(0, "check", h.yaml); !strings.Contains(out, "1 services") {
		t.Errorf("%s", out)
	}
	verb(1, "check", filepath.Join(h.dir, "none.yaml"))
}

// TestEdgeRefuses what would harm: an open listener without certificates, a key
// that is not there or that others can read, two on one folder.
func TestEdgeRefuses(t *testing.T) {
	h := newEdgeHall(t, "    encrypt: true\n")
	keys := t.TempDir()
	try := func(want string, args ...string) {
		t.Helper()
		var errs bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		code := runContext(ctx, append([]string{"crinale", "edge", "run", "--config", h.yaml, "--data", h.data()}, args...), io.Discard, &errs)
		if code == 0 || !strings.Contains(errs.String(), want) {
			t.Errorf("%v: %d %s, want %q", args, code, errs.String(), want)
		}
	}
	try("can be reached by other machines", "--listen", "0.0.0.0:0")
	try("there is no key of comune 004022", "--listen", h.addr)
	file := filepath.Join(keys, "004022.key")
	if err := os.WriteFile(file, []byte("abcd"), 0o600); err != nil {
		t.Fatal(err)
	}
	try("there is no key of comune 004022", "--listen", h.addr, "--keys", keys)
	if err := errors.Join(os.WriteFile(file, []byte(strings.Repeat("ab", 32)+"\n"), 0o600), os.Chmod(file, 0o644)); err != nil {
		t.Fatal(err)
	}
	try("can be read by others", "--listen", h.addr, "--keys", keys)
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(t, "--keys", keys)
	try("another crinale runs", "--listen", h.addr, "--keys", keys)
	if _, body, err := h.get("/5/5000"); err != nil || !bytes.Equal(body, edgeBody(5, 5000)) {
		t.Errorf("%v", err)
	}
}

// errCut is a body that is not what the origin gave.
var errCut = errors.New("another body than that of the origin")

// TestEdgeFigures: what Prometheus reads tells what happened.
func TestEdgeFigures(t *testing.T) {
	h, _ := newReaderHall(t)
	at := freeAddress(t)
	h.run(t, "--metrics", at)
	awaitArchive(t, h.data())
	for range 3 {
		if _, _, err := h.get("/1/1000"); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the figures", func() bool {
		res, err := edgeClient.Get("http://" + at + "/metrics")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			return false
		}
		for _, want := range []string{`crinale_edge_mode{mode="online"} 1`, `crinale_edge_mode{mode="offline"} 0`, `crinale_edge_body_bytes_total{from="origin",service="docs.bergolo.example"} 1000`,
			`crinale_edge_stored_answers 1`, `crinale_edge_archive_documents{archive="archivio"} 3`} {
			if !strings.Contains(string(text), want) {
				return false
			}
		}
		return true
	})
}
