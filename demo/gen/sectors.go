package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

const (
	sectorFreq  = 5700 // the least favourable
	sectorWidth = 40
	reach       = 8000 // metres a sector is tried over
)

// path is what lies between a site and a spot.
type path struct {
	loss, bearing, tilt float64
}

// chooseSectors takes, one after another, the sector that covers most people
// who have none yet, and gives each one station. Each takes two radios.
func (p *plan) chooseSectors(spots []spot, radios int) {
	var halls []spot
	for _, c := range p.land.union.Comuni {
		halls = append(halls, spot{at: c.Hall, people: hallWorth, comune: c.ISTAT})
	}
	paths, hallPaths := map[string][]*path{}, map[string][]*path{}
	for i := range siteDesigns {
		s := &siteDesigns[i]
		paths[s.id], hallPaths[s.id] = p.paths(s, spots, houseRoof), p.paths(s, halls, hallRoof)
	}
	reached := make([]bool, len(halls))
	for i, h := range halls {
		reached[i] = p.served[p.halls[h.comune].id]
	}
	covered := make([]bool, len(spots))
	used := map[string]int{}
	for ; radios >= 2; radios -= 2 {
		type try struct {
			s        *siteDesign
			gear     string
			az, tilt float64
			list     []int
			halls    []int
			score    float64
		}
		var tries []try
		for i := range siteDesigns {
			s := &siteDesigns[i]
			if used[s.id] >= s.sectors {
				continue
			}
			for _, gear := range []string{box15, box19} {
				for az := 0.0; az < 360; az += 15 {
					for _, tilt := range []float64{0, -2, -4, -6} {
						list, n := p.covers(gear, az, tilt, paths[s.id], spots, covered, oneWay)
						hs, m := p.covers(gear, az, tilt, hallPaths[s.id], halls, reached, bothWays)
						if n+m > 0 {
							tries = append(tries, try{s, gear, az, tilt, list, hs, n + m})
						}
					}
				}
			}
		}
		slices.SortStableFunc(tries, func(a, b try) int { return cmp.Compare(b.score, a.score) })
		at := slices.IndexFunc(tries, func(t try) bool { return p.firstStation(p.sectorAt(t.s, t.gear, t.az, t.tilt)) != nil })
		if at < 0 {
			break
		}
		t := tries[at]
		best := p.sectorAt(t.s, t.gear, t.az, t.tilt)
		best.covers = t.list
		used[t.s.id]++
		for _, i := range best.covers {
			covered[i] = true
		}
		for _, i := range t.halls {
			reached[i] = true
		}
		p.addStation(best, p.firstStation(best))
		p.sectors = append(p.sectors, best)
	}
}

func (p *plan) paths(s *siteDesign, spots []spot, height unit.Metres) []*path {
	out := make([]*path, len(spots))
	a := antenna{at: p.sites[s.id].at, height: s.height - 1, gear: box15}
	for i, sp := range spots {
		if d := a.at.Distance(sp.at); d > reach || d < 50 {
			continue
		}
		lp, err := planning.PlanLink(p.land.terrain, planning.LinkQuery{
			A: p.land.end(a), B: planning.End{At: sp.at, Height: height}, Freq: sectorFreq, Width: sectorWidth})
		if err == nil {
			out[i] = &path{lp.Loss.Total, lp.Bearing, lp.Tilt}
		}
	}
	return out
}

// need is the least level at each end: for a sector's own reach phyWant to the
// subscriber and any way back, for a town hall phyWant both ways and to spare.
type need struct{ there, back float64 }

var (
	oneWay   = need{-73, -79}
	bothWays = need{-73 + levelSpare, -73 + levelSpare}
)

// hallWorth is how many people a town hall counts for in the choice.
const hallWorth = 120

// covers lists the spots that a sector serves at a 23 dBi dish, and counts the
// people who had none.
func (p *plan) covers(gear string, az, tilt float64, paths []*path, spots []spot, covered []bool, n need) (list []int, people float64) {
	g := p.land.gear[network.GearID(gear)]
	const dish = 23
	for i, q := range paths {
		if q == nil || legalEIRP+dish-q.loss < n.there {
			continue
		}
		off := float64(planning.Off(g.Antenna, unit.Degrees(q.bearing-az), unit.Degrees(q.tilt-tilt)))
		if legalEIRP+dish-q.loss-off < n.there || legalEIRP+float64(g.Antenna.Gain)-q.loss-off < n.back {
			continue
		}
		list = append(list, i)
		if !covered[i] {
			people += spots[i].people
		}
	}
	return list, people
}

var winds = []string{"north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"}

func (p *plan) sectorAt(s *siteDesign, gear string, az, tilt float64) *sector {
	id := s.id + "-" + winds[int(math.Round(az/45))%8]
	for _, o := range p.sectors {
		if o.id == id {
			id += "-2"
		}
	}
	ap := &radio{id: id + "-ap", place: p.sites[s.id], ssid: "al-" + id, protocol: "nv2", freq: sectorFreq, width: sectorWidth,
		antenna: antenna{at: p.sites[s.id].at, height: s.height - 1, gear: gear, azimuth: some(az), tilt: some(tilt)}}
	if s.id == wifiSite && gear == box15 { // the same antenna under the new drivers
		ap.antenna.gear, ap.protocol = boxWifi, "802.11"
	}
	return &sector{id: id, site: s, ap: ap}
}

// station tries a subscriber's radio at a place: the smallest that is good,
// with back Mbps on the air towards the sector.
func (p *plan) station(s *sector, pl *place, back unit.Mbps) (*radio, float64) {
	if s.ap.antenna.at.Distance(pl.at) > reach {
		return nil, 0
	}
	small := sxt
	if s.ap.antenna.gear == boxWifi {
		small = sxtWifi
	}
	for _, gear := range []string{small, lhg, xl} {
		a := antenna{at: pl.at, height: pl.height, gear: gear}
		lp, good, err := p.land.link(s.ap.antenna, a, s.ap.freq, s.ap.width, back)
		if err != nil || lp.Budget.RSSI < -85 {
			return nil, 0
		}
		if good {
			return &radio{place: pl, antenna: a, ssid: s.ap.ssid, freq: s.ap.freq, width: s.ap.width, protocol: s.ap.protocol}, lp.Budget.RSSI
		}
	}
	return nil, 0
}

// schoolFrom is how many people a place has for a school to be taken there.
const schoolFrom = 100

// firstStation is the largest comune's town hall that has no link yet and is
// reached well; else a school or a camera at the largest named place.
func (p *plan) firstStation(s *sector) *radio {
	var best *radio
	most := -1
	for _, c := range p.land.union.Comuni {
		pl := p.halls[c.ISTAT]
		if p.served[pl.id] || c.People[2021] <= most {
			continue
		}
		if r, _ := p.station(s, pl, phyWant); r != nil {
			best, most = r, c.People[2021]
		}
	}
	if best != nil {
		return best
	}
	for _, q := range p.land.union.Places {
		pl := &place{id: "school-" + slug(q.Name), seat: true, name: "Scuola di " + q.Name, kind: "school", at: q.At, height: hallRoof, comune: q.Comune}
		if q.People < schoolFrom {
			pl.id, pl.name, pl.kind, pl.height = "camera-"+slug(q.Name), "Telecamera stradale "+q.Name, "camera", houseRoof
		}
		if p.served[pl.id] || q.People <= most || !plain(pl.id) {
			continue
		}
		if r, _ := p.station(s, pl, phyWant); r != nil {
			best, most = r, q.People
		}
	}
	return best
}

func plain(id string) bool { return network.CheckName("seat", id) == nil }

func (p *plan) addStation(s *sector, r *radio) {
	short := r.place.id
	if r.place.seat && len(short) > 5 && short[:5] == "town-" {
		short = short[5:]
	}
	r.id = short
	p.served[r.place.id] = true
	s.stations = append(s.stations, &hop{id: "access-" + short, name: r.place.name, a: s.ap, b: r, sector: s, partners: s.site.partners[:1]})
}

// report says on standard error what was chosen.
func (p *plan) report(spots []spot) {
	total, sum := 0.0, 0.0
	covered := map[int]bool{}
	for _, s := range p.sectors {
		n := 0.0
		for _, i := range s.covers {
			if !covered[i] {
				n += spots[i].people
			}
			covered[i] = true
		}
		fmt.Fprintf(talk, "%-28s %-22s az %3.0f tilt %2.0f at %v MHz: %5.0f people more\n", s.id, s.ap.antenna.gear, s.ap.antenna.azimuth.Or(0), s.ap.antenna.tilt.Or(0), s.ap.freq, n)
	}
	for i, s := range spots {
		total += s.people
		if covered[i] {
			sum += s.people
		}
	}
	fmt.Fprintf(talk, "covered about %.0f of %.0f people (%.0f %%)\n", sum, total, 100*sum/total)
	for _, h := range p.order {
		lp, _, err := p.land.link(h.a.antenna, h.b.antenna, h.a.freq, h.a.width, phyWant)
		if err == nil {
			fmt.Fprintf(talk, "%-46s %5.2f km %5.1f F %6.1f dBm %4.0f Mbps, back %6.1f %4.0f, %v/%v %s\n", h.id, lp.Dist/1000, lp.Clearance.Zones,
				lp.Budget.RSSI, lp.Budget.Rate, lp.Budget.BackRSSI, lp.Budget.BackRate, h.a.freq, h.a.width, h.b.antenna.gear)
		}
	}
}

// near says whether two places are one for the sake of channels.
func near(a, b geo.LonLat) bool { return a.Distance(b) < 100 }
