// Package store keeps what an edge's HTTP cache may keep: bodies as files named
// by what is in them, a record beside them for each address, and an index for
// what must be found by other things than the address.
//
// The records are the truth, each with its checksum; the index is made from them
// and can be made again. No failure of the disk spoils an answer: what cannot be
// written is not kept, what cannot be read as it was written is not given.
package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Config bounds a Store.
type Config struct {
	Dir     string
	Most    int64 // bytes kept in all
	MinFree int64 // bytes that stay free on the volume
	RAM     int64 // bytes of records and small bodies in memory
	// Quota are bytes for a service or a comune, by "service:NAME", "comune:CODE".
	// What others leave may be borrowed; who borrows is evicted first.
	Quota map[string]int64
	// PinnedMost bounds what Pinned keeps from eviction; what is beyond it is
	// evicted as all else.
	PinnedMost int64
	// Place says whose an address is.
	Place func(address string) Place
	// Pinned says that an answer is not evicted; nil: none is.
	Pinned func(address string, s *edge.Stored) bool
	// ScrubEvery is the time between two looks at all that is kept, ScrubRate the
	// bytes a second that it reads.
	ScrubEvery time.Duration
	ScrubRate  int64
}

// Place is whose an address is, for quotas and keys.
type Place struct {
	Service, Comune string
	Sealed          bool // encrypted with the key of the comune
}

// Default keeps 20 GB in a folder, nothing sealed.
func Default(dir string) Config {
	return Config{
		Dir: dir, Most: 20 << 30, MinFree: 2 << 30, RAM: 16 << 20, PinnedMost: 4 << 30,
		Place:      func(string) Place { return Place{} },
		ScrubEvery: 24 * time.Hour, ScrubRate: 8 << 20,
	}
}

// Deps are what a Store uses.
type Deps struct {
	// Key is the secret of a comune, 32 bytes; false: there is none (any more). nil:
	// nobody has one.
	Key func(comune string) ([]byte, bool)
	Log *slog.Logger // nil: silent
}

// Store is an edge.Store on a disk. Make it with New, then Open.
type Store struct {
	cfg   Config
	deps  Deps
	ram   *otter.Cache[id, *entry]
	index *index
	pins  pins
	queue *queue
	locks [256]sync.Mutex // of addresses, by the first byte of their id

	verified verified
	stats    counters
	rebuilt  atomic.Bool // the index holds what is on the disk
}

// counters are the figures of a Store.
type counters struct {
	memory, disk, misses, evicted, faults, refused, damaged atomic.Int64
}

// Stats are figures of a Store since it was opened, and what it holds.
type Stats struct {
	Objects, Bytes, Pinned int64
	MemoryHits, DiskHits   int64
	Misses, Evicted        int64
	Faults                 int64 // of the disk
	Refused                int64 // not kept, for want of room or a key
	Damaged                int64 // that were found to be other than they were written, and dropped
	By                     map[string]int64
	Complete               bool // all that is kept is counted
}

// errNoRoom is why an answer is not kept.
var errNoRoom = errors.New("the volume of the store has too little room left")

// New makes a store; it touches nothing.
func New(c Config, d Deps) (*Store, error) {
	switch {
	case c.Dir == "":
		return nil, fault.New(fault.Invalid, "store: give a folder")
	case c.Most <= 0 || c.RAM <= 0 || c.MinFree < 0 || c.PinnedMost < 0:
		return nil, fault.New(fault.Invalid, "store: give bounds above zero")
	case c.Place == nil:
		return nil, fault.New(fault.Invalid, "store: say whose an address is")
	case c.ScrubRate <= 0 || c.ScrubEvery <= 0:
		return nil, fault.New(fault.Invalid, "store: give a rate and a time of the scrub above zero")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Key == nil {
		d.Key = func(string) ([]byte, bool) { return nil, false }
	}
	ram, err := otter.New(&otter.Options[id, *entry]{
		MaximumWeight: uint64(c.RAM),
		Weigher:       func(_ id, e *entry) uint32 { return e.weight() },
	})
	if err != nil {
		return nil, fault.New(fault.Invalid, "store: memory: %w", err)
	}
	s := &Store{cfg: c, deps: d, ram: ram}
	s.pins.init()
	s.queue = newQueue(c)
	return s, nil
}

// Open makes the folders and opens the index. What is kept can be found from
// then on, also while the index is made again.
func (s *Store) Open() error {
	for _, sub := range []string{"", chunkDir, recordDir, tempDir} {
		if err := os.MkdirAll(filepath.Join(s.cfg.Dir, sub), 0o700); err != nil {
			return fault.New(fault.Refused, "store: %w", err)
		}
	}
	var err error
	if s.index, err = openIndex(filepath.Join(s.cfg.Dir, indexFile), s.deps.Log, s.unreferenced); err != nil {
		return fault.New(fault.Refused, "store: index: %w", err)
	}
	return nil
}

// Close ends the writing of the index; what was given to read stays readable.
func (s *Store) Close() error {
	if s.index == nil {
		return nil
	}
	return s.index.close()
}

// Run keeps the store within its bounds and looks through it, until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	s.clearTemp()
	if err := s.reconcile(ctx); err != nil && ctx.Err() == nil {
		s.deps.Log.Error("the index of the store could not be compared with what is kept", "err", err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	scrub := time.NewTimer(s.cfg.ScrubEvery)
	defer scrub.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.queue.full:
		case <-tick.C:
		case <-scrub.C:
			if _, err := s.Scrub(ctx); err != nil && ctx.Err() == nil {
				s.deps.Log.Error("the store could not be looked through", "err", err)
			}
			scrub.Reset(s.cfg.ScrubEvery)
		}
		if s.index.broken() {
			if err := s.renew(ctx); err != nil && ctx.Err() == nil {
				s.deps.Log.Error("the index of the store could not be made again", "err", err)
			}
		}
		s.evict(ctx)
	}
}

// Find gives what is stored at an address, the newest first.
func (s *Store) Find(address string) []edge.Object {
	e := s.entry(address)
	if e == nil {
		s.stats.misses.Add(1)
		return nil
	}
	s.queue.used(e.id)
	out := make([]edge.Object, len(e.all))
	for i, o := range e.all {
		out[i] = o
	}
	return out
}

// entry is what is stored at an address; nil for nothing.
func (s *Store) entry(address string) *entry {
	k, ok := s.keyOf(address)
	if !ok {
		return nil
	}
	if e, ok := s.ram.GetIfPresent(k.id); ok && e.address == address {
		s.stats.memory.Add(1)
		return e
	}
	lock := &s.locks[k.id[0]]
	lock.Lock()
	defer lock.Unlock()
	e := s.read(k)
	if e == nil || e.address != address {
		return nil
	}
	s.stats.disk.Add(1)
	s.ram.Set(k.id, e)
	return e
}

// read is the record of an address from the disk; nil for none, or one that is
// damaged, which is dropped. It needs the lock of the address.
func (s *Store) read(k key) *entry {
	data, err := os.ReadFile(s.recordPath(k.id))
	if err != nil {
		if !os.IsNotExist(err) {
			s.failed("read a record", err)
		}
		return nil
	}
	e, err := s.parse(k, data)
	if err != nil {
		s.stats.damaged.Add(1)
		s.deps.Log.Warn("a record of the store is not as it was written, and is dropped", "err", err)
		s.drop(k.id)
		return nil
	}
	return e
}

// Freshen gives a stored answer another head.
func (s *Store) Freshen(o edge.Object, head *edge.Stored) (edge.Object, error) {
	old, ok := o.(*object)
	if !ok {
		return nil, fault.New(fault.Internal, "store: an object of another store")
	}
	n := old.with(head)
	if err := s.put(old.key, n); err != nil {
		return nil, err
	}
	return n, nil
}

// Delete forgets all that is stored at an address.
func (s *Store) Delete(address string) {
	k, ok := s.keyOf(address)
	if !ok {
		return
	}
	lock := &s.locks[k.id[0]]
	lock.Lock()
	defer lock.Unlock()
	s.drop(k.id)
}

// drop takes an address out of memory, disk and index. It needs the lock of the
// address. The chunks go when the index knows that nobody else has them.
func (s *Store) drop(i id) {
	s.ram.Invalidate(i)
	if err := os.Remove(s.recordPath(i)); err != nil && !os.IsNotExist(err) {
		s.failed("remove a record", err)
	}
	s.queue.remove(i)
	s.index.tell(change{id: i})
}

// mostVariants bounds the answers to one address; the oldest go.
const mostVariants = 16

// put makes o the only one of its variant at its address, on the disk and in
// memory.
func (s *Store) put(k key, o *object) error {
	lock := &s.locks[k.id[0]]
	lock.Lock()
	defer lock.Unlock()
	e := &entry{key: k, all: []*object{o}}
	if old := s.read(k); old != nil && old.address == k.address {
		for _, v := range old.all {
			if v.head.Variant != o.head.Variant && len(e.all) < mostVariants {
				e.all = append(e.all, v)
			}
		}
	}
	data, err := s.encode(e)
	if err != nil {
		return err
	}
	if err := s.writeFile(s.recordPath(k.id), data); err != nil {
		s.failed("write a record", err)
		return err
	}
	s.ram.Set(k.id, e)
	s.noted(e, int64(len(data)))
	return nil
}

// noted tells the queue and the index of what is at an address now.
func (s *Store) noted(e *entry, record int64) {
	size := record
	var chunks []name
	var tags []id
	for _, o := range e.all {
		size += o.size()
		for _, p := range o.pieces {
			chunks = append(chunks, p.chunk)
		}
		tags = append(tags, s.tagsOf(e.key, o.head)...)
	}
	pinned := s.cfg.Pinned != nil && s.cfg.Pinned(e.address, e.all[0].head)
	s.queue.put(e.id, e.place, size, pinned)
	s.index.tell(change{id: e.id, row: &row{Size: size, Service: e.place.Service, Comune: e.place.Comune, Sealed: e.place.Sealed, Pinned: pinned, Tags: tags, Chunks: chunks}})
}

// failed counts a failure of the disk.
func (s *Store) failed(what string, err error) {
	s.stats.faults.Add(1)
	s.deps.Log.Warn("store: the disk fails", "what", what, "err", err)
}

// Stats are the figures now.
func (s *Store) Stats() Stats {
	st := s.queue.stats()
	c := &s.stats
	st.MemoryHits, st.DiskHits, st.Misses = c.memory.Load(), c.disk.Load(), c.misses.Load()
	st.Evicted, st.Faults, st.Refused, st.Damaged = c.evicted.Load(), c.faults.Load(), c.refused.Load(), c.damaged.Load()
	st.Complete = s.rebuilt.Load()
	return st
}

var _ edge.Store = (*Store)(nil)
