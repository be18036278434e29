package roads

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

func TestSwitchCarriesTheRides(t *testing.T) {
	before, after := NewEstimate(), town(t, 10, 9)
	s := NewSwitch(before)
	rng := rand.New(rand.NewPCG(5, 5))
	rides := map[carpool.RideID][]geo.LonLat{}
	for i := range 40 {
		rides[rideID(i)] = after.places(rng, 2+i%2)
		if err := s.Index().Put(rideID(i), rides[rideID(i)], time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	abroad := rideID(99)
	if err := s.Index().Put(abroad, []geo.LonLat{{Lon: 12, Lat: 42}, {Lon: 12.5, Lat: 42}}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	points := after.places(rng, 2)
	if s.About().Kind != "estimate" {
		t.Errorf("about: %+v", s.About())
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Set(ended, town(t, 11, 5)); err == nil || s.About().Kind != "estimate" {
		t.Errorf("an ended context changed the roads: %v", err)
	}
	lost, err := s.Set(context.Background(), after)
	if err != nil || len(lost) != 1 || lost[0] != abroad {
		t.Fatalf("lost %v, %v", lost, err)
	}
	if s.About().Kind != "graph" || s.Index().Len() != 41 {
		t.Errorf("about %+v, %d rides", s.About(), s.Index().Len())
	}
	got, err := s.Index().Near(context.Background(), points, points, 5*time.Minute, carpool.Window{})
	if err != nil {
		t.Fatal(err)
	}
	sameNearby(t, got, nearBySearching(t, after, rides, points, points, 5*time.Minute))
	s.Index().Drop(rideID(0))
	if s.Index().Len() != 40 || after.Index().Len() != 39 {
		t.Errorf("%d rides, %d in the graph", s.Index().Len(), after.Index().Len())
	}
	if _, err := s.Legs(context.Background(), points, points); err != nil {
		t.Error(err)
	}
	if _, err := s.Walk(context.Background(), points[0], points[1]); err != nil {
		t.Error(err)
	}
}

// Two graphs of the same town change places while others search, put and drop:
// the rides that stay are found by every search, as they are.
func TestSwitchIsNotNoticed(t *testing.T) {
	a := town(t, 12, 8)
	rng := rand.New(rand.NewPCG(6, 6))
	s := NewSwitch(a)
	rides := map[carpool.RideID][]geo.LonLat{}
	for i := range 30 {
		rides[rideID(i)] = a.places(rng, 2)
		if err := s.Index().Put(rideID(i), rides[rideID(i)], time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	points := a.places(rng, 2)
	moving := a.places(rng, 2)
	want := map[carpool.RideID]carpool.NearRide{}
	for _, r := range nearBySearching(t, a, rides, points, points, time.Hour).Rides {
		want[r.Ride] = r
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := s.Index().Near(context.Background(), points, points, time.Hour, carpool.Window{})
				if err != nil {
					t.Error(err)
					return
				}
				seen := 0
				for _, r := range got.Rides {
					if w, ok := want[r.Ride]; ok {
						seen++
						if !reflect.DeepEqual(r, w) {
							t.Errorf("ride %s is another: %+v", r.Ride, r)
							return
						}
					}
				}
				if seen != len(want) {
					t.Errorf("%d of %d rides found", seen, len(want))
					return
				}
			}
		})
	}
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			id := rideID(1000 + i%20)
			if i%3 == 0 {
				s.Index().Drop(id)
			} else if err := s.Index().Put(id, moving, time.Time{}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5 {
		if lost, err := s.Set(context.Background(), town(t, 12, 8)); err != nil || len(lost) != 0 {
			t.Errorf("lost %v, %v", lost, err)
		}
	}
	close(done)
	wg.Wait()
}
