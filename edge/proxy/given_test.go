package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crinale/crinale/edge"
)

// What is given time and again is the same each time, to many at once, says what
// other caches said before, and follows what the origin says since.
func TestGivenTimeAndAgain(t *testing.T) {
	long := strings.Repeat("x", 5000) // more than net/http counts by itself
	h := newHall(t, edge.DefaultRules(), func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		tag := fmt.Sprintf("%q", q.Header.Get("Accept-Language"))
		w.Header().Set("Etag", tag)
		w.Header().Set("Cache-Status", "far; hit")
		w.Header().Set("Vary", "Accept-Language")
		if q.Header.Get("If-None-Match") == tag {
			w.Header().Set("X-Said", "later")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("X-Said", "at first")
		body := long
		if q.URL.Path == "/short" {
			body = "short, " + q.Header.Get("Accept-Language")
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = io.WriteString(w, body)
	})
	for _, c := range []struct{ path, lang, body string }{{"/long", "it", long}, {"/short", "it", "short, it"}, {"/short", "en", "short, en"}} {
		lang := "Accept-Language: " + c.lang
		h.ask("GET", c.path, lang)
		h.settled()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				g := h.ask("GET", c.path, lang)
				status := g.Header["Cache-Status"]
				if g.err != nil || g.body != c.body || len(status) != 2 || status[0] != "far; hit" || !strings.HasPrefix(status[1], "crinale; hit; ttl=") ||
					g.Header.Get("Content-Length") != fmt.Sprint(len(c.body)) || g.Header.Get("X-Said") != "at first" || g.Header.Get("Date") == "" || g.Header.Get("Age") == "" {
					t.Errorf("%s: %v %v", c.path, g.err, g.Header)
				}
			})
		}
		all.Wait()
	}
	h.ask("GET", "/long", "Accept-Language: it", "Cache-Control: no-cache")
	h.settled()
	g := h.ask("GET", "/long", "Accept-Language: it")
	if said := g.Header["X-Said"]; g.body != long || !slices.Equal(said, []string{"later"}) {
		t.Errorf("after the origin said otherwise: %q", said)
	}
}
