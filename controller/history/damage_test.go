package history

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// Every damage a disk can do to a file costs that file and nothing else.
func TestDamagedFileIsMovedAside(t *testing.T) {
	for what, damage := range map[string]func([]byte) []byte{
		"no database": func(b []byte) []byte { return bytes.Repeat([]byte("crinale "), len(b)/8) },
		"header":      func(b []byte) []byte { copy(b, "XXXXXXXX"); return b },
		"pages":       func(b []byte) []byte { copy(b[4096:], bytes.Repeat([]byte{0xa5}, len(b)-4096)); return b },
		"cut off":     func(b []byte) []byte { return b[:len(b)/2] },
		"short":       func(b []byte) []byte { return b[:100] },
	} {
		t.Run(what, func(t *testing.T) {
			h := started(t, nil)
			var log strings.Builder
			h.log = slog.New(slog.NewTextHandler(&log, nil))
			h.files.log = h.log
			ctx, rnd := t.Context(), rand.New(rand.NewPCG(13, 14))
			today := day(time.Now())
			yesterday := today.AddDate(0, 0, -1)
			var all []network.Reading
			for _, d := range []time.Time{yesterday, today} {
				for i := range 300 {
					all = append(all, reading(rnd, "l", network.EndA, d.Add(time.Duration(i)*time.Second)))
				}
			}
			h.queue.put(entries(all))
			must(t, h.Fold(ctx))
			h.files.closeAll()
			path := filepath.Join(h.cfg.Dir, name(yesterday, raw))
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, damage(b), 0o644))

			ps, err := h.Range(ctx, "l", network.EndA, yesterday, today.Add(24*time.Hour), 0)
			must(t, err)
			good, _ := h.Range(ctx, "l", network.EndA, today, today.Add(24*time.Hour), 0)
			if len(good) != 300 || len(ps) < 300 {
				t.Errorf("%d points of today, %d in all: want all 300 of today", len(good), len(ps))
			}
			must(t, h.Append(ctx, []network.Reading{reading(rnd, "l", network.EndA, yesterday.Add(12*time.Hour))}))
			must(t, h.Flush(ctx))
			must(t, h.Fold(ctx))
			ps, err = h.Range(ctx, "l", network.EndA, yesterday.Add(11*time.Hour), today, 0)
			must(t, err)
			if len(ps) != 1 {
				t.Errorf("%d points written after the damage, want 1", len(ps))
			}
			aside, _ := filepath.Glob(path + ".damaged-*")
			if len(aside) == 0 || h.Stats().Damaged == 0 || !strings.Contains(log.String(), "moved aside") {
				t.Errorf("nothing was moved aside: %v, log: %s", h.Stats(), log.String())
			}
		})
	}
}

// A damaged roll-up is made again from the readings.
func TestDamagedRollUpIsMadeAgain(t *testing.T) {
	h := started(t, nil)
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(15, 16))
	d := day(time.Now()).AddDate(0, 0, -1)
	var all []network.Reading
	for i := range 500 {
		all = append(all, reading(rnd, "l", network.EndA, d.Add(time.Duration(i)*20*time.Second)))
	}
	must(t, h.Append(ctx, all))
	must(t, h.Fold(ctx))
	h.files.closeAll()
	must(t, os.WriteFile(filepath.Join(h.cfg.Dir, name(d, minute)), []byte(strings.Repeat("no database ", 100)), 0o644))
	late := reading(rnd, "l", network.EndA, d.Add(5*time.Hour))
	all = append(all, late)
	must(t, h.Append(ctx, []network.Reading{late}))
	must(t, h.Fold(ctx))
	must(t, h.Fold(ctx))
	ps, err := h.Range(ctx, "l", network.EndA, d, d.Add(24*time.Hour), time.Minute)
	must(t, err)
	compare(t, "minutes", ps, brute(all, "l", network.EndA, d, d.Add(24*time.Hour), time.Minute))
	must(t, h.files.remove(d, raw))
	ps, err = h.Range(ctx, "l", network.EndA, d, d.Add(24*time.Hour), time.Minute)
	must(t, err)
	compare(t, "minutes alone", ps, brute(all, "l", network.EndA, d, d.Add(24*time.Hour), time.Minute))
}

func entries(rs []network.Reading) (es []entry) {
	for _, r := range rs {
		es = append(es, entryOf(r))
	}
	return es
}

// A full disk costs nothing but patience: readings wait, and go in when there
// is room. SQLite's limit of pages stands in for the disk.
func TestFullDiskKeepsReadingsWaiting(t *testing.T) {
	h := started(t, func(c *Config) { c.Queue = 5000 })
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(17, 18))
	h.files.pragmas = []string{"max_page_count(20)"}
	d := day(time.Now()).AddDate(0, 0, -1)
	var all []network.Reading
	for i := range 3000 {
		all = append(all, reading(rnd, "l", network.EndA, d.Add(time.Duration(i)*time.Second)))
	}
	must(t, h.Append(ctx, all))
	err := h.Flush(ctx)
	if err == nil || !strings.Contains(err.Error(), "full") {
		t.Fatalf("got %v, want an error that says full", err)
	}
	if s := h.Stats(); s.Waiting != 3000 || s.Failed != 1 || s.Damaged != 0 {
		t.Errorf("%v, want all waiting", s)
	}
	must(t, h.Append(ctx, []network.Reading{reading(rnd, "l", network.EndA, d.Add(5*time.Hour))}))
	h.files.closeAll()
	h.files.pragmas = nil
	must(t, h.Flush(ctx))
	if s := h.Stats(); s.Waiting != 0 || s.Written != 3001 {
		t.Errorf("%v, want all written", s)
	}
	ps, err := h.Range(ctx, "l", network.EndA, d, d.Add(24*time.Hour), 0)
	must(t, err)
	if len(ps) != 3001 {
		t.Errorf("%d points", len(ps))
	}
}

func TestNewerFileIsNotTouched(t *testing.T) {
	h := started(t, nil)
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(19, 20))
	r := []network.Reading{reading(rnd, "l", network.EndA, time.Now())}
	must(t, h.Append(ctx, r))
	must(t, h.Flush(ctx))
	f, err := h.files.get(ctx, day(time.Now()), raw)
	must(t, err)
	_, err = f.db.Exec("PRAGMA user_version = 2")
	must(t, err)
	h.files.put(f)
	h.files.closeAll()
	must(t, h.Append(ctx, r))
	if err := h.Flush(ctx); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("got %v, want one that names the version", err)
	}
}

// What memory still holds of a file that is damaged under our hands is written
// again.
func TestDamageUnderOurHandsCostsOnlyWhatWasFolded(t *testing.T) {
	h := started(t, nil)
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(23, 24))
	d := day(time.Now()).AddDate(0, 0, -1)
	var all []network.Reading
	add := func() {
		t.Helper()
		r := reading(rnd, "l", network.EndA, d.Add(time.Duration(len(all))*time.Second))
		all = append(all, r)
		must(t, h.Append(ctx, []network.Reading{r}))
		must(t, h.Flush(ctx))
	}
	for range 50 {
		add()
	}
	f, err := h.files.get(ctx, d, raw)
	must(t, err)
	_, err = f.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	must(t, err)
	f.db.SetMaxIdleConns(0) // so that the next one reads the file anew
	must(t, os.WriteFile(f.path, []byte(strings.Repeat("no database ", 4000)), 0o644))
	h.files.put(f)
	add()
	ps, err := h.Range(ctx, "l", network.EndA, d, d.Add(24*time.Hour), 0)
	must(t, err)
	compare(t, "after the damage", ps, brute(all, "l", network.EndA, d, d.Add(24*time.Hour), 0))
	if s := h.Stats(); s.Damaged != 1 || s.Waiting != 0 {
		t.Errorf("%v", s)
	}
}
