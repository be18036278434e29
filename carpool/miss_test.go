package carpool_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// missOne gives the one near miss of a scene, or none.
func missOne(t *testing.T, s scene) carpool.Miss {
	t.Helper()
	matches, misses := carpool.Rank(s.ask, s.around, []carpool.Candidate{s.c}, s.now)
	if len(matches) != 0 || len(misses) > 1 {
		t.Fatalf("matches %+v, misses %+v", matches, misses)
	}
	if len(misses) == 0 {
		return carpool.Miss{}
	}
	return misses[0]
}

func TestMisses(t *testing.T) {
	window := func(from, to int, arrive bool) func(*scene) {
		return func(s *scene) {
			s.ask.When = carpool.Window{From: minutesAfter(from), To: minutesAfter(to), Arrive: arrive}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*scene)
		why    string
		by     int
	}{
		// The rider would leave at 37, between 32 and 42 as the driver is flexible.
		{"earlier", window(52, 60, false), carpool.MissEarlier, 10},
		{"later", window(0, 25, false), carpool.MissLater, 7},
		{"arrives later", window(0, 50, true), carpool.MissLater, 7},
		{"arrives earlier", window(72, 90, true), carpool.MissEarlier, 5},
		{"later by two hours", window(-120, -88, false), carpool.MissLater, 120},
		{"later by more", window(-120, -89, false), "", 0},
		{"full", func(s *scene) { s.c.Ride.Seats = 0 }, carpool.MissFull, 0},
		{"detour", func(s *scene) { s.c.Offer.MaxDetour = time.Minute }, carpool.MissDetour, 3},
		{"detour by far", func(s *scene) { s.c.Offer.MaxDetour, s.c.Near.From[1][1] = time.Minute, legOf(12) }, "", 0},
		{"walk", func(s *scene) { s.ask.MaxWalk = time.Minute }, carpool.MissWalk, 2},
		{"walk by far", func(s *scene) { s.around.Pickups[0].Walk = legOf(26) }, "", 0},
		{"needs", func(s *scene) { s.ask.Needs.ChildSeats = 1 }, carpool.MissNeeds, 0},
		{"two things", func(s *scene) { s.ask.Needs.ChildSeats, s.c.Ride.Seats = 1, 0 }, "", 0},
		{"late and full", func(s *scene) { window(0, 25, false)(s); s.c.Ride.Seats = 0 }, "", 0},
		{"gone", func(s *scene) { s.now = minutesAfter(31) }, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := plainScene()
			c.change(&s)
			want := carpool.Miss{Ride: "r-1", Why: c.why, By: time.Duration(c.by) * time.Minute}
			if c.why == "" {
				want = carpool.Miss{}
			}
			if got := missOne(t, s); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// The easiest to mend is named, of one ride and of many.
func TestMissesTheNearestFirst(t *testing.T) {
	s := plainScene()
	var candidates []carpool.Candidate
	for i, change := range []func(*carpool.Ride, *carpool.Offer){
		func(r *carpool.Ride, _ *carpool.Offer) { r.Seats = 0 },
		func(_ *carpool.Ride, o *carpool.Offer) { o.MaxDetour = time.Minute },
		func(r *carpool.Ride, _ *carpool.Offer) {
			r.Depart = r.Depart.Add(time.Hour)
			r.Stops = []carpool.Stop{{Kind: carpool.StopStart, At: r.Depart}, {Kind: carpool.StopEnd}}
		},
		func(r *carpool.Ride, _ *carpool.Offer) { r.Seats = 0 },
		func(r *carpool.Ride, _ *carpool.Offer) { r.Seats = 0 },
		func(r *carpool.Ride, _ *carpool.Offer) { r.Seats = 0 },
	} {
		c, ride, offer := s.c, *s.c.Ride, *s.c.Offer
		ride.ID = carpool.RideID(rune('a' + i))
		change(&ride, &offer)
		c.Ride, c.Offer = &ride, &offer
		candidates = append(candidates, c)
	}
	_, misses := carpool.Rank(s.ask, s.around, candidates, s.now)
	var got []carpool.RideID
	for _, m := range misses {
		got = append(got, m.Ride)
	}
	// c is 32 minutes too late, after all that are full.
	if want := []carpool.RideID{"b", "a", "d", "e", "f"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestBusMisses(t *testing.T) {
	s := plainScene()
	bus := func(line string, at int) carpool.Bus {
		return carpool.Bus{Line: line, Depart: minutesAfter(at), Arrive: minutesAfter(at + 30)}
	}
	s.around.Buses = []carpool.Bus{bus("long before", -30), bus("before", 20), bus("in it", 40), bus("after", 70), bus("long after", 200)}
	_, misses := carpool.Rank(s.ask, s.around, nil, s.now)
	if len(misses) != 2 || misses[0].Bus.Line != "before" || misses[0].By != 10*time.Minute ||
		misses[1].Bus.Line != "after" || misses[1].By != 10*time.Minute || misses[1].Why != carpool.MissBus {
		t.Errorf("%+v", misses)
	}
	if fitting := s.ask.FittingBuses(s.around.Buses); len(fitting) != 1 || fitting[0].Line != "in it" {
		t.Errorf("fitting: %+v", fitting)
	}
	s.ask.When = carpool.Window{From: minutesAfter(90), To: minutesAfter(110), Arrive: true}
	if fitting := s.ask.FittingBuses(s.around.Buses); len(fitting) != 1 || fitting[0].Line != "after" {
		t.Errorf("fitting by arrival: %+v", fitting)
	}
}
