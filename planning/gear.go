package planning

import (
	"sync"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// UsableShare is the part of the rate on the air that a subscriber alone on the
// channel gets as TCP throughput in one direction. 802.11 and TDMA links lose
// to preambles, acknowledgements, time slots and the way back; published tests
// of RouterOS links lie between a third (TCP) and three quarters (UDP) of the
// air rate, so one half is taken everywhere and said in each verdict.
const UsableShare = 0.5

// Usable is the throughput that a rate on the air gives.
func Usable(phy unit.Mbps) unit.Mbps { return phy * UsableShare }

// vht are the modulations of IEEE 802.11ac: bits per symbol and carrier times
// the code rate, and the least input level at 20 MHz (IEEE 802.11-2020 table
// 21-25; taken from general knowledge, see the sheet's source).
var vht = []struct {
	bits float64
	sens unit.DBm
}{
	{0.5, -82}, {1, -79}, {1.5, -77}, {2, -74}, {3, -70},
	{4, -66}, {4.5, -65}, {5, -64}, {6, -59}, {20.0 / 3, -57},
}

// vhtCarriers are the data carriers by channel width, and what the least level
// rises over 20 MHz.
var vhtWidths = []struct {
	width    unit.MHz
	carriers float64
	more     unit.DB
}{{20, 52, 0}, {40, 108, 3}, {80, 234, 6}}

// Generic is the gear taken where none is named: IEEE 802.11ac, two streams, a
// 23 dBi dish, and the least sensitivity the standard allows. The standard
// measures each receive chain; our levels are the sum of all chains, so two
// streams need 3 dB more. Rates are those of the short guard interval.
var Generic = sync.OnceValue(func() *network.Gear {
	const source = "IEEE 802.11ac receiver minimum input level per chain, plus 3 dB for two chains; no measurement of a product"
	g := &network.Gear{
		ID: "generic-80211ac-23dbi", Product: "generic 802.11ac with a 23 dBi dish", Class: "wireless",
		Bands: []network.Band{{From: 5150, To: 5875}},
		Antenna: network.Antenna{Gain: 23, Source: "usual gain of a 40 cm dish at 5 GHz; beamwidth from the gain",
			Confidence: network.StandardMinimum},
	}
	for _, w := range vhtWidths {
		for streams := 1; streams <= 2; streams++ {
			for mcs, m := range vht {
				if mcs == 9 && w.width == 20 {
					continue // not defined for one and two streams
				}
				g.Rates = append(g.Rates, network.Rate{
					MCS: mcs, Streams: streams, Width: w.width,
					PHY:         unit.Mbps(w.carriers * m.bits * float64(streams) / 3.6),
					Sensitivity: m.sens.Plus(w.more).Plus(unit.DB(3 * (streams - 1))),
					Source:      source, Confidence: network.StandardMinimum,
				})
			}
		}
	}
	return g
})

// inBand refuses a channel that the gear has no band for; mend says what to do.
func inBand(g *network.Gear, f, width unit.MHz, mend string) error {
	if g.Carries(f, width) {
		return nil
	}
	return fault.New(fault.Invalid, "channel at %v, %v wide: outside the bands of %s (%s); %s", f, width, label(g), g.BandText(), mend)
}

// label is what a result calls a product.
func label(g *network.Gear) string {
	switch {
	case g.Vendor != "" && g.Product != "":
		return g.Vendor + " " + g.Product
	case g.Product != "":
		return g.Product
	}
	return string(g.ID)
}
