// Package territory holds the words for the land and its people: the comuni
// of a union with their outlines and inhabitants, and the places named in
// them. Inhabitants always go with the year they were counted.
package territory

import (
	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/geo"
)

// Union is a mountain union of comuni.
type Union struct {
	Name   string
	Comuni []Comune
	Places []Place

	boxes []orb.Bound // of the comuni, by Index
}

// Comune is one municipality.
type Comune struct {
	ISTAT   string // six digits, province first
	Name    string
	Outline orb.MultiPolygon // WGS84, longitude first
	Hall    geo.LonLat       // of the town hall
	People  map[int]int      // inhabitants by census year
	AreaKm2 float64
}

// Place is a named settlement.
type Place struct {
	Name   string
	At     geo.LonLat
	Comune string // ISTAT code
	People int    // 0 when not known
}

// Inhabitants of the union in a census year; false if any comune lacks it.
func (u *Union) Inhabitants(year int) (int, bool) {
	sum := 0
	for _, c := range u.Comuni {
		n, ok := c.People[year]
		if !ok {
			return 0, false
		}
		sum += n
	}
	return sum, len(u.Comuni) > 0
}

// LatestYear is the newest census year that every comune has, 0 if none.
func (u *Union) LatestYear() int {
	best := 0
	if len(u.Comuni) == 0 {
		return 0
	}
	for y := range u.Comuni[0].People {
		if _, ok := u.Inhabitants(y); ok && y > best {
			best = y
		}
	}
	return best
}
