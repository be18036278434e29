package store

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// chunkSize is how much of a body a chunk holds at most: bodies are cut at its
// multiples.
const chunkSize = 1 << 20

// A sealed chunk is a salt and then segments, each sealed by itself under a key
// that the salt makes, so that any part can be read alone.
const (
	saltSize    = 16
	segmentSize = 64 << 10
	tagSize     = 16
)

// chunkWriter writes one chunk, which can be read meanwhile.
type chunkWriter struct {
	s     *Store
	k     key
	first int64 // place in the body
	f     *os.File
	sum   hash.Hash // of what is in it
	n     int64     // bytes in it

	seal cipher.AEAD // nil: plain
	tail []byte      // of a sealed chunk: what is not sealed yet
	done int64       // segments written
}

func (s *Store) newChunk(k key, first int64) (*chunkWriter, error) {
	f, err := s.temp()
	if err != nil {
		return nil, err
	}
	w := &chunkWriter{s: s, k: k, first: first, f: f, sum: sha256.New()}
	if k.secret != nil {
		salt := make([]byte, saltSize)
		_, _ = rand.Read(salt) // it cannot fail
		if _, err = f.Write(salt); err == nil {
			w.seal, err = sealer(k.secret, "chunk", salt)
		}
		if err != nil {
			w.abort()
			return nil, err
		}
	}
	return w, nil
}

// room is how much fits until the chunk ends.
func (w *chunkWriter) room() int64 { return chunkSize - (w.first+w.n)%chunkSize }

func (w *chunkWriter) Write(p []byte) (int, error) {
	var err error
	n := len(p)
	if w.seal == nil {
		n, err = w.f.Write(p)
	} else {
		w.tail = append(w.tail, p...)
		for err == nil && len(w.tail) >= segmentSize {
			err = w.segment(w.tail[:segmentSize])
			w.tail = w.tail[segmentSize:]
		}
		if err != nil {
			n = 0
		}
	}
	w.sum.Write(p[:n])
	w.n += int64(n)
	return n, err
}

func (w *chunkWriter) segment(p []byte) error {
	_, err := w.f.Write(w.seal.Seal(nil, nonceOf(w.done), p, nil))
	w.done++
	return err
}

func nonceOf(segment int64) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[4:], uint64(segment))
	return n
}

// readAt reads what was written, by the place in the chunk.
func (w *chunkWriter) readAt(p []byte, off int64) (int, error) {
	if w.seal == nil {
		return w.f.ReadAt(p[:min(int64(len(p)), w.n-off)], off)
	}
	if sealed := w.done * segmentSize; off >= sealed {
		return copy(p, w.tail[off-sealed:]), nil
	}
	return (&chunkReader{f: w.f, seal: w.seal, n: w.done * segmentSize}).readAt(p, off)
}

// finish gives the chunk its name. Its name is pinned from then on.
func (w *chunkWriter) finish() (piece, error) {
	if w.seal != nil && len(w.tail) > 0 {
		if err := w.segment(w.tail); err != nil {
			w.abort()
			return piece{}, err
		}
	}
	p := piece{chunk: chunkName(w.k.secret, w.sum)}
	p.First, p.Length = w.first, w.n
	path := w.s.chunkPath(p.chunk)
	w.s.pins.pin(p.chunk)
	if st, err := os.Stat(path); err == nil && st.Size() == fileSize(w.k.secret != nil, w.n) && w.s.verified.has(p.chunk) {
		w.abort() // it is there already
		return p, nil
	}
	if err := w.s.moveTo(w.f, path); err != nil {
		w.s.unpin(p.chunk)
		return piece{}, err
	}
	w.s.verified.add(p.chunk)
	return p, nil
}

func (w *chunkWriter) abort() {
	_ = w.f.Close()
	_ = os.Remove(w.f.Name())
}

func chunkName(secret []byte, sum hash.Hash) (n name) {
	if secret == nil {
		return name(sum.Sum(nil))
	}
	return name(mac(secret, "content", string(sum.Sum(nil))))
}

// fileSize is how long the file of a chunk is.
func fileSize(sealed bool, n int64) int64 {
	if !sealed {
		return n
	}
	return saltSize + n + (n+segmentSize-1)/segmentSize*tagSize
}

// chunkReader reads one chunk.
type chunkReader struct {
	f    *os.File
	seal cipher.AEAD // nil: plain
	n    int64       // bytes in it
}

// openChunk opens a chunk, and sees that it is what it was when it was written if
// nobody saw that since the store was opened.
func (s *Store) openChunk(k key, p piece) (*chunkReader, error) {
	f, err := os.Open(s.chunkPath(p.chunk))
	if err != nil {
		return nil, err
	}
	r, err := readChunk(f, k.secret, p.Length)
	if err == nil && !s.verified.has(p.chunk) {
		if err = r.verify(k.secret, p.chunk); err == nil {
			s.verified.add(p.chunk)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

// errDamaged is in the chain of what a chunk says that is not as it was written.
var errDamaged = errors.New("it is not as it was written")

func readChunk(f *os.File, secret []byte, n int64) (*chunkReader, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() != fileSize(secret != nil, n) {
		return nil, fmt.Errorf("chunk %s: %w: %d bytes", filepath.Base(f.Name()), errDamaged, st.Size())
	}
	r := &chunkReader{f: f, n: n}
	if secret != nil {
		salt := make([]byte, saltSize)
		if _, err := f.ReadAt(salt, 0); err != nil {
			return nil, err
		}
		if r.seal, err = sealer(secret, "chunk", salt); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *chunkReader) verify(secret []byte, want name) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(readerAt(r.readAt), 0, r.n)); err != nil {
		return err
	}
	if chunkName(secret, sum) != want {
		return fmt.Errorf("chunk %x: %w", want, errDamaged)
	}
	return nil
}

// readAt reads by the place in the chunk.
func (r *chunkReader) readAt(p []byte, off int64) (n int, err error) {
	if off >= r.n {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), r.n-off)]
	if r.seal == nil {
		return r.f.ReadAt(p, off)
	}
	buf := make([]byte, segmentSize+tagSize)
	for n < len(p) {
		seg := (off + int64(n)) / segmentSize
		size := min(r.n-seg*segmentSize, segmentSize)
		if _, err := r.f.ReadAt(buf[:size+tagSize], saltSize+seg*(segmentSize+tagSize)); err != nil {
			return n, err
		}
		plain, err := r.seal.Open(buf[:0], nonceOf(seg), buf[:size+tagSize], nil)
		if err != nil {
			return n, fmt.Errorf("chunk %s: %w", filepath.Base(r.f.Name()), errDamaged)
		}
		n += copy(p[n:], plain[off+int64(n)-seg*segmentSize:])
	}
	return n, nil
}

type readerAt func(p []byte, off int64) (int, error)

func (f readerAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := f(p, off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// verified are the chunks that were seen to be whole since the store was opened,
// by half of a word of their names: who is taken for another was seen whole too
// when it was written.
type verified struct {
	mu  sync.Mutex
	all map[uint64]struct{}
}

// mostVerified bounds what is remembered; then all are looked at again.
const mostVerified = 1 << 20

func (v *verified) has(n name) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.all[binary.BigEndian.Uint64(n[:8])]
	return ok
}

func (v *verified) add(n name) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil || len(v.all) >= mostVerified {
		v.all = map[uint64]struct{}{}
	}
	v.all[binary.BigEndian.Uint64(n[:8])] = struct{}{}
}

func (v *verified) drop(n name) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, binary.BigEndian.Uint64(n[:8]))
}
