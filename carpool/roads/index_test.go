package roads

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

func nan() float64 { return math.NaN() }

// nearBySearching is the answer of an index that looks at every ride.
func nearBySearching(t testing.TB, r carpool.Roads, rides map[carpool.RideID][]geo.LonLat, from, to []geo.LonLat, budget time.Duration) carpool.Nearby {
	t.Helper()
	var out carpool.Nearby
	legs := func(a, b []geo.LonLat) [][]carpool.Leg {
		l, err := r.Legs(context.Background(), a, b)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	points := slices.Concat(from, to)
	for _, id := range slices.Sorted(maps.Keys(rides)) {
		stops := rides[id]
		near := carpool.NearRide{Ride: id}
		there, back := legs(stops, points), legs(points, stops)
		cost := make([][]time.Duration, len(points)) // of each after each stop, within the budget or -1
		for p := range points {
			near.To, near.From = append(near.To, make([]carpool.Leg, len(stops))), append(near.From, make([]carpool.Leg, len(stops)))
			cost[p] = make([]time.Duration, len(stops)-1)
		}
		for s := range len(stops) - 1 {
			b := legs(stops[s:s+1], stops[s+1:s+2])[0][0]
			near.Between = append(near.Between, b)
			for p := range points {
				in, on := there[s][p], back[p][s+1]
				if cost[p][s] = in.Time + on.Time - b.Time; b.OK && in.OK && on.OK && cost[p][s] <= budget {
					near.To[p][s], near.From[p][s+1] = in, on
				} else {
					cost[p][s] = tooDear
				}
			}
		}
		if passes(cost[:len(from)], cost[len(from):], budget) {
			out.Rides = append(out.Rides, near)
		}
	}
	return out
}

// tooDear is a cost above every budget.
const tooDear = time.Duration(math.MaxInt64)

// passes says whether some point of the first end and one of the second, not
// before it, fit together.
func passes(from, to [][]time.Duration, budget time.Duration) bool {
	for _, a := range from {
		for _, b := range to {
			for i := range a {
				for j := i; j < len(b); j++ {
					if a[i] != tooDear && b[j] != tooDear && (i == j || a[i]+b[j] <= budget) {
						return true
					}
				}
			}
		}
	}
	return false
}

func sameNearby(t testing.TB, got, want carpool.Nearby) {
	t.Helper()
	if len(got.Rides) != len(want.Rides) {
		t.Fatalf("%d rides, want %d", len(got.Rides), len(want.Rides))
	}
	for i := range got.Rides {
		if !reflect.DeepEqual(got.Rides[i], want.Rides[i]) {
			t.Fatalf("ride %s:\n got %+v\nwant %+v", got.Rides[i].Ride, got.Rides[i], want.Rides[i])
		}
	}
}

func TestIndexEqualsLookingAtEveryRide(t *testing.T) {
	towns := []*Graph{town(t, 1, 6), town(t, 2, 11)}
	rapid.Check(t, func(rt *rapid.T) {
		g := towns[rapid.IntRange(0, len(towns)-1).Draw(rt, "town")]
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 5))
		x := newStopIndex(g)
		rides, leaves := map[carpool.RideID][]geo.LonLat{}, map[carpool.RideID]time.Time{}
		for range rapid.IntRange(1, 25).Draw(rt, "changes") {
			id := rideID(rng.IntN(12))
			if rng.IntN(4) == 0 {
				x.Drop(id)
				delete(rides, id)
				continue
			}
			stops := g.places(rng, 2+rng.IntN(4))
			leaves[id] = time.Unix(0, 0).Add(time.Duration(9*60+rng.IntN(8*60)) * time.Minute)
			if err := x.Put(id, stops, leaves[id]); err != nil {
				rt.Fatal(err)
			}
			rides[id] = stops
		}
		if x.Len() != len(rides) {
			rt.Fatalf("holds %d rides, want %d", x.Len(), len(rides))
		}
		points := g.places(rng, rapid.IntRange(1, 6).Draw(rt, "points"))
		half := rapid.IntRange(0, len(points)).Draw(rt, "of the first end")
		budget := time.Duration(rapid.IntRange(-1, 900).Draw(rt, "budget")) * time.Second
		got, err := x.Near(context.Background(), points[:half], points[half:], budget, carpool.Window{})
		if err != nil {
			rt.Fatal(err)
		}
		want := nearBySearching(t, g, rides, points[:half], points[half:], budget)
		sameNearby(t, got, want)
		noon := time.Unix(0, 0).Add(12 * time.Hour)
		during := carpool.Window{From: noon, To: noon.Add(time.Duration(rng.IntN(180)) * time.Minute)}
		want.Rides = slices.DeleteFunc(want.Rides, func(r carpool.NearRide) bool {
			s := spanOf(leaves[r.Ride], r.Between)
			return s.leave > during.To.UnixMilli() || s.arrive < during.From.UnixMilli()
		})
		if got, err = x.Near(context.Background(), points[:half], points[half:], budget, during); err != nil {
			rt.Fatal(err)
		}
		sameNearby(t, got, want)
	})
}

func TestDroppedRidesLeaveNothingBehind(t *testing.T) {
	g := town(t, 4, 9)
	x := newStopIndex(g)
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 30 {
		for i := range 20 {
			if err := x.Put(rideID(i), g.places(rng, 2+(i+round)%3), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(x.stops) > 20*4+256+80 {
		t.Errorf("%d slots for 20 rides of up to 4 stops", len(x.stops))
	}
	for i := range 25 {
		x.Drop(rideID(i))
	}
	left := len(x.bySeg) + len(x.order) + x.Len() + len(x.stops)
	for v := range x.from {
		left += len(x.from[v].list) + len(x.to[v].list)
	}
	if left != 0 {
		t.Errorf("%d entries are left of no ride", left)
	}
}

func TestRideHasStops(t *testing.T) {
	g := street(t)
	for _, n := range []int{0, 1, maxStops + 1} {
		if err := g.Index().Put("r-1", make([]geo.LonLat, n), time.Time{}); !refused(err, "r-1", "2 to 64") {
			t.Errorf("%d stops: %v", n, err)
		}
	}
	if g.Index() != g.Index() {
		t.Error("the index of a graph is another each time")
	}
}

// A search sees each ride whole, whatever is put and dropped meanwhile: every
// ride here is one of two, and a mixture would be neither.
func TestSearchesAmongChanges(t *testing.T) {
	g := town(t, 5, 8)
	rng := rand.New(rand.NewPCG(2, 2))
	here, there := g.places(rng, 2), g.places(rng, 3)
	points := g.places(rng, 2)
	x := newStopIndex(g)
	want := map[int]carpool.NearRide{}
	for _, stops := range [][]geo.LonLat{here, there} {
		for _, r := range nearBySearching(t, g, map[carpool.RideID][]geo.LonLat{"r-1": stops}, points, points, time.Hour).Rides {
			want[len(stops)] = r
		}
	}
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 60 {
				switch (i + w) % 3 {
				case 0:
					_ = x.Put("r-1", here, time.Time{})
				case 1:
					_ = x.Put("r-1", there, time.Time{})
				default:
					x.Drop("r-1")
				}
			}
		})
		wg.Go(func() {
			for range 60 {
				got, err := x.Near(context.Background(), points, points, time.Hour, carpool.Window{})
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range got.Rides {
					if !reflect.DeepEqual(r, want[len(r.Between)+1]) {
						t.Errorf("neither of the two rides: %+v", r)
					}
				}
			}
		})
	}
	wg.Wait()
}
