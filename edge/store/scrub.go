package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Scrubbed is what a look through the store found.
type Scrubbed struct {
	Chunks  int
	Bytes   int64
	Damaged []string // names of chunks that are not as they were written
	Missing []string // names of chunks that a record has and that are not there
	Orphans int      // files that nobody had, and that were removed
}

// Scrub reads all chunks at the rate of the configuration, drops what is damaged
// with the answers that hold it, and removes what nobody has.
func (s *Store) Scrub(ctx context.Context) (Scrubbed, error) {
	var out Scrubbed
	if err := s.scrubChunks(ctx, &out); err != nil {
		return out, err
	}
	err := s.scrubRecords(ctx, &out)
	if n := len(out.Damaged) + len(out.Missing); n > 0 {
		s.deps.Log.Warn("the store was looked through", "chunks", out.Chunks, "damaged", out.Damaged, "missing", out.Missing)
	}
	return out, err
}

func (s *Store) scrubChunks(ctx context.Context, out *Scrubbed) error {
	begun := time.Now()
	dir := filepath.Join(s.cfg.Dir, chunkDir)
	err := each(dir, func(sub string, names []fs.DirEntry) error {
		for _, e := range names {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			path := filepath.Join(dir, sub, e.Name())
			var n name
			info, err := e.Info()
			if err != nil || !hexInto(n[:], e.Name()) {
				continue
			}
			out.Chunks++
			out.Bytes += info.Size()
			who, err := s.index.ids(refBucket, n[:])
			if err != nil {
				return err
			}
			if len(who) == 0 {
				if s.index.sure.Load() && time.Since(info.ModTime()) > tempAge {
					s.index.tell(change{look: []name{n}})
					out.Orphans++
				}
				continue
			}
			if err := s.whole(path, n, who, info.Size()); errors.Is(err, errDamaged) {
				out.Damaged = append(out.Damaged, e.Name())
				s.stats.damaged.Add(1)
				for _, i := range who {
					s.dropID(i)
				}
				s.verified.drop(n)
				if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
					s.failed("remove a chunk", err)
				}
			} else if err != nil && !os.IsNotExist(err) {
				s.failed("look through a chunk", err)
			}
			due := time.Duration(float64(out.Bytes) / float64(s.cfg.ScrubRate) * float64(time.Second))
			if ahead := due - time.Since(begun); ahead > 0 {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(ahead):
				}
			}
		}
		return nil
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// whole says whether the file of a chunk is as it was written; nil also where
// that cannot be told without a key.
func (s *Store) whole(path string, n name, who []id, size int64) error {
	r, err := s.index.row(who[0])
	if err != nil || r == nil {
		return err
	}
	var secret []byte
	length := size
	if r.Sealed {
		k, ok := s.deps.Key(r.Comune)
		if !ok || len(k) != 32 {
			return nil
		}
		secret = k
		segments := (size - saltSize + segmentSize + tagSize - 1) / (segmentSize + tagSize)
		length = size - saltSize - segments*tagSize
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if length <= 0 {
		return fmt.Errorf("chunk %x: %w: it is empty", n, errDamaged)
	}
	c, err := readChunk(f, secret, length)
	if err != nil {
		return err
	}
	return c.verify(secret, n)
}

// row is the row of an address; nil for none.
func (x *index) row(i id) (r *row, err error) {
	err = x.view(func(tx *bolt.Tx) error {
		data := bytes.Clone(tx.Bucket(rowBucket).Get(i[:]))
		r, _ = parseRow(data) // a damaged one is as none
		return nil
	})
	return r, err
}

func (s *Store) dropID(i id) {
	lock := &s.locks[i[0]]
	lock.Lock()
	defer lock.Unlock()
	s.drop(i)
}

// scrubRecords drops the answers whose chunks are not there.
func (s *Store) scrubRecords(ctx context.Context, out *Scrubbed) error {
	for b := range 256 {
		rows, err := s.index.rows(byte(b))
		if err != nil {
			return err
		}
		for i, r := range rows {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			for _, n := range r.Chunks {
				if _, err := os.Stat(s.chunkPath(n)); !os.IsNotExist(err) {
					continue
				}
				if now, err := s.index.row(i); err == nil && now != nil && now.At == r.At { // not changed since it was listed
					out.Missing = append(out.Missing, fmt.Sprintf("%x", n))
					s.stats.damaged.Add(1)
					s.dropID(i)
				}
				break
			}
		}
	}
	return nil
}
