package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/metrics"
)

// figures are what Prometheus may read of an edge.
func (s *edgeServer) figures() *metrics.Registry {
	r := metrics.New()
	r.Process()
	r.GaugeFunc("crinale_edge_mode", "1 for the mode the edge is in.", []string{"mode"}, func(emit metrics.Emit) {
		now := s.watch.Stand().Mode
		for _, m := range []edge.Mode{edge.ModeOnline, edge.ModeDegraded, edge.ModeOffline, edge.ModeDraining} {
			emit(map[bool]float64{true: 1}[m == now], m.String())
		}
	})
	if s.channel != nil {
		r.GaugeFunc("crinale_edge_controller_heard", "1 while the controller is heard and all its orders are obeyed.", nil, func(emit metrics.Emit) {
			emit(map[bool]float64{true: 1}[s.channel.State().Heard])
		})
		r.GaugeFunc("crinale_edge_orders_obeyed", "Number of the last order of the controller that was obeyed.", nil, func(emit metrics.Emit) {
			emit(float64(s.channel.State().Obeyed))
		})
	}
	if s.secure() {
		r.GaugeFunc("crinale_edge_certificate_ends_seconds", "When the certificate of a name ends, Unix time; 0: there is none yet.", []string{"host"}, func(emit metrics.Emit) {
			for _, host := range s.names() {
				at := float64(0)
				if c := s.certificate(host); c != nil {
					at = float64(c.Leaf.NotAfter.Unix())
				}
				emit(at, host)
			}
		})
	}
	r.CounterFunc("crinale_edge_requests_total", "Requests of a service, by whether its origin was asked.", []string{"service", "from"}, func(emit metrics.Emit) {
		for _, v := range s.policy.Services {
			t := s.proxy.Tally(v.Host)
			emit(float64(t.Hits), v.Host, "store")
			emit(float64(t.Requests-t.Hits), v.Host, "origin")
		}
	})
	r.CounterFunc("crinale_edge_body_bytes_total", "Bytes of bodies of a service, by where they came from.", []string{"service", "from"}, func(emit metrics.Emit) {
		for _, v := range s.policy.Services {
			t := s.proxy.Tally(v.Host)
			emit(float64(t.Given), v.Host, "store")
			emit(float64(t.Fetched), v.Host, "origin")
		}
	})
	r.GaugeFunc("crinale_edge_stored_bytes", "Disk that saved answers take.", nil, func(emit metrics.Emit) { emit(float64(s.store.Stats().Disk)) })
	r.GaugeFunc("crinale_edge_stored_answers", "Saved answers.", nil, func(emit metrics.Emit) { emit(float64(s.store.Stats().Objects)) })
	r.CounterFunc("crinale_edge_store_faults_total", "Faults of the disk or the index, and damaged pieces found.", []string{"kind"}, func(emit metrics.Emit) {
		st := s.store.Stats()
		emit(float64(st.Write+st.Index), "disk")
		emit(float64(st.Damaged+st.ScrubBad), "damaged")
	})
	r.GaugeFunc("crinale_edge_writes", "Writes that were kept while the link was down, by their state.", []string{"state"}, func(emit metrics.Emit) {
		st, err := s.queue.Stats()
		if err != nil {
			return // not open yet, or not any more
		}
		for state, n := range st.States {
			emit(float64(n), string(state))
		}
	})
	r.GaugeFunc("crinale_edge_second_way_bytes", "Bytes over the second way this month.", nil, func(emit metrics.Emit) { emit(float64(s.ways.Spent())) })
	r.GaugeFunc("crinale_edge_archive_documents", "Documents in the newest copy of an archive.", []string{"archive"}, func(emit metrics.Emit) {
		for i, m := range s.mirrors {
			emit(float64(m.Last().Documents), s.policy.Reader.Archives[i].Name)
		}
	})
	r.GaugeFunc("crinale_edge_archive_changed_seconds", "When the newest copy of an archive was taken, Unix time; 0: never.", []string{"archive"}, func(emit metrics.Emit) {
		for i, m := range s.mirrors {
			at := float64(0)
			if l := m.Last(); !l.At.IsZero() {
				at = float64(l.At.Unix())
			}
			emit(at, s.policy.Reader.Archives[i].Name)
		}
	})
	return r
}

// names are those that the edge answers for.
func (s *edgeServer) names() []string {
	var out []string
	for _, v := range s.policy.Services {
		out = append(out, v.Host)
	}
	if s.policy.Reader != nil {
		out = append(out, s.policy.Reader.Host)
	}
	if s.policy.Status != "" {
		out = append(out, s.policy.Status)
	}
	return out
}

// serveFigures gives them to this machine alone.
func (s *edgeServer) serveFigures(ctx context.Context) error {
	host, _, err := net.SplitHostPort(s.figuresAt)
	if err != nil || !loopback(host) {
		return usage("--metrics %q: write an address of this machine, such as 127.0.0.1:9109", s.figuresAt)
	}
	r := s.figures()
	if err := r.Err(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.figuresAt)
	if err != nil {
		return fault.New(fault.Refused, "listen at %s: %w", s.figuresAt, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", r.Handler())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return serveUntil(ctx, srv, func() error { return srv.Serve(l) }, time.Second)
}
