package history

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// running is a history whose Run goes on in fake time.
func running(t *testing.T, change func(*Config)) (h *History, log *strings.Builder, stop func()) {
	t.Helper()
	cfg := Default()
	cfg.Dir = t.TempDir()
	if change != nil {
		change(&cfg)
	}
	log = &strings.Builder{}
	h, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(log, nil))})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	<-h.Ready()
	return h, log, func() {
		cancel()
		must(t, <-done)
	}
}

func TestRunWritesFoldsAndEndsWithNothingLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log, stop := running(t, nil)
		rnd := rand.New(rand.NewPCG(1, 2))
		begin := time.Now()
		var all []network.Reading
		for range 200 {
			r := reading(rnd, "l", network.EndA, time.Now())
			all = append(all, r)
			must(t, h.Append(t.Context(), []network.Reading{r}))
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		ps, err := h.Range(t.Context(), "l", network.EndA, begin, time.Now(), 0)
		must(t, err)
		compare(t, "while running", ps, brute(all, "l", network.EndA, begin, time.Now(), 0))
		days, has, err := h.files.list()
		must(t, err)
		if len(days) == 0 || !has[days[0]][quarter] {
			t.Errorf("no roll-up after half an hour: %v %v", days, has)
		}
		r := reading(rnd, "l", network.EndA, time.Now())
		all = append(all, r)
		must(t, h.Append(t.Context(), []network.Reading{r}))
		stop()
		h = reopened(t, h)
		ps, err = h.Range(t.Context(), "l", network.EndA, begin, begin.Add(24*time.Hour), 0)
		must(t, err)
		compare(t, "after the end", ps, brute(all, "l", network.EndA, begin, begin.Add(24*time.Hour), 0))
		h.files.closeAll()
		if log.String() != "" {
			t.Error(log.String())
		}
	})
}

// Trouble with the disk is one line when it begins and one when it ends.
func TestRunSaysTroubleOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Default()
		cfg.Dir = t.TempDir()
		var log strings.Builder
		h, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(&log, nil))})
		must(t, err)
		h.files.pragmas = []string{"max_page_count(12)"}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		<-h.Ready()
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			for range 50 {
				must(t, h.Append(t.Context(), []network.Reading{reading(rnd, "l", network.EndA, time.Now().Add(time.Duration(rnd.IntN(1000))*time.Millisecond))}))
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || h.Stats().Failed < 10 {
			t.Errorf("%d lines, %v:\n%s", n, h.Stats(), log.String())
		}
		h.writing.Lock()
		h.files.closeAll()
		h.files.pragmas = nil
		h.writing.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := h.Stats(); s.Waiting != 0 || s.Written != 3000 || !strings.Contains(log.String(), "written again") {
			t.Errorf("%v:\n%s", s, log.String())
		}
		cancel()
		must(t, <-done)
	})
}
