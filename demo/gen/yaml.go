package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/geo"
)

const invented = "# Invented for the demo, written by demo/gen. Nothing here stands anywhere.\n"

// writeYAML writes the files of the network.
func (p *plan) writeYAML(out string) error {
	for _, f := range []struct{ name, text string }{
		{"partners", p.partnersYAML()},
		{"sites", p.sitesYAML()},
		{"seats", p.seatsYAML()},
		{"devices", p.devicesYAML()},
		{"sectors", p.sectorsYAML()},
		{"links", p.linksYAML()},
	} {
		if err := write(out, "network/"+f.name+".yaml", []byte(invented+f.text)); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) partnersYAML() string {
	b := "partners:\n"
	for _, d := range partnerDesign {
		b += fmt.Sprintf("  - {id: %s, name: %s, contact: %s}\n", d.id, d.name, d.contact)
	}
	return b
}

func position(at geo.LonLat) string { return fmt.Sprintf("lat: %.5f\n    lon: %.5f\n", at.Lat, at.Lon) }

func (p *plan) sitesYAML() string {
	b := "# Heights are metres over ground, battery is hours without the grid.\nsites:\n"
	for _, d := range siteDesigns {
		pl := p.sites[d.id]
		b += fmt.Sprintf("  - id: %s\n    name: %s\n    %s", d.id, d.name, position(pl.at))
		if pl.comune != "" {
			b += fmt.Sprintf("    comune: %q\n", pl.comune)
		}
		b += fmt.Sprintf("    structure: %s\n    height_m: %v\n    power: {source: %s, battery_h: %v}\n    access: %q\n    partners: [%s]\n",
			d.structure, d.height, d.power, d.battery, d.access, strings.Join(d.partners, ", "))
	}
	return b
}

func (p *plan) seatsYAML() string {
	b := "# The 38 town halls stand where they are; the other seats are invented.\nseats:\n"
	add := func(pl *place) {
		comune := ""
		if pl.comune != "" {
			comune = fmt.Sprintf(", comune: %q", pl.comune)
		}
		b += fmt.Sprintf("  - {id: %s, name: %q, kind: %s, lat: %.6f, lon: %.6f%s}\n", pl.id, pl.name, pl.kind, pl.at.Lat, pl.at.Lon, comune)
	}
	for _, c := range p.land.union.Comuni {
		add(p.halls[c.ISTAT])
	}
	for _, h := range p.order {
		if pl := h.b.place; pl.seat && pl.kind != "town-hall" {
			add(pl)
		}
	}
	return b
}

// radios lists the devices in the order of their links, each once.
func (p *plan) radios() []*radio {
	var out []*radio
	for _, h := range p.order {
		for _, r := range []*radio{h.a, h.b} {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (p *plan) devicesYAML() string {
	b := "# Tx power is 27 dBm less the antenna's gain: the EIRP allowed at 5470 to\n# 5725 MHz without transmit power control.\ndevices:\n"
	for i, r := range p.radios() {
		where := "site: " + r.place.id
		if r.place.seat {
			where = "seat: " + r.place.id
		}
		b += fmt.Sprintf("  - id: %s\n    %s\n    gear: %s\n    address: 10.38.0.%d\n    mac: 02:A1:00:00:00:%02X\n    height_m: %s\n",
			r.id, where, r.antenna.gear, i+1, i+1, number(r.antenna.height))
		if az, ok := r.antenna.azimuth.Get(); ok {
			b += fmt.Sprintf("    azimuth_deg: %s\n    tilt_deg: %s\n", number(float64(az)), number(float64(r.antenna.tilt.Or(0))))
		}
		b += fmt.Sprintf("    settings: {ssid: %s, freq_mhz: %s, width_mhz: %s, tx_power_dbm: %s, protocol: %q}\n",
			r.ssid, number(r.freq), number(r.width), number(p.land.tx(r.antenna.gear)), r.protocol)
	}
	b += "  # Routers without a radio of ours, at the near end of what comes in by wire or\n  # from another's radio.\n"
	for i, d := range wiredDesigns {
		key, where := "site", p.place(d.place)
		if where.seat {
			key = "seat"
		}
		b += fmt.Sprintf("  - {id: %s, %s: %s, gear: %s, address: 10.38.254.%d}\n", d.device, key, where.id, d.gear, i+1)
	}
	return b
}

func (p *plan) sectorsYAML() string {
	b := "# Chosen one after another, each for the people it covers that none did before.\nsectors:\n"
	for _, s := range p.sectors {
		b += fmt.Sprintf("  - {id: %s, device: %s, use: rlan}\n", s.id, s.ap.id)
	}
	return b
}

func (p *plan) linksYAML() string {
	b := "# The most important first: a demo with fewer radios leaves out the last ones.\nlinks:\n"
	for _, d := range wiredDesigns {
		b += fmt.Sprintf("  - {id: %s, name: %s, medium: %s, a: %s, partners: [%s]}\n", d.id, d.name, d.medium, d.device, strings.Join(d.partners, ", "))
	}
	for _, h := range p.order {
		sector := ""
		if h.sector != nil {
			sector = ", sector: " + h.sector.id
		}
		b += fmt.Sprintf("  - {id: %s, name: %q, medium: radio, a: %s, b: %s%s, partners: [%s]}\n", h.id, h.name, h.a.id, h.b.id, sector, strings.Join(h.partners, ", "))
	}
	return b
}
