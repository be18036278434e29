package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// service is an origin that keeps what is put, honours preconditions and
// idempotency keys, and fails as a test says.
type service struct {
	mu      sync.Mutex
	files   map[string]string // by path
	version map[string]int
	keys    map[string]bool
	effects []string // what was done, in order
	order   []string // what came
	fail    func(r *http.Request, nth int) string
	nth     int
	server  *httptest.Server
	url     *url.URL
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{files: map[string]string{}, version: map[string]int{}, keys: map[string]bool{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	var err error
	if s.url, err = url.Parse(s.server.URL); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) etag(path string) string { return fmt.Sprintf(`"%d"`, s.version[path]) }

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := r.URL.Path
	how := ""
	if s.fail != nil {
		s.nth++
		how = s.fail(r, s.nth)
	}
	if r.Method != "GET" {
		s.order = append(s.order, r.Method+" "+p+" "+string(body))
	}
	switch how {
	case "cut":
		panic(http.ErrAbortHandler)
	case "500", "503", "429", "403", "400":
		w.Header().Set("Retry-After", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(map[string]int{"500": 500, "503": 503, "429": 429, "403": 403, "400": 400}[how])
		_, _ = io.WriteString(w, "no: "+how)
		return
	}
	had, there := s.files[p]
	if m := r.Header.Get("If-Match"); m != "" && (!there || m != s.etag(p)) || r.Header.Get("If-None-Match") == "*" && there {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	switch r.Method {
	case "GET":
		if !there {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Etag", s.etag(p))
		_, _ = io.WriteString(w, had)
		return
	case "DELETE":
		if !there {
			http.NotFound(w, r)
			return
		}
		delete(s.files, p)
	case "PUT":
		s.files[p] = string(body)
	case "POST":
		k := r.Header.Get("Idempotency-Key")
		if s.keys[k] {
			w.WriteHeader(http.StatusCreated)
			return
		}
		s.keys[k] = true
	}
	s.version[p]++
	s.effects = append(s.effects, r.Method+" "+p+" "+string(body))
	if how == "cut after" {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Location", p)
	w.WriteHeader(http.StatusCreated)
}

// office is a queue before a service.
type office struct {
	*Queue
	ready sync.Map
	up    func(bool)
}

func newQueue(t testing.TB, dir string, s *service, change func(*Config, *Deps)) *office {
	t.Helper()
	c := Default(dir, "bergolo")
	c.Rate, c.Spread, c.Look = 10_000, 0, 5*time.Millisecond
	o := &office{}
	d := Deps{
		Origin:    func(host string) *url.URL { return map[string]*url.URL{"docs": s.url}[host] },
		Ready:     func() bool { _, ok := o.ready.Load("up"); return ok },
		Transport: http.DefaultTransport,
	}
	o.up = func(is bool) {
		if is {
			o.ready.Store("up", true)
		} else {
			o.ready.Delete("up")
		}
	}
	if change != nil {
		change(&c, &d)
	}
	var err error
	if o.Queue, err = New(c, d); err != nil {
		t.Fatal(err)
	}
	if err := o.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func entry(method, target string, class edge.WriteClass, lines ...string) Entry {
	h := http.Header{}
	for _, l := range lines {
		k, v, _ := strings.Cut(l, ": ")
		h.Set(k, v)
	}
	return Entry{Host: "docs", Comune: "004022", Method: method, Target: target, Header: h, Class: class, Resource: target, Person: "anna", Expires: time.Now().Add(time.Hour)}
}

func take(t testing.TB, q *office, e Entry, body string) Entry {
	t.Helper()
	out, err := q.Accept(e, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// drained runs the queue until nothing waits. What is told to wait longer is
// hurried.
func (o *office) drained(t testing.TB) {
	t.Helper()
	o.up(true)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- o.Run(ctx) }()
	for end := time.Now().Add(2 * time.Minute); o.Waiting() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			all, _ := o.List(false, 5)
			t.Fatalf("%d wait still: %+v", o.Waiting(), all)
		}
		o.hurry(t)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	o.up(false)
}

func (o *office) hurry(t testing.TB) {
	t.Helper()
	o.sending.Lock()
	defer o.sending.Unlock()
	open, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		if e.Next.After(time.Now()) {
			if _, err := o.move(e.ID, e.State, "hurried by the test", func(e *Entry) { e.Next, e.Steps = time.Time{}, e.Steps[:len(e.Steps)-1] }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func wants(t testing.TB, q *office, e Entry, state State, why string) Entry {
	t.Helper()
	got, err := q.Show(e.ID)
	if err != nil || got.State != state || !strings.Contains(got.Steps[len(got.Steps)-1].Why, why) {
		t.Errorf("%s %s: %s %v %v; want %s, %q", e.Method, e.Target, got.State, got.Steps, err, state, why)
	}
	return got
}

// TestOutcomes: each way in which a write may end.
func TestOutcomes(t *testing.T) {
	s := newService(t)
	s.files["/old"], s.version["/old"] = "before", 3
	s.files["/gone-already"], s.version["/there"] = "x", 1
	s.files["/there"] = "mine"
	delete(s.files, "/gone-already")
	s.fail = func(r *http.Request, _ int) string {
		return map[string]string{"/forbidden": "403", "/bad": "400"}[r.URL.Path]
	}
	q := newQueue(t, t.TempDir(), s, nil)
	created := take(t, q, entry("PUT", "/new", edge.WriteCreate, "If-None-Match: *"), "a")
	posted := take(t, q, entry("POST", "/list", edge.WriteCreate, "Idempotency-Key: k"), "b")
	updated := take(t, q, entry("PUT", "/old", edge.WriteUpdate, `If-Match: "3"`), "after")
	lost := take(t, q, entry("PUT", "/old", edge.WriteUpdate, `If-Match: "3"`), "mine too")
	already := take(t, q, entry("PUT", "/there", edge.WriteCreate, "If-None-Match: *"), "mine")
	deleted := take(t, q, entry("DELETE", "/gone-already", edge.WriteDelete), "")
	forbidden := take(t, q, entry("PUT", "/forbidden", edge.WriteCreate, "If-None-Match: *"), "c")
	bad := take(t, q, entry("PUT", "/bad", edge.WriteCreate, "If-None-Match: *"), "d")
	old := entry("PUT", "/late", edge.WriteCreate, "If-None-Match: *")
	old.Expires = time.Now().Add(-time.Second)
	late := take(t, q, old, "e")
	nowhere := entry("PUT", "/x", edge.WriteCreate)
	nowhere.Host = "closed"
	closed := take(t, q, nowhere, "f")
	back := take(t, q, entry("PUT", "/taken-back", edge.WriteCreate, "If-None-Match: *"), "g")
	if _, err := q.Cancel(back.ID, "anna"); err != nil {
		t.Error(err)
	}
	if created.Number == posted.Number || !strings.HasPrefix(created.Number, "bergolo-20") || !strings.HasSuffix(created.Number, "-000001") {
		t.Errorf("%s %s", created.Number, posted.Number)
	}
	q.drained(t)
	if a := wants(t, q, created, Accepted, "took it"); a.Answer.Status != 201 || a.Answer.Location != "/new" {
		t.Errorf("%+v", a.Answer)
	}
	wants(t, q, posted, Accepted, "")
	wants(t, q, updated, Accepted, "")
	wants(t, q, already, Accepted, "stands there already")
	wants(t, q, deleted, Accepted, "gone already")
	wants(t, q, forbidden, Stopped, "let it in")
	if a := wants(t, q, bad, Refused, "400"); a.Answer.Text != "no: 400" {
		t.Errorf("%+v", a.Answer)
	}
	wants(t, q, late, Expired, "too long")
	wants(t, q, closed, Refused, "no more")
	wants(t, q, back, Cancelled, "anna")
	c := wants(t, q, lost, Conflict, "both are kept")
	if body, err := q.Body(c); err != nil || string(body) != "mine too" || s.files["/old"] != "after" {
		t.Errorf("%q %v, %q stands", body, err, s.files["/old"])
	}
	if _, err := q.Cancel(c.ID, "anna"); fault.Of(err) != fault.Conflict {
		t.Errorf("%v", err)
	}

	// A person decides: beside, then in its place.
	if _, err := q.Resolve(c.ID, "whatever", "anna", ""); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	if _, err := q.Resolve(c.ID, KeepMine, "anna", ""); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	n, err := q.Resolve(c.ID, KeepBoth, "anna", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Resolve(c.ID, KeepTheirs, "bruno", ""); fault.Of(err) != fault.Conflict {
		t.Errorf("decided twice: %v", err)
	}
	q.drained(t)
	wants(t, q, n, Accepted, "")
	if s.files["/old"] != "after" || s.files["/old ("+lost.Number+")"] != "mine too" {
		t.Errorf("%v", s.files)
	}
	if left, err := os.ReadDir(filepath.Join(q.cfg.Dir, bodyDir)); err != nil || len(left) != 0 {
		t.Errorf("%d bodies are left, %v", len(left), err)
	}
}

// TestOrder: of one resource the next goes when the one before has ended; others
// do not wait for it.
func TestOrder(t *testing.T) {
	s := newService(t)
	s.fail = func(r *http.Request, nth int) string {
		if strings.HasPrefix(r.URL.Path, "/slow") && nth < 30 {
			return "503"
		}
		return ""
	}
	q := newQueue(t, t.TempDir(), s, nil)
	for i := range 6 {
		for _, p := range []string{"/slow", "/quick"} {
			e := entry("POST", p, edge.WriteAppend, fmt.Sprintf("Idempotency-Key: %s-%d", p, i))
			take(t, q, e, fmt.Sprint(i))
		}
	}
	q.drained(t)
	var slow, quick string
	for _, e := range s.effects {
		if strings.Contains(e, "/slow") {
			slow += e[len(e)-1:]
			if len(quick) < 6 {
				t.Errorf("the quick ones waited: %v", s.effects)
			}
		} else {
			quick += e[len(e)-1:]
		}
	}
	if slow != "012345" || quick != "012345" {
		t.Errorf("%s %s", slow, quick)
	}
}

// TestLossyService: whatever the service does, each write is done once, or
// refused with a reason, or kept twice; also over restarts of the queue at any
// moment.
func TestLossyService(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 5))
		s := newService(t)
		ways := []string{"", "", "cut", "cut after", "cut after", "500", "429", "503"}
		s.fail = func(q *http.Request, nth int) string {
			if q.Method == "GET" && nth%3 > 0 {
				return ""
			}
			return ways[r.IntN(len(ways))]
		}
		dir := t.TempDir()
		q := newQueue(t, dir, s, nil)
		var all []Entry
		for i := range 12 {
			all = append(all, take(t, q, entry("PUT", fmt.Sprintf("/new/%d", i), edge.WriteCreate, "If-None-Match: *"), fmt.Sprint("n", i)))
			all = append(all, take(t, q, entry("POST", "/list", edge.WriteAppend, fmt.Sprintf("Idempotency-Key: %d-%d", seed, i)), fmt.Sprint("p", i)))
		}
		for range 5 { // ends in the middle
			q.up(true)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- q.Run(ctx) }()
			for range 4 {
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				q.hurry(t)
			}
			cancel()
			<-done
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			q = newQueue(t, dir, s, nil)
		}
		q.drained(t)
		done := map[string]int{}
		for _, e := range s.effects {
			done[e]++
		}
		for _, e := range all {
			wants(t, q, e, Accepted, "")
		}
		if len(done) != len(all) {
			t.Errorf("seed %d: %d effects of %d writes", seed, len(done), len(all))
		}
		for e, n := range done {
			if n != 1 {
				t.Errorf("seed %d: %q was done %d times", seed, e, n)
			}
		}
	}
}

// TestWithdrawnRight: who may not any more has nothing sent; where that is not
// known, it waits.
func TestWithdrawnRight(t *testing.T) {
	s := newService(t)
	var mu sync.Mutex
	unknown := true
	q := newQueue(t, t.TempDir(), s, func(_ *Config, d *Deps) {
		d.Allowed = func(_ context.Context, e Entry) (bool, string, error) {
			mu.Lock()
			defer mu.Unlock()
			if unknown {
				unknown = false
				return false, "", errors.New("the directory does not answer")
			}
			return e.Person == "anna", "bruno has left the comune", nil
		}
	})
	a := take(t, q, entry("PUT", "/a", edge.WriteCreate, "If-None-Match: *"), "a")
	b := entry("PUT", "/b", edge.WriteCreate, "If-None-Match: *")
	b.Person = "bruno"
	b = take(t, q, b, "b")
	q.drained(t)
	wants(t, q, a, Accepted, "")
	wants(t, q, b, Stopped, "left the comune")
	if len(s.effects) != 1 {
		t.Errorf("%v", s.effects)
	}
}

// TestSealed: a body under a key is nowhere in clear, waits while the key is
// away, and is sent when it is back.
func TestSealed(t *testing.T) {
	s := newService(t)
	var mu sync.Mutex
	have := true
	dir := t.TempDir()
	q := newQueue(t, dir, s, func(_ *Config, d *Deps) {
		d.Key = func(string) ([]byte, bool) {
			mu.Lock()
			defer mu.Unlock()
			return bytes.Repeat([]byte{7}, 32), have
		}
	})
	secret := "the medical certificate of a resident"
	e := take(t, q, entry("PUT", "/a", edge.WriteCreate, "If-None-Match: *"), secret)
	all, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(all) == 0 {
		t.Fatal(err, all)
	}
	for _, f := range append(all, filepath.Join(dir, "queue.db")) {
		if data, err := os.ReadFile(f); err != nil || bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s: %v, or in clear", f, err)
		}
	}
	mu.Lock()
	have = false
	mu.Unlock()
	q.up(true)
	if _, err := q.next(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(t, q, e, Queued, "the key of comune 004022 is not here")
	mu.Lock()
	have = true
	mu.Unlock()
	q.drained(t)
	wants(t, q, e, Accepted, "")
	if s.files["/a"] != secret {
		t.Errorf("%q", s.files["/a"])
	}
	d := take(t, q, entry("PUT", "/b", edge.WriteCreate, "If-None-Match: *"), secret)
	path := q.bodyPath(d.ID)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	q.drained(t)
	wants(t, q, d, Refused, "the disk is damaged")
}

func TestBounds(t *testing.T) {
	s := newService(t)
	q := newQueue(t, t.TempDir(), s, func(c *Config, _ *Deps) { c.MostBody, c.Most = 10, 15 })
	if _, err := q.Accept(entry("PUT", "/a", edge.WriteCreate), []byte("12345678901")); fault.Of(err) != fault.Refused {
		t.Errorf("%v", err)
	}
	take(t, q, entry("PUT", "/a", edge.WriteCreate), "1234567890")
	if _, err := q.Accept(entry("PUT", "/b", edge.WriteCreate), []byte("123456")); fault.Of(err) != fault.Refused || q.Waiting() != 1 {
		t.Errorf("%v, %d wait", err, q.Waiting())
	}
	if _, err := q.Accept(Entry{}, nil); fault.Of(err) != fault.Internal {
		t.Errorf("%v", err)
	}
	q.drained(t)
	take(t, q, entry("PUT", "/b", edge.WriteCreate), "123456")
	for _, change := range []func(*Config, *Deps){
		func(c *Config, _ *Deps) { c.Dir = "" }, func(c *Config, _ *Deps) { c.Rate = 0 }, func(c *Config, _ *Deps) { c.MostBody = 0 },
		func(_ *Config, d *Deps) { d.Ready = nil }, func(_ *Config, d *Deps) { d.Origin = nil },
	} {
		c, d := q.cfg, q.deps
		change(&c, &d)
		if _, err := New(c, d); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	other, err := New(q.cfg, q.deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Open(); err == nil {
		t.Error("two at once")
	}
}

func TestBeside(t *testing.T) {
	for from, want := range map[string]string{"/a/b.odt": "/a/b%20(7).odt", "/a.b/c": "/a.b/c%20(7)", "/a/.x": "/a/.x%20(7)", "/a?v=1.0": "/a%20(7)?v=1.0"} {
		if got := beside(from, "7"); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "5": 5 * time.Second, "-5": 0, "99999999999": 24 * time.Hour, "999999": 24 * time.Hour, "x": 0, "Mon, 02 Jan 2006 15:04:05 GMT": 0} {
		if got := retryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// FuzzParseEntry: any bytes in the place of a write are one, or an error.
func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{"id":1}`), true)
	f.Add([]byte("12345678{}"), false)
	f.Fuzz(func(t *testing.T, data []byte, sum bool) {
		if sum {
			h := sha256.Sum256(data)
			data = append(h[:8], data...)
		}
		e, err := parseEntry(data)
		if err != nil && fault.Of(err) != fault.Internal {
			t.Fatalf("%v, %+v", err, e)
		}
	})
}
