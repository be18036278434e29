package roads

import (
	"math"
	"strings"
	"testing"
)

// tagged reads "highway=primary oneway=-1".
func tagged(s string) tags {
	var t tags
	for _, kv := range strings.Fields(s) {
		k, v, _ := strings.Cut(kv, "=")
		t = append(t, tag{k, strings.ReplaceAll(v, "_sp_", " ")})
	}
	return t
}

func TestCarLane(t *testing.T) {
	for _, c := range []struct {
		tags        string
		ahead, back float64 // km/h
	}{
		{"highway=residential", 28, 28},
		{"highway=secondary", 55, 55},
		{"highway=secondary maxspeed=50", 45, 45},
		{"highway=secondary maxspeed=110", 71.5, 71.5},
		{"highway=secondary maxspeed=30_sp_mph", 43.45, 43.45},
		{"highway=tertiary maxspeed=IT:urban", 45, 45},
		{"highway=tertiary maxspeed=IT:rural maxspeed:backward=20", 58.5, 18},
		{"highway=tertiary maxspeed=fast", 45, 45},
		{"highway=tertiary maxspeed=1e9", 45, 45},
		{"highway=tertiary maxspeed=NaN", 45, 45},
		{"highway=tertiary surface=gravel", 25, 25},
		{"highway=primary oneway=yes", 65, 0},
		{"highway=primary oneway=-1", 0, 65},
		{"highway=primary oneway=yes oneway:motorcar=no", 65, 65},
		{"highway=primary oneway=reversible", 0, 0},
		{"highway=tertiary junction=roundabout", 45, 0},
		{"highway=tertiary junction=roundabout oneway=no", 45, 45},
		{"highway=motorway", 110, 0},
		{"highway=motorway oneway=no", 110, 110},
		{"highway=motorway_link", 60, 60},
		{"highway=residential access=private", 0, 0},
		{"highway=residential access=no", 0, 0},
		{"highway=residential access=no motorcar=yes", 28, 28},
		{"highway=residential access=no vehicle=yes motor_vehicle=no", 0, 0},
		{"highway=residential vehicle=no motor_vehicle=permissive", 28, 28},
		{"highway=residential motor_vehicle=destination", 14, 14},
		{"highway=residential access=destination;delivery", 14, 14},
		{"highway=residential access=unknown", 28, 28},
		{"highway=track", 0, 0},
		{"highway=track motorcar=yes", 12, 12},
		{"highway=track tracktype=grade1", 0, 0},
		{"highway=track access=yes", 0, 0},
		{"highway=track access=no motor_vehicle=destination", 6, 6},
		{"highway=service", 15, 15},
		{"highway=service service=emergency_access", 0, 0},
		{"highway=pedestrian", 0, 0},
		{"highway=footway motorcar=yes", 0, 0},
		{"highway=residential area=yes", 0, 0},
		{"highway=construction", 0, 0},
		{"waterway=river", 0, 0},
		{"", 0, 0},
	} {
		l := carLane(tagged(c.tags))
		if math.Abs(l.ahead*3.6-c.ahead) > 0.01 || math.Abs(l.back*3.6-c.back) > 0.01 {
			t.Errorf("%s: %.2f and %.2f km/h, want %v and %v", c.tags, l.ahead*3.6, l.back*3.6, c.ahead, c.back)
		}
	}
}

func TestFootLane(t *testing.T) {
	for _, c := range []struct {
		tags        string
		ahead, back bool
	}{
		{"highway=footway", true, true},
		{"highway=path", true, true},
		{"highway=path sac_scale=hiking", true, true},
		{"highway=path sac_scale=demanding_mountain_hiking", false, false},
		{"highway=residential oneway=yes", true, true},
		{"highway=footway oneway:foot=yes", true, false},
		{"highway=footway oneway:foot=-1", false, true},
		{"highway=residential access=private", false, false},
		{"highway=residential access=private foot=yes", true, true},
		{"highway=residential foot=no", false, false},
		{"highway=primary foot=use_sidepath", false, false},
		{"highway=motorway", false, false},
		{"highway=motorway foot=yes", false, false},
		{"highway=trunk", false, false},
		{"highway=trunk foot=yes", true, true},
		{"highway=track", true, true},
	} {
		if l := footLane(tagged(c.tags)); (l.ahead > 0) != c.ahead || (l.back > 0) != c.back {
			t.Errorf("%s: %+v, want %v %v", c.tags, l, c.ahead, c.back)
		}
	}
	if l := footLane(tagged("highway=steps")); l.ahead != stairSpeed {
		t.Errorf("stairs at %v m/s", l.ahead)
	}
}

func TestWhatStops(t *testing.T) {
	for _, c := range []struct {
		tags      string
		car, foot bool
	}{
		{"barrier=bollard", true, false},
		{"barrier=bollard motor_vehicle=yes", false, false},
		{"barrier=gate", false, false},
		{"barrier=gate access=private", true, true},
		{"barrier=gate access=private foot=yes", true, false},
		{"barrier=gate vehicle=no", true, false},
		{"barrier=lift_gate access=destination", false, false},
		{"barrier=block", true, false},
		{"barrier=toll_booth", false, false},
		{"barrier=cattle_grid", false, false},
		{"highway=crossing access=no", true, false},
		{"highway=traffic_signals", false, false},
		{"access=no", false, false},
		{"", false, false},
	} {
		if car, foot := carStops(tagged(c.tags)), footStops(tagged(c.tags)); car != c.car || foot != c.foot {
			t.Errorf("%s: cars %v, on foot %v; want %v, %v", c.tags, car, foot, c.car, c.foot)
		}
	}
}

// The values of Tobler's formula: 6 km/h where it falls by 5 %, 5.037 on the
// flat, the same 10 % up as 20 % down.
func TestTobler(t *testing.T) {
	for _, c := range []struct{ slope, kmh float64 }{{-0.05, 6}, {0, 5.0367}, {0.1, 3.5493}, {-0.2, 3.5493}, {0.5, 0.8752}} {
		if got := toblerSpeed(c.slope) * 3.6; math.Abs(got-c.kmh) > 0.001 {
			t.Errorf("slope %v: %.4f km/h, want %v", c.slope, got, c.kmh)
		}
	}
}

func TestSlopeSlows(t *testing.T) {
	if a, b := driveTime(1000, 0.05, 10), driveTime(1000, -0.05, 10); a != 100_000 || b != 100_000 {
		t.Errorf("5 %%: %v up and %v down, want 100 s", a, b)
	}
	if got := driveTime(1000, 0.10, 10); math.Abs(got-125_000) > 1e-6 {
		t.Errorf("10 %% up: %v, want 125 s", got)
	}
	if got := driveTime(1000, -0.9, 10); got != 200_000 {
		t.Errorf("90 %% down: %v, want half the speed", got)
	}
	if up, down := walkTime(100, 0.1, toblerBest), walkTime(100, -0.1, toblerBest); up <= down {
		t.Errorf("on foot: %v up, %v down", up, down)
	}
	if got := walkTime(70, 0, stairSpeed); math.Abs(got-100_000) > 1e-6 {
		t.Errorf("stairs: %v", got)
	}
}
