package carpool_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// riders go on with their trips: they wait, get in, arrive, are left standing,
// and go home. What is done to the portal comes before the note of it, and does
// no harm twice: the process may be killed between the two.
func (s *season) riders(at time.Time) {
	for _, p := range s.begun() {
		if s.whereabouts(p).Where == atHome && at.Hour()%3 != 0 && p.leave.Sub(at) > 12*time.Hour {
			continue // they look every third hour
		}
		j := s.journey(p)
		switch j.Where {
		case atHome:
			s.fromHome(at, j)
		case there:
			s.fromThere(at, j)
		case aboard:
			s.inTheCar(at, j)
		case onRoad:
			s.byTheRoad(at, j)
		}
	}
	for _, p := range s.begun() { // who else sits in a car that stopped
		if w := s.whereabouts(p); w.Where == aboard && s.broke(w.Ride) != "" {
			s.stopped(at, s.journey(p))
		}
	}
}

// fromHome is who has not left yet.
func (s *season) fromHome(at time.Time, j *journey) {
	out := j.legs[0]
	if s.byBus(at, j) || s.byLift(at, j) || s.byList(at, j) {
		return
	}
	for _, l := range j.running(0) {
		if j.p.quits && l.State == carpool.Accepted && at.Before(l.Pickup.At) {
			_, err := s.portal.Bookings.Cancel(s.t.Context(), j.by, l.ID, "non mi serve più")
			s.check("cancel", err)
			s.stays(j)
			return
		}
	}
	if out == nil || over(out) && at.After(out.When.To) || out.State == carpool.RequestWithdrawn {
		s.stays(j)
		return
	}
	s.choose(at, j, out)
}

// stays is who does not go, or is home, and gives up what is left of the trip.
func (s *season) stays(j *journey) {
	if out := j.legs[0]; out != nil && out.Series != "" {
		s.check("withdraw series", s.portal.Bookings.WithdrawSeries(s.t.Context(), j.by, out.ID, "resto a casa"))
	}
	for _, leg := range j.legs {
		if leg != nil && !over(leg) {
			s.check("withdraw", s.portal.Bookings.WithdrawRequest(s.t.Context(), j.by, leg.ID, "resto a casa"))
		}
	}
	s.moves(j, whereabouts{Where: settled})
}

// arrives is somebody at the end of a leg.
func (s *season) arrives(at time.Time, j *journey, leg int) {
	if leg == 1 || j.legs[1] == nil {
		s.moves(j, whereabouts{Where: settled})
		return
	}
	s.moves(j, whereabouts{Where: there, Leg: 1, Since: at})
}

// goes is somebody who takes a leg without a lift of the portal.
func (s *season) goes(at time.Time, j *journey, leg int, by string) {
	if q := j.legs[leg]; q != nil {
		s.note("went "+string(q.ID), by)
	}
	s.arrives(at, j, leg)
}

// fromThere is who is at the destination.
func (s *season) fromThere(at time.Time, j *journey) {
	s.troubleAway(j)
	back := j.legs[1]
	if s.byBus(at, j) || s.byLift(at, j) || s.byList(at, j) {
		return
	}
	switch {
	case back.State == carpool.RequestWaiting && !at.Before(j.p.leave.Add(j.p.stay)):
		got, err := s.portal.Bookings.Ready(s.t.Context(), j.by, back.ID, at)
		s.check("ready", err)
		if err == nil && s.voice(back.Rider) { // the operator reads out what the page says now
			w := word{Key: "call:ready " + string(back.ID), At: at, Member: back.Rider, Kind: got.Way.Text, Request: back.ID, Listed: got.Way.Listed}
			if got.Way.Bus != nil {
				w.Bus = got.Way.Bus.Depart
			}
			if err := s.hear(w); err != nil {
				s.t.Fatal(err)
			}
		}
	default:
		s.choose(at, j, back)
	}
}

// choose asks a driver, each third hour, while a lift is looked for.
func (s *season) choose(at time.Time, j *journey, q *carpool.Request) {
	if q.State == carpool.RequestOpen && q.Way.Kind == carpool.WaySearch && at.Hour()%3 == 0 && q.When.To.After(at) {
		s.book(j.by, *q)
	}
}

// byBus takes the bus that the portal named, most times.
func (s *season) byBus(at time.Time, j *journey) bool {
	leg := j.leg()
	key := fmt.Sprintf("bus %d %d", j.p.n, leg)
	if q := j.legs[leg]; q != nil && q.Way.Bus != nil && !over(q) {
		if v := q.Way.Bus.Depart.Format(time.RFC3339); s.noted[key] != v {
			s.note(key, v)
		}
	}
	depart, err := time.Parse(time.RFC3339, s.noted[key])
	if err != nil || at.Before(depart) || at.Sub(depart) > time.Hour || len(j.running(leg)) > 0 || chance(s.seed, key, depart) > 0.8 {
		return false
	}
	s.goes(at, j, leg, "bus")
	return true
}

// number says whether the person knows whom to call about a leg.
func (s *season) number(j *journey, leg int, since time.Time) bool {
	q := j.legs[leg]
	if q == nil {
		return false
	}
	if j.reads && !over(q) && q.Way.Listed != "" {
		return true
	}
	for _, w := range s.words[s.rider(j.p)] {
		if w.Request == q.ID && w.Listed != "" && !w.At.Before(since) {
			return true
		}
	}
	return false
}

// byList goes with somebody of the union's list, where that was what they were
// told, and gives up the lift that was looked for; on the way out not everybody
// thinks of that.
func (s *season) byList(at time.Time, j *journey) bool {
	leg := j.leg()
	q := j.legs[leg]
	if q == nil || at.Before(q.When.From) || len(j.running(leg)) > 0 || !s.number(j, leg, time.Time{}) || chance(s.seed, "list", j.p.n, leg, at.Unix()) > 0.7 {
		return false
	}
	if leg == 1 && !over(q) {
		s.check("withdraw", s.portal.Bookings.WithdrawRequest(s.t.Context(), j.by, q.ID, "vado in altro modo"))
	}
	s.goes(at, j, leg, "list")
	return true
}

// byLift is what becomes of an accepted lift when its time has come.
func (s *season) byLift(at time.Time, j *journey) bool {
	leg := j.leg()
	for _, l := range j.running(leg) {
		if l.State != carpool.Asked && at.After(l.Pickup.At.Add(carpool.NoShowAfter)) && s.broke(l.Booking.Ride) == "" {
			return s.pickUp(at, j, leg, l)
		}
	}
	return false
}

// pickUp is a car at the place where somebody waits, or not.
func (s *season) pickUp(at time.Time, j *journey, leg int, l promised) bool {
	ctx, driver := s.t.Context(), s.driverOf(l.Driver)
	f := s.fate(j, leg, l)
	day := l.Pickup.At.Format(time.DateOnly)
	noShow := func(by carpool.By, why string) {
		_, err := s.portal.Bookings.NoShow(ctx, by, l.ID, why)
		s.check("no-show", err)
	}
	switch {
	case f == fateSilent && at.Before(l.Pickup.At.Add(3*time.Hour)):
		return false // nobody comes, and they wait without a word
	case f == fateSilent, f == "" && chance(s.seed, "absent", s.driverNo[l.Driver], day) < s.plan.drivers[s.driverNo[l.Driver]].absent:
		noShow(j.by, "non è arrivato")
		return false
	case f == fateNever:
		key := "never " + string(l.ID)
		if s.noted[key] == "" {
			_, err := s.portal.Bookings.Board(ctx, driver, l.ID, "")
			s.check("board", err)
			s.note(key, at.Format(time.RFC3339))
		}
		if leg == 1 || s.noted[key] != at.Format(time.RFC3339) { // at home they see it an hour later
			noShow(j.by, "non sono mai salito")
		}
		return false
	case f == "" && leg == 0 && j.p.absent:
		noShow(driver, "non c'era")
		s.stays(j)
		return true
	case late(f) && leg == 0 && at.Before(l.Pickup.At.Add(s.delay(l))):
		return false
	}
	_, err := s.portal.Bookings.Board(ctx, driver, l.ID, "")
	s.check("board", err)
	s.note(fmt.Sprintf("rode %s", l.Request), string(l.ID))
	to := whereabouts{Where: aboard, Leg: leg, Since: at, Lift: l.ID, Ride: l.Booking.Ride, Arrives: l.Drop.At}
	if late(f) || slow(f) {
		to.Arrives = l.Drop.At.Add(s.delay(l))
	}
	if breaks(f) {
		if to.Breaks = at; slow(f) { // long after it should have arrived
			to.Breaks = l.Drop.At.Add(s.delay(l) / 2)
		}
	}
	s.moves(j, to)
	s.inTheCar(at, j)
	return true
}

// inTheCar is who is on the way.
func (s *season) inTheCar(at time.Time, j *journey) {
	s.troubleAboard(j)
	switch {
	case !j.Breaks.IsZero() && !at.Before(j.Breaks):
		if s.broke(j.Ride) == "" {
			s.note("broke "+string(j.Ride), strings.TrimSpace(s.noted["fate "+string(j.Ride)]))
		}
		s.stopped(at, j)
	case !at.Before(j.Arrives):
		for _, l := range j.running(j.Leg) {
			if l.ID == j.Lift {
				_, err := s.portal.Bookings.Complete(s.t.Context(), s.driverOf(l.Driver), l.ID, "")
				s.check("complete", err)
			}
		}
		s.arrives(at, j, j.Leg)
	}
}

// byTheRoad is who stands where a car stopped: when they know whom to call they
// get on within the hour, or home.
func (s *season) byTheRoad(at time.Time, j *journey) {
	s.saysStopped(j)
	if !at.After(j.Since) || !s.number(j, j.Leg, j.Since) {
		return
	}
	if j.Leg == 0 && j.legs[1] != nil && chance(s.seed, "onward", j.p.n) < 0.5 {
		s.goes(at, j, 0, "list")
		return
	}
	s.stays(j)
}

func (s *season) driverOf(m carpool.MemberID) carpool.By {
	return self("r-autista"+fmt.Sprint(s.driverNo[m]), m)
}
