package warm

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// town is an edge and its service, in fake time.
type town struct {
	mu    sync.Mutex
	asked []string
	size  map[string]int
	has   map[string]bool // fresh in the store
	stand edge.Stand
	used  []string
	slow  time.Duration // before each answer
}

func (o *town) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	path := r.URL.RequestURI()
	o.asked = append(o.asked, path)
	has, size := o.has[path], o.size[path]
	o.has[path] = true
	o.mu.Unlock()
	time.Sleep(o.slow)
	switch {
	case strings.HasPrefix(path, "/map"):
		w.Header().Set("Cache-Status", "bergolo; fwd=uri-miss; stored")
		if path == "/map.xml" {
			fmt.Fprint(w, "<sitemapindex><sitemap><loc>https://docs.example/map2.xml</loc></sitemap><sitemap><loc>https://other.example/map3.xml</loc></sitemap></sitemapindex>")
			return
		}
		fmt.Fprint(w, "<urlset><url><loc>https://docs.example/c</loc></url><url><loc>https://docs.example/a</loc></url></urlset>")
	case strings.HasPrefix(path, "/no"):
		w.WriteHeader(http.StatusNotFound)
	case strings.HasPrefix(path, "/cut"):
		panic(http.ErrAbortHandler)
	case has:
		w.Header().Set("Cache-Status", "bergolo; hit; ttl=9")
		_, _ = w.Write(make([]byte, size))
	case strings.HasPrefix(path, "/same"):
		w.Header().Set("Cache-Status", "bergolo; fwd=stale; fwd-status=304; stored")
		_, _ = w.Write(make([]byte, size))
	default:
		w.Header().Set("Cache-Status", "bergolo; fwd=uri-miss; stored")
		_, _ = w.Write(make([]byte, size))
	}
}

func (o *town) start(t *testing.T, lists ...List) *Warmer {
	t.Helper()
	if o.has == nil {
		o.has = map[string]bool{}
	}
	c := Default()
	c.Lists, c.Zone = lists, time.UTC
	w, err := New(c, Deps{Ask: o, Stand: func() edge.Stand { o.mu.Lock(); defer o.mu.Unlock(); return o.stand },
		Used: func(host string, since time.Time, most int) ([]string, error) {
			if time.Since(since) > 8*24*time.Hour || host != "docs.example" {
				return nil, fmt.Errorf("asked for %s since %v", host, since)
			}
			return slices.Clone(o.used), nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (o *town) paths() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.asked)
}

func TestEachOnceTheTouchedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &town{used: []string{"/used", "/a"}, has: map[string]bool{"/b": true}, size: map[string]int{"/used": 100, "/same": 70, "/a": 30, "/c": 5}}
		w := o.start(t, List{Host: "docs.example", URLs: []string{"/a", "/b", "/same", "/no", "/cut"}, Sitemap: "/map.xml"})
		all, err := w.Now(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := o.paths(); !slices.Equal(got, []string{"/map.xml", "/map2.xml", "/used", "/a", "/b", "/same", "/no", "/cut", "/c"}) {
			t.Errorf("asked for %q", got)
		}
		r := all[0]
		if r.Planned != 7 || r.Asked != 9 || r.Fresh != 1 || r.Same != 1 || r.Stored != 5 || r.Refused != 2 || r.Why != complete || r.Bytes < 135 || r.Bytes > 600 {
			t.Errorf("%+v", r)
		}
		if got := w.Reports(); len(got) != 1 || got[0] != r {
			t.Errorf("reports: %+v", got)
		}
		if _, err := w.Now(t.Context(), "other.example"); fault.Of(err) != fault.NotFound {
			t.Errorf("another host: %v", err)
		}
	})
}

func TestTheBudgetOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &town{size: map[string]int{}}
		var urls []string
		for i := range 50 {
			p := fmt.Sprintf("/%d", i)
			urls, o.size[p] = append(urls, p), 1000
		}
		all, err := o.start(t, List{Host: "docs.example", URLs: urls, Budget: 10_500}).Now(t.Context(), "docs.example")
		if err != nil || all[0].Why != spent || all[0].Stored != 11 || all[0].Bytes != 11_000 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// TestTheWindow: once a night, until it is over, and the rest the night after.
func TestTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fake time begins at midnight UTC of 1 January 2000
		o := &town{slow: 20 * time.Minute, size: map[string]int{}}
		night, ok := edge.ParseWindow("02:00-03:00")
		if !ok {
			t.Fatal("window")
		}
		w := o.start(t, List{Host: "docs.example", URLs: []string{"/1", "/2", "/3", "/4", "/5"}, Window: night})
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		for _, tt := range []struct {
			at   time.Duration
			want int
		}{{119 * time.Minute, 0}, {6 * time.Hour, 3}, {25*time.Hour + 59*time.Minute, 3}, {30 * time.Hour, 6}} {
			time.Sleep(tt.at - time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
			if got := len(o.paths()); got != tt.want {
				t.Errorf("after %v: %d asked for, want %d", tt.at, got, tt.want)
			}
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestItYields: no faster than half the link, not at all while it is narrow, and
// not a byte more once it is down.
func TestItYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &town{size: map[string]int{"/big": 1_000_000, "/next": 10}, stand: edge.Stand{Mbps: 8}}
		w := o.start(t, List{Host: "docs.example", URLs: []string{"/big"}})
		began := time.Now()
		if _, err := w.Now(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 1900*time.Millisecond || took > 2100*time.Millisecond {
			t.Errorf("1 MB at half of 8 Mbps took %v", took)
		}
		set := func(s edge.Stand) { o.mu.Lock(); o.stand = s; o.mu.Unlock() }
		o = &town{size: o.size, stand: edge.Stand{Mbps: 8}}
		w = o.start(t, List{Host: "docs.example", URLs: []string{"/big", "/next"}})
		go func() {
			time.Sleep(500 * time.Millisecond)
			set(edge.Stand{Mode: edge.ModeDegraded, Mbps: 8})
			time.Sleep(10 * time.Second)
			set(edge.Stand{Mbps: 8})
			time.Sleep(time.Second)
			set(edge.Stand{Mode: edge.ModeOffline})
		}()
		all, err := w.Now(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if r := all[0]; r.Why != cutOff || r.Bytes < 500_000 || r.Bytes > 900_000 || slices.Contains(o.paths(), "/next") {
			t.Errorf("%+v, asked for %q", r, o.paths())
		}
		if took := time.Since(began); took > 60*time.Second {
			t.Errorf("it held on for %v", took)
		}
		if _, err := w.Now(t.Context(), ""); fault.Of(err) != fault.Conflict {
			t.Errorf("while offline: %v", err)
		}
	})
}
