package carpool_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
)

// whereabouts is where the person of a trip is, by what happened to them. It is
// kept in the notes, and nowhere in the portal.
type whereabouts struct {
	Where   where             `json:"where"`
	Leg     int               `json:"leg,omitempty"` // 0 out, 1 home
	Since   time.Time         `json:"since,omitzero"`
	Lift    carpool.BookingID `json:"lift,omitempty"` // whose car
	Ride    carpool.RideID    `json:"ride,omitempty"`
	Arrives time.Time         `json:"arrives,omitzero"`
	Breaks  time.Time         `json:"breaks,omitzero"` // when the car will stop
}

// journey is the person of a trip, with what they see and what is booked.
type journey struct {
	whereabouts
	p     plannedTrip
	by    carpool.By
	reads bool // has the page; who has not rings the desk
	legs  [2]*carpool.Request
	lifts [2][]promised
}

func (s *season) whereabouts(p plannedTrip) whereabouts {
	w := whereabouts{Where: atHome}
	if v := s.noted[fmt.Sprintf("is %d", p.n)]; v != "" {
		if err := json.Unmarshal([]byte(v), &w); err != nil {
			s.t.Fatal(err)
		}
	}
	return w
}

// moves puts the person of a trip somewhere.
func (s *season) moves(j *journey, to whereabouts) {
	v, err := json.Marshal(to)
	if err != nil {
		s.t.Fatal(err)
	}
	s.note(fmt.Sprintf("is %d", j.p.n), string(v))
	j.whereabouts = to
}

// journey reads what the person of a trip reads.
func (s *season) journey(p plannedTrip) *journey {
	ctx, rider := s.t.Context(), s.rider(p)
	j := &journey{whereabouts: s.whereabouts(p), p: p, by: s.by(p), reads: !s.voice(rider)}
	out := carpool.RequestID(s.noted[fmt.Sprintf("trip-%d", p.n)])
	all, err := s.portal.Bookings.Requests(ctx, rider)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, q := range all {
		if q.ID == out {
			j.legs[0] = &all[i]
		} else if q.Outward == out {
			j.legs[1] = &all[i]
		}
	}
	mine, err := s.portal.Bookings.Mine(ctx, rider, p.leave.AddDate(0, 0, -2), p.leave.AddDate(0, 0, 3))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range mine {
		for _, b := range m.Bookings {
			for i, leg := range j.legs {
				if m.As == carpool.AsRider && leg != nil && b.Request == leg.ID {
					j.lifts[i] = append(j.lifts[i], promised{Booking: b.Booking, Ride: m.Ride.State, Told: s.heardOf(b.Driver, b.ID)})
				}
			}
		}
	}
	return j
}

// begun are the trips that were asked for and are not over.
func (s *season) begun() []plannedTrip {
	var out []plannedTrip
	for _, p := range s.plan.trips {
		id := s.noted[fmt.Sprintf("trip-%d", p.n)]
		if id != "" && !strings.HasPrefix(id, "refused") && s.whereabouts(p).Where != settled {
			out = append(out, p)
		}
	}
	return out
}

// leg that the person is on, or waits for.
func (j *journey) leg() int {
	if j.Where == there {
		return 1
	}
	return j.Leg
}

// running are the bookings of a leg that ask or promise something.
func (j *journey) running(leg int) []promised {
	return slices.DeleteFunc(slices.Clone(j.lifts[leg]), func(l promised) bool {
		return !slices.Contains([]carpool.BookingState{carpool.Asked, carpool.Accepted, carpool.Boarded}, l.State)
	})
}

// standing is what the judge is told of a person.
func (s *season) standing(at time.Time, j *journey, calls []carpool.Call) standing {
	leg := j.leg()
	st := standing{Now: at, Where: j.Where, Since: j.Since, Lift: j.Lift, Leg: j.legs[leg], Lifts: j.running(leg), Reads: j.reads || j.Where != atHome && deskOpen(at)}
	switch j.Where {
	case atHome:
		st.At = j.p.from
	case there:
		st.At = j.p.to
	}
	rider := s.rider(j.p)
	st.Heard = s.words[rider]
	rings := map[string]bool{} // the bookings that the desk will tell them of
	for _, c := range calls {
		if c.Member != rider || st.Leg == nil {
			continue
		}
		rings[c.With[carpool.WithBooking]] = true
		if c.With[carpool.WithRequest] == string(st.Leg.ID) {
			st.Calls = append(st.Calls, c)
		}
	}
	for i, l := range st.Lifts {
		st.Lifts[i].Known = st.Reads || l.State == carpool.Asked || rings[string(l.ID)] || s.heardOf(rider, l.ID)
	}
	return st
}

// judged holds everybody's standing before the judge.
func (s *season) judged(at time.Time) {
	calls, err := s.portal.Desk.Calls(s.t.Context(), sportello)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range s.begun() {
		j := s.journey(p)
		st := s.standing(at, j, calls)
		if says := judge(st); says != "" {
			s.t.Errorf("%s: %s\n%s", at.Format("Mon 2006-01-02 15:04"), says, s.story(j, st))
		}
	}
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// story tells how somebody came to stand as they do.
func (s *season) story(j *journey, st standing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, trip %d: %s since %s, leg %d; from %s to %s, leaves %s, return %q, reads %v\n", s.seed, j.p.n, j.Where, when(j.Since), j.leg(), j.p.from, j.p.to, when(j.p.leave), j.p.back, j.reads)
	for i, leg := range j.legs {
		if leg == nil {
			continue
		}
		fmt.Fprintf(&b, "request %s (leg %d): %s %s, way %s %s %s until %s\n", leg.ID, i, leg.State, when(leg.When.From), leg.Way.Kind, leg.Way.Text, leg.Way.Booking, when(leg.Way.Until))
		for _, l := range j.lifts[i] {
			fmt.Fprintf(&b, "  booking %s: %s %s by %s (%s), ride %s %s, pick-up %s, drop %s; %s\n", l.ID, l.State, l.Reason, l.EndedBy, when(l.Changed), l.Booking.Ride, l.Ride, when(l.Pickup.At), when(l.Drop.At), s.noted["fate "+string(l.Booking.Ride)])
		}
	}
	for _, c := range st.Calls {
		fmt.Fprintf(&b, "call %s: %s due %s\n", c.Kind, c.State, when(c.Due))
	}
	for _, w := range st.Heard[max(0, len(st.Heard)-12):] {
		fmt.Fprintf(&b, "heard %s: %s %s%s %s\n", when(w.At), w.Kind, w.Request, w.Booking, w.Listed)
	}
	return b.String()
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(rome).Format("Mon 15:04")
}
