package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// farthest is the hops of a device that no link joins to a gateway.
const farthest = 1 << 20

// hops counts the links and cables between each device and the nearest
// gateway; devices at the same site or seat are joined by cable. So the radio
// that a site is reached by is nearer than the others there. Gateways are the
// devices where a link enters that ends outside the network; where there is
// none, routers.
func hops(n *network.Network) map[network.DeviceID]int {
	type place struct {
		site network.SiteID
		seat network.SeatID
	}
	at, where := map[place][]network.DeviceID{}, map[network.DeviceID]place{}
	for _, d := range n.Devices {
		p := place{d.Site, d.Seat}
		at[p], where[d.ID] = append(at[p], d.ID), p
	}
	out := map[network.DeviceID]int{}
	front := gateways(n)
	for far := 0; len(front) > 0; far++ {
		var next []network.DeviceID
		for _, id := range front {
			if _, seen := out[id]; seen || id == "" {
				continue
			}
			out[id] = far
			next = append(next, at[where[id]]...)
			for _, l := range n.LinksAt(id) {
				next = append(next, other(l, id))
			}
		}
		front = next
	}
	for _, d := range n.Devices {
		if _, seen := out[d.ID]; !seen {
			out[d.ID] = farthest
		}
	}
	return out
}

func gateways(n *network.Network) []network.DeviceID {
	var in, routers []network.DeviceID
	for _, l := range n.Links {
		if l.B == "" {
			in = append(in, l.A)
		}
	}
	if in != nil {
		return in
	}
	for _, d := range n.Devices {
		if !n.IsRadio(d) {
			routers = append(routers, d.ID)
		}
	}
	return routers
}

// layers groups devices by their hops, the farthest first or last.
func layers(ds []ChangeDevice, farFirst bool) [][]network.DeviceID {
	ds = slices.Clone(ds)
	slices.SortStableFunc(ds, func(a, b ChangeDevice) int {
		if farFirst {
			a, b = b, a
		}
		return cmp.Compare(a.Hops, b.Hops)
	})
	var out [][]network.DeviceID
	for i, d := range ds {
		if i == 0 || d.Hops != ds[i-1].Hops {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], d.Device)
	}
	return out
}

// together are the settings that both ends of a radio link must share.
var together = []string{network.FieldFreq, network.FieldSSID, network.FieldWidth}

// parted refuses a change of one end of a radio link while the files want the
// same setting changed at the other end, which is not part of it.
func parted(n *network.Network, in []network.DeviceID, all []DeviceDifferences) error {
	for _, d := range all {
		if !slices.Contains(in, d.Device) {
			continue
		}
		for _, l := range radioLinks(n, d.Device) {
			o := other(l, d.Device)
			if slices.Contains(in, o) {
				continue
			}
			for _, f := range together {
				if differs(all, d.Device, f) && differs(all, o, f) {
					return fault.New(fault.Invalid, "%s and %s are the two ends of link %s, and the files change %s of both: apply both together, or the link is cut", d.Device, o, l.ID, f)
				}
			}
		}
	}
	return nil
}

func differs(all []DeviceDifferences, id network.DeviceID, field string) bool {
	return slices.ContainsFunc(all, func(d DeviceDifferences) bool {
		return d.Device == id && slices.ContainsFunc(d.Differences, func(x Difference) bool {
			return x.Key.Section == network.RadioSection && x.Key.Field == field
		})
	})
}

func radioLinks(n *network.Network, id network.DeviceID) []network.Link {
	return slices.DeleteFunc(n.LinksAt(id), func(l network.Link) bool { return l.Medium != network.Radio })
}

// neighbours are the devices at the other ends of the links of devices, but
// for those devices themselves.
func neighbours(n *network.Network, ids []network.DeviceID) []network.DeviceID {
	var out []network.DeviceID
	for _, id := range ids {
		for _, l := range n.LinksAt(id) {
			o := other(l, id)
			if d, ok := n.Device(o); ok && d.Address != "" && !slices.Contains(ids, o) && !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}

// before is how the links at the changed devices are, and what is the least
// level that they may have after the change. read has the readings of both
// ends; an end without one is not known to be up.
func before(n *network.Network, devices []ChangeDevice, read map[network.LinkID][2]*network.Reading, planned func(*network.Network, network.LinkID) Planned, slack unit.DB) []LinkBefore {
	old := former(n, devices)
	out := []LinkBefore{}
	for _, l := range n.Links {
		if !slices.ContainsFunc(devices, func(d ChangeDevice) bool { return d.Device == l.A || d.Device == l.B }) {
			continue
		}
		b := LinkBefore{Link: l.ID}
		var now, then Planned
		if l.Medium == network.Radio {
			now, then = planned(n, l.ID), planned(old, l.ID)
		}
		ends := read[l.ID]
		if r := ends[0]; r != nil {
			b.UpA, b.SignalA = r.Connected, r.Signal
			b.LeastA = least(now.A, then.A, r.Signal, louder(devices, l.B), slack)
		}
		if r := ends[1]; r != nil {
			b.UpB, b.SignalB = r.Connected, r.Signal
			b.LeastB = least(now.B, then.B, r.Signal, louder(devices, l.A), slack)
		}
		out = append(out, b)
	}
	return out
}

// least is the level an end must have after the change: what it has now and
// what planning says that the change makes of it, at most the new plan, less
// the slack. Without a plan of both, the change of power at the far end counts.
func least(now, then, level unit.Opt[unit.DBm], power, slack unit.DB) unit.Opt[unit.DBm] {
	have, ok := level.Get()
	if !ok {
		return level
	}
	plan, okNow := now.Get()
	was, okThen := then.Get()
	if okNow && okThen {
		power = plan.Over(was)
	}
	want := have.Plus(power)
	if okNow {
		want = min(want, plan)
	}
	return unit.Some(want.Minus(slack))
}

// louder is by how much a change raises the Tx power of a device.
func louder(devices []ChangeDevice, id network.DeviceID) unit.DB {
	for _, d := range devices {
		for _, c := range d.Changes {
			if d.Device != id || c.Key.Field != network.FieldTxPower || c.From == nil || c.To == nil {
				continue
			}
			from, err1 := strconv.ParseFloat(*c.From, 64)
			to, err2 := strconv.ParseFloat(*c.To, 64)
			if err1 == nil && err2 == nil {
				return unit.DBm(to).Over(unit.DBm(from))
			}
		}
	}
	return 0
}

// former is the network with the changed radios as they are before the change.
func former(n *network.Network, devices []ChangeDevice) *network.Network {
	old := *n
	old.Devices = slices.Clone(n.Devices)
	for i := range old.Devices {
		s := &old.Devices[i].Settings
		for _, d := range devices {
			if d.Device != old.Devices[i].ID {
				continue
			}
			for _, c := range d.Changes {
				if c.Key.Section == network.RadioSection {
					setBack(s, c)
				}
			}
		}
	}
	return &old
}

func setBack(s *network.Settings, c network.Change) {
	text := ""
	if c.From != nil {
		text = *c.From
	}
	f, err := strconv.ParseFloat(text, 64)
	known := err == nil
	switch c.Key.Field {
	case network.FieldSSID:
		s.SSID = text
	case network.FieldFreq:
		s.Freq = quantity[unit.MHz](f, known)
	case network.FieldWidth:
		s.Width = quantity[unit.MHz](f, known)
	case network.FieldTxPower:
		s.TxPower = quantity[unit.DBm](f, known)
	}
}

func quantity[T ~float64](f float64, known bool) unit.Opt[T] {
	if !known {
		return unit.Opt[T]{}
	}
	return unit.Some(T(f))
}

// described is a change for people: "radio wlan1 freq_mhz from 5540 to 5560".
func described(c network.Change) string {
	return fmt.Sprintf("%s from %s to %s", c.Key, shown(c.From), shown(c.To))
}

func shown(v *string) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%.80q", *v)
}
