package carpool_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/geo"
)

// straight is Roads over an open plain: 60 km/h by car and 1 m/s on foot, as
// the crow flies. Its index looks at every ride, so it is also what a cleverer
// one must agree with.
type straight struct {
	mu    sync.Mutex
	rides map[carpool.RideID][]geo.LonLat
}

func newStraight() *straight { return &straight{rides: map[carpool.RideID][]geo.LonLat{}} }

func leg(from, to geo.LonLat, metresPerSecond float64) carpool.Leg {
	d := from.Distance(to)
	return carpool.Leg{OK: true, Metres: d, Time: time.Duration(float64(d) / metresPerSecond * float64(time.Second)).Round(time.Second)}
}

func (s *straight) Legs(_ context.Context, from, to []geo.LonLat) ([][]carpool.Leg, error) {
	out := make([][]carpool.Leg, len(from))
	for i, f := range from {
		for _, t := range to {
			out[i] = append(out[i], leg(f, t, 1000.0/60))
		}
	}
	return out, nil
}

func (s *straight) Walk(_ context.Context, from, to geo.LonLat) (carpool.Leg, error) {
	return leg(from, to, 1), nil
}

func (s *straight) About() carpool.RoadsAbout {
	return carpool.RoadsAbout{Kind: "estimate", Source: "straight lines", Estimate: true}
}

func (s *straight) Index() carpool.StopIndex { return s }

func (s *straight) Put(ride carpool.RideID, stops []geo.LonLat, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rides[ride] = slices.Clone(stops)
	return nil
}

func (s *straight) Drop(ride carpool.RideID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rides, ride)
}

func (s *straight) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rides)
}

func (s *straight) Near(ctx context.Context, from, to []geo.LonLat, budget time.Duration, _ carpool.Window) (carpool.Nearby, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out carpool.Nearby
	for id, stops := range s.rides {
		n := carpool.NearRide{Ride: id}
		for i := range len(stops) - 1 {
			n.Between = append(n.Between, leg(stops[i], stops[i+1], 1000.0/60))
		}
		reached := false
		for _, p := range slices.Concat(from, to) {
			var to, from []carpool.Leg
			for _, stop := range stops {
				to, from = append(to, leg(stop, p, 1000.0/60)), append(from, leg(p, stop, 1000.0/60))
			}
			for i, between := range n.Between {
				reached = reached || to[i].Time+from[i+1].Time-between.Time <= budget
			}
			n.To, n.From = append(n.To, to), append(n.From, from)
		}
		if reached {
			out.Rides = append(out.Rides, n)
		}
	}
	slices.SortFunc(out.Rides, func(a, b carpool.NearRide) int {
		if a.Ride < b.Ride {
			return -1
		}
		return 1
	})
	return out, ctx.Err()
}

var (
	_ carpool.Roads     = (*straight)(nil)
	_ carpool.StopIndex = (*straight)(nil)
)
