package history

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
)

// round is one reading of each end of n links.
func round(rnd *rand.Rand, n int, at time.Time) []network.Reading {
	rs := make([]network.Reading, 0, 2*n)
	for i := range n {
		link := network.LinkID(fmt.Sprintf("link-%04d", i))
		rs = append(rs, reading(rnd, link, network.EndA, at), reading(rnd, link, network.EndB, at))
	}
	return rs
}

// BenchmarkAppendRound writes one round of both ends of 2,000 links to the
// disk: what the largest network does every 10 s.
func BenchmarkAppendRound(b *testing.B) {
	h := started(b, nil)
	rnd := rand.New(rand.NewPCG(1, 2))
	at := day(time.Now()).AddDate(0, 0, -1)
	rs := round(rnd, 2000, at)
	for b.Loop() {
		at = at.Add(10 * time.Second)
		for i := range rs {
			rs[i].At = at
		}
		must(b, h.Append(b.Context(), rs))
		must(b, h.Flush(b.Context()))
	}
	b.ReportMetric(float64(len(rs))*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
}

// BenchmarkFold brings ten minutes of 2,000 links into order and rolls them
// up.
func BenchmarkFold(b *testing.B) {
	h := started(b, func(c *Config) { c.Queue = 1 << 20 })
	rnd := rand.New(rand.NewPCG(1, 2))
	at := day(time.Now()).AddDate(0, 0, -1)
	rs := round(rnd, 2000, at)
	for b.Loop() {
		b.StopTimer()
		for range 60 {
			at = at.Add(10 * time.Second)
			for i := range rs {
				rs[i].At = at
			}
			must(b, h.Append(b.Context(), rs))
		}
		must(b, h.Flush(b.Context()))
		b.StartTimer()
		must(b, h.Fold(b.Context()))
	}
}

// BenchmarkRange asks for 24 hours of one end, among 20 links that are read every 10 s.
func BenchmarkRange(b *testing.B) {
	h := started(b, func(c *Config) { c.Queue = 1 << 21 })
	rnd := rand.New(rand.NewPCG(1, 2))
	from := day(time.Now()).AddDate(0, 0, -1)
	rs := round(rnd, 20, from)
	for at := from; at.Before(from.Add(24 * time.Hour)); at = at.Add(10 * time.Second) {
		for i := range rs {
			rs[i].At = at
		}
		must(b, h.Append(b.Context(), rs))
	}
	must(b, h.Fold(b.Context()))
	for _, step := range []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute} {
		b.Run(fmt.Sprintf("24h/step=%v", step), func(b *testing.B) {
			n := 0
			for b.Loop() {
				ps, err := h.Range(b.Context(), "link-0010", network.EndB, from, from.Add(24*time.Hour), step)
				must(b, err)
				n = len(ps)
			}
			b.ReportMetric(float64(n), "points")
		})
	}
}
