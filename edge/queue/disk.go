package queue

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/crinale/crinale/internal/fault"
)

const bodyDir = "bodies"

func makeDirs(dir string, subs ...string) error {
	for _, s := range append([]string{""}, subs...) {
		if err := os.MkdirAll(filepath.Join(dir, s), 0o700); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func sumOf(p []byte) string {
	s := sha256.Sum256(p)
	return hex.EncodeToString(s[:])
}

var sealedMagic = []byte("crinale queued 1\n")

// writeBody writes a body under a name of its own, synced.
func (q *Queue) writeBody(e Entry, body []byte) (string, error) {
	data, err := q.sealed(e, body)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Join(q.cfg.Dir, bodyDir), "new-")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		removeBody(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// sealed is a body as it is kept: plain, or under the key of its comune, bound
// to what it is.
func (q *Queue) sealed(e Entry, body []byte) ([]byte, error) {
	key, ok := q.deps.Key(e.Comune)
	if !ok {
		return body, nil
	}
	seal, err := sealer(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce) // it cannot fail
	return seal.Seal(slices.Concat(sealedMagic, nonce), nonce, body, []byte(e.SHA256)), nil
}

func sealer(key []byte) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("queue"))
	b, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

func (q *Queue) bodyPath(id uint64) string {
	return filepath.Join(q.cfg.Dir, bodyDir, fmt.Sprintf("%016x", id))
}

// nameBody gives a body the name of its write, and has the disk know it.
func (q *Queue) nameBody(from string, id uint64) error {
	if err := os.Rename(from, q.bodyPath(id)); err != nil {
		return err
	}
	return syncDir(filepath.Join(q.cfg.Dir, bodyDir))
}

// Body is what a write carries, as it was taken.
func (q *Queue) Body(e Entry) ([]byte, error) {
	data, err := os.ReadFile(q.bodyPath(e.ID))
	if err != nil {
		return nil, fault.New(fault.Internal, "the body of %s: %w", e.Number, err)
	}
	if sumOf(data) == e.SHA256 {
		return data, nil
	}
	if rest, ok := bytes.CutPrefix(data, sealedMagic); ok {
		key, ok := q.deps.Key(e.Comune)
		if !ok {
			return nil, fault.New(fault.Denied, "the body of %s is sealed, and the key of comune %s is not here", e.Number, e.Comune)
		}
		seal, err := sealer(key)
		if err != nil {
			return nil, err
		}
		if len(rest) >= seal.NonceSize() {
			body, err := seal.Open(nil, rest[:seal.NonceSize()], rest[seal.NonceSize():], []byte(e.SHA256))
			if err == nil && sumOf(body) == e.SHA256 {
				return body, nil
			}
		}
	}
	return nil, fault.New(fault.Internal, "the body of %s is not as it was taken: the disk is damaged", e.Number)
}

func removeBody(path string) { _ = os.Remove(path) }

func (q *Queue) dropBody(id uint64) { removeBody(q.bodyPath(id)) }

// sweep removes bodies that no write has: those whose receipt was never given.
func (q *Queue) sweep(open []Entry) error {
	dir := filepath.Join(q.cfg.Dir, bodyDir)
	all, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, e := range open {
		keep[filepath.Base(q.bodyPath(e.ID))] = true
	}
	for _, f := range all {
		if keep[f.Name()] {
			continue
		}
		if id, err := strconv.ParseUint(f.Name(), 16, 64); err == nil {
			if e, err := q.Show(id); err == nil && e.State == Conflict {
				continue
			}
		}
		removeBody(filepath.Join(dir, f.Name()))
	}
	return nil
}

func key(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func nextNumber(tx *bolt.Tx, year int) (uint64, error) {
	b, k := tx.Bucket(numberBucket), key(uint64(year))
	var n uint64
	if v := b.Get(k); len(v) == 8 {
		n = binary.BigEndian.Uint64(v)
	}
	n++
	return n, b.Put(k, key(n))
}

// putEntry writes a write, and whether it has ended.
func putEntry(tx *bolt.Tx, e Entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	if err := tx.Bucket(entryBucket).Put(key(e.ID), append(sum[:8], text...)); err != nil {
		return err
	}
	if e.State.Ended() {
		return tx.Bucket(openBucket).Delete(key(e.ID))
	}
	return tx.Bucket(openBucket).Put(key(e.ID), nil)
}

func getEntry(tx *bolt.Tx, id uint64) (Entry, error) {
	data := tx.Bucket(entryBucket).Get(key(id))
	if data == nil {
		return Entry{}, fault.New(fault.NotFound, "there is no queued write %d", id)
	}
	return parseEntry(data)
}

// parseEntry reads what putEntry wrote.
func parseEntry(data []byte) (Entry, error) {
	var e Entry
	if len(data) < 8 {
		return e, fault.New(fault.Internal, "a queued write is cut: the disk is damaged")
	}
	sum := sha256.Sum256(data[8:])
	if !bytes.Equal(sum[:8], data[:8]) {
		return e, fault.New(fault.Internal, "a queued write is not as it was written: the disk is damaged")
	}
	if err := json.Unmarshal(data[8:], &e); err != nil {
		return e, fault.New(fault.Internal, "a queued write cannot be read: %w", err)
	}
	return e, nil
}

// open are the writes that have not ended, in the order in which they came.
func (q *Queue) open() (all []Entry, err error) {
	err = q.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(openBucket).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			e, err := getEntry(tx, binary.BigEndian.Uint64(k))
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	return all, err
}

// Show is one write.
func (q *Queue) Show(id uint64) (e Entry, err error) {
	err = q.db.View(func(tx *bolt.Tx) error {
		e, err = getEntry(tx, id)
		return err
	})
	return e, err
}

// List are the newest writes, at most so many; only those that have not ended,
// or wait for a person, unless all is true.
func (q *Queue) List(all bool, most int) (out []Entry, err error) {
	err = q.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(entryBucket).Cursor()
		for k, v := c.Last(); k != nil && len(out) < most; k, v = c.Prev() {
			e, err := parseEntry(v)
			if err != nil {
				return err
			}
			if all || !e.State.Ended() || e.State == Conflict {
				out = append(out, e)
			}
		}
		return nil
	})
	return out, err
}
