package page

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

func (p *Pages) mountAPI() error {
	fragment, err := files.ReadFile("api.json")
	if err != nil {
		return err
	}
	routes := map[string]web.Route{}
	for pattern, h := range map[string]http.Handler{
		"GET /api/v1/links":               p.shell.Taking(p.apiLinks, web.Paged()...),
		"GET /api/v1/links/{id}":          p.shell.Taking(p.apiLink),
		"GET /api/v1/links/{id}/readings": p.shell.Taking(p.apiReadings, "from", "to", "step"),
		"GET /api/v1/alerts":              p.shell.Taking(p.apiAlerts, web.Paged("open")...),
		"GET /api/v1/devices":             p.shell.Taking(p.apiDevices, web.Paged()...),
		"GET /api/v1/plans":               p.shell.Taking(p.apiPlans, web.Paged()...),
		"GET /api/v1/sites":               p.shell.Taking(p.apiSites, web.Paged()...),
	} {
		routes[pattern] = web.Route{Access: web.Needs(login.ReadNetwork), Handler: h}
	}
	return p.shell.API(fragment, routes)
}

func (p *Pages) apiLinks(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	states, next, err := web.Page(w, r, t.linkStates(), func(s network.LinkState) string { return string(s.Link) })
	if err != nil {
		return err
	}
	links := []Link{}
	for _, s := range states {
		if l, ok := t.net.Link(s.Link); ok {
			links = append(links, t.apiLinkOf(l, s))
		}
	}
	return web.JSON(w, r, map[string]any{"links": links, "next": next})
}

func (p *Pages) apiLink(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	l, s, err := t.find(r)
	if err != nil {
		return err
	}
	return web.JSON(w, r, t.apiLinkOf(l, s))
}

func (v sight) apiLinkOf(l network.Link, s network.LinkState) Link {
	plan := v.deps.Links.Planned(l.ID)
	out := Link{
		ID: l.ID, Name: nameOf(l), Medium: l.Medium, Partners: orEmpty(l.Partner), Status: s.Status,
		Since: known(s.Since), At: known(s.At), AgeS: v.age(s.At), CapacityMbps: s.Capacity.Ptr(), PromisedMbps: float64(v.promise(l)),
		A:      v.apiEnd(l.A, plan.A.Ptr(), s.A),
		B:      v.apiEnd(l.B, plan.B.Ptr(), s.B),
		Alerts: orEmpty(s.Alerts),
	}
	if a, b, ok := v.ends(l); ok {
		d := float64(a.Distance(b))
		out.DistM = &d
	}
	return out
}

func (v sight) apiEnd(id network.DeviceID, planned *float64, r *network.Reading) LinkEnd {
	e := LinkEnd{Device: id, PlannedDBm: planned}
	if id != "" {
		e.Place = v.place(id)
	}
	if at, _, ok := v.net.Position(id); ok {
		e.Lat, e.Lon = &at.Lat, &at.Lon
	}
	if r != nil {
		reading := apiReading(*r)
		e.Reading = &reading
	}
	return e
}

func apiReading(r network.Reading) Reading {
	return Reading{
		At: r.At.UTC(), SignalDBm: r.Signal.Ptr(), Chain0DBm: r.Chain0.Ptr(), Chain1DBm: r.Chain1.Ptr(), SNRDB: r.SNR.Ptr(), NoiseDBm: r.Noise.Ptr(),
		TxRateMbps: r.TxRate.Ptr(), RxRateMbps: r.RxRate.Ptr(), CCQPct: r.CCQ.Ptr(), TxMbps: r.TxTraffic.Ptr(), RxMbps: r.RxTraffic.Ptr(),
		EthernetMbps: r.Ethernet.Ptr(), UptimeS: r.Uptime.Ptr(),
	}
}

func (p *Pages) apiReadings(w http.ResponseWriter, r *http.Request) error {
	l, _, err := p.of(r).find(r)
	if err != nil {
		return err
	}
	if p.deps.History == nil {
		return fault.New(fault.NotFound, "this server keeps no history")
	}
	q := r.URL.Query()
	to, err := moment(q.Get("to"), "to", p.shell.Now())
	if err != nil {
		return err
	}
	from, err := moment(q.Get("from"), "from", to.Add(-time.Hour))
	if err != nil {
		return err
	}
	if !from.Before(to) {
		return fault.New(fault.Invalid, "from %s is not before to %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	if from.Before(to.AddDate(-maxYears, 0, 0)) {
		return fault.New(fault.Invalid, "from %s to %s is more than %d years: ask for a shorter time", from.Format(time.RFC3339), to.Format(time.RFC3339), maxYears)
	}
	step, err := stepOf(q.Get("step"), to.Sub(from))
	if err != nil {
		return err
	}
	out := Readings{Link: l.ID, From: from, To: to, StepS: step.Seconds(), A: []Reading{}, B: []Reading{}}
	for end, into := range map[network.End]*[]Reading{network.EndA: &out.A, network.EndB: &out.B} {
		rs, err := p.deps.History.Range(r.Context(), l.ID, end, from, to, step)
		if err != nil {
			return err
		}
		for _, reading := range rs {
			*into = append(*into, apiReading(reading))
		}
	}
	return web.JSON(w, r, out)
}

func (p *Pages) apiAlerts(w http.ResponseWriter, r *http.Request) error {
	open := true
	switch v := r.URL.Query().Get("open"); v {
	case "", "true", "1":
	case "false", "0":
		open = false
	default:
		return fault.New(fault.Invalid, "open=%q: want true (only open alerts) or false (the recently closed ones too)", v)
	}
	alerts, next, err := web.Page(w, r, p.of(r).alertList(open), func(a controller.Alert) string {
		return newest(a.Opened) + a.ID
	})
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"alerts": alerts, "next": next})
}

func (p *Pages) apiDevices(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	states, next, err := web.Page(w, r, t.deviceStates(), func(s controller.DeviceState) string { return string(s.Device) })
	if err != nil {
		return err
	}
	devices := []Device{}
	for _, s := range states {
		d, ok := t.net.Device(s.Device)
		if !ok {
			continue
		}
		out := Device{
			ID: d.ID, Site: text(string(d.Site)), Seat: text(string(d.Seat)), Place: t.place(d.ID), Gear: d.Gear, Reach: s.Reach,
			Since: known(s.Since), At: known(s.At), AgeS: p.age(s.At), FailedReads: s.Failures, Error: text(s.Err),
			Links: []network.LinkID{}, Alerts: orEmpty(s.Alerts), Warnings: []string{},
		}
		if o := s.Observation; o != nil {
			out.Identity, out.Version, out.Board = text(o.Identity), text(o.Version), text(o.Board)
			out.UptimeS, out.CPUPct, out.SupplyV, out.TemperatureC = o.Uptime.Ptr(), o.CPU.Ptr(), o.Voltage.Ptr(), o.Celsius.Ptr()
			out.Warnings = orEmpty(o.Warnings)
		}
		for _, l := range t.net.LinksAt(d.ID) {
			out.Links = append(out.Links, l.ID)
		}
		devices = append(devices, out)
	}
	return web.JSON(w, r, map[string]any{"devices": devices, "next": next})
}

func (p *Pages) apiSites(w http.ResponseWriter, r *http.Request) error {
	n := p.of(r).net
	page, next, err := web.Page(w, r, n.Sites, func(s network.Site) string { return string(s.ID) })
	if err != nil {
		return err
	}
	sites := []Site{}
	for _, s := range page {
		out := Site{
			ID: s.ID, Name: s.Name, Lat: s.At.Lat, Lon: s.At.Lon, Comune: text(s.Comune), Structure: s.Structure,
			HeightM: float64(s.HeightM), BatteryH: s.Power.BatteryHours, Devices: []network.DeviceID{},
		}
		for _, d := range n.Devices {
			if d.Site == s.ID {
				out.Devices = append(out.Devices, d.ID)
			}
		}
		sites = append(sites, out)
	}
	return web.JSON(w, r, map[string]any{"sites": sites, "next": next})
}

// newest is a key that orders the newest first.
func newest(at time.Time) string { return fmt.Sprintf("%019d-", math.MaxInt64-at.UnixMilli()) }

// known is nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (p *Pages) age(at time.Time) *float64 {
	if at.IsZero() {
		return nil
	}
	s := max(0, p.shell.Now().Sub(at).Round(100*time.Millisecond).Seconds())
	return &s
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
