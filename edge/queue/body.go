package queue

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/crinale/crinale/internal/fault"
)

const idBytes = 16

var errTooBig = errors.New("the body is greater than may be kept")

func (q *Queue) bodies() string         { return filepath.Join(q.cfg.Dir, "bodies") }
func (q *Queue) file(id string) string  { return filepath.Join(q.bodies(), id) }
func (q *Queue) draft(id string) string { return filepath.Join(q.bodies(), id+".tmp") }

// key is that of a comune; ok is false when it has none.
func (q *Queue) key(comune string) ([]byte, bool) {
	if q.deps.Keys == nil {
		return nil, false
	}
	return q.deps.Keys.Key(comune)
}

// keepBody writes a body to the disk, sealed if the comune has a key, and gives
// it when it is there for good. most is how many bytes it may have.
func (q *Queue) keepBody(comune string, r io.Reader, most int64) (b Body, err error) {
	id := make([]byte, idBytes)
	rand.Read(id)
	b.ID = hex.EncodeToString(id)
	f, err := os.OpenFile(q.draft(b.ID), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Body{}, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(q.draft(b.ID))
			b = Body{}
		}
	}()
	sum := sha256.New()
	out := io.Writer(f)
	var seal *sealWriter
	if key, ok := q.key(comune); ok {
		aead, err := sealer(key, b.ID, "body")
		if err != nil {
			return b, err
		}
		seal = &sealWriter{w: f, aead: aead, buf: make([]byte, 0, piece)}
		out, b.Sealed = seal, true
	}
	if r != nil {
		b.Bytes, err = io.Copy(io.MultiWriter(out, sum), io.LimitReader(r, most+1))
		if err == nil && b.Bytes > most {
			err = errTooBig
		}
		if err != nil {
			return b, err
		}
	}
	if seal != nil {
		if err := seal.Close(); err != nil {
			return b, err
		}
	}
	b.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := f.Sync(); err != nil {
		return b, err
	}
	if err := os.Rename(q.draft(b.ID), q.file(b.ID)); err != nil {
		return b, err
	}
	return b, syncDir(q.bodies())
}

// openBody opens a body that was checked from end to end before, so that nothing
// damaged is ever sent.
func (q *Queue) openBody(comune string, b Body) (io.ReadCloser, error) {
	if b.ID == "" {
		return nil, fault.New(fault.NotFound, "the body is no longer kept")
	}
	first, err := q.readBody(comune, b)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, first)
	first.Close()
	if err != nil {
		return nil, err
	}
	return q.readBody(comune, b)
}

var errDamaged = errors.New("the body is damaged on the disk of the edge")

// errNoKey says that a sealed body waits for its key.
var errNoKey = errors.New("the key of the comune is not there")

func (q *Queue) readBody(comune string, b Body) (io.ReadCloser, error) {
	f, err := os.Open(q.file(b.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errDamaged
	}
	if err != nil {
		return nil, err
	}
	in := io.Reader(f)
	if b.Sealed {
		key, ok := q.key(comune)
		if !ok {
			f.Close()
			return nil, errNoKey
		}
		aead, err := sealer(key, b.ID, "body")
		if err != nil {
			f.Close()
			return nil, err
		}
		in = newSealReader(f, aead)
	}
	return &checked{f: f, r: in, want: b, sum: sha256.New()}, nil
}

// checked is a body that ends with an error instead of the end when it is not
// what was kept.
type checked struct {
	f    *os.File
	r    io.Reader
	want Body
	sum  hash.Hash
	n    int64
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	if errors.Is(err, errSealed) || err == io.EOF && (c.n != c.want.Bytes || hex.EncodeToString(c.sum.Sum(nil)) != c.want.SHA256) {
		return n, errDamaged
	}
	return n, err
}

func (c *checked) Close() error { return c.f.Close() }

// drop removes the file of a body that no record names any more. One that stays
// behind goes at the next Open.
func (q *Queue) drop(b Body) {
	if b.ID == "" {
		return
	}
	if err := os.Remove(q.file(b.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		q.deps.Log.Warn("a body stays behind", "err", err)
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
