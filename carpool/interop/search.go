package interop

import (
	"context"
	"net/http"
)

// Searches answer with lists, never with null, each entry within what was
// asked for, each name once.

func (s *Server) driverJourneys(r *http.Request, op Operator) (int, any, error) {
	return find(s, r, op, false, s.deps.Portal.Drivers, func(q Search, j DriverJourney) (string, bool) {
		return j.ID, q.fits(j.Trip) && q.intime(j.JourneySchedule)
	})
}

func (s *Server) passengerJourneys(r *http.Request, op Operator) (int, any, error) {
	return find(s, r, op, false, s.deps.Portal.Passengers, func(q Search, j PassengerJourney) (string, bool) {
		return j.ID, q.fits(j.Trip) && q.intime(j.JourneySchedule)
	})
}

func (s *Server) driverTrips(r *http.Request, op Operator) (int, any, error) {
	return find(s, r, op, true, s.deps.Portal.DriverTrips, func(q Search, t DriverTrip) (string, bool) {
		return "", q.fits(t.Trip) && q.anyday(t.Schedules)
	})
}

func (s *Server) passengerTrips(r *http.Request, op Operator) (int, any, error) {
	return find(s, r, op, true, s.deps.Portal.PassengerTrips, func(q Search, t PassengerTrip) (string, bool) {
		return "", q.fits(t.Trip) && q.anyday(t.Schedules)
	})
}

// find asks the portal and keeps what fits, up to the count.
func find[T any](s *Server, r *http.Request, op Operator, regular bool, ask func(context.Context, Search) ([]T, error), fits func(Search, T) (id string, ok bool)) (int, any, error) {
	q, err := s.cfg.search(r.URL.Query(), op.ID, regular)
	if err != nil {
		return 0, nil, err
	}
	out := []T{}
	if q.Count == 0 {
		return http.StatusOK, out, nil
	}
	all, err := ask(r.Context(), q)
	if err != nil {
		return 0, nil, err
	}
	seen := map[string]bool{}
	for _, j := range all {
		id, ok := fits(q, j)
		if !ok || id != "" && seen[id] {
			continue
		}
		seen[id] = true
		if out = append(out, j); len(out) == q.Count {
			break
		}
	}
	return http.StatusOK, out, nil
}
