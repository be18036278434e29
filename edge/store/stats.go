package store

import (
	"sync/atomic"
	"time"
)

// counters are what happened since the start.
type counters struct {
	hitsRAM, hitsDisk, misses       atomic.Int64
	stored, evicted                 atomic.Int64
	write, damaged, index, scrubbed atomic.Int64
	said                            atomic.Int64 // Unix seconds of the last line in the log
}

// Stats is what a store has, and what happened since its start.
type Stats struct {
	Objects   int
	Disk      int64            // bytes of chunks and records; what is the same counts once
	Services  map[string]int64 // bytes that each would have alone
	Comuni    map[string]int64
	Pinned    map[string]int64
	Memory    int64 // bytes of the memory tier
	HitsRAM   int64 // bodies opened in memory
	HitsDisk  int64
	Misses    int64 // addresses of which there was nothing
	Stored    int64
	Evicted   int64
	Pending   int   // changes that the index does not know yet
	Write     int64 // faults: something could not be written or removed
	Damaged   int64 // faults: something could not be read, and was forgotten
	Index     int64 // faults of the index
	ScrubBad  int64 // damaged chunks that a walk found
	UnderWay  int   // drafts
	Buffering int64 // bytes of them in memory
}

// Stats gives the figures of now.
func (s *Store) Stats() Stats {
	c := &s.count
	st := Stats{Services: map[string]int64{}, Comuni: map[string]int64{}, Pinned: map[string]int64{},
		Memory: int64(s.warm.WeightedSize()), HitsRAM: c.hitsRAM.Load(), HitsDisk: c.hitsDisk.Load(), Misses: c.misses.Load(),
		Stored: c.stored.Load(), Evicted: c.evicted.Load(), Write: c.write.Load(), Damaged: c.damaged.Load(),
		Index: c.index.Load(), ScrubBad: c.scrubbed.Load(), Buffering: s.buffered.Load()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.t.groups {
		st.Objects += g.objects
		st.Services[g.service] += g.bytes
		st.Comuni[g.comune] += g.bytes
	}
	for i, p := range s.pins.sets {
		st.Pinned[p.Name] += s.pins.used[i]
	}
	st.Disk = s.chunks.used() + s.t.meta
	st.Pending, st.UnderWay = len(s.pend), len(s.drafts)
	return st
}

// fault counts trouble. The log has a line of it at most once a minute.
func (s *Store) fault(n *atomic.Int64, what string, about ...any) {
	n.Add(1)
	now := time.Now().Unix()
	if last := s.count.said.Load(); now-last >= 60 && s.count.said.CompareAndSwap(last, now) {
		s.deps.Log.Warn(what, about...)
	}
}

// writeFault counts that the disk does not take something.
func (s *Store) writeFault(err error) error {
	s.fault(&s.count.write, "the disk of the cache takes nothing", "err", err)
	return err
}
