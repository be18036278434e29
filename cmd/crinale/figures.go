package main

import (
	"runtime"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/metrics"
	"github.com/crinale/crinale/internal/network"
)

// wireFigures names the figures of all parts for Prometheus. Each is asked for
// when somebody reads them.
func (s *server) wireFigures() {
	s.metrics = metrics.New()
	s.metrics.Process()
	s.metrics.GaugeFunc("crinale_build_info", "Always 1; the labels tell which program this is.", []string{"version", "go"}, func(emit metrics.Emit) {
		emit(1, version, runtime.Version())
	})
	s.networkFigures()
	s.sinkFigures()
	s.peopleFigures()
}

func (s *server) networkFigures() {
	s.metrics.GaugeFunc("crinale_devices", "Devices by whether they answer.", []string{"reach"}, func(emit metrics.Emit) {
		n := map[controller.Reach]int{controller.ReachUp: 0, controller.ReachUnreachable: 0, controller.ReachUnknown: 0, controller.ReachPlanned: 0}
		for _, d := range s.control.Devices() {
			n[d.Reach]++
		}
		for reach, count := range n {
			emit(float64(count), string(reach))
		}
	})
	s.metrics.GaugeFunc("crinale_links", "Links by their state.", []string{"status"}, func(emit metrics.Emit) {
		n := map[network.LinkStatus]int{network.StatusUp: 0, network.StatusDegraded: 0, network.StatusDown: 0, network.StatusUnknown: 0}
		for _, l := range s.control.Links() {
			n[l.Status]++
		}
		for status, count := range n {
			emit(float64(count), string(status))
		}
	})
	s.metrics.GaugeFunc("crinale_alerts_open", "Open alerts by how much they matter.", []string{"severity"}, func(emit metrics.Emit) {
		n := map[controller.Severity]int{controller.Critical: 0, controller.Warning: 0, controller.Notice: 0}
		for _, a := range s.control.Alerts(true) {
			n[a.Severity]++
		}
		for severity, count := range n {
			emit(float64(count), string(severity))
		}
	})
}

func (s *server) sinkFigures() {
	s.metrics.GaugeFunc("crinale_history_waiting", "Readings that wait to be written to the history.", nil, func(emit metrics.Emit) {
		emit(float64(s.history.Stats().Waiting))
	})
	s.metrics.CounterFunc("crinale_history_readings_total", "Readings by what became of them in the history.", []string{"result"}, func(emit metrics.Emit) {
		h := s.history.Stats()
		emit(float64(h.Written), "written")
		emit(float64(h.Dropped), "dropped")
		emit(float64(h.Refused), "refused")
		emit(float64(h.Failed), "failed")
	})
	if s.influx != nil {
		s.metrics.GaugeFunc("crinale_influx_waiting", "Readings that wait to be sent to InfluxDB.", nil, func(emit metrics.Emit) {
			emit(float64(s.influx.Stats().Waiting))
		})
		s.metrics.CounterFunc("crinale_influx_readings_total", "Readings by what became of them on the way to InfluxDB.", []string{"result"}, func(emit metrics.Emit) {
			x := s.influx.Stats()
			emit(float64(x.Written), "written")
			emit(float64(x.Dropped), "dropped")
			emit(float64(x.Rejected), "rejected")
		})
	}
	s.metrics.CounterFunc("crinale_feed_dropped_total", "Samples for partners that were dropped because the broker was too slow.", nil, func(emit metrics.Emit) {
		emit(float64(s.feed.Dropped()))
	})
	if s.spine == nil {
		return
	}
	s.metrics.GaugeFunc("crinale_mqtt_connections", "Connections to the embedded broker.", []string{"state"}, func(emit metrics.Emit) {
		f := s.spine.Figures()
		emit(float64(f.Open), "open")
		emit(float64(f.Waiting), "waiting")
	})
	s.metrics.CounterFunc("crinale_mqtt_connections_total", "Connections to the embedded broker by what became of them.", []string{"result"}, func(emit metrics.Emit) {
		f := s.spine.Figures()
		emit(float64(f.Accepted), "accepted")
		emit(float64(f.Refused), "refused")
		emit(float64(f.Slow), "slow")
	})
	s.metrics.GaugeFunc("crinale_mqtt_stored_bytes", "Disk that messages of the embedded broker take.", nil, func(emit metrics.Emit) {
		emit(float64(s.spine.Figures().Bytes))
	})
}

func (s *server) peopleFigures() {
	if s.people == nil {
		return
	}
	s.metrics.CounterFunc("crinale_sign_ins_total", "Tries to sign in by what became of them.", []string{"result"}, func(emit metrics.Emit) {
		f := s.people.Figures()
		emit(float64(f.OK), "ok")
		emit(float64(f.Refused), "refused")
		emit(float64(f.Slowed), "slowed")
	})
	s.metrics.CounterFunc("crinale_password_hashes_total", "Passwords that were hashed.", nil, func(emit metrics.Emit) {
		emit(float64(s.people.Figures().Hashes))
	})
}
