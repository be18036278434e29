package proxy

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
)

// Of an answer that the store no longer takes, so much waits for those who read
// it; one who reads nothing for stalled is left behind.
const (
	mostTail = 1 << 20
	stalled  = 30 * time.Second
)

var errBehind = errors.New("the reader was too slow for an answer that could not be stored")

// spool is the body of an answer that comes, for several who read it at their
// own speed. It goes into a draft; when the store fails, what comes after that
// stays in memory until all have read it, so that nobody's answer is cut.
type spool struct {
	mu      sync.Mutex
	news    sync.Cond
	draft   edge.Draft
	base    int64 // place of the first byte in the whole
	kept    int64 // bytes that the draft holds
	tail    []byte
	at      int64 // place of tail, from the first byte on
	end     int64 // bytes that came
	lost    bool  // the store failed: nobody may begin to read
	left    bool  // the writer is gone: the draft goes with the last reader
	done    bool
	err     error // why it ended too early
	readers map[*spoolReader]bool
}

func newSpool(d edge.Draft, base int64) *spool {
	s := &spool{draft: d, base: base, readers: map[*spoolReader]bool{}}
	s.news.L = &s.mu
	return s
}

// write takes what came.
func (s *spool) write(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lost {
		s.mu.Unlock()
		n, err := s.draft.Write(p)
		s.mu.Lock()
		s.kept += int64(n)
		s.end += int64(n)
		if s.news.Broadcast(); err == nil {
			return
		}
		s.lost, s.at = true, s.end
		p = p[n:]
	}
	s.room()
	s.tail = append(s.tail, p...)
	s.end += int64(len(p))
	s.news.Broadcast()
}

// room waits until the tail is short enough, and drops what all have read. Who
// has not read for stalled is left behind.
func (s *spool) room() {
	late := time.AfterFunc(stalled, func() { s.mu.Lock(); defer s.mu.Unlock(); s.news.Broadcast() })
	defer late.Stop()
	for begun := time.Now(); !s.drop(); s.news.Wait() {
		if time.Since(begun) < stalled {
			continue
		}
		for r := range s.readers {
			if r.at <= s.at {
				r.behind = true
				delete(s.readers, r)
			}
		}
		s.news.Broadcast()
		if s.drop() {
			return
		}
	}
}

// drop drops what all have read, and says whether there is room.
func (s *spool) drop() bool {
	least := s.end
	for r := range s.readers {
		least = min(least, max(r.at, s.at))
	}
	s.tail, s.at = s.tail[least-s.at:], least
	return len(s.tail) < mostTail
}

// finish says that no more comes; err, that it ended too early.
func (s *spool) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done, s.err = true, err
	s.news.Broadcast()
}

// leave says that the writer is done with the draft.
func (s *spool) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	s.letGo()
}

// letGo lets the draft go when nobody needs it any more.
func (s *spool) letGo() {
	if s.left && len(s.readers) == 0 {
		s.draft.Abort()
	}
}

// whole says whether all that came is in the draft.
func (s *spool) whole() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done && s.err == nil && !s.lost
}

// reader reads from the first byte on; nil when that is no longer there.
func (s *spool) reader() *spoolReader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost || s.left && len(s.readers) == 0 {
		return nil
	}
	r := &spoolReader{s: s}
	s.readers[r] = true
	return r
}

type spoolReader struct {
	s      *spool
	at     int64
	behind bool
}

// wait waits until there is something to read, or nothing more to come.
func (r *spoolReader) wait() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.await()
}

// await is wait with s.mu held.
func (r *spoolReader) await() {
	for r.at == r.s.end && !r.s.done && !r.behind {
		r.s.news.Wait()
	}
}

func (r *spoolReader) Read(p []byte) (int, error) {
	s := r.s
	s.mu.Lock()
	r.await()
	switch {
	case r.behind:
		s.mu.Unlock()
		return 0, errBehind
	case r.at < s.kept:
		n := min(int64(len(p)), s.kept-r.at)
		s.mu.Unlock()
		k, err := s.draft.ReadAt(p[:n], s.base+r.at)
		s.mu.Lock()
		r.at += int64(k)
		s.mu.Unlock()
		if err == io.EOF && int64(k) == n {
			err = nil
		}
		return k, err
	case r.at < s.end:
		n := copy(p, s.tail[r.at-s.at:])
		r.at += int64(n)
		s.news.Broadcast() // there is room
		s.mu.Unlock()
		return n, nil
	}
	err := s.err
	s.mu.Unlock()
	if err == nil {
		err = io.EOF
	}
	return 0, err
}

// close lets go.
func (r *spoolReader) close() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.readers[r] {
		delete(r.s.readers, r)
		r.s.letGo()
	}
	r.s.news.Broadcast()
}
