package interop

import (
	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// reach says whether both ends of a lift lie within the radii of a search. A
// radius holds from everywhere in the cell that is asked from, so that all
// questions from a cell have one answer; at a meeting point, which is no
// secret, from everywhere at it.
func (s Search) reach(places []carpool.Place) func(from, to geo.LonLat) bool {
	from, to := reachOf(places, s.From, s.FromKm), reachOf(places, s.To, s.ToKm)
	return func(a, b geo.LonLat) bool { return from(a) && to(b) }
}

func reachOf(places []carpool.Place, asked geo.LonLat, km float64) func(geo.LonLat) bool {
	radius, near := unit.Metres(km*1000), unit.Metres(place)
	far := carpool.CellOf(asked).Farthest
	for _, p := range places {
		if d := p.At.Distance(asked); d <= near {
			near, far = d, func(q geo.LonLat) unit.Metres { return p.At.Distance(q) + place }
		}
	}
	return func(p geo.LonLat) bool { return far(p) <= radius }
}
