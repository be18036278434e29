package migrate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"golang.org/x/net/webdav"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/remote"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func dav(t *testing.T) (edge.Target, string) {
	dir := t.TempDir()
	srv := httptest.NewServer(&webdav.Handler{FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()})
	t.Cleanup(srv.Close)
	c, err := remote.NewWebDAV(srv.URL, "", "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, srv.URL
}

func bucket(t *testing.T) (edge.Target, string) {
	back := s3mem.New()
	srv := httptest.NewServer(gofakes3.New(back).Server())
	t.Cleanup(srv.Close)
	if err := back.CreateBucket("docs"); err != nil {
		t.Fatal(err)
	}
	c, err := s3(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c, srv.URL
}

func s3(url string) (*remote.S3, error) {
	return remote.NewS3(remote.S3Config{Endpoint: strings.TrimPrefix(url, "http://"), Region: "us-east-1", Bucket: "docs", Key: "k", Secret: "s", Retries: 1}, nil)
}

func open(t *testing.T, dir string, src edge.Source, to edge.Target) *Migration {
	t.Helper()
	cfg := Default()
	cfg.Dir = dir
	m, err := New(cfg, Deps{src, to})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// place writes to a target past any migration.
func place(t *testing.T, to edge.Target, path, text string) {
	t.Helper()
	h := sha256.Sum256([]byte(text))
	if err := to.Put(t.Context(), path, int64(len(text)), hex.EncodeToString(h[:]), strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, to edge.Target, path string) string {
	t.Helper()
	r, _, err := to.Open(t.Context(), edge.Document{Path: path}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMigration(t *testing.T) {
	for name, target := range map[string]func(*testing.T) (edge.Target, string){"webdav": dav, "s3": bucket} {
		t.Run(name, func(t *testing.T) {
			to, _ := target(t)
			dir := t.TempDir()
			for p, s := range map[string]string{"a.txt": "one", "A.txt": "two", "CON.txt": "dev", "x:y?.txt": "res", "end.": "dot", "b/c": "", "mine": "ours"} {
				write(t, dir, p, s)
			}
			theirs := "somebody else's"
			place(t, to, "mine", theirs)
			m := open(t, t.TempDir(), remote.NewFolder(dir, nil), to)
			out, err := m.Run(t.Context())
			if err != nil || out.Copied != 6 || len(out.Failed) != 1 || out.Failed[0].Document.Path != "mine" {
				t.Fatalf("%+v, %v", out, err)
			}
			if got := get(t, to, "mine"); got != theirs {
				t.Errorf("another's document was overwritten: %q", got)
			}
			os.Remove(filepath.Join(dir, "mine"))
			write(t, dir, "a.txt", "changed")
			write(t, dir, "new", "n")
			os.Remove(filepath.Join(dir, "b/c"))
			if out, err = m.Run(t.Context()); err != nil || out.Copied != 2 || out.Already != 4 || len(out.Gone) != 1 || out.Gone[0] != "b/c" {
				t.Fatalf("delta: %+v, %v", out, err)
			}
			rep, err := m.Verify(t.Context())
			if err != nil || !rep.Right || len(rep.Documents) != 7 {
				t.Fatalf("%+v, %v", rep, err)
			}
			for _, l := range rep.Documents {
				if l.Path == "a.txt" && get(t, to, l.To) != "changed" {
					t.Error("the change was not carried")
				}
			}
			town, cloud := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
			for _, k := range []ed25519.PrivateKey{town, cloud} {
				sig, err := rep.Sign(k)
				if err != nil || !rep.Signed(k.Public().(ed25519.PublicKey), sig) {
					t.Errorf("a signature: %v", err)
				}
				other := rep
				if other.Bytes++; other.Signed(k.Public().(ed25519.PublicKey), sig) {
					t.Error("a changed report has the old signature")
				}
			}
			// A byte that flips at the target is found.
			l := rep.Documents[0]
			place(t, to, l.To, "bad")
			if rep, err := m.Verify(t.Context()); err != nil || rep.Right || rep.Documents[0].Wrong == "" {
				t.Errorf("%+v, %v", rep, err)
			}
		})
	}
}

func TestNamesAreFreeAndTaken(t *testing.T) {
	to, _ := dav(t)
	rules := to.Names()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 1))
	parts := []string{"A", "a", "perché", "perche\u0301", "x ", "x.", "x", "con", "CON.txt", "a:b", "a_b", "n\nl", strings.Repeat("é", 126), "*", "?", "<"}
	for i := range 1000 {
		p := parts[rng.IntN(len(parts))] + "d/" + parts[rng.IntN(len(parts))] + "d/" + parts[rng.IntN(len(parts))]
		if i%3 == 0 {
			p = parts[rng.IntN(len(parts))] + "d/" + fmt.Sprint(i, "A"[:i%2]) + parts[rng.IntN(len(parts)-4)]
		}
		if len(filepath.Base(p)) < 255 {
			write(t, dir, p, "x")
		}
	}
	inv, err := Plan(t.Context(), remote.NewFolder(dir, nil), rules)
	if err != nil || inv.Documents < 500 {
		t.Fatal(inv.Documents, err)
	}
	again, err := Plan(t.Context(), remote.NewFolder(dir, nil), rules)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, mv := range inv.Moves {
		if again.Moves[i].To != mv.To {
			t.Errorf("%q is %q, then %q", mv.Document.Path, mv.To, again.Moves[i].To)
		}
		if why := bad(mv.To, rules); why != "" || edge.CheckPath(mv.To) != nil || seen[key(mv.To, rules)] {
			t.Errorf("%q gets %q: %s, taken %v", mv.Document.Path, mv.To, why, seen[key(mv.To, rules)])
		}
		if (mv.Why == "") != (mv.To == mv.Document.Path) {
			t.Errorf("%+v", mv)
		}
		seen[key(mv.To, rules)] = true
	}
}

// TestMain runs a migration when a test has started this binary again, so that it
// can be killed.
func TestMain(m *testing.M) {
	if env := os.Getenv("CRINALE_TEST_MIGRATE_CHILD"); env != "" {
		f := strings.Split(env, "\n")
		var to edge.Target
		var err error
		if f[0] == "webdav" {
			to, err = remote.NewWebDAV(f[1], "", "", nil, nil)
		} else {
			to, err = s3(f[1])
		}
		cfg := Default()
		cfg.Dir = f[2]
		one, err2 := New(cfg, Deps{remote.NewFolder(f[3], nil), to})
		if err != nil || err2 != nil {
			os.Exit(2)
		}
		one.Run(context.Background())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestKilledMigrationsLoseNothing(t *testing.T) {
	for name, target := range map[string]func(*testing.T) (edge.Target, string){"webdav": dav, "s3": bucket} {
		t.Run(name, func(t *testing.T) {
			to, url := target(t)
			dir, journal := t.TempDir(), filepath.Join(t.TempDir(), "j")
			rng := rand.New(rand.NewPCG(9, 9))
			for i := range 200 {
				write(t, dir, fmt.Sprintf("d%d/f%d", i%7, i), strings.Repeat(fmt.Sprint(i), 1+rng.IntN(3000)))
			}
			killed := 0
			for range 10 {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "CRINALE_TEST_MIGRATE_CHILD="+strings.Join([]string{name, url, journal, dir}, "\n"))
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				select {
				case <-done:
				case <-time.After(time.Duration(20+rng.IntN(80)) * time.Millisecond):
					cmd.Process.Kill()
					<-done
					killed++
				}
				// Meanwhile people go on writing.
				write(t, dir, fmt.Sprintf("d1/f%d", 1+7*rng.IntN(20)), fmt.Sprint("edited ", rng.Uint64()))
			}
			m := open(t, journal, remote.NewFolder(dir, nil), to)
			out, err := m.Run(t.Context())
			if err != nil || len(out.Failed) != 0 || len(out.Gone) != 0 || out.Copied+out.Already != 200 {
				t.Fatalf("%+v, %v", out, err)
			}
			t.Logf("%d runs killed, the last copied %d", killed, out.Copied)
			rep, err := m.Verify(t.Context())
			if err != nil || !rep.Right || len(rep.Documents) != 200 {
				t.Fatalf("right %v, %d, %v", rep.Right, len(rep.Documents), err)
			}
			for _, l := range rep.Documents {
				want, err := os.ReadFile(filepath.Join(dir, l.Path))
				if err != nil || get(t, to, l.To) != string(want) {
					t.Errorf("%s: %v", l.Path, err)
				}
			}
		})
	}
}
