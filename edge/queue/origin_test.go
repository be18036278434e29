package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/zone"
)

// origin is a service that looks at preconditions and keys, and counts what each
// write really changed.
type origin struct {
	mu      sync.Mutex
	docs    map[string]doc
	keys    map[string]doc // by Idempotency-Key: the body that was done
	effects map[string]int // by the number of the receipt
	order   []string       // numbers in the order of their effects
	asked   []time.Time    // of every request but GET
	version int
	// trouble is asked before each write; nil: none.
	trouble func(*http.Request) string
}

type doc struct {
	body []byte
	tag  string
}

func newOrigin() *origin {
	return &origin{docs: map[string]doc{}, keys: map[string]doc{}, effects: map[string]int{}}
}

// set puts a document there as somebody else would, and gives its ETag.
func (o *origin) set(path, body string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.put(path, []byte(body))
}

func (o *origin) put(path string, body []byte) string {
	o.version++
	tag := fmt.Sprintf(`"v%d"`, o.version)
	o.docs[path] = doc{body, tag}
	return tag
}

func (o *origin) get(path string) (doc, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, ok := o.docs[path]
	return d, ok
}

func (o *origin) count(number string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.effects[number]
}

func (o *origin) sequence() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.order...)
}

// times are those of every request but GET.
func (o *origin) times() []time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]time.Time(nil), o.asked...)
}

// troubled says what goes wrong from now on.
func (o *origin) troubled(with func(*http.Request) string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trouble = with
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // cut on the way: it does nothing
	}
	what := ""
	if r.Method != http.MethodGet {
		o.mu.Lock()
		o.asked = append(o.asked, time.Now())
		trouble := o.trouble
		o.mu.Unlock()
		if trouble != nil {
			what = trouble(r)
		}
	}
	switch what {
	case "cut before":
		panic(http.ErrAbortHandler)
	case "hang before":
		<-r.Context().Done()
		return
	case "foreign edit":
		o.set(r.URL.Path, "of somebody else")
	case "400", "403", "409", "413", "422", "429", "500", "501", "503", "302", "401", "404":
		status := 0
		fmt.Sscan(what, &status)
		w.WriteHeader(status)
		fmt.Fprint(w, "no: "+what)
		return
	}
	status, tag := o.do(r, body)
	switch what {
	case "cut after":
		panic(http.ErrAbortHandler)
	case "hang after":
		<-r.Context().Done()
		return
	case "500 after":
		status = 500
	}
	if tag != "" {
		w.Header().Set("Etag", tag)
	}
	if d, ok := o.get(r.URL.Path); ok && r.Method == http.MethodGet {
		w.Write(d.body)
		return
	}
	if status == http.StatusCreated {
		w.Header().Set("Location", r.URL.Path)
		w.Header().Set(fieldOfficial, "UFF-"+r.Header.Get(fieldNumber))
	}
	w.WriteHeader(status)
}

// do is the service itself.
func (o *origin) do(r *http.Request, body []byte) (status int, tag string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	number, path := r.Header.Get(fieldNumber), r.URL.Path
	have, there := o.docs[path]
	if r.Method == http.MethodGet {
		if !there {
			return http.StatusNotFound, ""
		}
		return http.StatusOK, have.tag
	}
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		if old, ok := o.keys[key]; ok {
			if !bytes.Equal(old.body, body) {
				return http.StatusUnprocessableEntity, ""
			}
			return http.StatusCreated, ""
		}
		o.keys[key] = doc{body: body}
		o.effect(number)
		return http.StatusCreated, ""
	}
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	if none == "*" && there || match != "" && (!there || match != have.tag) {
		return http.StatusPreconditionFailed, have.tag
	}
	if none == "" && match == "" {
		return http.StatusPreconditionRequired, ""
	}
	o.effect(number)
	if r.Method == http.MethodDelete {
		delete(o.docs, path)
		return http.StatusNoContent, ""
	}
	tag = o.put(path, body)
	if there {
		return http.StatusNoContent, tag
	}
	return http.StatusCreated, tag
}

func (o *origin) effect(number string) {
	o.effects[number]++
	o.order = append(o.order, number)
}

// direct is a transport to a handler in the same program, which knows no network:
// in a bubble of synctest, time passes while it waits.
type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(orEmpty(r.Body))
	if err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	out := httptest.NewRecorder()
	end := make(chan any, 1)
	go func() {
		defer func() { end <- recover() }()
		d.h.ServeHTTP(out, in)
	}()
	select {
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	case p := <-end:
		if p == http.ErrAbortHandler {
			return nil, io.ErrUnexpectedEOF
		}
		if p != nil {
			panic(p)
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return out.Result(), nil
}

func orEmpty(r io.Reader) io.Reader {
	if r == nil {
		return strings.NewReader("")
	}
	return r
}

// link is one that a test takes down and up.
type link struct {
	mu      sync.Mutex
	up      bool
	changed chan struct{}
}

func newLink(up bool) *link { return &link{up: up, changed: make(chan struct{}, 1)} }

func (l *link) Up() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

func (l *link) Changed() <-chan struct{} { return l.changed }

func (l *link) set(up bool) {
	l.mu.Lock()
	l.up = up
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// allow says who may do what; a nil one lets all.
type allow func(edge.Person) (bool, string, error)

func (a allow) Allowed(_ context.Context, p edge.Person, _ Entry) (bool, string, error) {
	if a == nil {
		return true, "", nil
	}
	return a(p)
}

type keys map[string][]byte

func (k keys) Key(comune string) ([]byte, bool) { v, ok := k[comune]; return v, ok }

const service = "documenti.example"

// quick is a configuration for tests in which nothing waits for a rate.
func quick(dir string) Config {
	c := Default()
	c.Dir = dir
	u, _ := url.Parse("http://origin.example")
	c.Origins = []Origin{{service, u}}
	c.Requests, c.Bytes, c.Jitter = 1e6, 1e12, 0
	return c
}

// opened is a queue that is open.
func opened(t testing.TB, c Config, d Deps) *Queue {
	t.Helper()
	if d.Link == nil {
		d.Link = newLink(true)
	}
	if d.Allow == nil {
		d.Allow = allow(nil)
	}
	q, err := New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// drain sends all that can be sent, one after the other, as if much time had
// passed between. It stops after so many steps.
func drain(t testing.TB, q *Queue, steps int) {
	t.Helper()
	for range steps {
		it, _ := q.next(time.Now().Add(48*time.Hour), true)
		if it == nil {
			return
		}
		q.one(context.Background(), it)
	}
}

func uuidOf(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// write makes a write of a class as the rules would decide it.
func write(class edge.Class, path, body string, change ...func(*Write)) Write {
	d := edge.WriteDecision{Act: edge.QueueWrite, Reason: edge.ReasonQueued, Rule: "test", Class: class, Order: path, Expires: 30 * 24 * time.Hour}
	w := Write{Comune: "CARAVINO", Service: service, Target: path, Person: edge.Person{ID: "anna"}, MaxBody: 1 << 20,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: strings.NewReader(body)}
	switch class {
	case edge.ClassCreate:
		w.Method, d.IfNoneMatch, d.Once = "PUT", "*", "put "+path
	case edge.ClassUpdate:
		w.Method = "PUT"
	case edge.ClassDelete:
		w.Method = "DELETE"
	case edge.ClassAppend:
		w.Method = "POST"
	}
	w.Decision = d
	for _, f := range change {
		f(&w)
	}
	return w
}

func match(tag string) func(*Write) { return func(w *Write) { w.Decision.IfMatch = tag } }

func keyed(key string) func(*Write) {
	return func(w *Write) {
		w.Method = "POST"
		w.Decision.IfNoneMatch, w.Decision.Key, w.Decision.Once = "", key, "key "+key
	}
}

func event(source string, n uint64) func(*Write) {
	return func(w *Write) {
		w.Decision.Source, w.Decision.Sequence = source, n
		w.Decision.Order = "source " + source
		w.Decision.Key = fmt.Sprintf("%q", fmt.Sprintf("%s/%d", source, n))
		w.Decision.Once = fmt.Sprintf("event %s %d", source, n)
	}
}

func by(person string) func(*Write) { return func(w *Write) { w.Person.ID = person } }

func accept(t testing.TB, q *Queue, w Write) Receipt {
	t.Helper()
	r, err := q.Accept(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func state(t testing.TB, q *Queue, number string) Entry {
	t.Helper()
	e, events, err := q.Show(number)
	if err != nil {
		t.Fatal(err)
	}
	was := edge.State("")
	for i, ev := range events {
		if ev.From != was || ev.At.IsZero() || ev.Reason == "" {
			t.Fatalf("%s: event %d of the journal does not follow: %+v", number, i, ev)
		}
		was = ev.To
	}
	if was != e.State {
		t.Fatalf("%s is %s, its journal ends with %s", number, e.State, was)
	}
	return e
}

func bodyOf(t testing.TB, q *Queue, number string, theirs bool) string {
	t.Helper()
	r, err := q.Body(number, theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// year is that of receipts given then.
func year(t time.Time) string { return t.In(zone.Rome()).Format("2006") }

var errUnknown = errors.New("the directory of people does not answer")
