package store

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/crinale/crinale/edge"
)

// BenchmarkHit finds and opens an answer and gives it away.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKB", n>>10), func(b *testing.B) {
			s := open(b, b.TempDir(), nil)
			keep(b, s, "a/b", head(), bodyOf(1, n))
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				o := s.Find("a/b")[0]
				body, err := o.Open()
				if err != nil {
					b.Fatal(err)
				}
				if k, err := body.(edge.Sender).SendTo(io.Discard, edge.Span{Length: int64(n)}); err != nil || k != int64(n) {
					b.Fatal(k, err)
				}
				_ = body.Close()
			}
		})
	}
}

// BenchmarkKeep stores answers of 1 KB under addresses of their own.
func BenchmarkKeep(b *testing.B) {
	s := open(b, b.TempDir(), nil)
	body := bodyOf(1, 1<<10)
	i := 0
	for b.Loop() {
		i++
		copy(body, fmt.Sprint(i))
		keep(b, s, fmt.Sprintf("a/%d", i), head(), body)
	}
}

// BenchmarkQueueMemory is what 200,000 addresses take of it in memory.
func BenchmarkQueueMemory(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		q := newQueue(Default("x"))
		for i := range uint64(200_000) {
			q.put(numbered(i), Place{Service: "a", Comune: "b"}, 1000, false)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB")
		runtime.KeepAlive(q)
	}
}
