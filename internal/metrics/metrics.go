// Package metrics keeps the program's figures and shows them in the text form
// of Prometheus (version 0.0.4), which Prometheus, VictoriaMetrics, Telegraf
// and the OpenTelemetry collector read. The library of Prometheus keeps, checks
// and writes them; here are the rules of names, the bounds, and the list.
//
// Only cmd/crinale knows this package. A package that has figures gives them
// away as plain numbers, or takes a small function to call, and the wiring
// makes names of them:
//
//	reg := metrics.New()
//	reg.Process()
//
//	// A figure that somebody else counts is asked for at each reading.
//	reg.GaugeFunc("crinale_devices", "Devices by whether they answer.", []string{"reach"}, func(emit metrics.Emit) {
//		up, down := watch.Reach()
//		emit(float64(up), "up")
//		emit(float64(down), "down")
//	})
//	reg.CounterFunc("crinale_history_rows_total", "Readings written to the history.", nil, func(emit metrics.Emit) {
//		emit(float64(history.Stats().Written))
//	})
//
//	// A figure that is told as it happens is kept here.
//	requests := reg.Histogram("crinale_web_request_seconds", "Time to answer, by class of status.", metrics.Durations, "class")
//	web.Deps{Observe: func(class string, took time.Duration) { requests.Observe(took.Seconds(), class) }}
//
//	if err := reg.Err(); err != nil { … }     // a name that breaks a rule: crinale check sees it
//	shell.Handle("GET /metrics", web.NeedsUnion(login.ReadMetrics), reg.Handler())
//
// Rules of names, which a declaration is held against: they begin with
// crinale_ (go_ and process_ are the library's own), counters end in _total, and what is measured rather than counted ends in its unit, in base
// units: _seconds, _bytes, _dbm, _ratio. A value that is not known is not
// emitted; NaN is left out.
package metrics

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crinale/crinale/internal/fault"
)

// Registry holds the figures of one program. Its methods may be called by many
// goroutines.
type Registry struct {
	own     *prometheus.Registry // what is declared here
	program *prometheus.Registry // see Process
	leftOut atomic.Uint64

	mu       sync.Mutex
	declared map[string]Described
	wrong    []error
}

// Emit gives one value of a figure, with the values of its labels in the order
// in which they were declared.
type Emit func(value float64, labels ...string)

// Described says what a figure is, for people and for documentation.
type Described struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"` // counter, gauge or histogram; summary for one of Go's own
	Labels []string `json:"labels"`
	Help   string   `json:"help"`
}

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// maxSeries bounds the values of one name, so that a label that others can
// choose cannot fill the memory. What is beyond is left out, and counted.
const maxSeries = 10_000

// leftOutName is the one figure that is always there.
const leftOutName = "crinale_metrics_left_out_total"

// New makes a registry with one figure: how many values it had to leave out.
func New() *Registry {
	r := &Registry{own: prometheus.NewRegistry(), program: prometheus.NewRegistry(), declared: map[string]Described{}}
	r.CounterFunc(leftOutName, "Values left out of the figures: wrong labels, twice the same labels, a counter below zero, too many values of one name, or a figure that could not be read.", nil,
		func(emit Emit) { emit(float64(r.leftOut.Load())) })
	return r
}

// Counter declares a figure that only grows, told by Add. The name ends in
// _total.
func (r *Registry) Counter(name, help string, labels ...string) *Counter {
	c := &Counter{f: newFamily(labels, &r.leftOut)}
	c.vec = prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, c.f.labels)
	c.f.refused = !r.declare(Described{name, counter, labels, help}, nil, c.vec)
	if len(labels) == 0 {
		c.Add(0) // is there from the beginning
	}
	return c
}

// Gauge declares a figure that is set.
func (r *Registry) Gauge(name, help string, labels ...string) *Gauge {
	g := &Gauge{f: newFamily(labels, &r.leftOut)}
	g.vec = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, g.f.labels)
	g.f.refused = !r.declare(Described{name, gauge, labels, help}, nil, g.vec)
	return g
}

// Histogram declares a distribution. bounds are the upper ends of its buckets,
// ascending, in the unit of the name; the last one, infinity, is added.
func (r *Registry) Histogram(name, help string, bounds []float64, labels ...string) *Histogram {
	h := &Histogram{f: newFamily(labels, &r.leftOut)}
	h.vec = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: slices.Clone(bounds)}, h.f.labels)
	h.f.refused = !r.declare(Described{name, histogram, labels, help}, bounds, h.vec)
	if len(labels) == 0 {
		h.at(nil) // is there from the beginning
	}
	return h
}

// CounterFunc declares a figure that only grows and is asked for at each
// reading. read must be quick and must not call the registry; it may be called
// by several readers at once. One that panics is left out, and counted.
func (r *Registry) CounterFunc(name, help string, labels []string, read func(Emit)) {
	r.asked(Described{name, counter, labels, help}, prometheus.CounterValue, read)
}

// GaugeFunc declares a figure that goes up and down and is asked for at each
// reading, as with CounterFunc.
func (r *Registry) GaugeFunc(name, help string, labels []string, read func(Emit)) {
	r.asked(Described{name, gauge, labels, help}, prometheus.GaugeValue, read)
}

func (r *Registry) asked(d Described, kind prometheus.ValueType, read func(Emit)) {
	labels := slices.Clone(d.Labels)
	r.declare(d, nil, &asked{prometheus.NewDesc(d.Name, d.Help, labels, nil), kind, len(labels), read, &r.leftOut})
}

// Err names every declaration that broke a rule; those figures are not shown.
// It is fault.Internal, since only the program itself declares.
func (r *Registry) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.wrong...)
}

// List describes all figures, by name. Of those of Process it asks the
// library, so that what is listed is what this system tells.
func (r *Registry) List() []Described {
	r.mu.Lock()
	list := slices.Collect(maps.Values(r.declared))
	r.mu.Unlock()
	program, _ := r.program.Gather() // what cannot be read has no values either
	for _, f := range program {
		d := Described{f.GetName(), strings.ToLower(f.GetType().String()), []string{}, f.GetHelp()}
		for _, l := range f.GetMetric()[0].GetLabel() { // a family is never empty
			d.Labels = append(d.Labels, l.GetName())
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Described) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// declare registers a figure, unless it breaks a rule.
func (r *Registry) declare(d Described, bounds []float64, c prometheus.Collector) bool {
	d.Labels = append([]string{}, d.Labels...)
	why := wrong(d, bounds)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, twice := r.declared[d.Name]; twice && why == "" {
		why = "it is declared twice"
	}
	if why == "" {
		if err := r.own.Register(c); err != nil {
			why = err.Error()
		}
	}
	if why != "" {
		r.wrong = append(r.wrong, fault.New(fault.Internal, "declare the figure %q: %s", d.Name, why))
		return false
	}
	r.declared[d.Name] = d
	return true
}

var (
	nameRule  = regexp.MustCompile(`^crinale(_[a-z0-9]+)+$`)
	labelRule = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
)

// wrong says which rule a declaration breaks; "" when none.
func wrong(d Described, bounds []float64) string {
	switch {
	case !nameRule.MatchString(d.Name):
		return "a name is crinale_ and words of a-z and 0-9 with _ between them"
	case strings.HasSuffix(d.Name, "_total") != (d.Type == counter):
		return "counters end in _total, and nothing else does"
	case d.Type != counter && (strings.HasSuffix(d.Name, "_bucket") || strings.HasSuffix(d.Name, "_sum") || strings.HasSuffix(d.Name, "_count")):
		return "_bucket, _sum and _count belong to histograms and are added by them"
	case strings.TrimSpace(d.Help) == "" || strings.ContainsAny(d.Help, "\r\n"):
		return "it needs a line of help"
	case d.Type == histogram && !strings.HasSuffix(d.Name, "_seconds") && !strings.HasSuffix(d.Name, "_bytes"):
		return "a histogram ends in its unit, _seconds or _bytes"
	case d.Type == histogram && (len(bounds) == 0 || !ascending(bounds)):
		return "the bounds of its buckets must ascend, and there must be one"
	}
	seen := map[string]bool{}
	for _, l := range d.Labels {
		if !labelRule.MatchString(l) || l == "le" || seen[l] {
			return fmt.Sprintf("label %q: a label has words of a-z and 0-9 with _ between them, is not le, and is there once", l)
		}
		seen[l] = true
	}
	return ""
}

func ascending(bounds []float64) bool {
	for i, b := range bounds {
		if b != b || i > 0 && !(b > bounds[i-1]) {
			return false
		}
	}
	return true
}
