package store

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/proxy"
)

// The proxy over the real store: answers come back from it after a restart with
// the origin gone, parts are completed, and a full disk cuts nobody's answer.
func TestUnderTheProxy(t *testing.T) {
	whole := content(6, 2*mostChunk+12_345)
	var asked atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=3600")
		w.Header().Set("Etag", `"one"`)
		http.ServeContent(w, r, "x.bin", time.Time{}, bytes.NewReader(whole))
	}))
	defer origin.Close()
	at, err := url.Parse(origin.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := small(t.TempDir())
	start := func() (*Store, *httptest.Server, *proxy.Proxy) {
		s := opened(t, c, Deps{})
		pc := proxy.Default()
		pc.Services = []proxy.Service{{Host: "docs.example", Origin: at, Rules: edge.DefaultRules()}}
		p, err := proxy.New(pc, proxy.Deps{Store: s})
		if err != nil {
			t.Fatal(err)
		}
		return s, httptest.NewServer(p), p
	}
	get := func(srv *httptest.Server, path, ranges string) ([]byte, string) {
		t.Helper()
		q, err := http.NewRequest("GET", srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = "docs.example"
		if ranges != "" {
			q.Header.Set("Range", ranges)
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("%s: cut after %d bytes: %v", path, len(b), err)
		}
		return b, res.Header.Get("Cache-Status")
	}
	s, srv, p := start()
	if b, _ := get(srv, "/part", "bytes=500000-1499999"); !bytes.Equal(b, whole[500_000:1_500_000]) {
		t.Fatalf("a part of %d bytes", len(b))
	}
	for _, path := range []string{"/whole", "/part"} {
		if b, _ := get(srv, path, ""); !bytes.Equal(b, whole) {
			t.Fatalf("%s: %d bytes", path, len(b))
		}
	}
	p.Wait()
	s.chunks.fs = &failing{left: 5, err: io.ErrShortWrite, room: 1 << 40}
	if b, _ := get(srv, "/full", ""); !bytes.Equal(b, whole) {
		t.Fatalf("on a full disk %d bytes", len(b))
	}
	p.Wait()
	srv.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Stats().UnderWay != 0 || s.Stats().Write == 0 {
		t.Errorf("%+v", s.Stats())
	}
	before := asked.Load()
	origin.Close()
	_, srv, _ = start()
	defer srv.Close()
	for _, path := range []string{"/whole", "/part"} {
		if b, st := get(srv, path, ""); !bytes.Equal(b, whole) || !strings.Contains(st, "hit") {
			t.Errorf("%s after a restart: %d bytes, %s", path, len(b), st)
		}
	}
	if b, _ := get(srv, "/whole", "bytes=1048570-1048580"); !bytes.Equal(b, whole[1048570:1048581]) || asked.Load() != before {
		t.Errorf("a part after a restart: %d bytes", len(b))
	}
}
