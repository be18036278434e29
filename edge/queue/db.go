package queue

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// place is the line in which writes follow each other, as a hash: it stands in
// the key of the index, so that a record that cannot be read still keeps those
// behind it from overtaking.
type place [sha256.Size]byte

func placeOf(service, order string) place { return sha256.Sum256([]byte(service + "\x00" + order)) }

// item is a write that waits, as Run sees it.
type item struct {
	number    string
	place     place
	service   string
	at        uint64
	bytes     int64
	notBefore time.Time
	expires   time.Time
	lost      bool // it failed for want of a link
	sending   bool
	broken    bool
}

// line is the writes of one resource or source, in order.
type line struct{ items []*item }

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

// fill makes the lines anew out of the index.
func (q *Queue) fill() error {
	q.lines = map[place]*line{}
	return q.view(func(tx *bbolt.Tx) error {
		entries := tx.Bucket(bEntries)
		return tx.Bucket(bWaiting).ForEach(func(k, v []byte) error {
			if len(k) != len(place{})+8 {
				return fault.New(fault.Internal, "index of the queue: a key of %d bytes", len(k))
			}
			it := &item{number: string(v), at: binary.BigEndian.Uint64(k[len(place{}):])}
			copy(it.place[:], k)
			if e, err := decodeEntry(entries.Get(v)); err != nil {
				it.broken = true
			} else {
				it.take(e)
			}
			q.insert(it)
			return nil
		})
	})
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

func (it *item) take(e Entry) {
	it.service, it.bytes, it.notBefore, it.expires = e.Service, e.Body.Bytes, e.NotBefore, e.Expires
}

func (q *Queue) insert(it *item) {
	l := q.lines[it.place]
	if l == nil {
		l = &line{}
		q.lines[it.place] = l
	}
	i, _ := slices.BinarySearchFunc(l.items, it, func(a, b *item) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return strings.Compare(a.number, b.number)
	})
	l.items = slices.Insert(l.items, i, it)
}

func (q *Queue) remove(p place, number string) {
	l := q.lines[p]
	if l == nil {
		return
	}
	l.items = slices.DeleteFunc(l.items, func(it *item) bool { return it.number == number })
	if len(l.items) == 0 {
		delete(q.lines, p)
	}
}

// find is the item of an entry that waits; nil for none.
func (q *Queue) find(e *Entry) *item {
	if l := q.lines[placeOf(e.Service, e.Order)]; l != nil {
		for _, it := range l.items {
			if it.number == e.Number {
				return it
			}
		}
	}
	return nil
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

// follow brings what is in memory to what is on the disk.
func (q *Queue) follow(before, e *Entry) {
	still := map[string]bool{}
	for _, b := range e.kept() {
		still[b.ID] = true
		q.held[e.Comune] += b.Bytes
	}
	for _, b := range before.kept() {
		q.held[e.Comune] -= b.Bytes
		if !still[b.ID] {
			q.drop(b)
		}
	}
	it := q.find(before)
	switch {
	case before.State.Waiting() && e.State.Waiting():
		if it != nil {
			it.take(*e)
		}
	case before.State.Waiting():
		q.remove(placeOf(before.Service, before.Order), e.Number)
	case e.State.Waiting():
		q.add(e)
	}
	q.poke()
}

func (q *Queue) add(e *Entry) {
	it := &item{number: e.Number, place: placeOf(e.Service, e.Order), at: e.Place}
	it.take(*e)
	q.insert(it)
}
