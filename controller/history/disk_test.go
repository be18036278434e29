package history

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
)

func TestDisk(t *testing.T) {
	h := started(t, nil)
	if d, err := h.Disk(); err != nil || d != (Disk{}) {
		t.Errorf("empty: %+v, %v", d, err)
	}
	now := time.Now().UTC()
	rnd := rand.New(rand.NewPCG(1, 2))
	must(t, h.Append(t.Context(), []network.Reading{
		reading(rnd, "l", network.EndA, now),
		reading(rnd, "l", network.EndA, now.Add(-24*time.Hour)),
	}))
	must(t, h.Flush(t.Context()))
	d, err := h.Disk()
	if err != nil || d.Files != 2 || d.Bytes < 2*4096 || d.Damaged != 0 {
		t.Errorf("two days: %+v, %v", d, err)
	}
	h.files.closeAll()
	before, err := h.Disk()
	must(t, err)
	for name, size := range map[string]int{
		"2026-01-01.db.damaged-20260102t000000z":     1000,
		"2026-01-01.db-wal.damaged-20260102t000000z": 100,
		"2026-01-01.1m.db":                           10,
		"2026-01-01.1m.db-wal":                       5,
		"notes.txt":                                  7,
	} {
		must(t, os.WriteFile(filepath.Join(h.cfg.Dir, name), make([]byte, size), 0o600))
	}
	after, err := h.Disk()
	if want := (Disk{before.Files + 1, before.Bytes + 15, 1100}); err != nil || after != want {
		t.Errorf("got %+v, %v, want %+v", after, err, want)
	}
	must(t, os.RemoveAll(h.cfg.Dir))
	if _, err := h.Disk(); err == nil {
		t.Error("a folder that is gone is no error")
	}
}
