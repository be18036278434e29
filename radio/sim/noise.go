package sim

import (
	"math"
	"time"
)

// Everything drawn comes from the seed, a name and the time, so that one seed
// gives one fleet, whatever the order of the questions.

// draw is an unpredictable number of the seed, a name and a count.
func (f *Fleet) draw(name string, n int64) uint64 {
	h := f.cfg.Seed ^ 0xcbf29ce484222325
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 0x100000001b3 // FNV-1a
	}
	h += uint64(n) * 0x9e3779b97f4a7c15
	// Finaliser of splitmix64.
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// uniform is in [0, 1).
func (f *Fleet) uniform(name string, n int64) float64 {
	return float64(f.draw(name, n)>>11) / (1 << 53)
}

// normal has mean 0 and about unit deviation: four uniforms, so within ±3.5.
func (f *Fleet) normal(name string, n int64) float64 {
	s := 0.0
	for i := range int64(4) {
		s += f.uniform(name, n*4+i)
	}
	return (s - 2) * math.Sqrt(3)
}

// smooth wanders within [-1, 1] with a time scale of period.
func (f *Fleet) smooth(name string, t time.Time, period time.Duration) float64 {
	ns, p := t.UnixNano(), int64(period)
	n := ns / p
	x := float64(ns%p) / float64(p)
	x = (1 - math.Cos(math.Pi*x)) / 2
	return 2*(f.uniform(name, n)*(1-x)+f.uniform(name, n+1)*x) - 1
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}

func clamp(v, lo, hi float64) float64 { return math.Max(lo, math.Min(hi, v)) }
