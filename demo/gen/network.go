package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// place is where radios hang: a site of the design or a seat.
type place struct {
	id     string
	seat   bool
	name   string
	kind   string // of the seat
	at     geo.LonLat
	height float64 // of an antenna there
	comune string  // ISTAT code, "" outside the union
}

// radio is one device of the network in the making.
type radio struct {
	id       string
	place    *place
	antenna  antenna
	ssid     string
	freq     float64
	width    float64
	protocol string
}

// hop is one radio link.
type hop struct {
	id, name string
	a, b     *radio
	sector   *sector
	partners []string
}

// sector is a chosen access point and its stations.
type sector struct {
	id       string
	site     *siteDesign
	ap       *radio
	covers   []int // spots
	stations []*hop
}

// plan is the network in the making.
type plan struct {
	land    *land
	sites   map[string]*place
	halls   map[string]*place // by ISTAT code
	ptp     []*hop
	sectors []*sector
	served  map[string]bool // places that have a link
	order   []*hop          // most important first
}

func makeNetwork(_, out string) error {
	l, err := openLand(out)
	if err != nil {
		return err
	}
	p := &plan{land: l, sites: map[string]*place{}, halls: map[string]*place{}, served: map[string]bool{}}
	p.places()
	if err := p.backbone(); err != nil {
		return err
	}
	spots := l.spots(2021)
	p.chooseSectors(spots, radiosWant-2*len(p.ptp))
	if err := p.channels(); err != nil {
		return err
	}
	if err := p.verify(); err != nil {
		return err
	}
	p.sort()
	if err := p.writeYAML(out); err != nil {
		return err
	}
	p.report(spots)
	return p.writeSubscribers(out, spots)
}

// places makes those of the sites and the town halls.
func (p *plan) places() {
	for i := range siteDesigns {
		s := &siteDesigns[i]
		at := geo.LonLat{Lon: s.lon, Lat: s.lat}
		pl := &place{id: s.id, name: s.name, at: at, height: s.height - 2}
		if c, ok := p.land.union.ComuneAt(at); ok {
			pl.comune = c.ISTAT
		}
		p.sites[s.id] = pl
	}
	for _, c := range p.land.union.Comuni {
		p.halls[c.ISTAT] = &place{id: "town-hall-" + slug(c.Name), seat: true, name: "Municipio di " + c.Name, kind: "town-hall", at: c.Hall, height: hallRoof, comune: c.ISTAT}
	}
}

func (p *plan) place(key string) *place {
	if istat, ok := strings.CutPrefix(key, "hall:"); ok {
		return p.halls[istat]
	}
	return p.sites[key]
}

// backbone makes the links of the design.
func (p *plan) backbone() error {
	for _, d := range ptpDesigns {
		a, b := p.place(d.a), p.place(d.b)
		if a == nil || b == nil {
			return fmt.Errorf("link %s to %s: no such place", d.a, d.b)
		}
		short := func(pl *place) string { return strings.TrimPrefix(pl.id, "town-") }
		protocol := "802.11"
		if d.gear == wire {
			protocol = "w60g"
		} else if len(p.ptp)%3 == 1 {
			protocol = "nv2"
		}
		id := short(a) + "-" + short(b)
		mk := func(from, to *place) *radio {
			return &radio{id: short(from) + "-to-" + short(to), place: from, ssid: "al-" + id[:min(len(id), 29)], protocol: protocol,
				antenna: antenna{at: from.at, height: from.height, gear: d.gear}}
		}
		p.ptp = append(p.ptp, &hop{id: id, name: d.name, a: mk(a, b), b: mk(b, a), partners: d.partners})
		p.served[a.id], p.served[b.id] = true, true
	}
	return nil
}

// verify plans every radio link as it will be written.
func (p *plan) verify() error {
	var bad []string
	for _, h := range p.hops() {
		plan, good, err := p.land.link(h.a.antenna, h.b.antenna, h.a.freq, h.a.width, phyWant)
		if err != nil {
			return fmt.Errorf("link %s: %w", h.id, err)
		}
		if !good {
			bad = append(bad, fmt.Sprintf("%s: %.1f km, %.1f Fresnel radii, %.1f dBm %.0f Mbps, back %.1f dBm %.0f Mbps at %v MHz", h.id,
				plan.Dist/1000, plan.Clearance.Zones, plan.Budget.RSSI, plan.Budget.Rate, plan.Budget.BackRSSI, plan.Budget.BackRate, h.a.width))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("links that are not good enough:\n%s", strings.Join(bad, "\n"))
	}
	return nil
}

// hops are all radio links.
func (p *plan) hops() []*hop {
	out := slices.Clone(p.ptp)
	for _, s := range p.sectors {
		out = append(out, s.stations...)
	}
	return out
}

// sort puts the most important link first, so that what is cut from the end
// leaves a network that hangs together: three links of the backbone and a
// sector, then a sector after each further link that reaches one.
func (p *plan) sort() {
	reached := map[string]bool{}
	var waiting []*sector
	waiting = append(waiting, p.sectors...)
	next := func() {
		for i, s := range waiting {
			if reached[s.site.id] {
				p.order = append(p.order, s.stations...)
				waiting = slices.Delete(waiting, i, i+1)
				return
			}
		}
	}
	for i, h := range p.ptp {
		p.order = append(p.order, h)
		reached[h.a.place.id], reached[h.b.place.id] = true, true
		if i == 0 || i > 2 {
			next()
		}
	}
	for range len(waiting) {
		next()
	}
}

// slug makes a name out of a title.
func slug(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s, "'", "-"), " ", "-"))
}

func some(d float64) unit.Opt[unit.Degrees] { return unit.Some(unit.Degrees(d)) }
