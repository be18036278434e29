package audit_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

const leastAppends = 1000 // per second

// BenchmarkAppend has 16 callers, each with a transaction of its own that waits
// until it is on the disk. PostgreSQL is the server of the tests, whose sync to
// the disk is off.
func BenchmarkAppend(b *testing.B) {
	run := func(b *testing.B, db *store.DB, add func(*audit.Log, *testing.PB)) {
		l := open(b, db, filepath.Join(b.TempDir(), "head"))
		b.SetParallelism(8)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) { add(l, pb) })
		rate := float64(b.N) / b.Elapsed().Seconds()
		b.StopTimer()
		b.ReportMetric(rate, "appends/s")
		b.ReportMetric(leastAppends, "limit/s")
		if b.N >= 1000 && rate < leastAppends {
			b.Errorf("%.0f appends a second; at least %d", rate, leastAppends)
		}
		if r := verify(b, l); !r.OK() || r.Lines < int64(b.N) {
			b.Errorf("%+v", r)
		}
	}
	var failed atomic.Bool
	do := func(l *audit.Log, pb *testing.PB) {
		for pb.Next() {
			err := l.Do(b.Context(), audit.Entry{Action: "test.step", Object: "device", Detail: map[string]string{"freq_mhz": "5540"}}, nothing)
			if err != nil && !failed.Swap(true) {
				b.Error(err)
			}
		}
	}
	b.Run("sqlite", func(b *testing.B) { run(b, storetest.SQLite(b), do) })
	b.Run("postgres", func(b *testing.B) { run(b, storetest.Open(b, storetest.PostgresURL(b)), do) })
}

func BenchmarkVerify(b *testing.B) {
	l := open(b, storetest.SQLite(b), "")
	const lines = 2000
	fill(b, l, lines)
	for b.Loop() {
		if r := verify(b, l); !r.OK() || r.Lines != lines {
			b.Fatalf("%+v", r)
		}
	}
	b.ReportMetric(lines*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
