package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/crinale/crinale/internal/fault"
)

// Keys are those of the comuni whose answers are sealed on the disk. A key is 16
// bytes or more; ok is false where there is none.
type Keys interface {
	Key(comune string) (key []byte, ok bool)
}

// digest is an address as the index knows it: the first bytes of its SHA-256, or
// of its HMAC where there is a key, so that it tells nothing without it.
type digest [16]byte

// lock is what one key of a comune gives: names, and sealing by AES-256-GCM. A
// nil lock is that of a comune without a key.
type lock struct {
	id     uint64 // tells keys apart, and nothing about them; never 0
	raw    []byte
	naming []byte
	aead   cipher.AEAD
}

const leastKey = 16

func newLock(key []byte) *lock {
	derive := func(what string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte("crinale edge store " + what))
		return h.Sum(nil)
	}
	block, err := aes.NewCipher(derive("sealing"))
	if err != nil {
		panic(err) // 32 bytes are a key of AES-256
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &lock{id: binary.LittleEndian.Uint64(derive("identity")) | 1, raw: slices.Clone(key), naming: derive("naming"), aead: aead}
}

// seal gives a nonce and what is sealed with it. 2^32 of them are safe with one
// key (NIST SP 800-38D §8.3): four million GB of chunks.
func (l *lock) seal(plain, about []byte) []byte {
	out := make([]byte, l.aead.NonceSize(), l.aead.NonceSize()+len(plain)+l.aead.Overhead())
	rand.Read(out) // never fails
	return l.aead.Seal(out, out, plain, about)
}

func (l *lock) open(sealed, about []byte) ([]byte, error) {
	n := l.aead.NonceSize()
	if len(sealed) < n {
		return nil, errRecord
	}
	return l.aead.Open(nil, sealed[:n], sealed[n:], about)
}

// hash names bytes of a kind.
func (l *lock) hash(kind byte, parts ...[]byte) (out [32]byte) {
	h := sha256.New()
	if l != nil {
		h = hmac.New(sha256.New, l.naming)
	}
	h.Write([]byte{kind})
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(out[:0])
	return out
}

func (l *lock) address(a string) (d digest) {
	h := l.hash('a', []byte(a))
	copy(d[:], h[:])
	return d
}

func (l *lock) variant(d digest, v string) uint64 {
	h := l.hash('v', d[:], []byte(v))
	return binary.BigEndian.Uint64(h[:8])
}

func (l *lock) tag(t string) uint64 {
	h := l.hash('t', []byte(t))
	return binary.BigEndian.Uint64(h[:8])
}

// chunk names the content of a chunk.
func (l *lock) chunk(content []byte) name {
	if l == nil {
		return sha256.Sum256(content)
	}
	return l.hash('c', content)
}

func (l *lock) identity() uint64 {
	if l == nil {
		return 0
	}
	return l.id
}

// lockOf is the lock of a comune, nil for one without a key; ok is false where
// it must have one and has not, so that nothing of it is kept or given.
func (s *Store) lockOf(comune string) (l *lock, ok bool) {
	if s.deps.Keys == nil {
		return nil, !s.cfg.Sealed[comune]
	}
	key, there := s.deps.Keys.Key(comune)
	if !there {
		s.locks.Delete(comune)
		return nil, !s.cfg.Sealed[comune]
	}
	if len(key) < leastKey {
		return nil, false
	}
	if l, ok := s.locks.Load(comune); ok && hmac.Equal(l.(*lock).raw, key) {
		return l.(*lock), true
	}
	l = newLock(key)
	s.locks.Store(comune, l)
	return l, true
}

func noKey(comune string) error {
	return fault.New(fault.Denied, "store: comune %s: its key is not there or under %d bytes: nothing of it is kept; give it", comune, leastKey)
}
