package store

import (
	"crypto/sha256"
	"hash"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// draft is an answer that is being kept. It holds the chunks it wrote, and those
// of what it goes on from, until it is let go.
type draft struct {
	s    *Store
	rec  record // without id, length and pieces
	l    *lock
	from *record // what it is a further part of; nil for nothing

	mu     sync.Mutex
	at     int64 // where the next byte goes
	taken  int64 // bytes
	g      *growing
	made   []piece  // chunks written, in order
	merged []piece  // held besides: chunks that Commit joined
	fresh  []string // files that are not yet synced
	body   []byte   // of the last chunk, if that was in memory
	f      file     // of the chunk that was read last, if it is open
	of     piece
	err    error // why it cannot be kept
	done   bool  // committed
	gone   bool

	stale bool // its address was purged since it began; guarded by s.mu
}

// growing is the chunk that is being written: in memory while it is small or if
// it is to be sealed, then in a file.
type growing struct {
	first int64
	n     int64
	buf   []byte
	f     file
	path  string
	sum   hash.Hash
}

func (d *draft) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone || d.done {
		return 0, fs.ErrClosed
	}
	total := 0
	for d.err == nil && len(p) > 0 {
		if d.g == nil {
			d.g = &growing{first: d.at}
		}
		chunk := d.s.chunk
		n, err := d.grow(p[:min(int64(len(p)), chunk-d.at%chunk)])
		total, p, d.at, d.taken, d.err = total+n, p[n:], d.at+int64(n), d.taken+int64(n), err
		if d.err == nil && d.at%chunk == 0 {
			d.err = d.finish()
		}
	}
	if d.err != nil {
		return total, fault.New(fault.Internal, "store: keep %s: %w", d.rec.address, d.err)
	}
	return total, nil
}

// grow adds to the chunk. What it says was added can be read.
func (d *draft) grow(p []byte) (int, error) {
	g, c := d.g, &d.s.chunks
	if d.taken > d.s.cfg.Most {
		return 0, fault.New(fault.Refused, "it is longer than the %d bytes of the cache", d.s.cfg.Most)
	}
	if d.l != nil || g.f == nil && g.n+int64(len(p)) <= mostWarm {
		if d.s.buffered.Add(int64(len(p))) > d.s.cfg.Buffers {
			d.s.buffered.Add(-int64(len(p)))
			return 0, fault.New(fault.Refused, "more is under way at once than %d bytes of memory hold", d.s.cfg.Buffers)
		}
		g.buf = append(g.buf, p...)
		g.n += int64(len(p))
		return len(p), nil
	}
	if g.f == nil {
		path := c.temp()
		f, err := c.fs.Create(path)
		if err != nil {
			return 0, d.s.writeFault(err)
		}
		if _, err := f.Write(g.buf); err != nil {
			f.Close()
			c.fs.Remove(path)
			return 0, d.s.writeFault(err)
		}
		g.f, g.path, g.sum = f, path, sha256.New()
		g.sum.Write(g.buf)
		d.s.buffered.Add(-int64(len(g.buf)))
		g.buf = nil
	}
	n, err := g.f.Write(p)
	g.sum.Write(p[:n])
	g.n += int64(n)
	if err != nil {
		return n, d.s.writeFault(err)
	}
	return n, nil
}

// finish makes what grew a chunk. When that fails it stays as it is, to be read.
func (d *draft) finish() error {
	g, c := d.g, &d.s.chunks
	if g == nil || g.n == 0 {
		return nil
	}
	p := piece{first: g.first, length: g.n}
	if g.f == nil {
		p.name = d.l.chunk(g.buf)
	} else {
		g.sum.Sum(p.name[:0])
	}
	if err := d.s.room(g.n); err != nil {
		return err
	}
	path := c.path(p.name, d.l != nil)
	if !c.hold(short(p.name), p.length) { // else it is there already
		var err error
		if g.f == nil {
			err = c.write(d.l, p.name, g.buf)
		} else {
			err = c.fs.Rename(g.path, path)
		}
		if err != nil {
			d.s.released([]piece{p}, d.l != nil)
			return d.s.writeFault(err)
		}
		c.judge(p.name, true)
		d.fresh = append(d.fresh, path)
	} else if g.f != nil {
		c.fs.Remove(g.path)
	}
	if g.f != nil {
		g.f.Close()
	} else {
		d.s.buffered.Add(-int64(len(g.buf)))
		d.body = g.buf
	}
	d.made = append(d.made, p)
	d.g = nil
	return nil
}

// ReadAt reads what was written, and what it goes on from.
func (d *draft) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return 0, fs.ErrClosed
	}
	n := 0
	for n < len(p) {
		k, err := d.readAt(p[n:], off+int64(n))
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// readAt reads from the one place that has what is wanted.
func (d *draft) readAt(p []byte, off int64) (int, error) {
	if g := d.g; g != nil && off >= g.first && off < g.first+g.n {
		from := off - g.first
		p = p[:min(int64(len(p)), g.n-from)]
		if g.f == nil {
			return copy(p, g.buf[from:]), nil
		}
		return g.f.ReadAt(p, from)
	}
	if i := pieceAt(d.made, off); i >= 0 {
		return d.readPiece(d.made[i], p, off)
	}
	if d.from != nil {
		if i := pieceAt(d.from.pieces, off); i >= 0 {
			q := d.from.pieces[i]
			for _, m := range d.made { // what is new goes before
				if m.first > off {
					p = p[:min(int64(len(p)), m.first-off)]
				}
			}
			if d.g != nil && d.g.first > off {
				p = p[:min(int64(len(p)), d.g.first-off)]
			}
			return d.readPiece(q, p, off)
		}
	}
	return 0, io.EOF
}

// readPiece reads a chunk that is whole. Many may read what one writes, so the
// last is kept at hand.
func (d *draft) readPiece(q piece, p []byte, off int64) (int, error) {
	c := &d.s.chunks
	p = p[:min(int64(len(p)), q.end()-off)]
	if len(d.made) > 0 && d.made[len(d.made)-1] == q && int64(len(d.body)) == q.length {
		return copy(p, d.body[off-q.first:]), nil
	}
	if d.l != nil {
		b, err := c.content(d.l, q)
		if err != nil {
			return 0, err
		}
		return copy(p, b[off-q.first:]), nil
	}
	if d.f == nil || d.of != q {
		f, err := c.plain(q)
		if err != nil {
			return 0, err
		}
		d.put(f, q)
	}
	return d.f.ReadAt(p, off-q.first)
}

// put puts the open file of a chunk at hand, in place of the last.
func (d *draft) put(f file, of piece) {
	if d.f != nil {
		d.f.Close()
	}
	d.f, d.of = f, of
}

// Commit makes it an object.
func (d *draft) Commit(length int64) (edge.Object, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone || d.done {
		return nil, fs.ErrClosed
	}
	if d.err == nil {
		d.err = d.finish()
	}
	if d.err != nil {
		return nil, fault.New(fault.Internal, "store: keep %s: %w", d.rec.address, d.err)
	}
	pieces, err := d.pieces()
	if err != nil {
		return nil, fault.New(fault.Internal, "store: join the parts of %s: %w", d.rec.address, err)
	}
	if length < -1 || length >= 0 && len(pieces) > 0 && pieces[len(pieces)-1].end() > length {
		return nil, fault.New(fault.Invalid, "store: keep %s: more is held than the length of %d bytes: give that of the whole", d.rec.address, length)
	}
	r := d.rec
	r.length, r.pieces = length, pieces
	r.stored = d.s.cfg.Now().Unix()
	body := d.body
	if len(pieces) != 1 || pieces[0].first != 0 || int64(len(body)) != pieces[0].length || len(body) > mostWarm {
		body = nil
	}
	o, err := d.s.keep(&r, d.l, body, d.fresh, d)
	if err != nil {
		return nil, err
	}
	d.done = true
	return o, nil
}

// Abort lets go of everything. What was committed stays with the object.
func (d *draft) Abort() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return
	}
	d.gone = true
	d.put(nil, piece{})
	d.s.mu.Lock()
	delete(d.s.drafts, d)
	d.s.mu.Unlock()
	if g := d.g; g != nil {
		d.s.buffered.Add(-int64(len(g.buf)))
		if g.f != nil {
			g.f.Close()
			d.s.chunks.fs.Remove(g.path)
		}
	}
	held := slices.Concat(d.made, d.merged)
	if d.from != nil {
		held = slices.Concat(held, d.from.pieces)
	}
	d.s.released(held, d.l != nil)
	d.g, d.made, d.merged, d.body = nil, nil, nil, nil
}
