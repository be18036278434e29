package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/crinale/crinale/edge"
)

// files are all below a folder of the store.
func files(t testing.TB, s *Store, sub string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.cfg.Dir, sub), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// flip changes one bit of a file.
func flip(t testing.TB, path string, bit int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bit /= 8; bit >= int64(len(data)) {
		t.Fatalf("%s has %d bytes", path, len(data))
	}
	data[bit] ^= 1 << (bit % 8)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// right wants that whatever is given of an address is what was stored there.
func right(t testing.TB, s *Store, address string, want []byte) (given bool) {
	t.Helper()
	for _, o := range s.Find(address) {
		got, err := whole(o)
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes that are others than the %d stored", address, len(got), len(want))
		}
		given = given || err == nil
	}
	return given
}

// TestFlippedBits: one bit, anywhere in any file, and what is given is right or
// nothing, and what was damaged can be stored again.
func TestFlippedBits(t *testing.T) {
	const rounds = 4
	r := rand.New(rand.NewPCG(1, 2))
	for _, host := range []string{"plain1", "sealed1"} {
		for _, sub := range []string{chunkDir, recordDir, indexFile} {
			t.Run(host+" "+sub, func(t *testing.T) {
				given := 0
				for round := range rounds {
					s := open(t, t.TempDir(), secrets)
					body := func(i int) []byte { return bodyOf(uint64(i), 500+i*200_000) }
					for i := range 6 {
						keep(t, s, fmt.Sprintf("%s/%d", host, i), head("Surrogate-Key: t"), body(i))
					}
					_ = s.Close()
					all := files(t, s, sub)
					path := all[r.IntN(len(all))]
					st, err := os.Stat(path)
					if err != nil {
						t.Fatal(err)
					}
					flip(t, path, r.Int64N(st.Size()*8))
					if round%4 == 3 { // cut as well
						if err := os.Truncate(path, r.Int64N(st.Size())); err != nil {
							t.Fatal(err)
						}
					}
					s.index = nil
					n := open(t, s.cfg.Dir, func(c *Config, d *Deps) { *c, *d = s.cfg, s.deps })
					n.evict(t.Context())
					if n.index.broken() {
						if err := n.renew(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					for i := range 6 {
						if right(t, n, fmt.Sprintf("%s/%d", host, i), body(i)) {
							given++
						}
						keep(t, n, fmt.Sprintf("%s/%d", host, i), head(), body(i))
						holds(t, n, fmt.Sprintf("%s/%d", host, i), body(i))
					}
					_ = n.Close()
				}
				least := rounds * 5
				if sub == indexFile {
					least = rounds * 6 // the index spoils nothing
				}
				if given < least {
					t.Errorf("%d of %d were given", given, rounds*6)
				}
			})
		}
	}
}

// TestScrubNames what is damaged and what is missing, and drops both.
func TestScrubNames(t *testing.T) {
	for _, host := range []string{"plain1", "sealed1"} {
		t.Run(host, func(t *testing.T) {
			s := open(t, t.TempDir(), func(c *Config, d *Deps) { secrets(c, d); c.ScrubRate = 1 << 40 })
			for i := range 8 {
				keep(t, s, fmt.Sprintf("%s/%d", host, i), head(), bodyOf(uint64(i), 200_000))
			}
			s.index.settle()
			if out, err := s.Scrub(t.Context()); err != nil || out.Chunks != 8 || len(out.Damaged)+len(out.Missing)+out.Orphans != 0 {
				t.Fatalf("%+v %v", out, err)
			}
			all := files(t, s, chunkDir)
			flip(t, all[0], 8*150_000+3)
			if err := os.Remove(all[1]); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(all[2], 100); err != nil {
				t.Fatal(err)
			}
			out, err := s.Scrub(t.Context())
			if err != nil || len(out.Damaged) != 2 || len(out.Missing) != 1 || out.Missing[0] != filepath.Base(all[1]) {
				t.Fatalf("%+v %v", out, err)
			}
			for _, want := range []string{all[0], all[2]} {
				if n := filepath.Base(want); out.Damaged[0] != n && out.Damaged[1] != n {
					t.Errorf("%s is not named: %q", n, out.Damaged)
				}
			}
			s.index.settle()
			left := 0
			for i := range 8 {
				if right(t, s, fmt.Sprintf("%s/%d", host, i), bodyOf(uint64(i), 200_000)) {
					left++
				}
			}
			if left != 5 {
				t.Errorf("%d are left", left)
			}
			if out, err := s.Scrub(t.Context()); err != nil || out.Chunks != 5 || len(out.Damaged)+len(out.Missing) != 0 {
				t.Errorf("again: %+v %v", out, err)
			}
		})
	}
}

// TestLostIndex: without it all is given at once, and when it was made again it
// knows all: tags, who has which chunk, what leaves.
func TestLostIndex(t *testing.T) {
	s := open(t, t.TempDir(), secrets)
	body := bodyOf(1, 1000)
	for i := range 20 {
		keep(t, s, fmt.Sprintf("plain1/%d", i), head(fmt.Sprintf("Xkey: t%d", i%2)), body)
	}
	before := s.Stats()
	_ = s.Close()
	if err := os.Remove(filepath.Join(s.cfg.Dir, indexFile)); err != nil {
		t.Fatal(err)
	}
	n, err := New(s.cfg, s.deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	holds(t, n, "plain1/7", body)
	n.Delete("plain1/8") // the index does not know yet who else has its chunk
	n.index.settle()
	holds(t, n, "plain1/9", body)
	if err := n.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := n.Stats(); st.Objects != 19 || st.Bytes >= before.Bytes || st.Damaged != 0 {
		t.Errorf("%+v, before %+v", st, before)
	}
	if k, err := n.PurgeTag("plain1", "", false, "t1"); k != 10 || err != nil {
		t.Errorf("purged %d, %v", k, err)
	}
	for i := 0; i < 20; i += 2 {
		n.Delete(fmt.Sprintf("plain1/%d", i))
	}
	n.index.settle()
	if k := count(t, n, chunkDir) + count(t, n, recordDir); k != 0 {
		t.Errorf("%d files are left", k)
	}
}

// TestFailingDisk: folders that cannot be written or read cost the keeping and
// nothing else.
func TestFailingDisk(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	keep(t, s, "a/old", head(), bodyOf(1, 300_000))
	temp := filepath.Join(s.cfg.Dir, tempDir)
	if err := os.Rename(temp, temp+".away"); err != nil {
		t.Fatal(err)
	}
	d, err := s.Begin("a/new", head(), edge.Part{Span: edge.Span{Length: 10}, Of: 10}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte("0123456789")); err == nil {
		t.Error("a write without a place")
	}
	if _, err := d.Write([]byte("0")); err == nil {
		t.Error("a write after a failure")
	}
	if _, err := d.Commit(10); err == nil {
		t.Error("kept")
	}
	d.Abort()
	old := s.Find("a/old")[0]
	if _, err := s.Freshen(old, head("X: y")); err == nil {
		t.Error("freshened without a place")
	}
	holds(t, s, "a/old", bodyOf(1, 300_000))
	if err := os.Rename(temp+".away", temp); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "a/new", head(), bodyOf(2, 10))
	holds(t, s, "a/new", bodyOf(2, 10))
	if st := s.Stats(); st.Faults < 2 || st.Objects != 2 {
		t.Errorf("%+v", st)
	}
	full := open(t, t.TempDir(), func(c *Config, _ *Deps) { c.MinFree = 1 << 60 })
	if _, err := full.Begin("a/", head(), edge.Part{Span: edge.Span{Length: 10}, Of: 10}, nil); err == nil || full.Stats().Refused != 1 {
		t.Errorf("on a full volume: %v", err)
	}
}

// FuzzRecord: any bytes in the place of a record are a record that can be
// written again the same, or none.
func FuzzRecord(f *testing.F) {
	s, err := New(Default(f.TempDir()), Deps{})
	if err != nil {
		f.Fatal(err)
	}
	k := key{address: "a/b", id: id{1}}
	good, err := s.encode(&entry{key: k, all: []*object{{head: head("A: b"), length: 9, pieces: []piece{{Span: edge.Span{Length: 9}}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[len(plainMagic)+32:], false)
	f.Add([]byte(`{"address":"a","variants":[{"status":200,"length":-1,"pieces":["0 1 00"]}]}`), false)
	f.Add(good, true)
	f.Fuzz(func(t *testing.T, data []byte, asIs bool) {
		if !asIs { // past the checksum
			data = withSum(data)
		}
		e, err := s.parse(k, data)
		if err != nil {
			return
		}
		again, err := s.encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if e2, err := s.parse(k, again); err != nil || len(e2.all) != len(e.all) || e2.address != e.address {
			t.Fatalf("%v: %q", err, again)
		}
		for _, o := range e.all {
			for _, h := range o.held {
				if h.First < 0 || h.Length <= 0 || o.length >= 0 && h.End() > o.length {
					t.Fatalf("%+v", o)
				}
			}
		}
	})
}

// withSum is a plain record of a text.
func withSum(text []byte) []byte {
	sum := sha256.Sum256(text)
	return slices.Concat(plainMagic, sum[:], text)
}

// FuzzRow: any bytes in the place of a row are a row, or none.
func FuzzRow(f *testing.F) {
	good, err := encodeRow(&row{Size: 1, Service: "a", Chunks: []name{{1}}, Tags: []id{{2}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRow(data)
		if (r == nil) == (err == nil) && data != nil {
			t.Fatalf("%v %v", r, err)
		}
	})
}
