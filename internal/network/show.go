package network

import (
	"fmt"

	"github.com/crinale/crinale/internal/spectrum"
)

// Summary counts what a network holds. Its JSON is what `network validate
// --json` prints.
type Summary struct {
	Sites    int              `json:"sites"`
	Seats    map[string]int   `json:"seats"`   // by kind
	Devices  int              `json:"devices"` // radios and routers
	Radios   map[string]int   `json:"radios"`  // by class of gear
	Links    map[Medium]int   `json:"links"`   // by medium
	Sectors  int              `json:"sectors"`
	Gear     int              `json:"gear_sheets"`
	Partners []PartnerSummary `json:"partners"`
	Notes    []string         `json:"notes"` // what is allowed, but worth a look
}

// PartnerSummary counts a partner's links.
type PartnerSummary struct {
	ID     PartnerID `json:"id"`
	Links  int       `json:"links"`
	Shared int       `json:"links_shared"` // with another partner
}

// IsRadio says whether a device has a radio, that is gear that is no router.
func (n *Network) IsRadio(d Device) bool {
	g, ok := n.Gear[d.Gear]
	return ok && g.Class != "router"
}

// Radios are the devices that have a radio, in order.
func (n *Network) Radios() []Device {
	var out []Device
	for _, d := range n.Devices {
		if n.IsRadio(d) {
			out = append(out, d)
		}
	}
	return out
}

// Summary counts the network and notes what looks unfinished.
func (n *Network) Summary() Summary {
	s := Summary{Sites: len(n.Sites), Seats: map[string]int{}, Devices: len(n.Devices), Radios: map[string]int{},
		Links: map[Medium]int{}, Sectors: len(n.Sectors), Gear: len(n.Gear), Partners: []PartnerSummary{}, Notes: []string{}}
	for _, e := range n.Seats {
		s.Seats[e.Kind]++
	}
	linked := map[DeviceID]bool{}
	for _, l := range n.Links {
		s.Links[l.Medium]++
		linked[l.A], linked[l.B] = true, true
	}
	for _, d := range n.Devices {
		if !n.IsRadio(d) {
			continue
		}
		s.Radios[n.Gear[d.Gear].Class]++
		switch {
		case !linked[d.ID]:
			s.Notes = append(s.Notes, fmt.Sprintf("device %s is in no link", d.ID))
		case d.Address == "":
			s.Notes = append(s.Notes, fmt.Sprintf("device %s has no address: it is planned, not polled", d.ID))
		}
		if note := n.eirpNote(d); note != "" {
			s.Notes = append(s.Notes, note)
		}
	}
	for _, id := range sortedKeys(n.Gear) {
		if n.Gear[id].Antenna.Pattern != "" {
			s.Notes = append(s.Notes, fmt.Sprintf("pattern file of %s is not read yet: the pattern comes from the beamwidths", id))
		}
	}
	for _, p := range n.Partners {
		ps := PartnerSummary{ID: p.ID}
		for _, l := range n.LinksOf(p.ID) {
			ps.Links++
			if len(l.Partner) > 1 {
				ps.Shared++
			}
		}
		if ps.Links == 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("partner %s has no link", p.ID))
		}
		s.Partners = append(s.Partners, ps)
	}
	return s
}

// eirpNote says when a device sends more than the law allows without transmit
// power control, "" when it does not or not all of it is known.
func (n *Network) eirpNote(d Device) string {
	f, okF := d.Settings.Freq.Get()
	tx, okT := d.Settings.TxPower.Get()
	if !okF || !okT {
		return ""
	}
	use := spectrum.RLAN
	for _, s := range n.Sectors {
		if s.Device == d.ID {
			use = s.Use
		}
	}
	rule, err := spectrum.Lookup(f, use)
	eirp := tx.Plus(n.Gear[d.Gear].Antenna.Gain)
	if err != nil || eirp <= rule.MaxEIRPNoTPC+0.01 {
		return ""
	}
	return fmt.Sprintf("device %s sends %v EIRP at %v: %s allows %v as %s without transmit power control", d.ID, eirp, f, rule.Source, rule.MaxEIRPNoTPC, use)
}
