package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// extra is one more station that can be added to the network: the numbers of
// its sector and gear in the lists, longitude and latitude in 0.00001°, and the
// ISTAT code of the comune as a number.
type extra [5]int

// extras is the file of them, in the order in which they are added.
type extras struct {
	Sectors []string `json:"sectors"`
	Gear    []string `json:"gear"`
	Halls   []extra  `json:"halls"`  // town halls, which are seats already
	Houses  []extra  `json:"houses"` // subscribers
}

// writeSubscribers draws houses where people live and keeps those that a
// sector serves well, so that a larger demo is as sound as the small one.
func (p *plan) writeSubscribers(out string, spots []spot) error {
	x := extras{Gear: []string{sxt, sxtWifi, lhg, xl}}
	for _, s := range p.sectors {
		x.Sectors = append(x.Sectors, s.id)
	}
	for _, c := range p.land.union.Comuni {
		pl := p.halls[c.ISTAT]
		if e, ok := p.extra(x, pl, phyHall); ok && !p.served[pl.id] {
			x.Halls = append(x.Halls, e)
		}
	}
	total := 0.0
	for _, s := range spots {
		total += s.people
	}
	rnd := rand.New(rand.NewPCG(38, 17755)) // the same houses each time
	for tries := 0; len(x.Houses)+len(x.Halls) < subscribers; tries++ {
		if tries > 40*subscribers {
			return fmt.Errorf("only %d houses found", len(x.Houses))
		}
		at := draw(rnd, spots, total)
		c, ok := p.land.union.ComuneAt(at)
		if !ok {
			continue
		}
		if e, ok := p.extra(x, &place{at: at, height: houseRoof, comune: c.ISTAT}, phyWant); ok {
			x.Houses = append(x.Houses, e)
		}
	}
	fmt.Fprintf(talk, "%d more town halls and %d houses can be added\n", len(x.Halls), len(x.Houses))
	data, err := json.Marshal(x)
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(string(data), "],[", "],\n[")
	return write(out, "subscribers.json", []byte(text+"\n"))
}

// draw takes a house near where people live, to 0.00001°.
func draw(rnd *rand.Rand, spots []spot, total float64) geo.LonLat {
	n := rnd.Float64() * total
	i := 0
	for ; i < len(spots)-1 && n >= spots[i].people; i++ {
		n -= spots[i].people
	}
	e5 := func(d float64) float64 { return math.Round(d*1e5) / 1e5 }
	return geo.LonLat{Lon: e5(spots[i].at.Lon + (rnd.Float64()-0.5)*0.006), Lat: e5(spots[i].at.Lat + (rnd.Float64()-0.5)*0.006)}
}

// extra is the station that a sector serves best at a place.
func (p *plan) extra(x extras, pl *place, back unit.Mbps) (e extra, ok bool) {
	best := -1000.0
	for i, s := range p.sectors {
		r, level := p.station(s, pl, back)
		if r == nil || level <= best {
			continue
		}
		best, ok = level, true
		e = extra{i, 0, int(math.Round(pl.at.Lon * 1e5)), int(math.Round(pl.at.Lat * 1e5)), istatNumber(pl.comune)}
		for g, id := range x.Gear {
			if id == r.antenna.gear {
				e[1] = g
			}
		}
	}
	return e, ok
}

func istatNumber(code string) int {
	n := 0
	fmt.Sscanf(code, "%d", &n)
	return n
}
