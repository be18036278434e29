package carpool_test

import (
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crinale/crinale/carpool"
)

// rankOne gives the one match of a scene.
func rankOne(t *testing.T, s scene) carpool.Match {
	t.Helper()
	matches, misses := carpool.Rank(s.ask, s.around, []carpool.Candidate{s.c}, s.now)
	if len(matches) != 1 || len(misses) != 0 {
		t.Fatalf("matches %+v, misses %+v", matches, misses)
	}
	return matches[0]
}

func TestRankGivesWhatInsertFinds(t *testing.T) {
	s := plainScene()
	s.ask.Seats = 2
	m := rankOne(t, s)
	want := carpool.Match{
		Ride:   "r-1",
		Pickup: carpool.MatchStop{Place: "a", Name: "a", At: s.around.Pickups[0].At, Time: minutesAfter(40), Walk: 3 * time.Minute},
		Drop:   carpool.MatchStop{Place: "b", Name: "b", At: s.around.Drops[0].At, Time: minutesAfter(60), Walk: 2 * time.Minute},
		Detour: 4 * time.Minute, Aboard: 20 * time.Minute, Way: float64(legOf(20).Metres),
		Cents: 2 * 66, // 13,333 m at 0.05 €/km each
		Score: 4*time.Minute + 2*5*time.Minute + 7*time.Minute/2,
		Why: []carpool.Reason{{Key: carpool.WhyDetour, Args: []any{4}}, {Key: carpool.WhyWalk, Args: []any{5}},
			{Key: carpool.WhyOnTime}, {Key: carpool.WhyDirect}},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
}

func TestRidesOutOfReachDoNotMatter(t *testing.T) {
	for seed := range 30 {
		s, list := benchSearch(400, 24)
		from := minutesAfter(seed * 45)
		s.ask.When = carpool.Window{From: from, To: from.Add(time.Hour), Arrive: seed%2 == 0}
		_, during := carpool.ReachOf(s.ask, list)
		near := onTheWay(list, during)
		some, fewer := carpool.Rank(s.ask, s.around, near, s.now)
		matches, misses := carpool.Rank(s.ask, s.around, list, s.now)
		if !reflect.DeepEqual(matches, some) || !reflect.DeepEqual(misses, fewer) || len(near) == 0 || len(near) == len(list) {
			t.Errorf("at %s: %d and %d of all %d rides, %d and %d of the %d in reach", from, len(matches), len(misses), len(list), len(some), len(fewer), len(near))
		}
	}
}

// onTheWay are the candidates that are driven at some time of a window.
func onTheWay(list []carpool.Candidate, during carpool.Window) (near []carpool.Candidate) {
	for _, c := range list {
		arrive := c.Ride.Stops[0].At
		for _, l := range c.Near.Between {
			arrive = arrive.Add(l.Time)
		}
		if !c.Ride.Stops[0].At.After(during.To) && !arrive.Before(during.From) {
			near = append(near, c)
		}
	}
	return near
}

func TestRankSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene)
		want   carpool.Reason
	}{
		{"same road", func(s *scene) { s.c.Near.From[1][1] = legOf(0) }, carpool.Reason{Key: carpool.WhySameRoad}},
		{"door", func(s *scene) {
			s.c.Offer.DoorToDoor, s.around.Pickups[0].Door, s.around.Drops[0].Door = true, true, true
		}, carpool.Reason{Key: carpool.WhyDoor}},
		{"no walk", func(s *scene) { s.around.Pickups[0].Walk, s.around.Drops[0].Walk = legOf(0), legOf(0) }, carpool.Reason{Key: carpool.WhyNoWalk}},
		{"wait", func(s *scene) { s.ask.When.From = minutesAfter(10) }, carpool.Reason{Key: carpool.WhyWait, Args: []any{27}}},
		{"later", func(s *scene) { s.ask.When.From = minutesAfter(40) }, carpool.Reason{Key: carpool.WhyDriverLater, Args: []any{3}}},
		{"earlier", func(s *scene) { s.ask.When = carpool.Window{From: minutesAfter(0), To: minutesAfter(60), Arrive: true} },
			carpool.Reason{Key: carpool.WhyDriverEarlier, Args: []any{2}}},
		{"regular", func(s *scene) { s.c.Offer.When.Rule = "FREQ=DAILY" }, carpool.Reason{Key: carpool.WhyRegular}},
		{"needs", func(s *scene) { s.ask.Needs.WalkingFrame, s.c.Offer.Carries.WalkingFrame = true, true }, carpool.Reason{Key: carpool.WhyFullNeeds}},
		{"last bus", func(s *scene) {
			s.around.Buses = []carpool.Bus{{Line: "12", Depart: minutesAfter(35), Arrive: minutesAfter(70), Last: true}}
		}, carpool.Reason{Key: carpool.WhyLastBus, Args: []any{"12", minutesAfter(35)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := plainScene()
			c.change(&s)
			m := rankOne(t, s)
			if !slices.ContainsFunc(m.Why, func(r carpool.Reason) bool { return reflect.DeepEqual(r, c.want) }) {
				t.Errorf("%+v is not said in %+v", c.want, m.Why)
			}
		})
	}
}

func TestLastBusIsNeverReplacedQuietly(t *testing.T) {
	for _, c := range []struct {
		name         string
		bus          carpool.Bus
		flag, before bool
	}{
		{"as good", carpool.Bus{Depart: minutesAfter(35), Arrive: minutesAfter(70), Last: true}, true, true},
		{"slower than the ride", carpool.Bus{Depart: minutesAfter(35), Arrive: minutesAfter(71), Last: true}, true, false},
		{"not the last", carpool.Bus{Depart: minutesAfter(35), Arrive: minutesAfter(55)}, false, false},
		{"long before the ride", carpool.Bus{Depart: minutesAfter(9), Arrive: minutesAfter(29), Last: true}, false, false},
		{"out of the window", carpool.Bus{Depart: minutesAfter(61), Arrive: minutesAfter(80), Last: true}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := plainScene()
			s.around.Buses = []carpool.Bus{c.bus}
			matches, _ := carpool.Rank(s.ask, s.around, []carpool.Candidate{s.c}, s.now)
			if len(matches) != 1 || matches[0].LastBus != c.flag || matches[0].BusFirst != c.before {
				t.Errorf("%+v, want last bus %v and first %v", matches, c.flag, c.before)
			}
		})
	}
}

// The same rides in another order are the same answer, the best is first, and
// every word is one that pages know.
func TestRankIsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		candidates := make([]carpool.Candidate, 0, 30)
		for i := range rapid.IntRange(0, 30).Draw(t, "rides") {
			c, ride := s.c, *s.c.Ride
			ride.ID = carpool.RideID(rune('A' + i))
			by := time.Duration(rapid.IntRange(-60, 60).Draw(t, "by")) * time.Minute
			ride.Depart, ride.Stops = ride.Depart.Add(by), slices.Clone(ride.Stops)
			for k := range ride.Stops {
				ride.Stops[k].At = ride.Stops[k].At.Add(by)
			}
			c.Ride = &ride
			candidates = append(candidates, c)
		}
		matches, misses := carpool.Rank(s.ask, s.around, candidates, s.now)
		again, missed := carpool.Rank(s.ask, s.around, rapid.Permutation(candidates).Draw(t, "order"), s.now)
		if !reflect.DeepEqual(matches, again) || !reflect.DeepEqual(misses, missed) {
			t.Fatalf("another order, another answer:\n%+v\n%+v\n%+v\n%+v", matches, again, misses, missed)
		}
		if want := eachAlone(s, candidates); !reflect.DeepEqual(misses, want) {
			t.Fatalf("misses of all: %+v\nthe nearest of each alone: %+v", misses, want)
		}
		if len(matches) > carpool.MostMatches || len(misses) > carpool.MostMisses+2 {
			t.Fatalf("%d matches, %d misses", len(matches), len(misses))
		}
		if !slices.IsSortedFunc(matches, func(a, b carpool.Match) int { return int(a.Score - b.Score) }) {
			t.Fatalf("not the best first: %+v", matches)
		}
		for _, m := range matches {
			for _, r := range m.Why {
				if !slices.Contains(carpool.ReasonKeys, r.Key) {
					t.Fatalf("no words for %q", r.Key)
				}
			}
		}
		for _, m := range misses {
			if !slices.Contains(carpool.MissKeys, m.Why) || m.By < 0 || m.By > carpool.NearTime {
				t.Fatalf("%+v", m)
			}
		}
	})
}

// eachAlone are the nearest misses of a search that looks at one ride at a
// time.
func eachAlone(s scene, candidates []carpool.Candidate) (out []carpool.Miss) {
	for _, c := range candidates {
		_, misses := carpool.Rank(s.ask, s.around, []carpool.Candidate{c}, s.now)
		out = append(out, misses...)
	}
	kinds := []string{carpool.MissLater, carpool.MissEarlier, carpool.MissWalk, carpool.MissDetour, carpool.MissFull, carpool.MissNeeds}
	far := func(m carpool.Miss) time.Duration {
		switch m.Why {
		case carpool.MissWalk:
			return 2 * m.By
		case carpool.MissFull, carpool.MissNeeds:
			return 30 * time.Minute
		}
		return m.By
	}
	slices.SortFunc(out, func(a, b carpool.Miss) int {
		return cmp.Or(cmp.Compare(far(a), far(b)), cmp.Compare(slices.Index(kinds, a.Why), slices.Index(kinds, b.Why)), cmp.Compare(a.Ride, b.Ride))
	})
	return out[:min(len(out), carpool.MostMisses)]
}
