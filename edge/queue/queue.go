// Package queue keeps the writes that an edge took while its link was down, and
// sends them when it is back. It obeys package edge about what may be kept; it
// decides nothing about that itself.
//
// A write is on the disk before its receipt is given. It leaves the queue only by
// a transition that is journaled with its time and reason.
package queue

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Origin is where the writes of a service go.
type Origin struct {
	Service string // its name, as in Write
	URL     *url.URL
}

// Config says where a queue lies and how fast it sends.
type Config struct {
	Dir     string // of its own; made where it is not
	Origins []Origin
	// Quota is how many bytes of bodies may be kept in all, and QuotaComune for
	// each comune.
	Quota, QuotaComune int64
	// Requests and Bytes are how much is sent in a second, with a Burst of as many
	// seconds.
	Requests float64
	Bytes    float64
	Burst    float64
	// Jitter is the longest that sending waits when the link is back, so that many
	// edges do not begin at once.
	Jitter   time.Duration
	Parallel int           // requests under way at the same time
	Timeout  time.Duration // of a request on which nothing moves
	// RetryMin is how long is waited after the first failure of a write; it
	// doubles up to RetryMax.
	RetryMin, RetryMax time.Duration
	// Busy is how many times in a row an origin may say that it is still busy with
	// the very same request (409 to a key) until that is a conflict.
	Busy int
	// Theirs is the greatest version of others that is kept in a conflict, bytes.
	Theirs int64
	Sweep  time.Duration // how often it is looked for what has expired
}

// Default is the configuration without a folder and origins.
func Default() Config {
	return Config{
		Quota: 4 << 30, QuotaComune: 1 << 30,
		Requests: 2, Bytes: 256 << 10, Burst: 2, Jitter: time.Minute, Parallel: 4, Timeout: time.Minute,
		RetryMin: 2 * time.Second, RetryMax: 15 * time.Minute, Busy: 6, Theirs: 256 << 20, Sweep: time.Minute,
	}
}

// Link is the way to the origins.
type Link interface {
	Up() bool
	// Changed receives when Up may have changed.
	Changed() <-chan struct{}
}

// Allow says whether a person may still do what they asked for. An error says
// that this cannot be known now: the write waits.
type Allow interface {
	Allowed(ctx context.Context, p edge.Person, e Entry) (ok bool, reason string, err error)
}

// Keys holds the key of a comune, 32 bytes, by which its bodies are sealed.
type Keys interface {
	Key(comune string) (key []byte, ok bool)
}

// Deps are what a Queue uses.
type Deps struct {
	Link      Link
	Allow     Allow
	Keys      Keys              // nil: nothing is sealed
	Transport http.RoundTripper // nil: one that follows nothing and unpacks nothing
	// Sign adds to a request what tells the origin on whose behalf it is; nil:
	// nothing.
	Sign func(*http.Request, Entry) error
	// Protocol gives official numbers to emergency registrations; nil: they are
	// typed by hand.
	Protocol Protocol
	Log      *slog.Logger // nil: silent
}

// Queue is the queue of one edge. Its methods may be called at the same time.
type Queue struct {
	cfg     Config
	deps    Deps
	origins map[string]*url.URL
	db      atomic.Pointer[bbolt.DB] // nil until Open
	wake    chan struct{}
	rate    *limiter

	mu     sync.Mutex // over every change of the database and what follows
	lines  map[place]*line
	held   map[string]int64 // bytes of bodies by comune
	broken int              // records that cannot be read
	pauses map[string]time.Time
}

// New makes a queue; it opens nothing.
func New(c Config, d Deps) (*Queue, error) {
	q := &Queue{cfg: c, deps: d, origins: map[string]*url.URL{}, wake: make(chan struct{}, 1)}
	bad := func(format string, args ...any) (*Queue, error) {
		return nil, fault.New(fault.Invalid, "queue: "+format, args...)
	}
	switch {
	case c.Dir == "":
		return bad("dir: name a folder")
	case c.Quota <= 0 || c.QuotaComune <= 0 || c.Theirs <= 0:
		return bad("quota: give bytes above zero, in all, by comune and for the version of others")
	case !(c.Requests > 0) || !(c.Bytes > 0) || !(c.Burst > 0) || c.Requests*c.Burst < 1:
		return bad("rate: give requests, bytes and burst above zero, with a burst of one request at least")
	case c.Parallel < 1:
		return bad("parallel: %d: give 1 or more", c.Parallel)
	case c.Timeout <= 0 || c.RetryMin <= 0 || c.RetryMax < c.RetryMin || c.Sweep <= 0 || c.Jitter < 0 || c.Busy < 0:
		return bad("times: timeout, retry and sweep are above zero, the longest retry not below the shortest")
	case d.Link == nil || d.Allow == nil:
		return bad("the link, or who is allowed what, is not given")
	}
	for _, o := range c.Origins {
		switch {
		case o.Service == "" || q.origins[o.Service] != nil:
			return bad("origin %q: give each service once, by its name", o.Service)
		case o.URL == nil || o.URL.Host == "" || o.URL.Scheme != "http" && o.URL.Scheme != "https":
			return bad("origin of %s: give an http or https address", o.Service)
		}
		q.origins[o.Service] = o.URL
	}
	if d.Transport == nil {
		q.deps.Transport = &http.Transport{
			DisableCompression: true, MaxIdleConnsPerHost: c.Parallel, IdleConnTimeout: time.Minute,
			ResponseHeaderTimeout: c.Timeout, MaxResponseHeaderBytes: 64 << 10,
		}
	}
	if d.Log == nil {
		q.deps.Log = slog.New(slog.DiscardHandler)
	}
	q.rate = newLimiter(c.Requests, c.Bytes, c.Burst)
	return q, nil
}

// Close lets go of the files. Nothing is sent or accepted any more.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if db := q.db.Swap(nil); db != nil {
		return db.Close()
	}
	return nil
}

// poke makes Run look again.
func (q *Queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// share is a random part of d.
func share(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}
