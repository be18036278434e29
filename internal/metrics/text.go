package metrics

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/crinale/crinale/internal/fault"
)

// ContentType is that of the text form.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Process declares what every program has, as the library of Prometheus names
// it and ready-made dashboards look for it: memory, processor time, open files,
// goroutines. What the system does not tell (outside Linux: some of process_)
// is not there.
func (r *Registry) Process() {
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := r.program.Register(c); err != nil {
			r.mu.Lock()
			r.wrong = append(r.wrong, fault.New(fault.Internal, "declare the figures of the process: %w", err))
			r.mu.Unlock()
		}
	}
}

// Handler shows all figures in the text form. It asks for no rights: who may
// read is a matter of where it is mounted.
func (r *Registry) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body := r.Text()
		w.Header().Set("Content-Type", ContentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // a reader that went away is told nothing
	})
}

// Text is what Handler shows: per figure its help, its type, and a line for
// each value.
func (r *Registry) Text() []byte {
	all, err := prometheus.Gatherers{r.own, r.program}.Gather()
	if err != nil { // all but the figures that it names are there
		r.leftOut.Add(1)
	}
	var b bytes.Buffer
	for _, f := range all {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			r.leftOut.Add(1)
		}
	}
	return b.Bytes()
}
