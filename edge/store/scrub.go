package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Report is what a walk over the disk found.
type Report struct {
	Chunks  int
	Bytes   int64
	Damaged []string // names of chunks
	Lost    []string // addresses that were forgotten for them, or for their own record
	Orphans int      // files that nobody needed
}

// scrubs walks by schedule.
func (s *Store) scrubs(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.cfg.Scrub):
		}
		r, err := s.Scrub(ctx)
		if err == nil && (len(r.Damaged) > 0 || len(r.Lost) > 0) {
			s.deps.Log.Warn("the disk of the cache is damaged", "chunks", r.Damaged, "forgotten", len(r.Lost))
		}
	}
}

// Scrub reads all chunks at the configured rate against their names, forgets
// the objects that hold what is damaged, and removes what nobody needs.
func (s *Store) Scrub(ctx context.Context) (Report, error) {
	var r Report
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	if !open { // nobody would need anything
		return r, fault.New(fault.Unreachable, "store: scrub: it is not open: start it first")
	}
	bad := map[uint64]bool{}
	begun := time.Now()
	for _, kind := range []string{"chunks", "sealed"} {
		dirs, _ := os.ReadDir(filepath.Join(s.cfg.Dir, kind))
		for _, d := range dirs {
			all, _ := os.ReadDir(filepath.Join(s.cfg.Dir, kind, d.Name()))
			for _, e := range all {
				if err := ctx.Err(); err != nil {
					return r, err
				}
				n, broken := s.scrubFile(kind == "sealed", filepath.Join(s.cfg.Dir, kind, d.Name(), e.Name()), &r)
				if broken {
					bad[short(n)] = true
				}
				due := time.Duration(float64(r.Bytes) / float64(s.cfg.Rate) * float64(time.Second))
				if ahead := due - time.Since(begun); ahead > 10*time.Millisecond {
					select {
					case <-ctx.Done():
						return r, ctx.Err()
					case <-time.After(ahead):
					}
				}
			}
		}
	}
	s.scrubRecords(&r)
	return r, s.forgetHolders(bad, &r)
}

// scrubFile looks at one file among the chunks.
func (s *Store) scrubFile(sealed bool, path string, r *Report) (n name, broken bool) {
	b, err := hex.DecodeString(filepath.Base(path))
	if err != nil || len(b) != len(n) {
		if os.Remove(path) == nil {
			r.Orphans++
		}
		return n, false
	}
	copy(n[:], b)
	if was, err := s.chunks.orphan(n, path); was {
		if err == nil {
			r.Orphans++
		}
		return n, false
	}
	f, err := s.chunks.fs.Open(path)
	if err != nil {
		return n, !passing(err) && !errors.Is(err, os.ErrNotExist)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, mostChunk+128))
	r.Chunks++
	r.Bytes += int64(len(content))
	want := n[:]
	if sealed && err == nil { // its own checksum is behind it
		cut := max(len(content)-sha256.Size, 0)
		content, want = content[:cut], content[cut:]
	}
	if h := sha256.Sum256(content); err == nil && bytes.Equal(h[:], want) {
		s.chunks.judge(n, !sealed || s.chunks.isGood(n))
		return n, false
	}
	s.chunks.judge(n, false)
	s.count.scrubbed.Add(1)
	r.Damaged = append(r.Damaged, filepath.Base(path))
	return n, true
}

// scrubRecords holds the records against the table, both ways: what has none is
// gone, and what the table does not know goes. What is plain though its comune
// has a key by now goes too.
func (s *Store) scrubRecords(r *Report) {
	s.mu.Lock()
	before := s.next
	type entryID struct {
		addr digest
		id   uint64
	}
	known := map[uint64]digest{}
	for i := range s.t.all {
		if e := &s.t.all[i]; e.id != 0 {
			known[e.id] = e.addr
		}
	}
	s.mu.Unlock()
	var lost []entryID
	s.records(0, func(id uint64) {
		addr, ok := known[id]
		delete(known, id)
		if !ok {
			if id < before && !s.alive(id) && os.Remove(s.recordPath(id)) == nil {
				r.Orphans++
			}
			return
		}
		rec, err := s.record(id, s.lockOf)
		switch {
		case err == nil && rec.lockID == 0:
			if l, ok := s.lockOf(rec.comune); ok && l == nil {
				return
			}
		case err == nil, errors.Is(err, errKey), passing(err), errors.Is(err, os.ErrNotExist):
			return
		}
		if rec != nil && err == nil {
			r.Lost = append(r.Lost, rec.address)
		} else {
			r.Lost = append(r.Lost, "record "+filepath.Base(s.recordPath(id)))
		}
		lost = append(lost, entryID{addr, id})
	})
	for id, addr := range known {
		if _, err := os.Lstat(s.recordPath(id)); !errors.Is(err, os.ErrNotExist) {
			continue // the folder could not be read
		}
		lost = append(lost, entryID{addr, id})
	}
	for _, e := range lost {
		s.drop(e.addr, e.id)
	}
}

// alive says that a record is one that the table knows by now, or is being put
// in place just now.
func (s *Store) alive(id uint64) bool {
	rec, err := s.record(id, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.making[id] || err == nil && s.t.slot(rec.addr, id) != 0 || err != nil && passing(err)
}

// forgetHolders forgets the objects that hold damaged chunks.
func (s *Store) forgetHolders(bad map[uint64]bool, r *Report) error {
	if len(bad) == 0 {
		return nil
	}
	var holders []*brief
	err := s.walk(func(b *brief) {
		for _, c := range b.chunks {
			if bad[c.short] {
				holders = append(holders, &brief{id: b.id, addr: b.addr})
				return
			}
		}
	})
	for _, b := range holders {
		address := "(sealed)"
		if rec, err := s.record(b.id, s.lockOf); err == nil {
			address = rec.address
		}
		if s.drop(b.addr, b.id) {
			r.Lost = append(r.Lost, address)
		}
	}
	if err != nil {
		return err
	}
	return s.flush()
}
