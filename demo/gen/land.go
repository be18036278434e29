package main

import (
	"math"
	"os"
	"path/filepath"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
)

// land is what the network is planned on: the files just written.
type land struct {
	terrain planning.Terrain
	union   *territory.Union
	gear    map[network.GearID]network.Gear
}

func openLand(out string) (*land, error) {
	m, err := dem.Open(filepath.Join(out, filepath.FromSlash(terrainFile)))
	if err != nil {
		return nil, err
	}
	u, err := territory.Load(os.DirFS(filepath.Join(out, "territory")))
	if err != nil {
		return nil, err
	}
	gear, err := network.LoadGear(os.DirFS(out))
	if err != nil {
		return nil, err
	}
	return &land{m, u, gear}, nil
}

// antenna is a radio in the plan.
type antenna struct {
	at            geo.LonLat
	height        float64
	gear          string
	azimuth, tilt unit.Opt[unit.Degrees]
}

func (l *land) tx(gear string) float64 {
	g := l.gear[network.GearID(gear)]
	if g.Class == "w60g" {
		return 16 // dBm at the port; 27 are allowed there, and 40 of EIRP
	}
	return min(legalEIRP-float64(g.Antenna.Gain), float64(g.MaxTx(40).Or(legalEIRP)))
}

func (l *land) end(a antenna) planning.End {
	g := l.gear[network.GearID(a.gear)]
	return planning.End{At: a.at, Height: unit.Metres(a.height), Gear: &g, TxPower: unit.Some(unit.DBm(l.tx(a.gear))), Azimuth: a.azimuth, Tilt: a.tilt}
}

// link plans a link; good says whether it is clear and gives phyWant there and
// so many Mbps on the air back, with some level to spare.
func (l *land) link(a, b antenna, freq, width float64, back unit.Mbps) (p *planning.LinkPlan, good bool, err error) {
	p, err = planning.PlanLink(l.terrain, planning.LinkQuery{A: l.end(a), B: l.end(b), Freq: unit.MHz(freq), Width: unit.MHz(width)})
	if err != nil {
		return nil, false, err
	}
	ga, gb := l.gear[network.GearID(a.gear)], l.gear[network.GearID(b.gear)]
	there, okT := gb.Best(unit.MHz(width), unit.DBm(p.Budget.RSSI-levelSpare))
	rev, okB := ga.Best(unit.MHz(width), unit.DBm(p.Budget.BackRSSI-levelSpare))
	good = p.Clearance.Zones >= clearZones && okT && okB && there.PHY >= phyWant-0.1 && rev.PHY >= back-0.1
	return p, good, nil
}

// spot is a piece of the people: where they are taken to live.
type spot struct {
	at     geo.LonLat
	people float64
	comune string
}

// spots spreads the people of a comune: those of named places there, the rest
// evenly over the outline, every 0.005°.
func (l *land) spots(year int) []spot {
	var out []spot
	for i := range l.union.Comuni {
		c := &l.union.Comuni[i]
		total, named := float64(c.People[year]), 0.0
		for _, p := range l.union.Places {
			if p.Comune == c.ISTAT {
				named += float64(p.People)
			}
		}
		scale := 1.0
		if named > total {
			scale = total / named
		}
		for _, p := range l.union.Places {
			if p.Comune == c.ISTAT && p.People > 0 {
				out = append(out, spot{p.At, float64(p.People) * scale, c.ISTAT})
			}
		}
		rest := total - named*scale
		b := c.Bounds()
		var grid []geo.LonLat
		for lat := math.Ceil(b.South/0.005) * 0.005; lat < b.North; lat += 0.005 {
			for lon := math.Ceil(b.West/0.005) * 0.005; lon < b.East; lon += 0.005 {
				if p := (geo.LonLat{Lon: lon, Lat: lat}); c.Contains(p) {
					grid = append(grid, p)
				}
			}
		}
		if len(grid) == 0 {
			grid = []geo.LonLat{c.Hall}
		}
		for _, p := range grid {
			if rest > 0 {
				out = append(out, spot{p, rest / float64(len(grid)), c.ISTAT})
			}
		}
	}
	return out
}
