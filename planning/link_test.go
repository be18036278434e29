package planning_test

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

func plan(t testing.TB, g planning.Terrain, q planning.LinkQuery) *planning.LinkPlan {
	t.Helper()
	p, err := planning.PlanLink(g, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every key of the contract is there, with its kind of value.
func TestLinkContract(t *testing.T) {
	p := plan(t, flat(300), planning.LinkQuery{A: place(44.45, 8.05, 15), B: place(44.55, 8.15, 6)})
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	contract := `{
  "from": {"lat": 44.4656, "lon": 8.1137, "ground_m": 0, "height_m": 15},
  "to":   {"lat": 44.5780, "lon": 8.1920, "ground_m": 0, "height_m": 6},
  "dist_m": 0, "bearing_deg": 0, "tilt_deg": 0, "back_bearing_deg": 0, "back_tilt_deg": 0,
  "freq_mhz": 5600, "channel_mhz": 20, "k": 1.3333, "polarisation": "vertical",
  "terrain":   {"source": "…", "cell_m": 0, "surface": "bare-earth", "coarse": true},
  "clearance": {"line_of_sight": false, "fresnel_zones": 0, "height_m": 0, "at_m": 0, "at_lat": 0, "at_lon": 0},
  "loss":      {"free_space_db": 0, "diffraction_db": 0, "gas_db": 0, "total_db": 0},
  "budget":    {"gear_a": "…", "gear_b": "…", "eirp_dbm": 27, "rssi_dbm": 0, "noise_dbm": 0, "snr_db": 0,
                "mcs": null, "rate_mbps": 0, "gear_confidence": "standard-minimum"},
  "verdict":   {"reaches_30_mbps": false, "probability": null, "text": "…"}
}`
	if err := json.Unmarshal([]byte(contract), &want); err != nil {
		t.Fatal(err)
	}
	sameShape(t, "", want, got)
	if got["freq_mhz"] != 5600.0 || got["channel_mhz"] != 20.0 || got["k"] != 1.3333 || got["polarisation"] != "vertical" {
		t.Errorf("defaults: %v %v %v %v", got["freq_mhz"], got["channel_mhz"], got["k"], got["polarisation"])
	}
	if p.Budget.EIRP != 27 || p.Budget.Confidence != network.StandardMinimum || p.Budget.GearA != "generic 802.11ac with a 23 dBi dish" {
		t.Errorf("defaults: %+v", p.Budget)
	}
}

func sameShape(t *testing.T, at string, want, got any) {
	t.Helper()
	w, ok := want.(map[string]any)
	if !ok {
		if want != nil && got != nil && strings.TrimPrefix(typeName(want), "") != typeName(got) {
			t.Errorf("%s: %T, want %T", at, got, want)
		}
		return
	}
	g, ok := got.(map[string]any)
	if !ok {
		t.Errorf("%s: %T, want an object", at, got)
		return
	}
	for k, v := range w {
		if _, ok := g[k]; !ok {
			t.Errorf("key %s.%s is missing", at, k)
			continue
		}
		sameShape(t, at+"."+k, v, g[k])
	}
}

func typeName(v any) string {
	switch v.(type) {
	case float64:
		return "number"
	case string:
		return "string"
	case bool:
		return "bool"
	}
	return "other"
}

// No rate fits: null and 0, never a guess.
func TestLinkWithoutRate(t *testing.T) {
	p := plan(t, ridge(8.1, 900), planning.LinkQuery{A: place(44.5, 8.0, 15), B: place(44.5, 8.2, 6)})
	b, err := json.Marshal(p.Budget)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"mcs":null`) || !strings.Contains(string(b), `"rate_mbps":0,`) {
		t.Errorf("budget %s", b)
	}
	if p.Clearance.LineOfSight || p.Clearance.Zones > -20 || p.Verdict.Reaches30 {
		t.Errorf("clearance %+v verdict %+v", p.Clearance, p.Verdict)
	}
	if !strings.HasPrefix(p.Verdict.Text, "Blocked: ") || !strings.Contains(p.Verdict.Text, "another site") {
		t.Errorf("text %q", p.Verdict.Text)
	}
}

// A link over flat ground, by hand: 32.45 + 20 log f + 20 log d.
func TestLinkByHand(t *testing.T) {
	p := plan(t, flat(300), planning.LinkQuery{A: place(44.5, 8.0, 30), B: place(44.5, 8.0629, 30), Width: 40})
	if !p.Clearance.LineOfSight || p.Clearance.Zones < 1 {
		t.Fatalf("clearance %+v", p.Clearance)
	}
	fs := 32.447 + 20*math.Log10(5600) + 20*math.Log10(p.Dist/1000)
	near(t, "free space", p.Loss.FreeSpace, fs, 0.01)
	near(t, "RSSI", p.Budget.RSSI, 27+23-p.Loss.Total, 0.002)
	near(t, "noise", p.Budget.Noise, -174+10*math.Log10(40e6)+7, 0.001)
	near(t, "total", p.Loss.Total, p.Loss.FreeSpace+p.Loss.Diffraction+p.Loss.Gas, 0.002)
	near(t, "gas", p.Loss.Gas, 0.009*p.Dist/1000, 0.01)
	near(t, "back bearing", math.Mod(p.BackBearing-p.Bearing+360, 360), 180, 0.1)
	// Level antennas 5 km apart both look down by half of 5 km over k·R.
	near(t, "tilt", p.Tilt, -p.Dist/(2*8494667)*180/math.Pi, 0.001)
	if p.Budget.MCS == nil || p.Budget.Rate == 0 || p.Budget.Usable != p.Budget.Rate/2 {
		t.Errorf("budget %+v", p.Budget)
	}
}

// What a hill in the way asks for is enough when it is done.
func TestMastMendsLink(t *testing.T) {
	q := planning.LinkQuery{A: place(44.5, 8.05, 10), B: place(44.5, 8.12, 10)}
	g := ridge(8.09, 315)
	p := plan(t, g, q)
	if p.Clearance.Zones >= 0.6 {
		t.Fatalf("not in the way: %+v", p.Clearance)
	}
	q.A.Height = p.Clearance.MastA.Or(0) + 0.1
	if p := plan(t, g, q); p.Clearance.Zones < 0.6 || p.Loss.Diffraction > 0.01 {
		t.Errorf("raised: %+v, %+v", p.Clearance, p.Loss)
	}
}

func TestLinkRefuses(t *testing.T) {
	hole := flat(300)
	col, row, _ := hole.r.Cell(geo.LonLat{Lon: 8.1, Lat: 44.5})
	for c := col - 2; c <= col+2; c++ {
		for r := row - 2; r <= row+2; r++ {
			hole.r.V[r*hole.r.Cols+c] = float32(math.NaN())
		}
	}
	a, b := place(44.5, 8.05, 15), place(44.5, 8.15, 6)
	everyBand, narrowGear := *planning.Generic(), *planning.Generic()
	everyBand.Bands = nil
	narrowGear.ID, narrowGear.Rates = "narrow", narrowGear.Rates[:1]
	for name, c := range map[string]struct {
		q    planning.LinkQuery
		want string
	}{
		"void":         {planning.LinkQuery{A: a, B: b}, "load a terrain that covers it"},
		"outside":      {planning.LinkQuery{A: a, B: place(44.5, 9.5, 6)}, "load a terrain that covers it"},
		"same place":   {planning.LinkQuery{A: a, B: a}, "same place"},
		"swapped":      {planning.LinkQuery{A: a, B: place(8.15, 44.5, 6)}, "swapped"},
		"no latitude":  {planning.LinkQuery{A: a, B: place(144.5, 8.1, 6)}, "latitude must lie"},
		"NaN":          {planning.LinkQuery{A: a, B: place(math.NaN(), 8.1, 6)}, "latitude must lie"},
		"height":       {planning.LinkQuery{A: a, B: place(44.5, 8.15, 0)}, "height of the antenna"},
		"k":            {planning.LinkQuery{A: a, B: b, K: -1}, "effective Earth factor"},
		"k small":      {planning.LinkQuery{A: a, B: b, K: 0.29}, "must be 0.3 to 10"},
		"k large":      {planning.LinkQuery{A: a, B: b, K: 11}, "must be 0.3 to 10"},
		"k NaN":        {planning.LinkQuery{A: a, B: b, K: math.NaN()}, "must be 0.3 to 10"},
		"frequency":    {planning.LinkQuery{A: a, B: b, Freq: 5}, "frequency"},
		"no law":       {planning.LinkQuery{A: a, B: b, Freq: 5400}, "give the EIRP"},
		"no such use":  {planning.LinkQuery{A: a, B: b, Freq: 5800}, "bfwa, mesh or srd (--use"},
		"2.4 GHz":      {planning.LinkQuery{A: a, B: b, Freq: 2450}, "channel at 2450 MHz, 20 MHz wide: outside the bands of generic 802.11ac with a 23 dBi dish (5150 to 5875 MHz); choose gear that has that band (--gear-a"},
		"60 GHz":       {planning.LinkQuery{A: a, B: b, Freq: 58320}, "(5150 to 5875 MHz)"},
		"rim":          {planning.LinkQuery{A: a, B: b, Freq: 5155}, "(5150 to 5875 MHz)"},
		"one end":      {planning.LinkQuery{A: planning.End{At: a.At, Height: 15, Gear: &everyBand}, B: b, Freq: 2450}, "(5150 to 5875 MHz)"},
		"width":        {planning.LinkQuery{A: a, B: b, Width: 160}, "23 dBi dish has no rate at 160 MHz: its sheet has 20, 40 and 80 MHz; choose"},
		"widths":       {planning.LinkQuery{A: a, B: planning.End{At: b.At, Height: 6, Gear: &narrowGear}, Width: 80}, "share no rate at 80 MHz: their sheets have 20, 40 and 80 MHz, and 20 MHz; choose"},
		"both swapped": {planning.LinkQuery{A: place(8.05, 44.5, 15), B: place(8.15, 44.5, 6)}, "did you swap latitude and longitude?"},
		"pol":          {planning.LinkQuery{A: a, B: b, Polarisation: "slant"}, "polarisation"},
		"eirp":         {planning.LinkQuery{A: a, B: b, EIRP: unit.Some[unit.DBm](900)}, "EIRP"},
	} {
		_, err := planning.PlanLink(hole, c.q)
		if err == nil || fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an Invalid error with %q", name, err, c.want)
		}
	}
}

// Without bands on the sheet nothing is refused, and a hole in the terrain is no
// swap.
func TestLinkRefusesNoMore(t *testing.T) {
	g := *planning.Generic()
	g.Bands = nil
	a, b := place(44.5, 8.05, 15), place(44.5, 8.15, 6)
	a.Gear, b.Gear = &g, &g
	plan(t, flat(300), planning.LinkQuery{A: a, B: b, Freq: 2450})
	_, err := planning.PlanLink(flat(300), planning.LinkQuery{A: a, B: place(44.5, 9.5, 6)})
	if err == nil || strings.Contains(err.Error(), "swap") {
		t.Errorf("outside: %v", err)
	}
}

// Another antenna than the usual pointing: pattern and set power count.
func TestLinkPointing(t *testing.T) {
	q := planning.LinkQuery{A: place(44.5, 8.05, 30), B: place(44.5, 8.12, 30)}
	aimed := plan(t, flat(300), q)
	q.A.Azimuth = unit.Some(unit.Degrees(aimed.Bearing + 180))
	away := plan(t, flat(300), q)
	near(t, "from behind", away.Budget.RSSI, aimed.Budget.RSSI-25, 0.01)
	q.A.Azimuth, q.A.TxPower = unit.Opt[unit.Degrees]{}, unit.Some[unit.DBm](0)
	near(t, "0 dBm at the port", plan(t, flat(300), q).Budget.EIRP, 23, 1e-9)
}

// Whatever the ends, the answer is finite, level falls with EIRP dB by dB, and
// the way back loses the same.
func TestLinkProperties(t *testing.T) {
	g := shape(func(p geo.LonLat) float64 {
		return 500 + 150*math.Sin(p.Lon*300) + 120*math.Cos(p.Lat*410)
	})
	rapid.Check(t, func(t *rapid.T) {
		end := func(n string) planning.End {
			return place(rapid.Float64Range(44.31, 44.69).Draw(t, n), rapid.Float64Range(7.91, 8.29).Draw(t, n), rapid.Float64Range(1, 60).Draw(t, n))
		}
		q := planning.LinkQuery{A: end("a"), B: end("b"), Freq: 5600}
		p, err := planning.PlanLink(g, q)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		if _, err := json.Marshal(p); err != nil {
			t.Fatal(err)
		}
		r, err := planning.PlanLink(g, planning.LinkQuery{A: q.B, B: q.A})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.Loss.Total-p.Loss.Total) > 0.01 {
			t.Fatalf("%v dB there, %v back", p.Loss.Total, r.Loss.Total)
		}
		q.EIRP = unit.Some[unit.DBm](24)
		less, err := planning.PlanLink(g, q)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(p.Budget.RSSI-less.Budget.RSSI-3) > 0.003 || less.Budget.Rate > p.Budget.Rate {
			t.Fatalf("27 dBm: %+v; 24 dBm: %+v", p.Budget, less.Budget)
		}
	})
}

// What is printed fits a terminal and leads with the answer.
func TestLinkText(t *testing.T) {
	for want, p := range map[string]*planning.LinkPlan{
		"NO LINK":                plan(t, ridge(8.1, 900), planning.LinkQuery{A: place(44.5, 8.0, 15), B: place(44.5, 8.2, 6)}),
		"DOES NOT REACH 30 MBPS": plan(t, flat(300), planning.LinkQuery{A: place(44.5, 8.05, 30), B: place(44.5, 8.15, 30)}),
		"REACHES 100 MBPS":       plan(t, flat(300), planning.LinkQuery{A: place(44.5, 8.05, 30), B: place(44.5, 8.06, 30), Width: 80}),
		"REACHES 30 MBPS":        plan(t, flat(300), planning.LinkQuery{A: place(44.5, 8.05, 30), B: place(44.5, 8.08, 30), Width: 40}),
	} {
		var b strings.Builder
		if err := p.Text(&b); err != nil {
			t.Fatal(err)
		}
		narrow(t, b.String())
		if !strings.HasPrefix(b.String(), want+",") || !strings.Contains(b.String(), "minimum of the IEEE standard") || !strings.Contains(b.String(), "Bare earth") {
			t.Errorf("want %s:\n%s", want, b.String())
		}
		t.Logf("\n%s", b.String())
	}
}

// Whatever is asked, the answer is an Invalid error or a plan that JSON holds.
func FuzzPlanLink(f *testing.F) {
	f.Add(44.45, 8.05, 15.0, 44.55, 8.15, 6.0, 5600.0, 20.0, 1.33)
	f.Add(44.45, 8.05, 15.0, 44.45, 8.0500001, 6.0, 60480.0, 80.0, 0.2)
	f.Add(-90.0, 180.0, 1e9, 90.0, -180.0, 0.0, 0.0, 0.0, 0.0)
	hilly := shape(func(p geo.LonLat) float64 { return 500 + 400*math.Sin(p.Lon*300)*math.Cos(p.Lat*410) })
	f.Fuzz(func(t *testing.T, latA, lonA, hA, latB, lonB, hB, freq, width, k float64) {
		for _, g := range []planning.Terrain{hilly, everywhere(100)} {
			q := planning.LinkQuery{A: place(latA, lonA, hA), B: place(latB, lonB, hB), Freq: unit.MHz(freq), Width: unit.MHz(width), K: k,
				EIRP: unit.Some[unit.DBm](27)}
			p, err := planning.PlanLink(g, q)
			if err != nil {
				if fault.Of(err) != fault.Invalid {
					t.Fatal(err)
				}
				continue
			}
			if _, err := json.Marshal(p); err != nil {
				t.Fatal(err)
			}
			if err := p.Text(io.Discard); err != nil {
				t.Fatal(err)
			}
			if p.Loss.Diffraction < 0 || p.Loss.Total < p.Loss.FreeSpace {
				t.Fatalf("loss %+v", p.Loss)
			}
		}
	})
}

func BenchmarkPlanLink(b *testing.B) {
	g := provence(b)
	q := planning.LinkQuery{A: place(43.43, 5.60, 15), B: place(43.53, 5.72, 6)}
	for b.Loop() {
		if _, err := planning.PlanLink(g, q); err != nil {
			b.Fatal(err)
		}
	}
}
