package planning

import (
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
)

// PlannedLink is what planning expects of a radio link of the network.
type PlannedLink struct {
	A, B unit.Opt[unit.DBm]  // level received at each end, sum of all chains
	Rate unit.Opt[unit.Mbps] // on the air from A to B; 0: no rate fits
	Plan *LinkPlan           // nil when it could not be planned
	Err  error               // why not
}

// Links plans every radio link of a network. A link that cannot be planned
// keeps unknown levels and says why in Err.
func Links(n *network.Network, t Terrain) map[network.LinkID]PlannedLink {
	out := map[network.LinkID]PlannedLink{}
	for _, l := range n.Links {
		if l.Medium != network.Radio {
			continue
		}
		q, err := QueryOf(n, l)
		if err != nil {
			out[l.ID] = PlannedLink{Err: err}
			continue
		}
		p, err := PlanLink(t, q)
		if err != nil {
			out[l.ID] = PlannedLink{Err: fmt.Errorf("link %s: %w", l.ID, err)}
			continue
		}
		out[l.ID] = PlannedLink{
			A: unit.Some(unit.DBm(p.Budget.BackRSSI)), B: unit.Some(unit.DBm(p.Budget.RSSI)),
			Rate: unit.Some(unit.Mbps(p.Budget.Rate)), Plan: p,
		}
	}
	return out
}

// QueryOf is the query that plans a radio link as its devices are set: A's
// channel, else B's, else the default.
func QueryOf(n *network.Network, l network.Link) (LinkQuery, error) {
	a, errA := endOf(n, l, l.A)
	if errA != nil {
		return LinkQuery{}, errA
	}
	b, errB := endOf(n, l, l.B)
	if errB != nil {
		return LinkQuery{}, errB
	}
	da, _ := n.Device(l.A)
	db, _ := n.Device(l.B)
	q := LinkQuery{A: a, B: b, Use: spectrum.RLAN}
	q.Freq = da.Settings.Freq.Or(db.Settings.Freq.Or(0))
	q.Width = da.Settings.Width.Or(db.Settings.Width.Or(0))
	if s, ok := n.Sector(l.Sector); ok && s.Use != "" {
		q.Use = s.Use
	}
	return q, nil
}

func endOf(n *network.Network, l network.Link, id network.DeviceID) (End, error) {
	d, ok := n.Device(id)
	if !ok {
		return End{}, fault.New(fault.Invalid, "link %s: device %q does not exist", l.ID, id)
	}
	at, h, ok := n.Position(id)
	if !ok {
		return End{}, fault.New(fault.Invalid, "link %s: device %s stands nowhere; give it a site or a seat", l.ID, id)
	}
	g, ok := n.Gear[d.Gear]
	if !ok {
		return End{}, fault.New(fault.Invalid, "link %s: device %s has gear %q, which has no sheet", l.ID, id, d.Gear)
	}
	return End{At: at, Height: h, Gear: &g, TxPower: d.Settings.TxPower, Azimuth: d.Azimuth, Tilt: d.Tilt}, nil
}
