package history

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// started is a history in a folder of its own.
func started(t testing.TB, change func(*Config)) *History {
	t.Helper()
	cfg := Default()
	cfg.Dir = t.TempDir()
	if change != nil {
		change(&cfg)
	}
	h, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.prepare(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.files.closeAll)
	return h
}

// reading has some quantities, by chance unknown.
func reading(rnd *rand.Rand, link network.LinkID, end network.End, at time.Time) network.Reading {
	r := network.Reading{Link: link, End: end, At: at, Connected: rnd.IntN(10) > 0}
	var v [12]*float64
	for i := range v {
		if rnd.IntN(5) > 0 {
			x := math.Round(rnd.NormFloat64()*100) / 4
			v[i] = &x
		}
	}
	r.SetValues(v)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// brute is Range done on a plain list.
func brute(rs []network.Reading, link network.LinkID, end network.End, from, to time.Time, step time.Duration) []Point {
	s := sums{step.Milliseconds(), map[int64]*sum{}}
	for _, r := range rs {
		if r.Link == link && r.End == end && !r.At.Before(from) && r.At.Before(to) {
			s.at(r.At.UnixMilli()).sample(entryOf(r).sample)
		}
	}
	return s.points()
}

func compare(t *testing.T, what string, got, want []Point) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d points, want %d", what, len(got), len(want))
	}
	near := func(a, b unit.Opt[float64]) bool {
		return a.Known() == b.Known() && math.Abs(a.Or(0)-b.Or(0)) < 1e-9
	}
	for i, g := range got {
		w := want[i]
		ok := g.At.Equal(w.At) && g.Count == w.Count && g.Up == w.Up
		for c := range 12 {
			ok = ok && near(g.Min[c], w.Min[c]) && near(g.Mean[c], w.Mean[c]) && near(g.Max[c], w.Max[c])
		}
		if !ok {
			t.Fatalf("%s: point %d is\n%+v, want\n%+v", what, i, g, w)
		}
	}
}

// The answer is that of a plain list, whatever is raw, folded, rolled up or
// late.
func TestRangeEqualsAPlainList(t *testing.T) {
	h := started(t, nil)
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(1, 2))
	now := time.Now().UTC()
	start := day(now).Add(-2 * 24 * time.Hour).Add(22 * time.Hour) // over two midnights
	var all []network.Reading
	check := func(stage string) {
		t.Helper()
		for _, step := range []time.Duration{0, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour} {
			from, to := start.Add(-time.Hour), now.Add(time.Hour)
			got, err := h.Range(ctx, "l1", network.EndB, from, to, step)
			must(t, err)
			compare(t, fmt.Sprintf("%s, step %v", stage, step), got, brute(all, "l1", network.EndB, from, to, step))
		}
		// Bounds within a stretch: readings are cut exactly.
		from, to := start.Add(7*time.Minute+3*time.Second), start.Add(99*time.Minute+1*time.Second)
		got, err := h.Range(ctx, "l1", network.EndB, from, to, 30*time.Second)
		must(t, err)
		compare(t, stage+", bounds", got, brute(all, "l1", network.EndB, from, to, 30*time.Second))
	}
	add := func(from, to time.Time, every time.Duration) {
		t.Helper()
		for at := from; at.Before(to); at = at.Add(every) {
			rs := []network.Reading{
				reading(rnd, "l1", network.EndA, at), reading(rnd, "l1", network.EndB, at), reading(rnd, "l2", network.EndA, at),
			}
			all = append(all, rs...)
			must(t, h.Append(ctx, rs))
		}
		must(t, h.Flush(ctx))
	}
	check("empty")
	add(start, start.Add(5*time.Hour), 47*time.Second)
	check("raw")
	must(t, h.Fold(ctx))
	check("folded")
	add(start.Add(5*time.Hour), now, 101*time.Second)
	check("folded and raw")
	must(t, h.Fold(ctx))
	must(t, h.Fold(ctx))
	check("folded twice")
	add(start.Add(time.Hour+777*time.Millisecond), start.Add(2*time.Hour), 61*time.Second)
	check("late")
	must(t, h.Fold(ctx))
	check("late and folded")

	h.files.closeAll()
	h = reopened(t, h)
	check("opened again")

	for _, k := range []kind{raw, minute, quarter} {
		days, has, err := h.files.list()
		must(t, err)
		for _, d := range days {
			if !has[d][k] {
				t.Errorf("%s is missing", name(d, k))
			}
		}
	}
	if s := h.Stats(); s.Dropped+s.Refused+s.Failed+s.Damaged+s.Waiting != 0 {
		t.Errorf("%v", s)
	}
}

func reopened(t testing.TB, h *History) *History {
	t.Helper()
	n, err := New(h.cfg, Deps{Log: h.log})
	must(t, err)
	t.Cleanup(n.files.closeAll)
	return n
}

// A day whose readings are dropped is answered from its roll-ups.
func TestOldDaysAnswerFromRollUps(t *testing.T) {
	h := started(t, nil)
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(3, 4))
	d := day(time.Now()).AddDate(0, 0, -3)
	var all []network.Reading
	for at := d; at.Before(d.Add(3 * time.Hour)); at = at.Add(10 * time.Second) {
		all = append(all, reading(rnd, "l", network.EndA, at))
	}
	must(t, h.Append(ctx, all))
	must(t, h.Fold(ctx))
	ask := func(step time.Duration) []Point {
		t.Helper()
		ps, err := h.Range(ctx, "l", network.EndA, d, d.Add(24*time.Hour), step)
		must(t, err)
		return ps
	}
	must(t, h.files.remove(d, raw))
	compare(t, "every reading", ask(0), brute(all, "l", network.EndA, d, d.Add(24*time.Hour), time.Minute))
	compare(t, "hours", ask(time.Hour), brute(all, "l", network.EndA, d, d.Add(24*time.Hour), time.Hour))
	must(t, h.files.remove(d, minute))
	compare(t, "minutes of quarters", ask(time.Minute), brute(all, "l", network.EndA, d, d.Add(24*time.Hour), 15*time.Minute))
}

func TestSweepDropsFilesAndKeepsTheirRollUps(t *testing.T) {
	h := started(t, func(c *Config) { c.RawDays, c.MinuteDays = 2, 4 })
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(5, 6))
	today := day(time.Now())
	for back := range 7 {
		at := today.AddDate(0, 0, -back)
		h.queue.put([]entry{entryOf(reading(rnd, "l", network.EndA, at))}) // Append would refuse the old ones
	}
	must(t, h.Fold(ctx))
	h.sweep(ctx)
	days, has, err := h.files.list()
	must(t, err)
	var n [kinds]int
	for _, d := range days {
		for k := range kinds {
			if has[d][k] {
				n[k]++
			}
		}
	}
	// Today is not over: it may have no roll-up yet.
	if n[raw] != 3 || n[minute] < 4 || n[minute] > 5 || n[quarter] < 6 {
		t.Errorf("%d, %d and %d files are left of readings, minutes and quarters", n[raw], n[minute], n[quarter])
	}
	old := today.AddDate(0, 0, -6)
	ps, err := h.Range(ctx, "l", network.EndA, old, old.Add(24*time.Hour), 0)
	must(t, err)
	if len(ps) != 1 {
		t.Errorf("the oldest day has %d points, want its quarter", len(ps))
	}
}

func TestSweepForgivesAClockThatJumpsAhead(t *testing.T) {
	h := started(t, func(c *Config) { c.RawDays = 7 })
	rnd := rand.New(rand.NewPCG(7, 8))
	long := day(time.Now()).AddDate(-30, 0, 0) // seen from then, our clock is far ahead
	for i := range 7 {
		h.queue.put([]entry{entryOf(reading(rnd, "l", network.EndA, long.AddDate(0, 0, i)))})
	}
	h.queue.put([]entry{entryOf(reading(rnd, "l", network.EndA, time.Now()))})
	must(t, h.Flush(t.Context()))
	h.sweep(t.Context())
	days, has, err := h.files.list()
	must(t, err)
	n := 0
	for _, d := range days {
		if has[d][raw] {
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d of 8 days are left", n)
	}
}

func TestRefusedReadingsAreCounted(t *testing.T) {
	h := started(t, nil)
	rnd := rand.New(rand.NewPCG(9, 10))
	now := time.Now()
	for _, at := range []time.Time{{}, time.Unix(0, 0), now.AddDate(0, 0, -9), now.Add(2 * time.Hour), now.AddDate(70, 0, 0)} {
		must(t, h.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, at)}))
	}
	must(t, h.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, now)}))
	must(t, h.Flush(t.Context()))
	if s := h.Stats(); s.Refused != 5 || s.Written != 1 {
		t.Errorf("%v, want 5 refused and 1 written", s)
	}
}

func TestFullQueueDropsTheOldest(t *testing.T) {
	h := started(t, func(c *Config) { c.Queue = 10 })
	rnd := rand.New(rand.NewPCG(11, 12))
	base := time.Now().Add(-time.Hour)
	for i := range 25 {
		must(t, h.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, base.Add(time.Duration(i)*time.Second))}))
	}
	must(t, h.Flush(t.Context()))
	ps, err := h.Range(t.Context(), "l", network.EndA, base, base.Add(time.Hour), 0)
	must(t, err)
	if len(ps) != 10 || !ps[0].At.Equal(base.Add(15*time.Second).Truncate(time.Millisecond).UTC()) || h.Stats().Dropped != 15 {
		t.Errorf("%d points from %v, %v", len(ps), ps[0].At, h.Stats())
	}
}

func TestBadQuestionsAndConfigsAreRefused(t *testing.T) {
	h := started(t, nil)
	now := time.Now()
	for _, q := range []struct {
		end      network.End
		from, to time.Time
		step     time.Duration
	}{
		{"c", now, now.Add(1), 0}, {"", now, now.Add(1), 0}, {"a", now, now, 0}, {"a", now, now.Add(-1), 0},
		{"a", now, now.Add(1), -1}, {"a", now, now.Add(1), 1},
	} {
		if _, err := h.Range(t.Context(), "l", q.end, q.from, q.to, q.step); fault.Of(err) != fault.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for i, change := range []func(*Config){
		func(c *Config) { c.Dir = "" }, func(c *Config) { c.Queue = 0 }, func(c *Config) { c.Flush = 0 },
		func(c *Config) { c.Fold = -1 }, func(c *Config) { c.RawDays = 0 }, func(c *Config) { c.Ahead = -1 },
	} {
		cfg := Default()
		cfg.Dir = "x"
		change(&cfg)
		if _, err := New(cfg, Deps{}); fault.Of(err) != fault.Invalid {
			t.Errorf("config %d was taken: %v", i, err)
		}
	}
}

func TestFolderThatCannotBeWrittenIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	cfg := Default()
	cfg.Dir = filepath.Join(file, "history")
	h, err := New(cfg, Deps{})
	must(t, err)
	if err := h.Run(t.Context()); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), cfg.Dir) {
		t.Errorf("got %v, want one that names the folder", err)
	}
}

// Readers, writer and folds at once give whole answers.
func TestReadersDuringFoldsMissNothing(t *testing.T) {
	h := started(t, nil)
	rnd := rand.New(rand.NewPCG(21, 22))
	d := day(time.Now()).AddDate(0, 0, -1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	var first []network.Reading
	for i := range 500 {
		first = append(first, reading(rnd, "l", network.EndA, d.Add(time.Duration(i)*time.Second)))
	}
	must(t, h.Append(ctx, first))
	must(t, h.Flush(ctx))
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			for _, step := range []time.Duration{0, time.Minute} {
				ps, err := h.Range(t.Context(), "l", network.EndA, d, d.Add(500*time.Second), step)
				count := 0
				for _, p := range ps {
					count += p.Count
				}
				if err != nil || count != 500 {
					t.Errorf("%d of 500 readings with step %v: %v", count, step, err)
				}
			}
		}
		done <- n
	}()
	for i := range 30 {
		must(t, h.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, d.Add(time.Duration(1000+i)*time.Second))}))
		must(t, h.Fold(t.Context()))
	}
	cancel()
	if n := <-done; n == 0 {
		t.Error("no question was asked")
	}
}

func TestNamesOfFiles(t *testing.T) {
	d := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var got []string
	for k := range kinds {
		got = append(got, name(d, k))
		if pd, pk, ok := parse(name(d, k)); !ok || pk != k || !pd.Equal(d) {
			t.Errorf("%s is read as %v %v %v", name(d, k), pd, pk, ok)
		}
	}
	if want := []string{"2026-11-22.db", "2026-11-22.1m.db", "2026-11-22.15m.db"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, n := range []string{"", ".db", "2026-11-22", "2026-13-01.db", "x.1m.db", "2026-11-22.db-wal", "2026-11-22.db.damaged-20261122t000000z"} {
		if _, _, ok := parse(n); ok {
			t.Errorf("%q is taken for a day", n)
		}
	}
}
