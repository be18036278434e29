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
	"log/slog"
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
