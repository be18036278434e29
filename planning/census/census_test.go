package census_test

import (
	"os"
	"reflect"
	"testing"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/census"
)

func langa(t *testing.T) *territory.Union {
	t.Helper()
	u, err := territory.Load(os.DirFS("../../demo/territory"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Each comune sums exactly to its census figure, in both years; nobody lives
// outside; the same union gives the same points.
func TestSpreadLanga(t *testing.T) {
	u := langa(t)
	for year, want := range map[int]int{2011: 19702, 2021: 17755} {
		d, err := census.Spread(u, year)
		if err != nil {
			t.Fatal(err)
		}
		sums, all := make([]int, len(d.Comuni)), 0
		kinds := map[planning.DemandKind]int{}
		for _, p := range d.Points {
			if p.People <= 0 {
				t.Errorf("%v: %d people", p.At, p.People)
			}
			sums[p.Comune] += p.People
			kinds[p.Kind] += p.People
			if p.Kind == planning.Scattered && !u.Comuni[p.Comune].Contains(p.At) {
				t.Errorf("%v lies outside %s", p.At, d.Comuni[p.Comune].Name)
			}
		}
		for i, c := range d.Comuni {
			all += sums[i]
			if sums[i] != c.Inhabitants || c.Inhabitants != u.Comuni[i].People[year] {
				t.Errorf("%s %d: %d people placed, census %d", c.Name, year, sums[i], c.Inhabitants)
			}
		}
		if all != want || len(d.Comuni) != 38 {
			t.Errorf("%d: %d people in %d comuni, want %d in 38", year, all, len(d.Comuni), want)
		}
		t.Logf("%d: %d points, %v", year, len(d.Points), kinds)
		again, err := census.Spread(u, year)
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Errorf("%d: another answer the second time (%v)", year, err)
		}
	}
}

// Places that claim more people than their comune has are brought down.
func TestSpreadTooManyNamed(t *testing.T) {
	u := langa(t)
	d, err := census.Spread(u, 2021)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Castelletto Uzzone", "Monesiglio"} {
		named := 0
		for i, c := range d.Comuni {
			if c.Name != name {
				continue
			}
			for _, p := range d.Points {
				if p.Comune == i && p.Kind == planning.NamedPlace {
					named += p.People
				}
			}
			if named != c.Inhabitants {
				t.Errorf("%s: %d people at named places, want all %d", name, named, c.Inhabitants)
			}
		}
		if named == 0 {
			t.Errorf("%s has no named place", name)
		}
	}
}

func TestSpreadSmallAndBad(t *testing.T) {
	square := orb.MultiPolygon{{{{8, 44.5}, {8.01, 44.5}, {8.01, 44.51}, {8, 44.51}, {8, 44.5}}}}
	hall := geo.LonLat{Lon: 8.005, Lat: 44.505}
	u := &territory.Union{Comuni: []territory.Comune{
		{ISTAT: "004001", Name: "One", Hall: hall, Outline: square, People: map[int]int{2021: 1}},
		{ISTAT: "004002", Name: "None", Hall: hall, Outline: square, People: map[int]int{2021: 0}},
		{ISTAT: "004003", Name: "Flat", Hall: hall, Outline: orb.MultiPolygon{{{{8, 44.5}, {8.1, 44.5}, {8, 44.5}}}}, People: map[int]int{2021: 50}},
	}}
	d, err := census.Spread(u, 2021)
	if err != nil {
		t.Fatal(err)
	}
	sums := make([]int, 3)
	for _, p := range d.Points {
		sums[p.Comune] += p.People
	}
	if !reflect.DeepEqual(sums, []int{1, 0, 50}) {
		t.Errorf("sums %v", sums)
	}
	if _, err := census.Spread(u, 1999); fault.Of(err) != fault.Invalid {
		t.Errorf("unknown year: %v", err)
	}
	if _, err := census.Spread(&territory.Union{}, 2021); fault.Of(err) != fault.Invalid {
		t.Errorf("empty union: %v", err)
	}
}
