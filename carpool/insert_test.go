package carpool_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

var insertDay = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

// minutesAfter is a moment of the day of these tests.
func minutesAfter(n int) time.Time { return insertDay.Add(time.Duration(n) * time.Minute) }

// legOf some minutes, at 40 km/h.
func legOf(minutes int) carpool.Leg {
	return carpool.Leg{OK: true, Time: time.Duration(minutes) * time.Minute, Metres: unit.Metres(minutes) * 40000 / 60}
}

// scene is one search and one ride.
type scene struct {
	ask    carpool.Ask
	around carpool.Around
	c      carpool.Candidate
	now    time.Time
}

// drawScene makes a ride with up to three riders aboard at various times, and
// ways between everything that need not be like those of any map.
func drawScene(t *rapid.T) scene {
	n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
	offer := &carpool.Offer{Flex: time.Duration(n("flex", 0, 8)) * time.Minute, DoorToDoor: n("doors", 0, 2) > 0}
	ride := &carpool.Ride{ID: "r-1", State: carpool.RideOpen, Seats: n("seats", 1, 4), Driver: "m-driver"}
	start := n("start", 0, 120)
	s := scene{now: minutesAfter(start - n("ahead", -1, 20) - 175*n("long before", 0, 1))}
	ride.Depart = minutesAfter(start + n("moved", -2, 2))

	// The order of the riders' stops: each of them in before out.
	riders := n("riders", 0, 3)
	order := []int{}
	for r := range riders {
		in := n("in", 0, len(order))
		order = append(order[:in], append([]int{r}, order[in:]...)...)
		out := n("out", in+1, len(order))
		order = append(order[:out], append([]int{r}, order[out:]...)...)
	}
	stop := func(kind carpool.StopKind, booking string, seats int) {
		ride.Stops = append(ride.Stops, carpool.Stop{Kind: kind, Booking: carpool.BookingID(booking), Seats: seats})
	}
	stop(carpool.StopStart, "", 0)
	seen := map[int]bool{}
	for _, r := range order {
		kind := carpool.StopPickup
		if seen[r] {
			kind = carpool.StopDrop
		}
		seen[r] = true
		stop(kind, string(rune('a'+r)), 1)
	}
	stop(carpool.StopEnd, "", 0)

	at, whole := start, 0
	for i := range ride.Stops {
		ride.Stops[i].At = minutesAfter(at)
		if i < len(ride.Stops)-1 {
			leg := n("between", 1, 15)
			s.c.Near.Between = append(s.c.Near.Between, legOf(leg))
			at, whole = at+leg, whole+leg
		}
	}
	used := 0
	if riders > 0 {
		used = n("used", 0, whole-1)
		s.c.Direct = time.Duration(whole-used) * time.Minute
	}
	offer.MaxDetour = time.Duration(used+n("more", 0, 40)) * time.Minute
	for r := range riders {
		id := carpool.BookingID(rune('a' + r))
		s.c.Riders = append(s.c.Riders, drawPromise(t, id, ride.Stops))
	}
	s.c.Ride, s.c.Offer = ride, offer
	if n("before it", 0, 3) == 0 {
		s.c.After = minutesAfter(start - n("ends", -2, 20))
	}
	if n("after it", 0, 3) == 0 {
		s.c.Before = minutesAfter(start + whole + n("begins", -2, 30))
	}

	ends := func(kind string, lon float64) (out []carpool.End) {
		for i := range n(kind, 1, 3) {
			out = append(out, carpool.End{Place: carpool.PlaceID(kind), At: geo.LonLat{Lon: lon, Lat: 44 + float64(i)/100},
				Walk: legOf(n("walk", 0, 12)), Door: n("door", 0, 3) == 0})
		}
		return out
	}
	s.around.Pickups, s.around.Drops = ends("pickups", 8), ends("drops", 9)
	draw := func(name string, lo, hi int) carpool.Leg {
		l := legOf(n(name, lo, hi))
		l.OK = n("road", 0, 30) > 0
		return l
	}
	for range s.around.Pickups {
		var row []carpool.Leg
		for range s.around.Drops {
			row = append(row, draw("ride", 1, 20))
		}
		s.around.Legs = append(s.around.Legs, row)
	}
	for range len(s.around.Pickups) + len(s.around.Drops) {
		var to, from []carpool.Leg
		for range ride.Stops {
			to, from = append(to, draw("to", 0, 9)), append(from, draw("from", 0, 9))
		}
		s.c.Near.To, s.c.Near.From = append(s.c.Near.To, to), append(s.c.Near.From, from)
	}
	from := start + n("window", -20, 40)
	s.ask = carpool.Ask{For: "m-rider", Seats: n("ask seats", 1, 2), MaxWalk: time.Duration(n("max walk", 6, 12)) * time.Minute,
		When: carpool.Window{From: minutesAfter(from), To: minutesAfter(from + n("width", 0, 40)), Arrive: rapid.Bool().Draw(t, "arrive")}}
	return s
}

// drawPromise is what a rider was told, not far from what is planned for them.
func drawPromise(t *rapid.T, id carpool.BookingID, stops []carpool.Stop) carpool.Promise {
	n := func(name string, lo, hi int) time.Duration {
		return time.Duration(rapid.IntRange(lo, hi).Draw(t, name)) * time.Minute
	}
	of := slices.DeleteFunc(slices.Clone(stops), func(s carpool.Stop) bool { return s.Booking != id })
	in, out := of[0].At, of[1].At
	p := carpool.Promise{Booking: id}
	if rapid.Bool().Draw(t, "told") {
		p.Aboard = max(out.Sub(in)+n("aboard", -8, 8), time.Minute)
	}
	if rapid.Bool().Draw(t, "bound") {
		p.Walk = [2]time.Duration{n("to", 0, 5), n("fro", 0, 5)}
		p.When.Arrive = rapid.Bool().Draw(t, "by arrival")
		at := in.Add(-p.Walk[0])
		if p.When.Arrive {
			at = out.Add(p.Walk[1])
		}
		p.When.From, p.When.To = at.Add(n("since", -12, 2)), at.Add(n("until", -2, 12))
		if p.When.To.Before(p.When.From) {
			p.When.From, p.When.To = p.When.To, p.When.From
		}
	}
	return p
}

// Insert is as good as trying everything, minute by minute.
func TestInsertIsTheBestOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		want, exists := bruteForce(s)
		got, ok := carpool.Insert(s.ask, s.around, s.c, s.now)
		if ok != exists {
			t.Fatalf("found %v, want %v (%+v)", ok, exists, want)
		}
		if !ok {
			return
		}
		if got.Cost != want.cost {
			t.Fatalf("cost %v, want %v\n got %+v\nwant %+v", got.Cost, want.cost, got, want)
		}
		// What it says of itself is what comes of doing it.
		done, fit := walkThrough(s, got.Pickup, got.Drop, got.After[0], got.After[1], int(got.Shift/time.Minute))
		if !fit {
			t.Fatalf("the plan breaks a rule: %+v", got)
		}
		if done.cost != got.Cost || !done.pickup.Equal(got.PickupAt) || !done.drop.Equal(got.DropAt) || done.detour != got.Detour ||
			done.delay != got.Delay || done.wait != got.Wait || done.walk != got.Walk || got.Aboard != got.DropAt.Sub(got.PickupAt) {
			t.Fatalf("it says %+v, doing it gives %+v", got, done)
		}
		stops, err := got.Stops(s.c, s.around, "new", carpool.Spot{}, carpool.Spot{}, s.ask.Seats)
		if err != nil {
			t.Fatal(err)
		}
		if len(stops) != len(done.at) {
			t.Fatalf("%d stops, want %d", len(stops), len(done.at))
		}
		for i := range stops {
			if !stops[i].At.Equal(done.at[i]) {
				t.Fatalf("stop %d at %v, want %v", i, stops[i].At, done.at[i])
			}
		}
		if left := carpool.Without(stops, "new"); len(left) != len(s.c.Ride.Stops) {
			t.Fatalf("%d stops are left without the rider, want %d", len(left), len(s.c.Ride.Stops))
		}
		if want := metresAboard(got); got.Metres-want > 0.01 || want-got.Metres > 0.01 {
			t.Fatalf("%v aboard, want %v", got.Metres, want)
		}
	})
}

// metresAboard at 40 km/h throughout.
func metresAboard(p carpool.Plan) unit.Metres {
	return unit.Metres(p.Aboard.Minutes()) * 40000 / 60
}
