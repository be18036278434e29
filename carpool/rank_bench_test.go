package carpool_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

// benchSearch is a search with a door and five meeting points at each end, and
// some rides that an index found within the budget. Every third has riders.
func benchSearch(rides int, hours float64) (scene, []carpool.Candidate) {
	rnd := rand.New(rand.NewPCG(4, 2026))
	leg := func(lo, hi float64) carpool.Leg {
		m := lo + rnd.Float64()*(hi-lo)
		return carpool.Leg{OK: true, Time: time.Duration(m * float64(time.Minute)), Metres: unit.Metres(m * 600)}
	}
	s := scene{now: minutesAfter(-60), ask: carpool.Ask{For: "m-rider", Seats: 1, MaxWalk: 15 * time.Minute, DoorToDoor: true,
		When: carpool.Window{From: minutesAfter(120), To: minutesAfter(180)}}}
	for i := range 6 {
		for side, ends := range []*[]carpool.End{&s.around.Pickups, &s.around.Drops} {
			*ends = append(*ends, carpool.End{Place: carpool.PlaceID(fmt.Sprint(side, i)), At: geo.LonLat{Lon: 8 + float64(side), Lat: 44 + float64(i)/100},
				Walk: legOf(3 * i), Door: i == 0})
		}
		var row []carpool.Leg
		for range 6 {
			row = append(row, leg(15, 25))
		}
		s.around.Legs = append(s.around.Legs, row)
	}
	return s, benchRides(rides, hours, rnd, leg)
}

// benchRides depart within some hours, with 12 points around each.
func benchRides(rides int, hours float64, rnd *rand.Rand, leg func(lo, hi float64) carpool.Leg) (out []carpool.Candidate) {
	for k := range rides {
		depart := minutesAfter(0).Add(time.Duration(rnd.Float64() * hours * float64(time.Hour)))
		ride := &carpool.Ride{ID: carpool.RideID(fmt.Sprintf("r-%05d", k)), State: carpool.RideOpen, Seats: 3, Depart: depart,
			Stops: []carpool.Stop{{Kind: carpool.StopStart, At: depart}}}
		c := carpool.Candidate{Ride: ride, Rate: 50, Offer: &carpool.Offer{MaxDetour: 15 * time.Minute, Flex: 10 * time.Minute, DoorToDoor: k%2 == 0}}
		if k%3 == 0 {
			for b := range 1 + rnd.IntN(2) {
				id := carpool.BookingID(fmt.Sprint("b", b))
				ride.Stops = append(ride.Stops, carpool.Stop{Kind: carpool.StopPickup, Booking: id, Seats: 1},
					carpool.Stop{Kind: carpool.StopDrop, Booking: id, Seats: 1})
				c.Riders = append(c.Riders, carpool.Promise{Booking: id,
					When: carpool.Window{From: depart, To: depart.Add(2 * time.Hour)}})
			}
			c.Direct = 25 * time.Minute
		}
		ride.Stops = append(ride.Stops, carpool.Stop{Kind: carpool.StopEnd})
		for range len(ride.Stops) - 1 {
			c.Near.Between = append(c.Near.Between, leg(20/float64(len(ride.Stops)-1), 40/float64(len(ride.Stops)-1)))
		}
		for range 12 {
			var to, from []carpool.Leg
			for range ride.Stops {
				to, from = append(to, leg(2, 20)), append(from, leg(2, 20))
			}
			c.Near.To, c.Near.From = append(c.Near.To, to), append(c.Near.From, from)
		}
		out = append(out, c)
	}
	return out
}

// BenchmarkRank is what a search costs beside the roads: of 10,000 rides some
// hundreds lie within the budget, spread over a day or, the worst there is, all
// within the window.
func BenchmarkRank(b *testing.B) {
	for _, c := range []struct {
		name  string
		rides int
		hours float64
	}{{"600 of a day", 600, 14}, {"2400 of a day", 2400, 24}, {"600 at once", 600, 2}} {
		b.Run(c.name, func(b *testing.B) {
			s, candidates := benchSearch(c.rides, c.hours)
			took := make([]time.Duration, 0, 1<<16)
			found := 0
			b.ReportAllocs()
			for b.Loop() {
				begun := time.Now()
				matches, _ := carpool.Rank(s.ask, s.around, candidates, s.now)
				took = append(took, time.Since(begun))
				found = len(matches)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(found), "matches")
		})
	}
}
