package carpool_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// where somebody is, bodily.
type where string

const (
	atHome  where = "at home"
	aboard  where = "in a car"
	onRoad  where = "standing on the road" // the car stopped
	there   where = "at the destination"   // and wants home
	settled where = "home again"           // or somewhere they chose to stay
)

// standing is what is known of one person at one hour from outside: where they
// are, what they heard, what their page says and what is being done for them.
type standing struct {
	Now   time.Time
	Where where
	Since time.Time
	At    carpool.PlaceID   // "" in a car and on the road
	Lift  carpool.BookingID // whose car they sit in, or sat in
	Reads bool              // sees the page, or hears it from the desk this hour
	Leg   *carpool.Request  // the journey they are on or wait for, as the page says it; nil: it says nothing
	Lifts []promised        // its bookings that still ask or promise something
	Calls []carpool.Call    // about them, on the desk's list
	Heard []word            // the oldest first
}

// promised is a booking, and which of the two knows of it.
type promised struct {
	carpool.Booking
	Ride  carpool.RideState
	Told  bool // the driver
	Known bool // the rider: read, heard, or will hear from the desk
}

// word is one thing that reached somebody.
type word struct {
	Key     string            `json:"key"`
	At      time.Time         `json:"at"`
	Member  carpool.MemberID  `json:"member"`
	Kind    string            `json:"kind"`
	Request carpool.RequestID `json:"request,omitempty"`
	Booking carpool.BookingID `json:"booking,omitempty"`
	Listed  string            `json:"listed,omitempty"`
	Bus     time.Time         `json:"bus,omitzero"`
}

// What the judge takes for a way that is true.
const (
	carDue   = carpool.NoShowAfter + time.Hour // a car that is later is not coming, as far as who waits away from home knows
	roadCall = time.Hour                       // the desk calls who stands on the road, at once
	atLength = 14 * time.Hour                  // nobody is away on one number for longer: a night and the morning
)

// judge says what is wrong with how somebody stands; "" where all is well: they
// are at home and wait for nothing, or sit in a car that goes, or have a stated
// way that is true.
func judge(s standing) string {
	for _, l := range s.Lifts {
		if l.State != carpool.Asked && l.State != carpool.Accepted || s.Where == aboard && l.ID == s.Lift {
			continue
		}
		if s.Leg == nil || s.At == "" || s.At != s.Leg.From.Place {
			return fmt.Sprintf("a driver is sent to fetch them where they are not (booking %s, %s)", l.ID, l.State)
		}
	}
	switch s.Where {
	case settled, aboard:
		return ""
	case atHome:
		if s.Leg == nil || over(s.Leg) || s.letGo() {
			return ""
		}
	}
	if s.Leg == nil {
		return "their page says nothing"
	}
	if s.Where != atHome && s.Now.Sub(s.waits()) > atLength {
		return "nobody came for them in all that time"
	}
	for _, way := range []func() bool{s.lift, s.bus, s.number, s.call, s.search} {
		if way() {
			return ""
		}
	}
	return "no way that was stated to them is true"
}

func over(r *carpool.Request) bool {
	return r.State == carpool.RequestDone || r.State == carpool.RequestWithdrawn
}

// waits is since when they would be on their way.
func (s standing) waits() time.Time {
	if s.Where == there && s.Leg.When.To.After(s.Since) {
		return s.Leg.When.To
	}
	return s.Since
}

// starts says whether they are where their journey starts.
func (s standing) starts() bool { return s.At != "" && s.At == s.Leg.From.Place }

// lift: a driver has promised it, or was asked and has still to answer, on a
// ride that goes from where they are.
func (s standing) lift() bool {
	return s.starts() && slices.ContainsFunc(s.Lifts, func(l promised) bool {
		if !l.Told || !l.Known || l.Ride != carpool.RideOpen && l.Ride != carpool.RideUnderWay && s.Where != atHome {
			return false
		}
		switch l.State {
		case carpool.Asked:
			return s.Now.Before(l.Deadline)
		case carpool.Boarded: // said to be in a car; at home they say in time that it is not so
			return s.Where == atHome
		}
		return s.Where == atHome || s.Now.Before(l.Pickup.At.Add(carDue))
	})
}

// bus: one that they know of leaves later than now.
func (s standing) bus() bool {
	if !s.starts() {
		return false
	}
	if b := s.Leg.Way.Bus; s.Reads && !over(s.Leg) && b != nil && b.Depart.After(s.Now) {
		return true
	}
	return slices.ContainsFunc(s.Heard, func(w word) bool { return w.Request == s.Leg.ID && w.Bus.After(s.Now) })
}

// letGo: they are at home still, and the bus that they knew of left without them.
func (s standing) letGo() bool {
	b := s.Leg.Way.Bus
	if s.Leg.Way.Kind != carpool.WayBus || b == nil || b.Depart.After(s.Now) {
		return false
	}
	return s.Reads || slices.ContainsFunc(s.Heard, func(w word) bool { return w.Request == s.Leg.ID && w.Bus.Equal(b.Depart) && w.At.Before(b.Depart) })
}

// number: they know whom of the union's list to call. What was said before the
// car stopped was about something else.
func (s standing) number() bool {
	if s.Reads && !over(s.Leg) && s.Leg.Way.Listed != "" {
		return true
	}
	return slices.ContainsFunc(s.Heard, func(w word) bool {
		return w.Listed != "" && w.Request == s.Leg.ID && (s.Where != onRoad || !w.At.Before(s.Since))
	})
}

// call: the desk has still to call them, in time.
func (s standing) call() bool {
	by := s.Leg.When.To
	if limit := s.Now.Add(2 * time.Hour); by.Before(limit) {
		by = limit
	}
	if s.Where == onRoad {
		by = s.Now.Add(roadCall)
	}
	return slices.ContainsFunc(s.Calls, func(c carpool.Call) bool {
		return strings.HasPrefix(c.Kind, "way.") && !c.Due.IsZero() && !c.Due.After(by) && (c.State == carpool.CallOpen || c.State == carpool.CallTaken)
	})
}

// search: the page says until when another is looked for where they are, or
// that they say when the visit has ended. A promise that names a booking is as
// good as the booking.
func (s standing) search() bool {
	w, by := s.Leg.Way, s.Leg.When.To
	if limit := s.Now.Add(2 * time.Hour); by.Before(limit) {
		by = limit
	}
	return s.starts() && !over(s.Leg) && w.Kind == carpool.WaySearch && w.Until.After(s.Now) && !w.Until.After(by)
}

// TestTheJudge plants worlds, good and bad.
func TestTheJudge(t *testing.T) {
	now := monday
	leg := func(way carpool.Way) *carpool.Request {
		return &carpool.Request{ID: "q", From: carpool.Spot{Place: "borgo"}, State: carpool.RequestOpen, When: carpool.Window{From: now.Add(-time.Hour), To: now.Add(time.Hour)}, Way: way}
	}
	ended := leg(carpool.Way{})
	ended.State = carpool.RequestDone
	withdrawn := leg(carpool.Way{})
	withdrawn.State = carpool.RequestWithdrawn
	until := now.Add(time.Hour)
	promise := func(state carpool.BookingState, ride carpool.RideState, told bool) []promised {
		return []promised{{Booking: carpool.Booking{ID: "b", State: state, Pickup: carpool.Stop{At: now.Add(20 * time.Minute)}, Deadline: until}, Ride: ride, Told: told, Known: true}}
	}
	unheard := promise(carpool.Accepted, carpool.RideOpen, true)
	unheard[0].Known = false
	ride := carpool.Way{Kind: carpool.WayRide, Booking: "b", Until: until}
	search := carpool.Way{Kind: carpool.WaySearch, Until: until, Text: carpool.WayTextSearch}
	call := func(state carpool.CallState, due time.Time) []carpool.Call {
		return []carpool.Call{{Kind: carpool.WayTextDesk, State: state, Due: due}}
	}
	gone := carpool.Way{Kind: carpool.WayBus, Bus: &carpool.Bus{Depart: now.Add(-time.Minute)}, Until: until}
	told := []word{{At: now.Add(-3 * time.Hour), Request: "q", Listed: "l"}}
	for name, c := range map[string]struct {
		s    standing
		says string
	}{
		"at home, nothing asked":                {standing{Where: atHome, At: "borgo"}, ""},
		"at home, given up":                     {standing{Where: atHome, At: "borgo", Leg: withdrawn}, ""},
		"in a car that goes":                    {standing{Where: aboard, Lift: "b", Leg: leg(ride), Lifts: promise(carpool.Boarded, carpool.RideUnderWay, true)}, ""},
		"a driver comes":                        {standing{Where: there, At: "borgo", Leg: leg(ride), Lifts: promise(carpool.Accepted, carpool.RideOpen, true)}, ""},
		"a driver was asked":                    {standing{Where: there, At: "borgo", Leg: leg(ride), Lifts: promise(carpool.Asked, carpool.RideOpen, true)}, ""},
		"it is looked for":                      {standing{Where: there, At: "borgo", Leg: leg(search)}, ""},
		"the bus they read of":                  {standing{Where: there, At: "borgo", Reads: true, Leg: leg(carpool.Way{Kind: carpool.WayBus, Bus: &carpool.Bus{Depart: until}, Until: until})}, ""},
		"the bus they heard of":                 {standing{Where: there, At: "borgo", Leg: ended, Heard: []word{{Request: "q", Bus: until}}}, ""},
		"a number they heard":                   {standing{Where: there, At: "borgo", Leg: ended, Heard: told}, ""},
		"a number on the page, on the road":     {standing{Where: onRoad, Reads: true, Leg: leg(carpool.Way{Kind: carpool.WayDesk, Listed: "l", Until: until})}, ""},
		"the desk calls who is on the road":     {standing{Where: onRoad, Leg: leg(carpool.Way{Kind: carpool.WayDesk, Until: until}), Calls: call(carpool.CallOpen, now)}, ""},
		"said to be aboard, still at the start": {standing{Where: atHome, At: "borgo", Leg: leg(ride), Lifts: promise(carpool.Boarded, carpool.RideUnderWay, true)}, ""},
		"at home, the bus went without them":    {standing{Where: atHome, At: "borgo", Leg: leg(gone), Heard: []word{{At: now.Add(-time.Hour), Request: "q", Bus: gone.Bus.Depart}}}, ""},

		"at home, a bus they never heard of":       {standing{Where: atHome, At: "borgo", Leg: leg(gone)}, "no way"},
		"at home, a bus they heard of too late":    {standing{Where: atHome, At: "borgo", Leg: leg(gone), Heard: []word{{At: now, Request: "q", Bus: gone.Bus.Depart}}}, "no way"},
		"the promised booking was cancelled":       {standing{Where: there, At: "borgo", Reads: true, Leg: leg(ride)}, "no way"},
		"at home too":                              {standing{Where: atHome, At: "borgo", Reads: true, Leg: leg(ride)}, "no way"},
		"the ride was cancelled":                   {standing{Where: there, At: "borgo", Leg: leg(ride), Lifts: promise(carpool.Accepted, carpool.RideCancelled, true)}, "no way"},
		"the driver never heard":                   {standing{Where: there, At: "borgo", Leg: leg(ride), Lifts: promise(carpool.Accepted, carpool.RideOpen, false)}, "no way"},
		"the rider never heard":                    {standing{Where: there, At: "borgo", Leg: leg(ride), Lifts: unheard}, "no way"},
		"on the road, looked for at the start":     {standing{Where: onRoad, Reads: true, Leg: leg(search)}, "no way"},
		"on the road, fetched at the start":        {standing{Where: onRoad, Leg: leg(ride), Lifts: promise(carpool.Asked, carpool.RideOpen, true), Calls: call(carpool.CallOpen, now)}, "where they are not"},
		"in another car, fetched at the start":     {standing{Where: aboard, Lift: "a", Leg: leg(ride), Lifts: promise(carpool.Accepted, carpool.RideOpen, true)}, "where they are not"},
		"home again, fetched at the destination":   {standing{Where: settled, At: "casa", Leg: leg(ride), Lifts: promise(carpool.Accepted, carpool.RideOpen, true)}, "where they are not"},
		"on the road, a number of the day before":  {standing{Where: onRoad, Since: now.Add(-time.Hour), Leg: ended, Heard: told}, "no way"},
		"on the road, called in the evening":       {standing{Where: onRoad, Leg: leg(search), Calls: call(carpool.CallOpen, now.Add(6*time.Hour))}, "no way"},
		"called, and that was all":                 {standing{Where: there, At: "borgo", Leg: ended, Calls: call(carpool.CallDone, now)}, "no way"},
		"nobody answered, and that was all":        {standing{Where: onRoad, Leg: ended, Calls: call(carpool.CallFailed, now)}, "no way"},
		"a call with no time":                      {standing{Where: there, At: "borgo", Leg: leg(carpool.Way{Kind: carpool.WayDesk, Until: until}), Calls: call(carpool.CallOpen, time.Time{})}, "no way"},
		"given up while away":                      {standing{Where: there, At: "borgo", Reads: true, Leg: withdrawn}, "no way"},
		"a page that says nothing":                 {standing{Where: there, At: "borgo", Reads: true}, "says nothing"},
		"the bus has gone":                         {standing{Where: there, At: "borgo", Reads: true, Leg: leg(gone)}, "no way"},
		"a bus from where they are not":            {standing{Where: onRoad, Reads: true, Leg: leg(carpool.Way{Kind: carpool.WayBus, Bus: &carpool.Bus{Depart: until}, Until: until})}, "no way"},
		"the search ended before":                  {standing{Where: there, At: "borgo", Leg: leg(carpool.Way{Kind: carpool.WaySearch, Until: now})}, "no way"},
		"the search ends when it is far too late":  {standing{Where: there, At: "borgo", Leg: leg(carpool.Way{Kind: carpool.WaySearch, Until: now.Add(12 * time.Hour)})}, "no way"},
		"the car should have come two hours ago":   {standing{Where: there, At: "borgo", Leg: leg(ride), Lifts: []promised{{Booking: carpool.Booking{ID: "b", State: carpool.Accepted, Pickup: carpool.Stop{At: now.Add(-2 * time.Hour)}}, Ride: carpool.RideUnderWay, Told: true, Known: true}}}, "no way"},
		"a number, and nobody came for a night":    {standing{Where: onRoad, Since: now.Add(-20 * time.Hour), Leg: ended, Heard: told}, "nobody came"},
		"a number told to somebody for elsewhere":  {standing{Where: there, At: "borgo", Leg: ended, Heard: []word{{At: now, Request: "other", Listed: "l"}}}, "no way"},
		"a number on a page that they cannot read": {standing{Where: there, At: "borgo", Leg: leg(carpool.Way{Kind: carpool.WayList, Listed: "l", Until: until})}, "no way"},
	} {
		c.s.Now = now
		if c.s.Since.IsZero() {
			c.s.Since = now.Add(-time.Minute)
		}
		if got := judge(c.s); got != c.says && (c.says == "" || !strings.Contains(got, c.says)) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}
