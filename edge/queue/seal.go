package queue

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"github.com/crinale/crinale/internal/fault"
)

// A sealed body is AES-256-GCM in pieces of 64 KiB, so that a great one needs no
// great memory. Each file has a key of its own, made of the comune's and the id
// of the file (HKDF, RFC 5869), so a nonce that counts the pieces is used once.
// The last byte of the nonce tells the last piece: what is cut, swapped or put
// in from another file does not open.
const (
	piece   = 64 << 10
	tagSize = 16
	keySize = 32
)

var errSealed = errors.New("a sealed body does not open: it is damaged, or its key is another")

func sealer(key []byte, id, use string) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, fault.New(fault.Invalid, "key of %d bytes: give one of %d", len(key), keySize)
	}
	own, err := hkdf.Key(sha256.New, key, []byte(id), "crinale edge queue "+use, keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(n uint64, last bool) []byte {
	out := make([]byte, 12)
	binary.BigEndian.PutUint64(out[3:], n)
	if last {
		out[11] = 1
	}
	return out
}

// sealWriter seals what is written to it. Close writes the last piece.
type sealWriter struct {
	w    io.Writer
	aead cipher.AEAD
	n    uint64
	buf  []byte
}

func (s *sealWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if len(s.buf) == piece { // it is not the last: more follows
			if err := s.flush(false); err != nil {
				return 0, err
			}
		}
		k := min(piece-len(s.buf), len(p))
		s.buf = append(s.buf, p[:k]...)
		p = p[k:]
	}
	return total, nil
}

func (s *sealWriter) flush(last bool) error {
	_, err := s.w.Write(s.aead.Seal(nil, nonce(s.n, last), s.buf, nil))
	s.n++
	s.buf = s.buf[:0]
	return err
}

func (s *sealWriter) Close() error { return s.flush(true) }

// sealReader opens what a sealWriter wrote.
type sealReader struct {
	r    io.Reader
	aead cipher.AEAD
	n    uint64
	next []byte // sealed, read ahead to know which is the last
	open []byte
	done bool
	err  error
}

func newSealReader(r io.Reader, aead cipher.AEAD) *sealReader {
	s := &sealReader{r: r, aead: aead}
	s.next, s.err = s.read()
	return s
}

// read is the next sealed piece; empty at the end.
func (s *sealReader) read() ([]byte, error) {
	buf := make([]byte, piece+tagSize)
	n, err := io.ReadFull(s.r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return buf[:n], err
}

func (s *sealReader) Read(p []byte) (int, error) {
	for len(s.open) == 0 && s.err == nil {
		if s.done {
			return 0, io.EOF
		}
		var following []byte
		if len(s.next) == piece+tagSize {
			if following, s.err = s.read(); s.err != nil {
				break
			}
		}
		s.done = len(following) == 0
		if s.open, s.err = s.aead.Open(nil, nonce(s.n, s.done), s.next, nil); s.err != nil {
			s.err = errSealed
		}
		s.n++
		s.next = following
	}
	if s.err != nil {
		return 0, s.err
	}
	n := copy(p, s.open)
	s.open = s.open[n:]
	return n, nil
}
