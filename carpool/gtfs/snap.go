package gtfs

import (
	"cmp"
	"slices"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// snap finds the meeting point that stands for an end of a ride.
type snap struct {
	places []carpool.Place
	clear  []int // those that may be told: published and open
	byID   map[carpool.PlaceID]int
}

func newSnap(f Feed) *snap {
	s := &snap{places: f.Places, byID: map[carpool.PlaceID]int{}}
	for i, p := range f.Places {
		s.byID[p.ID] = i
		if p.Published && !p.Closed && p.At.Valid() {
			s.clear = append(s.clear, i)
		}
	}
	return s
}

// place for an end: the meeting point itself, else the nearest one that may be
// told.
func (s *snap) place(end carpool.Spot) (int, bool) {
	p := end.At
	if !end.Private() {
		i, known := s.byID[end.Place]
		if !known {
			return 0, false
		}
		if slices.Contains(s.clear, i) {
			return i, true
		}
		p = s.places[i].At
	}
	best, far := -1, MaxSnap
	for _, i := range s.clear {
		d := p.Distance(s.places[i].At)
		if c := cmp.Compare(d, far); c < 0 || c == 0 && best >= 0 && s.places[i].ID < s.places[best].ID {
			best, far = i, d
		}
	}
	return best, best >= 0
}

// grid finds whether any of many points is within a distance.
type grid struct {
	reach unit.Metres
	cells map[[2]int][]geo.LonLat
}

// A cell is 1/500 of a degree, about 222 m high and never less than 100 m wide
// up to 63° of latitude, so that nine cells hold all that is within 100 m.
const perDegree = 500

func newGrid(points []geo.LonLat, reach unit.Metres) *grid {
	g := &grid{reach, map[[2]int][]geo.LonLat{}}
	for _, p := range points {
		k := key(p)
		g.cells[k] = append(g.cells[k], p)
	}
	return g
}

func key(p geo.LonLat) [2]int {
	return [2]int{int((p.Lon + 180) * perDegree), int((p.Lat + 90) * perDegree)}
}

func (g *grid) within(p geo.LonLat) bool {
	k := key(p)
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			for _, q := range g.cells[[2]int{k[0] + dx, k[1] + dy}] {
				if p.Distance(q) < g.reach {
					return true
				}
			}
		}
	}
	return false
}
