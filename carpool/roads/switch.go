package roads

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// Switch answers by the roads it was last given. Set changes them while others
// ask: a graph built anew takes over with every ride in its index, and a query
// under way ends on the roads it began on.
type Switch struct {
	setting sync.Mutex // one Set at a time

	mu      sync.RWMutex
	roads   carpool.Roads
	rides   map[carpool.RideID]kept
	changed map[carpool.RideID]bool // while a Set fills a new index
}

// kept is a ride as it was put.
type kept struct {
	stops []geo.LonLat
	leave time.Time
}

// NewSwitch begins with the given roads, whose index must be empty.
func NewSwitch(r carpool.Roads) *Switch {
	return &Switch{roads: r, rides: map[carpool.RideID]kept{}}
}

func (s *Switch) now() carpool.Roads {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.roads
}

// Legs are those of the roads it has.
func (s *Switch) Legs(ctx context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	return s.now().Legs(ctx, from, to)
}

// Walk is that of the roads it has.
func (s *Switch) Walk(ctx context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	return s.now().Walk(ctx, from, to)
}

// About is what the roads it has say of themselves.
func (s *Switch) About() carpool.RoadsAbout { return s.now().About() }

// Index is an index that outlives every change.
func (s *Switch) Index() carpool.StopIndex { return (*switchIndex)(s) }

// Set fills the index of other roads with all rides in the background of the
// caller and then changes over. lost are rides with a stop outside the new
// map, which no search finds from then on. When ctx ends before the change,
// nothing has changed.
func (s *Switch) Set(ctx context.Context, r carpool.Roads) (lost []carpool.RideID, err error) {
	s.setting.Lock()
	defer s.setting.Unlock()
	s.mu.Lock()
	todo := map[carpool.RideID]bool{}
	for id := range s.rides {
		todo[id] = true
	}
	s.changed = map[carpool.RideID]bool{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed = nil
	}()
	bad := map[carpool.RideID]bool{}
	for round := 0; len(todo) > 8 && round < 5; round++ { // what changed meanwhile is done again, until little is left
		for id := range todo {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.mu.RLock()
			ride, ok := s.rides[id]
			s.mu.RUnlock()
			carry(r.Index(), id, ride, ok, bad)
		}
		s.mu.Lock()
		todo, s.changed = s.changed, map[carpool.RideID]bool{}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.changed {
		todo[id] = true
	}
	for id := range todo {
		ride, ok := s.rides[id]
		carry(r.Index(), id, ride, ok, bad)
	}
	s.roads = r
	for id := range bad {
		lost = append(lost, id)
	}
	slices.Sort(lost)
	return lost, nil
}

// carry brings one ride to a new index as it is now.
func carry(x carpool.StopIndex, id carpool.RideID, ride kept, there bool, bad map[carpool.RideID]bool) {
	delete(bad, id)
	x.Drop(id)
	if there && x.Put(id, ride.stops, ride.leave) != nil {
		bad[id] = true
	}
}

// switchIndex is the index of a Switch.
type switchIndex Switch

// Put adds a ride, or replaces its stops.
func (x *switchIndex) Put(id carpool.RideID, stops []geo.LonLat, leave time.Time) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.roads.Index().Put(id, stops, leave); err != nil {
		return err
	}
	x.rides[id] = kept{slices.Clone(stops), leave}
	x.note(id)
	return nil
}

// Drop takes a ride out.
func (x *switchIndex) Drop(id carpool.RideID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.roads.Index().Drop(id)
	delete(x.rides, id)
	x.note(id)
}

func (x *switchIndex) note(id carpool.RideID) {
	if x.changed != nil {
		x.changed[id] = true
	}
}

// Near asks the index of the roads it has.
func (x *switchIndex) Near(ctx context.Context, from, to []geo.LonLat, budget time.Duration, during carpool.Window) (carpool.Nearby, error) {
	return (*Switch)(x).now().Index().Near(ctx, from, to, budget, during)
}

// Len is how many rides it holds.
func (x *switchIndex) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.rides)
}
