package planning_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/census"
	"github.com/crinale/crinale/planning/dem"
)

// langa is the real union with its coarse heights, as the demo ships them.
func langa(t testing.TB) (planning.Terrain, *territory.Union, planning.Demand) {
	t.Helper()
	u, err := territory.Load(os.DirFS("../demo/territory"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := census.Spread(u, 2021)
	if err != nil {
		t.Fatal(err)
	}
	m, err := dem.Open("../demo/terrain/alta-langa-30s.tif")
	if err != nil {
		t.Fatal(err)
	}
	return m, u, d
}

func sector(id string, lat, lon, azimuth float64, width unit.MHz) planning.Transmitter {
	return planning.Transmitter{ID: network.SectorID(id), At: geo.LonLat{Lon: lon, Lat: lat}, Height: 20, Width: width,
		Azimuth: unit.Some(unit.Degrees(azimuth)), Gear: sectorGear()}
}

// Sectors on three ridges: Mombarcaro, Murazzano, Serravalle Langhe.
func ridgeSectors() []planning.Transmitter {
	var out []planning.Transmitter
	for _, s := range []struct {
		id       string
		lat, lon float64
	}{{"mombarcaro", 44.4705, 8.0873}, {"murazzano", 44.4746, 8.0205}, {"serravalle", 44.5597, 8.0597}} {
		for i := range 4 {
			out = append(out, sector(s.id, s.lat, s.lon, float64(90*i), 40))
		}
	}
	return out
}

func share(t testing.TB, g planning.Terrain, tx []planning.Transmitter, d planning.Demand) *planning.ShareReport {
	t.Helper()
	r, err := planning.Share(context.Background(), g, tx, d, planning.CoverOptions{Radius: 15000})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestShareContract(t *testing.T) {
	g, _, d := langa(t)
	r := share(t, g, ridgeSectors(), d)
	if r.CensusYear != 2021 || r.Inhabitants != 17755 || len(r.Comuni) != 38 {
		t.Errorf("year %d, %d inhabitants, %d comuni", r.CensusYear, r.Inhabitants, len(r.Comuni))
	}
	people, at30, at100 := 0, 0, 0
	for _, c := range r.Comuni {
		people, at30, at100 = people+c.Inhabitants, at30+c.Covered30, at100+c.Covered100
		if c.Covered100 > c.Covered30 || c.Covered30 > c.Inhabitants || c.Covered100 < 0 {
			t.Errorf("%+v", c)
		}
	}
	if people != r.Inhabitants || at30 != r.Covered30 || at100 != r.Covered100 {
		t.Errorf("sums %d %d %d, report %+v", people, at30, at100, r)
	}
	if r.Covered30 == 0 || r.Covered30 == r.Inhabitants {
		t.Errorf("%d covered says nothing", r.Covered30)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"census_year":2021`, `"inhabitants":17755`, `"covered_30":`, `"covered_100":`, `"terrain":{"source":`, `"cell_m":`, `"surface":`, `"coarse":true`,
		`"comuni":[{"istat":"004`, `"name":`} {
		if !strings.Contains(string(b), key) {
			t.Errorf("no %s in %s", key, b)
		}
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	narrow(t, text.String())
	t.Logf("\n%s", text.String())
}

// Whatever is covered, each comune stands in the text once: those with nothing
// after the others.
func TestShareTextNamesEveryComune(t *testing.T) {
	g, _, d := langa(t)
	for _, n := range []int{0, 1, 12} {
		r := share(t, g, ridgeSectors()[:n], d)
		var b strings.Builder
		if err := r.Text(&b); err != nil {
			t.Fatal(err)
		}
		narrow(t, b.String())
		table, folded, _ := strings.Cut(b.String(), "nothing yet: ")
		folded = " " + strings.Join(strings.Fields(folded), " ")
		for _, c := range r.Comuni {
			if c.Name == "" {
				t.Fatalf("%+v", c)
			}
			if in := strings.Contains(table, "\n"+c.Name+" "); in != (c.Covered30 > 0) {
				t.Errorf("%d sectors: %+v in the table: %v", n, c, in)
			}
			if c.Covered30 == 0 && !strings.Contains(folded, " "+c.Name) {
				t.Errorf("%d sectors: %s is nowhere", n, c.Name)
			}
		}
		if has := strings.Contains(b.String(), "comune  "); has != (n > 0) {
			t.Errorf("%d sectors: a head of the table: %v", n, has)
		}
		t.Logf("\n%s", b.String())
	}
}

func narrow(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if utf8.RuneCountInString(line) > planning.TextWidth || strings.TrimRight(line, " ") != line {
			t.Errorf("line of %d columns or with a blank at its end: %q", utf8.RuneCountInString(line), line)
		}
	}
}

// One more sector never lowers a comune's covered figure; 3 dB less never
// raises one.
func TestShareMonotone(t *testing.T) {
	g, _, d := langa(t)
	few := d.Points[:0:0]
	for i := 0; i < len(d.Points); i += 7 { // the same for each point: a part will do
		few = append(few, d.Points[i])
	}
	d.Points = few
	base := ridgeSectors()[:4]
	before := share(t, g, base, d)
	rapid.Check(t, func(rt *rapid.T) {
		more := sector("more", rapid.Float64Range(44.42, 44.70).Draw(rt, "lat"), rapid.Float64Range(7.97, 8.25).Draw(rt, "lon"),
			rapid.Float64Range(0, 359).Draw(rt, "azimuth"), rapid.SampledFrom([]unit.MHz{20, 40, 80}).Draw(rt, "width"))
		after := share(t, g, append(base[:4:4], more), d)
		for i, c := range after.Comuni {
			if c.Covered30 < before.Comuni[i].Covered30 || c.Covered100 < before.Comuni[i].Covered100 {
				rt.Fatalf("%s: %+v before, %+v with one more sector", c.Name, before.Comuni[i], c)
			}
		}
		weaker := append([]planning.Transmitter(nil), append(base[:4:4], more)...)
		for i := range weaker {
			weaker[i].EIRP = unit.Some[unit.DBm](24)
		}
		less := share(t, g, weaker, d)
		for i, c := range less.Comuni {
			if c.Covered30 > after.Comuni[i].Covered30 || c.Covered100 > after.Comuni[i].Covered100 {
				rt.Fatalf("%s: %+v at 27 dBm, %+v at 24", c.Name, after.Comuni[i], c)
			}
		}
	})
}

// A sector on the ridge of Mombarcaro sees Monesiglio, in the Bormida valley to
// its east; moved down behind the ridge, to its west, it does not.
func TestShareBehindRidge(t *testing.T) {
	g, _, d := langa(t)
	on := sector("on", 44.4705, 8.0873, 90, 40)
	behind := sector("behind", 44.4705, 8.0450, 90, 40)
	a, b := share(t, g, []planning.Transmitter{on}, d), share(t, g, []planning.Transmitter{behind}, d)
	lowered := 0
	for i, c := range a.Comuni {
		if c.Name == "Monesiglio" || c.Name == "Camerana" || c.Name == "Prunetto" {
			t.Logf("%s: %d on the ridge, %d behind it", c.Name, c.Covered30, b.Comuni[i].Covered30)
			if b.Comuni[i].Covered30 < c.Covered30 {
				lowered++
			}
		}
	}
	// It is the ridge that does it: what limits the ray to Prunetto is there.
	hall := place(44.4903, 8.1463, 6)
	blind := plan(t, g, planning.LinkQuery{A: planning.End{At: behind.At, Height: behind.Height}, B: hall})
	sees := plan(t, g, planning.LinkQuery{A: planning.End{At: on.At, Height: on.Height}, B: hall})
	t.Logf("Prunetto: %+v from the ridge, %+v from behind", sees.Clearance, blind.Clearance)
	if blind.Clearance.LineOfSight || blind.Clearance.Lon < 8.06 || blind.Clearance.Lon > 8.11 || !sees.Clearance.LineOfSight {
		t.Errorf("from behind %+v, from the ridge %+v", blind.Clearance, sees.Clearance)
	}
	if lowered == 0 {
		t.Errorf("behind the ridge nothing is lost: %+v, %+v", a.Comuni, b.Comuni)
	}
}

// The JSON never shows a number for an unknown, and a place without ground is
// counted as unknown.
func TestShareUnknownGround(t *testing.T) {
	g := flat(300)
	hole := geo.LonLat{Lon: 8.12, Lat: 44.5}
	col, row, _ := g.r.Cell(hole)
	for c := col - 2; c <= col+2; c++ {
		for r := row - 2; r <= row+2; r++ {
			g.r.V[r*g.r.Cols+c] = float32(math.NaN())
		}
	}
	d := planning.Demand{Year: 2021, Comuni: []planning.DemandComune{{ISTAT: "1", Name: "x", Inhabitants: 7}},
		Points: []planning.DemandPoint{{At: hole, People: 7, Kind: planning.NamedPlace}}}
	r := share(t, g, []planning.Transmitter{sector("s", 44.5, 8.1, 90, 40)}, d)
	if r.Unknown != 7 || r.Covered30 != 0 {
		t.Errorf("%+v", r)
	}
	if r := share(t, g, nil, d); r.Covered30 != 0 || r.Sectors != 0 {
		t.Errorf("without sectors: %+v", r)
	}
}

func BenchmarkShare(b *testing.B) {
	g, _, d := langa(b)
	tx := ridgeSectors()
	for b.Loop() {
		share(b, g, tx, d)
	}
}
