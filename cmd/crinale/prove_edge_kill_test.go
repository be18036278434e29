package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestProveEdgeKill ends an edge N times at random moments under load, and
// starts it again with the origin gone: what is given is what the origin gave,
// to the last byte, what was stored a quarter of a second before the end is
// given, and no write that had its receipt is lost, nor its number given twice.
func TestProveEdgeKill(t *testing.T) {
	if os.Getenv("PROVE") != "edge-kill" {
		t.Skip("run by make prove-edge-kill")
	}
	n, seed := number(t, "N", 6), number(t, "SEED", 1)
	h := newEdgeHall(t, `    offline: {rule: until, days: 7}
    writes:
      - {name: pratiche, methods: [PUT], path: "/pratiche/{id}", class: create, anonymous: true}
`)
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	sizes := []int{0, 100, 1000, 9000, 65_536, 65_537, 300_000, 1_048_576, 2_500_000}
	path := func(i int) string { return fmt.Sprintf("/%d/%d", i, sizes[i%len(sizes)]) }
	const paths = 400
	stored := map[int]bool{}
	given, missed, looked := 0, 0, 0
	receipts, last := map[string]bool{}, []string(nil) // all, and of the round before
	kept := func(round int) {
		for _, number := range last {
			var e queuedWrite
			if err := json.Unmarshal([]byte(edgeVerb(t, 0, "queue", "show", "--data", h.data(), "--json", number)), &e); err != nil || e.Number != number || len(e.Events) == 0 {
				t.Errorf("round %d: the write %s is not there: %v", round, number, err)
			}
		}
		last = nil
	}
	for round := range n {
		h.down.Store(false)
		p := h.run(t)
		kept(round)
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
		edgeVerb(t, 0, "tell", "down", "--data", h.data())
		var writers sync.WaitGroup
		for w := range 3 {
			writers.Go(func() {
				for i := range 8 {
					number, err := h.put(fmt.Sprintf("/pratiche/00000000-0000-4000-8000-%04x%04x%04x", round, w, i))
					if err != nil {
						return // it was killed meanwhile
					}
					mu.Lock()
					if receipts[number] || number == "" {
						t.Errorf("round %d: the number %q was given twice", round, number)
					}
					receipts[number], last = true, append(last, number)
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond)
		_ = p.Process.Kill() // the second end of the round comes suddenly too
		<-p.done
		writers.Wait()
	}
	h.run(t)
	kept(n)
	if looked == 0 || given*100 < looked*99 {
		t.Fatalf("%d of %d stored answers were given without the origin", given, looked)
	}
	if len(receipts) == 0 {
		t.Fatal("no write had a receipt")
	}
	t.Logf("%d sudden ends, seed %d: %d of %d stored answers given without the origin (%.2f %%), none wrong or cut; %d writes with a receipt, none lost, no number twice",
		2*n, seed, given, looked, 100*float64(given)/float64(looked), len(receipts))
}

// put sends something while the link is down, and gives the number of its receipt.
func (h *edgeHall) put(path string) (number string, err error) {
	r, err := http.NewRequest("PUT", "http://"+h.addr+path, strings.NewReader("una pratica"))
	if err != nil {
		return "", err
	}
	r.Host = edgeHost
	r.Header.Set("If-None-Match", "*")
	res, err := edgeClient.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s: %s", path, res.Status)
	}
	return res.Header.Get("Crinale-Receipt"), nil
}
