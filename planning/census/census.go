// Package census spreads the inhabitants of a union over the ground, so that
// planning can count whom a sector reaches.
//
// No register of houses is open to a union, so each comune's inhabitants of a
// census year go, in this order: to its named places, as many as each is known
// to have; half of the rest to the town hall, where no named place is near it;
// and the remainder, the scattered farms, evenly over the outline. The sum of
// each comune is exactly its census figure. The same union always gives the
// same points.
package census

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

const (
	// perPoint is how many people share one scattered point.
	perPoint = 4
	// hallNear: a named place this near to the town hall is the village itself.
	hallNear unit.Metres = 700
)

// Spread places the people of a census year.
func Spread(u *territory.Union, year int) (planning.Demand, error) {
	d := planning.Demand{Year: year}
	named := map[string][]territory.Place{}
	for _, p := range u.Places {
		if p.People > 0 {
			named[p.Comune] = append(named[p.Comune], p)
		}
	}
	for i := range u.Comuni {
		c := &u.Comuni[i]
		total, ok := c.People[year]
		if !ok {
			return planning.Demand{}, fault.New(fault.Invalid, "inhabitants of %s in %d are not known; its census years are %v", c.Name, year, years(c))
		}
		if total < 0 {
			return planning.Demand{}, fault.New(fault.Invalid, "inhabitants of %s in %d: %d is less than none", c.Name, year, total)
		}
		d.Comuni = append(d.Comuni, planning.DemandComune{ISTAT: c.ISTAT, Name: c.Name, Inhabitants: total})
		d.Points = append(d.Points, spread(c, i, total, named[c.ISTAT])...)
	}
	if len(d.Comuni) == 0 {
		return planning.Demand{}, fault.New(fault.Invalid, "the union has no comuni")
	}
	return d, nil
}

func years(c *territory.Comune) string {
	var ys []int
	for y := range c.People {
		ys = append(ys, y)
	}
	slices.Sort(ys)
	return fmt.Sprint(ys)
}

// spread places the people of one comune, number i of the demand.
func spread(c *territory.Comune, i, total int, places []territory.Place) []planning.DemandPoint {
	var out []planning.DemandPoint
	add := func(at geo.LonLat, people int, kind planning.DemandKind) {
		if people > 0 {
			out = append(out, planning.DemandPoint{At: at, Comune: i, People: people, Kind: kind})
		}
	}
	weights := make([]int, len(places))
	sum, atHall := 0, false
	for j, p := range places {
		weights[j] = p.People
		sum += p.People
		atHall = atHall || p.At.Distance(c.Hall) <= hallNear
	}
	if sum > total { // the places are of another year: bring them down to it
		weights = apportion(total, weights)
		sum = total
	}
	for j, p := range places {
		add(p.At, weights[j], planning.NamedPlace)
	}
	rest := total - sum
	if !atHall {
		half := (rest + 1) / 2
		add(c.Hall, half, planning.TownHall)
		rest -= half
	}
	n := (rest + perPoint - 1) / perPoint
	spots := scatter(c, n)
	if len(spots) == 0 {
		add(c.Hall, rest, planning.TownHall) // an outline without area
		return out
	}
	even := make([]int, len(spots))
	for j := range even {
		even[j] = 1
	}
	for j, people := range apportion(rest, even) {
		add(spots[j], people, planning.Scattered)
	}
	return out
}

// apportion divides total by weights in whole numbers that sum to it: largest
// remainder, the earlier first where two are equal.
func apportion(total int, weights []int) []int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	out := make([]int, len(weights))
	if sum == 0 {
		return out
	}
	order := make([]int, len(weights))
	left := total
	for i, w := range weights {
		out[i] = total * w / sum
		left -= out[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(total*weights[b]%sum, total*weights[a]%sum)
	})
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

// scatter gives n points spread evenly over the outline: the additive
// recurrence with the plastic number, a low-discrepancy sequence, over the box
// of the outline, keeping what lies inside.
func scatter(c *territory.Comune, n int) []geo.LonLat {
	const (
		ρ     = 1.32471795724474602596 // root of x³ = x + 1
		tries = 1000                   // per point; a comune fills more of its box than that
	)
	b := c.Bounds()
	var out []geo.LonLat
	for k := 1; len(out) < n && k <= n*tries; k++ {
		_, x := math.Modf(0.5 + float64(k)/ρ)
		_, y := math.Modf(0.5 + float64(k)/(ρ*ρ))
		if p := (geo.LonLat{Lon: b.West + x*(b.East-b.West), Lat: b.South + y*(b.North-b.South)}); c.Contains(p) {
			out = append(out, p)
		}
	}
	return out
}
