package planning

import (
	"errors"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/unit"
)

// Transmitter is one sector as planning sees it.
type Transmitter struct {
	ID          network.SectorID
	Site        string // name of the place, for people
	At          geo.LonLat
	Height      unit.Metres            // of the antenna over ground
	Gear        *network.Gear          // nil: Generic
	Azimuth     unit.Opt[unit.Degrees] // unknown: full gain all round
	Tilt        unit.Degrees           // up is positive
	Freq, Width unit.MHz               // 0: the defaults of a link
	TxPower     unit.Opt[unit.DBm]     // at the port; unknown: up to the limit
	EIRP        unit.Opt[unit.DBm]     // greatest; unknown: the law's
	Use         spectrum.Use           // "": RLAN
}

// Transmitters are the sectors of a network with their gear. The device of a
// sector must have an azimuth, unless its antenna is all round.
func Transmitters(n *network.Network) ([]Transmitter, error) {
	var out []Transmitter
	var bad []error
	for _, s := range n.Sectors {
		d, ok := n.Device(s.Device)
		if !ok {
			bad = append(bad, fault.New(fault.Invalid, "sector %s: device %q does not exist", s.ID, s.Device))
			continue
		}
		at, h, ok := n.Position(d.ID)
		g, known := n.Gear[d.Gear]
		switch {
		case !ok:
			bad = append(bad, fault.New(fault.Invalid, "sector %s: device %s stands nowhere; give it a site", s.ID, d.ID))
			continue
		case !known:
			bad = append(bad, fault.New(fault.Invalid, "sector %s: device %s has gear %q, which has no sheet", s.ID, d.ID, d.Gear))
			continue
		}
		if az, _ := beamwidths(g.Antenna); !d.Azimuth.Known() && az < 360 {
			bad = append(bad, fault.New(fault.Invalid, "sector %s: the antenna of device %s is %.0f° wide; give the device its azimuth_deg", s.ID, d.ID, az))
			continue
		}
		site, _ := n.Site(d.Site)
		x := Transmitter{
			ID: s.ID, Site: site.Name, At: at, Height: h, Gear: &g, Azimuth: d.Azimuth, Tilt: d.Tilt.Or(0),
			Freq: d.Settings.Freq.Or(0), Width: d.Settings.Width.Or(0), TxPower: d.Settings.TxPower, Use: s.Use,
		}
		if err := x.withDefaults().inBand(); err != nil {
			bad = append(bad, err)
			continue
		}
		out = append(out, x)
	}
	if err := errors.Join(bad...); err != nil {
		return nil, fault.As(fault.Invalid, fmt.Errorf("sectors of the network: %w", err))
	}
	return out, nil
}

func (t Transmitter) withDefaults() Transmitter {
	if t.Gear == nil {
		t.Gear = Generic()
	}
	if t.Freq == 0 {
		t.Freq = DefaultFreq
	}
	if t.Width == 0 {
		t.Width = DefaultWidth
	}
	if t.Use == "" {
		t.Use = spectrum.RLAN
	}
	return t
}

// inBand refuses a channel outside the bands of the sector's gear.
func (t Transmitter) inBand() error {
	if err := inBand(t.Gear, t.Freq, t.Width, "give its device gear that has that band, or another freq_mhz"); err != nil {
		return fmt.Errorf("sector %s: %w", t.ID, err)
	}
	return nil
}

// sender of the transmitter, without pattern loss.
func (t Transmitter) sender() (sender, error) {
	limit, ok := t.EIRP.Get()
	if !ok {
		var err error
		if limit, _, err = LegalEIRP(t.Freq, t.Width, t.Use); err != nil {
			return sender{}, fmt.Errorf("sector %s: %w", t.ID, err)
		}
	}
	return sender{gear: t.Gear, limit: limit, power: t.TxPower}, nil
}
