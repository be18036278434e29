package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// TestMain is also the child that is killed: it stores answers for ever and says
// which are kept.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CRINALE_STORE_CHILD"); dir != "" {
		child(dir, os.Getenv("CRINALE_STORE_SEED"))
		return
	}
	os.Exit(m.Run())
}

func childConfig(c *Config, d *Deps) {
	secrets(c, d)
	c.Most, c.MinFree = 40<<20, 0
}

func child(dir, seed string) {
	var s0 uint64
	_, _ = fmt.Sscan(seed, &s0)
	c, d := Default(dir), Deps{}
	childConfig(&c, &d)
	s, err := New(c, d)
	if err == nil {
		err = s.Open()
	}
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	go func() { _ = s.Run(context.Background()) }()
	r := rand.New(rand.NewPCG(s0, 0))
	for n := s0 * 100_000; ; n++ {
		a := fmt.Sprintf("%s/%d", []string{"plain1", "sealed1"}[n%2], n)
		body := bodyOf(n, r.IntN(150_000))
		w, err := s.Begin(a, head(), edge.Part{Span: edge.Span{Length: int64(len(body))}, Of: int64(len(body))}, nil)
		if err != nil {
			continue
		}
		if _, err = w.Write(body); err == nil {
			if _, err = w.Commit(int64(len(body))); err == nil {
				fmt.Println("kept", a, n, len(body))
			}
		}
		w.Abort()
	}
}

// TestKilledStore: whoever ends the program at whatever moment, what is found
// afterwards is right, and what was kept is found, but for what was evicted.
func TestKilledStore(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: -short")
	}
	dir := t.TempDir()
	type one struct {
		a string
		n uint64
		k int
	}
	var kept []one
	r := rand.New(rand.NewPCG(3, 3))
	for round := range 6 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "CRINALE_STORE_CHILD="+dir, fmt.Sprintf("CRINALE_STORE_SEED=%d", round+1))
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		after, n := 5+r.IntN(60), 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var o one
			if _, err := fmt.Sscanf(lines.Text(), "kept %s %d %d", &o.a, &o.n, &o.k); err != nil {
				t.Fatalf("%q", lines.Text())
			}
			kept = append(kept, o)
			if n++; n == after {
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				_ = c.Process.Kill()
			}
		}
		_ = c.Wait()
		if n < after {
			t.Fatalf("round %d: the child ended by itself", round)
		}
	}
	s := open(t, dir, childConfig)
	found := 0
	for _, o := range kept {
		if right(t, s, o.a, bodyOf(o.n, o.k)) {
			found++
		}
	}
	st := s.Stats()
	t.Logf("%d answers kept in 6 lives, %d found, %d bytes", len(kept), found, st.Bytes)
	if st.Damaged != 0 || st.Bytes < 20<<20 && found < len(kept) || found < len(kept)*9/10 && st.Bytes < 30<<20 {
		t.Errorf("%d of %d are found, %+v", found, len(kept), st)
	}
	if left := count(t, s, tempDir); left > 6*2 {
		t.Errorf("%d files that were being written are left", left)
	}
	if out, err := s.Scrub(t.Context()); err != nil || len(out.Damaged)+len(out.Missing) != 0 {
		t.Errorf("%s %v", strings.Join(out.Damaged, " "), err)
	}
}
