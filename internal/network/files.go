package network

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/crinale/crinale/internal/unit"
)

// Files writes the network as the files that Load reads, by name: partners,
// sites, seats, devices, sectors and links, those that there are. Loading them
// with the same gear gives an equal network; gear sheets have files of their
// own and are not among these. What Load fills in by itself (the band of a
// sector) is left out.
func (n *Network) Files() map[string][]byte {
	out := map[string][]byte{}
	add := func(name, what string, rows int, write func(*yamlText)) {
		if rows == 0 {
			return
		}
		y := &yamlText{}
		for line := range strings.Lines(what) {
			y.WriteString("# " + line)
		}
		y.WriteString("\n" + strings.TrimSuffix(name, ".yaml") + ":\n")
		write(y)
		out[name] = []byte(y.String())
	}
	add("partners.yaml", partnersText, len(n.Partners), func(y *yamlText) {
		for _, p := range n.Partners {
			y.item(string(p.ID))
			y.text("name", p.Name)
			y.text("contact", p.Contact)
		}
	})
	add("sites.yaml", sitesText, len(n.Sites), n.writeSites)
	add("seats.yaml", seatsText, len(n.Seats), func(y *yamlText) {
		for _, s := range n.Seats {
			y.item(string(s.ID))
			y.text("name", s.Name)
			y.text("kind", s.Kind)
			y.number("lat", s.At.Lat)
			y.number("lon", s.At.Lon)
			y.text("comune", s.Comune)
		}
	})
	add("devices.yaml", devicesText, len(n.Devices), n.writeDevices)
	add("sectors.yaml", sectorsText, len(n.Sectors), func(y *yamlText) {
		for _, s := range n.Sectors {
			y.item(string(s.ID))
			y.text("device", string(s.Device))
			y.text("use", string(s.Use))
		}
	})
	add("links.yaml", linksText, len(n.Links), n.writeLinks)
	return out
}

const (
	partnersText = `Partners: the WISPs that share the network and see their own links.
contact is an office, never a person.
`
	sitesText = `Sites: the places where radios stand. Degrees, metres over ground, hours of
battery without the grid; comune is the ISTAT code; partners share the site.
`
	seatsText = `Seats: the places that use the network. kind is town-hall, school, camera,
subscriber or other.
`
	devicesText = `Devices: every radio and router, where it stands and how it should be set.
What settings leave out stays as the device has it; its identity should be its
id unless settings say another. addresses are all that the interfaces named
there should have. See what differs with: crinale network diff
`
	sectorsText = `Sectors: access points whose antenna covers an area.
`
	linksText = `Links: which devices are joined, over what, and whose links they are. a is the
access point of a sector where there is one; min_mbps is the promise, 30 when
left out.
`
)

func (n *Network) writeSites(y *yamlText) {
	for _, s := range n.Sites {
		y.item(string(s.ID))
		y.text("name", s.Name)
		y.number("lat", s.At.Lat)
		y.number("lon", s.At.Lon)
		y.text("comune", s.Comune)
		y.text("structure", s.Structure)
		y.some("height_m", float64(s.HeightM))
		if s.Power != (Power{}) {
			y.open("power")
			y.text("source", s.Power.Source)
			y.some("battery_h", s.Power.BatteryHours)
			y.text("notes", s.Power.Notes)
			y.close()
		}
		y.text("access", s.Access)
		y.list("partners", s.Shared)
	}
}

func (n *Network) writeDevices(y *yamlText) {
	for _, d := range n.Devices {
		y.item(string(d.ID))
		y.text("site", string(d.Site))
		y.text("seat", string(d.Seat))
		y.text("gear", string(d.Gear))
		y.text("address", d.Address)
		y.text("mac", d.MAC)
		y.some("height_m", float64(d.HeightM))
		opt(y, "azimuth_deg", d.Azimuth)
		opt(y, "tilt_deg", d.Tilt)
		y.settings(d.Settings)
	}
}

func (y *yamlText) settings(s Settings) {
	if s.SSID == "" && !s.Freq.Known() && !s.Width.Known() && !s.TxPower.Known() && s.Protocol == "" && s.Identity == "" && s.Comment == "" && len(s.Addresses) == 0 {
		return
	}
	y.open("settings")
	defer y.close()
	y.text("identity", s.Identity)
	y.text("ssid", s.SSID)
	opt(y, "freq_mhz", s.Freq)
	opt(y, "width_mhz", s.Width)
	opt(y, "tx_power_dbm", s.TxPower)
	y.text("protocol", s.Protocol)
	y.text("comment", s.Comment)
	if len(s.Addresses) > 0 {
		y.line("addresses:")
	}
	for _, a := range s.Addresses {
		row := "  - {address: " + scalar(a.Address) + ", interface: " + scalar(a.Interface)
		if a.Comment != "" {
			row += ", comment: " + scalar(a.Comment)
		}
		y.line(row + "}")
	}
}

func (n *Network) writeLinks(y *yamlText) {
	for _, l := range n.Links {
		y.item(string(l.ID))
		y.text("name", l.Name)
		y.text("medium", string(l.Medium))
		y.text("a", string(l.A))
		y.text("b", string(l.B))
		y.text("sector", string(l.Sector))
		y.list("partners", l.Partner)
		y.some("min_mbps", float64(l.MinMbps))
	}
}

// yamlText is a file in the making: a list of mappings, with one level of
// mappings inside.
type yamlText struct {
	strings.Builder
	deep string
}

func (y *yamlText) line(text string) { y.WriteString("    " + y.deep + text + "\n") }

// item begins the next element of the list.
func (y *yamlText) item(id string) {
	y.WriteString("  - id: " + scalar(id) + "\n")
}

// text writes a key unless it is empty.
func (y *yamlText) text(key, value string) {
	if value != "" {
		y.line(key + ": " + scalar(value))
	}
}

func (y *yamlText) number(key string, v float64) {
	y.line(key + ": " + strconv.FormatFloat(v, 'f', -1, 64))
}

// some writes a number unless it is 0.
func (y *yamlText) some(key string, v float64) {
	if v != 0 {
		y.number(key, v)
	}
}

func opt[T ~float64](y *yamlText, key string, v unit.Opt[T]) {
	if x, ok := v.Get(); ok {
		y.number(key, float64(x))
	}
}

func (y *yamlText) list(key string, ids []PartnerID) {
	if len(ids) == 0 {
		return
	}
	ss := make([]string, len(ids))
	for i, id := range ids {
		ss[i] = scalar(string(id))
	}
	y.line(key + ": [" + strings.Join(ss, ", ") + "]")
}

func (y *yamlText) open(key string) { y.line(key + ":"); y.deep = "  " }
func (y *yamlText) close()          { y.deep = "" }

var (
	bare     = regexp.MustCompile(`^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)*$`)
	reserved = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)

// scalar writes a text so that YAML reads the same text back: plain where
// nothing can be taken for something else, else in double quotes.
func scalar(s string) string {
	if bare.MatchString(s) && !slices.Contains(reserved, s) {
		return s
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
