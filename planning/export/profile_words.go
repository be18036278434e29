package export

import (
	"fmt"
	"math"

	"github.com/crinale/crinale/planning"
)

// profileWords are the words of a profile picture in one language; %-verbs are
// filled in where they are used.
type profileWords struct {
	title, obstacle                  string
	noLink, no30, at30, at100        string
	blocked, tight, clear            string
	ground, ray, zone, sixty, coarse string
	comma                            bool // decimal comma
}

var profileLanguages = map[string]profileWords{
	"en": {
		title: "Profile A to B: %s km, %.0f MHz", obstacle: "obstacle: %.0f m high, %s km from A",
		noLink: "No link", no30: "Under 30 Mbps", at30: "30 Mbps", at100: "100 Mbps",
		blocked: "ray %.0f m under the ground", tight: "only %s Fresnel radii clear", clear: "%s Fresnel radii clear",
		ground: "ground", ray: "ray", zone: "Fresnel zone", sixty: "60 % of it", coarse: "COARSE heights",
	},
	"it": {
		title: "Profilo da A a B: %s km, %.0f MHz", obstacle: "ostacolo: quota %.0f m, a %s km da A",
		noLink: "Nessun collegamento", no30: "Meno di 30 Mbps", at30: "30 Mbps", at100: "100 Mbps",
		blocked: "raggio %.0f m sotto il terreno", tight: "solo %s raggi di Fresnel liberi", clear: "%s raggi di Fresnel liberi",
		ground: "terreno", ray: "raggio", zone: "zona di Fresnel", sixty: "60 %", coarse: "quote GROSSOLANE",
		comma: true,
	},
}

// number with prec decimals as the language writes it.
func (w profileWords) number(v float64, prec int) string {
	s := fmt.Sprintf("%.*f", prec, v)
	if w.comma {
		for i := range s {
			if s[i] == '.' {
				return s[:i] + "," + s[i+1:]
			}
		}
	}
	return s
}

// headline is the verdict in one short line.
func (w profileWords) headline(p *planning.LinkPlan) string {
	rate := w.no30
	switch {
	case p.Budget.MCS == nil || p.Budget.BackMCS == nil:
		rate = w.noLink
	case p.Verdict.Reaches100:
		rate = w.at100
	case p.Verdict.Reaches30:
		rate = w.at30
	}
	c := p.Limit
	path := ""
	switch {
	case c.Metres < 0:
		path = fmt.Sprintf(w.blocked, math.Max(1, -c.Metres))
	case c.Zones < 0.6:
		path = fmt.Sprintf(w.tight, w.number(c.Zones, 2))
	default:
		path = fmt.Sprintf(w.clear, w.number(c.Zones, 1))
	}
	if rate == w.noLink {
		return rate + " · " + path
	}
	return fmt.Sprintf("%s · %s dBm · %s", rate, w.number(p.Budget.RSSI, 0), path)
}
