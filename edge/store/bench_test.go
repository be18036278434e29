package store

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// BenchmarkHit finds, opens and sends a stored answer.
func BenchmarkHit(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		for _, keys := range []Keys{nil, oneKey("0123456789abcdef")} {
			b.Run(fmt.Sprintf("%dKB/sealed=%v", size>>10, keys != nil), func(b *testing.B) {
				s := opened(b, small(b.TempDir()), Deps{Keys: keys})
				mustPut(b, s, "a.example/x", head("", "Etag", `"x"`), content(1, size))
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					body, err := s.Find("a.example/x")[0].Open()
					if err != nil {
						b.Fatal(err)
					}
					if n, err := body.(edge.Sender).SendTo(io.Discard, edge.Span{Length: int64(size)}); n != int64(size) || err != nil {
						b.Fatal(n, err)
					}
					body.Close()
				}
			})
		}
	}
}

// BenchmarkKeep keeps answers of 10 KB, with and without waiting for the disk.
func BenchmarkKeep(b *testing.B) {
	for _, sync := range []bool{false, true} {
		b.Run(fmt.Sprintf("sync=%v", sync), func(b *testing.B) {
			c := small(b.TempDir())
			c.Sync = sync
			s := opened(b, c, Deps{})
			body := content(1, 10_000)
			i := 0
			for b.Loop() {
				i++
				binary.LittleEndian.PutUint64(body, uint64(i))
				mustPut(b, s, fmt.Sprint("a.example/", i), head(""), body)
			}
			if err := s.flush(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkRestart opens a store of many objects, with an index and without,
// until the first hit. The anonymous memory is that of a process of its own which
// did nothing else (RssAnon of Linux), with the memory tier full; limited, with
// GOMEMLIMIT=56MiB.
func BenchmarkRestart(b *testing.B) {
	if testing.Short() {
		b.Skip("200,000 files")
	}
	const n = 200_000
	c := small(b.TempDir())
	s, err := New(c, Deps{}) // not by opened, which would keep it in memory
	if err == nil {
		err = s.Open()
	}
	if err != nil {
		b.Fatal(err)
	}
	body := content(1, 1000) // each its own record, 1,000 bodies
	for i := range n {
		binary.LittleEndian.PutUint64(body, uint64(i%1000))
		mustPut(b, s, fmt.Sprintf("docs.comune.example/albo/2026/atto-%d.pdf", i), head("", "Etag", fmt.Sprintf(`"%d"`, i), "Cache-Control", "max-age=600", "Xkey", "albo"), body)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	s = nil
	for _, rebuild := range []bool{false, true} {
		b.Run(fmt.Sprintf("rebuild=%v", rebuild), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				runtime.GC()
				s, err := New(c, Deps{})
				if err != nil {
					b.Fatal(err)
				}
				if rebuild {
					os.Remove(s.indexPath())
				}
				b.StartTimer()
				begun := time.Now()
				if err := s.Open(); err != nil {
					b.Fatal(err)
				}
				if got(b, s, "docs.comune.example/albo/2026/atto-77777.pdf") == nil || s.Stats().Objects != n {
					b.Fatal("not there")
				}
				took := time.Since(begun)
				b.StopTimer()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(took.Milliseconds()), "ms/first-hit")
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-live")
				s.Close()
				if !rebuild {
					for unit, limit := range map[string]string{"MB-anon": "off", "MB-anon-limited": "56MiB"} {
						cmd := exec.Command(os.Args[0])
						cmd.Env = append(os.Environ(), "STORE_MEASURED="+c.Dir, "GOMEMLIMIT="+limit)
						out, err := cmd.Output()
						n, _ := strconv.ParseFloat(string(out), 64)
						if err != nil || n == 0 {
							b.Fatalf("%s, %v", out, err)
						}
						b.ReportMetric(n/1e6, unit)
					}
				}
				b.StartTimer()
			}
		})
	}
}

// measured opens a store, finds 60,000 of its objects so that the memory tier is
// full, and prints how much memory that takes.
func measured(dir string) {
	s, err := New(small(dir), Deps{})
	if err == nil {
		err = s.Open()
	}
	for i := 0; i < 60_000 && err == nil; i++ {
		if len(s.Find(fmt.Sprintf("docs.comune.example/albo/2026/atto-%d.pdf", i))) == 0 {
			err = errGone
		}
	}
	if err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
	fmt.Print(anonymous())
}

// anonymous is how many bytes of memory the process has that are no file's.
func anonymous() (n int64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &n); err == nil {
			return n << 10
		}
	}
	return 0
}
