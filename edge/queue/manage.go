package queue

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Filter says which entries to list; what is zero counts for all.
type Filter struct {
	Comune, Service, Person string
	States                  []edge.State
	After                   string // a number: those behind it
	Limit                   int
}

// List is what is kept, by number. Records that cannot be read are left out; Stats
// counts them.
func (q *Queue) List(f Filter) ([]Entry, error) {
	var out []Entry
	err := q.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bEntries).Cursor()
		for k, v := c.Seek([]byte(f.After)); k != nil && (f.Limit <= 0 || len(out) < f.Limit); k, v = c.Next() {
			e, err := decodeEntry(v)
			if err != nil || string(k) == f.After {
				continue
			}
			if (f.Comune == "" || f.Comune == e.Comune) && (f.Service == "" || f.Service == e.Service) &&
				(f.Person == "" || f.Person == e.Person.ID) && (len(f.States) == 0 || slices.Contains(f.States, e.State)) {
				out = append(out, e)
			}
		}
		return nil
	})
	return out, err
}

// Show is one entry with all that happened to it.
func (q *Queue) Show(number string) (Entry, []Event, error) {
	e, err := q.entryOf(number)
	if err != nil {
		return Entry{}, nil, err
	}
	var events []Event
	err = q.view(func(tx *bbolt.Tx) error {
		c, prefix := tx.Bucket(bJournal).Cursor(), number+"\x00"
		for k, v := c.Seek([]byte(prefix)); strings.HasPrefix(string(k), prefix); k, v = c.Next() {
			var ev Event
			if err := decode(v, &ev); err != nil {
				return fmt.Errorf("journal of %s: %w", number, err)
			}
			events = append(events, ev)
		}
		return nil
	})
	return e, events, err
}

// entryOf is an entry as it stands.
func (q *Queue) entryOf(number string) (e Entry, err error) {
	err = q.view(func(tx *bbolt.Tx) error {
		data := tx.Bucket(bEntries).Get([]byte(number))
		if data == nil {
			return fault.New(fault.NotFound, "write %s: there is none with this number", number)
		}
		if e, err = decodeEntry(data); err != nil {
			return fmt.Errorf("write %s: %w", number, err)
		}
		return nil
	})
	return e, err
}

// Body opens what is kept of an entry: our version, or that of others in a
// conflict.
func (q *Queue) Body(number string, theirs bool) (io.ReadCloser, error) {
	e, err := q.entryOf(number)
	if err != nil {
		return nil, err
	}
	b := e.Body
	if theirs {
		if e.Theirs == nil {
			return nil, fault.New(fault.NotFound, "write %s: it has no version of others", number)
		}
		b = e.Theirs.Body
	}
	return q.openBody(e.Comune, b)
}

// Cancel takes a write back. It can be done only while nothing of it may have
// reached the origin.
func (q *Queue) Cancel(number, by string) error {
	_, err := q.move(number, by, func(e *Entry) (string, error) {
		switch {
		case e.State != edge.StateQueued:
			return "", fault.New(fault.Conflict, "write %s: it is %s: only a waiting one can be cancelled", number, e.State)
		case e.Unsure:
			return "", fault.New(fault.Conflict, "write %s: it was sent, and whether the origin did it is not known yet: wait for its end", number)
		}
		e.State = edge.StateCancelled
		e.forget()
		return "cancelled by hand", nil
	})
	return err
}

// Confirm ends a write that the origin took for later, with the number that it
// gave in the end.
func (q *Queue) Confirm(number, official, by string) error {
	_, err := q.move(number, by, func(e *Entry) (string, error) {
		if e.State != edge.StateSent {
			return "", fault.New(fault.Conflict, "write %s: it is %s: only a sent one can be confirmed", number, e.State)
		}
		e.State, e.Official = edge.StateAccepted, clip(official)
		e.forget()
		return "confirmed by hand", nil
	})
	return err
}

// Discard lets go of the bodies of a write that has come to its end. What
// happened to it stays.
func (q *Queue) Discard(number, by string) error {
	_, err := q.move(number, by, func(e *Entry) (string, error) {
		if e.State.Waiting() || e.State == edge.StateConflict || e.State == edge.StateSent {
			return "", fault.New(fault.Conflict, "write %s: it is %s: its bodies are still needed", number, e.State)
		}
		e.forget()
		return "the bodies were discarded by hand", nil
	})
	return err
}

// Keep is what to keep in a conflict.
type Keep string

const (
	KeepMine   Keep = "mine"   // over theirs, as far as that is the version that was looked at
	KeepTheirs Keep = "theirs" // ours stays here until it is discarded
	KeepBoth   Keep = "both"   // ours goes beside theirs, as a named version
)

// Resolve ends a conflict as a person chose. What is sent anew is behind a
// condition again: a third version makes a new conflict.
func (q *Queue) Resolve(number string, keep Keep, by string) (Entry, error) {
	return q.move(number, by, func(e *Entry) (string, error) {
		if e.State != edge.StateConflict || e.Theirs == nil {
			return "", fault.New(fault.Conflict, "write %s: it is %s: only a conflict can be resolved", number, e.State)
		}
		e.Keep = keep
		var err error
		switch keep {
		case KeepTheirs:
			e.State = edge.StateResolved
			return "theirs was chosen", nil
		case KeepMine:
			err = e.mine()
		case KeepBoth:
			err = e.beside()
		default:
			err = fault.New(fault.Invalid, "write %s: keep %q: choose mine, theirs or both", number, string(keep))
		}
		if err != nil {
			return "", err
		}
		e.State, e.NotBefore, e.Busy, e.Tries = edge.StateQueued, time.Time{}, 0, 0
		return string(keep) + " was chosen: it is sent again", nil
	})
}

// mine puts our version in the place of theirs.
func (e *Entry) mine() error {
	switch {
	case e.Key != "":
		return fault.New(fault.Refused, "write %s: the origin knows another request by its key: keep theirs, and write it anew", e.Number)
	case e.Theirs.Absent && e.Method == http.MethodPut:
		e.IfMatch, e.IfNoneMatch = "", "*"
	case !strings.HasPrefix(e.Theirs.ETag, `"`):
		return fault.New(fault.Refused, "write %s: their version has no strong ETag, so it could be another by then: keep both", e.Number)
	default:
		e.IfMatch, e.IfNoneMatch = e.Theirs.ETag, ""
	}
	return nil
}

// beside sends our version under a name of its own.
func (e *Entry) beside() error {
	if e.Method != http.MethodPut || e.Key != "" {
		return fault.New(fault.Refused, "write %s: this %s has no version of its own: keep mine or theirs", e.Number, e.Method)
	}
	u, err := url.ParseRequestURI(e.Target)
	if err != nil {
		return err
	}
	u.Path, u.RawPath = VersionName(u.Path, e.Number), ""
	e.Target = u.RequestURI()
	e.Order = u.EscapedPath()
	e.IfMatch, e.IfNoneMatch, e.Class = "", "*", edge.ClassCreate
	return nil
}

// VersionName is the name of our version beside theirs: the number before the
// ending, as in bozza.CARAVINO-2026-0042.odt.
func VersionName(p, number string) string {
	ext := path.Ext(p)
	if strings.Contains(ext, "/") || ext == path.Base(p) {
		ext = ""
	}
	return strings.TrimSuffix(p, ext) + "." + number + ext
}

// Stats is what is in the queue.
type Stats struct {
	States      map[edge.State]int `json:"states"`
	Bytes       map[string]int64   `json:"bytes"`        // of bodies kept, by comune
	OldestSince time.Time          `json:"oldest_since"` // of those that wait; zero for none
	Broken      int                `json:"broken"`       // records that cannot be read
}

// Stats counts what is in the queue.
func (q *Queue) Stats() (Stats, error) {
	s := Stats{States: map[edge.State]int{}, Bytes: map[string]int64{}}
	err := q.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bEntries).ForEach(func(_, v []byte) error {
			e, err := decodeEntry(v)
			if err != nil {
				s.Broken++
				return nil
			}
			s.States[e.State]++
			for _, b := range e.kept() {
				s.Bytes[e.Comune] += b.Bytes
			}
			if e.State.Waiting() && (s.OldestSince.IsZero() || e.Accepted.Before(s.OldestSince)) {
				s.OldestSince = e.Accepted
			}
			return nil
		})
	})
	return s, err
}
