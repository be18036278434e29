package roads

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// langa are points of chance in a box of 20 km.
func langa(rng *rand.Rand, n int) []geo.LonLat {
	out := make([]geo.LonLat, n)
	for i := range out {
		out[i] = geo.LonLat{Lon: 8 + 0.25*rng.Float64(), Lat: 44.4 + 0.2*rng.Float64()}
	}
	return out
}

func TestFlatIndexEqualsLookingAtEveryRide(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := NewEstimate()
		x := e.Index()
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3))
		rides := map[carpool.RideID][]geo.LonLat{}
		for range rapid.IntRange(1, 20).Draw(rt, "changes") {
			id := rideID(rng.IntN(10))
			if rng.IntN(4) == 0 {
				x.Drop(id)
				delete(rides, id)
				continue
			}
			rides[id] = langa(rng, 2+rng.IntN(3))
			if err := x.Put(id, rides[id], time.Time{}); err != nil {
				rt.Fatal(err)
			}
		}
		if x.Len() != len(rides) {
			rt.Fatalf("holds %d, want %d", x.Len(), len(rides))
		}
		from, to := langa(rng, rapid.IntRange(0, 3).Draw(rt, "from")), langa(rng, rapid.IntRange(0, 3).Draw(rt, "to"))
		budget := time.Duration(rapid.IntRange(0, 2400).Draw(rt, "budget")) * time.Second
		got, err := x.Near(context.Background(), from, to, budget, carpool.Window{})
		if err != nil {
			rt.Fatal(err)
		}
		sameNearby(t, got, nearBySearching(t, e, rides, from, to, budget))
	})
}

func TestEstimateSaysSo(t *testing.T) {
	e, err := NewEstimateOf(1.5, 36)
	if err != nil {
		t.Fatal(err)
	}
	if a := e.About(); a.Kind != "estimate" || !a.Estimate || a.Source != "no road map: straight lines × 1.5 at 36 km/h" {
		t.Errorf("about: %+v", a)
	}
	a, b := geo.LonLat{Lon: 8, Lat: 44.5}, geo.LonLat{Lon: 8, Lat: 44.6} // 11,119.5 m
	legs, err := e.Legs(context.Background(), []geo.LonLat{a}, []geo.LonLat{b, a})
	if err != nil {
		t.Fatal(err)
	}
	if l := legs[0][0]; !l.OK || l.Metres != 16679 || (l.Time-1667925*time.Millisecond).Abs() > 10*time.Millisecond {
		t.Errorf("11.1 km: %+v", l)
	}
	if l := legs[0][1]; !l.OK || l.Time != 0 {
		t.Errorf("to itself: %+v", l)
	}
	if w, err := e.Walk(context.Background(), a, geo.LonLat{Lon: 8, Lat: 44.7}); err != nil || w.OK {
		t.Errorf("22 km on foot: %+v, %v", w, err)
	}
	bad := []geo.LonLat{{Lon: 8, Lat: 91}}
	if _, err := e.Legs(context.Background(), bad, bad); fault.Of(err) != fault.Invalid {
		t.Errorf("latitude 91: %v", err)
	}
	if _, err := e.Walk(context.Background(), a, bad[0]); fault.Of(err) != fault.Invalid {
		t.Errorf("walk to latitude 91: %v", err)
	}
	if err := e.Index().Put("r-1", append(bad, a), time.Time{}); fault.Of(err) != fault.Invalid {
		t.Errorf("ride from latitude 91: %v", err)
	}
	if _, err := e.Index().Near(context.Background(), bad, bad, 0, carpool.Window{}); fault.Of(err) != fault.Invalid {
		t.Errorf("search at latitude 91: %v", err)
	}
	for _, f := range [][2]float64{{0.9, 40}, {nan(), 40}, {1.4, 0}, {1.4, nan()}} {
		if _, err := NewEstimateOf(f[0], f[1]); fault.Of(err) != fault.Invalid {
			t.Errorf("estimate of %v: %v", f, err)
		}
	}
}
