package page_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// plain is carpool.Roads without roads: 60 km/h by car and 1 m/s on foot, as
// the crow flies.
type plain struct {
	mu    sync.Mutex
	rides map[carpool.RideID][]geo.LonLat
}

const (
	driving = 1000.0 / 60 // m/s
	walking = 1.0
)

func fly(from, to geo.LonLat, speed float64) carpool.Leg {
	d := from.Distance(to)
	return carpool.Leg{OK: true, Metres: d, Time: time.Duration(float64(d) / speed * float64(time.Second)).Round(time.Second)}
}

func (p *plain) Legs(_ context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	out := make([][]carpool.Leg, len(from))
	for i, f := range from {
		for _, t := range to {
			out[i] = append(out[i], fly(f, t, driving))
		}
	}
	return out, nil
}

func (p *plain) Walk(_ context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	return fly(from, to, walking), nil
}

func (p *plain) About() carpool.RoadsAbout {
	return carpool.RoadsAbout{Kind: "estimate", Source: "straight lines", Estimate: true}
}

func (p *plain) Index() carpool.StopIndex { return p }

func (p *plain) Put(ride carpool.RideID, stops []geo.LonLat, _ time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rides[ride] = slices.Clone(stops)
	return nil
}

func (p *plain) Drop(ride carpool.RideID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.rides, ride)
}

func (p *plain) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rides)
}

// Near gives every ride that some point can be taken in by, each with all its
// legs.
func (p *plain) Near(_ context.Context, from, to []geo.LonLat, budget time.Duration, _ carpool.Window) (carpool.Nearby, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out carpool.Nearby
	for id, stops := range p.rides {
		near := carpool.NearRide{Ride: id}
		for i := 1; i < len(stops); i++ {
			near.Between = append(near.Between, fly(stops[i-1], stops[i], driving))
		}
		fits := false
		for _, point := range slices.Concat(from, to) {
			to, from := make([]carpool.Leg, len(stops)), make([]carpool.Leg, len(stops))
			for i, s := range stops {
				to[i], from[i] = fly(s, point, driving), fly(point, s, driving)
			}
			for i, b := range near.Between {
				fits = fits || to[i].Time+from[i+1].Time-b.Time <= budget
			}
			near.To, near.From = append(near.To, to), append(near.From, from)
		}
		if fits {
			out.Rides = append(out.Rides, near)
		}
	}
	slices.SortFunc(out.Rides, func(a, b carpool.NearRide) int { return cmp.Compare(a.Ride, b.Ride) })
	return out, nil
}
