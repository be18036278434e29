package history

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// The child writes rounds and says which it has flushed; it also folds all the
// time, so that the death falls into a fold as well.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CRINALE_HISTORY_CHILD"); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const childLinks = 40

func childStart() time.Time { return day(time.Now()).Add(-12 * time.Hour) }

func child(dir string) error {
	cfg := Default()
	cfg.Dir = dir
	h, err := New(cfg, Deps{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := h.prepare(); err != nil {
		return err
	}
	start, err := strconv.ParseInt(os.Getenv("CRINALE_HISTORY_START"), 10, 64)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := 0; ; round++ {
		at := time.UnixMilli(start).Add(time.Duration(round) * 10 * time.Second)
		rs := make([]network.Reading, 0, childLinks)
		for l := range childLinks {
			rs = append(rs, reading(rnd, network.LinkID(fmt.Sprintf("l%d", l)), network.EndA, at))
		}
		if err := h.Append(ctx, rs); err != nil {
			return err
		}
		if err := h.Flush(ctx); err != nil {
			return err
		}
		fmt.Println(round)
		if round%7 == 6 {
			if err := h.Fold(ctx); err != nil {
				return err
			}
		}
	}
}

// What was flushed is there after a kill -9, and the folder opens again.
func TestFlushedReadingsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	start := childStart()
	flushed := 0
	for _, rounds := range []int{40, 25, 60} { // killed three times, in other places
		from := start.Add(time.Duration(flushed) * 10 * time.Second)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CRINALE_HISTORY_CHILD="+dir, fmt.Sprintf("CRINALE_HISTORY_START=%d", from.UnixMilli()))
		out, err := cmd.StdoutPipe()
		must(t, err)
		var said strings.Builder
		cmd.Stderr = &said
		must(t, cmd.Start())
		last := -1
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, err := strconv.Atoi(lines.Text())
			must(t, err)
			last = n
			if n == rounds {
				must(t, cmd.Process.Kill())
			}
		}
		if err := cmd.Wait(); err == nil || last < rounds {
			t.Fatalf("the child ended by itself after %d rounds: %v %s", last, err, said.String())
		}
		flushed += last + 1
	}
	cfg := Default()
	cfg.Dir = dir
	h, err := New(cfg, Deps{})
	must(t, err)
	defer h.files.closeAll()
	check := func() {
		t.Helper()
		for l := range childLinks {
			link := network.LinkID(fmt.Sprintf("l%d", l))
			ps, err := h.Range(t.Context(), link, network.EndA, start, start.Add(time.Duration(flushed)*10*time.Second), 0)
			must(t, err)
			if len(ps) != flushed {
				t.Fatalf("%s has %d of %d rounds", link, len(ps), flushed)
			}
			qs, err := h.Range(t.Context(), link, network.EndA, start, start.Add(24*time.Hour), 15*time.Minute)
			must(t, err)
			n := 0
			for _, q := range qs {
				n += q.Count
			}
			if n < flushed {
				t.Fatalf("%s: its quarters have %d of %d rounds", link, n, flushed)
			}
		}
	}
	check()
	must(t, h.Fold(t.Context()))
	check()
	if h.Stats().Damaged != 0 {
		t.Errorf("%v", h.Stats())
	}
}
