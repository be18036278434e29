package controller

import (
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Reach is whether a device answers.
type Reach string

const (
	ReachUp          Reach = "up"
	ReachUnreachable Reach = "unreachable" // its last read failed
	ReachUnknown     Reach = "unknown"     // never read yet, or not asked: its account or address is missing
	ReachPlanned     Reach = "planned"     // no address in the network files: never polled
)

// DeviceState is the last known state of a device.
type DeviceState struct {
	Device      network.DeviceID
	Reach       Reach
	Since       time.Time            // of this reach; zero when never read
	At          time.Time            // of the newest observation; zero when there never was one
	Observation *network.Observation // the newest; nil when there never was one
	Failures    int                  // reads failed in a row
	Err         string               // why the last read failed, one line for people; "" when it went well
	Alerts      []string             // IDs of the open ones
}

// deviceRow is what the cache holds of a device.
type deviceRow struct {
	state    DeviceState
	judge    State
	place    string
	partners []network.PartnerID
	links    []int // in cache.links
}

// linkRow is what the cache holds of a link.
type linkRow struct {
	link    network.Link
	planned Planned
	state   network.LinkState
	built   bool // it was up at some time
	judge   State
}

// cache is the last known value of everything. Its owner holds a lock.
type cache struct {
	rules   Rules
	devices []deviceRow
	links   []linkRow
	device  map[network.DeviceID]int
	link    map[network.LinkID]int
}

func newCache(n *network.Network, rules Rules, planned func(network.LinkID) Planned) *cache {
	c := &cache{rules: rules, device: map[network.DeviceID]int{}, link: map[network.LinkID]int{}}
	for i, d := range n.Devices {
		c.device[d.ID] = i
		row := deviceRow{state: DeviceState{Device: d.ID, Reach: ReachUnknown}}
		if d.Address == "" {
			row.state.Reach = ReachPlanned
		}
		if s, ok := n.Site(d.Site); ok {
			row.place = s.Name
		} else if s, ok := n.Seat(d.Seat); ok {
			row.place = s.Name
		}
		c.devices = append(c.devices, row)
	}
	for i, l := range n.Links {
		c.link[l.ID] = i
		row := linkRow{link: l, state: network.LinkState{Link: l.ID, Status: network.StatusUnknown}}
		if planned != nil {
			row.planned = planned(l.ID)
			row.state.Planned = lower(row.planned.A, row.planned.B)
		}
		c.links = append(c.links, row)
		for _, d := range []network.DeviceID{l.A, l.B} {
			if j, ok := c.device[d]; ok {
				dev := &c.devices[j]
				dev.links = append(dev.links, i)
				for _, p := range l.Partner {
					if !slices.Contains(dev.partners, p) {
						dev.partners = append(dev.partners, p)
					}
				}
			}
		}
	}
	return c
}

// lower is the lesser of two levels, or the known one.
func lower(a, b unit.Opt[unit.DBm]) unit.Opt[unit.DBm] {
	if v, ok := b.Get(); ok && v < a.Or(v+1) {
		return b
	}
	return a
}

// watched lists the devices to poll.
func watched(n *network.Network) []network.DeviceID {
	var ids []network.DeviceID
	for _, d := range n.Devices {
		if d.Address != "" {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// take puts the result of one read into the cache, judges it, and gives the
// links whose state is new.
func (c *cache) take(p poll, readings []network.Reading) (states []network.LinkState, events []AlertEvent) {
	i, ok := c.device[p.device]
	if !ok {
		return nil, nil
	}
	dev := &c.devices[i]
	dev.see(p)
	sight := DeviceSight{At: p.at, Device: p.device, Place: dev.place, Partners: dev.partners, Observation: p.observation, Err: p.err}
	dev.judge, events = Judge(c.rules, dev.judge, sight)
	dev.state.Alerts = ids(dev.judge)
	for _, r := range readings {
		row := &c.links[c.link[r.Link]]
		if r.End == network.EndB {
			row.state.B = &r
		} else {
			row.state.A = &r
		}
		row.built = row.built || r.Connected
		row.state.At = latest(row.state.At, r.At)
	}
	for _, l := range dev.links {
		row := &c.links[l]
		sight := c.sight(row, p.at, endAt(row.link, p.device))
		var evs []AlertEvent
		row.judge, evs = Judge(c.rules, row.judge, sight)
		events = append(events, evs...)
		c.settle(row, sight)
		states = append(states, row.state)
	}
	return states, events
}

// see notes whether the device answered.
func (d *deviceRow) see(p poll) {
	reach := ReachUnreachable
	switch {
	case p.err == nil:
		reach = ReachUp
	case fault.Of(p.err) == fault.Invalid:
		reach = ReachUnknown
	}
	if d.state.Reach != reach {
		d.state.Reach, d.state.Since = reach, p.at
	}
	if p.err != nil {
		d.state.Failures++
		d.state.Err = cause(p.device, p.err)
		return
	}
	d.state.Failures, d.state.Err = 0, ""
	d.state.Observation, d.state.At = p.observation, p.observation.At
}

// age looks again at every link once time has passed and gives those whose
// status changed by it.
func (c *cache) age(now time.Time) (states []network.LinkState) {
	for i := range c.links {
		row := &c.links[i]
		before := row.state.Status
		c.settle(row, c.sight(row, now, ""))
		if row.state.Status != before {
			states = append(states, row.state)
		}
	}
	return states
}

func (c *cache) sight(row *linkRow, now time.Time, heard network.End) LinkSight {
	return LinkSight{
		At: now, Link: row.link, Heard: heard, Built: row.built, Planned: row.planned,
		A: c.end(row.link.A, row.state.A),
		B: c.end(row.link.B, row.state.B),
	}
}

func (c *cache) end(d network.DeviceID, r *network.Reading) EndSight {
	e := EndSight{Reading: r}
	if i, ok := c.device[d]; ok {
		e.Planned = c.devices[i].state.Reach == ReachPlanned
		e.Failing = c.devices[i].state.Failures > 0
	}
	return e
}

// settle writes the status, capacity and alerts of a link.
func (c *cache) settle(row *linkRow, s LinkSight) {
	status := s.Status(c.rules)
	if status == network.StatusUp && (row.judge.Has(WeakSignal) || row.judge.Has(LowCapacity)) {
		status = network.StatusDegraded
	}
	if row.state.Status != status || row.state.Since.IsZero() {
		row.state.Status, row.state.Since = status, s.At
	}
	row.state.Capacity = s.Capacity(c.rules)
	row.state.Alerts = ids(row.judge)
	for _, d := range []network.DeviceID{row.link.A, row.link.B} {
		if i, ok := c.device[d]; ok {
			row.state.Alerts = append(row.state.Alerts, c.devices[i].state.Alerts...)
		}
	}
}

func ids(s State) []string {
	var out []string
	for _, a := range s.Open() {
		out = append(out, a.ID)
	}
	return out
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
