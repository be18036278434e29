package proxy

import (
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/crinale/crinale/edge"
)

// memory is a store in memory that can be told to fail.
type memory struct {
	mu   sync.Mutex
	all  map[string][]*kept
	most int64 // bytes of a draft after which writing fails; 0: never
	full bool  // nothing can be begun
}

func newMemory() *memory { return &memory{all: map[string][]*kept{}} }

var errFull = errors.New("no space left on device")

func (m *memory) Find(key string) []edge.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []edge.Object
	for _, k := range m.all[key] {
		out = append(out, k)
	}
	return out
}

func (m *memory) Begin(key string, s *edge.Stored, held edge.Part, o edge.Object) (edge.Draft, error) {
	if m.full {
		return nil, errFull
	}
	d := &memoryDraft{m: m, k: &kept{key: key, head: s}, at: held.First}
	if o != nil {
		old := o.(*kept)
		d.k.body, d.k.held = slices.Clone(old.body), slices.Clone(old.held)
	}
	return d, nil
}

func (m *memory) Freshen(o edge.Object, s *edge.Stored) (edge.Object, error) {
	old := o.(*kept)
	k := &kept{key: old.key, head: s, length: old.length, held: old.held, body: old.body}
	m.put(k)
	return k, nil
}

func (m *memory) Delete(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, key)
}

// put makes k the only one of its variant.
func (m *memory) put(k *kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(m.all[k.key]), func(o *kept) bool { return o.head.Variant == k.head.Variant })
	m.all[k.key] = append([]*kept{k}, rest...)
}

type kept struct {
	key    string
	head   *edge.Stored
	length int64
	held   []edge.Span
	body   []byte
}

func (k *kept) Head() *edge.Stored       { return k.head }
func (k *kept) Length() int64            { return k.length }
func (k *kept) Held() []edge.Span        { return k.held }
func (k *kept) Open() (edge.Body, error) { return k, nil }
func (k *kept) Close() error             { return nil }
func (k *kept) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(k.body)) {
		return 0, io.EOF
	}
	n := copy(p, k.body[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

type memoryDraft struct {
	m  *memory
	k  *kept
	mu sync.Mutex
	at int64
	n  int64

	gone bool
}

func (d *memoryDraft) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.m.most > 0 && d.n+int64(len(p)) > d.m.most {
		p, err = p[:max(d.m.most-d.n, 0)], errFull
	}
	end := d.at + int64(len(p))
	if int64(len(d.k.body)) < end {
		d.k.body = append(d.k.body, make([]byte, end-int64(len(d.k.body)))...)
	}
	copy(d.k.body[d.at:], p)
	if len(p) > 0 {
		d.k.held = edge.Joined(append(d.k.held, edge.Span{First: d.at, Length: int64(len(p))}))
	}
	d.at, d.n = end, d.n+int64(len(p))
	return len(p), err
}

func (d *memoryDraft) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return 0, errors.New("read of a draft that was let go")
	}
	return d.k.ReadAt(p, off)
}

func (d *memoryDraft) Commit(length int64) (edge.Object, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.k.length = length
	d.m.put(d.k)
	return d.k, nil
}

func (d *memoryDraft) Abort() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = true
}
