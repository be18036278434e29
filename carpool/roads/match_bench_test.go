package roads

import (
	"context"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

var benchDay = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// benchRides are 10,000 rides over a day, a third of them with a rider aboard
// already, on an index of their own.
func benchRides(b *testing.B) (*Graph, map[carpool.RideID]carpool.Candidate) {
	b.Helper()
	whole := benchGraph(b)
	g := newGraph(whole.about, whole.car, whole.ways, nil)
	rng := rand.New(rand.NewPCG(5, 2026))
	out := make(map[carpool.RideID]carpool.Candidate, benchOffers)
	for i := range benchOffers {
		depart := benchDay.Add(time.Duration(rng.IntN(24*60)) * time.Minute)
		ends := g.places(rng, 2)
		at := func(kind carpool.StopKind, p geo.LonLat, seats int) carpool.Stop {
			s := carpool.Stop{Kind: kind, Spot: carpool.Spot{Place: "p", At: p}, At: depart, Seats: seats}
			if seats > 0 {
				s.Booking = "b-1"
			}
			return s
		}
		ride := &carpool.Ride{ID: rideID(i), State: carpool.RideOpen, Seats: 1 + rng.IntN(4), Depart: depart}
		c := carpool.Candidate{Ride: ride, Rate: 50, Offer: &carpool.Offer{MaxDetour: benchBudget, Flex: carpool.DefaultFlex}}
		ride.Stops = []carpool.Stop{at(carpool.StopStart, ends[0], 0), at(carpool.StopEnd, ends[1], 0)}
		if i%3 == 0 {
			legs, err := g.Legs(context.Background(), ends[:1], ends[1:])
			if err != nil {
				b.Fatal(err)
			}
			c.Direct = max(legs[0][0].Time, time.Second)
			c.Riders = []carpool.Promise{{Booking: "b-1", When: carpool.Window{From: depart, To: depart.Add(3 * time.Hour)}}}
			ride.Stops = []carpool.Stop{ride.Stops[0], at(carpool.StopPickup, aside(rng, ends[0]), 1), at(carpool.StopDrop, aside(rng, ends[1]), 1), ride.Stops[1]}
		}
		if err := g.Index().Put(ride.ID, ride.Points(), depart); err != nil {
			b.Fatal(err)
		}
		out[ride.ID] = c
	}
	return g, out
}

// aside is a place within a walk.
func aside(rng *rand.Rand, p geo.LonLat) geo.LonLat {
	return geo.LonLat{Lon: p.Lon + 0.01*(rng.Float64()-0.5), Lat: p.Lat + 0.008*(rng.Float64()-0.5)}
}

// BenchmarkSearch is a whole search without the store: a window of an hour,
// seats, five meeting points and the place itself at each end, against 10,000
// rides of a day. Limit: p99 8 ms on one core.
func BenchmarkSearch(b *testing.B) {
	oneCore(b)
	g, rides := benchRides(b)
	rng := rand.New(rand.NewPCG(9, 9))
	type search struct {
		ask      carpool.Ask
		from, to []carpool.NearPlace
	}
	searches := make([]search, 1000)
	for i := range searches {
		ends := g.places(rng, 2)
		near := func(end geo.LonLat) (out []carpool.NearPlace) {
			for k := range carpool.MostPlaces {
				p := aside(rng, end)
				d := end.Distance(p)
				out = append(out, carpool.NearPlace{Place: carpool.Place{ID: carpool.PlaceID(rune('a' + k)), At: p},
					Walk: carpool.Leg{OK: true, Metres: d, Time: time.Duration(float64(d) / 1.2 * float64(time.Second))}})
			}
			return out
		}
		from := benchDay.Add(time.Duration(rng.IntN(23*60)) * time.Minute)
		searches[i] = search{carpool.Ask{From: carpool.Spot{Place: "from", At: ends[0]}, To: carpool.Spot{Place: "to", At: ends[1]}, Seats: 1,
			MaxWalk: 15 * time.Minute, When: carpool.Window{From: from, To: from.Add(time.Hour)}}, near(ends[0]), near(ends[1])}
	}
	candidates := make([]carpool.Candidate, 0, 4096)
	all := slices.Collect(maps.Values(rides))
	one := func(s search) (near, matches int) {
		around := carpool.AroundOf(s.ask, s.from, s.to)
		points, in := around.Points(), len(around.Pickups)
		_, during := carpool.ReachOf(s.ask, all[:1]) // drivers are all as flexible
		found, err := g.Index().Near(context.Background(), points[:in], points[in:], benchBudget, during)
		if err != nil {
			b.Fatal(err)
		}
		if around.Legs, err = g.Legs(context.Background(), points[:in], points[in:]); err != nil {
			b.Fatal(err)
		}
		candidates = candidates[:0]
		for _, n := range found.Rides {
			c := rides[n.Ride]
			c.Near = n
			candidates = append(candidates, c)
		}
		m, _ := carpool.Rank(s.ask, around, candidates, benchDay)
		return len(candidates), len(m)
	}
	for _, s := range searches[:50] {
		one(s)
	}
	runtime.GC()
	var took stopwatch
	var near, matches int
	for range b.N {
		for _, s := range searches {
			took.time(func() {
				n, m := one(s)
				near, matches = near+n, matches+m
			})
		}
	}
	if matches == 0 {
		b.Fatal("no search found a ride")
	}
	took.report(b)
	b.ReportMetric(8, "limit-ms")
	b.ReportMetric(float64(near)/float64(len(took.cpu)), "rides")
	b.ReportMetric(float64(matches)/float64(len(took.cpu)), "matches")
	b.ReportMetric(0, "ns/op")
}
