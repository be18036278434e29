package queue

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/crinale/crinale/internal/fault"
)

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
