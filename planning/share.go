package planning

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
)

// Demand is where people live, by comune.
type Demand struct {
	Year   int // of the census
	Comuni []DemandComune
	Points []DemandPoint
}

// DemandComune is one comune; the people of its points sum to Inhabitants.
type DemandComune struct {
	ISTAT, Name string
	Inhabitants int
}

// DemandPoint is a place where people live.
type DemandPoint struct {
	At     geo.LonLat
	Comune int // index into Comuni
	People int
	Kind   DemandKind
}

// DemandKind is how the point was found.
type DemandKind string

const (
	NamedPlace DemandKind = "named-place"
	TownHall   DemandKind = "town-hall"
	Scattered  DemandKind = "scattered" // placed evenly over the comune
)

// ShareReport is how many people a network reaches. Its JSON is the contract
// of `plan share --json`; keys may be added, never renamed.
type ShareReport struct {
	CensusYear  int            `json:"census_year"`
	Inhabitants int            `json:"inhabitants"`
	Covered30   int            `json:"covered_30"`  // with at least 30 Mbps usable
	Covered100  int            `json:"covered_100"` // with at least 100 Mbps usable
	Terrain     Source         `json:"terrain"`
	Comuni      []ComuneShare  `json:"comuni"`
	Unknown     int            `json:"unknown"` // not covered, and the ground towards some sector is not known
	Sectors     int            `json:"sectors"`
	Assumptions ShareAssumed   `json:"assumptions"`
	People      map[string]int `json:"people_by_kind"` // named-place, town-hall, scattered
	Caveats     []string       `json:"caveats"`
}

// ComuneShare is one comune's part.
type ComuneShare struct {
	ISTAT       string `json:"istat"`
	Name        string `json:"name"`
	Inhabitants int    `json:"inhabitants"`
	Covered30   int    `json:"covered_30"`
	Covered100  int    `json:"covered_100"`
}

// ShareAssumed is what a subscriber is taken to have.
type ShareAssumed struct {
	InstallHeight float64            `json:"install_height_m"` // of the outdoor antenna over ground
	Gear          string             `json:"gear"`
	Confidence    network.Confidence `json:"gear_confidence"`
	UsableShare   float64            `json:"usable_share"` // of the rate on the air
	Radius        float64            `json:"radius_m"`
	Contention    bool               `json:"contention"` // false: each subscriber is taken alone on its sector
}

// Share counts the people of a demand that the sectors reach, each point over
// its own profile.
func Share(ctx context.Context, t Terrain, tx []Transmitter, d Demand, o CoverOptions) (*ShareReport, error) {
	o = o.withDefaults()
	r := &ShareReport{
		CensusYear: d.Year, Terrain: t.Source(), Sectors: len(tx), People: map[string]int{},
		Assumptions: ShareAssumed{InstallHeight: float64(o.Height), Gear: label(o.Gear), UsableShare: UsableShare, Radius: float64(o.Radius)},
		Comuni:      make([]ComuneShare, len(d.Comuni)),
	}
	for i, c := range d.Comuni {
		r.Comuni[i] = ComuneShare{ISTAT: c.ISTAT, Name: c.Name, Inhabitants: c.Inhabitants}
		r.Inhabitants += c.Inhabitants
	}
	places := make([]geo.LonLat, len(d.Points))
	for i, p := range d.Points {
		if p.Comune < 0 || p.Comune >= len(d.Comuni) || p.People < 0 {
			return nil, fault.New(fault.Invalid, "share: demand point %d at %v: comune %d of %d, %d people", i, p.At, p.Comune, len(d.Comuni), p.People)
		}
		places[i] = p.At
	}
	services := make([]Service, len(places))
	if len(tx) > 0 {
		var err error
		if services, err = Reach(ctx, t, tx, places, o); err != nil {
			return nil, fmt.Errorf("share: %w", err)
		}
		for _, x := range tx {
			s, err := newServer(t, x, o)
			if err != nil {
				return nil, fmt.Errorf("share: %w", err)
			}
			r.Assumptions.Confidence = network.Worse(r.Assumptions.Confidence, s.conf)
		}
	}
	for i, p := range d.Points {
		c := &r.Comuni[p.Comune]
		r.People[string(p.Kind)] += p.People
		switch s := services[i]; {
		case s.Usable >= 100:
			c.Covered100 += p.People
			c.Covered30 += p.People
		case s.Usable >= 30:
			c.Covered30 += p.People
		case s.Unknown:
			r.Unknown += p.People
		}
	}
	for _, c := range r.Comuni {
		r.Covered30 += c.Covered30
		r.Covered100 += c.Covered100
	}
	r.Caveats = r.caveats()
	return r, nil
}

func (r *ShareReport) caveats() []string {
	a := r.Assumptions
	out := []string{fmt.Sprintf("People of the %d census; %d of them at named places and town halls, %d spread evenly over their comune.",
		r.CensusYear, r.People[string(NamedPlace)]+r.People[string(TownHall)], r.People[string(Scattered)])}
	out = append(out, fmt.Sprintf("Each house: an outdoor antenna %g m over ground, aimed at its sector (%s). Throughput is %.0f %% of the rate on the air, for a subscriber alone on the sector: how many share it is not counted.",
		a.InstallHeight, a.Gear, 100*a.UsableShare))
	if r.Unknown > 0 {
		out = append(out, fmt.Sprintf("For %d people the ground towards a sector is not known: load a terrain that covers it.", r.Unknown))
	}
	out = append(out, terrainCaveats(r.Terrain)...)
	if a.Confidence == network.StandardMinimum {
		out = append(out, sayStandardMinimum)
	}
	return append(out, sayLeftOut)
}
