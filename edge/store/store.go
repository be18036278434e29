// Package store keeps the answers of an edge on its disk: bodies as files named
// by their content, one small record beside each object, an index to find them
// by, and the most wanted in memory. It is an edge.Store.
//
// The record is the object: what has none does not exist, and from the records
// the index is made anew when it is damaged. DESIGN.md beside this file says
// what is promised and what not.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// mostWarm is the longest body that is kept in memory.
const mostWarm = 64 << 10

// mostPending is how many changes may wait for the index; when it takes none,
// nothing more is kept.
const mostPending = 20_000

// Config is how much a Store keeps, and of whom.
type Config struct {
	Dir      string
	Most     int64            // bytes on the disk outside pinned sets
	MinFree  int64            // bytes of the volume that stay free
	Memory   int64            // bytes of heads and small bodies in memory
	Buffers  int64            // bytes of chunks under way in memory
	Services map[string]int64 // quotas in bytes; none: no bound of its own
	Comuni   map[string]int64
	Sealed   map[string]bool // comuni of which nothing is kept without a key
	Pins     []Pin
	Sync     bool          // wait for the disk before something enters the index
	Flush    time.Duration // how long a change may wait for the index
	Scrub    time.Duration // between two walks over all chunks; 0: none
	Rate     int64         // bytes a second that a walk reads
	// Owner is the service and the comune of an address; nil takes what is before
	// the first slash as the service.
	Owner func(address string) (service, comune string)
	// Tags are those under which an answer can be purged; nil takes edge.Tags and
	// Xkey.
	Tags func(*edge.Stored) []string
	Now  func() time.Time
}

// Default is the configuration without a folder.
func Default() Config {
	return Config{Most: 20 << 30, MinFree: 1 << 30, Memory: 24 << 20, Buffers: 16 << 20, Sync: true,
		Flush: 500 * time.Millisecond, Scrub: 7 * 24 * time.Hour, Rate: 4 << 20, Owner: owner, Tags: tags, Now: time.Now}
}

func owner(address string) (service, comune string) {
	service, _, _ = strings.Cut(address, "/")
	return service, ""
}

func tags(s *edge.Stored) []string {
	out := edge.Tags(s.Header)
	for _, line := range s.Header["Xkey"] {
		out = append(out, strings.Fields(line)...)
	}
	return out
}

// Deps are what a Store uses.
type Deps struct {
	Keys Keys         // nil: nothing is sealed
	Log  *slog.Logger // nil: silent
}

// Store keeps answers.
type Store struct {
	cfg    Config
	deps   Deps
	chunk  int64 // bytes of a chunk
	chunks chunks
	warm   *otter.Cache[uint64, *object]
	locks  sync.Map // comune → *lock
	count  counters
	ready  chan struct{}

	buffered atomic.Int64 // bytes of chunks under way in memory

	mu      sync.Mutex
	open    bool
	t       table
	next    uint64 // the next id
	pend    map[uint64]change
	touched map[uint64]touch
	making  map[uint64]bool // ids whose record is being put in place
	drafts  map[*draft]struct{}
	pins    pinned

	flushing sync.Mutex // guards index
	index    *index
}

var _ edge.Store = (*Store)(nil)

// New makes a store; it opens nothing.
func New(c Config, d Deps) (*Store, error) {
	switch {
	case c.Dir == "":
		return nil, fault.New(fault.Invalid, "store: dir: give the folder of the cache")
	case c.Most <= 0 || c.MinFree < 0 || c.Memory <= 0:
		return nil, fault.New(fault.Invalid, "store: most %d, min_free %d, memory %d: give bytes above zero", c.Most, c.MinFree, c.Memory)
	case c.Buffers < mostChunk:
		return nil, fault.New(fault.Invalid, "store: buffers %d: give at least %d bytes, which is one chunk", c.Buffers, mostChunk)
	case c.Flush <= 0 || c.Scrub < 0 || c.Rate <= 0:
		return nil, fault.New(fault.Invalid, "store: flush %v, scrub %v, rate %d: give times and bytes above zero", c.Flush, c.Scrub, c.Rate)
	}
	for _, quotas := range []map[string]int64{c.Services, c.Comuni} {
		for name, q := range quotas {
			if q < 0 {
				return nil, fault.New(fault.Invalid, "store: quota of %s: %d bytes: give 0 or more", name, q)
			}
		}
	}
	for _, p := range c.Pins {
		if p.Name == "" || p.Most <= 0 {
			return nil, fault.New(fault.Invalid, "store: pinned set %q of %d bytes: give a name, and bytes above zero", p.Name, p.Most)
		}
	}
	if c.Owner == nil {
		c.Owner = owner
	}
	if c.Tags == nil {
		c.Tags = tags
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	warm, err := otter.New(&otter.Options[uint64, *object]{
		MaximumWeight: uint64(c.Memory),
		Weigher:       func(_ uint64, o *object) uint32 { return uint32(o.rec.weight() + len(o.body)) },
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "store: memory %d: %w", c.Memory, err)
	}
	return &Store{cfg: c, deps: d, chunk: mostChunk, warm: warm, ready: make(chan struct{}),
		chunks: chunks{fs: disk{}, dir: c.Dir, refs: map[uint64]uint32{}},
		t:      newTable(c.Services, c.Comuni), next: 1,
		pend: map[uint64]change{}, touched: map[uint64]touch{}, making: map[uint64]bool{}, drafts: map[*draft]struct{}{}}, nil
}

// Ready is closed when the store is open.
func (s *Store) Ready() <-chan struct{} { return s.ready }

// Run opens the store if that was not done, keeps its bounds, writes the index
// and looks through the disk, until ctx ends; then it closes.
func (s *Store) Run(ctx context.Context) error {
	if err := s.Open(); err != nil {
		return err
	}
	defer s.Close()
	if s.cfg.Scrub > 0 {
		ended := make(chan struct{})
		defer func() { <-ended }()
		go func() { defer close(ended); s.scrubs(ctx) }()
	}
	tick := time.NewTicker(s.cfg.Flush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s.evict()
		s.flush() // what fails is counted, and tried again
	}
}

// Close writes what is left to the index and closes it. Nothing is found after.
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.open
	s.open = false
	s.mu.Unlock()
	if !was {
		return nil
	}
	err := s.flush()
	s.flushing.Lock()
	defer s.flushing.Unlock()
	return errors.Join(err, s.index.close())
}

// Find gives what is stored at an address, the newest first.
func (s *Store) Find(key string) []edge.Object {
	_, comune := s.cfg.Owner(key)
	l, ok := s.lockOf(comune)
	if !ok {
		return nil
	}
	d := l.address(key)
	var few [4]uint64
	s.mu.Lock()
	if !s.open {
		s.mu.Unlock()
		return nil
	}
	ids := s.t.find(few[:0], d, s)
	s.mu.Unlock()
	var out []edge.Object
	for _, id := range ids {
		if o := s.object(id, d, l); o != nil && o.rec.address == key {
			out = append(out, o)
		}
	}
	if len(out) == 0 {
		s.count.misses.Add(1)
	}
	return out
}

// object is one that the index names; nil when its record cannot be read.
func (s *Store) object(id uint64, d digest, l *lock) *object {
	if o, ok := s.warm.GetIfPresent(id); ok && o.rec.lockID == l.identity() {
		return o
	}
	r, err := s.record(id, s.lockOf)
	switch {
	case err == nil && r.addr == d && r.lockID == l.identity():
		o := &object{s: s, rec: r}
		s.warm.Set(id, o)
		return o
	case passing(err) || errors.Is(err, errKey):
		return nil
	case errors.Is(err, os.ErrNotExist): // purged just before the power went
	default:
		s.fault(&s.count.damaged, "the record of a stored answer cannot be read, and it is forgotten", "id", id, "err", err)
	}
	s.drop(d, id)
	return nil
}

func (s *Store) recordPath(id uint64) string {
	return filepath.Join(s.cfg.Dir, "objects", fmt.Sprintf("%x", id>>8), fmt.Sprintf("%x", id))
}

// record reads that of an id; with a nil open only what is in the clear.
func (s *Store) record(id uint64, open func(string) (*lock, bool)) (*record, error) {
	b, err := slurp(s.chunks.fs, s.recordPath(id), mostHead)
	if err != nil {
		return nil, err
	}
	r, err := unpack(b, open)
	if r != nil && r.id != id {
		return nil, errRecord
	}
	return r, err
}

// Begin starts to keep an answer.
func (s *Store) Begin(key string, st *edge.Stored, held edge.Part, o edge.Object) (edge.Draft, error) {
	service, comune := s.cfg.Owner(key)
	l, ok := s.lockOf(comune)
	switch {
	case !ok:
		return nil, noKey(comune)
	case held.First < 0 || held.First > 1<<62:
		return nil, fault.New(fault.Invalid, "store: keep %s from byte %d: give a place in the whole", key, held.First)
	case held.Length > s.cfg.Most:
		return nil, fault.New(fault.Refused, "store: keep %s: %d bytes are more than the cache has: raise most above %d", key, held.Length, s.cfg.Most)
	}
	if err := s.room(max(held.Length, 0)); err != nil {
		return nil, err
	}
	d := &draft{s: s, l: l, at: held.First}
	d.rec = record{addr: l.address(key), service: service, comune: comune, lockID: l.identity(), address: key, head: st, tags: s.cfg.Tags(st)}
	d.rec.variant = l.variant(d.rec.addr, st.Variant)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return nil, err
	}
	if o != nil {
		old, mine := o.(*object)
		if !mine || old.s != s || old.rec.addr != d.rec.addr || old.rec.lockID != d.rec.lockID || s.t.slot(old.rec.addr, old.rec.id) == 0 {
			return nil, errGone
		}
		d.from = old.rec
		s.chunks.holdAll(d.from.pieces)
	}
	s.drafts[d] = struct{}{}
	return d, nil
}

// writable says why nothing can be kept now.
func (s *Store) writable() error {
	switch {
	case !s.open:
		return fault.New(fault.Unreachable, "store: it is not open: start it first")
	case len(s.pend) >= mostPending:
		return fault.New(fault.Unreachable, "store: the index takes nothing: see the disk")
	}
	return nil
}

// Freshen gives a stored answer another head.
func (s *Store) Freshen(o edge.Object, st *edge.Stored) (edge.Object, error) {
	old, mine := o.(*object)
	if !mine || old.s != s {
		return nil, errGone
	}
	l, ok := s.lockOf(old.rec.comune)
	if !ok || l.identity() != old.rec.lockID {
		return nil, noKey(old.rec.comune)
	}
	r := *old.rec
	r.head, r.tags = st, s.cfg.Tags(st)
	r.variant = l.variant(r.addr, st.Variant)
	r.stored = s.cfg.Now().Unix()
	return s.keep(&r, l, old.body, nil, nil)
}

// keep makes a record an object: that of draft d, or without one another head
// of the object whose id r has. It takes the place of what is stored of its
// variant.
func (s *Store) keep(r *record, l *lock, body []byte, fresh []string, d *draft) (edge.Object, error) {
	was := r.id
	s.mu.Lock()
	if err := s.writable(); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	r.id = s.next
	s.next++
	s.making[r.id] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.making, r.id)
		s.mu.Unlock()
	}()
	data, path := r.pack(l), s.recordPath(r.id)
	if len(data) > mostHead {
		return nil, fault.New(fault.Refused, "store: keep %s: its head is %d bytes, which no answer needs", r.address, len(data))
	}
	if err := s.chunks.put(path, data); err != nil {
		return nil, fault.New(fault.Internal, "store: keep %s: %w", r.address, s.writeFault(err))
	}
	b := r.brief(l, len(data))
	s.mu.Lock()
	if !s.open || d != nil && d.stale || d == nil && s.t.slot(r.addr, was) == 0 {
		s.mu.Unlock()
		s.chunks.fs.Remove(path)
		return nil, errGone
	}
	var gone []uint64
	if id := s.t.same(r.addr, r.variant); id != 0 {
		gone = append(gone, id)
	}
	if d == nil && (len(gone) == 0 || gone[0] != was) {
		gone = append(gone, was) // the other head is of another variant
	}
	s.chunks.holdAll(r.pieces)
	for _, id := range gone { // what takes another's place has what that one earned
		queue, freq := s.t.state(s.t.slot(r.addr, id))
		b.queue, b.freq = max(b.queue, queue), max(b.freq, freq)
		s.take(r.addr, id)
	}
	b.queue, b.freq = s.t.state(s.insert(b, r.bytes(), true))
	s.pend[r.id] = change{brief: b.pack(), files: append(fresh, path)}
	full := len(s.pend) > 4096
	s.mu.Unlock()
	for _, id := range gone {
		s.forget(id)
	}
	o := &object{s: s, rec: r, body: body}
	s.warm.Set(r.id, o)
	s.count.stored.Add(1)
	s.evict()
	if full {
		s.flush()
	}
	return o, nil
}

// Delete forgets all that is stored at an address, and what is under way for it.
func (s *Store) Delete(key string) {
	_, comune := s.cfg.Owner(key)
	if l, ok := s.lockOf(comune); ok {
		s.deleteAll(l.address(key))
	}
}

func (s *Store) deleteAll(d digest) (n int) {
	s.mu.Lock()
	for dr := range s.drafts {
		if dr.rec.addr == d {
			dr.stale = true
		}
	}
	ids := s.t.ids(d)
	for _, id := range ids {
		s.take(d, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.forget(id)
	}
	return len(ids)
}

// drop forgets one object, and says whether it was there.
func (s *Store) drop(d digest, id uint64) bool {
	s.mu.Lock()
	there := s.take(d, id)
	s.mu.Unlock()
	if there {
		s.forget(id)
	}
	return there
}

// take takes an object out of the table, which only one can; s.mu is held.
func (s *Store) take(d digest, id uint64) bool {
	slot := s.t.slot(d, id)
	if slot == 0 {
		return false
	}
	s.pins.leave(s.t.all[slot].pin, s.t.all[slot].size)
	s.t.remove(slot)
	delete(s.touched, id)
	s.pend[id] = change{files: []string{filepath.Dir(s.recordPath(id))}}
	return true
}

// forget removes the record of what was taken, and lets its chunks go. Where
// the record cannot be read its chunks stay until scrub finds them.
func (s *Store) forget(id uint64) {
	var r *record
	if o, ok := s.warm.Invalidate(id); ok {
		r = o.rec
	} else {
		r, _ = s.record(id, nil)
	}
	if err := s.chunks.fs.Remove(s.recordPath(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.writeFault(err)
	}
	if r != nil {
		s.released(r.pieces, r.lockID != 0)
	}
}

// released lets chunks go.
func (s *Store) released(all []piece, sealed bool) {
	if n := s.chunks.release(all, sealed); n > 0 {
		s.fault(&s.count.write, "chunks cannot be removed", "chunks", n)
	}
}
