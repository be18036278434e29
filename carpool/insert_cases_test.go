package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// plainScene is a ride of 30 minutes at 7:30 that passes both ends of a search
// with a detour of 4 minutes, and a window that it meets.
func plainScene() scene {
	end := func(id carpool.PlaceID, lon float64, walk int) carpool.End {
		return carpool.End{Place: id, Name: string(id), At: geo.LonLat{Lon: lon, Lat: 44.5}, Walk: legOf(walk)}
	}
	start, stop := minutesAfter(30), minutesAfter(60)
	return scene{
		now: minutesAfter(-60),
		ask: carpool.Ask{For: "m-rider", Seats: 1, MaxWalk: 15 * time.Minute,
			When: carpool.Window{From: minutesAfter(30), To: minutesAfter(60)}},
		around: carpool.Around{Pickups: []carpool.End{end("a", 8.1, 3)}, Drops: []carpool.End{end("b", 8.2, 2)},
			Legs: [][]carpool.Leg{{legOf(20)}}},
		c: carpool.Candidate{
			Ride: &carpool.Ride{ID: "r-1", Driver: "m-driver", Depart: start, Seats: 3, State: carpool.RideOpen,
				Stops: []carpool.Stop{{Kind: carpool.StopStart, At: start}, {Kind: carpool.StopEnd, At: stop}}},
			Offer: &carpool.Offer{MaxDetour: 10 * time.Minute, Flex: 5 * time.Minute},
			Rate:  50,
			Near: carpool.NearRide{Ride: "r-1", Between: []carpool.Leg{legOf(30)},
				To:   [][]carpool.Leg{{legOf(10), legOf(28)}, {legOf(25), legOf(9)}},
				From: [][]carpool.Leg{{legOf(10), legOf(27)}, {legOf(25), legOf(4)}}},
		},
	}
}

// Each line is a change of the plain scene and what it comes to.
func TestInsertCases(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene)
		pickup int // minutes after 7:00; 0 for no match
		shift  int
	}{
		{"as it is", func(*scene) {}, 40, 0},
		{"no seats", func(s *scene) { s.c.Ride.Seats = 0 }, 0, 0},
		{"seats for two", func(s *scene) { s.ask.Seats = 3 }, 40, 0},
		{"a seat too many", func(s *scene) { s.ask.Seats = 4 }, 0, 0},
		{"nobody rides", func(s *scene) { s.ask.Seats = 0 }, 0, 0},
		{"detour just within", func(s *scene) { s.c.Offer.MaxDetour = 4 * time.Minute }, 40, 0},
		{"detour just beyond", func(s *scene) { s.c.Offer.MaxDetour = 4*time.Minute - 1 }, 0, 0},
		{"walk beyond", func(s *scene) { s.ask.MaxWalk = 2 * time.Minute }, 0, 0},
		{"driver leaves later", func(s *scene) { s.ask.When.From = minutesAfter(40) }, 43, 3},
		{"driver leaves as late as they can", func(s *scene) { s.ask.When.From = minutesAfter(42) }, 45, 5},
		{"too late for the driver", func(s *scene) { s.ask.When.From = minutesAfter(43) }, 0, 0},
		{"driver leaves earlier", func(s *scene) { s.ask.When = carpool.Window{From: minutesAfter(0), To: minutesAfter(60), Arrive: true} }, 38, -2},
		{"it leaves now", func(s *scene) { s.now = minutesAfter(30) }, 40, 0},
		{"the ride has left", func(s *scene) { s.now = minutesAfter(31) }, 0, 0},
		{"the window is upside down", func(s *scene) { s.ask.When.To = minutesAfter(29) }, 0, 0},
		{"the driver asks", func(s *scene) { s.ask.For = "m-driver" }, 0, 0},
		{"cancelled", func(s *scene) { s.c.Ride.State = carpool.RideCancelled }, 0, 0},
		{"at risk", func(s *scene) { s.c.Ride.Risk = "papers" }, 0, 0},
		{"needs a wheelchair", func(s *scene) { s.ask.Needs.Wheelchair = true }, 0, 0},
		{"carries a wheelchair", func(s *scene) { s.ask.Needs.Wheelchair, s.c.Offer.Carries.Wheelchair = true, true }, 40, 0},
		{"a door without consent", func(s *scene) { s.around.Drops[0].Door = true }, 0, 0},
		{"a door with consent", func(s *scene) { s.around.Drops[0].Door, s.c.Offer.DoorToDoor = true, true }, 40, 0},
		{"in and out at one place", func(s *scene) { s.around.Drops[0].At = s.around.Pickups[0].At }, 0, 0},
		{"no road between", func(s *scene) { s.around.Legs[0][0].OK = false }, 0, 0},
		{"no ride", func(s *scene) { s.c.Ride = nil }, 0, 0},
		{"legs of another ride", func(s *scene) { s.c.Near.Between = nil }, 0, 0},
		{"legs of another search", func(s *scene) { s.c.Near.To = s.c.Near.To[:1] }, 0, 0},
		{"a rider without a promise to be found out", func(s *scene) {
			s.c.Ride.Stops[0].Kind = carpool.StopPickup
		}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := plainScene()
			c.change(&s)
			got, ok := carpool.Insert(s.ask, s.around, s.c, s.now)
			if ok != (c.pickup > 0) {
				t.Fatalf("found %v: %+v", ok, got)
			}
			if ok && (!got.PickupAt.Equal(minutesAfter(c.pickup)) || got.Shift != time.Duration(c.shift)*time.Minute) {
				t.Errorf("pick-up at %v with a shift of %v, want %v and %d min", got.PickupAt, got.Shift, minutesAfter(c.pickup), c.shift)
			}
		})
	}
}

// Of a ride with riders aboard whose own way nobody knows, nothing can be said
// of the detour: it takes nobody in.
func TestInsertNeedsTheDirectWayOfARideWithRiders(t *testing.T) {
	s := plainScene()
	s.c.Ride.Stops = []carpool.Stop{s.c.Ride.Stops[0], {Kind: carpool.StopPickup, Booking: "b-1", Seats: 1},
		{Kind: carpool.StopDrop, Booking: "b-1", Seats: 1}, s.c.Ride.Stops[1]}
	s.c.Near.Between = []carpool.Leg{legOf(10), legOf(10), legOf(10)}
	for k := range s.c.Near.To {
		s.c.Near.To[k] = []carpool.Leg{legOf(5), legOf(5), legOf(5), legOf(5)}
		s.c.Near.From[k] = []carpool.Leg{legOf(5), legOf(5), legOf(5), legOf(5)}
	}
	s.around.Legs[0][0] = legOf(4)
	if got, ok := carpool.Insert(s.ask, s.around, s.c, s.now); ok {
		t.Errorf("without the direct way: %+v", got)
	}
	s.c.Direct = 28 * time.Minute
	if _, ok := carpool.Insert(s.ask, s.around, s.c, s.now); !ok {
		t.Error("with the direct way: nothing found")
	}
}

func TestRetimeRefusesWhatDoesNotFit(t *testing.T) {
	stops := plainScene().c.Ride.Stops
	if _, err := carpool.Retime(stops, nil, minutesAfter(0)); fault.Of(err) != fault.Internal {
		t.Errorf("too few ways: %v", err)
	}
	if _, err := carpool.Retime(stops, []carpool.Leg{{}}, minutesAfter(0)); fault.Of(err) != fault.Invalid {
		t.Errorf("no way: %v", err)
	}
	got, err := carpool.Retime(stops, []carpool.Leg{legOf(12)}, minutesAfter(5))
	if err != nil || !got[0].At.Equal(minutesAfter(5)) || !got[1].At.Equal(minutesAfter(17)) {
		t.Errorf("%v, %v", got, err)
	}
	if !stops[0].At.Equal(minutesAfter(30)) {
		t.Error("the stops given were changed")
	}
}
