package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/edge"
)

func numbered(n uint64) (i id) {
	binary.BigEndian.PutUint64(i[8:], n)
	return i
}

// TestQueueCounts: whatever happens, the bytes of the lists, of the owners and
// of all agree with what is there.
func TestQueueCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Default("x")
		c.Most, c.PinnedMost = 1000, 200
		c.Quota = map[string]int64{"service:a": 100, "comune:2": 300}
		q := newQueue(c)
		sizes := map[id]int64{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				i, size := numbered(rapid.Uint64Range(0, 20).Draw(t, "id")), rapid.Int64Range(0, 150).Draw(t, "size")
				q.put(i, Place{Service: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "service"), Comune: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "comune")}, size, rapid.Bool().Draw(t, "pinned"))
				sizes[i] = size
			},
			"used": func(t *rapid.T) { q.used(numbered(rapid.Uint64Range(0, 25).Draw(t, "id"))) },
			"remove": func(t *rapid.T) {
				i := numbered(rapid.Uint64Range(0, 25).Draw(t, "id"))
				q.remove(i)
				delete(sizes, i)
			},
			"victim": func(t *rapid.T) {
				i, ok := q.victim()
				if ok {
					if _, there := sizes[i]; !there {
						t.Fatalf("%x is not there", i)
					}
					delete(sizes, i)
				} else if q.small.n+q.main.n > 0 {
					t.Fatal("nobody leaves")
				}
			},
			"": func(t *rapid.T) {
				var all int64
				for _, n := range sizes {
					all += n
				}
				st := q.stats()
				if st.Bytes != all || st.Objects != int64(len(sizes)) || st.By["service:a"]+st.By["service:b"] != all || st.By["comune:1"]+st.By["comune:2"] != all {
					t.Fatalf("%+v, %d bytes of %d", st, all, len(sizes))
				}
				if q.small.bytes+q.main.bytes+q.pinned != all || q.pinned > 200+150 {
					t.Fatalf("small %d main %d pinned %d", q.small.bytes, q.main.bytes, q.pinned)
				}
				for _, l := range []*list{&q.small, &q.main} {
					n, bytes := int64(0), int64(0)
					for s := l.head; s >= 0; s = q.slots[s].next {
						n, bytes = n+1, bytes+q.slots[s].size
					}
					if n != l.n || bytes != l.bytes {
						t.Fatalf("a list of %d with %d bytes says %d and %d", n, bytes, l.n, l.bytes)
					}
				}
			},
		})
	})
}

// TestQueueKeepsWhatIsUsed: on requests of which few addresses are most, with
// sweeps through many that never come back, more is found than where the oldest
// leaves first.
func TestQueueKeepsWhatIsUsed(t *testing.T) {
	trace := make([]uint64, 0, 60_000)
	r := rand.New(rand.NewPCG(7, 7))
	z := rand.NewZipf(r, 1.2, 1, 5000)
	for len(trace) < cap(trace) {
		if r.IntN(50) == 0 {
			at := 1_000_000 + r.Uint64N(1_000_000_000)
			for i := range uint64(200) {
				trace = append(trace, at+i)
			}
			continue
		}
		trace = append(trace, z.Uint64())
	}
	const room = 300
	c := Default("x")
	c.Most = room
	q := newQueue(c)
	hits, fifo := 0, 0
	for _, n := range trace {
		i := numbered(n)
		if _, ok := q.by[i]; ok {
			hits++
			q.used(i)
			continue
		}
		q.put(i, Place{}, 1, false)
		for q.stats().Bytes > room {
			q.victim()
		}
	}
	var order []uint64
	there := map[uint64]bool{}
	for _, n := range trace {
		if there[n] {
			fifo++
			continue
		}
		there[n], order = true, append(order, n)
		if len(order) > room {
			delete(there, order[0])
			order = order[1:]
		}
	}
	t.Logf("found: %.1f %%, by the oldest first %.1f %%", 100*float64(hits)/float64(len(trace)), 100*float64(fifo)/float64(len(trace)))
	if float64(hits) < 1.15*float64(fifo) {
		t.Errorf("%d of %d were found, by the oldest first %d", hits, len(trace), fifo)
	}
}

// TestQuota: who has more than its quota leaves first, and may have more as long
// as there is room; what is pinned stays.
func TestQuota(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config, d *Deps) {
		secrets(c, d)
		c.Most = 100_000
		c.Quota = map[string]int64{"service:greedy1": 20_000}
		c.Pinned = func(a string, _ *edge.Stored) bool { return strings.HasSuffix(a, "/pinned") }
	})
	keep(t, s, "greedy1/pinned", head(), bodyOf(500, 5000))
	for i := range 8 {
		keep(t, s, fmt.Sprintf("modest2/%d", i), head(), bodyOf(uint64(i), 5000))
	}
	for i := range 9 {
		keep(t, s, fmt.Sprintf("greedy1/%d", i), head(), bodyOf(uint64(100+i), 5000))
	}
	s.evict(t.Context())
	if st := s.Stats(); st.Evicted != 0 || st.By["service:greedy1"] < 45_000 {
		t.Errorf("there is room, and %+v", st)
	}
	for i := range 6 {
		keep(t, s, fmt.Sprintf("modest2/more%d", i), head(), bodyOf(uint64(200+i), 5000))
	}
	s.evict(t.Context())
	s.index.settle()
	st := s.Stats()
	if st.Bytes > 100_000 || st.By["service:modest2"] < 14*5000 || st.By["service:greedy1"] < 5000 {
		t.Errorf("%+v", st)
	}
	holds(t, s, "greedy1/pinned", bodyOf(500, 5000))
	if n := int64(count(t, s, chunkDir)); n != st.Objects {
		t.Errorf("%d chunks of %d objects", n, st.Objects)
	}
}

// TestRunKeepsWithinBounds as things come.
func TestRunKeepsWithinBounds(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config, _ *Deps) { c.Most = 300_000 })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	for i := range 100 {
		keep(t, s, fmt.Sprintf("a/%d", i), head(), bodyOf(uint64(i), 20_000))
	}
	for end := time.Now().Add(time.Minute); s.Stats().Bytes > 300_000; {
		if time.Now().After(end) {
			t.Fatalf("%+v", s.Stats())
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	given := 0
	for i := range 100 {
		if right(t, s, fmt.Sprintf("a/%d", i), bodyOf(uint64(i), 20_000)) {
			given++
		}
	}
	if st := s.Stats(); given != int(st.Objects) || given < 8 {
		t.Errorf("%d are given, %+v", given, st)
	}
}
