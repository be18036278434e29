package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

// mostChunk is what a chunk holds: a body is cut at its multiples.
const mostChunk = 1 << 20

var errChunk = errors.New("a chunk on the disk is damaged")

// chunks are the files of bodies. It counts who needs each of them: stored
// objects, open bodies and drafts alike; the file goes with the last.
//
// Chunks are told apart by the first 8 bytes of their names. Two that agree in
// them share a count: then a file stays longer than needed, which scrub finds.
type chunks struct {
	fs    files
	dir   string
	temps atomic.Uint64

	mu    sync.Mutex
	refs  map[uint64]uint32 // how many need it; the top bit says that it was found good
	bytes int64             // of all chunks that are needed
}

const good = 1 << 31

func (c *chunks) path(n name, sealed bool) string {
	kind := "chunks"
	if sealed {
		kind = "sealed"
	}
	h := hex.EncodeToString(n[:])
	return filepath.Join(c.dir, kind, h[:2], h)
}

// temp is a path of its own for what is being written.
func (c *chunks) temp() string {
	return filepath.Join(c.dir, "tmp", strconv.FormatUint(c.temps.Add(1), 36))
}

// hold says that somebody needs a chunk, before it is looked for or written.
func (c *chunks) hold(short uint64, length int64) (isGood bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.refs[short]
	if n&^good == 0 {
		c.bytes += length
	}
	c.refs[short] = n + 1
	return n&good != 0
}

func (c *chunks) holdAll(all []piece) {
	for _, p := range all {
		c.hold(short(p.name), p.length)
	}
}

// release says that one needs it no more. The file of the last goes at once and
// under the lock, so that nobody finds it while it goes.
func (c *chunks) release(all []piece, sealed bool) (failed int) {
	for _, p := range all {
		c.mu.Lock()
		k := short(p.name)
		n := c.refs[k]
		switch {
		case n&^good > 1:
			c.refs[k] = n - 1
		case n&^good == 1:
			delete(c.refs, k)
			c.bytes -= p.length
			if err := c.fs.Remove(c.path(p.name, sealed)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed++
			}
		}
		c.mu.Unlock()
	}
	return failed
}

// orphan removes a file that nobody needs, and says whether it was one.
func (c *chunks) orphan(n name, path string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refs[short(n)] != 0 {
		return false, nil
	}
	return true, c.fs.Remove(path)
}

func (c *chunks) isGood(n name) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refs[short(n)]&good != 0
}

// judge remembers whether a chunk that is needed is good.
func (c *chunks) judge(n name, isGood bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.refs[short(n)]; ok {
		v &^= good
		if isGood {
			v |= good
		}
		c.refs[short(n)] = v
	}
}

func (c *chunks) used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// put writes a file under another name and renames it: it is there whole, or
// not. It is not yet synced.
func (c *chunks) put(path string, content []byte) error {
	tmp := c.temp()
	f, err := c.fs.Create(tmp)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = c.fs.Rename(tmp, path)
	}
	if err != nil {
		c.fs.Remove(tmp)
	}
	return err
}

// write writes a chunk, sealed where there is a lock. Behind a sealed one comes
// the SHA-256 of the file, so that it can be scrubbed without its key.
func (c *chunks) write(l *lock, n name, content []byte) error {
	if l != nil {
		content = l.seal(content, n[:])
		h := sha256.Sum256(content)
		content = append(content, h[:]...)
	}
	return c.put(c.path(n, l != nil), content)
}

// content is that of a whole chunk, held against its name.
func (c *chunks) content(l *lock, p piece) ([]byte, error) {
	b, err := slurp(c.fs, c.path(p.name, l != nil), mostChunk+128)
	if err != nil {
		return nil, err
	}
	if l != nil {
		if len(b) < sha256.Size {
			return nil, errChunk
		}
		if b, err = l.open(b[:len(b)-sha256.Size], p.name[:]); err != nil {
			return nil, errChunk
		}
	} else if sha256.Sum256(b) != p.name {
		return nil, errChunk
	}
	if int64(len(b)) != p.length {
		return nil, errChunk
	}
	return b, nil
}

// plain opens the file of a chunk without a lock, and reads it against its name
// where nobody did since the start.
func (c *chunks) plain(p piece) (file, error) {
	f, err := c.fs.Open(c.path(p.name, false))
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	switch {
	case err != nil:
	case st.Size() != p.length:
		err = errChunk
	case !c.isGood(p.name):
		h := sha256.New()
		if _, err = io.Copy(h, f); err == nil && !bytes.Equal(h.Sum(nil), p.name[:]) {
			err = errChunk
		}
		if err == nil {
			c.judge(p.name, true)
			_, err = f.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
