package planning

import (
	"fmt"
	"math"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
)

// NoiseFigure of a receiver in dB, a usual figure for outdoor 5 GHz radios.
const NoiseFigure unit.DB = 7

// Noise is the thermal noise of a receiver: −174 dBm/Hz + 10 log10(B) + noise
// figure, at 290 K.
func Noise(width unit.MHz) unit.DBm {
	return unit.DBm(-174 + 10*math.Log10(float64(width)*1e6)).Plus(NoiseFigure)
}

// LegalEIRP is the greatest EIRP without transmit power control that the law
// allows at f, spread over width, with the rule it follows from.
func LegalEIRP(f, width unit.MHz, use spectrum.Use) (unit.DBm, spectrum.Rule, error) {
	r, err := spectrum.Lookup(f, use)
	if err != nil {
		return 0, r, fault.As(fault.Invalid, fmt.Errorf("legal EIRP: %w; or give the EIRP (--eirp)", err))
	}
	limit := r.MaxEIRPNoTPC
	if density, ok := r.MaxDensity.Get(); ok {
		// What lacks for want of TPC lacks from the density as well.
		density = density.Minus(r.MaxEIRP.Over(r.MaxEIRPNoTPC))
		// The rounding of the rule (14 dBm/MHz × 20 MHz is 27.01 dBm) is no gain.
		limit = min(limit, density.Plus(unit.DB(10*math.Log10(float64(width)))))
	}
	return limit, r, nil
}

// sender is one end that transmits.
type sender struct {
	gear  *network.Gear
	limit unit.DBm           // greatest EIRP
	power unit.Opt[unit.DBm] // set at the port; unknown: up to limit
	off   unit.DB            // pattern loss towards the other end
}

// eirp of a rate in the boresight.
func (s sender) eirp(r network.Rate) unit.DBm {
	p, known := s.power.Get()
	if most, ok := r.MaxTx.Get(); ok && (!known || most < p) {
		p, known = most, true
	}
	if !known {
		return s.limit
	}
	return min(p.Plus(s.gear.Antenna.Gain), s.limit)
}

// receiver is one end that listens.
type receiver struct {
	gear *network.Gear
	off  unit.DB
}

// way is what one direction of a link gives.
type way struct {
	eirp, rssi unit.DBm
	rate       network.Rate // zero when ok is false
	ok         bool
	conf       network.Confidence
}

// step is one rate that both ends know at a width.
type step struct {
	rate network.Rate
	eirp unit.DBm
}

// steps are the rates both ends know, with the EIRP each goes out with.
func steps(tx sender, rx *network.Gear, width unit.MHz) []step {
	out := make([]step, 0, len(rx.Rates))
	for i := range rx.Rates {
		r := rx.Rates[i]
		if r.Width != width {
			continue
		}
		own := tx.row(i, r)
		if own == nil {
			continue
		}
		r.Confidence = network.Worse(r.Confidence, own.Confidence)
		out = append(out, step{r, tx.eirp(*own)})
	}
	return out
}

// row is the sender's own row for a rate of the receiver, number i there; most
// sheets list rates in one order.
func (s sender) row(i int, r network.Rate) *network.Rate {
	same := func(o *network.Rate) bool { return o.MCS == r.MCS && o.Streams == r.Streams && o.Width == r.Width }
	if i < len(s.gear.Rates) && same(&s.gear.Rates[i]) {
		return &s.gear.Rates[i]
	}
	for j := range s.gear.Rates {
		if same(&s.gear.Rates[j]) {
			return &s.gear.Rates[j]
		}
	}
	return nil
}

// shareRate says when two products have no rate in common at a width.
func shareRate(tx, rx *network.Gear, width unit.MHz) error {
	for i, r := range rx.Rates {
		if r.Width == width && (sender{gear: tx}).row(i, r) != nil {
			return nil
		}
	}
	if tx == rx || tx.ID == rx.ID && label(tx) == label(rx) {
		return fault.New(fault.Invalid, "budget: %s has no rate at %v: its sheet has %s; choose one of these widths", label(tx), width, sayWidths(tx))
	}
	return fault.New(fault.Invalid, "budget: %s and %s share no rate at %v: their sheets have %s, and %s; choose a width of both",
		label(tx), label(rx), width, sayWidths(tx), sayWidths(rx))
}

// sayWidths names the channel widths of a sheet: "20, 40 and 80 MHz".
func sayWidths(g *network.Gear) string {
	ws := g.Widths()
	if len(ws) == 0 {
		return "none"
	}
	ss := make([]string, len(ws))
	for i, w := range ws {
		ss[i] = fmt.Sprint(float64(w))
	}
	last := len(ss) - 1
	if last > 0 {
		ss = []string{strings.Join(ss[:last], ", ") + " and " + ss[last]}
	}
	return ss[0] + " MHz"
}

// budget of one direction over a loss, between products that share a rate.
func budget(tx sender, rx receiver, width unit.MHz, loss unit.DB) way {
	ss := steps(tx, rx.gear, width)
	net := rx.gear.Antenna.Gain - tx.off - rx.off - loss
	var w way
	for i, s := range ss {
		rssi := s.eirp.Plus(net)
		fits := rssi >= s.rate.Sensitivity
		if i == 0 || (fits && (!w.ok || s.rate.PHY > w.rate.PHY)) || (!fits && !w.ok && s.eirp > w.eirp) {
			w = way{eirp: s.eirp, rssi: rssi, conf: s.rate.Confidence}
			if fits {
				w.rate, w.ok = s.rate, true
			}
		}
	}
	w.conf = network.Worse(w.conf, network.Worse(tx.gear.Antenna.Confidence, rx.gear.Antenna.Confidence))
	return w
}

// lack is how many dB more level would give want of usable throughput at a
// width; false when no rate of the gear gives it.
func lack(tx sender, rx receiver, width unit.MHz, loss unit.DB, want unit.Mbps) (unit.DB, bool) {
	best, found := unit.DB(0), false
	net := rx.gear.Antenna.Gain - tx.off - rx.off - loss
	for _, s := range steps(tx, rx.gear, width) {
		if Usable(s.rate.PHY) < want {
			continue
		}
		if d := s.rate.Sensitivity.Over(s.eirp.Plus(net)); !found || d < best {
			best, found = d, true
		}
	}
	return best, found
}
