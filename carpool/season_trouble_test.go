package carpool_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// What may happen to a ride. A word of who says it follows where a car stops.
const (
	fateSilent = "nobody came, and it was said late"
	fateNever  = "called aboard, and never got in"
	fateLate   = "late"
	fateSlow   = "slow"
	fateStops  = "stops"
	fateNone   = "as agreed"
)

// troubles happen to rides, each once before chance decides. Those that not
// everybody can have come first.
var troubles = []string{
	fateSlow + " " + fateStops + " rider",
	fateStops + " desk",
	fateLate,
	fateSilent,
	fateStops + " driver",
	fateNever,
	fateSlow + " " + fateStops + " driver",
	fateSlow,
}

func late(f string) bool   { return strings.HasPrefix(f, fateLate) }
func slow(f string) bool   { return strings.HasPrefix(f, fateSlow) }
func breaks(f string) bool { return strings.Contains(f, fateStops) }

// fate of a ride, decided when the first rider waits for it. "" is a ride that
// goes as agreed.
func (s *season) fate(j *journey, leg int, l promised) string {
	key := "fate " + string(l.Booking.Ride)
	f := s.noted[key]
	if f == "" {
		f = fateNone
		if i := slices.IndexFunc(troubles, func(m string) bool { return s.noted["first "+m] == "" && fits(m, j, leg) }); i >= 0 {
			f = troubles[i]
			s.note("first "+f, string(l.Booking.Ride))
		} else if x := chance(s.seed, "fate", s.driverNo[l.Driver], l.Pickup.At.Unix()); x < 0.12 {
			f = troubles[int(x/0.12*float64(len(troubles)))]
			if !fits(f, j, leg) {
				f = fateNone
			}
		}
		s.note(key, f)
	}
	if f == fateNone || (f == fateSilent || f == fateNever) && !fits(f, j, leg) {
		return ""
	}
	return f
}

// fits says whether a fate can be somebody's: only who has the page can be the
// only one to say it, only for who telephones does the desk.
func fits(f string, j *journey, leg int) bool {
	switch {
	case f == fateSilent || f == fateLate:
		return leg == 0
	case strings.HasSuffix(f, "rider"):
		return j.reads && !j.by.Desk
	case strings.HasSuffix(f, "desk"):
		return j.by.Desk
	}
	return true
}

// delay of a driver on a day: an hour or two.
func (s *season) delay(l promised) time.Duration {
	return time.Hour + time.Duration(chance(s.seed, "delay", s.driverNo[l.Driver], l.Pickup.At.Format(time.DateOnly))*60)*time.Minute
}

func (s *season) broke(r carpool.RideID) string { return s.noted["broke "+string(r)] }

// stopped is somebody whose car has stopped.
func (s *season) stopped(at time.Time, j *journey) {
	s.note(fmt.Sprintf("stranded %d %d", j.p.n, j.Leg), string(j.Ride))
	s.moves(j, whereabouts{Where: onRoad, Leg: j.Leg, Since: at, Lift: j.Lift, Ride: j.Ride})
	s.saysStopped(j)
}

// saysStopped tells the portal that the car stopped, as whoever it is that does.
func (s *season) saysStopped(j *journey) {
	key := "said " + string(j.Lift)
	if s.noted[key] != "" {
		return
	}
	by := j.by
	i := slices.IndexFunc(j.lifts[j.Leg], func(l promised) bool { return l.ID == j.Lift })
	if i >= 0 && strings.HasSuffix(s.broke(j.Ride), "driver") {
		by = s.driverOf(j.lifts[j.Leg][i].Driver)
	}
	_, err := s.portal.Bookings.Stopped(s.t.Context(), by, j.Lift, "auto ferma")
	s.check("stopped", err)
	s.note(key, fmt.Sprint(err))
}

// troubleAway is what may befall whoever is away: they are suspended, or give up
// the way out, or the whole series, while they are there.
func (s *season) troubleAway(j *journey) {
	ctx, out := s.t.Context(), j.legs[0]
	switch {
	case j.p.minor || s.noted[fmt.Sprintf("away %d", j.p.n)] != "":
		return
	case out.Series != "":
		s.once(fmt.Sprintf("away %d", j.p.n), func() (string, error) {
			s.check("withdraw series", s.portal.Bookings.WithdrawSeries(ctx, j.by, out.ID, "non serve più"))
			return "series", nil
		})
	case !over(out) && s.happens("gives up", j, 0.3):
		s.once(fmt.Sprintf("away %d", j.p.n), func() (string, error) {
			s.check("withdraw", s.portal.Bookings.WithdrawRequest(ctx, j.by, out.ID, "sono già qui"))
			return "gave up", nil
		})
	case s.happens("suspended", j, 0.02):
		s.suspend(s.rider(j.p), fmt.Sprintf("away %d", j.p.n))
	default:
		return
	}
	now := s.journey(j.p)
	j.legs, j.lifts = now.legs, now.lifts
}

// troubleAboard is what may befall a driver with somebody aboard.
func (s *season) troubleAboard(j *journey) {
	if s.broke(j.Ride) != "" || !j.Breaks.IsZero() || !s.happens("driver", j, 0.01) {
		return
	}
	for _, l := range j.lifts[j.Leg] {
		if l.ID == j.Lift && s.noted["driver suspended "+string(l.Driver)] == "" {
			s.suspend(l.Driver, "driver suspended "+string(l.Driver))
		}
	}
}

// happens says whether something does: the first time for certain.
func (s *season) happens(what string, j *journey, often float64) bool {
	if first := s.noted["first "+what]; first != "" {
		return first == fmt.Sprint(j.p.n) || chance(s.seed, what, j.p.n) < often
	}
	s.note("first "+what, fmt.Sprint(j.p.n))
	return true
}

// suspend is done by two of the office; some days later it is lifted.
func (s *season) suspend(m carpool.MemberID, key string) {
	ctx := s.t.Context()
	s.once(key, func() (string, error) {
		open, err := s.portal.Trust.Suspensions(ctx, true)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(open, func(one carpool.Suspension) bool { return one.Member == m })
		var one carpool.Suspension
		if i >= 0 {
			one = open[i]
		} else if one, err = s.portal.Trust.Propose(ctx, carpool.By{Account: "ufficio-1"}, m, "un esposto"); err != nil {
			return "", err
		}
		if one.State == carpool.SuspensionProposed {
			_, err = s.portal.Trust.Settle(ctx, carpool.By{Account: "ufficio-2"}, one.ID, true, "")
		}
		return "suspended", err
	})
}

// lifted ends suspensions after two days; a driver then offers again what was
// ended.
func (s *season) lifted(at time.Time) {
	ctx := s.t.Context()
	open, err := s.portal.Trust.Suspensions(ctx, true)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range open {
		if one.State != carpool.SuspensionInForce || at.Sub(one.SettledAt) < 48*time.Hour {
			continue
		}
		if _, err := s.portal.Trust.Lift(ctx, carpool.By{Account: "ufficio-2"}, one.ID, "chiarito"); err != nil {
			s.t.Fatal(err)
		}
	}
	for i, id := range s.drivers {
		if s.noted["driver suspended "+string(id)] == "" || s.noted[fmt.Sprintf("driver %d back again", i)] != "" {
			continue
		}
		if m, err := s.portal.Members.Get(ctx, id); err != nil || m.State != carpool.Active {
			continue
		}
		d := s.plan.drivers[i]
		s.once(fmt.Sprintf("driver %d out again", i), func() (string, error) { return s.offer(i, "out again", d.from, d.to, d.out) })
		s.once(fmt.Sprintf("driver %d back again", i), func() (string, error) { return s.offer(i, "back again", d.to, d.from, d.back) })
	}
}
