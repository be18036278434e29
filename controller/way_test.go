package controller

import (
	"fmt"
	"testing"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// waysNet is a ring of two ways from a hall to a fibre, with LTE at the hall's
// side: hall – mast – (east or west) – town, fibre and lte to the outside.
func waysNet() *network.Network {
	n := &network.Network{}
	for _, d := range []string{"hall", "mast", "east", "west", "town", "lone"} {
		n.Devices = append(n.Devices, network.Device{ID: network.DeviceID(d), Site: network.SiteID(d)})
	}
	link := func(m network.Medium, a, b string) {
		n.Links = append(n.Links, network.Link{ID: network.LinkID(a + "-" + b), Medium: m, A: network.DeviceID(a), B: network.DeviceID(b)})
	}
	link(network.Radio, "hall", "mast")
	link(network.Radio, "mast", "east")
	link(network.Radio, "mast", "west")
	link(network.Radio, "east", "town")
	link(network.Radio, "west", "town")
	link(network.Fibre, "town", "")
	link(network.LTE, "mast", "")
	n.Index()
	return n
}

func TestBestWay(t *testing.T) {
	n := waysNet()
	up := network.StatusUp
	type set map[string]any // status, or Mbps of a link that is up
	for name, c := range map[string]struct {
		links  set
		was    WayState
		state  WayState
		mbps   float64 // -1: not known
		first  string  // link behind the mast
		unsure int
	}{
		"all well, the wider side counts":   {set{"hall-mast": 80., "mast-east": 60., "east-town": 200., "mast-west": 50., "west-town": 50.}, "", WayUp, 60, "mast-east", 0},
		"the narrowest link of a side":      {set{"hall-mast": 80., "mast-east": 60., "east-town": 35., "mast-west": 50., "west-town": 50.}, "", WayUp, 50, "mast-west", 0},
		"one side is down":                  {set{"hall-mast": 80., "mast-east": network.StatusDown, "east-town": 200., "mast-west": 50., "west-town": 20.}, "", WayNarrow, 20, "mast-west", 0},
		"degraded links carry":              {set{"hall-mast": 80., "mast-east": network.StatusDegraded, "east-town": 200.}, "", WayUp, -1, "mast-east", 0},
		"all carry, one does not say":       {set{"hall-mast": up, "mast-east": 60., "east-town": 60.}, "", WayUp, -1, "mast-east", 0},
		"nothing is known":                  {set{}, "", WayUnknown, -1, "", 4},
		"unknown is not down":               {set{"hall-mast": 80., "mast-east": network.StatusUnknown, "east-town": 80., "mast-west": network.StatusDown, "mast-": network.StatusDown}, "", WayUnknown, -1, "mast-east", 1},
		"down beyond doubt":                 {set{"hall-mast": network.StatusDown, "mast-east": 80., "east-town": 80.}, "", WayDown, -1, "", 0},
		"down on both sides":                {set{"hall-mast": 80., "mast-east": network.StatusDown, "mast-west": network.StatusDown, "mast-": network.StatusDown}, "", WayDown, -1, "", 0},
		"only what costs by the byte":       {set{"hall-mast": 80., "mast-east": network.StatusDown, "mast-west": network.StatusDown, "mast-": up}, "", WayNarrow, -1, "mast-", 0},
		"at the limit":                      {set{"hall-mast": 31., "mast-east": 80., "east-town": 80.}, "", WayUp, 31, "mast-east", 0},
		"at the limit, and was narrow":      {set{"hall-mast": 31., "mast-east": 80., "east-town": 80.}, WayNarrow, WayNarrow, 31, "mast-east", 0},
		"well above the limit, was narrow":  {set{"hall-mast": 34., "mast-east": 80., "east-town": 80.}, WayNarrow, WayUp, 34, "mast-east", 0},
		"below the limit, as down as ever":  {set{"hall-mast": 29., "mast-east": 80., "east-town": 80.}, WayUp, WayNarrow, 29, "mast-east", 0},
		"the fibre is down, the radios are": {set{"hall-mast": 80., "mast-east": 80., "east-town": 80., "town-": network.StatusDown, "mast-": network.StatusDown}, "", WayDown, -1, "", 0},
	} {
		states := []network.LinkState{}
		for _, l := range n.Links {
			s := network.LinkState{Link: l.ID, Status: network.StatusUnknown}
			if l.Medium == network.Fibre && c.links["hall-mast"] != nil {
				s.Status = up
			}
			switch v := c.links[string(l.ID)].(type) {
			case float64:
				s.Status, s.Capacity = up, unit.Some(unit.Mbps(v))
			case network.LinkStatus:
				s.Status = v
			}
			states = append(states, s)
		}
		w := NewWays(DefaultRules(), n, states).Of("hall", c.was)
		mbps := -1.
		if v, ok := w.Mbps.Get(); ok {
			mbps = float64(v)
		}
		first := ""
		if len(w.Links) > 1 {
			first = string(w.Links[1])
		}
		if w.State != c.state || mbps != c.mbps || c.first != "" && first != c.first || c.unsure != len(w.Unknown) && name != "nothing is known" {
			t.Errorf("%s: %s, %v Mbps over %v, unknown %v", name, w.State, mbps, w.Links, w.Unknown)
		}
		if w.State == WayDown && len(w.Links) > 0 {
			t.Errorf("%s: down over %v", name, w.Links)
		}
	}
	for _, id := range []network.DeviceID{"lone", "nobody"} {
		if w := NewWays(DefaultRules(), n, nil).Of(id, ""); w.State != WayUnknown {
			t.Errorf("%s, to which the files show no way: %+v", id, w)
		}
	}
}

// A link that promises little is not narrow for ever, and one that promises much
// need not keep it for a town hall.
func TestWhatAPlaceNeeds(t *testing.T) {
	n := waysNet()
	n.Links[0].MinMbps, n.Links[1].MinMbps = 10, 300
	states := []network.LinkState{{Link: "hall-mast", Status: network.StatusUp, Capacity: unit.Some[unit.Mbps](12)},
		{Link: "mast-east", Status: network.StatusUp, Capacity: unit.Some[unit.Mbps](40)}, {Link: "east-town", Status: network.StatusUp, Capacity: unit.Some[unit.Mbps](90)},
		{Link: "town-", Status: network.StatusUp}}
	if w := NewWays(DefaultRules(), n, states).Of("hall", WayUp); w.State != WayUp || w.Mbps.Or(0) != 12 {
		t.Errorf("%+v", w)
	}
}

// Where the files show no link to the outside, routers are the way out.
func TestWaysWithoutALinkToTheOutside(t *testing.T) {
	n := &network.Network{
		Devices: []network.Device{{ID: "core", Site: "town", Gear: "router"}, {ID: "a", Site: "town", Gear: "radio"}, {ID: "b", Seat: "hall", Gear: "radio"}},
		Links:   []network.Link{{ID: "ab", Medium: network.Radio, A: "a", B: "b"}},
		Gear:    map[network.GearID]network.Gear{"radio": {Class: "radio"}},
	}
	n.Index()
	s := []network.LinkState{{Link: "ab", Status: network.StatusUp, Capacity: unit.Some[unit.Mbps](40)}}
	if w := NewWays(DefaultRules(), n, s).Of("b", ""); w.State != WayUp || fmt.Sprint(w.Links) != "[ab]" {
		t.Errorf("%+v", w)
	}
}

func BenchmarkWays(b *testing.B) {
	n := &network.Network{}
	var states []network.LinkState
	for i := range 1000 {
		n.Devices = append(n.Devices, network.Device{ID: network.DeviceID(fmt.Sprint(i)), Site: network.SiteID(fmt.Sprint(i))})
		l := network.Link{ID: network.LinkID(fmt.Sprint(i)), Medium: network.Radio, A: network.DeviceID(fmt.Sprint(i)), B: network.DeviceID(fmt.Sprint(i / 2))}
		if i == 0 {
			l.Medium, l.B = network.Fibre, ""
		}
		n.Links = append(n.Links, l)
		states = append(states, network.LinkState{Link: l.ID, Status: network.StatusUp, Capacity: unit.Some(unit.Mbps(i % 90))})
	}
	n.Index()
	for b.Loop() {
		NewWays(DefaultRules(), n, states)
	}
}
