package history

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// What partners measured is for the owner of the folder only, whoever made the
// files.
func TestOnlyTheOwnerReads(t *testing.T) {
	d := day(time.Now()).AddDate(0, 0, -1)
	older := name(d.AddDate(0, 0, -2), minute)
	var dir string
	h := started(t, func(c *Config) {
		dir = filepath.Join(c.Dir, "state", "history")
		must(t, os.MkdirAll(filepath.Dir(dir), 0o755))
		c.Dir = dir
	})
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", st.Mode(), err)
	}
	for _, n := range []string{older, older + "-wal", older + ".damaged-20260101t000000z", "notes.txt"} {
		must(t, os.WriteFile(filepath.Join(dir, n), nil, 0o644))
		must(t, os.Chmod(filepath.Join(dir, n), 0o644))
	}
	must(t, h.prepare())
	rnd := rand.New(rand.NewPCG(1, 2))
	must(t, h.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, d.Add(time.Hour))}))
	must(t, h.Flush(t.Context()))
	must(t, h.Fold(t.Context()))
	entries, err := os.ReadDir(dir)
	must(t, err)
	logs := 0
	for _, e := range entries {
		st, err := e.Info()
		must(t, err)
		want := os.FileMode(0o600)
		if e.Name() == "notes.txt" { // not ours
			want = 0o644
		}
		if st.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v", e.Name(), st.Mode().Perm(), want)
		}
		if strings.HasPrefix(e.Name(), d.Format(time.DateOnly)) && (strings.HasSuffix(e.Name(), "-wal") || strings.HasSuffix(e.Name(), "-shm")) {
			logs++
		}
	}
	if logs < 2 {
		t.Errorf("no log of SQLite to look at in %v", entries)
	}
}
