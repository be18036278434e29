package page

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
)

// find is the link of a request. One out of sight is answered as one that
// does not exist.
func (s sight) find(r *http.Request) (network.Link, network.LinkState, error) {
	id := network.LinkID(r.PathValue("id"))
	l, ok := s.net.Link(id)
	state, known := s.deps.Links.Link(id)
	if !ok || !known {
		return l, state, fault.New(fault.NotFound, "no link named %q in the network files", id)
	}
	return l, state, nil
}

// hoursShown are the windows that the page of a link offers.
var hoursShown = []int{1, 6, 24}

// link is /rete/collegamenti/{id}.
func (p *Pages) link(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	l, s, err := t.find(r)
	if err != nil {
		return err
	}
	hours := 0 // the usual window
	if v := r.URL.Query().Get("ore"); v != "" {
		if hours, err = strconv.Atoi(v); err != nil || !slices.Contains(hoursShown, hours) {
			return fault.New(fault.Invalid, "ore=%q: want 1, 6 or 24", v)
		}
	}
	row := t.linkRow(l, s)
	for _, a := range t.alertList(true) {
		if a.Link == l.ID || a.Link == "" && (a.Device == l.A || a.Device == l.B) {
			row.Alerts = append(row.Alerts, t.alertRow(a))
		}
	}
	win := newWindow(p.shell.Now(), hours, p.shell.Location())
	charts, trouble := t.charts(r.Context(), l, win)
	if trouble != nil && !errors.Is(trouble, context.Canceled) {
		p.log.Error("link page: history", "link", l.ID, "error", trouble)
	}
	km := unit.Opt[unit.Metres]{}
	if a, b, ok := t.ends(l); ok {
		km = unit.Some(a.Distance(b) / 1000)
	}
	return p.html.Write(w, r, "link.html", web.View{
		Title: "link.title", Args: []any{row.Name}, Nav: "/rete",
		Scripts: []string{"rete/live.js"},
		Data: struct {
			linkRow
			Radio, Profile, NoHistory bool
			Km, Now                   string
			Charts                    []chart
			Hours                     int
			Choices                   []int
			Ends                      []deviceRow
		}{row, l.Medium == network.Radio, p.deps.Profile != nil && l.Medium == network.Radio, p.deps.History == nil || trouble != nil,
			quantity(t, km, 1, "km"), p.clock(), charts, win.hours, hoursShown, t.endDevices(l)},
	})
}

// charts of a link over a window.
func (t tongue) charts(ctx context.Context, l network.Link, w window) ([]chart, error) {
	if t.deps.History == nil {
		return nil, nil
	}
	a, err := t.deps.History.Range(ctx, l.ID, network.EndA, w.from, w.to, w.step)
	if err != nil {
		return nil, err
	}
	b, err := t.deps.History.Range(ctx, l.ID, network.EndB, w.from, w.to, w.step)
	if err != nil {
		return nil, err
	}
	nameA, nameB := t.place(l.A), t.place(l.B)
	if l.B == "" {
		nameB = t.word("link.outside")
	}
	if nameA == nameB {
		nameA, nameB = string(l.A), string(l.B)
	}
	out, back := nameA+" → "+nameB, nameB+" → "+nameA

	var charts []chart
	if l.Medium == network.Radio {
		plan := t.deps.Links.Planned(l.ID)
		charts = append(charts, t.draw(t.word("chart.signal"), "dBm", w, false, 10,
			[]level{{t.word("chart.planned", nameA), plain(plan.A)}, {t.word("chart.planned", nameB), plain(plan.B)}},
			series{t.word("chart.at", nameA), pick(a, func(r network.Reading) unit.Opt[unit.DBm] { return r.Signal })},
			series{t.word("chart.at", nameB), pick(b, func(r network.Reading) unit.Opt[unit.DBm] { return r.Signal })},
		))
		capacity := func(far, near []network.Reading) []point {
			return merge(
				pick(far, func(r network.Reading) unit.Opt[unit.Mbps] { return scale(r.TxRate, t.cfg.Rules.Efficiency) }),
				pick(near, func(r network.Reading) unit.Opt[unit.Mbps] { return scale(r.RxRate, t.cfg.Rules.Efficiency) }),
			)
		}
		charts = append(charts, t.draw(t.word("chart.capacity"), "Mbps", w, true, 50,
			[]level{{t.word("chart.promised"), unit.Some(float64(t.promise(l)))}},
			series{out, capacity(a, b)}, series{back, capacity(b, a)},
		))
	}
	traffic := func(tx, rx []network.Reading) []point {
		return merge(
			pick(tx, func(r network.Reading) unit.Opt[unit.Mbps] { return r.TxTraffic }),
			pick(rx, func(r network.Reading) unit.Opt[unit.Mbps] { return r.RxTraffic }),
		)
	}
	return append(charts, t.draw(t.word("chart.traffic"), "Mbps", w, true, 1, nil,
		series{out, traffic(a, b)}, series{back, traffic(b, a)},
	)), nil
}

// plain is a quantity as a number of its axis.
func plain[T ~float64](o unit.Opt[T]) unit.Opt[float64] { return unit.FromPtr[float64](o.Ptr()) }

func scale(o unit.Opt[unit.Mbps], by float64) unit.Opt[unit.Mbps] {
	if v, ok := o.Get(); ok {
		return unit.Some(v * unit.Mbps(by))
	}
	return o
}

// pick takes the known values of one quantity.
func pick[T ~float64](rs []network.Reading, of func(network.Reading) unit.Opt[T]) []point {
	var ps []point
	for _, r := range rs {
		if v, ok := of(r).Get(); ok {
			ps = append(ps, point{r.At, float64(v)})
		}
	}
	return ps
}

// merge joins two views of one direction: where both know a moment the
// greater counts, as an idle radio shows the low rate of its last beacon.
func merge(a, b []point) []point {
	var out []point
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].at.Before(b[0].at):
			out, a = append(out, a[0]), a[1:]
		case b[0].at.Before(a[0].at):
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, point{a[0].at, max(a[0].v, b[0].v)}), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// profile is the picture of the ground under a link.
func (p *Pages) profile(w http.ResponseWriter, r *http.Request) error {
	l, _, err := p.of(r).find(r)
	if err != nil {
		return err
	}
	if p.deps.Profile == nil {
		return fault.New(fault.NotFound, "no profile of %s: no terrain is loaded", l.ID)
	}
	svg, err := p.deps.Profile(r.Context(), l.ID, string(web.LangOf(r)))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "private, max-age=300")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	web.Bytes(w, r, svg, "W/"+web.Tag(svg))
	return nil
}

// deviceRow is a device as pages show it.
type deviceRow struct {
	ID, Place, Reach, Err            string
	Identity, Version, Board, Uptime string
	CPU, Volts, Celsius              string
	Since, At                        time.Time
	Failures                         int
	Letter                           string
	Neighbours                       []network.Neighbour
	Warnings                         []string // what the device refuses to tell
	Links                            []linkRef
	Alerts                           int
}

type linkRef struct{ Name, URL string }

func (t tongue) endDevices(l network.Link) []deviceRow {
	var rows []deviceRow
	for i, id := range []network.DeviceID{l.A, l.B} {
		if s, ok := t.deviceState(id); ok {
			row := t.deviceRow(s)
			row.Letter = string("AB"[i])
			rows = append(rows, row)
		}
	}
	return rows
}

func (t tongue) deviceRow(s controller.DeviceState) deviceRow {
	row := deviceRow{
		ID: string(s.Device), Place: t.place(s.Device), Reach: string(s.Reach), Err: s.Err, Since: s.Since, At: s.At,
		Failures: s.Failures, Alerts: len(s.Alerts),
	}
	for _, l := range t.net.LinksAt(s.Device) {
		row.Links = append(row.Links, linkRef{nameOf(l), linkPath(l.ID)})
	}
	o := s.Observation
	if o == nil {
		o = &network.Observation{}
	}
	row.Identity, row.Version, row.Board, row.Neighbours = t.or(o.Identity), t.or(o.Version), t.or(o.Board), o.Neighbours
	row.Warnings = o.Warnings
	row.Uptime = t.word("unknown")
	if up, ok := o.Uptime.Get(); ok {
		row.Uptime = t.html.Span(t.lang, time.Duration(float64(up)*float64(time.Second)))
	}
	row.CPU, row.Volts, row.Celsius = quantity(t, o.CPU, 0, "%"), quantity(t, o.Voltage, 1, "V"), quantity(t, o.Celsius, 0, "°C")
	return row
}

func (t tongue) or(s string) string {
	if s == "" {
		return t.word("unknown")
	}
	return s
}
