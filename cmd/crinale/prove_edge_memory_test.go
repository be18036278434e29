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
// origin gone, in a control group that may have 256 MB of memory with all that it
// reads of the disk (where none can be made: ulimit -d, all that is no file's), and
// asks for enough of them that its memory tier is full: the first
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
	bound, group := `ulimit -d 262144; exec "$@"`, memoryGroup(t, 256<<20)
	if group != "" {
		bound = `echo $$ > "` + group + `/cgroup.procs" && exec "$@"`
	}
	p := &process{Cmd: exec.Command("sh", "-c", bound, "sh", bin, "edge", "run", "--config", h.yaml, "--data", h.data(), "--listen", h.addr, "--log", "error"), done: make(chan struct{})}
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
	within := "ulimit -d of 256 MB"
	if group != "" {
		within = "a control group of 256 MB"
	}
	t.Logf("%d objects: first hit %.2f s after the start, %.0f MB anonymous after %d of them, %.0f MB resident at most with the mapped index, in %s",
		n, first.Seconds(), float64(anonymous)/1e6, most, float64(peak)/1e6, within)
}

// memoryGroup is a control group of Linux that may have so many bytes of memory;
// "" where this machine lets none be made.
func memoryGroup(t *testing.T, most int64) string {
	t.Helper()
	for dir, file := range map[string]string{"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"} {
		group := filepath.Join(dir, fmt.Sprintf("crinale-%d", os.Getpid()))
		if err := os.Mkdir(group, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(group) }) // empty by then
		limit := filepath.Join(group, file)
		if _, err := os.Stat(limit); err != nil {
			_ = os.Remove(group)
			continue
		}
		if err := os.WriteFile(limit, fmt.Append(nil, most), 0o644); err == nil {
			return group
		}
		_ = os.Remove(group)
	}
	t.Log("no control group can be made here: ulimit -d instead")
	return ""
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
