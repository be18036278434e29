package store

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// oneKey is the key of every comune.
type oneKey string

func (k oneKey) Key(string) ([]byte, bool) { return []byte(k), k != "" }

// keyring has keys that can be taken away.
type keyring map[string]string

func (k keyring) Key(comune string) ([]byte, bool) { key, ok := k[comune]; return []byte(key), ok }

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

// Nothing of a sealed comune can be read on the disk: neither addresses, heads,
// tags nor bodies, nor whether somebody has a file that one knows.
func TestSealedTellsNothing(t *testing.T) {
	const marker = "MARKER-di-prova"
	c := small(t.TempDir())
	keys := keyring{"004001": "key of the first, long enough"}
	c.Owner = func(a string) (string, string) { return "s", a[:6] }
	s := opened(t, c, Deps{Keys: keys})
	body := bytes.Repeat([]byte(marker), 2*mostChunk/len(marker))
	sealed := mustPut(t, s, "004001/"+marker, head(marker, marker, marker, "Xkey", marker), body)
	mustPut(t, s, "004002/plain", head(""), []byte("in the clear"))
	d, err := s.Begin("004001/draft", head(marker), edge.Part{Of: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Abort()
	d.Write(body[:mostChunk+100])
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	clear := 0
	for _, path := range filesUnder(t, c.Dir) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(marker)) || bytes.Contains([]byte(path), []byte(marker)) {
			t.Errorf("the marker is in %s", path)
		}
		if bytes.Contains(b, []byte("in the clear")) {
			clear++
		}
	}
	if clear != 1 {
		t.Errorf("what is plain was found in %d files: the search proves nothing", clear)
	}
	known := (*lock)(nil).chunk(body[:mostChunk])
	if _, err := os.Stat(s.chunks.path(known, true)); err == nil {
		t.Error("the name of a sealed chunk is that of its content")
	}

	delete(keys, "004001") // erased
	if s.Find("004001/"+marker) != nil {
		t.Error("it is found without its key")
	}
	if _, err := sealed.Open(); fault.Of(err) != fault.Denied {
		t.Errorf("it is opened without its key: %v", err)
	}
	keys["004001"] = "another key, also long enough"
	if s.Find("004001/"+marker) != nil {
		t.Error("it is found with another key")
	}
	keys["004001"] = "key of the first, long enough"
	if !bytes.Equal(got(t, s, "004001/"+marker), body) {
		t.Error("it is lost with its key there")
	}
}

// Of a comune that must be sealed nothing is kept in the clear, and a key that
// is none is none.
func TestSealedNeedsAKey(t *testing.T) {
	c := small(t.TempDir())
	c.Sealed = map[string]bool{"": true}
	for _, keys := range []Keys{nil, keyring{}, oneKey("short")} {
		c.Dir = t.TempDir()
		s := opened(t, c, Deps{Keys: keys})
		if _, err := put(s, "a.example/x", head(""), []byte("x")); fault.Of(err) != fault.Denied {
			t.Errorf("%v: kept: %v", keys, err)
		}
		s.Delete("a.example/x")
	}
}

// When a comune gets a key, what was plain is found no more and scrubbed away;
// a chunk put in another's place is not taken for it.
func TestKeyComesLater(t *testing.T) {
	c := small(t.TempDir())
	keys := keyring{}
	s := opened(t, c, Deps{Keys: keys})
	mustPut(t, s, "a.example/x", head(""), []byte("plain body"))
	keys[""] = "0123456789abcdef"
	if s.Find("a.example/x") != nil {
		t.Error("what is plain is found")
	}
	if r, err := s.Scrub(t.Context()); err != nil || len(r.Lost) != 1 || len(filesUnder(t, filepath.Join(c.Dir, "chunks"))) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	one, two := content(1, 100_000), content(2, 100_000)
	a, b := mustPut(t, s, "a.example/1", head(""), one), mustPut(t, s, "a.example/2", head(""), two)
	path := func(o edge.Object) string { return s.chunks.path(o.(*object).rec.pieces[0].name, true) }
	swapped, err := os.ReadFile(path(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path(a), swapped, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = opened(t, c, Deps{Keys: keys})
	if got(t, s, "a.example/1") != nil || !bytes.Equal(got(t, s, "a.example/2"), two) {
		t.Error("a sealed chunk was taken for another")
	}
}
