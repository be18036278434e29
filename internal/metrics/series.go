package metrics

import (
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Durations are bounds, in seconds, that suit answers over a network and
// rounds over many devices.
var Durations = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// Counter is a figure that only grows.
type Counter struct {
	f   *family
	vec *prometheus.CounterVec
}

// Add adds by, which must not be below zero. labels are the values of the
// labels as declared. Adding 0 makes a value visible before it is first met.
func (c *Counter) Add(by float64, labels ...string) {
	if !(by >= 0) || math.IsInf(by, 1) {
		c.f.left.Add(1)
		return
	}
	if values, ok := c.f.admit(labels); ok {
		c.vec.WithLabelValues(values...).Add(by)
	}
}

// Gauge is a figure that is set.
type Gauge struct {
	f   *family
	vec *prometheus.GaugeVec
	set sync.Mutex // one value at a time: a value may come and go
}

// Set sets the value of these labels. NaN means unknown: it is not shown.
func (g *Gauge) Set(to float64, labels ...string) {
	g.set.Lock()
	defer g.set.Unlock()
	if math.IsNaN(to) {
		if values, ok := g.f.dismiss(labels); ok {
			g.vec.DeleteLabelValues(values...)
		}
		return
	}
	if values, ok := g.f.admit(labels); ok {
		g.vec.WithLabelValues(values...).Set(to)
	}
}

// Histogram is a distribution.
type Histogram struct {
	f   *family
	vec *prometheus.HistogramVec
}

// Observe counts one measured value, in the unit of the name. NaN is left out.
func (h *Histogram) Observe(x float64, labels ...string) {
	if math.IsNaN(x) {
		h.f.left.Add(1)
		return
	}
	if o := h.at(labels); o != nil {
		o.Observe(x)
	}
}

func (h *Histogram) at(labels []string) prometheus.Observer {
	values, ok := h.f.admit(labels)
	if !ok {
		return nil
	}
	return h.vec.WithLabelValues(values...)
}

// family bounds the values of one name. The library would panic where labels
// do not fit, and take any number of them.
type family struct {
	labels  []string
	left    *atomic.Uint64
	refused bool // the declaration broke a rule: values go nowhere

	mu   sync.RWMutex
	seen map[string]bool
}

func newFamily(labels []string, left *atomic.Uint64) *family {
	return &family{labels: slices.Clone(labels), left: left, seen: map[string]bool{}}
}

// fit says whether the labels are as declared.
func (f *family) fit(labels []string) bool {
	if len(labels) != len(f.labels) {
		f.left.Add(1)
		return false
	}
	return !f.refused
}

// admit gives the labels as they are shown, or says that there is no place for
// them.
func (f *family) admit(labels []string) (values []string, ok bool) {
	if !f.fit(labels) {
		return nil, false
	}
	values = shown(labels)
	k := key(values)
	f.mu.RLock()
	ok = f.seen[k]
	f.mu.RUnlock()
	if ok {
		return values, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.seen[k] && len(f.seen) >= maxSeries {
		f.left.Add(1)
		return nil, false
	}
	f.seen[k] = true
	return values, true
}

// dismiss makes room again.
func (f *family) dismiss(labels []string) (values []string, ok bool) {
	if !f.fit(labels) {
		return nil, false
	}
	values = shown(labels)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, key(values))
	return values, true
}

// shown are label values as text: what is not UTF-8 would be refused.
func shown(labels []string) []string {
	values := make([]string, len(labels))
	for i, l := range labels {
		values[i] = strings.ToValidUTF8(l, "\uFFFD")
	}
	return values
}

// key tells sets of label values apart: 0xff is in no UTF-8 text.
func key(values []string) string { return strings.Join(values, "\xff") }

// asked is a figure that somebody else counts.
type asked struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	labels int
	read   func(Emit)
	left   *atomic.Uint64
}

var _ prometheus.Collector = (*asked)(nil)

// Describe tells the library what to expect.
func (a *asked) Describe(to chan<- *prometheus.Desc) { to <- a.desc }

// Collect asks for the values. What the library would refuse, with the whole
// figure, is left out one by one.
func (a *asked) Collect(to chan<- prometheus.Metric) {
	seen := map[string]bool{}
	a.read(func(v float64, labels ...string) {
		values := shown(labels)
		k := key(values)
		switch {
		case math.IsNaN(v):
			return
		case len(values) != a.labels, seen[k], len(seen) >= maxSeries, a.kind == prometheus.CounterValue && v < 0:
			a.left.Add(1)
			return
		}
		seen[k] = true
		to <- prometheus.MustNewConstMetric(a.desc, a.kind, v, values...) // the labels fit, see above
	})
}
