package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/zone"
)

// Write is what Accept takes: a write, and what edge.DecideWrite said about it.
type Write struct {
	Comune   string // its code, such as CARAVINO: capital letters, digits and hyphens
	Service  string
	Method   string
	Target   string      // path and query, escaped, as it came
	Header   http.Header // as it came; what is kept of it is edge.ReplayHeader
	Person   edge.Person
	Decision edge.WriteDecision
	MaxBody  int64 // of the rule
	Body     io.Reader
}

// Receipt is what the person gets.
type Receipt struct {
	Number  string     `json:"number"` // local, never official: CARAVINO-2026-0042
	State   edge.State `json:"state"`
	At      time.Time  `json:"at"`
	Expires time.Time  `json:"expires"`
	// Again says that this very write was here already, and this is its receipt.
	Again bool `json:"again,omitempty"`
}

var (
	// ErrQuota says that there is no room: edge.ReasonQuota.
	ErrQuota = fault.New(fault.Refused, "no room for more waiting writes: try again when the link is back")
	// ErrBody says that the body is greater than its rule lets in: edge.ReasonBody.
	ErrBody = fault.New(fault.Refused, "the body is greater than the rule of this write lets in")

	comuneCode = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)
)

// Accept keeps a write. When it returns without an error the write is on the disk
// for good. The same write of the same person again, by its key, UUID or sequence,
// gets the same receipt; another one by the same name is a Conflict.
func (q *Queue) Accept(ctx context.Context, w Write) (Receipt, error) {
	e, err := q.entry(w)
	if err != nil {
		return Receipt{}, err
	}
	if err := ctx.Err(); err != nil {
		return Receipt{}, err
	}
	q.mu.Lock()
	open, room := q.db.Load() != nil, q.room(w.Comune)
	q.mu.Unlock()
	if !open {
		return Receipt{}, errClosed
	}
	e.Body, err = q.keepBody(w.Comune, reader{ctx, w.Body}, min(w.MaxBody, max(room, 0)))
	if errors.Is(err, errTooBig) {
		if room < w.MaxBody {
			return Receipt{}, ErrQuota
		}
		return Receipt{}, ErrBody
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("keep a write for %s: %w", w.Service, err)
	}
	if w.Decision.Credentials {
		if err := q.seal(&e, w.Header); err != nil {
			q.drop(e.Body)
			return Receipt{}, err
		}
	}
	return q.admit(e, w.Decision.Expires)
}

// entry is a write as it will be kept, without what its body tells.
func (q *Queue) entry(w Write) (Entry, error) {
	d := w.Decision
	switch {
	case d.Act != edge.QueueWrite:
		return Entry{}, fault.New(fault.Refused, "write for %s: it is not to be queued: %s", w.Service, d.Reason)
	case d.IfMatch == "" && d.IfNoneMatch == "" && d.Key == "":
		return Entry{}, fault.New(fault.Invalid, "write for %s: it has neither a condition nor a key, and could be done twice", w.Service)
	case !comuneCode.MatchString(w.Comune) || len(w.Comune) > 64:
		return Entry{}, fault.New(fault.Invalid, "comune %q: use capital letters, digits and hyphens", w.Comune)
	case q.origins[w.Service] == nil:
		return Entry{}, fault.New(fault.NotFound, "service %q: it has no origin in the configuration of the queue", w.Service)
	case !strings.HasPrefix(w.Target, "/") || w.Method == "" || d.Order == "" || d.Expires <= 0:
		return Entry{}, fault.New(fault.Invalid, "write for %s: method, target, order or expiry is not there", w.Service)
	case w.MaxBody < 0 || w.MaxBody > edge.MostBody:
		return Entry{}, fault.New(fault.Invalid, "write for %s: body of up to %d bytes: use 0 to %d", w.Service, w.MaxBody, edge.MostBody)
	}
	return Entry{
		Comune: w.Comune, Service: w.Service, Rule: d.Rule, Class: d.Class, Method: w.Method, Target: w.Target,
		Header: edge.ReplayHeader(w.Header), IfMatch: d.IfMatch, IfNoneMatch: d.IfNoneMatch, Key: d.Key,
		Order: d.Order, Source: d.Source, Sequence: d.Sequence, Once: d.Once, SeeOther: d.SeeOther,
		Person: edge.Person{ID: w.Person.ID, Groups: slices.Clone(w.Person.Groups)}, State: edge.StateQueued,
	}, nil
}

// reader stops when nobody waits for the receipt any more. A nil body is empty.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.r == nil {
		return 0, io.EOF
	}
	return r.r.Read(p)
}

// room is how many bytes a comune may still keep. It is looked at before the body
// is written and again before it counts.
func (q *Queue) room(comune string) int64 {
	var all int64
	for _, n := range q.held {
		all += n
	}
	return min(q.cfg.Quota-all, q.cfg.QuotaComune-q.held[comune])
}

// admit gives an entry its number and writes it down.
func (q *Queue) admit(e Entry, life time.Duration) (Receipt, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var again *Entry
	written := false // then a failure is one of the disk, which may hold the record all the same
	err := q.update(func(tx *bbolt.Tx) error {
		var err error
		if again, err = q.seen(tx, &e); again != nil || err != nil {
			return err
		}
		if q.room(e.Comune) < e.Body.Bytes {
			return ErrQuota
		}
		now := time.Now().UTC()
		e.Accepted, e.Reason = now, "accepted by the edge"
		e.Expires = now.Add(life)
		if e.Number, err = number(tx, e.Comune, now); err != nil {
			return err
		}
		if e.Place, err = tx.Bucket(bEntries).NextSequence(); err != nil {
			return err
		}
		if e.Source != "" {
			if err := chain(tx, &e); err != nil {
				return err
			}
		}
		if e.Once != "" {
			if err := tx.Bucket(bOnce).Put(onceKey(&e), []byte(e.Number)); err != nil {
				return err
			}
		}
		if err := put(tx, nil, &e); err != nil {
			return err
		}
		err = journal(tx, e.Number, Event{At: now, To: e.State, Reason: e.Reason, By: e.Person.ID})
		written = err == nil
		return err
	})
	if !written { // else the next Open knows whether it is named
		q.drop(e.Body)
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("keep a write for %s: %w", e.Service, err)
	}
	if again != nil {
		return again.receipt(true), nil
	}
	q.held[e.Comune] += e.Body.Bytes
	q.add(&e)
	q.poke()
	return e.receipt(false), nil
}

func (e *Entry) receipt(again bool) Receipt {
	return Receipt{Number: e.Number, State: e.State, At: e.Accepted, Expires: e.Expires, Again: again}
}

// number is the next of a comune in the Italian year: never one twice, and none
// left out, as it is written together with its entry.
func number(tx *bbolt.Tx, comune string, now time.Time) (string, error) {
	series := fmt.Sprintf("%s-%d", comune, now.In(zone.Rome()).Year())
	n, err := count(tx.Bucket(bNumbers), series)
	return fmt.Sprintf("%s-%04d", series, n), err
}

func count(b *bbolt.Bucket, series string) (uint64, error) {
	var n uint64
	if v := b.Get([]byte(series)); v != nil {
		var err error
		if n, err = strconv.ParseUint(string(v), 10, 63); err != nil {
			return 0, fault.New(fault.Internal, "counter of %s: %q is no number: no new one is given", series, v)
		}
	}
	n++
	return n, b.Put([]byte(series), strconv.AppendUint(nil, n, 10))
}

func onceKey(e *Entry) []byte {
	sum := sha256.Sum256([]byte(e.Person.ID + "\x00" + e.Service + "\x00" + e.Once))
	return sum[:]
}

// seen is the entry that is this very write; nil when there is none, or when it
// came to nothing and may be tried anew.
func (q *Queue) seen(tx *bbolt.Tx, e *Entry) (*Entry, error) {
	if e.Once == "" {
		return nil, nil
	}
	n := tx.Bucket(bOnce).Get(onceKey(e))
	if n == nil {
		return nil, nil
	}
	old, err := decodeEntry(tx.Bucket(bEntries).Get(n))
	if err != nil {
		return nil, err
	}
	same := old.Body.SHA256 == e.Body.SHA256 && old.Body.Bytes == e.Body.Bytes && old.Method == e.Method && old.Target == e.Target
	over := slices.Contains([]edge.State{edge.StateCancelled, edge.StateRefused, edge.StateExpired, edge.StateStopped}, old.State)
	switch {
	case over && e.Source == "":
		return nil, nil
	case !same:
		return nil, fault.New(fault.Conflict, "another write has this name already, as %s: give this one a name of its own", old.Number)
	}
	return &old, nil
}

// source is what is known of the events of one.
type source struct {
	Sequence uint64 `json:"sequence"` // of the last
	Chain    string `json:"chain"`
}

// chain puts an event behind the last one of its source.
func chain(tx *bbolt.Tx, e *Entry) error {
	key := placeOf(e.Service, e.Source)
	var last source
	if v := tx.Bucket(bSources).Get(key[:]); v != nil {
		if err := decode(v, &last); err != nil {
			return err
		}
	}
	if e.Sequence <= last.Sequence {
		return fault.New(fault.Conflict, "event %d of %s: the last was %d: number events upwards", e.Sequence, e.Source, last.Sequence)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "crinale event 1\n%s\n%d\n%s\n", last.Chain, e.Sequence, e.Body.SHA256))
	e.Chain = hex.EncodeToString(sum[:])
	data, err := encode(source{e.Sequence, e.Chain})
	if err != nil {
		return err
	}
	return tx.Bucket(bSources).Put(key[:], data)
}
