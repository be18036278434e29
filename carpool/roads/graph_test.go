package roads

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

func TestHierarchyEqualsDijkstra(t *testing.T) {
	for seed := range uint64(12) {
		g := town(t, seed, 4+int(seed))
		rng := rand.New(rand.NewPCG(seed, 1))
		at := g.places(rng, 14)
		spots, err := g.spots(context.Background(), "place", at)
		if err != nil {
			t.Fatal(err)
		}
		table, err := g.Legs(context.Background(), at, at)
		if err != nil {
			t.Fatal(err)
		}
		oracle := newPlain(g.car)
		for i := range spots {
			for j := range spots {
				want := g.car.metric.leg(oracle.dijkstra(&spots[i], &spots[j]))
				one, err := g.Legs(context.Background(), at[i:i+1], at[j:j+1])
				if err != nil {
					t.Fatal(err)
				}
				if table[i][j] != want || one[0][0] != want {
					t.Fatalf("town %d, %d to %d: table %v, alone %v, Dijkstra %v", seed, i, j, table[i][j], one[0][0], want)
				}
			}
		}
	}
}

func TestBuildIsTheSameEachTime(t *testing.T) {
	a, b := town(t, 3, 15), town(t, 3, 15)
	if len(a.ways.up.list) != len(b.ways.up.list) {
		t.Fatalf("%d arcs up, then %d", len(a.ways.up.list), len(b.ways.up.list))
	}
	for i := range a.ways.up.list {
		if a.ways.up.list[i] != b.ways.up.list[i] {
			t.Fatalf("arc %d: %v, then %v", i, a.ways.up.list[i], b.ways.up.list[i])
		}
	}
	for v := range a.car.nodes {
		for _, arc := range a.ways.up.of(uint32(v)) {
			if arc.to <= uint32(v) {
				t.Fatalf("an arc from %d goes down to %d", v, arc.to)
			}
		}
	}
}

// A straight road of three nodes, 1 km each, one-way from the first to the
// second, two-way after that.
func street(t testing.TB) *Graph {
	nodes := []point{{80_000_000, 450_000_000}, {80_127_000, 450_000_000}, {80_254_000, 450_000_000}}
	return graphOf(t, Fastest, nodes, []segment{
		{a: 0, b: 1, ab: 60_000, ba: shut, dm: 10_000},
		{a: 1, b: 2, ab: 60_000, ba: 60_000, dm: 10_000},
		{a: 2, b: 0, ab: 200_000, ba: 200_000, dm: 30_000}, // the long way back, by the south
	}, []point{{80_127_000, 449_880_000}})
}

func TestPlacesStandOnTheRoadNotAtItsEnds(t *testing.T) {
	g := street(t)
	quarter, half := geo.LonLat{Lon: 8.003175, Lat: 45}, geo.LonLat{Lon: 8.00635, Lat: 45}
	second, last := geo.LonLat{Lon: 8.0127, Lat: 45}, geo.LonLat{Lon: 8.0254, Lat: 45}
	for _, c := range []struct {
		name     string
		from, to geo.LonLat
		want     time.Duration
		metres   float64
	}{
		{"with the one-way", quarter, half, 15 * time.Second, 250},
		{"against it: round the block", half, quarter, (30 + 60 + 200 + 15) * time.Second, 500 + 1000 + 3000 + 250},
		{"to the next node", half, second, 30 * time.Second, 500},
		{"from the next node: round the block", second, half, (60 + 200 + 30) * time.Second, 1000 + 3000 + 500},
		{"two-way", last, second, 60 * time.Second, 1000},
		{"nowhere to go", half, half, 0, 0},
	} {
		legs, err := g.Legs(context.Background(), []geo.LonLat{c.from}, []geo.LonLat{c.to})
		if err != nil {
			t.Fatal(err)
		}
		if got := legs[0][0]; !got.OK || (got.Time-c.want).Abs() > 50*time.Millisecond || float64(got.Metres)-c.metres > 1 || c.metres-float64(got.Metres) > 1 {
			t.Errorf("%s: %+v, want %v and %.0f m", c.name, got, c.want, c.metres)
		}
	}
}

func TestWayToThePlaceIsCounted(t *testing.T) {
	g := street(t)
	off := geo.LonLat{Lon: 8.0190, Lat: 45}.Toward(0, 500)
	legs, err := g.Legs(context.Background(), []geo.LonLat{off}, []geo.LonLat{{Lon: 8.0254, Lat: 45}})
	if err != nil {
		t.Fatal(err)
	}
	on := 500 + 504.0 // to the road, then along it
	if got := legs[0][0]; float64(got.Metres) < on-5 || float64(got.Metres) > on+5 || got.Time < 120*time.Second {
		t.Errorf("%+v, want about %.0f m and the track at 15 km/h", got, on)
	}
}

func TestPlaceOutsideTheMap(t *testing.T) {
	g := street(t)
	far, home := geo.LonLat{Lon: 8.0127, Lat: 45.1}, geo.LonLat{Lon: 8.0127, Lat: 45}
	_, err := g.Legs(context.Background(), []geo.LonLat{home}, []geo.LonLat{home, far})
	if fault.Of(err) != fault.Invalid || !refused(err, "to[1]", "11.1 km", "2.0 km", "town of chance") {
		t.Errorf("got %v", err)
	}
	if refused(err, "45.1") {
		t.Errorf("the error says where somebody is: %v", err)
	}
	if err := g.Index().Put("r-1", []geo.LonLat{home, far}, time.Time{}); fault.Of(err) != fault.Invalid || g.Index().Len() != 0 {
		t.Errorf("a ride that ends outside the map: %v, %d rides", err, g.Index().Len())
	}
	if _, err := g.Index().Near(context.Background(), []geo.LonLat{far}, nil, time.Hour, carpool.Window{}); fault.Of(err) != fault.Invalid {
		t.Errorf("a search outside the map: %v", err)
	}
	for _, p := range []geo.LonLat{{Lon: nan(), Lat: 45}, {Lon: 8, Lat: nan()}, {Lon: 181, Lat: 0}} {
		if _, err := g.Legs(context.Background(), []geo.LonLat{p}, []geo.LonLat{home}); fault.Of(err) != fault.Invalid {
			t.Errorf("%v: %v", p, err)
		}
		if _, err := g.Walk(context.Background(), p, home); fault.Of(err) != fault.Invalid {
			t.Errorf("walk from %v: %v", p, err)
		}
	}
}

func TestIslandsAreNotJoinedAndTheMainlandIsPreferred(t *testing.T) {
	nodes := []point{{80_000_000, 450_000_000}, {80_127_000, 450_000_000}, {80_254_000, 450_000_000},
		{80_000_000, 450_018_000}, {80_127_000, 450_018_000}, // 200 m north, two nodes
		{80_000_000, 450_150_000}, {80_127_000, 450_150_000}} // 1.7 km north
	g := graphOf(t, Fastest, nodes, []segment{
		{a: 0, b: 1, ab: 1000, ba: 1000, dm: 10_000}, {a: 1, b: 2, ab: 1000, ba: 1000, dm: 10_000},
		{a: 3, b: 4, ab: 1000, ba: 1000, dm: 10_000}, {a: 5, b: 6, ab: 1000, ba: 1000, dm: 10_000},
	}, nil)
	mainland := geo.LonLat{Lon: 8.02, Lat: 45}
	near, remote := geo.LonLat{Lon: 8.005, Lat: 45.0018}, geo.LonLat{Lon: 8.005, Lat: 45.015}
	legs, err := g.Legs(context.Background(), []geo.LonLat{near, remote}, []geo.LonLat{mainland, remote})
	if err != nil {
		t.Fatal(err)
	}
	if !legs[0][0].OK {
		t.Error("a place beside an island 200 m from the mainland was left on the island")
	}
	if legs[1][0].OK || legs[1][0] != (carpool.Leg{}) || !legs[1][1].OK {
		t.Errorf("a place on a far island: to the mainland %+v, on the island %+v", legs[1][0], legs[1][1])
	}
	if err := g.Index().Put("r-1", []geo.LonLat{remote, mainland}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	got, err := g.Index().Near(context.Background(), []geo.LonLat{near}, []geo.LonLat{near}, 24*time.Hour, carpool.Window{})
	if err != nil || len(got.Rides) != 0 {
		t.Errorf("a ride that cannot be driven takes somebody in: %+v, %v", got, err)
	}
}

func TestTooManyWaysAtOnce(t *testing.T) {
	g := street(t)
	many := make([]geo.LonLat, 2000)
	for i := range many {
		many[i] = geo.LonLat{Lon: 8, Lat: 45}
	}
	if _, err := g.Legs(context.Background(), many, many); fault.Of(err) != fault.Invalid {
		t.Errorf("2000 × 2000 ways: %v", err)
	}
	if _, err := g.Index().Near(context.Background(), many, nil, 0, carpool.Window{}); fault.Of(err) != fault.Invalid {
		t.Errorf("2000 points: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Legs(ctx, many[:1], many[:1]); err == nil {
		t.Error("an ended context still gave ways")
	}
}
