package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Buckets of queue.db.
var (
	bEntries = []byte("entries") // number → Entry
	bWaiting = []byte("waiting") // place of the line, 8 bytes of order → number
	bJournal = []byte("journal") // number, 0, 8 bytes → Event
	bNumbers = []byte("numbers") // COMUNE-2026 → last counter
	bOnce    = []byte("once")    // hash of person, service and name → number
	bSources = []byte("sources") // hash of service and source → source
	bBooks   = []byte("books")   // of the emergency register
)

var buckets = [][]byte{bEntries, bWaiting, bJournal, bNumbers, bOnce, bSources, bBooks}

// Open opens the files, and takes back what was being sent when they were left.
func (q *Queue) Open(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.db.Load() != nil {
		return nil
	}
	if err := os.MkdirAll(q.bodies(), 0o700); err != nil {
		return fmt.Errorf("open queue: %w", err)
	}
	path := filepath.Join(q.cfg.Dir, "queue.db")
	db, err := openDB(path)
	if err != nil {
		return fault.New(fault.Internal, "open queue: %s: %w: stop the other program that has it, or put the file aside and take it back from a copy", path, err)
	}
	q.db.Store(db)
	q.lines, q.held, q.pauses, q.broken = map[place]*line{}, map[string]int64{}, map[string]time.Time{}, 0
	err = q.load(ctx)
	for _, dir := range []string{q.bodies(), q.cfg.Dir, filepath.Dir(q.cfg.Dir)} {
		err = errors.Join(err, syncDir(dir))
	}
	if err != nil {
		q.db.Store(nil)
		return errors.Join(fmt.Errorf("open queue: %w", err), db.Close())
	}
	return nil
}

func openDB(path string) (db *bbolt.DB, err error) {
	defer rescue(&err)
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 5 * time.Second})
}

// rescue makes an error of a panic: the database library raises one on a page
// that cannot be.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fault.New(fault.Internal, "queue.db is damaged: %v", p)
	}
}

func (q *Queue) load(ctx context.Context) error {
	names := map[string]bool{}
	var sending []string
	err := q.update(func(tx *bbolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return tx.Bucket(bEntries).ForEach(func(k, v []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			e, err := decodeEntry(v)
			if err != nil || e.Number != string(k) {
				q.broken++
				q.deps.Log.Error("a record of the queue cannot be read", "number", string(k), "err", err)
				return nil
			}
			for _, b := range e.kept() {
				names[b.ID] = true
				q.held[e.Comune] += b.Bytes
			}
			if e.State == edge.StateSending {
				sending = append(sending, e.Number)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, number := range sending {
		if _, err := q.moveLocked(number, "", func(e *Entry) (string, error) {
			e.State, e.Unsure = edge.StateQueued, true
			return "the edge stopped while it was being sent: it is sent again with the same condition and key", nil
		}); err != nil {
			return err
		}
	}
	if err := q.fill(); err != nil {
		return err
	}
	if q.broken > 0 {
		return nil // a record that cannot be read may name any of the bodies
	}
	return q.sweepBodies(names)
}

// sweepBodies removes the files that no record names: those of an Accept that
// did not come to its end.
func (q *Queue) sweepBodies(names map[string]bool) error {
	files, err := os.ReadDir(q.bodies())
	if err != nil {
		return err
	}
	for _, f := range files {
		if !names[f.Name()] {
			if err := os.Remove(filepath.Join(q.bodies(), f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// kept are the bodies of an entry that lie on the disk.
func (e *Entry) kept() []Body {
	var out []Body
	if e.Body.ID != "" {
		out = append(out, e.Body)
	}
	if e.Theirs != nil && e.Theirs.Body.ID != "" {
		out = append(out, e.Theirs.Body)
	}
	return out
}

var errClosed = fault.New(fault.Conflict, "the queue is not open: open it first")

func (q *Queue) update(do func(*bbolt.Tx) error) (err error) {
	db := q.db.Load()
	if db == nil {
		return errClosed
	}
	defer rescue(&err)
	return db.Update(do)
}

func (q *Queue) view(do func(*bbolt.Tx) error) (err error) {
	db := q.db.Load()
	if db == nil {
		return errClosed
	}
	defer rescue(&err)
	return db.View(do)
}

func waitingKey(p place, at uint64) []byte {
	return binary.BigEndian.AppendUint64(slices.Clone(p[:]), at)
}

// put writes an entry and its place in the index; from is the state before.
func put(tx *bbolt.Tx, before *Entry, e *Entry) error {
	data, err := encode(e)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bEntries).Put([]byte(e.Number), data); err != nil {
		return err
	}
	waiting := tx.Bucket(bWaiting)
	if before != nil && before.State.Waiting() {
		if err := waiting.Delete(waitingKey(placeOf(before.Service, before.Order), before.Place)); err != nil {
			return err
		}
	}
	if e.State.Waiting() {
		return waiting.Put(waitingKey(placeOf(e.Service, e.Order), e.Place), []byte(e.Number))
	}
	return nil
}

func journal(tx *bbolt.Tx, number string, ev Event) error {
	b := tx.Bucket(bJournal)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	data, err := encode(ev)
	if err != nil {
		return err
	}
	return b.Put(binary.BigEndian.AppendUint64([]byte(number+"\x00"), n), data)
}

// move changes an entry and journals the transition, in one step that is on the
// disk when it returns. change says why, in words; it is given a copy, and an
// error of it leaves all as it was.
func (q *Queue) move(number, by string, change func(*Entry) (reason string, err error)) (Entry, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.moveLocked(number, by, change)
}

func (q *Queue) moveLocked(number, by string, change func(*Entry) (string, error)) (Entry, error) {
	var before, e Entry
	err := q.update(func(tx *bbolt.Tx) error {
		data := tx.Bucket(bEntries).Get([]byte(number))
		if data == nil {
			return fault.New(fault.NotFound, "write %s: there is none with this number", number)
		}
		var err error
		if before, err = decodeEntry(data); err != nil {
			return fmt.Errorf("write %s: %w", number, err)
		}
		if e, err = decodeEntry(data); err != nil { // a copy that shares nothing
			return err
		}
		reason, err := change(&e)
		if err != nil {
			return err
		}
		e.Reason = reason
		if e.State.Waiting() && !before.State.Waiting() { // it stands in a line again, at the end
			if e.Place, err = tx.Bucket(bEntries).NextSequence(); err != nil {
				return err
			}
		}
		if err := put(tx, &before, &e); err != nil {
			return err
		}
		return journal(tx, number, Event{At: time.Now().UTC(), From: before.State, To: e.State, Reason: reason, By: by, Status: e.Status})
	})
	if err != nil {
		return Entry{}, err
	}
	q.follow(&before, &e)
	return e, nil
}
