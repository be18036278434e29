package network

import (
	"slices"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

type index struct {
	sites    map[SiteID]int
	seats    map[SeatID]int
	devices  map[DeviceID]int
	links    map[LinkID]int
	sectors  map[SectorID]int
	partners map[PartnerID]int
}

// Index builds the look-ups; the loader calls it, and so must whoever changes
// the slices by hand.
func (n *Network) Index() {
	n.index = index{map[SiteID]int{}, map[SeatID]int{}, map[DeviceID]int{}, map[LinkID]int{}, map[SectorID]int{}, map[PartnerID]int{}}
	for i, s := range n.Sites {
		n.index.sites[s.ID] = i
	}
	for i, s := range n.Seats {
		n.index.seats[s.ID] = i
	}
	for i, d := range n.Devices {
		n.index.devices[d.ID] = i
	}
	for i, l := range n.Links {
		n.index.links[l.ID] = i
	}
	for i, s := range n.Sectors {
		n.index.sectors[s.ID] = i
	}
	for i, p := range n.Partners {
		n.index.partners[p.ID] = i
	}
}

func at[K comparable, V any](m map[K]int, s []V, k K) (V, bool) {
	if i, ok := m[k]; ok {
		return s[i], true
	}
	var zero V
	return zero, false
}

// Site by its name.
func (n *Network) Site(id SiteID) (Site, bool) { return at(n.index.sites, n.Sites, id) }

// Seat by its name.
func (n *Network) Seat(id SeatID) (Seat, bool) { return at(n.index.seats, n.Seats, id) }

// Device by its name.
func (n *Network) Device(id DeviceID) (Device, bool) { return at(n.index.devices, n.Devices, id) }

// Link by its name.
func (n *Network) Link(id LinkID) (Link, bool) { return at(n.index.links, n.Links, id) }

// Sector by its name.
func (n *Network) Sector(id SectorID) (Sector, bool) { return at(n.index.sectors, n.Sectors, id) }

// Partner by its name.
func (n *Network) Partner(id PartnerID) (Partner, bool) {
	return at(n.index.partners, n.Partners, id)
}

// Position is where a device stands and how high its antenna is over ground.
func (n *Network) Position(id DeviceID) (geo.LonLat, unit.Metres, bool) {
	d, ok := n.Device(id)
	if !ok {
		return geo.LonLat{}, 0, false
	}
	if s, ok := n.Site(d.Site); ok {
		return s.At, d.HeightM, true
	}
	s, ok := n.Seat(d.Seat)
	return s.At, d.HeightM, ok
}

// LinksOf are the links that a partner may see.
func (n *Network) LinksOf(p PartnerID) []Link {
	var out []Link
	for _, l := range n.Links {
		if slices.Contains(l.Partner, p) {
			out = append(out, l)
		}
	}
	return out
}

// LinksAt are the links a device takes part in.
func (n *Network) LinksAt(d DeviceID) []Link {
	var out []Link
	for _, l := range n.Links {
		if l.A == d || l.B == d {
			out = append(out, l)
		}
	}
	return out
}
