package store

import (
	"errors"
	"io"
	"io/fs"
	"sort"
	"sync"
	"syscall"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// object is what Find gives: a record, and its body where that is small and in
// memory.
type object struct {
	s    *Store
	rec  *record
	body []byte // nil when it is on the disk
}

func (o *object) Head() *edge.Stored { return o.rec.head }
func (o *object) Length() int64      { return o.rec.length }
func (o *object) Held() []edge.Span  { return o.rec.held() }

var errGone = fault.New(fault.NotFound, "store: the answer was forgotten meanwhile: fetch it again")

// Open opens the body. What was deleted or replaced since it was found, is
// damaged, or has lost its key, cannot be opened: it is a miss.
func (o *object) Open() (edge.Body, error) {
	s, r := o.s, o.rec
	l, ok := s.lockOf(r.comune)
	if !ok || l.identity() != r.lockID {
		return nil, noKey(r.comune)
	}
	s.mu.Lock()
	if !s.open || s.t.slot(r.addr, r.id) == 0 {
		s.mu.Unlock()
		return nil, errGone
	}
	if o.body == nil && len(r.pieces) > 0 {
		if w, ok := s.warm.GetIfPresent(r.id); ok {
			o = w
		}
	}
	if o.body != nil {
		s.mu.Unlock()
		s.count.hitsRAM.Add(1)
		return memory(o.body), nil
	}
	s.chunks.holdAll(r.pieces)
	s.mu.Unlock()
	b := &body{s: s, r: r, l: l, at: -1}
	small, err := b.check()
	if err != nil {
		b.Close()
		return nil, s.damaged(r, err)
	}
	s.count.hitsDisk.Add(1)
	if small != nil {
		b.Close()
		s.warm.Set(r.id, &object{s: s, rec: r, body: small})
		return memory(small), nil
	}
	return b, nil
}

// damaged says that what a record names cannot be read. It is forgotten, but
// for want of descriptors or memory, which are no fault of the disk.
func (s *Store) damaged(r *record, err error) error {
	if passing(err) {
		return fault.New(fault.Internal, "store: read %s: %w", r.address, err)
	}
	s.fault(&s.count.damaged, "a stored answer cannot be read and is forgotten", "address", r.address, "err", err)
	s.drop(r.addr, r.id)
	return fault.New(fault.NotFound, "store: read %s: %w", r.address, err)
}

func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, fs.ErrClosed)
}

// memory is a body in memory.
type memory []byte

func (m memory) Close() error { return nil }

func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m memory) SendTo(w io.Writer, s edge.Span) (int64, error) {
	if s.First < 0 || s.Length < 0 || s.First > int64(len(m)) || s.Length > int64(len(m))-s.First {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := w.Write(m[s.First:s.End()])
	return int64(n), err
}

// body is one on the disk. It holds its chunks until it is closed.
type body struct {
	s *Store
	r *record
	l *lock

	mu     sync.Mutex
	closed bool
	at     int    // which piece is open for ReadAt; -1 none
	f      file   // where it is plain
	clear  []byte // where it is sealed
}

// mostChecked is how much of a body is read against its names before the first
// byte of it is given after a start. Of a longer one each chunk is when its turn
// comes: damage there ends the answer, but nothing wrong is ever given.
const mostChecked = 64 << 20

// check looks whether the whole body is there, and gives one that is small.
func (b *body) check() (small []byte, err error) {
	c := &b.s.chunks
	size := b.r.bytes()
	if len(b.r.pieces) == 1 && size <= mostWarm && b.r.pieces[0].first == 0 {
		small, err = c.content(b.l, b.r.pieces[0])
		if err == nil {
			c.judge(b.r.pieces[0].name, true)
		}
		return small, err
	}
	for _, p := range b.r.pieces {
		switch known := c.isGood(p.name); {
		case b.l == nil && !known && size <= mostChecked:
			f, err := c.plain(p)
			if err != nil {
				return nil, err
			}
			f.Close()
		case b.l != nil && !known && size <= mostChecked:
			if _, err := c.content(b.l, p); err != nil {
				return nil, err
			}
			c.judge(p.name, true)
		default:
			f, err := c.fs.Open(c.path(p.name, b.l != nil))
			if err != nil {
				return nil, err
			}
			st, err := f.Stat()
			f.Close()
			if err != nil {
				return nil, err
			}
			if b.l == nil && st.Size() != p.length || st.Size() < p.length {
				return nil, errChunk
			}
		}
	}
	return nil, nil
}

// piece is the index of the one that holds a place; -1 for none.
func (b *body) piece(off int64) int { return pieceAt(b.r.pieces, off) }

func pieceAt(all []piece, off int64) int {
	i := sort.Search(len(all), func(i int) bool { return all[i].end() > off })
	if i < len(all) && all[i].first <= off {
		return i
	}
	return -1
}

func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.letGo()
	b.s.released(b.r.pieces, b.l != nil)
	return nil
}

// letGo closes what ReadAt has open.
func (b *body) letGo() {
	if b.f != nil {
		b.f.Close()
	}
	b.f, b.clear, b.at = nil, nil, -1
}

// turn opens a piece for ReadAt.
func (b *body) turn(i int) (err error) {
	if b.at == i {
		return nil
	}
	b.letGo()
	if b.l != nil {
		b.clear, err = b.s.chunks.content(b.l, b.r.pieces[i])
	} else {
		b.f, err = b.s.chunks.plain(b.r.pieces[i])
	}
	if err != nil {
		return b.s.damaged(b.r, err)
	}
	b.at = i
	return nil
}

func (b *body) ReadAt(p []byte, off int64) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, fs.ErrClosed
	}
	n := 0
	for n < len(p) {
		i := b.piece(off + int64(n))
		if i < 0 {
			return n, io.EOF
		}
		if err := b.turn(i); err != nil {
			return n, err
		}
		q := b.r.pieces[i]
		from := off + int64(n) - q.first
		want := p[n:min(int64(len(p)), int64(n)+q.length-from)]
		if b.l != nil {
			n += copy(want, b.clear[from:])
			continue
		}
		k, err := b.f.ReadAt(want, from)
		n += k
		if k < len(want) {
			return n, b.s.damaged(b.r, err)
		}
	}
	return n, nil
}

// SendTo gives a span chunk by chunk. Plain chunks go as files, so that a
// connection can take them by sendfile.
func (b *body) SendTo(w io.Writer, s edge.Span) (int64, error) {
	var n int64
	if s.First < 0 || s.Length < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	for n < s.Length {
		i := b.piece(s.First + n)
		if i < 0 {
			return n, io.ErrUnexpectedEOF
		}
		q := b.r.pieces[i]
		from := s.First + n - q.first
		k, err := b.sendPiece(w, q, from, min(q.length-from, s.Length-n))
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (b *body) sendPiece(w io.Writer, q piece, from, length int64) (int64, error) {
	if b.l != nil {
		clear, err := b.s.chunks.content(b.l, q)
		if err != nil {
			return 0, b.s.damaged(b.r, err)
		}
		n, err := w.Write(clear[from : from+length])
		return int64(n), err
	}
	f, err := b.s.chunks.plain(q)
	if err != nil {
		return 0, b.s.damaged(b.r, err)
	}
	defer f.Close()
	if from > 0 {
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			return 0, err
		}
	}
	return io.CopyN(w, f, length)
}
