package planning

import (
	"fmt"
	"math"
	"strings"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// clearEnough is the part of the first Fresnel zone which, kept free, makes
// diffraction vanish (ITU-R P.530, P.526).
const clearEnough = 0.6

// lackMendable is about what dishes can still add, in dB.
const lackMendable unit.DB = 15

// The tallest mast a union would put up for one link.
const mastMax unit.Metres = 40

// judge writes the verdict.
func (p *LinkPlan) judge() {
	holds := p.Budget.MCS != nil && p.Budget.BackMCS != nil
	p.Verdict.Reaches30 = holds && p.Budget.Usable >= 30
	p.Verdict.Reaches100 = holds && p.Budget.Usable >= 100
	p.Verdict.Text = strings.Join(append([]string{p.sayPath(), p.sayRate()}, p.Caveats()...), " ")
}

// sayPath is what the ground does to the ray, and the mend.
func (p *LinkPlan) sayPath() string {
	c := p.Limit
	where := fmt.Sprintf("%.0f m high, %.2f km from A at %.4f,%.4f", c.Ground, c.D/1000, c.At.Lat, c.At.Lon)
	switch {
	case c.Metres < 0:
		return fmt.Sprintf("Blocked: the ray passes %.0f m under a ridge %s (%.1f Fresnel radii); diffraction costs %.0f dB. %s",
			-c.Metres, where, c.Zones, p.Loss.Diffraction, p.sayMast())
	case c.Zones < clearEnough:
		return fmt.Sprintf("In sight, but the ground %s comes within %.2f of the first Fresnel radius (%.1f wanted); diffraction costs %.1f dB. %s",
			where, c.Zones, clearEnough, p.Loss.Diffraction, p.sayMast())
	}
	return fmt.Sprintf("Clear: %.1f Fresnel radii (%.0f m) over the nearest ground, %s.", c.Zones, c.Metres, where)
}

func (p *LinkPlan) sayMast() string {
	a, b := p.Clearance.MastA.Or(0), p.Clearance.MastB.Or(0)
	up := func(m unit.Metres) float64 { return math.Ceil(float64(m)) }
	switch {
	case a <= mastMax && b <= mastMax:
		return fmt.Sprintf("Raise the antenna at A to %.0f m over ground, or the one at B to %.0f m.", up(a), up(b))
	case a <= mastMax:
		return fmt.Sprintf("Raise the antenna at A to %.0f m over ground (at B it would take %.0f m).", up(a), up(b))
	case b <= mastMax:
		return fmt.Sprintf("Raise the antenna at B to %.0f m over ground (at A it would take %.0f m).", up(b), up(a))
	}
	return fmt.Sprintf("No mast mends it (%.0f m at A or %.0f m at B): go by another site, for example one on that ridge.", up(a), up(b))
}

// sayRate is what the level is good for, and what lacks.
func (p *LinkPlan) sayRate() string {
	b := p.Budget
	if b.MCS == nil {
		return fmt.Sprintf("At %.1f dBm no rate fits: no link. %s", b.RSSI, p.sayLack(30))
	}
	s := fmt.Sprintf("At %.1f dBm MCS %d on %d stream(s) fits: %.0f Mbps on the air, about %.0f usable (%.0f%% of the air rate).",
		b.RSSI, *b.MCS, *b.Streams, b.Rate, b.Usable, 100*UsableShare)
	switch {
	case b.BackMCS == nil:
		return s + fmt.Sprintf(" But back from B to A only %.1f dBm arrive and no rate fits: no link.", b.BackRSSI)
	case p.Verdict.Reaches100:
		return s + " It reaches 100 Mbps."
	case p.Verdict.Reaches30:
		return s + " It reaches 30 Mbps, not 100."
	}
	return s + " It does not reach 30 Mbps. " + p.sayLack(30)
}

// sayLack is how much more level want would take, at this width or a wider one.
func (p *LinkPlan) sayLack(want unit.Mbps) string {
	q := p.Query
	if d, ok := lack(p.sendA, p.hearB, q.Width, p.total, want); ok && d > 0 {
		s := fmt.Sprintf("%.0f Mbps takes %.1f dB more", float64(want), math.Ceil(float64(d)*10)/10)
		for _, w := range q.B.Gear.Widths() {
			if d, ok := lack(p.sendA, p.hearB, w, p.total, want); ok && d <= 0 && w > q.Width {
				return s + fmt.Sprintf(", or a channel of %.0f MHz.", float64(w))
			}
		}
		if d > lackMendable {
			return s + ": this path will not carry it."
		}
		return s + " (a larger dish at the receiving end, or a shorter path)."
	}
	return fmt.Sprintf("No rate of this gear at %.0f MHz gives %.0f Mbps: take a wider channel.", float64(q.Width), float64(want))
}

// Caveats say what the figures rest on and leave out.
func (p *LinkPlan) Caveats() []string {
	out := terrainCaveats(p.Terrain)
	if p.Budget.Confidence == network.StandardMinimum {
		out = append(out, sayStandardMinimum)
	} else if p.Budget.Confidence == network.UnknownGear {
		out = append(out, "The source of the gear's figures is unknown.")
	}
	if p.law != nil {
		if p.Budget.EIRP > float64(p.Budget.EIRPLimit.Or(0))+0.005 {
			out = append(out, fmt.Sprintf("EIRP %.1f dBm is over the %.1f dBm that %s allows without transmit power control.",
				p.Budget.EIRP, float64(p.Budget.EIRPLimit.Or(0)), p.law.Source))
		}
		if !p.law.Verified {
			out = append(out, "The EIRP limit was not verified for Italy: ask before transmitting.")
		}
		if p.law.Indoor {
			out = append(out, "This band is for indoor use only.")
		}
	}
	return append(out, sayLeftOut)
}

const (
	sayStandardMinimum = "Sensitivity is only the minimum of the IEEE standard, not measured on a product: real radios do better."
	sayLeftOut         = "Rain, multipath and interference are not in these figures."
)

// terrainCaveats are the ones of the ground alone.
func terrainCaveats(s Source) []string {
	var out []string
	if s.Coarse {
		// Measured against finer heights: 52 % at 900 m, 15 % at 100 m, 26 % at
		// 180 m of the links called clear were not.
		wrong := "a quarter"
		if s.CellM > 400 {
			wrong = "half"
		}
		out = append(out, fmt.Sprintf("Coarse: heights every %.0f m shave ridges off; about %s of the links that such a grid calls clear are not. Check with finer heights before building.", s.CellM, wrong))
	}
	switch s.Surface {
	case BareEarth:
		out = append(out, "Bare earth: trees and houses are not in it.")
	case UnknownSurface:
		out = append(out, "It is not known whether these heights hold trees and houses.")
	}
	return out
}
