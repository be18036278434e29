package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// slack is how many ids before the last that the index knows are looked for on
// the disk at a start: more than wait for the index at once.
const slack = mostPending + 5_000

func (s *Store) indexPath() string { return filepath.Join(s.cfg.Dir, "index.db") }

// Open makes what is on the disk ready to be found. An index that is damaged is
// put aside and made anew from the records, which takes a while.
func (s *Store) Open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		return nil
	}
	if s.index != nil {
		return fault.New(fault.Conflict, "store: it was closed: make another one")
	}
	for _, dir := range []string{"chunks", "sealed", "objects", "tmp"} {
		if err := os.MkdirAll(filepath.Join(s.cfg.Dir, dir), 0o700); err != nil {
			return fault.New(fault.Denied, "store: %w: give this user the folder", err)
		}
	}
	x, fresh, err := openIndex(s.indexPath(), s.cfg.Sync)
	if err != nil && !errors.Is(err, errIndex) {
		return err
	}
	s.pins = s.pinnedOf(s.cfg.Pins)
	var gone []*brief
	if err == nil {
		s.index = x
		if !fresh || !s.anyRecord() {
			gone, err = s.load()
		} else {
			err = errIndex
		}
	}
	if errors.Is(err, errIndex) {
		s.fault(&s.count.index, "the index is not there or damaged and is made anew", "err", err)
		if err = s.renew(); err == nil {
			gone, err = s.load()
		}
	}
	if err != nil {
		s.index.close()
		s.index = nil
		return fault.New(fault.Internal, "store: open %s: %w", s.indexPath(), err)
	}
	s.clearTemps() // the index is locked: they are nobody's
	s.adopt()
	s.open = true
	for _, b := range gone {
		s.pend[b.id] = change{files: []string{filepath.Dir(s.recordPath(b.id))}}
		s.forget(b.id)
	}
	close(s.ready)
	return nil
}

// load fills the table from the index. Of two that have the same place the newer
// stays; gone are the others.
func (s *Store) load() (gone []*brief, err error) {
	s.t = newTable(s.cfg.Services, s.cfg.Comuni)
	clear(s.chunks.refs)
	s.chunks.bytes = 0
	s.pins = s.pinnedOf(s.cfg.Pins)
	next, err := s.index.walk(func(b *brief) {
		if old := s.t.same(b.addr, b.variant); old != 0 {
			i := s.t.slot(b.addr, old)
			s.pins.leave(s.t.all[i].pin, s.t.all[i].size)
			s.t.remove(i)
			gone = append(gone, &brief{id: old})
		}
		s.insert(b, s.holdShares(b.chunks), false)
		s.next = max(s.next, b.id+1)
	})
	s.next = max(s.next, next)
	return gone, err
}

func (s *Store) holdShares(all []share) (bytes int64) {
	for _, c := range all {
		s.chunks.hold(c.short, int64(c.length))
		bytes += int64(c.length)
	}
	return bytes
}

// adopt takes in the records that the index did not come to know before the end.
// What was deleted has no record.
func (s *Store) adopt() {
	from := s.next - min(s.next, slack)
	known := map[uint64]bool{}
	for i := range s.t.all {
		if id := s.t.all[i].id; id >= from&^0xff {
			known[id] = true
		}
	}
	var found []uint64
	s.records(from>>8, func(id uint64) {
		if !known[id] {
			found = append(found, id)
		}
	})
	slices.Sort(found)
	for _, id := range found {
		b, err := s.scanned(id)
		if err != nil {
			s.unreadable(id, err)
			s.next = max(s.next, id+1)
			continue
		}
		bytes := s.holdShares(b.chunks)
		if old := s.t.same(b.addr, b.variant); old != 0 {
			if old > id { // it was to go
				s.forget(id)
				continue
			}
			s.take(b.addr, old)
			s.forget(old)
		}
		s.insert(b, bytes, false)
		s.pend[id] = change{brief: b.pack(), files: []string{s.recordPath(id)}}
		s.next = max(s.next, id+1)
	}
}

// records gives the ids that have a record, from a folder on.
func (s *Store) records(from uint64, f func(id uint64)) {
	root := filepath.Join(s.cfg.Dir, "objects")
	dirs, _ := os.ReadDir(root)
	for _, d := range dirs {
		if n, err := strconv.ParseUint(d.Name(), 16, 64); err != nil || n < from {
			continue
		}
		names, _ := os.ReadDir(filepath.Join(root, d.Name()))
		for _, e := range names {
			id, err := strconv.ParseUint(e.Name(), 16, 64)
			if err == nil && s.recordPath(id) == filepath.Join(root, d.Name(), e.Name()) {
				f(id)
			}
		}
	}
}

func (s *Store) anyRecord() (any bool) {
	s.records(0, func(uint64) { any = true })
	return any
}

// scanned is the brief of a record on the disk. One whose key is not there is an
// error: what it is of could not be purged.
func (s *Store) scanned(id uint64) (*brief, error) {
	b, err := slurp(s.chunks.fs, s.recordPath(id), mostHead)
	if err != nil {
		return nil, err
	}
	r, err := unpack(b, s.lockOf)
	if err != nil {
		return nil, err
	}
	if r.id != id {
		return nil, errRecord
	}
	l, _ := s.lockOf(r.comune)
	if r.lockID == 0 {
		l = nil
	}
	return r.brief(l, len(b)), nil
}

// unreadable removes a record that cannot be read.
func (s *Store) unreadable(id uint64, err error) {
	if passing(err) || errors.Is(err, os.ErrNotExist) {
		return
	}
	s.fault(&s.count.damaged, "the record of a stored answer cannot be read, and it is forgotten", "id", id, "err", err)
	s.chunks.fs.Remove(s.recordPath(id))
}

// renew puts the index aside and makes another from the records. Those that are
// damaged are removed. s.flushing is held, or nobody else is there yet.
func (s *Store) renew() error {
	s.index.abandon()
	path := s.indexPath()
	aside := path + "." + s.cfg.Now().UTC().Format("20060102T150405") + ".damaged"
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.onlyLatest(aside)
	x, _, err := openIndex(path, s.cfg.Sync)
	if err != nil {
		return err
	}
	s.index = x
	changes, last := map[uint64]change{}, uint64(0)
	write := func() error {
		err := x.update(changes, nil, last+1)
		clear(changes)
		return err
	}
	begun := time.Now()
	n := 0
	s.records(0, func(id uint64) {
		last = max(last, id)
		b, e := s.scanned(id)
		if e != nil {
			s.unreadable(id, e)
			return
		}
		n++
		changes[id] = change{brief: b.pack()}
		if len(changes) == 4096 && err == nil {
			err = write()
		}
	})
	if err == nil {
		err = write()
	}
	s.deps.Log.Warn("the index was made anew from the records", "objects", n, "took", time.Since(begun), "old", aside)
	return err
}

// onlyLatest removes indexes that were put aside before.
func (s *Store) onlyLatest(latest string) {
	old, _ := filepath.Glob(s.indexPath() + ".*.damaged")
	for _, path := range old {
		if path != latest {
			os.Remove(path)
		}
	}
}

func (s *Store) clearTemps() {
	dir := filepath.Join(s.cfg.Dir, "tmp")
	all, _ := os.ReadDir(dir)
	for _, e := range all {
		os.Remove(filepath.Join(dir, e.Name()))
	}
}
