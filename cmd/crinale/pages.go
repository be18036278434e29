package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/crinale/crinale/controller/history"
	ctlpage "github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/metrics"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/planning/export"
	plnpage "github.com/crinale/crinale/planning/page"
)

// wirePages makes the shell and mounts every page on it.
func (s *server) wirePages(w world) error {
	wc := web.Default()
	wc.Addr, wc.Hosts, wc.Demo = s.cfg.HTTP.Listen, s.cfg.HTTP.Hosts, w.simulated
	wc.CertFile, wc.KeyFile, wc.Forwarded = s.cfg.HTTP.CertFile, s.cfg.HTTP.KeyFile, s.cfg.HTTP.Forwarded
	answers := s.metrics.Histogram("crinale_web_answer_seconds", "Time to answer a request, by class of status; event streams are left out.", metrics.Durations, "class")
	wd := web.Deps{Log: s.log, Health: s.health, Observe: func(class string, took time.Duration) { answers.Observe(took.Seconds(), class) }}
	if s.people != nil {
		wd.People, wd.Audit = s.people, s.audit
	}
	var err error
	if s.web, err = web.New(wc, wd); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	s.coverage = newCoverage(w, s.log)
	if err := s.wirePlanningPages(w); err != nil {
		return err
	}
	pc := ctlpage.Default()
	pc.Tiles, pc.Credit = plnpage.ReliefTiles, w.terrain.Source().Source
	pc.Native = plnpage.NativeZoom(w.terrain.Source().CellM)
	pc.Rules = s.rules
	pd := ctlpage.Deps{
		Shell: s.web, Network: w.network, Union: w.union,
		Links: s.control, Devices: s.control, Alerts: s.control, Changes: s.control,
		History: historyView{s.history}, Profile: w.profile, Log: s.log,
	}
	if s.changes != nil {
		pd.Changer, pd.Partners = s.changes, partnerVerbs{s.partners, s.spine != nil}
		pd.Edges = s.edges
	}
	pages, err := ctlpage.New(pc, pd)
	if err != nil {
		return err
	}
	return pages.Mount()
}

func (s *server) wirePlanningPages(w world) error {
	pc := plnpage.Default()
	for _, c := range export.Classes() {
		pc.Classes = append(pc.Classes, plnpage.Class{ID: c.ID, Colour: fmt.Sprintf("#%02x%02x%02x", c.Colour.R, c.Colour.G, c.Colour.B)})
	}
	pages, err := plnpage.New(pc, plnpage.Deps{
		Shell: s.web, Union: w.union, Terrain: w.terrain.Source(), Plan: s.coverage, Log: s.log,
		Relief: func(z, x, y int) ([]byte, error) {
			var b bytes.Buffer
			err := export.HillshadeTile(&b, w.terrain, z, x, y)
			return b.Bytes(), err
		},
		Coverage: func(z, x, y int) ([]byte, error) {
			grid, _, ok, err := s.coverage.Planned()
			switch {
			case err != nil:
				return nil, err
			case !ok:
				return nil, fault.New(fault.Stale, "coverage is still being planned")
			}
			var b bytes.Buffer
			err = export.CoverageTile(&b, grid, z, x, y)
			return b.Bytes(), err
		},
	})
	if err != nil {
		return err
	}
	return pages.Mount()
}

// health says what is wrong with the server, for /healthz.
func (s *server) health(context.Context) error {
	return s.feed.Err()
}

// mqttURL is where partners connect.
func (s *server) mqttURL() string {
	if s.spine == nil {
		return s.cfg.MQTT.Broker
	}
	return "tcp://" + s.spine.MQTTAddr()
}

func hostPort(url string) (host, port string) {
	if len(url) > len("tcp://") {
		host, port, _ = net.SplitHostPort(url[len("tcp://"):])
	}
	return host, port
}

// historyView gives pages the means of the history's points as readings.
type historyView struct{ h *history.History }

func (v historyView) Range(ctx context.Context, link network.LinkID, end network.End, from, to time.Time, step time.Duration) ([]network.Reading, error) {
	ps, err := v.h.Range(ctx, link, end, from, to, step)
	if err != nil {
		return nil, err
	}
	rs := make([]network.Reading, len(ps))
	for i, p := range ps {
		rs[i] = network.Reading{Link: link, End: end, At: p.At, Connected: p.Up > 0}
		var vals [12]*float64
		for k, m := range p.Mean {
			vals[k] = unit.Opt[float64](m).Ptr()
		}
		rs[i].SetValues(vals)
	}
	return rs, nil
}
