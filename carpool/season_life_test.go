package carpool_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/store"
)

// hours of the day in which something happens: one look each.
const (
	seasonWakes  = 5
	seasonSleeps = 22
)

// moments of the season, in order.
func (s *season) moments() []time.Time {
	var out []time.Time
	for day := range s.plan.weeks*7 + 2 {
		for h := seasonWakes; h <= seasonSleeps; h++ {
			d := seasonStart.AddDate(0, 0, day)
			out = append(out, time.Date(d.Year(), d.Month(), d.Day(), h, 0, 0, 0, rome))
		}
	}
	return out
}

// live goes on from where the notes end, and tells each time it has done an
// hour.
func (s *season) live(each func(hour int)) {
	s.people()
	next := 0 // in the plan of trips
	for i, at := range s.moments() {
		s.at(at)
		for ; next < len(s.plan.trips) && !s.plan.trips[next].asked.After(at); next++ {
			s.ask(s.plan.trips[next])
		}
		if _, done := s.noted[fmt.Sprintf("hour %d", i)]; done {
			continue
		}
		s.hour(at)
		if at.Hour() == seasonWakes {
			s.lifted(at)
		}
		if err := s.portal.Bookings.Round(s.t.Context()); err != nil {
			s.t.Fatalf("round: %v", err)
		}
		if at.Hour() == seasonWakes {
			if err := s.portal.Trust.Round(s.t.Context()); err != nil {
				s.t.Fatalf("trust: %v", err)
			}
			if err := s.portal.Privacy.Round(s.t.Context()); err != nil {
				s.t.Fatalf("privacy: %v", err)
			}
		}
		for {
			more, err := s.box.Deliver(s.t.Context())
			if err != nil {
				s.t.Fatalf("deliver: %v", err)
			}
			if !more {
				break
			}
		}
		if at.Hour() == seasonSleeps {
			s.listen()
		}
		s.calls(at)
		left, err := s.portal.Bookings.LeftBehind(s.t.Context())
		if err != nil || len(left) > 0 {
			s.t.Fatalf("%s: left without a stated way: %v (%v)", at.Format("Mon 2006-01-02 15:04"), left, err)
		}
		s.judged(at)
		s.note(fmt.Sprintf("hour %d", i), at.UTC().Format(time.RFC3339))
		each(i)
	}
}

// listen holds the notices that there are against those that were heard, each
// evening, before retention forgets them.
func (s *season) listen() {
	err := s.db.View(s.t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(s.t.Context(), `SELECT id, key FROM carpool_notices`)
		if err != nil {
			return err
		}
		defer rows.Close()
		keys := map[string]bool{}
		for rows.Next() {
			var id, key string
			if err := rows.Scan(&id, &key); err != nil {
				return err
			}
			if s.ears[id] == 0 {
				return fmt.Errorf("notice %s (%s) was never heard", id, key)
			}
			if keys[key] {
				return fmt.Errorf("notice %s would be shown twice", key)
			}
			keys[key] = true
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatalf("%s: %v", s.time().In(rome).Format("Mon 2006-01-02 15:04"), err)
	}
}

// window of a trip: a quarter of an hour before, an hour after.
func window(leave time.Time) carpool.Window {
	return carpool.Window{From: leave.Add(-15 * time.Minute), To: leave.Add(time.Hour)}
}

// ask brings a need to the portal, and asks the driver of the best lift.
func (s *season) ask(p plannedTrip) {
	ctx, by := s.t.Context(), s.by(p)
	key := fmt.Sprintf("trip-%d", p.n)
	r := carpool.Request{Rider: s.rider(p), From: s.spot(p.from), To: s.spot(p.to), When: window(p.leave), Return: p.back, MaxWalk: 15 * time.Minute}
	if p.minor {
		r.Needs.ChildSeats = 1
	}
	var back *carpool.Window
	if p.back == carpool.ReturnAt {
		w := window(p.leave.Add(p.stay))
		back = &w
	}
	id := carpool.RequestID(s.once(key, func() (string, error) {
		s.plainMatch(p)
		var got carpool.Request
		var err error
		if p.series {
			var all []carpool.Request
			if all, err = s.portal.Bookings.RequestAgain(ctx, by, r, back, carpool.Repeat{Days: []time.Weekday{p.leave.Weekday()}, Until: carpool.DateOf(p.leave.AddDate(0, 0, 14), rome)}, key); err == nil {
				got = all[0]
			}
		} else {
			got, err = s.portal.Bookings.Request(ctx, by, r, back, key)
		}
		if quiet(err) && err != nil {
			return "refused: " + err.Error(), nil
		}
		return string(got.ID), err
	}))
	if strings.HasPrefix(string(id), "refused") {
		return
	}
	s.trips[id] = p
	all, err := s.portal.Bookings.Requests(ctx, s.rider(p))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, q := range all {
		if q.Outward == id {
			s.trips[q.ID] = p
		}
		if (q.ID == id || q.Outward == id) && q.State == carpool.RequestOpen && q.Way.Kind == carpool.WaySearch {
			s.book(by, q)
		}
	}
}

// book asks the driver of the best lift for a request, if there is one.
func (s *season) book(by carpool.By, q carpool.Request) {
	ctx := s.t.Context()
	a, err := s.portal.Bookings.Search(ctx, carpool.Ask{For: q.Rider, From: q.From, To: q.To, When: q.When, Seats: q.Seats(), Needs: q.Needs, MaxWalk: q.MaxWalk})
	if err != nil {
		s.check("search", err)
		return
	}
	for i, m := range a.Matches {
		if i == 3 {
			return
		}
		if _, err := s.portal.Bookings.Book(ctx, by, q.ID, m, fmt.Sprintf("book-%s-%s", q.ID, m.Ride)); err == nil {
			return
		} else {
			s.check("book", err)
		}
	}
}

// plainMatch notes which ways of a trip a notice board would have found when it
// was asked for: the same places, in the same hour.
func (s *season) plainMatch(p plannedTrip) {
	s.plainLeg(fmt.Sprintf("plain %d out", p.n), p, p.from, p.to, p.leave)
	if p.back != carpool.NoReturn {
		s.plainLeg(fmt.Sprintf("plain %d back", p.n), p, p.to, p.from, p.leave.Add(p.stay))
	}
}

func (s *season) plainLeg(key string, p plannedTrip, from, to carpool.PlaceID, leave time.Time) {
	if _, done := s.noted[key]; done {
		return
	}
	var rides []carpool.Ride
	for _, d := range s.drivers {
		rs, err := s.portal.Offers.Rides(s.t.Context(), d, leave.Add(-3*time.Hour), leave.Add(3*time.Hour))
		if err != nil {
			s.t.Fatal(err)
		}
		rides = append(rides, rs...)
	}
	found := carpool.SamePlaceSameTime(carpool.Ask{For: s.rider(p), From: s.spot(from), To: s.spot(to), When: window(leave), Seats: 1}, rides, rome)
	s.note(key, fmt.Sprint(len(found)))
}

// hour is what drivers and riders do in one.
func (s *season) hour(at time.Time) {
	ctx := s.t.Context()
	for i, id := range s.drivers {
		if heard := s.words[id]; len(heard) == 0 || at.Sub(heard[len(heard)-1].At) > 8*24*time.Hour {
			continue // nobody has asked
		}
		me := self("r-autista"+fmt.Sprint(i), id)
		js, err := s.portal.Bookings.Mine(ctx, id, at.Add(-24*time.Hour), at.AddDate(0, 0, 8))
		if err != nil {
			s.t.Fatal(err)
		}
		d := s.plan.drivers[i]
		for _, j := range js {
			if j.As != carpool.AsDriver {
				continue
			}
			for _, b := range j.Bookings {
				day := b.Pickup.At.Format(time.DateOnly)
				n := s.trips[b.Request].n
				switch {
				case b.State == carpool.Asked && chance(s.seed, "reads", n, day, at.Unix()) < 0.5:
					if chance(s.seed, "eager", n, day, i) < d.eager {
						_, err = s.portal.Bookings.Accept(ctx, me, b.ID, "")
					} else {
						_, err = s.portal.Bookings.Decline(ctx, me, b.ID, "quel giorno non passo di lì")
					}
					s.check("answer", err)
				case b.State == carpool.Accepted && s.cancels(i, day, b.Pickup.At.Sub(at)):
					s.check("cancel ride", s.portal.Offers.CancelRide(ctx, me, j.Ride.ID, "auto dal meccanico"))
				}
			}
		}
	}
	s.riders(at)
}

// cancels says whether a driver, once for each day, calls it off now: somewhere
// between the evening before and the last hour.
func (s *season) cancels(driver int, day string, left time.Duration) bool {
	if chance(s.seed, "fickle", driver, day) >= s.plan.drivers[driver].fickle {
		return false
	}
	return left > 0 && left <= time.Hour+time.Duration(chance(s.seed, "when", driver, day)*14)*time.Hour
}
