package network

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/crinale/crinale/internal/unit"
)

// Confidence is how much a gear figure may be trusted.
type Confidence string

const (
	Vendor          Confidence = "vendor"
	ThirdParty      Confidence = "third-party"
	StandardMinimum Confidence = "standard-minimum"
	UnknownGear     Confidence = "unknown"
)

// rank orders confidences, the best first.
var rank = map[Confidence]int{Vendor: 0, ThirdParty: 1, StandardMinimum: 2, UnknownGear: 3}

// Worse is the less trusted of two.
func Worse(a, b Confidence) Confidence {
	if rank[a] >= rank[b] {
		return a
	}
	return b
}

// Gear is a product's sheet. Every figure has a source and a confidence. Its
// JSON has the keys of the sheet.
type Gear struct {
	ID      GearID  `json:"id"`
	Vendor  string  `json:"vendor"`
	Product string  `json:"product"`
	Class   string  `json:"class"` // "wireless", "wifi", "w60g", "router"
	Bands   []Band  `json:"bands"`
	Antenna Antenna `json:"antenna"`
	Rates   []Rate  `json:"rates"` // sorted by width, then by sensitivity, the most robust first
}

// Band is a range of frequencies the product can use.
type Band struct {
	From unit.MHz `json:"from_mhz"`
	To   unit.MHz `json:"to_mhz"`
}

// Antenna is the built-in or usual antenna of the product.
type Antenna struct {
	Gain        unit.DB      `json:"gain_dbi"`
	BeamwidthAz unit.Degrees `json:"beamwidth_az_deg"` // between the half-power points; 360 is omnidirectional
	BeamwidthEl unit.Degrees `json:"beamwidth_el_deg"`
	Pattern     string       `json:"pattern"` // file beside the sheet; "" : from the beamwidths
	Source      string       `json:"source"`
	Confidence  Confidence   `json:"confidence"`
}

// Rate is one modulation and coding scheme at one channel width.
type Rate struct {
	MCS         int                `json:"mcs"`
	Streams     int                `json:"streams"`
	Width       unit.MHz           `json:"width_mhz"`
	PHY         unit.Mbps          `json:"phy_mbps"`        // rate on the air
	Sensitivity unit.DBm           `json:"sensitivity_dbm"` // least level at the port that sustains it
	MaxTx       unit.Opt[unit.DBm] `json:"max_tx_dbm"`
	Source      string             `json:"source"`
	Confidence  Confidence         `json:"confidence"`
}

// primaryWidth is the channel that a wider 802.11 one is built on.
const primaryWidth unit.MHz = 20

// Carries says whether a band of the product has room for a channel of a width
// (0: 20 MHz) whose primary channel is centred at f. The rest of a wide channel
// may lie to either side of the primary one. A sheet without bands carries all.
func (g Gear) Carries(f, width unit.MHz) bool {
	if width == 0 {
		width = primaryWidth
	}
	half := min(width, primaryWidth) / 2
	if width > 320 { // 60 GHz channels have no narrower primary one
		half = width / 2
	}
	return len(g.Bands) == 0 || slices.ContainsFunc(g.Bands, func(b Band) bool {
		return f-half >= b.From && f+half <= b.To && width <= b.To-b.From
	})
}

// BandText names the bands: "2400 to 2483.5 MHz, 5150 to 5875 MHz".
func (g Gear) BandText() string {
	ss := make([]string, len(g.Bands))
	for i, b := range g.Bands {
		ss[i] = fmt.Sprintf("%v to %v", float64(b.From), b.To)
	}
	return strings.Join(ss, ", ")
}

// MaxTx is the greatest Tx power of any rate at the width; unknown if no row
// says.
func (g Gear) MaxTx(width unit.MHz) unit.Opt[unit.DBm] {
	var best unit.Opt[unit.DBm]
	for _, r := range g.Rates {
		if p, ok := r.MaxTx.Get(); ok && r.Width == width && (!best.Known() || p > best.Or(0)) {
			best = r.MaxTx
		}
	}
	return best
}

// Best is the fastest rate at a width that a level sustains.
func (g Gear) Best(width unit.MHz, level unit.DBm) (Rate, bool) {
	var best Rate
	found := false
	for _, r := range g.Rates {
		if r.Width == width && level >= r.Sensitivity && (!found || r.PHY > best.PHY) {
			best, found = r, true
		}
	}
	return best, found
}

// Widths lists the channel widths the sheet has rates for, ascending.
func (g Gear) Widths() []unit.MHz {
	seen := map[unit.MHz]bool{}
	var ws []unit.MHz
	for _, r := range g.Rates {
		if !seen[r.Width] {
			seen[r.Width] = true
			ws = append(ws, r.Width)
		}
	}
	sort.Slice(ws, func(i, j int) bool { return ws[i] < ws[j] })
	return ws
}
