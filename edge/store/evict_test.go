package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/crinale/crinale/edge"
)

// fill keeps objects of 10,000 bytes, no two the same.
func fill(t *testing.T, s *Store, prefix string, n int, fields ...string) {
	t.Helper()
	for i := range n {
		seed := uint64(len(prefix))<<32 + uint64(prefix[0])<<20 + uint64(i)
		mustPut(t, s, fmt.Sprint(prefix, i), head("", fields...), content(seed, 10_000))
	}
}

func count(s *Store, prefix string, n int) (there int) {
	for i := range n {
		there += len(s.Find(fmt.Sprint(prefix, i)))
	}
	return there
}

// The bound on bytes holds at every moment after a commit, and what is wanted
// again stays while what is wanted once goes.
func TestWantedStays(t *testing.T) {
	t.Parallel()
	c := small(t.TempDir())
	c.Most = 1 << 20 // 100 objects
	s := opened(t, c, Deps{})
	fill(t, s, "often/", 40)
	for range 3 {
		count(s, "often/", 40)
	}
	for i := range 500 {
		mustPut(t, s, fmt.Sprint("once/", i), head(""), content(uint64(i)+1e6, 10_000))
		if d := s.Stats().Disk; d > c.Most {
			t.Fatalf("%d bytes of %d", d, c.Most)
		}
	}
	if n := count(s, "often/", 40); n != 40 {
		t.Errorf("of 40 that are wanted often %d are left after a scan", n)
	}
	if n := count(s, "once/", 500); n < 40 || s.Stats().Evicted == 0 {
		t.Errorf("%d are left of the scan", n)
	}
}

// What comes back soon after it went goes into the main queue.
func TestGhostComesBack(t *testing.T) {
	c := small(t.TempDir())
	c.Most = 300_000
	s := opened(t, c, Deps{})
	fill(t, s, "a/", 60)
	if s.Find("a/0") != nil {
		t.Fatal("the first is still there")
	}
	o := mustPut(t, s, "a/0", head(""), content(1, 10_000)).(*object)
	if q, _ := s.t.state(s.t.slot(o.rec.addr, o.rec.id)); q != inMain {
		t.Errorf("it is in queue %d", q)
	}
}

// A quota that is not used is borrowed; when its owner comes, the borrower goes
// first, by service and by comune.
func TestQuotas(t *testing.T) {
	t.Parallel()
	owner := func(a string) (string, string) { return a[:1], a[:1] }
	for name, set := range map[string]func(*Config, map[string]int64){
		"service": func(c *Config, q map[string]int64) { c.Services = q },
		"comune":  func(c *Config, q map[string]int64) { c.Comuni = q },
	} {
		c := small(t.TempDir())
		c.Most, c.Owner = 1_000_000, owner
		set(&c, map[string]int64{"a": 500_000, "b": 500_000})
		s := opened(t, c, Deps{})
		fill(t, s, "a/", 90)
		count(s, "a/", 90) // all are wanted
		count(s, "a/", 90)
		if n := s.Stats().Objects; n != 90 {
			t.Fatalf("%s: %d: what nobody uses was not lent", name, n)
		}
		fill(t, s, "b/", 40)
		if a, b := count(s, "a/", 90), count(s, "b/", 40); b != 40 || a < 45 || a > 60 {
			t.Errorf("%s: %d of a borrower and %d of the owner are there", name, a, b)
		}
		fill(t, s, "b/", 60)
		st := s.Stats()
		if st.Services["b"]+st.Comuni["b"] < 2*400_000 || st.Services["a"] < 400_000 || st.Disk > c.Most {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// Pinned sets stay, by address and by tag, up to their own bound, also after a
// restart; without their pin they are as others.
func TestPinned(t *testing.T) {
	t.Parallel()
	for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
		c := small(t.TempDir())
		c.Most = 300_000
		c.Pins = []Pin{{Name: "forms", Addresses: []string{"form/0", "form/1"}, Most: 1 << 20}, {Name: "albo", Tags: []string{"albo"}, Most: 200_000}}
		s := opened(t, c, Deps{Keys: keys})
		fill(t, s, "form/", 4)
		fill(t, s, "albo/", 30, "Xkey", "x albo")
		fill(t, s, "other/", 100)
		s.Close()
		s = opened(t, c, Deps{Keys: keys})
		fill(t, s, "others/", 100)
		st := s.Stats()
		albo := count(s, "albo/", 30)
		if count(s, "form/", 2) != 2 || count(s, "form/", 4) == 4 || albo < 15 || albo > 20 || st.Pinned["albo"] > 200_000 || st.Pinned["forms"] < 20_000 || st.Disk > c.Most+220_000 {
			t.Errorf("albo %d, %+v", albo, st)
		}
		if err := s.SetPins(nil); err != nil {
			t.Fatal(err)
		}
		fill(t, s, "more/", 300)
		if n := count(s, "form/", 2) + count(s, "albo/", 30); n > 5 || s.Stats().Disk > c.Most {
			t.Errorf("%d are left that are no longer pinned, %+v", n, s.Stats())
		}
		fill(t, s, "last/", 10, "Xkey", "last")
		if err := s.SetPins([]Pin{{Name: "last", Tags: []string{"last"}, Most: 1 << 20}}); err != nil {
			t.Fatal(err)
		}
		fill(t, s, "end/", 100)
		if n := count(s, "last/", 10); n != 10 || s.Stats().Pinned["last"] < 100_000 {
			t.Errorf("%d of 10 are there that were pinned later", n)
		}
	}
}

// The table and its queues agree with a plain list over random changes, and
// every object can be reached by eviction.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	tab := newTable(map[string]int64{"s1": 2000}, nil)
	plain := map[uint64]entry{}
	for id := uint64(1); id < 5000; id++ {
		e := entry{id: id, addr: digest{7: byte(r.IntN(40)), 15: byte(r.IntN(2))}, variant: uint64(r.IntN(3)), size: int64(1 + r.IntN(100)), meta: 1,
			group: tab.group(fmt.Sprint("s", r.IntN(3)), ""), queue: uint8(r.IntN(3))}
		if old := tab.same(e.addr, e.variant); old != 0 {
			if plain[old].variant != e.variant || plain[old].addr != e.addr {
				t.Fatalf("%d is not the same", old)
			}
			tab.remove(tab.slot(e.addr, old))
			delete(plain, old)
		}
		plain[id] = e
		tab.add(e)
	}
	var size int64
	for id, e := range plain {
		if tab.slot(e.addr, id) == 0 || !slices.Contains(tab.ids(e.addr), id) {
			t.Fatalf("%d is lost", id)
		}
		if ids := tab.ids(e.addr); !slices.IsSortedFunc(ids, func(a, b uint64) int { return int(b) - int(a) }) {
			t.Fatalf("not the newest first: %v", ids)
		}
		size += e.size
	}
	for _, g := range tab.groups {
		size -= g.bytes
	}
	if size != 0 || tab.meta != int64(len(plain)) {
		t.Errorf("bytes differ by %d, %d records of %d", size, tab.meta, len(plain))
	}
	for i := tab.victim(); i != 0; i = tab.victim() {
		e := tab.all[i]
		if tab.borrowers() && !tab.borrows(tab.groups[e.group]) {
			t.Fatal("one goes who borrows nothing")
		}
		delete(plain, e.id)
		tab.remove(i)
	}
	for id, e := range plain {
		if e.queue != pinnedOut {
			t.Fatalf("%d was never reached", id)
		}
	}
}

// An answer that is longer than the cache is refused at once, and one that turns
// out to be does not push out everything else for nothing.
func TestTooLong(t *testing.T) {
	c := small(t.TempDir())
	c.Most = 2 << 20
	s := opened(t, c, Deps{})
	fill(t, s, "a/", 20)
	if _, err := s.Begin("a/x", head(""), edge.Part{Span: edge.Span{Length: 3 << 20}, Of: 3 << 20}, nil); err == nil {
		t.Error("begun")
	}
	d, err := s.Begin("a/x", head(""), edge.Part{Span: edge.Span{Length: -1}, Of: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Abort()
	if n, err := d.Write(content(5, 4<<20)); err == nil || n > 3<<20 {
		t.Errorf("%d bytes were taken, %v", n, err)
	}
	if _, err := d.Commit(4 << 20); err == nil {
		t.Error("kept")
	}
	if count(s, "a/", 20) != 20 {
		t.Error("it pushed out the others")
	}
}
