package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// failing is a disk that gives an error from the nth operation on, for some
// operations or all. What it takes before is on the real disk.
type failing struct {
	disk
	mu    sync.Mutex
	left  int   // operations that still go well; below zero: all do
	err   error // what the others give
	room  int64 // what Free says
	reads bool  // reading fails too
	done  int
}

func (d *failing) fails(read bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if read && !d.reads {
		return nil
	}
	d.done++
	if d.left < 0 || d.done <= d.left {
		return nil
	}
	return d.err
}

func (d *failing) Create(path string) (file, error) {
	if err := d.fails(false); err != nil {
		return nil, err
	}
	f, err := d.disk.Create(path)
	return &failingFile{f, d}, err
}

func (d *failing) Open(path string) (file, error) {
	if err := d.fails(true); err != nil {
		return nil, err
	}
	return d.disk.Open(path)
}

func (d *failing) Rename(a, b string) error {
	if err := d.fails(false); err != nil {
		return err
	}
	return d.disk.Rename(a, b)
}

func (d *failing) Free(string) (int64, error) { return d.room, nil }

type failingFile struct {
	file
	d *failing
}

// Write takes half of what it is given when it fails, as a full disk does.
func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.d.fails(false); err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, err
	}
	return f.file.Write(p)
}

// Whatever operation the disk fails at: what a draft said that it took can be
// read, nothing wrong is kept, what was there stays, and when the disk is well
// again all is well.
func TestDiskFullAtEveryWrite(t *testing.T) {
	t.Parallel()
	old, body := content(1, 5000), content(2, 2*mostChunk+300_000)
	for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
		for n := 0; ; n++ {
			c := small(t.TempDir())
			s := opened(t, c, Deps{Keys: keys})
			mustPut(t, s, "a.example/old", head(""), old)
			d := &failing{left: n, err: []error{syscall.ENOSPC, syscall.EIO, syscall.EROFS}[n%3], room: 1 << 40}
			s.chunks.fs = d
			whole := writeAll(t, s, body)
			if st := s.Stats(); !whole && st.Write == 0 || st.Damaged > 0 {
				t.Fatalf("after %d: %+v", n, st)
			}
			if b := got(t, s, "a.example/new"); b != nil && !bytes.Equal(b, body) || whole != (b != nil) {
				t.Fatalf("after %d: kept %v, %d bytes", n, whole, len(b))
			}
			if !bytes.Equal(got(t, s, "a.example/old"), old) {
				t.Fatalf("after %d: what was there is lost", n)
			}
			s.chunks.fs = disk{}
			if !writeAll(t, s, body) || !bytes.Equal(got(t, s, "a.example/new"), body) {
				t.Fatalf("after %d: it does not mend", n)
			}
			s.Close()
			s = opened(t, c, Deps{Keys: keys})
			if !bytes.Equal(got(t, s, "a.example/new"), body) || !bytes.Equal(got(t, s, "a.example/old"), old) {
				t.Fatalf("after %d: lost by a restart", n)
			}
			if r, err := s.Scrub(t.Context()); err != nil || len(r.Damaged)+len(r.Lost)+r.Orphans > 0 {
				t.Fatalf("after %d: %+v, %v", n, r, err)
			}
			s.Close()
			if d.done <= n { // it did all that it does, and nothing failed
				if !whole || n < 8 {
					t.Fatalf("%d operations, kept %v", n, whole)
				}
				break
			}
		}
	}
}

// writeAll writes a body and says whether it was kept; what it took before it
// failed is read back.
func writeAll(t *testing.T, s *Store, body []byte) bool {
	t.Helper()
	d, err := s.Begin("a.example/new", head(""), edge.Part{Of: int64(len(body))}, nil)
	if err != nil {
		return false
	}
	defer d.Abort()
	n := 0
	for n < len(body) && err == nil {
		var k int
		k, err = d.Write(body[n:min(n+200_000, len(body))])
		n += k
	}
	back := make([]byte, n)
	if k, e := d.ReadAt(back, 0); k != n || e != nil || !bytes.Equal(back, body[:n]) {
		t.Fatalf("of %d bytes that were taken %d can be read: %v", n, k, e)
	}
	if err == nil {
		_, err = d.Commit(int64(len(body)))
	}
	return err == nil
}

// The real thing: a process that may not write longer files (RLIMIT_FSIZE)
// keeps nothing of longer chunks, and lives.
func TestRealLimitOnFiles(t *testing.T) {
	c := small(t.TempDir())
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_LIMITED="+c.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "long file too large true, short true, faults true" {
		t.Fatalf("%s, %v", out, err)
	}
	s := opened(t, c, Deps{})
	if s.Find("a.example/long") != nil || !bytes.Equal(got(t, s, "a.example/short"), content(2, 300_000)) {
		t.Error("what was kept under the limit is not what is there")
	}
}

// limited is that process.
func limited(dir string) {
	s, err := New(small(dir), Deps{})
	if err == nil {
		err = s.Open()
	}
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 400_000, Max: 400_000})
	}
	if err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
	_, long := put(s, "a.example/long", head(""), content(1, 600_000))
	_, short := put(s, "a.example/short", head(""), content(2, 300_000))
	err = s.Close()
	fmt.Printf("long %v %v, short %v, faults %v", syscall.EFBIG, errors.Is(long, syscall.EFBIG), errors.Join(short, err) == nil, s.Stats().Write > 0)
}

// A disk that cannot be read gives misses; want of descriptors costs nothing.
func TestReadErrors(t *testing.T) {
	s := opened(t, small(t.TempDir()), Deps{})
	body := content(1, 300_000)
	for _, step := range []struct {
		err  error
		left bool
	}{{syscall.EMFILE, true}, {syscall.EIO, false}} {
		mustPut(t, s, "a.example/x", head(""), body)
		s.chunks.fs = &failing{reads: true, err: step.err, room: 1 << 40}
		if got(t, s, "a.example/x") != nil {
			t.Error("read from a disk that cannot be read")
		}
		s.chunks.fs = disk{}
		if b := got(t, s, "a.example/x"); step.left != bytes.Equal(b, body) {
			t.Errorf("%v: %d bytes after", step.err, len(b))
		}
	}
}

// What the disk does not take when it is synced is forgotten, and does not keep
// the others from the index.
func TestSyncFails(t *testing.T) {
	c := small(t.TempDir())
	c.Sync = true
	s := opened(t, c, Deps{})
	mustPut(t, s, "a.example/x", head(""), []byte("x"))
	s.chunks.fs = &failing{reads: true, err: syscall.EIO, room: 1 << 40}
	if err := s.flush(); err != nil || s.Stats().Write == 0 || s.Find("a.example/x") != nil {
		t.Errorf("%v, %+v", err, s.Stats())
	}
	s.chunks.fs = disk{}
	mustPut(t, s, "a.example/y", head(""), []byte("y"))
	s.Close()
	s = opened(t, c, Deps{})
	if s.Find("a.example/x") != nil || string(got(t, s, "a.example/y")) != "y" {
		t.Errorf("%+v", s.Stats())
	}
}

// A store that is not open leaves alone what is on the disk, and what a killed
// one left among its temporary files is in nobody's way, also without an index.
func TestScrubNeedsAnOpenStore(t *testing.T) {
	c := small(t.TempDir())
	s := opened(t, c, Deps{})
	mustPut(t, s, "a.example/x", head(""), []byte("x"))
	s.Close()
	if _, err := s.Scrub(t.Context()); fault.Of(err) != fault.Unreachable {
		t.Error(err)
	}
	for i := range 40 {
		os.WriteFile(filepath.Join(c.Dir, "tmp", strconv.FormatInt(int64(i), 36)), []byte("left"), 0o600)
	}
	os.Remove(s.indexPath())
	s = opened(t, c, Deps{})
	mustPut(t, s, "a.example/y", head(""), []byte("y"))
	if string(got(t, s, "a.example/x")) != "x" || len(filesUnder(t, filepath.Join(c.Dir, "tmp"))) != 0 {
		t.Errorf("%+v", s.Stats())
	}
}

// When the volume has too little room nothing is kept, after what can go went.
func TestMinFree(t *testing.T) {
	c := small(t.TempDir())
	c.MinFree = 1 << 20
	s := opened(t, c, Deps{})
	d := &failing{left: -1, room: 3 << 20}
	s.chunks.fs = d
	for i := range 4 {
		mustPut(t, s, fmt.Sprint("a.example/", i), head(""), content(uint64(i), 1000))
	}
	d.room = 1 << 20
	if _, err := put(s, "a.example/x", head(""), content(9, 1000)); err == nil || s.Stats().Write == 0 || s.Stats().Objects != 0 {
		t.Errorf("%v, %+v", err, s.Stats())
	}
}

// A chunk that is lost or flipped is a miss, is counted, and the object with it
// goes; others stay. The next that is kept mends it.
func TestDamagedChunks(t *testing.T) {
	t.Parallel()
	for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
		for name, damage := range map[string]func(path string) error{
			"lost":  os.Remove,
			"empty": func(path string) error { return os.Truncate(path, 0) },
			"cut":   func(path string) error { return os.Truncate(path, 50) },
			"flip": func(path string) error {
				b, err := os.ReadFile(path)
				if err == nil {
					b[len(b)/2] ^= 0x10
					err = os.WriteFile(path, b, 0o600)
				}
				return err
			},
		} {
			for _, size := range []int{1000, 300_000, 2*mostChunk + 70_000} {
				for _, scrub := range []bool{false, true} {
					c := small(t.TempDir())
					s := opened(t, c, Deps{Keys: keys})
					body, other := content(1, size), content(2, size)
					o := mustPut(t, s, "a.example/x", head(""), body)
					mustPut(t, s, "a.example/other", head(""), other)
					pieces := o.(*object).rec.pieces
					last := s.chunks.path(pieces[len(pieces)-1].name, keys != nil)
					s.Close()
					if err := damage(last); err != nil {
						t.Fatal(err)
					}
					s = opened(t, c, Deps{Keys: keys})
					if scrub {
						r, err := s.Scrub(t.Context())
						if err != nil || name != "lost" && (!slices.Equal(r.Damaged, []string{filepath.Base(last)}) || !slices.Equal(r.Lost, []string{"a.example/x"})) {
							t.Errorf("%s: %+v, %v", name, r, err)
						}
						if name != "lost" && s.Find("a.example/x") != nil {
							t.Errorf("%s of %d: it is there after a scrub", name, size)
						}
					}
					for _, o := range s.Find("a.example/x") {
						if b, err := o.Open(); err == nil {
							b.Close()
							t.Errorf("%s of %d: it was opened", name, size)
						}
					}
					if st := s.Stats(); s.Find("a.example/x") != nil || st.Damaged+st.ScrubBad == 0 || !bytes.Equal(got(t, s, "a.example/other"), other) {
						t.Errorf("%s of %d: %+v", name, size, st)
					}
					mustPut(t, s, "a.example/x", head(""), body)
					s.Close()
					s = opened(t, c, Deps{Keys: keys})
					if !bytes.Equal(got(t, s, "a.example/x"), body) {
						t.Errorf("%s of %d: it is not mended", name, size)
					}
					s.Close()
				}
			}
		}
	}
}

// An index with flipped bits, cut, of another kind or lost is made anew, and all
// that was stored is found; never anything wrong.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	c := small(t.TempDir())
	s := opened(t, c, Deps{})
	const n = 300
	for i := range n {
		mustPut(t, s, fmt.Sprint("a.example/", i), head("", "Xkey", "t"+fmt.Sprint(i%3)), content(uint64(i), 100+i))
	}
	s.Close()
	whole, err := os.ReadFile(s.indexPath())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 3))
	damages := map[string]func() []byte{
		"lost": func() []byte { return nil }, "empty": func() []byte { return []byte{} }, "cut": func() []byte { return whole[:len(whole)/2] },
		"text": func() []byte { return []byte(strings.Repeat("not an index ", 5000)) }, "short": func() []byte { return whole[:100] },
		"zeros": func() []byte { b := slices.Clone(whole); clear(b[8192:]); return b },
	}
	for i := range 40 {
		damages[fmt.Sprint("flips ", i)] = func() []byte {
			b := slices.Clone(whole)
			for range 1 + i {
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
			return b
		}
	}
	renewed := 0
	for name, damage := range damages {
		os.Remove(s.indexPath())
		if b := damage(); b != nil {
			if err := os.WriteFile(s.indexPath(), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := opened(t, c, Deps{})
		if s.Stats().Index > 0 {
			renewed++
		}
		for i := range n {
			if b := got(t, s, fmt.Sprint("a.example/", i)); !bytes.Equal(b, content(uint64(i), 100+i)) {
				t.Fatalf("%s: %d: %d bytes", name, i, len(b))
			}
		}
		mustPut(t, s, "a.example/new", head(""), []byte(name))
		s.Delete("a.example/new")
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if renewed < 20 {
		t.Errorf("of %d damaged indexes %d were noticed", len(damages), renewed)
	}
	if aside, _ := filepath.Glob(s.indexPath() + ".*.damaged"); len(aside) != 1 {
		t.Errorf("put aside: %v", aside)
	}
}

// An index that breaks under a running store is made anew, and what was stored
// is found and purged as before.
func TestIndexBreaksWhileRunning(t *testing.T) {
	t.Parallel()
	c := small(t.TempDir())
	s := opened(t, c, Deps{})
	for i := range 200 {
		mustPut(t, s, fmt.Sprint("a.example/", i), head("", "Xkey", "t"), []byte{byte(i)})
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.indexPath(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := f.Stat()
	f.WriteAt(make([]byte, st.Size()-2*4096), 2*4096)
	f.Close()
	mustPut(t, s, "a.example/new", head("", "Xkey", "t"), []byte("new"))
	if n, err := s.Purge(Purge{Tag: "t"}); n != 201 || err != nil || s.Stats().Index == 0 {
		t.Errorf("purged %d, %v, %+v", n, err, s.Stats())
	}
}

// A record that is flipped, cut or another's is a miss.
func TestDamagedRecords(t *testing.T) {
	c := small(t.TempDir())
	s := opened(t, c, Deps{})
	a := mustPut(t, s, "a.example/a", head(""), []byte("a")).(*object).rec.id
	b := mustPut(t, s, "a.example/b", head(""), []byte("b")).(*object).rec.id
	mustPut(t, s, "a.example/c", head(""), []byte("c"))
	s.Close()
	other, err := os.ReadFile(s.recordPath(a))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.recordPath(b), other, 0o600); err != nil {
		t.Fatal(err)
	}
	other[len(other)/2] ^= 1
	if err := os.WriteFile(s.recordPath(a), other, 0o600); err != nil {
		t.Fatal(err)
	}
	s = opened(t, c, Deps{})
	if s.Find("a.example/a") != nil || s.Find("a.example/b") != nil || string(got(t, s, "a.example/c")) != "c" || s.Stats().Damaged != 2 {
		t.Errorf("%+v", s.Stats())
	}
}

// Scrub removes what nobody needs and leaves what somebody does, also what is
// just being written.
func TestScrubRemovesStrays(t *testing.T) {
	c := small(t.TempDir())
	s := opened(t, c, Deps{})
	body := content(1, mostChunk+100)
	mustPut(t, s, "a.example/x", head(""), body)
	d, err := s.Begin("a.example/y", head(""), edge.Part{Of: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Abort()
	d.Write(content(2, mostChunk+300_000))
	strays := []string{"chunks/ab/" + strings.Repeat("ab", 32), "sealed/ab/" + strings.Repeat("ab", 32), "chunks/ab/readme", "objects/0/99"}
	for _, f := range strays[:3] {
		os.MkdirAll(filepath.Join(c.Dir, filepath.Dir(f)), 0o700)
		os.WriteFile(filepath.Join(c.Dir, f), []byte("x"), 0o600)
	}
	s.next = 0x200
	os.WriteFile(filepath.Join(c.Dir, strays[3]), []byte("x"), 0o600)
	r, err := s.Scrub(t.Context())
	if err != nil || r.Orphans != len(strays) || len(r.Damaged)+len(r.Lost) > 0 || r.Chunks != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, f := range strays {
		if _, err := os.Stat(filepath.Join(c.Dir, f)); !os.IsNotExist(err) {
			t.Errorf("%s is left", f)
		}
	}
	if _, err := d.Commit(mostChunk + 300_000); err != nil || !bytes.Equal(got(t, s, "a.example/y"), content(2, mostChunk+300_000)) || !bytes.Equal(got(t, s, "a.example/x"), body) {
		t.Error("a scrub took what is needed:", err)
	}
	b := make([]byte, 1)
	if _, err := d.ReadAt(b, mostChunk+300_000); err != io.EOF {
		t.Error(err)
	}
}
