package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/crinale/crinale/internal/fault"
)

// change is what the index does not know yet of an object.
type change struct {
	brief []byte   // nil: it is gone
	files []string // to be on the disk before
}

// touch is a use that the index does not know yet.
type touch struct {
	used        uint32
	queue, freq uint8
}

// index is the file by which objects are found after a start: id → brief. It
// can always be made anew from the records.
type index struct{ db *bbolt.DB }

var (
	errIndex = errors.New("the index is damaged")
	bucket   = []byte("objects")
)

// guarded calls f. A file with flipped bits can make bbolt panic or read where
// nothing is; both are errIndex.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errIndex, r)
		}
	}()
	return f()
}

// openIndex opens the file at path, and makes it where it is not there: then
// fresh is true.
func openIndex(path string, sync bool) (x *index, fresh bool, err error) {
	st, err := os.Stat(path)
	fresh = errors.Is(err, os.ErrNotExist) || err == nil && st.Size() == 0
	x = &index{}
	err = guarded(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoSync: !sync})
		if err != nil {
			return err
		}
		x.db = db
		if fresh {
			return db.Update(func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucketIfNotExists(bucket)
				return err
			})
		}
		return db.View(func(tx *bbolt.Tx) error {
			if tx.Bucket(bucket) == nil {
				return errIndex
			}
			return nil
		})
	})
	switch {
	case err == nil:
		return x, fresh, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, false, fault.New(fault.Conflict, "store: %s is used by another process: end that first", path)
	case os.IsPermission(err):
		return nil, false, fault.New(fault.Denied, "store: open %s: %w: give this user the folder", path, err)
	}
	x.abandon()
	return nil, false, fmt.Errorf("%w: %w", errIndex, err)
}

func (x *index) close() error {
	if x == nil || x.db == nil {
		return nil
	}
	return guarded(x.db.Close)
}

// abandon closes an index that is damaged. What is left of a transaction in it
// may hold it for ever: then it stays open, and its file is one that was put
// aside.
func (x *index) abandon() {
	closed := make(chan struct{})
	go func() { defer close(closed); x.close() }()
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
	}
}

func key(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// walk gives every brief, by id. One that is damaged, or is not where it says,
// is errIndex.
func (x *index) walk(f func(*brief)) (next uint64, err error) {
	err = guarded(func() error {
		return x.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			if b == nil {
				return errIndex
			}
			next = b.Sequence()
			last := uint64(0)
			return b.ForEach(func(k, v []byte) error {
				r, err := unpackBrief(v)
				if err != nil || len(k) != 8 || binary.BigEndian.Uint64(k) != r.id || r.id <= last {
					return errIndex
				}
				last = r.id
				f(r)
				return nil
			})
		})
	})
	return next, err
}

// update writes changes and touches in one transaction.
func (x *index) update(changes map[uint64]change, touched map[uint64]touch, next uint64) error {
	return guarded(func() error {
		return x.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			if b == nil {
				return errIndex
			}
			b.FillPercent = 0.9 // ids only grow
			for id, c := range changes {
				var err error
				if c.brief == nil {
					err = b.Delete(key(id))
				} else {
					err = b.Put(key(id), c.brief)
				}
				if err != nil {
					return err
				}
			}
			for id, t := range touched {
				v := b.Get(key(id))
				if v == nil {
					continue
				}
				v = append([]byte(nil), v...)
				if !sumHolds(v, 0) || len(v) <= briefFreq {
					return errIndex
				}
				binary.LittleEndian.PutUint32(v[briefUsed:], t.used)
				v[briefQueue], v[briefFreq] = t.queue, t.freq
				sum(v, 0)
				if err := b.Put(key(id), v); err != nil {
					return err
				}
			}
			return b.SetSequence(next)
		})
	})
}

// flush writes what the index does not know yet. What fails waits.
func (s *Store) flush() error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.mu.Lock()
	changes, touched, next := s.pend, s.touched, s.next
	if s.index == nil || len(changes) == 0 && len(touched) == 0 {
		s.mu.Unlock()
		return nil
	}
	s.pend, s.touched = map[uint64]change{}, map[uint64]touch{}
	s.mu.Unlock()
	err := s.synced(changes)
	if err == nil {
		if err = s.index.update(changes, touched, next); errors.Is(err, errIndex) {
			s.fault(&s.count.index, "the index is damaged and is made anew", "err", err)
			err = s.renew()
			if err == nil {
				err = s.index.update(changes, touched, next)
			}
		}
	}
	if err == nil {
		return nil
	}
	s.fault(&s.count.index, "the index cannot be written", "err", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range changes {
		if _, newer := s.pend[id]; !newer {
			s.pend[id] = c
		}
	}
	return fault.New(fault.Internal, "store: write the index: %w", err)
}

// synced waits until the files of changes are on the disk, and the names of
// them. What is gone meanwhile needs no waiting; what the disk cannot take is
// forgotten, so that the others need not wait for it for ever.
func (s *Store) synced(changes map[uint64]change) error {
	if !s.cfg.Sync {
		return nil
	}
	dirs := map[string]bool{}
	wait := func(path string) error {
		if err := syncPath(s.chunks.fs, path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	for id, c := range changes {
		for _, f := range c.files {
			if c.brief == nil {
				dirs[f] = true
				continue
			}
			if err := wait(f); passing(err) {
				return err
			} else if err != nil {
				s.writeFault(err)
				delete(changes, id)
				if b, err := unpackBrief(c.brief); err == nil {
					s.drop(b.addr, id)
				}
				break
			}
			dirs[filepath.Dir(f)], dirs[filepath.Dir(filepath.Dir(f))] = true, true
		}
	}
	for d := range dirs {
		if err := wait(d); err != nil {
			s.writeFault(err)
		}
	}
	return nil
}

// walk gives every brief of what is stored, after what waits was written.
func (s *Store) walk(f func(*brief)) error {
	if err := s.flush(); err != nil {
		return err
	}
	s.flushing.Lock()
	defer s.flushing.Unlock()
	if s.index == nil {
		return fault.New(fault.Unreachable, "store: it is not open: start it first")
	}
	_, err := s.index.walk(f)
	if errors.Is(err, errIndex) {
		s.fault(&s.count.index, "the index is damaged and is made anew", "err", err)
		if err = s.renew(); err == nil {
			_, err = s.index.walk(f)
		}
	}
	return err
}
