package page

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
)

func (t tongue) word(key string, args ...any) string { return t.html.Text(t.lang, key, args...) }

// quantity is a value with its unit, or the words for what is not known.
func quantity[T ~float64](t tongue, o unit.Opt[T], decimals int, unit string) string {
	v, ok := o.Get()
	if !ok {
		return t.word("unknown")
	}
	return web.Number(t.lang, float64(v), decimals) + "\u00a0" + unit
}

func (t tongue) dbm(o unit.Opt[unit.DBm]) string   { return quantity(t, o, 0, "dBm") }
func (t tongue) mbps(o unit.Opt[unit.Mbps]) string { return quantity(t, o, 0, "Mbps") }

func (t tongue) text(x controller.Text) string {
	if t.lang == web.English {
		return x.EN
	}
	return x.IT
}

// linkRow is a link as tables and its page show it.
type linkRow struct {
	ID, Name, URL string
	Medium        string
	Status        network.LinkStatus
	Since, At     time.Time
	A, B          endRow
	Capacity      string
	Promise       string
	Short         bool // capacity below the promise
	Alerts        []alertRow
	Partners      []string
}

// endRow is one end of a link.
type endRow struct {
	Letter               string
	Device               string
	Place                string
	Signal, Planned, Off string // Off: how far from the plan
	Weak                 bool   // 6 dB or more below the plan
	SNR, TxRate, RxRate  string
	TxTraffic, RxTraffic string
	At                   time.Time
	Known                bool
}

func linkPath(id network.LinkID) string { return "/rete/collegamenti/" + url.PathEscape(string(id)) }

// linkRow puts together what is known of a link.
func (t tongue) linkRow(l network.Link, s network.LinkState) linkRow {
	promise := unit.Some(t.promise(l))
	row := linkRow{
		ID: string(l.ID), Name: nameOf(l), URL: linkPath(l.ID), Medium: t.word("medium." + string(l.Medium)),
		Status: s.Status, Since: s.Since, At: s.At,
		Capacity: t.mbps(s.Capacity), Promise: t.mbps(promise),
	}
	if c, ok := s.Capacity.Get(); ok && c < promise.Or(0) {
		row.Short = true
	}
	plan := t.deps.Links.Planned(l.ID)
	row.A, row.B = t.endRow("A", l.A, s.A, plan.A), t.endRow("B", l.B, s.B, plan.B)
	for _, id := range l.Partner {
		if p, ok := t.net.Partner(id); ok {
			row.Partners = append(row.Partners, p.Name)
		}
	}
	return row
}

func (t tongue) endRow(letter string, d network.DeviceID, r *network.Reading, plan unit.Opt[unit.DBm]) endRow {
	e := endRow{Letter: letter, Device: string(d), Place: t.place(d), Planned: t.dbm(plan)}
	if r == nil {
		r = &network.Reading{}
	} else {
		e.Known, e.At = true, r.At
	}
	e.Signal, e.SNR = t.dbm(r.Signal), quantity(t, r.SNR, 0, "dB")
	e.TxRate, e.RxRate = t.mbps(r.TxRate), t.mbps(r.RxRate)
	e.TxTraffic, e.RxTraffic = quantity(t, r.TxTraffic, 1, "Mbps"), quantity(t, r.RxTraffic, 1, "Mbps")
	if s, ok := r.Signal.Get(); ok {
		if p, ok := plan.Get(); ok {
			off := s.Over(p)
			e.Off, e.Weak = quantity(t, unit.Some(off), 0, "dB"), off <= -t.cfg.Rules.WeakBelowPlan
			if off >= 0.5 {
				e.Off = "+" + e.Off
			}
		}
	}
	return e
}

// promise is what a link must carry.
func (p *Pages) promise(l network.Link) unit.Mbps {
	if l.MinMbps > 0 {
		return l.MinMbps
	}
	return p.cfg.Rules.MinMbps
}

// place is the name of the site or seat of a device.
func (s sight) place(id network.DeviceID) string {
	d, ok := s.net.Device(id)
	if !ok {
		return string(id)
	}
	if at, ok := s.net.Site(d.Site); ok {
		return at.Name
	}
	if at, ok := s.net.Seat(d.Seat); ok {
		return at.Name
	}
	return string(id)
}

// ends are the positions of a link's ends; false when one is not in the
// network.
func (s sight) ends(l network.Link) (a, b geo.LonLat, ok bool) {
	a, _, okA := s.net.Position(l.A)
	b, _, okB := s.net.Position(l.B)
	return a, b, okA && okB
}

func nameOf(l network.Link) string {
	if l.Name != "" {
		return l.Name
	}
	return string(l.ID)
}

// urgency sorts states, the worst first.
var urgency = map[network.LinkStatus]int{
	network.StatusDown: 0, network.StatusDegraded: 1, network.StatusUnknown: 2, network.StatusUp: 3,
}

// statuses in the order of the legend.
var statuses = []network.LinkStatus{network.StatusUp, network.StatusDegraded, network.StatusDown, network.StatusUnknown}

// rows are all links, the worst first.
func (t tongue) rows() []linkRow {
	var rows []linkRow
	for _, s := range t.linkStates() {
		if l, ok := t.net.Link(s.Link); ok {
			rows = append(rows, t.linkRow(l, s))
		}
	}
	slices.SortStableFunc(rows, func(a, b linkRow) int {
		return cmp.Or(cmp.Compare(urgency[a.Status], urgency[b.Status]), strings.Compare(a.Name, b.Name))
	})
	return rows
}

// alertRow is an alert as pages show it.
type alertRow struct {
	ID, Kind, Severity string
	Subject, URL       string // of the link; URL "" for a device without one
	Seen, ToDo         string
	Opened             time.Time
	Closed             time.Time // zero while open
	Lasted             string
}

func (t tongue) alertRow(a controller.Alert) alertRow {
	row := alertRow{
		ID: a.ID, Kind: t.word("kind." + string(a.Kind)), Severity: string(a.Severity),
		Seen: t.text(a.Seen), ToDo: t.text(a.ToDo), Opened: a.Opened, Subject: string(a.Device),
	}
	if l, ok := t.net.Link(a.Link); ok {
		row.Subject, row.URL = nameOf(l), linkPath(l.ID)
	} else if a.Device != "" {
		row.Subject = t.place(a.Device) + " (" + string(a.Device) + ")"
		if links := t.net.LinksAt(a.Device); len(links) > 0 {
			row.URL = linkPath(links[0].ID)
		}
	}
	if a.Closed != nil {
		row.Closed = *a.Closed
		row.Lasted = t.html.Span(t.lang, a.Closed.Sub(a.Opened))
	}
	return row
}
