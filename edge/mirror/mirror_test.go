package mirror

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// shelf is a source in memory whose answers a test can spoil.
type shelf struct {
	docs   map[string]string
	groups map[string][]string
	tag    map[string]string
	sum    map[string]edge.Sum
	spoil  func(path string, offset int64, text string) (string, error)
	cut    error // the listing ends with it
	opened int
}

func newShelf(docs map[string]string) *shelf {
	return &shelf{docs: docs, groups: map[string][]string{}, tag: map[string]string{}, sum: map[string]edge.Sum{}}
}

var day = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func (s *shelf) doc(path string) edge.Document {
	g, ok := s.groups[path]
	if !ok {
		g = []string{"town"}
	}
	tag := s.tag[path]
	if tag == "" {
		tag = `"` + hash(s.docs[path])[:8] + `"`
	}
	return edge.Document{Path: path, Size: int64(len(s.docs[path])), Modified: day, ETag: tag, Groups: g, Sum: s.sum[path]}
}

func (s *shelf) List(context.Context) iter.Seq2[edge.Document, error] {
	return func(yield func(edge.Document, error) bool) {
		for path := range s.docs {
			if !yield(s.doc(path), nil) {
				return
			}
		}
		if s.cut != nil {
			yield(edge.Document{}, s.cut)
		}
	}
}

func (s *shelf) Open(_ context.Context, d edge.Document, offset int64) (io.ReadCloser, edge.Document, error) {
	s.opened++
	body := s.docs[d.Path][offset:]
	if s.spoil != nil {
		var err error
		if body, err = s.spoil(d.Path, offset, body); err != nil {
			return nil, d, err
		}
	}
	return io.NopCloser(strings.NewReader(body)), s.doc(d.Path), nil
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// clock is one that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func start(t *testing.T, s edge.Source) (*Mirror, *clock) {
	t.Helper()
	c := &clock{day}
	cfg := Default()
	cfg.Dir, cfg.Now = filepath.Join(t.TempDir(), "mirror"), c.now
	m, err := New(cfg, Deps{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, c
}

func copyOnce(t *testing.T, m *Mirror) Report {
	t.Helper()
	rep, err := m.Copy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// holds says what the newest snapshot holds, path to hash.
func holds(t *testing.T, r *Repo) map[string]string {
	t.Helper()
	m, _, err := r.Latest()
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	all := map[string]string{}
	for _, e := range m.Documents {
		all[e.Path] = e.SHA256
	}
	return all
}

func hashes(docs map[string]string) map[string]string {
	all := map[string]string{}
	for p, s := range docs {
		all[p] = hash(s)
	}
	return all
}

// awkward makes documents with names that are hard to keep.
func awkward(n int) map[string]string {
	rng := rand.New(rand.NewPCG(1, 2))
	parts := []string{"perché", "perche\u0301", "n° 12", "..x", "x..", "CON", "a:b", "日本", "🏔", " lead", "trail ", "'\"`", "-rf", "%2e%2e", "<b>", "A", "a", "tab\tin", "new\nline", strings.Repeat("long", 40), "\u202Egnp.exe", "$HOME", "*", "~"}
	docs := map[string]string{}
	for i := range n {
		var p []string
		for range 1 + rng.IntN(4) {
			p = append(p, parts[rng.IntN(len(parts))])
		}
		body := make([]byte, rng.IntN(500))
		for j := range body {
			body[j] = byte(rng.Uint32())
		}
		docs[strings.Join(p, "/")+fmt.Sprintf("/%d.bin", i)] = string(body)
	}
	return docs
}

func TestThousandAwkwardDocuments(t *testing.T) {
	s := newShelf(awkward(1000))
	m, c := start(t, s)
	for _, bad := range []string{"../up", "/abs", "a//b", "back\\slash", "nul\x00", "\xff\xfe", "a/../../b"} {
		s.docs[bad] = "bad"
	}
	rep := copyOnce(t, m)
	if rep.Documents != 1000 || rep.Fetched != 1000 || len(rep.Refused) != 7 || len(rep.Waiting) != 0 {
		t.Fatalf("%d documents, %d fetched, refused %v, waiting %v", rep.Documents, rep.Fetched, rep.Refused, rep.Waiting)
	}
	for _, bad := range rep.Refused {
		delete(s.docs, bad.Path)
	}
	delete(s.docs, "\xff\xfe")
	if !maps.Equal(holds(t, m.Repo()), hashes(s.docs)) {
		t.Error("what is held is not what was given")
	}
	// No document's name is a file's name.
	err := filepath.WalkDir(m.cfg.Dir, func(p string, d os.DirEntry, err error) error {
		if strings.Contains(d.Name(), ".bin") || strings.ContainsAny(d.Name(), " \n:*%") {
			t.Errorf("on the disk: %q", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Nothing new: nothing is read and no snapshot is written.
	c.t = c.t.Add(time.Hour)
	s.opened = 0
	if rep := copyOnce(t, m); rep.Fetched != 0 || s.opened != 0 || rep.Snapshot == "" {
		t.Errorf("the second run: %+v, %d opened", rep, s.opened) // the refused ones went: a snapshot tells
	}
	if rep := copyOnce(t, m); rep.Snapshot != "" {
		t.Errorf("an equal snapshot is written: %+v", rep)
	}
	into := filepath.Join(t.TempDir(), "out")
	got, err := m.Repo().Restore(t.Context(), time.Time{}, nil, into)
	if err != nil || len(got.Failed) != 0 || got.Files != 1000 {
		t.Fatalf("%d files, %v, %v", got.Files, got.Failed, err)
	}
	for p, text := range s.docs {
		if b, err := os.ReadFile(filepath.Join(into, p)); err != nil || string(b) != text {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestLyingSourcesAreNotBelieved(t *testing.T) {
	text := strings.Repeat("abc", 50_000)
	for name, c := range map[string]struct {
		spoil func(try int, s string) string
		sum   edge.Sum
		tries int // 0: never held
	}{
		"short once":      {func(try int, s string) string { return s[:len(s)-try%2*7] }, edge.Sum{}, 2},
		"always short":    {func(_ int, s string) string { return s[:len(s)/2] }, edge.Sum{}, 0}, // each try brings half of what is left
		"always empty":    {func(_ int, s string) string { return "" }, edge.Sum{}, 0},
		"long":            {func(_ int, s string) string { return s + "x" }, edge.Sum{}, 0},
		"flipped, sha256": {func(_ int, s string) string { return "x" + s[1:] }, edge.Sum{Algo: "sha256", Hex: hash(text)}, 0},
		"flipped once":    {func(try int, s string) string { return []string{s, "x" + s[1:]}[try%2] }, edge.Sum{Algo: "sha256", Hex: hash(text)}, 2},
		"unknown sum":     {func(_ int, s string) string { return s }, edge.Sum{Algo: "adler32", Hex: "1"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(map[string]string{"d": text, "other": "fine"})
			s.sum["d"] = c.sum
			// An ETag that looks like an MD5 and is none is no checksum.
			s.tag["d"] = `"d41d8cd98f00b204e9800998ecf8427e"`
			try := 0
			s.spoil = func(path string, _ int64, text string) (string, error) {
				if path != "d" {
					return text, nil
				}
				try++
				return c.spoil(try, text), nil
			}
			m, _ := start(t, s)
			m.cfg.Tries = 4
			rep := copyOnce(t, m)
			got := holds(t, m.Repo())
			if got["other"] != hash("fine") {
				t.Error("the other document is lost")
			}
			held := got["d"] == hash(text)
			if _, there := got["d"]; held != (c.tries > 0) || there && !held || len(rep.Waiting) != map[bool]int{true: 0, false: 1}[held] {
				t.Errorf("held %v, there %v, %+v", held, there, rep)
			}
			if held && try != c.tries {
				t.Errorf("%d tries, want %d", try, c.tries)
			}
		})
	}
}

func TestABrokenListingDeletesNothing(t *testing.T) {
	s := newShelf(map[string]string{"a": "1", "b": "2"})
	m, _ := start(t, s)
	copyOnce(t, m)
	delete(s.docs, "a")
	s.cut = fault.New(fault.Unreachable, "the link is down")
	if _, err := m.Copy(t.Context()); fault.Of(err) != fault.Unreachable {
		t.Fatal(err)
	}
	if got := holds(t, m.Repo()); len(got) != 2 {
		t.Errorf("held: %v", got)
	}
	// A version that cannot be read leaves the old one, and says so.
	s.cut, s.docs["b"] = nil, "newer"
	s.spoil = func(string, int64, string) (string, error) { return "", fault.New(fault.Unreachable, "down") }
	copyOnce(t, m)
	last, _, err := m.Repo().Latest()
	if err != nil || len(last.Documents) != 1 || !last.Documents[0].Stale || last.Documents[0].SHA256 != hash("2") || last.Complete {
		t.Errorf("%+v, %v", last, err)
	}
	s.spoil = nil
	copyOnce(t, m)
	if got := holds(t, m.Repo()); got["b"] != hash("newer") {
		t.Errorf("held: %v", got)
	}
}

func TestBudgetIsKept(t *testing.T) {
	docs := map[string]string{}
	for i := range 10 {
		docs[fmt.Sprint("d", i)] = strings.Repeat(strconv.Itoa(i), 1000)
	}
	m, _ := start(t, newShelf(docs))
	m.cfg.Budget = 3500
	for want := 3; want <= 9; want += 3 {
		if rep := copyOnce(t, m); rep.Documents != want || rep.Bytes > 3500 || len(rep.Waiting) != 10-want {
			t.Errorf("want %d: %+v", want, rep)
		}
	}
	if rep := copyOnce(t, m); rep.Documents != 10 || len(rep.Waiting) != 0 {
		t.Errorf("the last: %+v", rep)
	}
}

func TestDamageIsNamed(t *testing.T) {
	s := newShelf(map[string]string{"a/one": "first", "a/same": "first", "two": "second", "three": "third"})
	m, c := start(t, s)
	name := copyOnce(t, m).Snapshot
	r := m.Repo()
	file := r.object(hash("first"))
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("fIrst"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(r.object(hash("second"))); err != nil {
		t.Fatal(err)
	}
	rep, err := r.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Damage{
		hash("first"):  {Object: hash("first"), What: "flipped", Used: []Use{{name, "a/one"}, {name, "a/same"}}},
		hash("second"): {Object: hash("second"), What: "missing", Used: []Use{{name, "two"}}},
	}
	if len(rep.Damage) != 2 || rep.Objects != 1 {
		t.Fatalf("%+v", rep)
	}
	for _, d := range rep.Damage {
		if w := want[d.Object]; d.What != w.What || !slices.Equal(d.Used, w.Used) {
			t.Errorf("%+v, want %+v", d, w)
		}
	}
	back, err := r.Restore(t.Context(), time.Time{}, nil, filepath.Join(t.TempDir(), "x"))
	slices.Sort(back.Damaged)
	if err != nil || back.Files != 1 || !slices.Equal(back.Damaged, []string{"a/one", "a/same", "two"}) {
		t.Errorf("%+v, %v", back, err)
	}
	// Set aside, the damaged is fetched anew; so is the missing.
	if err := r.SetAside(hash("first")); err != nil {
		t.Fatal(err)
	}
	c.t = day.Add(time.Hour)
	second := copyOnce(t, m).Snapshot
	if rep, err := r.Verify(t.Context()); err != nil || len(rep.Damage) != 0 {
		t.Errorf("after the mend: %+v, %v", rep, err)
	}
	// A manifest that was touched is named, and the chain with it.
	if err := os.Chmod(r.path("manifests", name), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(r.path("manifests", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("manifests", name), bytes.Replace(data, []byte(`"town"`), []byte(`"T"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if rep, err := r.Verify(t.Context()); err != nil || len(rep.Damage) != 1 || rep.Damage[0].Manifest != second {
		t.Errorf("a touched manifest passes: %+v, %v", rep, err)
	}
}

func mustNames(t *testing.T, r *Repo) []string {
	t.Helper()
	names, err := r.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestYesterdayIsAsItWas(t *testing.T) {
	s := newShelf(map[string]string{"a": "1", "b/c": "2", "b/d": "3"})
	m, c := start(t, s)
	copyOnce(t, m)
	yesterday := maps.Clone(s.docs)
	c.t = day.Add(24 * time.Hour)
	s.docs = map[string]string{"a": "ransom", "e": "new"}
	copyOnce(t, m)
	into := filepath.Join(t.TempDir(), "y")
	if _, err := m.Repo().Restore(t.Context(), day.Add(time.Hour), nil, into); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := filepath.WalkDir(into, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(into, p)
		got[rel] = hash(string(b))
		return err
	})
	if err != nil || !maps.Equal(got, hashes(yesterday)) {
		t.Errorf("%v, %v", got, err)
	}
	some, err := m.Repo().Restore(t.Context(), day, []string{"b/"}, filepath.Join(t.TempDir(), "z"))
	if err != nil || some.Files != 2 {
		t.Errorf("a folder: %+v, %v", some, err)
	}
	if _, err := m.Repo().Restore(t.Context(), day.Add(-time.Second), nil, into); fault.Of(err) != fault.NotFound {
		t.Errorf("before the first: %v", err)
	}
	// Retention goes by when a snapshot came, and leaves the newest.
	r := m.Repo()
	if rep, err := r.Retain(day.Add(24*time.Hour), 48*time.Hour); err != nil || rep.Snapshots != 0 {
		t.Errorf("too early: %+v, %v", rep, err)
	}
	far := time.Now().Add(1000 * 24 * time.Hour)
	if rep, err := r.Retain(far, 48*time.Hour); err != nil || rep != (Retained{1, 3}) {
		t.Errorf("%+v, %v", rep, err)
	}
	if v, err := r.Verify(t.Context()); err != nil || len(v.Damage) != 0 || v.Snapshots != 1 || v.Objects != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestVaultIsOnlyAddedTo(t *testing.T) {
	s := newShelf(map[string]string{"a": "1", "b": "2"})
	m, c := start(t, s)
	copyOnce(t, m)
	c.t = day.Add(time.Hour)
	s.docs["a"] = "changed"
	copyOnce(t, m)
	cfg := DefaultVault()
	cfg.Dir, cfg.Now = t.TempDir(), c.now
	cfg.Allow = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer t" }
	v, err := NewVault(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(v)
	defer srv.Close()
	if _, err := m.Repo().Replicate(t.Context(), srv.Client(), srv.URL, nil); fault.Of(err) != fault.Refused {
		t.Errorf("without a right: %v", err)
	}
	in := func(r *http.Request) { r.Header.Set("Authorization", "Bearer t") }
	for _, want := range []int{3, 0} {
		if sent, err := m.Repo().Replicate(t.Context(), srv.Client(), srv.URL, in); err != nil || sent != want {
			t.Fatalf("sent %d, %v; want %d", sent, err, want)
		}
	}
	if rep, err := v.Repo().Verify(t.Context()); err != nil || len(rep.Damage) != 0 || rep.Snapshots != 2 || rep.Objects != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
	name := mustNames(t, v.Repo())[0]
	forged := &Manifest{Version: 1, At: day}
	forgedData, err := forged.Encode()
	if err != nil {
		t.Fatal(err)
	}
	future := &Manifest{Version: 1, At: day.AddDate(50, 0, 0)}
	futureData, err := future.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct {
		method, path, body string
		want               int
	}{
		{"DELETE", "/objects/" + hash("1"), "", 405},
		{"DELETE", "/manifests/" + name, "", 405},
		{"GET", "/objects/" + hash("1"), "", 405},
		{"PUT", "/objects/" + hash("1"), "ransom", 200}, // what is there stays
		{"PUT", "/objects/" + hash("x"), "other bytes", 422},
		{"PUT", "/objects/../../etc/passwd", "x", 404},
		{"PUT", "/manifests/../latest", "x", 404},
		{"PUT", "/manifests/" + name, string(forgedData), 409},
		{"PUT", "/manifests/" + name, "{}", 422},
		{"PUT", "/manifests/" + future.Name(), string(futureData), 422},
		{"POST", "/", "", 404},
	} {
		req := httptest.NewRequest(q.method, "http://v"+q.path, strings.NewReader(q.body))
		in(req)
		w := httptest.NewRecorder()
		v.ServeHTTP(w, req)
		if w.Code != q.want {
			t.Errorf("%s %s: %d %s, want %d", q.method, q.path, w.Code, w.Body, q.want)
		}
	}
	if rep, err := v.Repo().Verify(t.Context()); err != nil || len(rep.Damage) != 0 || rep.Snapshots != 2 || rep.Objects != 3 {
		t.Errorf("after the attacks: %+v, %v", rep, err)
	}
}

// TestMain copies without end when a test has started this binary again, so that
// it can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CRINALE_TEST_MIRROR_CHILD"); dir != "" {
		cfg := Default()
		cfg.Dir = dir
		one, err := New(cfg, Deps{Source: newShelf(awkward(400))})
		if err == nil {
			err = one.Open()
		}
		if err == nil {
			_, err = one.Copy(context.Background())
		}
		fmt.Println("copied", err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestKilledRunsLoseNothing(t *testing.T) {
	s := newShelf(awkward(400))
	m, _ := start(t, s)
	m.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	killed := 0
	before := 0
	for range 14 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CRINALE_TEST_MIRROR_CHILD="+m.cfg.Dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(time.Duration(20+rng.IntN(60)) * time.Millisecond):
			cmd.Process.Kill()
			<-done
			killed++
		}
		// Every object is what its name says, at every moment.
		n := 0
		err := filepath.WalkDir(m.repo.path("objects"), func(p string, d os.DirEntry, err error) error {
			if os.IsNotExist(err) || err == nil && d.IsDir() {
				return nil
			} else if err != nil {
				return err
			}
			n++
			if st, err := m.repo.look(d.Name()); err != nil || st != whole {
				t.Errorf("object %s is %s, %v", d.Name(), st, err)
			}
			return nil
		})
		if err != nil || n < before {
			t.Fatalf("%d objects after %d: %v", n, before, err)
		}
		before = n
	}
	if err := m.Open(); err != nil {
		t.Fatal(err)
	}
	rep := copyOnce(t, m)
	t.Logf("%d runs killed, %d objects before the last, which fetched %d and resumed %d", killed, before, rep.Fetched, rep.Resumed)
	if !maps.Equal(holds(t, m.Repo()), hashes(s.docs)) {
		t.Error("what is held is not what was given")
	}
	if rep.Fetched > len(s.docs)-before+1 {
		t.Errorf("the last run fetched %d though %d were there", rep.Fetched, before)
	}
}

func FuzzManifest(f *testing.F) {
	m := &Manifest{Version: 1, At: day, Documents: []Entry{{Path: "a", Modified: day, Fetched: day, SHA256: hash("a")}}}
	data, err := m.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"at":"2026-11-23T10:00:00Z","complete":false,"documents":[],"waiting":[],"refused":[]}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is taken and written as %q", data, again)
		}
		for _, e := range m.Documents {
			if edge.CheckPath(e.Path) != nil || !isHash(e.SHA256) {
				t.Errorf("%+v is taken", e)
			}
		}
	})
}

func zipped(t testing.TB, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
