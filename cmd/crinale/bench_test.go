package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkDemoReady is the time from the start of the built demo until its
// file is there and every page answers. Limit: 10 s.
func BenchmarkDemoReady(b *testing.B) {
	if _, err := binary(); err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	for range b.N {
		dir := b.TempDir()
		begun := time.Now()
		p := start(b, "demo", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
		var f demoFile
		p.awaitJSON(b, filepath.Join(dir, "demo.json"), &f)
		for _, page := range pages {
			res, err := http.Get(f.HTTP + page.path)
			if err != nil {
				b.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Fatalf("%s: %s", page.path, res.Status)
			}
		}
		took += time.Since(begun)
		p.end(b, os.Interrupt)
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/ready")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkController is a controller that reads 100 radios every 10 s,
// simulated in another process: its CPU as a share of one core and its
// memory. Limits: 15 % and 150 MB.
func BenchmarkController(b *testing.B) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		b.Skip("SKIPPED, NOT MEASURED: no /proc here")
	}
	dir := b.TempDir()
	sim := start(b, "radio", "sim", "--radios", "100", "--state", filepath.Join(dir, "sim"))
	var s simFile
	sim.awaitJSON(b, filepath.Join(dir, "sim", "sim.json"), &s)
	cfg := filepath.Join(dir, "crinale.yaml")
	text := "data: state\nhttp: {listen: 127.0.0.1:0}\nmqtt: {listen: 127.0.0.1:0}\n"
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	p := start(b, "run", "--config", cfg, "--radios", "100", "--sim", filepath.Join(dir, "sim", "sim.json"))
	settle(b, p, 20*time.Second)
	for range b.N {
		c0, t0 := cpu(b, p), time.Now()
		settle(b, p, 60*time.Second)
		b.ReportMetric(100*(cpu(b, p)-c0).Seconds()/time.Since(t0).Seconds(), "%core")
	}
	rss, peak := memory(b, p)
	b.ReportMetric(rss, "MB")
	b.ReportMetric(peak, "MBpeak")
	b.ReportMetric(0, "ns/op")
}

// settle lets a process run for a while; it must not end.
func settle(b *testing.B, p *process, d time.Duration) {
	select {
	case <-p.done:
		b.Fatalf("%v ended: %s", p.Args[1:], p.talk.String())
	case <-time.After(d):
	}
}

// cpu is the processor time a process has used.
func cpu(b *testing.B, p *process) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(f[11])
	sys, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		b.Fatalf("/proc/stat: %q", text)
	}
	return time.Duration(user+sys) * (time.Second / 100) // USER_HZ is 100 on Linux
}

// memory is a process's resident memory in MB, now and at its peak.
func memory(b *testing.B, p *process) (now, peak float64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) == 3 && (f[0] == "VmRSS:" || f[0] == "VmHWM:") {
			kb, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			if f[0] == "VmRSS:" {
				now = kb / 1024
			} else {
				peak = kb / 1024
			}
		}
	}
	return now, peak
}
