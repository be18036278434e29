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
	s.metrics.Process()
	s.metrics.GaugeFunc("crinale_build_info", "Always 1; the labels tell which program this is.", []string{"version", "go"}, func(emit metrics.Emit) {
		emit(1, version, runtime.Version())
	})
	s.networkFigures()
	s.sinkFigures()
	s.peopleFigures()
	s.changeFigures()
	s.messageFigures()
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
	s.historyFigures()
	s.feedFigures()
	s.brokerFigures()
}

func (s *server) historyFigures() {
	s.metrics.GaugeFunc("crinale_history_waiting", "Readings that wait to be written to the history.", nil, func(emit metrics.Emit) {
		emit(float64(s.history.Stats().Waiting))
	})
	s.metrics.CounterFunc("crinale_history_readings_total", "Readings by what became of them in the history.", []string{"result"}, func(emit metrics.Emit) {
		h := s.history.Stats()
		emit(float64(h.Written), "written")
		emit(float64(h.Dropped), "dropped")
		emit(float64(h.Refused), "refused")
	})
	s.metrics.CounterFunc("crinale_history_failed_writes_total", "Writes of the history that did not work; their readings wait for the next.", nil, func(emit metrics.Emit) {
		emit(float64(s.history.Stats().Failed))
	})
	s.metrics.GaugeFunc("crinale_history_disk_bytes", "Disk that the history takes: in use, or moved aside because it was damaged.", []string{"state"}, func(emit metrics.Emit) {
		if d, err := s.history.Disk(); err == nil { // else it is not known
			emit(float64(d.Bytes), "used")
			emit(float64(d.Damaged), "damaged")
		}
	})
	if s.influx == nil {
		return
	}
	s.metrics.GaugeFunc("crinale_influx_waiting", "Readings that wait to be sent to InfluxDB.", nil, func(emit metrics.Emit) {
		emit(float64(s.influx.Stats().Waiting))
	})
	s.metrics.CounterFunc("crinale_influx_readings_total", "Readings by what became of them on the way to InfluxDB.", []string{"result"}, func(emit metrics.Emit) {
		x := s.influx.Stats()
		emit(float64(x.Written), "written")
		emit(float64(x.Dropped), "dropped")
		emit(float64(x.Rejected), "rejected")
	})
	s.metrics.CounterFunc("crinale_influx_failed_requests_total", "Requests to InfluxDB that did not work; their readings wait for the next.", nil, func(emit metrics.Emit) {
		emit(float64(s.influx.Stats().Failed))
	})
}

func (s *server) feedFigures() {
	s.metrics.GaugeFunc("crinale_feed_connected", "1 while the feed is connected to its broker, 0 while it is not.", nil, func(emit metrics.Emit) {
		if s.feed.Figures().Connected {
			emit(1)
		} else {
			emit(0)
		}
	})
	s.metrics.GaugeFunc("crinale_feed_topics", "Retained topics of the feed: links, alerts, sites and its status.", nil, func(emit metrics.Emit) {
		emit(float64(s.feed.Figures().Retained))
	})
	s.metrics.GaugeFunc("crinale_feed_waiting", "Messages of the feed that wait for the broker, or for its acknowledgement.", []string{"kind"}, func(emit metrics.Emit) {
		f := s.feed.Figures()
		emit(float64(f.Waiting+f.Flying), "retained")
		emit(float64(f.Queued), "sample")
	})
	s.metrics.CounterFunc("crinale_feed_messages_total", "Messages of the feed by what became of them; samples ask for no acknowledgement.", []string{"kind", "result"}, func(emit metrics.Emit) {
		f := s.feed.Figures()
		emit(float64(f.Published), "retained", "acknowledged")
		emit(float64(f.Again), "retained", "unacknowledged")
		emit(float64(f.Samples), "sample", "sent")
		emit(float64(f.Dropped), "sample", "dropped")
	})
	s.metrics.CounterFunc("crinale_feed_missed_total", "News of the controller that the feed was too slow to take.", nil, func(emit metrics.Emit) {
		emit(float64(s.feed.Figures().Missed))
	})
}

func (s *server) brokerFigures() {
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
	s.metrics.CounterFunc("crinale_mqtt_sessions_dropped_total", "Sessions of the embedded broker that were dropped: of partners that are gone, or too many of one.", nil, func(emit metrics.Emit) {
		emit(float64(s.spine.Figures().Swept))
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

func (s *server) changeFigures() {
	if s.changes == nil {
		return
	}
	s.metrics.GaugeFunc("crinale_changes_under_way", "Changes of devices that have not ended yet.", nil, func(emit metrics.Emit) {
		emit(float64(s.changes.Figures().UnderWay))
	})
	s.metrics.GaugeFunc("crinale_devices_drifted", "Devices that were changed by hand, as of the last look at their settings.", nil, func(emit metrics.Emit) {
		emit(float64(s.changes.Figures().Drifted))
	})
	s.metrics.CounterFunc("crinale_changes_total", "Changes of devices by how they ended.", []string{"state"}, func(emit metrics.Emit) {
		f := s.changes.Figures()
		for _, state := range []controller.ChangeState{controller.ChangeConfirmed, controller.ChangeUndone, controller.ChangeFellBack, controller.ChangeFailed} {
			emit(float64(f.Ended[state]), string(state))
		}
	})
}
