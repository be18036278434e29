package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// evict drops what leaves, until the store is within its bounds.
func (s *Store) evict(ctx context.Context) {
	if !s.rebuilt.Load() {
		return // not all is counted yet
	}
	for n := 0; ctx.Err() == nil && s.queue.tooMuch(s.cfg.Dir); n++ {
		i, ok := s.queue.victim()
		if !ok {
			return
		}
		lock := &s.locks[i[0]]
		lock.Lock()
		s.drop(i)
		lock.Unlock()
		s.stats.evicted.Add(1)
		if n%100 == 99 { // the room shows when the chunks are gone
			s.index.settle()
		}
	}
}

// renew makes the index again from what is kept.
func (s *Store) renew(ctx context.Context) error {
	s.rebuilt.Store(false)
	if err := s.index.replace(); err != nil {
		return err
	}
	return s.reconcile(ctx)
}

// counted is a row that is told to the queue.
type counted struct {
	id     id
	at     int64
	size   int64
	place  Place
	pinned bool
}

// reconcile has the queue and the index know what is kept: what the program's
// end kept from the index is read, what is gone is forgotten.
func (s *Store) reconcile(ctx context.Context) error {
	var all []counted
	seen := make(map[id]bool)
	var row256 map[id]*row
	err := each(s.recordsPath(), func(sub string, names []fs.DirEntry) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var first id
		if !hexInto(first[:1], sub) {
			return nil
		}
		var err error
		if row256, err = s.index.rows(first[0]); err != nil {
			return err
		}
		for _, e := range names {
			var i id
			if !hexInto(i[:], e.Name()) {
				continue
			}
			seen[i] = true
			if r := row256[i]; r != nil {
				all = append(all, counted{i, r.At, r.Size, Place{r.Service, r.Comune, r.Sealed}, r.Pinned})
				continue
			}
			s.relearn(i)
		}
		for i := range row256 {
			if !seen[i] {
				s.forgetGone(i)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	slices.SortFunc(all, func(a, b counted) int { return int(min(max(a.at-b.at, -1), 1)) })
	known := s.queue.ids()
	for _, c := range all {
		if !known[c.id] { // else something was kept there meanwhile
			s.queue.put(c.id, c.place, c.size, c.pinned)
		}
	}
	s.index.settle()
	if !s.index.broken() {
		s.index.sure.Store(true)
	}
	s.rebuilt.Store(true)
	return nil
}

// relearn reads a record that the index does not know.
func (s *Store) relearn(i id) {
	lock := &s.locks[i[0]]
	lock.Lock()
	defer lock.Unlock()
	e, size, err := s.scan(i)
	switch {
	case err != nil:
		s.stats.damaged.Add(1)
		s.deps.Log.Warn("a record of the store is not as it was written, and is dropped", "err", err)
		s.drop(i)
	case e != nil:
		s.noted(e, size)
	}
}

// forgetGone takes a row out whose record is not there.
func (s *Store) forgetGone(i id) {
	lock := &s.locks[i[0]]
	lock.Lock()
	defer lock.Unlock()
	if _, err := os.Stat(s.recordPath(i)); os.IsNotExist(err) {
		s.queue.remove(i)
		s.index.tell(change{id: i})
	}
}

// scan reads a record whose address is not known: nil without an error for one
// that cannot be read without its key, which may come back. It needs the lock
// of the id.
func (s *Store) scan(i id) (*entry, int64, error) {
	data, err := os.ReadFile(s.recordPath(i))
	if err != nil {
		if os.IsNotExist(err) {
			return nil, 0, nil
		}
		s.failed("read a record", err)
		return nil, 0, nil
	}
	k := key{id: i}
	if comune, sealed := sealedFor(data); sealed {
		secret, ok := s.deps.Key(comune)
		if !ok || len(secret) != 32 {
			return nil, 0, nil
		}
		k.secret = secret
	}
	e, err := s.parse(k, data)
	if err != nil {
		return nil, 0, err
	}
	// What the place of the address asks for may have changed since.
	now, ok := s.keyOf(e.address)
	if !ok || now.id != i {
		return nil, 0, errors.New("it is kept in another way now")
	}
	e.key = now
	for _, o := range e.all {
		o.key = now
	}
	return e, int64(len(data)), nil
}

// Erase drops all that a comune has here and whose key is gone, or not.
func (s *Store) Erase(ctx context.Context, comune string) (n int, err error) {
	for b := range 256 {
		rows, err := s.index.rows(byte(b))
		if err != nil {
			return n, err
		}
		for i, r := range rows {
			if ctx.Err() != nil {
				return n, ctx.Err()
			}
			if r.Comune == comune {
				lock := &s.locks[i[0]]
				lock.Lock()
				s.drop(i)
				lock.Unlock()
				n++
			}
		}
	}
	return n, nil
}
