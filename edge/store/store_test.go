package store

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// open is a store in a folder, with what a test changes of it.
func open(t testing.TB, dir string, change func(*Config, *Deps)) *Store {
	t.Helper()
	c, d := Default(dir), Deps{}
	c.MinFree = 0
	if change != nil {
		change(&c, &d)
	}
	s, err := New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// again ends a store and opens its folder again.
func again(t testing.TB, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.index = nil
	return open(t, s.cfg.Dir, func(c *Config, d *Deps) { *c, *d = s.cfg, s.deps })
}

func head(lines ...string) *edge.Stored {
	h := http.Header{"Etag": {`"a"`}}
	for _, l := range lines {
		k, v, _ := strings.Cut(l, ": ")
		h.Add(k, v)
	}
	return &edge.Stored{Status: 200, Header: h, Got: time.Unix(1_800_000_000, 0).UTC(), Asked: time.Unix(1_800_000_000, 0).UTC()}
}

// bodyOf are n bytes that a seed makes.
func bodyOf(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

// keep stores a whole answer.
func keep(t testing.TB, s *Store, address string, h *edge.Stored, body []byte) edge.Object {
	t.Helper()
	d, err := s.Begin(address, h, edge.Part{Span: edge.Span{Length: int64(len(body))}, Of: int64(len(body))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Abort()
	for p := body; len(p) > 0; {
		n := min(len(p), 100_000)
		if _, err := d.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	o, err := d.Commit(int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// whole is what an object holds, read in both ways.
func whole(o edge.Object) ([]byte, error) {
	b, err := o.Open()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	all := make([]byte, o.Length())
	if n, err := b.ReadAt(all, 0); n < len(all) {
		return nil, fmt.Errorf("%d of %d: %w", n, len(all), err)
	}
	var sent bytes.Buffer
	if n, err := b.(edge.Sender).SendTo(&sent, edge.Span{Length: o.Length()}); err != nil || n != o.Length() || !bytes.Equal(sent.Bytes(), all) {
		return nil, fmt.Errorf("sent %d, %w", n, err)
	}
	return all, nil
}

// holds wants one answer with a body at an address.
func holds(t testing.TB, s *Store, address string, want []byte) {
	t.Helper()
	found := s.Find(address)
	if len(found) != 1 {
		t.Errorf("%s: %d answers", address, len(found))
		return
	}
	if got, err := whole(found[0]); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, %v; want %d", address, len(got), err, len(want))
	}
}

// count is how many files are below a folder of the store.
func count(t testing.TB, s *Store, sub string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.cfg.Dir, sub), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var sizes = []int{0, 1, 1000, smallBody, smallBody + 1, segmentSize - 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 77}

// secrets are two comuni with keys.
func secrets(c *Config, d *Deps) {
	c.Place = func(a string) Place {
		host, _, _ := strings.Cut(a, "/")
		return Place{Service: host, Comune: "00400" + host[len(host)-1:], Sealed: strings.HasPrefix(host, "sealed")}
	}
	d.Key = func(comune string) ([]byte, bool) { return bytes.Repeat([]byte{comune[5]}, 32), comune != "004009" }
}

func TestKeepsAndGives(t *testing.T) {
	for _, host := range []string{"plain1", "sealed1"} {
		t.Run(host, func(t *testing.T) {
			s := open(t, t.TempDir(), secrets)
			for i, n := range sizes {
				keep(t, s, fmt.Sprintf("%s/%d", host, i), head(), bodyOf(uint64(i), n))
			}
			for round := range 3 {
				for i, n := range sizes {
					holds(t, s, fmt.Sprintf("%s/%d", host, i), bodyOf(uint64(i), n))
				}
				if round == 1 {
					s = again(t, s)
				}
			}
			if got := s.Find(host + "/none"); got != nil {
				t.Errorf("%v", got)
			}
			if st := s.Stats(); st.Damaged != 0 || st.Faults != 0 || st.Objects != int64(len(sizes)) {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestVariants: one answer for each variant, the newest first, and no more than
// so many.
func TestVariants(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	for i := range 3 * mostVariants {
		h := head()
		h.Variant = fmt.Sprint(i)
		keep(t, s, "a/", h, bodyOf(uint64(i), 100))
	}
	found := s.Find("a/")
	if len(found) != mostVariants || found[0].Head().Variant != fmt.Sprint(3*mostVariants-1) {
		t.Fatalf("%d answers, the first %q", len(found), found[0].Head().Variant)
	}
	last := found[mostVariants-1]
	if n, err := s.Freshen(last, &edge.Stored{Status: 200, Header: http.Header{"X": {"new"}}, Variant: last.Head().Variant}); err != nil || n.Head().Header.Get("X") != "new" {
		t.Fatal(err)
	}
	s = again(t, s)
	found = s.Find("a/")
	if len(found) != mostVariants || found[0].Head().Header.Get("X") != "new" {
		t.Fatalf("%d answers, the first %v", len(found), found[0].Head())
	}
	if b, err := whole(found[0]); err != nil || !bytes.Equal(b, bodyOf(2*mostVariants, 100)) {
		t.Errorf("%v", err)
	}
	s.Delete("a/")
	s.index.settle()
	if s.Find("a/") != nil || count(t, s, chunkDir) != 0 || count(t, s, recordDir) != 0 {
		t.Errorf("left: %d chunks, %d records", count(t, s, chunkDir), count(t, s, recordDir))
	}
}

// TestSameBodyIsStoredOnce: whatever its address; and it stays until the last
// who has it goes, or reads it.
func TestSameBodyIsStoredOnce(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	body := bodyOf(1, chunkSize+5)
	for i := range 5 {
		keep(t, s, fmt.Sprintf("a/%d", i), head(), body)
	}
	if n := count(t, s, chunkDir); n != 2 {
		t.Errorf("%d chunks", n)
	}
	for i := range 4 {
		s.Delete(fmt.Sprintf("a/%d", i))
	}
	s.index.settle()
	holds(t, s, "a/4", body)
	reader, err := s.Find("a/4")[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	s.Delete("a/4")
	s.index.settle()
	got := make([]byte, len(body))
	if n, err := reader.ReadAt(got, 0); n != len(body) || !bytes.Equal(got, body) {
		t.Errorf("a reader of what was deleted: %d, %v", n, err)
	}
	_ = reader.Close()
	s.index.settle()
	if n := count(t, s, chunkDir); n != 0 {
		t.Errorf("%d chunks are left", n)
	}
}

// TestPartsAreJoined: ranges that come in any order make the whole, and each
// says what is held.
func TestPartsAreJoined(t *testing.T) {
	for _, host := range []string{"plain1", "sealed1"} {
		t.Run(host, func(t *testing.T) {
			s := open(t, t.TempDir(), secrets)
			body := bodyOf(3, 2*chunkSize+100)
			var o edge.Object
			for _, span := range []edge.Span{{First: 10, Length: 20}, {First: chunkSize - 5, Length: chunkSize}, {First: 0, Length: 15}, {First: 30, Length: chunkSize}, {First: 2*chunkSize - 50, Length: 150}} {
				d, err := s.Begin(host+"/a", head(), edge.Part{Span: span, Of: int64(len(body))}, o)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := d.Write(body[span.First:span.End()]); err != nil {
					t.Fatal(err)
				}
				if o, err = d.Commit(int64(len(body))); err != nil {
					t.Fatal(err)
				}
				d.Abort()
				for _, h := range o.Held() {
					b, err := o.Open()
					if err != nil {
						t.Fatal(err)
					}
					got := make([]byte, h.Length)
					if n, err := b.ReadAt(got, h.First); n != len(got) || !bytes.Equal(got, body[h.First:h.End()]) {
						t.Errorf("%v: %d, %v", h, n, err)
					}
					_ = b.Close()
				}
				s = again(t, s)
				o = s.Find(host + "/a")[0]
			}
			holds(t, s, host+"/a", body)
		})
	}
}

// TestDraftIsReadWhileWritten: by many, from any place, also after Commit.
func TestDraftIsReadWhileWritten(t *testing.T) {
	for _, host := range []string{"plain1", "sealed1"} {
		t.Run(host, func(t *testing.T) {
			s := open(t, t.TempDir(), secrets)
			body := bodyOf(9, chunkSize+3*segmentSize+17)
			d, err := s.Begin(host+"/a", head(), edge.Part{Span: edge.Span{Length: -1}, Of: -1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			written := 0
			look := func() {
				t.Helper()
				for _, at := range []int{0, written / 2, max(written-10, 0), chunkSize - 3} {
					if at > written {
						continue
					}
					got := make([]byte, 2000)
					n, err := d.ReadAt(got, int64(at))
					if want := body[at:min(at+2000, written)]; !bytes.Equal(got[:n], want) || n < 2000 && err != io.EOF {
						t.Fatalf("at %d of %d: %d bytes, %v", at, written, n, err)
					}
				}
			}
			for written < len(body) {
				n := min(50_001, len(body)-written)
				if _, err := d.Write(body[written : written+n]); err != nil {
					t.Fatal(err)
				}
				written += n
				look()
			}
			if s.Find(host+"/a") != nil {
				t.Error("it is given before it is whole")
			}
			if _, err := d.Commit(int64(len(body))); err != nil {
				t.Fatal(err)
			}
			look()
			s.Delete(host + "/a")
			s.index.settle()
			look()
			d.Abort()
			s.index.settle()
			if n := count(t, s, chunkDir) + count(t, s, tempDir); n != 0 {
				t.Errorf("%d files are left", n)
			}
		})
	}
}

// TestAbortLeavesNothing, wherever it comes.
func TestAbortLeavesNothing(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	for _, n := range []int{0, 10, chunkSize, chunkSize + 10} {
		d, err := s.Begin("a/", head(), edge.Part{Span: edge.Span{Length: -1}, Of: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write(bodyOf(5, n)); err != nil {
			t.Fatal(err)
		}
		d.Abort()
		d.Abort()
		if _, err := d.Commit(int64(n)); err == nil {
			t.Error("it was kept")
		}
	}
	s.index.settle()
	if n := count(t, s, chunkDir) + count(t, s, tempDir) + count(t, s, recordDir); n != 0 || s.Find("a/") != nil {
		t.Errorf("%d files are left", n)
	}
}

// TestKeyGone: without its key nothing of a comune is given or kept, nothing is
// lost either, and nobody else is touched; the bytes on the disk tell nothing.
func TestKeyGone(t *testing.T) {
	var gone sync.Map
	s := open(t, t.TempDir(), func(c *Config, d *Deps) {
		secrets(c, d)
		have := d.Key
		d.Key = func(comune string) ([]byte, bool) {
			if _, ok := gone.Load(comune); ok {
				return nil, false
			}
			return have(comune)
		}
	})
	marker := []byte("the deliberation about the school of Bergolo")
	body := bytes.Repeat(marker, 5000)
	keep(t, s, "sealed1/secret-address", head("X-Title: "+string(marker)), body)
	keep(t, s, "sealed2/a", head(), body)
	s.index.settle()
	err := filepath.WalkDir(s.cfg.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range [][]byte{marker, []byte("secret-address")} {
			if bytes.Contains(data, m) {
				t.Errorf("%s has %q in it", path, m)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, chunkDir); n != 2 {
		t.Errorf("%d chunks: one comune's can be told to be another's", n)
	}
	gone.Store("004001", true)
	if s.Find("sealed1/secret-address") != nil {
		t.Error("it is given without its key")
	}
	if _, err := s.Begin("sealed1/b", head(), edge.Part{}, nil); err == nil {
		t.Error("it is kept without its key")
	}
	s = again(t, s)
	if s.Find("sealed1/secret-address") != nil {
		t.Error("it is given without its key")
	}
	if _, err := s.Scrub(t.Context()); err != nil {
		t.Error(err)
	}
	holds(t, s, "sealed2/a", body)
	gone.Delete("004001")
	holds(t, s, "sealed1/secret-address", body)
	if n, err := s.Erase(t.Context(), "004001"); n != 1 || err != nil {
		t.Errorf("erased %d, %v", n, err)
	}
	if s.Find("sealed1/secret-address") != nil {
		t.Error("it is there after it was erased")
	}
	holds(t, s, "sealed2/a", body)
}

func TestPurge(t *testing.T) {
	s := open(t, t.TempDir(), secrets)
	for i, a := range []string{"plain1/a/1", "plain1/a/2", "plain1/b/1", "plain2/a/1", "sealed1/a/1"} {
		keep(t, s, a, head("Surrogate-Key: all tag-"+a[len(a)-1:], "Cache-Tag: x,y"), bodyOf(uint64(i), 10))
	}
	there := func() (out string) {
		for _, a := range []string{"plain1/a/1", "plain1/a/2", "plain1/b/1", "plain2/a/1", "sealed1/a/1"} {
			if s.Find(a) != nil {
				out += a + " "
			}
		}
		return out
	}
	for _, step := range []struct {
		do   func() (int, error)
		n    int
		left string
	}{
		{func() (int, error) { return s.PurgeTag("plain1", "", false, "none") }, 0, "plain1/a/1 plain1/a/2 plain1/b/1 plain2/a/1 sealed1/a/1 "},
		{func() (int, error) { return s.PurgeTag("plain1", "", false, "tag-1") }, 2, "plain1/a/2 plain2/a/1 sealed1/a/1 "},
		{func() (int, error) { return s.PurgePrefix(t.Context(), "plain1", "plain1/b") }, 0, "plain1/a/2 plain2/a/1 sealed1/a/1 "},
		{func() (int, error) { return s.PurgePrefix(t.Context(), "plain1", "plain1/a") }, 1, "plain2/a/1 sealed1/a/1 "},
		{func() (int, error) { return s.PurgeTag("sealed1", "004001", true, "y") }, 1, "plain2/a/1 "},
		{func() (int, error) { return s.PurgeTag("plain2", "", false, "all") }, 1, ""},
		{func() (int, error) { return s.PurgeTag("plain2", "", false, "all") }, 0, ""},
	} {
		if n, err := step.do(); n != step.n || err != nil || there() != step.left {
			t.Errorf("%d, %v, left %q; want %d, %q", n, err, there(), step.n, step.left)
		}
	}
	s.index.settle()
	if n := count(t, s, chunkDir); n != 0 {
		t.Errorf("%d chunks are left", n)
	}
}

// TestManyAtOnce: drafts, readers, freshening and deleting of few addresses by
// many, for the race detector; whoever gets a body gets a sound one.
func TestManyAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config, _ *Deps) { c.RAM = 300_000 })
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range 60 {
				seed := r.Uint64N(6)
				n := int(seed) * 50_000
				a := fmt.Sprintf("a/%d", seed)
				switch r.IntN(5) {
				case 0, 1:
					keep(t, s, a, head(), bodyOf(seed, n))
				case 2:
					s.Delete(a)
				default:
					for _, o := range s.Find(a) {
						if got, err := whole(o); err == nil && !bytes.Equal(got, bodyOf(seed, n)) {
							t.Errorf("%s: another body", a)
						}
					}
				}
			}
		})
	}
	all.Wait()
	s.index.settle()
	for seed := range uint64(6) {
		s.Delete(fmt.Sprintf("a/%d", seed))
	}
	s.index.settle()
	if n := count(t, s, chunkDir) + count(t, s, tempDir); n != 0 {
		t.Errorf("%d files are left", n)
	}
	if st := s.Stats(); st.Objects != 0 || st.Bytes != 0 || st.Damaged > 60 {
		t.Errorf("%+v", st)
	}
}

func TestConfigOfStore(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Dir = "" }, func(c *Config) { c.Most = 0 }, func(c *Config) { c.RAM = -1 }, func(c *Config) { c.Place = nil },
		func(c *Config) { c.ScrubRate = 0 }, func(c *Config) { c.ScrubEvery = 0 }, func(c *Config) { c.MinFree = -1 },
	} {
		c := Default(t.TempDir())
		change(&c)
		if _, err := New(c, Deps{}); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	s := open(t, t.TempDir(), nil)
	other, err := New(s.cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Open(); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two at once: %v", err)
	}
}
