package network

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
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

// WriteText prints the summary for people.
func (s Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sites, %d seats (%s)\n", s.Sites, sum(s.Seats), counts(s.Seats))
	fmt.Fprintf(&b, "%d devices, %d of them radios (%s)\n", s.Devices, sum(s.Radios), counts(s.Radios))
	fmt.Fprintf(&b, "%d links (%s), %d sectors, %d gear sheets\n", sum(s.Links), counts(s.Links), s.Sectors, s.Gear)
	for _, p := range s.Partners {
		fmt.Fprintf(&b, "partner %s: %d links, %d of them shared\n", p.ID, p.Links, p.Shared)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func sum[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func counts[K ~string](m map[K]int) string {
	if len(m) == 0 {
		return "none"
	}
	var ss []string
	for _, k := range sortedKeys(m) {
		ss = append(ss, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(ss, ", ")
}

// WriteText prints sites, devices and links as tables, for `network show`.
func (n *Network) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SITE\tAT\tHEIGHT\tPOWER\tSHARED BY")
	for _, s := range n.Sites {
		fmt.Fprintf(t, "%s\t%v\t%v\t%s, %v h\t%s\n", s.ID, s.At, s.HeightM, s.Power.Source, s.Power.BatteryHours, words(s.Shared))
	}
	fmt.Fprintln(t, "\nDEVICE\tPLACE\tGEAR\tADDRESS\tFREQUENCY\tWIDTH\tPOWER")
	for _, d := range n.Devices {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, string(d.Site)+string(d.Seat), d.Gear, d.Address,
			known(d.Settings.Freq), known(d.Settings.Width), known(d.Settings.TxPower))
	}
	fmt.Fprintln(t, "\nLINK\tMEDIUM\tA\tB\tSECTOR\tPARTNERS")
	for _, l := range n.Links {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Medium, l.A, l.B, l.Sector, words(l.Partner))
	}
	return t.Flush()
}

func known[T interface {
	~float64
	fmt.Stringer
}](o unit.Opt[T]) string {
	if v, ok := o.Get(); ok {
		return v.String()
	}
	return "-"
}
