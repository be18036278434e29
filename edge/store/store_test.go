package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// small is a configuration for tests: nothing waits for the disk.
func small(dir string) Config {
	c := Default()
	c.Dir, c.Sync, c.MinFree, c.Most, c.Rate = dir, false, 0, 1<<30, 1<<40
	return c
}

func opened(t testing.TB, c Config, d Deps) *Store {
	t.Helper()
	s, err := New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func head(variant string, fields ...string) *edge.Stored {
	h := http.Header{"Content-Type": {"text/html"}}
	for i := 0; i < len(fields); i += 2 {
		h[fields[i]] = append(h[fields[i]], fields[i+1])
	}
	return &edge.Stored{Status: 200, Header: h, Variant: variant, Asked: time.Unix(1_700_000_000, 1), Got: time.Unix(1_700_000_001, 2)}
}

func content(seed uint64, n int) []byte {
	b := make([]byte, n)
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	rand.NewChaCha8(key).Read(b)
	return b
}

func put(s *Store, key string, st *edge.Stored, body []byte) (edge.Object, error) {
	d, err := s.Begin(key, st, edge.Part{Span: edge.Span{Length: int64(len(body))}, Of: int64(len(body))}, nil)
	if err != nil {
		return nil, err
	}
	defer d.Abort()
	if _, err := d.Write(body); err != nil {
		return nil, err
	}
	return d.Commit(int64(len(body)))
}

func mustPut(t testing.TB, s *Store, key string, st *edge.Stored, body []byte) edge.Object {
	t.Helper()
	o, err := put(s, key, st, body)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// read reads all that an object holds, by both ways, which must agree.
func read(o edge.Object) ([]byte, error) {
	b, err := o.Open()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	var out, sent bytes.Buffer
	for _, s := range o.Held() {
		if _, err := io.Copy(&out, io.NewSectionReader(b, s.First, s.Length)); err != nil {
			return nil, err
		}
		if n, err := b.(edge.Sender).SendTo(&sent, s); err != nil || n != s.Length {
			return nil, fmt.Errorf("sent %d of %d: %w", n, s.Length, err)
		}
	}
	if !bytes.Equal(out.Bytes(), sent.Bytes()) {
		return nil, fmt.Errorf("ReadAt and SendTo differ")
	}
	return out.Bytes(), nil
}

// got is the body of the newest at an address; nil for a miss.
func got(t testing.TB, s *Store, key string) []byte {
	t.Helper()
	found := s.Find(key)
	if len(found) == 0 {
		return nil
	}
	b, err := read(found[0])
	if err != nil {
		return nil
	}
	return b
}

func filesUnder(t testing.TB, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var sizes = []int{0, 1, 1000, mostWarm, mostWarm + 1, 300_000, mostChunk, mostChunk + 1, 3*mostChunk + 17}

// What was kept comes back with its head, by reading and by sending, in the same
// process and in the next.
func TestComesBack(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		c, d := small(t.TempDir()), Deps{}
		if sealed {
			d.Keys = oneKey("0123456789abcdef0123456789abcdef")
		}
		s := opened(t, c, d)
		check := func(s *Store) {
			t.Helper()
			for i, n := range sizes {
				found := s.Find(fmt.Sprint("a.example/", i))
				if len(found) != 1 || found[0].Length() != int64(n) {
					t.Fatalf("size %d: %d found", n, len(found))
				}
				h := found[0].Head()
				if want := head("v", "Etag", `"x"`); h.Status != 200 || h.Variant != "v" || !h.Got.Equal(want.Got) || !h.Asked.Equal(want.Asked) || h.Header.Get("Etag") != `"x"` || h.Header.Get("Content-Type") != "text/html" {
					t.Errorf("head %+v", h)
				}
				b, err := read(found[0])
				if err != nil || !bytes.Equal(b, content(uint64(i), n)) {
					t.Errorf("size %d, sealed %v: %d bytes, %v", n, sealed, len(b), err)
				}
			}
		}
		for i, n := range sizes {
			mustPut(t, s, fmt.Sprint("a.example/", i), head("v", "Etag", `"x"`), content(uint64(i), n))
		}
		check(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s.Find("a.example/1") != nil {
			t.Error("a closed store gives something")
		}
		check(opened(t, c, d))
	}
}

// The same bytes are on the disk once, whatever they came from, and go with the
// last that needs them.
func TestSameContentOnce(t *testing.T) {
	s := opened(t, small(t.TempDir()), Deps{})
	b := content(1, 2*mostChunk)
	for i := range 5 {
		mustPut(t, s, fmt.Sprint("a.example/", i), head(""), b)
	}
	chunks := filepath.Join(s.cfg.Dir, "chunks")
	if n := len(filesUnder(t, chunks)); n != 2 {
		t.Fatalf("%d chunks, want 2", n)
	}
	for i := range 5 {
		if got(t, s, "a.example/4") == nil {
			t.Fatalf("the last is lost after %d deletions", i)
		}
		s.Delete(fmt.Sprint("a.example/", i))
	}
	if n := len(filesUnder(t, chunks)); n != 0 || s.Stats().Disk != 0 {
		t.Errorf("%d chunks and %d bytes are left of nothing", n, s.Stats().Disk)
	}
}

// Parts at ragged places hold exactly what they hold, join, and end as the very
// chunks of a body that came whole.
func TestPartsJoin(t *testing.T) {
	for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
		s := opened(t, small(t.TempDir()), Deps{Keys: keys})
		whole := content(9, 3*mostChunk+500)
		n := int64(len(whole))
		var o edge.Object
		var held []edge.Span
		for _, cut := range [][2]int64{{mostChunk / 2, mostChunk + 10}, {n - 100, n}, {2*mostChunk + 5, n - 50}, {0, mostChunk}, {mostChunk - 7, 2*mostChunk + 6}} {
			d, err := s.Begin("a.example/big", head(""), edge.Part{Span: edge.Span{First: cut[0], Length: cut[1] - cut[0]}, Of: n}, o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Write(whole[cut[0]:cut[1]]); err != nil {
				t.Fatal(err)
			}
			if o, err = d.Commit(n); err != nil {
				t.Fatal(err)
			}
			d.Abort()
			held = edge.Joined(append(held, edge.Span{First: cut[0], Length: cut[1] - cut[0]}))
			if !slices.Equal(o.Held(), held) {
				t.Fatalf("held %v, want %v", o.Held(), held)
			}
			var want []byte
			for _, h := range held {
				want = append(want, whole[h.First:h.End()]...)
			}
			if b, err := read(o); err != nil || !bytes.Equal(b, want) {
				t.Fatalf("%v: %d bytes, %v", held, len(b), err)
			}
		}
		mustPut(t, s, "a.example/again", head(""), whole)
		if files := filesUnder(t, filepath.Join(s.cfg.Dir, map[bool]string{false: "chunks", true: "sealed"}[keys != nil])); len(files) != 4 {
			t.Errorf("%d chunks, want the 4 of the whole", len(files))
		}
	}
}

// A draft is read while it is written, after it was committed, and not after it
// was let go; of one that is let go nothing stays on the disk.
func TestDraftIsReadWhileWritten(t *testing.T) {
	for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
		s := opened(t, small(t.TempDir()), Deps{Keys: keys})
		whole := content(3, 2*mostChunk+1234)
		for _, commit := range []bool{false, true} {
			d, err := s.Begin("a.example/x", head(""), edge.Part{Span: edge.Span{Length: -1}, Of: -1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			all := make([]byte, len(whole))
			for at := 0; at < len(whole); at += 100_000 {
				end := min(at+100_000, len(whole))
				if n, err := d.Write(whole[at:end]); n != end-at || err != nil {
					t.Fatal(n, err)
				}
				if n, err := d.ReadAt(all[:end], 0); n != end || err != nil || !bytes.Equal(all[:end], whole[:end]) {
					t.Fatalf("after %d bytes: %d, %v", end, n, err)
				}
			}
			if n, err := d.ReadAt(make([]byte, 10), int64(len(whole)-5)); n != 5 || err != io.EOF {
				t.Errorf("at the end: %d, %v", n, err)
			}
			if commit {
				if _, err := d.Commit(int64(len(whole))); err != nil {
					t.Fatal(err)
				}
				if _, err := d.Commit(int64(len(whole))); err == nil {
					t.Error("a draft was committed twice")
				}
				if _, err := d.ReadAt(all, 0); err != nil || !bytes.Equal(all, whole) {
					t.Error("it cannot be read after it was committed:", err)
				}
			}
			d.Abort()
			d.Abort()
			if _, err := d.ReadAt(all[:1], 0); err == nil {
				t.Error("it can be read after it was let go")
			}
			if !commit {
				if left := filesUnder(t, s.cfg.Dir); len(left) != 1 || s.Stats().Disk != 0 || s.Stats().Buffering != 0 {
					t.Errorf("left of a draft: %v, %+v", left, s.Stats())
				}
			}
		}
		if !bytes.Equal(got(t, s, "a.example/x"), whole) {
			t.Error("it is not there")
		}
	}
}

// What is open is read to its end, though it was deleted or replaced since; what
// is not yet open is not.
func TestOpenOutlivesDeletion(t *testing.T) {
	s := opened(t, small(t.TempDir()), Deps{})
	whole := content(3, 2*mostChunk)
	o := mustPut(t, s, "a.example/x", head(""), whole)
	b, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	s.Delete("a.example/x")
	out, err := io.ReadAll(io.NewSectionReader(b, 0, int64(len(whole))))
	if err != nil || !bytes.Equal(out, whole) {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if _, err := o.Open(); fault.Of(err) != fault.NotFound {
		t.Errorf("opened after it was deleted: %v", err)
	}
	if _, err := s.Freshen(o, head("")); fault.Of(err) != fault.NotFound {
		t.Errorf("freshened after it was deleted: %v", err)
	}
	b.Close()
	b.Close()
	if n := len(filesUnder(t, filepath.Join(s.cfg.Dir, "chunks"))); n != 0 {
		t.Errorf("%d chunks are left", n)
	}
}

// What was purged while it was under way is not kept.
func TestPurgeMeetsWhatIsUnderWay(t *testing.T) {
	for _, p := range []Purge{{Address: "a.example/x"}, {Prefix: "a.exam"}, {Tag: "t1"}, {All: true}} {
		s := opened(t, small(t.TempDir()), Deps{})
		d, err := s.Begin("a.example/x", head("", "Xkey", "t1 t2"), edge.Part{Of: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.Write([]byte("old"))
		if _, err := s.Purge(p); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Commit(3); err == nil || s.Find("a.example/x") != nil {
			t.Errorf("%+v: it was kept: %v", p, err)
		}
		d.Abort()
	}
}

// A purge takes what it names and nothing else, also after a restart and where
// addresses are sealed.
func TestPurge(t *testing.T) {
	for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
		c := small(t.TempDir())
		s := opened(t, c, Deps{Keys: keys})
		for i := range 20 {
			mustPut(t, s, fmt.Sprintf("h.example/%d/x", i%10), head(fmt.Sprint(i/10), "Surrogate-Key", fmt.Sprintf("n%d all", i), "Cache-Tag", "odd"+fmt.Sprint(i%2)), []byte{byte(i)})
		}
		s.Close()
		s = opened(t, c, Deps{Keys: keys})
		for _, step := range []struct {
			p Purge
			n int
		}{{Purge{Tag: "n3"}, 1}, {Purge{Tag: "n3"}, 0}, {Purge{Address: "h.example/3/x"}, 1}, {Purge{Prefix: "h.example/4/"}, 2}, {Purge{Tag: "odd0"}, 8}, {Purge{Tag: "nothing"}, 0}, {Purge{Prefix: "h.example/1/"}, 2}, {Purge{All: true}, 6}, {Purge{All: true}, 0}} {
			if n, err := s.Purge(step.p); n != step.n || err != nil {
				t.Errorf("%+v: %d, %v, want %d", step.p, n, err, step.n)
			}
		}
		if st := s.Stats(); st.Objects != 0 || st.Disk != 0 {
			t.Errorf("%+v", st)
		}
		if _, err := s.Purge(Purge{Tag: "a", Prefix: "b"}); fault.Of(err) != fault.Invalid {
			t.Error(err)
		}
	}
}

// Newest first, one for each variant, and a head that changes its variant.
func TestVariants(t *testing.T) {
	s := opened(t, small(t.TempDir()), Deps{})
	names := func() (out []string) {
		for _, o := range s.Find("a.example/x") {
			b, _ := read(o)
			out = append(out, o.Head().Variant+string(b))
		}
		return out
	}
	first := mustPut(t, s, "a.example/x", head("a"), []byte("1"))
	mustPut(t, s, "a.example/x", head("b"), []byte("2"))
	if got := names(); !slices.Equal(got, []string{"b2", "a1"}) {
		t.Error(got)
	}
	first, err := s.Freshen(first, head("a", "X", "y"))
	if got := names(); err != nil || !slices.Equal(got, []string{"a1", "b2"}) || first.Head().Header.Get("X") != "y" {
		t.Error(got, err)
	}
	if _, err = s.Freshen(first, head("b")); err != nil {
		t.Error(err)
	}
	if got := names(); !slices.Equal(got, []string{"b1"}) {
		t.Error(got)
	}
}

// A body on the disk goes out as a file: the connection gets an *os.File.
func TestSendsFiles(t *testing.T) {
	s := opened(t, small(t.TempDir()), Deps{})
	whole := content(4, mostChunk+mostChunk/2)
	mustPut(t, s, "a.example/x", head(""), whole)
	b, err := s.Find("a.example/x")[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var w fileTaker
	if n, err := b.(edge.Sender).SendTo(&w, edge.Span{First: 10, Length: int64(len(whole)) - 10}); n != int64(len(whole))-10 || err != nil || w.files != 2 || !bytes.Equal(w.Bytes(), whole[10:]) {
		t.Errorf("%d bytes by %d files, %v", n, w.files, err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b.(edge.Sender).SendTo(w, edge.Span{Length: int64(len(whole))})
	}))
	defer srv.Close()
	res, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%d bytes over a connection, %v", len(got), err)
	}
}

// fileTaker counts the files that are sent to it.
type fileTaker struct {
	bytes.Buffer
	files int
}

func (f *fileTaker) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		if _, ok := l.R.(*os.File); ok {
			f.files++
		}
	}
	return f.Buffer.ReadFrom(r)
}

// Many do everything at once; each body that is read is one that was written.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := small(t.TempDir())
	c.Most, c.Memory = 3<<20, 1<<20
	s := opened(t, c, Deps{})
	bodies := make([][]byte, 8)
	for i := range bodies {
		bodies[i] = content(uint64(i), []int{10, 1000, 70_000, mostChunk + 5}[i%4])
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 7))
			for range 150 {
				i := r.IntN(len(bodies))
				k := fmt.Sprint("a.example/", i)
				switch r.IntN(10) {
				case 0:
					s.Delete(k)
				case 1:
					s.flush()
				case 2:
					s.Purge(Purge{Prefix: k})
				case 3, 4, 5:
					if _, err := put(s, k, head(""), bodies[i]); err != nil && fault.Of(err) != fault.NotFound {
						t.Error(err)
					}
				default:
					for _, o := range s.Find(k) {
						if b, err := read(o); err == nil && !bytes.Equal(b, bodies[i]) {
							t.Errorf("%s: %d wrong bytes", k, len(b))
						}
						s.Freshen(o, head(""))
					}
				}
			}
		})
	}
	wg.Wait()
	if st := s.Stats(); st.Damaged+st.Write+st.Index > 0 || st.Disk > c.Most || st.UnderWay > 0 || st.Buffering != 0 {
		t.Errorf("%+v", st)
	}
	s.Purge(Purge{Prefix: "a"})
	if left := filesUnder(t, c.Dir); len(left) != 1 {
		t.Errorf("left of nothing: %v", left)
	}
}

// Run opens, writes the index by itself, scrubs by schedule, and closes.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := small(dir)
		c.Scrub = time.Hour
		s, err := New(c, Deps{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := put(s, "a.example/x", head(""), []byte("x")); fault.Of(err) != fault.Unreachable || s.Find("a.example/x") != nil {
			t.Errorf("a store that is not open: %v", err)
		}
		done := make(chan error)
		stop, cancel := contextWithCancel(t)
		go func() { done <- s.Run(stop) }()
		<-s.Ready()
		mustPut(t, s, "a.example/x", head(""), content(1, 100_000))
		time.Sleep(2 * c.Flush)
		if n := s.Stats().Pending; n != 0 {
			t.Errorf("%d changes wait", n)
		}
		stray := filepath.Join(dir, "chunks", "ab", strings.Repeat("ab", 32))
		os.MkdirAll(filepath.Dir(stray), 0o700)
		os.WriteFile(stray, []byte("x"), 0o600)
		time.Sleep(c.Scrub + time.Minute)
		if _, err := os.Stat(stray); !os.IsNotExist(err) {
			t.Error("the schedule did not scrub")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A configuration that cannot be is told of, with the mend.
func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"dir": func(c *Config) { c.Dir = "" }, "most": func(c *Config) { c.Most = 0 }, "buffers": func(c *Config) { c.Buffers = 1 },
		"flush": func(c *Config) { c.Flush = 0 }, "quota": func(c *Config) { c.Comuni = map[string]int64{"a": -1} }, "pinned": func(c *Config) { c.Pins = []Pin{{Name: "x"}} },
	} {
		c := small(t.TempDir())
		change(&c)
		if _, err := New(c, Deps{}); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two processes do not share a folder.
func TestOneOwner(t *testing.T) {
	t.Parallel()
	c := small(t.TempDir())
	opened(t, c, Deps{})
	s, err := New(c, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); fault.Of(err) != fault.Conflict {
		t.Errorf("opened twice: %v", err)
	}
}
