// Package queue keeps the writes that an edge may send later, and sends them
// when the way is back: each once in effect, in the order of its resource, at a
// rate that the origin can bear. Nothing that got a receipt is ever dropped
// without a word: it ends accepted, refused with a reason, kept twice on a
// conflict, expired or stopped, and each step is written down before it counts.
package queue

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// State is where a write stands.
type State string

// The states.
const (
	Queued    State = "queued"
	Sending   State = "sending"  // it may have reached the origin
	Accepted  State = "accepted" // by the origin
	Refused   State = "refused"  // by the origin, for good
	Conflict  State = "conflict" // somebody changed the same meanwhile: both are kept, a person decides
	Expired   State = "expired"
	Stopped   State = "stopped" // whoever wrote it may not any more
	Cancelled State = "cancelled"
	Resolved  State = "resolved" // a conflict that a person decided
)

// Ended says that nothing more becomes of a write by itself.
func (s State) Ended() bool { return s != Queued && s != Sending }

// Entry is one write.
type Entry struct {
	ID       uint64          `json:"id"`
	Number   string          `json:"number"` // on the receipt: "bergolo-2026-000042"
	Host     string          `json:"host"`
	Comune   string          `json:"comune"`
	Method   string          `json:"method"`
	Target   string          `json:"target"` // path and query
	Header   http.Header     `json:"header"`
	Class    edge.WriteClass `json:"class"`
	Resource string          `json:"resource"`
	Person   string          `json:"person,omitempty"` // who wrote it, as the edge knows them
	Bytes    int64           `json:"bytes"`
	SHA256   string          `json:"sha256"`
	At       time.Time       `json:"at"`
	Expires  time.Time       `json:"expires"`
	State    State           `json:"state"`
	Tries    int             `json:"tries"`
	Next     time.Time       `json:"next"` // not sent before
	Answer   *Answer         `json:"answer,omitempty"`
	Steps    []Step          `json:"steps"`
}

// Answer is what the origin said last.
type Answer struct {
	Status   int    `json:"status"`
	Location string `json:"location,omitempty"`
	ETag     string `json:"etag,omitempty"`
	Text     string `json:"text,omitempty"` // the begin of its body, where that is text
}

// Step is one change of state.
type Step struct {
	At    time.Time `json:"at"`
	State State     `json:"state"`
	Why   string    `json:"why"`
}

// Config bounds a Queue.
type Config struct {
	Dir      string
	Name     string        // of the edge, at the head of the numbers
	MostBody int64         // bytes of one write
	Most     int64         // bytes of all that wait
	Rate     float64       // writes a second that are sent at most
	Spread   time.Duration // the sending begins at a moment within this after the way is back
	Look     time.Duration // between two looks whether something can be sent
	Timeout  time.Duration // of one sending
}

// Default keeps 2 GB and sends two writes a second.
func Default(dir, name string) Config {
	return Config{Dir: dir, Name: name, MostBody: 64 << 20, Most: 2 << 30, Rate: 2, Spread: 20 * time.Second, Look: time.Second, Timeout: 2 * time.Minute}
}

// Deps are what a Queue uses.
type Deps struct {
	// Origin is where the writes of a service go; nil: the service is no more.
	Origin func(host string) *url.URL
	// Ready says that the way is back.
	Ready     func() bool
	Transport http.RoundTripper
	// Allowed says whether somebody may still do this; an error: not known now. nil:
	// whoever was let in may.
	Allowed func(ctx context.Context, e Entry) (ok bool, why string, err error)
	// Key is the secret of a comune, 32 bytes, by which bodies are sealed; false:
	// they are kept plain. nil: nobody has one.
	Key func(comune string) ([]byte, bool)
	Log *slog.Logger // nil: silent
}

// Queue holds writes on the disk. Make it with New, then Open.
type Queue struct {
	cfg  Config
	deps Deps
	db   *bolt.DB
	wake chan struct{}

	sending  sync.Mutex // held while one write is sent
	deciding sync.Mutex

	mu      sync.Mutex
	waiting int   // writes that have not ended
	bytes   int64 // of their bodies
}

var (
	entryBucket  = []byte("entries")  // id → checksum, JSON
	numberBucket = []byte("numbers")  // year → last number
	openBucket   = []byte("open")     // id → nothing, of those that have not ended
	lineBucket   = []byte("register") // register, line → JSON
	bookBucket   = []byte("books")    // register → JSON
)

// New makes a queue; it touches nothing.
func New(c Config, d Deps) (*Queue, error) {
	switch {
	case c.Dir == "" || c.Name == "":
		return nil, fault.New(fault.Invalid, "queue: give a folder and a name")
	case c.MostBody <= 0 || c.Most <= 0 || c.Rate <= 0 || c.Look <= 0 || c.Timeout <= 0 || c.Spread < 0:
		return nil, fault.New(fault.Invalid, "queue: give bounds above zero")
	case d.Origin == nil || d.Ready == nil || d.Transport == nil:
		return nil, fault.New(fault.Invalid, "queue: say where writes go, and when")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Key == nil {
		d.Key = func(string) ([]byte, bool) { return nil, false }
	}
	return &Queue{cfg: c, deps: d, wake: make(chan struct{}, 1)}, nil
}

// Open opens the file of the queue. A write that was being sent when the
// program ended is sent again, under the same key or precondition.
func (q *Queue) Open() error {
	if err := makeDirs(q.cfg.Dir, bodyDir); err != nil {
		return fault.New(fault.Refused, "queue: %w", err)
	}
	path := filepath.Join(q.cfg.Dir, "queue.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return fault.New(fault.Refused, "queue: %s cannot be opened: %v: it holds writes that were promised to be sent; do not remove it, put back a copy or ask for help", path, err)
	}
	q.db = db
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{entryBucket, numberBucket, openBucket, lineBucket, bookBucket} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = q.recount()
	}
	if err != nil {
		_ = db.Close()
		q.db = nil
		return fault.New(fault.Refused, "queue: %w", err)
	}
	return nil
}

// Close ends the use of the file.
func (q *Queue) Close() error {
	if q.db == nil {
		return nil
	}
	return q.db.Close()
}

// recount reads what has not ended, and has sent again what was being sent.
func (q *Queue) recount() error {
	open, err := q.open()
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting, q.bytes = 0, 0
	for _, e := range open {
		q.waiting++
		q.bytes += e.Bytes
		if e.State == Sending {
			if _, err := q.move(e.ID, Queued, "the program ended while it was being sent: it is sent again", nil); err != nil {
				return err
			}
		}
	}
	return q.sweep(open)
}

// Waiting is how many writes have not ended.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// Accept keeps a write. When it returns without an error the write is on the
// disk, and its number is nobody else's.
func (q *Queue) Accept(e Entry, body []byte) (Entry, error) {
	switch {
	case int64(len(body)) > q.cfg.MostBody:
		return e, fault.New(fault.Refused, "the write has %d bytes, more than the %d that may wait", len(body), q.cfg.MostBody)
	case e.Host == "" || e.Method == "" || e.Target == "" || e.Resource == "" || e.Expires.IsZero():
		return e, fault.New(fault.Internal, "queue: a write without a host, a method, a target, a resource or an end")
	}
	q.mu.Lock()
	if q.bytes+int64(len(body)) > q.cfg.Most {
		q.mu.Unlock()
		return e, fault.New(fault.Refused, "the queue is full: %d bytes wait already", q.cfg.Most)
	}
	q.bytes += int64(len(body))
	q.waiting++
	q.mu.Unlock()
	e, err := q.keep(e, body)
	if err != nil {
		q.mu.Lock()
		q.bytes -= int64(len(body))
		q.waiting--
		q.mu.Unlock()
		return e, fault.New(fault.Refused, "queue: %w", err)
	}
	q.poke()
	return e, nil
}

func (q *Queue) keep(e Entry, body []byte) (Entry, error) {
	now := time.Now().UTC()
	e.At, e.State, e.Bytes, e.SHA256 = now, Queued, int64(len(body)), sumOf(body)
	e.Steps = []Step{{now, Queued, "the service could not be reached"}}
	name, err := q.writeBody(e, body)
	if err != nil {
		return e, err
	}
	err = q.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(entryBucket)
		id, err := b.NextSequence()
		if err != nil {
			return err
		}
		n, err := nextNumber(tx, now.Year())
		if err != nil {
			return err
		}
		e.ID, e.Number = id, fmt.Sprintf("%s-%d-%06d", q.cfg.Name, now.Year(), n)
		if err := q.nameBody(name, e.ID); err != nil {
			return err
		}
		return putEntry(tx, e)
	})
	if err != nil {
		removeBody(name)
	}
	return e, err
}

func (q *Queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// move changes the state of a write, with a reason; change may set more of it.
// It is on the disk when it returns.
func (q *Queue) move(id uint64, to State, why string, change func(*Entry)) (e Entry, err error) {
	err = q.db.Update(func(tx *bolt.Tx) error {
		if e, err = getEntry(tx, id); err != nil {
			return err
		}
		e.State = to
		e.Steps = append(e.Steps, Step{time.Now().UTC(), to, why})
		if change != nil {
			change(&e)
		}
		return putEntry(tx, e)
	})
	return e, err
}

// end is move to a state that ends.
func (q *Queue) end(id uint64, to State, why string, change func(*Entry)) (Entry, error) {
	e, err := q.move(id, to, why, change)
	if err != nil {
		return e, err
	}
	q.mu.Lock()
	q.waiting--
	q.bytes -= e.Bytes
	q.mu.Unlock()
	if to != Conflict { // of which both versions are kept until somebody decides
		q.dropBody(e.ID)
	}
	q.deps.Log.Info("a queued write ended", "number", e.Number, "state", to, "why", why)
	return e, nil
}
