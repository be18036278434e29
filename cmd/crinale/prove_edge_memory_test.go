package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/store"
)

// TestProveEdgeMemory starts the built program on N stored answers with its
// origin gone and 256 MB that it may have for itself (ulimit -d: all that is no
// file's), and asks for enough of them that its memory tier is full: the first
// hit comes within a second, and it stays within 64 MB.
func TestProveEdgeMemory(t *testing.T) {
	if os.Getenv("PROVE") != "edge-memory" {
		t.Skip("run by make prove-edge-memory")
	}
	n := number(t, "N", 200_000)
	h := newEdgeHall(t, "    offline: {rule: until, days: 7}\n")
	h.down.Store(true)
	path := func(i int) string { return fmt.Sprintf("/%d/1000", i) }
	body := func(i int) []byte { return edgeBody(i%1000, 1000) } // many addresses of few bodies, as copies of forms are
	fillEdge(t, filepath.Join(h.data(), "saved"), n, path, body)
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command("sh", "-c", `ulimit -d 262144; exec "$@"`, "sh", bin, "edge", "run", "--config", h.yaml, "--data", h.data(), "--listen", h.addr, "--log", "error"), done: make(chan struct{})}
	p.Stdout, p.Stderr = &p.talk, &p.talk
	begun := time.Now()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait(); close(p.done) }()
	t.Cleanup(func() { p.end(t, os.Interrupt) })
	var first time.Duration
	for first == 0 {
		res, got, err := h.get(path(n / 3))
		switch {
		case err == nil && res.StatusCode == http.StatusOK && bytes.Equal(got, body(n/3)):
			first = time.Since(begun)
		case time.Since(begun) > patience:
			t.Fatalf("nothing is given: %v\n%s", err, p.talk.String())
		default:
			time.Sleep(2 * time.Millisecond)
		}
	}
	most := min(n, 60_000) // 24 MB of them are in memory
	var next, wrong atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(most); i = next.Add(1) {
				res, got, err := h.get(path(int(i - 1)))
				if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(got, body(int(i-1))) {
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	anonymous, peak := memoryOf(t, p.Process.Pid, "RssAnon"), memoryOf(t, p.Process.Pid, "VmHWM")
	if wrong.Load() > 0 || first > time.Second || anonymous > 64<<20 || peak > 256<<20 {
		t.Errorf("%d of %d not given; first hit after %v; %d and %d bytes", wrong.Load(), most, first, anonymous, peak)
	}
	t.Logf("%d objects: first hit %.2f s after the start, %.0f MB anonymous after %d of them, %.0f MB resident at most with the mapped index, under ulimit -d of 256 MB",
		n, first.Seconds(), float64(anonymous)/1e6, most, float64(peak)/1e6)
}

// fillEdge keeps answers in the store of an edge that does not run.
func fillEdge(t *testing.T, dir string, n int, path func(int) string, body func(int) []byte) {
	t.Helper()
	c := store.Default()
	c.Dir, c.MinFree, c.Sync = dir, 0, false
	c.Owner = func(address string) (service, comune string) {
		service, _, _ = strings.Cut(address, "/")
		return service, "004022"
	}
	s, err := store.New(c, store.Deps{})
	if err == nil {
		err = s.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range n {
		b := body(i)
		head := http.Header{"Content-Type": {"application/pdf"}, "Etag": {fmt.Sprintf(`"%d"`, i)}, "Cache-Control": {"max-age=86400"}, "Date": {now.UTC().Format(http.TimeFormat)}}
		st := &edge.Stored{Status: http.StatusOK, Header: head, Asked: now, Got: now}
		d, err := s.Begin(edgeHost+path(i), st, edge.Part{Span: edge.Span{Length: int64(len(b))}, Of: int64(len(b))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = d.Write(b); err == nil {
			_, err = d.Commit(int64(len(b)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// memoryOf is a line of what Linux says of the memory of a process, in bytes.
func memoryOf(t *testing.T, pid int, name string) (n int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, name+": %d kB", &n); err == nil {
			return n << 10
		}
	}
	t.Fatalf("no %s of process %d", name, pid)
	return 0
}
