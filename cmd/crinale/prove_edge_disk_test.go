package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestProveDiskFull has an edge keep its answers on a volume of a few megabytes,
// and asks for N answers and ranges of many sizes, of more than fits: every one
// is whole and right, and what is saved is too.
func TestProveDiskFull(t *testing.T) {
	if os.Getenv("PROVE") != "disk-full" {
		t.Skip("run by make prove-disk-full")
	}
	n, seed := number(t, "N", 300), number(t, "SEED", 1)
	// A volume of its own needs a place of its own. Where the system gives none,
	// files may not grow beyond a size instead: the disk then refuses as well.
	full, volumes, inside := "full volumes", []string{"2m", "6m", "24m"}, `mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"`
	begin := []string{"unshare", "-rm", "sh", "-c", inside, "sh"}
	if out, err := exec.Command("unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs "+t.TempDir()).CombinedOutput(); err != nil {
		t.Logf("SKIPPED, NOT TESTED: no volume of its own here (unshare: %v %s); files that may not grow stand in", err, out)
		full, volumes = "disks that refuse long files", []string{"100", "700", "1500"}
		begin = []string{"sh", "-c", `ulimit -f "$1" && shift 2 && exec "$@"`, "sh"}
	}
	for _, volume := range volumes {
		t.Run(volume, func(t *testing.T) { diskFull(t, begin, volume, n, uint64(seed)) })
	}
	t.Logf("%d answers on each of three %s, seed %d: none cut, none wrong", n, full, seed)
}

func diskFull(t *testing.T, begin []string, volume string, n int, seed uint64) {
	h := newEdgeHall(t, "")
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(h.data(), "saved")
	if err := os.MkdirAll(saved, 0o700); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(begin), volume, saved, bin, "edge", "run", "--config", h.yaml, "--data", h.data(), "--listen", h.addr, "--log", "error")
	p := &process{Cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.Stdout, p.Stderr = &p.talk, &p.talk
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait(); close(p.done) }()
	t.Cleanup(func() { p.end(t, os.Interrupt) })
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.DialTimeout("tcp", h.addr, time.Second); err == nil {
			_ = c.Close()
			break
		}
		select {
		case <-p.done:
			t.Fatalf("the edge ended:\n%s", p.talk.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("the edge does not answer:\n%s", p.talk.String())
		}
	}
	sizes := []int{0, 1, 4000, 65_536, 65_537, 1_048_576, 1_048_577, 3_000_000, 9_000_000}
	var whole, parts atomic.Int64
	var load sync.WaitGroup
	for w := range 4 {
		r := rand.New(rand.NewPCG(seed, uint64(w)))
		load.Go(func() {
			for range n / 4 {
				i := r.IntN(120)
				size := sizes[i%len(sizes)]
				path, want := fmt.Sprintf("/%d/%d", i, size), edgeBody(i, size)
				if size > 1 && r.IntN(3) == 0 {
					from := r.IntN(size)
					to := from + r.IntN(size-from)
					res, body, err := h.get(path, fmt.Sprintf("Range: bytes=%d-%d", from, to))
					if err != nil || res.StatusCode != 206 && res.StatusCode != 200 || res.StatusCode == 206 && !bytes.Equal(body, want[from:to+1]) || res.StatusCode == 200 && !bytes.Equal(body, want) {
						t.Errorf("%s from %d to %d: %d bytes, %v", path, from, to, len(body), err)
					}
					parts.Add(1)
					continue
				}
				res, body, err := h.get(path)
				if err != nil || res.StatusCode != 200 || !bytes.Equal(body, want) {
					t.Errorf("%s: %d bytes of %d, %v", path, len(body), size, err)
				}
				whole.Add(1)
			}
		})
	}
	load.Wait()
	var out, errs bytes.Buffer
	var s edgeStanding
	if code := run([]string{"crinale", "edge", "status", "--data", h.data(), "--json"}, &out, &errs); code != 0 || json.Unmarshal(out.Bytes(), &s) != nil {
		t.Fatalf("status: %d %s", code, errs.String())
	}
	if s.Store.Faults+s.Store.Evicted == 0 {
		t.Errorf("the volume was never full: %+v", s.Store)
	}
	if strings.Contains(p.talk.String(), "panic") {
		t.Errorf("%s", p.talk.String())
	}
	t.Logf("%s: %d whole answers, %d ranges, the disk failed %d times, %d answers made room, %d saved", volume, whole.Load(), parts.Load(), s.Store.Faults, s.Store.Evicted, s.Store.Objects)
}
