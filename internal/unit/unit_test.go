package unit

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %v, want %v ± %v", what, got, want, tol)
	}
}

func TestPowers(t *testing.T) {
	p := DBm(20)
	if p.Plus(23) != 43 || p.Minus(3) != 17 || p.Over(-60) != 80 {
		t.Errorf("%v %v %v", p.Plus(23), p.Minus(3), p.Over(-60))
	}
	near(t, "20 dBm", p.Milliwatts(), 100, 1e-9)
	near(t, "30 dBm", DBm(30).Milliwatts(), 1000, 1e-9)
	near(t, "twice the power", float64(FromMilliwatts(200)), 23.0103, 1e-4)
	if !math.IsInf(float64(FromMilliwatts(0)), -1) {
		t.Error("no power is not −∞ dBm")
	}
	rapid.Check(t, func(t *rapid.T) {
		p := DBm(rapid.Float64Range(-150, 60).Draw(t, "dBm"))
		if q := FromMilliwatts(p.Milliwatts()); math.Abs(float64(q-p)) > 1e-9 {
			t.Fatalf("%v comes back as %v", p, q)
		}
		g := DB(rapid.Float64Range(-80, 80).Draw(t, "dB"))
		if q := p.Plus(g).Minus(g); math.Abs(float64(q.Over(p))) > 1e-9 {
			t.Fatalf("%v with and without %v is %v", p, g, q)
		}
	})
}

func TestWaves(t *testing.T) {
	// c is 299,792,458 m/s: 5.6 GHz is 53.5 mm, 60 GHz 5 mm.
	near(t, "5600 MHz", float64(MHz(5600).Wavelength()), 0.0535344, 1e-7)
	near(t, "60 GHz", float64(MHz(60000).Wavelength()), 0.0049965, 1e-7)
	near(t, "GHz", MHz(5600).GHz(), 5.6, 0)
	near(t, "km", Metres(13955).Km(), 13.955, 0)
}

func TestAngles(t *testing.T) {
	for _, c := range []struct{ in, want Degrees }{
		{0, 0}, {360, 0}, {-1, 359}, {725, 5}, {-720, 0}, {359.5, 359.5}, {-1e-20, 0},
	} {
		if got := c.in.Bearing(); got != c.want {
			t.Errorf("%v folds into %v, want %v", c.in, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := Degrees(rapid.Float64Range(-1e6, 1e6).Draw(t, "degrees"))
		b := d.Bearing()
		if b < 0 || b >= 360 {
			t.Fatalf("%v folds into %v", float64(d), float64(b))
		}
		turns := float64(d-b) / 360
		if math.Abs(turns-math.Round(turns)) > 1e-9 {
			t.Fatalf("%v folds into %v: %v turns", float64(d), float64(b), turns)
		}
		if r := FromRadians(d.Radians()); math.Abs(float64(r-d)) > 1e-8 {
			t.Fatalf("%v comes back as %v", d, r)
		}
	})
}

func TestOptKeepsTheUnknown(t *testing.T) {
	var none Opt[DBm]
	if none.Known() || none.Ptr() != nil || none.Or(-7) != -7 {
		t.Errorf("the zero value is known: %+v", none)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if o := Some(DBm(v)); o.Known() {
			t.Errorf("%v is known", v)
		}
	}
	zero := Some(DBm(0))
	if v, ok := zero.Get(); !ok || v != 0 || zero.Or(-7) != 0 || *zero.Ptr() != 0 {
		t.Errorf("0 is not known: %+v", zero)
	}
	if FromPtr[DBm](nil).Known() || FromPtr[DBm](zero.Ptr()) != zero {
		t.Error("by pointer")
	}
}

func TestOptJSON(t *testing.T) {
	type row struct {
		Signal Opt[DBm]  `json:"signal_dbm"`
		Rate   Opt[Mbps] `json:"rate_mbps"`
	}
	b, err := json.Marshal(row{Signal: Some(DBm(-61.5))})
	if err != nil || string(b) != `{"signal_dbm":-61.5,"rate_mbps":null}` {
		t.Errorf("%s %v", b, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var in, out row
		if rapid.Bool().Draw(t, "known") {
			in.Signal = Some(DBm(rapid.Float64Range(-200, 200).Draw(t, "dBm")))
		}
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		out.Signal = Some(DBm(1)) // must be overwritten, by null too
		if err := json.Unmarshal(b, &out); err != nil || out != in {
			t.Fatalf("%s: %+v, want %+v, %v", b, out, in, err)
		}
	})
	for _, bad := range []string{`"-61"`, `[]`, `{}`, `true`, ``} {
		if err := new(Opt[DBm]).UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a number", bad)
		}
	}
}

func ExampleDBm_Plus() {
	tx := DBm(4)
	eirp := tx.Plus(23) // the gain of the antenna
	fmt.Println(eirp, eirp.Over(27))
	// Output: 27.0 dBm 0.0 dB
}

func ExampleOpt() {
	var signal Opt[DBm]
	fmt.Println(signal.Known(), signal.Or(-100))
	signal = Some(DBm(-58))
	fmt.Println(signal.Known(), signal.Or(-100))
	// Output:
	// false -100.0 dBm
	// true -58.0 dBm
}

func ExampleMHz_Wavelength() {
	fmt.Printf("%.1f mm\n", 1000*MHz(5600).Wavelength())
	// Output: 53.5 mm
}

func ExampleDegrees_Bearing() {
	fmt.Println(Degrees(26.4+180).Bearing(), Degrees(-90).Bearing())
	// Output: 206.40 ° 270.00 °
}
