package page

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
)

// deskNames are the names that an operator may type for an end of a journey:
// the meeting points, and the settlements of the union to say roughly where an
// address is.
type deskNames struct {
	points  []namedPoint
	hamlets []namedPoint
}

// namedPoint is a name with its place. Words is the name as it is compared.
type namedPoint struct {
	words string
	place carpool.PlaceID // "" of a settlement
	name  string
	at    geo.LonLat
}

// found is what a typed end of a journey means.
type found struct {
	spot   carpool.Spot
	rough  string   // the settlement whose middle stands for an address; "" when exact
	choice []string // names of meeting points that fit equally; then spot is none
}

// newDeskNames takes the open meeting points and the land.
func newDeskNames(points []carpool.Place, union *territory.Union) deskNames {
	var g deskNames
	for _, p := range points {
		if !p.Closed {
			g.points = append(g.points, namedPoint{fold(p.Name), p.ID, p.Name, p.At})
		}
	}
	for _, p := range union.Places {
		g.hamlets = append(g.hamlets, namedPoint{fold(p.Name), "", p.Name, p.At})
	}
	for _, c := range union.Comuni {
		g.hamlets = append(g.hamlets, namedPoint{fold(c.Name), "", c.Name, c.Hall})
	}
	// The longest name first: "Serravalle Langhe" before "Serravalle".
	slices.SortStableFunc(g.hamlets, func(a, b namedPoint) int { return cmp.Compare(len(b.words), len(a.words)) })
	return g
}

// position at the end of an address, as map sites print it: "44.5467, 8.1790".
var position = regexp.MustCompile(`^(.*?)[\s,;(@]*(-?\d{1,2}\.\d{2,10})\s*,\s*(-?\d{1,3}\.\d{2,10})\)?\s*$`)

// find says what a text means: a meeting point by its name or by words of it,
// else an address that ends with a position or names a settlement. False where
// it is neither.
func (g deskNames) find(text string) (found, bool) {
	words := fold(text)
	if words == "" {
		return found{}, false
	}
	var fits []namedPoint
	for _, p := range g.points {
		if p.words == words || string(p.place) == text {
			return found{spot: carpool.Spot{Place: p.place, At: p.at}}, true
		}
		if holds(p.words, words) {
			fits = append(fits, p)
		}
	}
	if len(fits) == 1 {
		return found{spot: carpool.Spot{Place: fits[0].place, At: fits[0].at}}, true
	}
	if len(fits) > 1 {
		var out found
		for _, p := range fits {
			out.choice = append(out.choice, p.name)
		}
		return out, true
	}
	if m := position.FindStringSubmatch(text); m != nil {
		lat, errLat := strconv.ParseFloat(m[2], 64)
		lon, errLon := strconv.ParseFloat(m[3], 64)
		at := geo.LonLat{Lon: lon, Lat: lat}
		if errLat == nil && errLon == nil && at.Valid() && strings.TrimSpace(m[1]) != "" {
			return found{spot: carpool.Spot{Address: strings.TrimRight(m[1], " ,;(@"), At: at}}, true
		}
		return found{}, false
	}
	for _, h := range g.hamlets {
		if h.words != "" && strings.Contains(" "+words+" ", " "+h.words+" ") {
			return found{spot: carpool.Spot{Address: text, At: h.at}, rough: h.name}, true
		}
	}
	return found{}, false
}

// holds says whether every word of part begins a word of whole.
func holds(whole, part string) bool {
	have := strings.Fields(whole)
	for _, w := range strings.Fields(part) {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) }) {
			return false
		}
	}
	return true
}
