package store

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/proxy"
)

// unread takes an answer and forgets it.
type unread struct {
	head http.Header
	n    int
}

func (u *unread) Header() http.Header         { return u.head }
func (u *unread) WriteHeader(int)             {}
func (u *unread) Write(p []byte) (int, error) { u.n += len(p); return len(p), nil }

// BenchmarkGive is what the proxy over the real store takes of a hit, without
// what net/http takes of it.
func BenchmarkGive(b *testing.B) {
	const size = 1 << 10
	s := opened(b, small(b.TempDir()), Deps{})
	fields := []string{"Content-Length", strconv.Itoa(size), "Etag", `"x"`, "Cache-Control", "max-age=2000000000", "Date", "Tue, 14 Nov 2023 22:13:21 GMT", "Surrogate-Key", "all"}
	mustPut(b, s, "docs.example/x", head("", fields...), content(1, size))
	c := proxy.Default()
	c.Services = []proxy.Service{{Host: "docs.example", Origin: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Rules: edge.DefaultRules()}}
	p, err := proxy.New(c, proxy.Deps{Store: s})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://docs.example/x", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := unread{head: http.Header{}}
		if p.ServeHTTP(&w, r); w.n != size {
			b.Fatal(w.n, w.head)
		}
	}
}
