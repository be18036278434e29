package roads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// flatIndex is an index of rides over roads that can only be asked for legs: an
// outer engine, or an estimate. It leaves out a ride by beelines where not even
// the fastest car could take somebody in, and asks for the ways of the others.
type flatIndex struct {
	legs    func(ctx context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error)
	fastest float64 // metres a second: no way is faster than its beeline at that

	mu    sync.RWMutex
	rides map[carpool.RideID]*flatRide
}

// flatRide never changes once it is in the index, but for between, which is
// asked for when it is needed first.
type flatRide struct {
	id    carpool.RideID
	stops []geo.LonLat
	leave time.Time

	mu      sync.Mutex
	between []carpool.Leg
}

func newFlatIndex(fastest float64, legs func(context.Context, []geo.LonLat, []geo.LonLat) ([][]carpool.Leg, error)) *flatIndex {
	return &flatIndex{legs: legs, fastest: fastest, rides: map[carpool.RideID]*flatRide{}}
}

// Len is how many rides it holds.
func (x *flatIndex) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.rides)
}

// Put adds a ride or replaces its stops, of which there are 2 to 64.
func (x *flatIndex) Put(id carpool.RideID, at []geo.LonLat, leave time.Time) error {
	if err := checkStops(id, len(at)); err != nil {
		return err
	}
	for i, p := range at {
		if !p.Valid() {
			return fault.New(fault.Invalid, "ride %s: stop[%d]: not a position", id, i)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rides[id] = &flatRide{id: id, stops: slices.Clone(at), leave: leave}
	return nil
}

// Drop takes a ride out; there need not be one.
func (x *flatIndex) Drop(id carpool.RideID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.rides, id)
}

// Near gives the rides of a time that can pass by one of from and then by one
// of to, with detours of at most budget, as StopIndex says, in the order of
// their names; ways that no such detour uses are left out.
func (x *flatIndex) Near(ctx context.Context, from, to []geo.LonLat, budget time.Duration, during carpool.Window) (carpool.Nearby, error) {
	if err := tooMany(len(from) + len(to)); err != nil {
		return carpool.Nearby{}, err
	}
	if err := errors.Join(positions("from", from), positions("to", to)); err != nil {
		return carpool.Nearby{}, fault.As(fault.Invalid, err)
	}
	x.mu.RLock()
	rides := make([]*flatRide, 0, len(x.rides))
	for _, r := range x.rides {
		rides = append(rides, r)
	}
	x.mu.RUnlock()
	slices.SortFunc(rides, func(a, b *flatRide) int { return strings.Compare(string(a.id), string(b.id)) })
	first, last := bounds(during)
	var kept []*flatRide
	for _, r := range rides {
		between, err := x.between(ctx, r)
		if err != nil {
			return carpool.Nearby{}, err
		}
		if s := spanOf(r.leave, between); s.leave <= last && s.arrive >= first && x.mayFit(r, between, from, budget) && x.mayFit(r, between, to, budget) {
			kept = append(kept, r)
		}
	}
	return x.ask(ctx, kept, slices.Concat(from, to), len(from), budget)
}

// between are the ways from each stop of a ride to the next.
func (x *flatIndex) between(ctx context.Context, r *flatRide) ([]carpool.Leg, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.between != nil {
		return r.between, nil
	}
	table, err := x.legs(ctx, r.stops, r.stops)
	if err != nil {
		return nil, fmt.Errorf("ride %s: %w", r.id, err)
	}
	between := make([]carpool.Leg, len(r.stops)-1)
	for i := range between {
		between[i] = table[i][i+1]
	}
	r.between = between
	return between, nil
}

// mayFit is false only when no way can be short enough.
func (x *flatIndex) mayFit(r *flatRide, between []carpool.Leg, points []geo.LonLat, budget time.Duration) bool {
	for i, b := range between {
		for _, p := range points {
			least := float64(r.stops[i].Distance(p)+p.Distance(r.stops[i+1])) / x.fastest
			// Two milliseconds for the rounding of two legs.
			if b.OK && time.Duration(least*float64(time.Second))-2*time.Millisecond <= b.Time+budget {
				return true
			}
		}
	}
	return false
}

// ask gets the ways between the stops of rides and the points, in two tables,
// and keeps the rides that fit. The first points are those of the first end.
func (x *flatIndex) ask(ctx context.Context, rides []*flatRide, points []geo.LonLat, starts int, budget time.Duration) (carpool.Nearby, error) {
	out := carpool.Nearby{Rides: []carpool.NearRide{}}
	if len(rides) == 0 || len(points) == 0 {
		return out, nil
	}
	var stops []geo.LonLat
	for _, r := range rides {
		stops = append(stops, r.stops...)
	}
	to, err := x.legs(ctx, stops, points)
	if err != nil {
		return carpool.Nearby{}, err
	}
	from, err := x.legs(ctx, points, stops)
	if err != nil {
		return carpool.Nearby{}, err
	}
	first := 0
	for _, r := range rides {
		between, err := x.between(ctx, r)
		if err != nil {
			return carpool.Nearby{}, err
		}
		n := carpool.NearRide{Ride: r.id, Between: between}
		var fits [2][]fit // at each end
		for p := range points {
			there, back := make([]carpool.Leg, len(r.stops)), make([]carpool.Leg, len(r.stops))
			for s, b := range between {
				in, on := to[first+s][p], from[p][first+s+1]
				if more := in.Time + on.Time - b.Time; b.OK && in.OK && on.OK && more <= budget {
					there[s], back[s+1] = in, on
					end := 0
					if p >= starts {
						end = 1
					}
					fits[end] = append(fits[end], fit{uint32(s), uint32(p), int64(more)})
				}
			}
			n.To, n.From = append(n.To, there), append(n.From, back)
		}
		if joined(fits[0], fits[1], int64(budget)) {
			out.Rides = append(out.Rides, n)
		}
		first += len(r.stops)
	}
	return out, nil
}
