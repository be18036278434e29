package store

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/crinale/crinale/edge"
)

// smallBody is how long a body may be that is kept in memory, in bytes.
const smallBody = 64 << 10

// object is a stored answer. It is never changed, but for what it remembers of
// its body.
type object struct {
	s      *Store
	key    key
	head   *edge.Stored
	length int64
	pieces []piece
	held   []edge.Span
	small  small
}

// small is a body in memory.
type small struct{ p atomic.Pointer[[]byte] }

func (b *small) bytes() []byte {
	if p := b.p.Load(); p != nil {
		return *p
	}
	return nil
}

func (o *object) Head() *edge.Stored { return o.head }
func (o *object) Length() int64      { return o.length }
func (o *object) Held() []edge.Span  { return o.held }

// size is what its pieces take on the disk.
func (o *object) size() (n int64) {
	for _, p := range o.pieces {
		n += fileSize(o.key.secret != nil, p.Length)
	}
	return n
}

// with is the same answer under another head.
func (o *object) with(head *edge.Stored) *object {
	n := &object{s: o.s, key: o.key, head: head, length: o.length, pieces: o.pieces, held: o.held}
	n.small.p.Store(o.small.p.Load())
	return n
}

// verifiedAtOpen is how many chunks are looked at before the first byte of a
// body is given; the others when they are reached.
const verifiedAtOpen = 8

// Open opens the body. An error means that it cannot be given as it was stored:
// it is forgotten then.
func (o *object) Open() (edge.Body, error) {
	if p := o.small.p.Load(); p != nil {
		return memoryBody{*p}, nil
	}
	b := &body{o: o}
	for _, p := range o.pieces {
		b.pinned = append(b.pinned, p.chunk)
	}
	o.s.pins.pin(b.pinned...)
	if err := b.look(); err != nil {
		b.Close()
		o.s.broken(o, err)
		return nil, err
	}
	if o.length >= 0 && o.length <= smallBody && edge.Holds(o.held, edge.Span{Length: o.length}) {
		defer b.Close()
		all := make([]byte, o.length)
		if n, err := b.ReadAt(all, 0); n < len(all) {
			o.s.broken(o, err)
			return nil, err
		}
		o.small.p.Store(&all)
		o.s.weigh(o)
		return memoryBody{all}, nil
	}
	return b, nil
}

// weigh has the memory know that an object holds its body now.
func (s *Store) weigh(o *object) {
	lock := &s.locks[o.key.id[0]]
	lock.Lock()
	defer lock.Unlock()
	if e, ok := s.ram.GetIfPresent(o.key.id); ok {
		for _, v := range e.all {
			if v == o {
				s.ram.Set(o.key.id, e)
			}
		}
	}
}

// broken forgets an object whose chunks are missing or damaged, and those of its
// address. A failure of the disk alone forgets nothing.
func (s *Store) broken(o *object, err error) {
	if !os.IsNotExist(err) && !errors.Is(err, errDamaged) {
		s.failed("read a chunk", err)
		return
	}
	s.stats.damaged.Add(1)
	s.deps.Log.Warn("a stored answer is not as it was written, and is dropped", "service", o.key.place.Service, "err", err)
	lock := &s.locks[o.key.id[0]]
	lock.Lock()
	defer lock.Unlock()
	if e := s.read(o.key); e != nil {
		for _, v := range e.all {
			if samePieces(v.pieces, o.pieces) {
				s.drop(o.key.id)
				return
			}
		}
	}
}

func samePieces(a, b []piece) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// memoryBody is a body in memory.
type memoryBody struct{ p []byte }

func (b memoryBody) Close() error { return nil }

func (b memoryBody) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(b.p)) {
		return 0, io.EOF
	}
	n := copy(p, b.p[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// SendTo puts a span on the way out without a copy.
func (b memoryBody) SendTo(w io.Writer, s edge.Span) (int64, error) {
	if s.First < 0 || s.End() > int64(len(b.p)) {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := w.Write(b.p[s.First:s.End()])
	return int64(n), err
}

// body reads an object from its chunks, the last one kept open.
type body struct {
	o      *object
	pinned []name

	mu     sync.Mutex
	at     int // the piece that r is of
	r      *chunkReader
	closed bool
}

// look sees that all chunks are there, and the first ones whole.
func (b *body) look() error {
	for i, p := range b.o.pieces {
		if i < verifiedAtOpen {
			if _, err := b.piece(i); err != nil {
				return err
			}
			continue
		}
		st, err := os.Stat(b.o.s.chunkPath(p.chunk))
		if err != nil {
			return err
		}
		if st.Size() != fileSize(b.o.key.secret != nil, p.Length) {
			return errDamaged
		}
	}
	return nil
}

// piece opens one piece. It needs the lock, or nobody else to know b.
func (b *body) piece(i int) (*chunkReader, error) {
	if b.r != nil && b.at == i {
		return b.r, nil
	}
	r, err := b.o.s.openChunk(b.o.key, b.o.pieces[i])
	if err != nil {
		return nil, err
	}
	if b.r != nil {
		_ = b.r.f.Close()
	}
	b.at, b.r = i, r
	return r, nil
}

// holding is a piece that holds the byte at off; -1 for none.
func (b *body) holding(off int64) int {
	if b.r != nil {
		if p := b.o.pieces[b.at]; p.First <= off && off < p.End() {
			return b.at
		}
	}
	for i, p := range b.o.pieces {
		if p.First <= off && off < p.End() {
			return i
		}
	}
	return -1
}

func (b *body) ReadAt(p []byte, off int64) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		i := b.holding(at)
		if i < 0 {
			return n, io.EOF
		}
		r, err := b.piece(i)
		if err != nil {
			return n, err
		}
		k, err := r.readAt(p[n:], at-b.o.pieces[i].First)
		n += k
		if err != nil || k == 0 {
			return n, err
		}
	}
	return n, nil
}

// SendTo puts a span on the way out; a plain chunk goes from its file to a
// connection inside the system (sendfile).
func (b *body) SendTo(w io.Writer, s edge.Span) (n int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n < s.Length {
		at := s.First + n
		i := b.holding(at)
		if i < 0 {
			return n, io.ErrUnexpectedEOF
		}
		r, err := b.piece(i)
		if err != nil {
			return n, err
		}
		p := b.o.pieces[i]
		var from io.Reader = io.NewSectionReader(readerAt(r.readAt), at-p.First, r.n)
		if r.seal == nil {
			if _, err := r.f.Seek(at-p.First, io.SeekStart); err != nil {
				return n, err
			}
			from = r.f
		}
		k, err := io.CopyN(w, from, min(p.End()-at, s.End()-at))
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.r != nil {
		_ = b.r.f.Close()
	}
	b.o.s.unpin(b.pinned...)
	return nil
}
