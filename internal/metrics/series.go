package metrics

import (
	"math"
	"slices"
	"strings"
	"sync"
)

// Durations are bounds, in seconds, that suit answers over a network and
// rounds over many devices.
var Durations = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// value is one line of a figure, or one distribution.
type value struct {
	labels []string

	mu      sync.Mutex
	v       float64  // the value; the sum of a histogram
	buckets []uint64 // of a histogram, each for itself; the last is above all bounds
}

// Counter is a figure that only grows.
type Counter struct{ f *family }

// Add adds by, which must not be below zero. labels are the values of the
// labels as declared. Adding 0 makes a value visible before it is first met.
func (c *Counter) Add(by float64, labels ...string) {
	if !(by >= 0) || math.IsInf(by, 1) {
		c.f.left.Add(1)
		return
	}
	if v := c.f.at(labels); v != nil {
		v.mu.Lock()
		v.v += by
		v.mu.Unlock()
	}
}

// Gauge is a figure that is set.
type Gauge struct{ f *family }

// Set sets the value of these labels. NaN means unknown: it is not shown.
func (g *Gauge) Set(to float64, labels ...string) {
	if v := g.f.at(labels); v != nil {
		v.mu.Lock()
		v.v = to
		v.mu.Unlock()
	}
}

// Histogram is a distribution.
type Histogram struct{ f *family }

// Observe counts one measured value, in the unit of the name. NaN is left out.
func (h *Histogram) Observe(x float64, labels ...string) {
	if math.IsNaN(x) {
		h.f.left.Add(1)
		return
	}
	if v := h.f.at(labels); v != nil {
		i, _ := slices.BinarySearch(h.f.bounds, x) // the first bound that is not below x
		v.mu.Lock()
		v.v += x
		v.buckets[i]++
		v.mu.Unlock()
	}
}

// at gives the value with these labels, made when it is new; nil when the
// labels do not fit or there are too many.
func (f *family) at(labels []string) *value {
	if len(labels) != len(f.Labels) {
		f.left.Add(1)
		return nil
	}
	key := key(labels)
	f.mu.RLock()
	v := f.series[key]
	f.mu.RUnlock()
	if v != nil {
		return v
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if v = f.series[key]; v != nil {
		return v
	}
	if len(f.series) >= maxSeries {
		f.left.Add(1)
		return nil
	}
	v = &value{labels: slices.Clone(labels)}
	if f.Type == histogram {
		v.buckets = make([]uint64, len(f.bounds)+1)
	}
	f.series[key] = v
	return v
}

// key tells sets of label values apart: 0xff is in no UTF-8 text, and what is
// not UTF-8 is shown, and so must be told apart, as if it were.
func key(labels []string) string {
	if len(labels) == 1 {
		return strings.ToValidUTF8(labels[0], "\uFFFD")
	}
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(strings.ToValidUTF8(l, "\uFFFD"))
		b.WriteByte(0xff)
	}
	return b.String()
}

// shot is a value as it was at a reading.
type shot struct {
	labels  []string
	v       float64
	buckets []uint64
}

// shots gives all values of the family, in the order of their labels.
func (f *family) shots() []shot {
	var list []shot
	if f.read != nil {
		seen := map[string]bool{}
		f.read(func(v float64, labels ...string) {
			k := key(labels)
			switch {
			case math.IsNaN(v):
				return
			case len(labels) != len(f.Labels), seen[k], len(seen) >= maxSeries, f.Type == counter && v < 0:
				f.left.Add(1)
				return
			}
			seen[k] = true
			list = append(list, shot{labels: slices.Clone(labels), v: v})
		})
	} else {
		f.mu.RLock()
		for _, v := range f.series {
			v.mu.Lock()
			if !math.IsNaN(v.v) {
				list = append(list, shot{v.labels, v.v, slices.Clone(v.buckets)})
			}
			v.mu.Unlock()
		}
		f.mu.RUnlock()
	}
	slices.SortFunc(list, func(a, b shot) int { return slices.Compare(a.labels, b.labels) })
	return list
}
