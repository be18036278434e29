package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge/rivaltest"
)

// runner is one server under load.
type runner struct {
	name, url string
	pid       int
	seen      map[int][]load // by size, one a round
}

// load is what one run of the generator saw.
type load struct {
	rate float64 // a second
	p99  float64 // milliseconds
	cpu  float64 // microseconds of the processor that the server took for one; 0 where it is not known
}

var speedSizes = []int{1 << 10, 64 << 10, 1 << 20}

// TestProveEdgeSpeed puts hits of the built program, which has 1 and 64 KB in
// memory and 1 MB on its disk, beside a plain handler of net/http that has all of
// it in memory, and beside the rivals that are on this machine: N rounds, in each
// of which every server has its turn.
func TestProveEdgeSpeed(t *testing.T) {
	if os.Getenv("PROVE") != "edge-speed" {
		t.Skip("run by make prove-edge-speed")
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Fatal("install wrk (Debian wrk), which makes the load")
	}
	rounds := number(t, "N", 5)
	h := newEdgeHall(t, "")
	p := h.run(t)
	at, pid := plainHandler(t)
	all := []*runner{{name: "plain Go handler", url: "http://" + at, pid: pid}, {name: "crinale", url: "http://" + h.addr, pid: p.Process.Pid}}
	for _, k := range rivaltest.Kinds {
		if why := k.Missing(); why != "" {
			fmt.Printf("| %-20s | %s\n", k.Name, why)
			continue
		}
		r := k.Start(t, h.origin)
		all = append(all, &runner{name: r.Name + " " + r.Version, url: r.URL, pid: r.Pid()})
	}
	script := filepath.Join(h.dir, "figures.lua")
	if err := os.WriteFile(script, []byte(`done = function(s, latency)
  io.write(string.format("FIGURES %f %f %d\n", s.requests / s.duration * 1e6, latency:percentile(99) / 1000, s.errors.status + s.errors.read + s.errors.connect + s.errors.write + s.errors.timeout))
end
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		r.seen = map[int][]load{}
		for _, size := range speedSizes {
			r.warm(t, h, size)
		}
	}
	for _, size := range speedSizes {
		for range rounds {
			for _, r := range all {
				asked := h.asked.Load()
				r.seen[size] = append(r.seen[size], r.wrk(t, script, size))
				if n := h.asked.Load() - asked; n > 0 {
					t.Errorf("%s asked the origin %d times for what it had", r.name, n)
				}
			}
		}
	}
	figure := ""
	fmt.Println("| server | size | hits/s | of the plain handler | p99 | processor of a hit |\n| --- | --- | --- | --- | --- | --- |")
	for _, size := range speedSizes {
		for _, r := range all {
			fmt.Printf("| %-20s | %4d KB | %7.0f | %.2f | %6.1f ms | %6.1f µs |\n", r.name, size>>10, r.median(size, load.perSecond), r.ratio(all[0], size), r.median(size, load.late), r.median(size, load.processor))
		}
		ours := all[1].ratio(all[0], size)
		figure += fmt.Sprintf("%d KB %.2f of the plain handler (processor %.2f), p99 %.1f ms; ", size>>10, ours, all[0].median(size, load.processor)/all[1].median(size, load.processor), all[1].median(size, load.late))
		want := 0.9
		if size == 1<<20 {
			want = 1
		}
		if ours < want {
			t.Errorf("%d KB: %.2f of the plain handler, wanted %.1f", size>>10, ours, want)
		}
		for _, r := range all[2:] {
			if strings.HasPrefix(r.name, "nginx") && all[1].median(size, load.late) > r.median(size, load.late) {
				t.Errorf("%d KB: p99 %.1f ms, of nginx %.1f", size>>10, all[1].median(size, load.late), r.median(size, load.late))
			}
		}
	}
	t.Logf("%sanonymous memory %.0f MB", figure, float64(memoryOf(t, p.Process.Pid, "RssAnon"))/1e6)
}

func (l load) perSecond() float64 { return l.rate }
func (l load) late() float64      { return l.p99 }
func (l load) processor() float64 { return l.cpu }

// median is that of the rounds.
func (r *runner) median(size int, of func(load) float64) float64 {
	var v []float64
	for _, l := range r.seen[size] {
		v = append(v, of(l))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// ratio is the median of the rounds' ratios to another in the same round.
func (r *runner) ratio(to *runner, size int) float64 {
	var v []float64
	for i, l := range r.seen[size] {
		v = append(v, l.rate/to.seen[size][i].rate)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// warm asks until what is asked for is a hit, and looks at it.
func (r *runner) warm(t *testing.T, h *edgeHall, size int) {
	t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		req, err := http.NewRequest("GET", fmt.Sprintf("%s/7/%d", r.url, size), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = edgeHost
		asked := h.asked.Load()
		res, err := edgeClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && bytes.Equal(body, edgeBody(7, size)) && h.asked.Load() == asked {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%s keeps nothing: %s, %v", r.name, res.Status, err)
		}
	}
}

// wrk loads a server from 32 connections for two seconds. One thread of it alone
// could not take what a server gives at 1 MB.
func (r *runner) wrk(t *testing.T, script string, size int) load {
	t.Helper()
	before := processorOf(r.pid)
	out, err := exec.Command("wrk", "-t2", "-c32", "-d2s", "-H", "Host: "+edgeHost, "-s", script, fmt.Sprintf("%s/7/%d", r.url, size)).CombinedOutput()
	_, line, found := strings.Cut(string(out), "FIGURES ")
	var l load
	var errs int
	if _, e := fmt.Sscanf(line, "%f %f %d", &l.rate, &l.p99, &errs); err != nil || !found || e != nil || errs > 0 {
		t.Fatalf("%s: %v:\n%s", r.name, err, out)
	}
	if took := processorOf(r.pid) - before; took > 0 {
		l.cpu = float64(took.Microseconds()) / (l.rate * 2)
	}
	return l
}

// processorOf is the time that a process and its children took of the processor.
func processorOf(pid int) (took time.Duration) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	parent, ticks := map[int]int{}, map[int]int{}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		of, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		_, rest, _ := strings.Cut(string(b), ") ") // a name may have spaces
		f := strings.Fields(rest)
		parent[of], _ = strconv.Atoi(f[1])
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		ticks[of] = user + system
	}
	for of, n := range ticks {
		for p := of; p > 1; p = parent[p] {
			if p == pid {
				took += time.Duration(n) * 10 * time.Millisecond // Linux says hundredths of a second
			}
		}
	}
	return took
}

// plainHandler is the address of a process that answers what the origin answers
// out of its memory, with the least that net/http can do behind a server like
// that of an edge.
func plainHandler(t *testing.T) (addr string, pid int) {
	addr = freeAddress(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PLAIN_HANDLER="+addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, cmd.Process.Pid
		}
	}
	t.Fatal("the plain handler does not start")
	return "", 0
}

// answerPlainly is the process of plainHandler.
func answerPlainly(addr string) {
	bodies := map[string][]byte{}
	for _, size := range speedSizes {
		bodies[fmt.Sprintf("/7/%d", size)] = edgeBody(7, size)
	}
	srv := http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute} // those of an edge
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := bodies[r.URL.Path]
		h := w.Header() // the origin's fields
		h.Set("Accept-Ranges", "bytes")
		h.Set("Cache-Control", "max-age=86400")
		h.Set("Content-Length", strconv.Itoa(len(b)))
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Etag", r.URL.Path)
		h.Set("Surrogate-Key", "all n7")
		_, _ = w.Write(b)
	})
	fmt.Fprintln(os.Stderr, srv.ListenAndServe())
	os.Exit(1)
}
