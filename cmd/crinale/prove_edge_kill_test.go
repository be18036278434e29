package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestProveEdgeKill ends an edge N times at random moments under load, and
// starts it again with the origin gone: what is given is what the origin gave,
// to the last byte, and what was stored a quarter of a second before the end is
// given.
func TestProveEdgeKill(t *testing.T) {
	if os.Getenv("PROVE") != "edge-kill" {
		t.Skip("run by make prove-edge-kill")
	}
	n, seed := number(t, "N", 6), number(t, "SEED", 1)
	h := newEdgeHall(t, "    offline: {rule: until, days: 7}\n")
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	sizes := []int{0, 100, 1000, 9000, 65_536, 65_537, 300_000, 1_048_576, 2_500_000}
	path := func(i int) string { return fmt.Sprintf("/%d/%d", i, sizes[i%len(sizes)]) }
	const paths = 400
	stored := map[int]bool{}
	given, missed, looked := 0, 0, 0
	for round := range n {
		h.down.Store(false)
		p := h.run(t)
		var mu sync.Mutex
		seen := map[int]time.Time{} // when an answer had ended
		stop := make(chan struct{})
		var load sync.WaitGroup
		for w := range 6 {
			r := rand.New(rand.NewPCG(uint64(seed), uint64(round*100+w)))
			load.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					i := r.IntN(paths)
					res, body, err := h.get(path(i))
					if err != nil || res.StatusCode != 200 {
						continue // it was killed meanwhile
					}
					if !bytes.Equal(body, edgeBody(i, sizes[i%len(sizes)])) {
						t.Errorf("round %d: %s: %v", round, path(i), errCut)
					}
					mu.Lock()
					seen[i] = time.Now()
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(300+rnd.IntN(700)) * time.Millisecond)
		killed := time.Now()
		_ = p.Process.Kill()
		<-p.done
		close(stop)
		load.Wait()
		for i, at := range seen {
			if killed.Sub(at) > 250*time.Millisecond {
				stored[i] = true
			}
		}

		h.down.Store(true)
		p = h.run(t)
		ask := rnd.Perm(paths)
		if round < n-1 {
			ask = ask[:60]
		}
		for _, i := range ask {
			if !stored[i] {
				continue
			}
			looked++
			res, body, err := h.get(path(i))
			switch {
			case err != nil:
				t.Errorf("round %d: %s: a cut answer: %v", round, path(i), err)
			case res.StatusCode == 200 && !bytes.Equal(body, edgeBody(i, sizes[i%len(sizes)])):
				t.Errorf("round %d: %s: %v", round, path(i), errCut)
			case res.StatusCode == 200 && strings.Contains(res.Header.Get("Cache-Status"), "hit"):
				given++
			default:
				missed++
				t.Logf("round %d: %s: %d %s", round, path(i), res.StatusCode, res.Header.Get("Cache-Status"))
			}
		}
		_ = p.Process.Kill() // the second end of the round comes suddenly too
		<-p.done
	}
	if looked == 0 || given*100 < looked*99 {
		t.Fatalf("%d of %d stored answers were given without the origin", given, looked)
	}
	t.Logf("%d sudden ends, seed %d: %d of %d stored answers given without the origin (%.2f %%), none wrong or cut", 2*n, seed, given, looked, 100*float64(given)/float64(looked))
}
