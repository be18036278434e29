package queue

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/edge"
)

// sent is what the model knows of a write that was acknowledged.
type sent struct {
	number, path, body string
	class              edge.Class
	keyed              bool
}

// TestWritesThroughALossyOrigin sends random writes to a real server that answers,
// hangs, cuts the connection before or after the effect, is busy, refuses, or has
// been written to by others, while the edge stops and starts. Every write must be
// done once, be refused with a reason, or be kept twice.
func TestWritesThroughALossyOrigin(t *testing.T) {
	var now atomic.Pointer[origin] // that of the run under way
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
	defer server.Close()
	u := must(url.Parse(server.URL))
	troubles := []string{"", "", "", "cut before", "cut after", "hang after", "500", "500 after", "429", "503", "400", "409", "foreign edit", "302"}
	unique := 0
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue { // each opens files several times
		flag.Set("rapid.checks", "20")
		defer flag.Set("rapid.checks", f.DefValue)
	}
	rapid.Check(t, func(t *rapid.T) {
		o := newOrigin()
		now.Store(o)
		dir, err := os.MkdirTemp("", "crinale-queue-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c := quick(dir)
		c.Origins[0].URL = u
		c.Timeout = 20 * time.Millisecond
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		start := func() *Queue {
			q, err := New(c, Deps{Link: newLink(true), Allow: allow(nil), Transport: transport})
			if err == nil {
				err = q.Open(context.Background())
			}
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		q := start()
		defer func() { q.Close() }()
		var all []sent
		events := uint64(0)
		deliver := func(trouble string) {
			o.troubled(func(*http.Request) string { return trouble })
			if it, _ := q.next(time.Now().Add(48*time.Hour), true); it != nil {
				q.one(context.Background(), it)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"accept": func(t *rapid.T) {
				unique++
				s := sent{path: fmt.Sprintf("/d/%d", unique), body: fmt.Sprintf("body %d", unique)}
				var w Write
				switch kind := rapid.SampledFrom([]string{"create", "taken", "equal", "post", "event", "update", "stale", "delete"}).Draw(t, "kind"); kind {
				case "create", "taken", "equal":
					s.path = "/a/" + uuidOf(unique)
					if kind == "taken" {
						o.set(s.path, "theirs")
					} else if kind == "equal" {
						o.set(s.path, s.body)
					}
					w = write(edge.ClassCreate, s.path, s.body)
				case "post":
					s.path, s.keyed = "/offers", true
					w = write(edge.ClassCreate, s.path, s.body, keyed(fmt.Sprintf(`"key-%d-key"`, unique)))
				case "event":
					events++
					s.path, s.keyed = "/letture", true
					w = write(edge.ClassAppend, s.path, s.body, event(dir, events))
				case "update", "stale":
					w = write(edge.ClassUpdate, s.path, s.body, match(o.set(s.path, "old")))
					if kind == "stale" {
						o.set(s.path, "theirs")
					}
				case "delete":
					s.body = ""
					w = write(edge.ClassDelete, s.path, "", match(o.set(s.path, "old")))
				}
				r, err := q.Accept(context.Background(), w)
				if err != nil {
					t.Fatal(err)
				}
				s.number, s.class = r.Number, w.Decision.Class
				all = append(all, s)
			},
			"deliver": func(t *rapid.T) { deliver(rapid.SampledFrom(troubles).Draw(t, "trouble")) },
			"restart": func(t *rapid.T) {
				if err := q.Close(); err != nil {
					t.Fatal(err)
				}
				q = start()
			},
			"": func(t *rapid.T) {
				for i, s := range all {
					if want := fmt.Sprintf("CARAVINO-%s-%04d", year(time.Now()), i+1); s.number != want {
						t.Fatalf("number %s, want %s", s.number, want)
					}
				}
			},
		})
		for range 20 * (len(all) + 1) { // now all is well
			deliver("")
		}
		for _, s := range all {
			judgeEnd(t, q, o, s)
		}
	})
}

func judgeEnd(t *rapid.T, q *Queue, o *origin, s sent) {
	e, events, err := q.Show(s.number)
	if err != nil {
		t.Fatal(err)
	}
	n := o.count(s.number)
	read := func(theirs bool) string {
		r, err := q.Body(s.number, theirs)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		defer r.Close()
		return string(must(io.ReadAll(r)))
	}
	if n > 1 {
		t.Fatalf("%+v was done %d times: %+v", s, n, events)
	}
	for i := 1; i < len(events); i++ {
		if events[i].From != events[i-1].To || events[i].Reason == "" {
			t.Fatalf("%+v: journal %+v", s, events)
		}
	}
	switch e.State {
	case edge.StateAccepted:
		d, there := o.get(s.path)
		equal := there && string(d.body) == s.body || !there && s.class == edge.ClassDelete
		if n != 1 && !equal {
			t.Fatalf("%+v is accepted, and was not done: %+v", s, events)
		}
	case edge.StateRefused:
		if e.Status < 400 || e.Reason == "" || read(false) != s.body || n == 1 && e.Tries < 2 {
			t.Fatalf("%+v is refused: %+v", s, e)
		}
	case edge.StateConflict:
		if read(false) != s.body || e.Theirs == nil || n == 1 && e.Tries < 2 {
			t.Fatalf("%+v is in conflict: %+v", s, e)
		}
		if !s.keyed && !e.Theirs.Absent && read(true) == s.body {
			t.Fatalf("%+v is in conflict with itself", s)
		}
	case edge.StateExpired:
		if s.class != edge.ClassDelete || n == 1 && e.Tries < 2 {
			t.Fatalf("%+v is expired: %+v", s, e)
		}
	default:
		t.Fatalf("%+v ends as %s: %+v", s, e.State, events)
	}
}
