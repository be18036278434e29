package territory

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// two squares of a tenth of a degree side by side, the left one with a hole.
const two = `{"format":"crinale-territory-1","name":"Two","unit_deg":0.01,"comuni":[
{"istat":"004001","name":"Left","hall":[8.01,44.05],"people":{"2011":10,"2021":8},"area_km2":80,
 "outline":[[[800,4400,0,10,10,0,0,-10],[803,4403,4,0,0,4,-4,0]]]},
{"istat":"004002","name":"Right","hall":[8.15,44.05],"people":{"2021":3},"area_km2":88,
 "outline":[[[810,4400,10,0,0,10,-10,0]]]}],
"places":[{"name":"Borgo","at":[8.02,44.02],"comune":"004001","people":5}]}`

func load(s string) (*Union, error) {
	return Load(fstest.MapFS{File: {Data: []byte(s)}})
}

func TestLoadClosesAndTurnsRings(t *testing.T) {
	u, err := load(two)
	if err != nil {
		t.Fatal(err)
	}
	outer, hole := u.Comuni[0].Outline[0][0], u.Comuni[0].Outline[0][1]
	if len(outer) != 5 || outer[0] != outer[4] || outer.Orientation() != orb.CCW || hole.Orientation() != orb.CW {
		t.Errorf("outer %v hole %v", outer, hole)
	}
	if b := u.Bounds(); math.Abs(b.West-8) > 1e-9 || math.Abs(b.East-8.2) > 1e-9 || math.Abs(b.South-44) > 1e-9 || math.Abs(b.North-44.1) > 1e-9 {
		t.Errorf("bounds %+v", b)
	}
	if n, ok := u.Inhabitants(2021); n != 11 || !ok {
		t.Errorf("2021: %d %v", n, ok)
	}
	if _, ok := u.Inhabitants(2011); ok || u.LatestYear() != 2021 {
		t.Error("2011 is known for one comune only")
	}
	// 0.1° × 0.1° at 44.05° N is 88.9 km²; the hole takes 16 %.
	if a := u.Comuni[1].Area(); math.Abs(a-88.87) > 0.1 {
		t.Errorf("area %v", a)
	}
	if a, b := u.Comuni[0].Area(), u.Comuni[1].Area(); math.Abs(a/b-0.84) > 0.001 {
		t.Errorf("area with a hole %v of %v", a, b)
	}
}

func TestComuneAt(t *testing.T) {
	u, err := load(two)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lon, lat float64
		want     string
	}{{8.01, 44.05, "Left"}, {8.05, 44.05, ""}, {8.15, 44.05, "Right"}, {8.1, 44.05, "Right"}, {7.99, 44.05, ""}, {8.15, 44.2, ""}, {math.NaN(), 44.05, ""}} {
		got := ""
		if c, ok := u.ComuneAt(geo.LonLat{Lon: c.lon, Lat: c.lat}); ok {
			got = c.Name
		}
		if got != c.want {
			t.Errorf("%v,%v: got %q, want %q", c.lat, c.lon, got, c.want)
		}
	}
	if c, ok := u.Comune("004002"); !ok || c.Name != "Right" {
		t.Error("no comune 004002")
	}
}

func TestEncodeGivesBackWhatWasRead(t *testing.T) {
	u, err := load(two)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Encode(u, 0.00001)
	if err != nil {
		t.Fatal(err)
	}
	v, err := load(string(a))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Encode(v, 0.00001); err != nil || !bytes.Equal(a, b) {
		t.Errorf("second writing differs: %v\n%s\n%s", err, a, b)
	}
}

func TestBadTerritoriesAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"territory-1", "territory-9", "format"},
		{`"unit_deg":0.01`, `"unit_deg":0`, "unit_deg"},
		{"004002", "004001", `is that of "Left" too`},
		{"[8.15,44.05]", "[8.15,444]", `"Right"`},
		{"[810,4400,10,0,0,10,-10,0]", "[810,4400,10,0]", "three or more"},
		{"[810,4400,10,0,0,10,-10,0]", "[810,4400,10,0,10,0]", "without an area"},
		{"[810,4400,10,0,0,10,-10,0]", "[810,4400,10,0,0,10,-10,900000]", "outside the world"},
		{`"comune":"004001"`, `"comune":"004009"`, `place 1 "Borgo"`},
		{`"2021":3`, `"2021":-3`, "-3 people"},
		{`"name":"Two"`, `"name":3`, "cannot unmarshal"},
	} {
		if _, err := load(strings.Replace(two, c.old, c.new, 1)); err == nil || !strings.Contains(err.Error(), c.want) || fault.Of(err) != fault.Invalid {
			t.Errorf("%s → %s: got %v", c.old, c.new, err)
		}
	}
	if _, err := Load(fstest.MapFS{}); fault.Of(err) != fault.NotFound {
		t.Errorf("no file: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(two), 8.05, 44.05)
	f.Add([]byte(`{"format":"crinale-territory-1","unit_deg":0.01,"comuni":[{}]}`), 0.0, 0.0)
	f.Fuzz(func(t *testing.T, data []byte, lon, lat float64) {
		u, err := decode(data)
		if err != nil {
			return
		}
		u.ComuneAt(geo.LonLat{Lon: lon, Lat: lat})
		u.Bounds()
		u.LatestYear()
	})
}
