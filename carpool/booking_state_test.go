package carpool_test

import (
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"pgregory.net/rapid"
)

var (
	allStates = []carpool.BookingState{carpool.Asked, carpool.Accepted, carpool.Declined, carpool.Cancelled, carpool.Boarded, carpool.Completed, carpool.NoShow}
	allEvents = []carpool.BookingEvent{carpool.EventAccept, carpool.EventDecline, carpool.EventCancel, carpool.EventBoard, carpool.EventComplete, carpool.EventNoShow, carpool.EventStopped}
	parties   = []carpool.Party{carpool.AsRider, carpool.AsDriver, carpool.AsProgram}
)

// around a pick-up at hour 10 and a drop at hour 11, answered until hour 5.
func momentAt(d time.Duration) carpool.Moment {
	return carpool.Moment{Now: monday.Add(d), Deadline: monday.Add(5 * time.Hour), Pickup: monday.Add(10 * time.Hour), Drop: monday.Add(11 * time.Hour), Said: carpool.AsDriver}
}

func TestNext(t *testing.T) {
	const h, min = time.Hour, time.Minute
	for _, c := range []struct {
		from  carpool.BookingState
		event carpool.BookingEvent
		by    carpool.Party
		at    time.Duration
		to    carpool.BookingState
		kind  fault.Kind
	}{
		{carpool.Asked, carpool.EventAccept, carpool.AsDriver, 1 * h, carpool.Accepted, 0},
		{carpool.Asked, carpool.EventAccept, carpool.AsDriver, 5 * h, "", fault.Conflict}, // the deadline itself is too late
		{carpool.Asked, carpool.EventAccept, carpool.AsRider, 1 * h, "", fault.Denied},
		{carpool.Asked, carpool.EventAccept, carpool.AsProgram, 1 * h, "", fault.Conflict},
		{carpool.Asked, carpool.EventDecline, carpool.AsDriver, 6 * h, carpool.Declined, 0},
		{carpool.Asked, carpool.EventDecline, carpool.AsRider, 1 * h, "", fault.Denied},
		{carpool.Asked, carpool.EventDecline, carpool.AsProgram, 5 * h, carpool.Declined, 0},
		{carpool.Asked, carpool.EventCancel, carpool.AsRider, 1 * h, carpool.Cancelled, 0},
		{carpool.Asked, carpool.EventCancel, carpool.AsDriver, 1 * h, "", fault.Denied},
		{carpool.Asked, carpool.EventBoard, carpool.AsRider, 10 * h, "", fault.Conflict},
		{carpool.Accepted, carpool.EventAccept, carpool.AsDriver, 1 * h, "", fault.Conflict},
		{carpool.Accepted, carpool.EventCancel, carpool.AsDriver, 10*h + 5*min, carpool.Cancelled, 0},
		{carpool.Accepted, carpool.EventBoard, carpool.AsRider, 9*h + 29*min, "", fault.Invalid},
		{carpool.Accepted, carpool.EventBoard, carpool.AsRider, 9*h + 30*min, carpool.Boarded, 0},
		{carpool.Accepted, carpool.EventNoShow, carpool.AsRider, 10*h + 14*min, "", fault.Invalid},
		{carpool.Accepted, carpool.EventNoShow, carpool.AsRider, 10*h + 15*min, carpool.NoShow, 0},
		{carpool.Accepted, carpool.EventNoShow, carpool.AsProgram, 10*h + 15*min, carpool.NoShow, 0},
		{carpool.Accepted, carpool.EventComplete, carpool.AsDriver, 9 * h, "", fault.Invalid},
		{carpool.Accepted, carpool.EventComplete, carpool.AsDriver, 10*h + 59*min, "", fault.Invalid}, // nobody said that the rider got in
		{carpool.Accepted, carpool.EventComplete, carpool.AsDriver, 11 * h, carpool.Completed, 0},
		{carpool.Accepted, carpool.EventComplete, carpool.AsRider, 10*h + 30*min, carpool.Completed, 0},
		{carpool.Accepted, carpool.EventCancel, carpool.AsDriver, 10*h + 59*min, carpool.Cancelled, 0},
		{carpool.Accepted, carpool.EventCancel, carpool.AsDriver, 11 * h, "", fault.Conflict},
		{carpool.Accepted, carpool.EventCancel, carpool.AsRider, 11 * h, "", fault.Conflict},
		{carpool.Accepted, carpool.EventCancel, carpool.AsProgram, 12 * h, carpool.Cancelled, 0},
		{carpool.Accepted, carpool.EventComplete, carpool.AsProgram, 22 * h, "", fault.Invalid},
		{carpool.Accepted, carpool.EventComplete, carpool.AsProgram, 23 * h, carpool.Completed, 0},
		{carpool.Boarded, carpool.EventCancel, carpool.AsRider, 10*h + 1*min, "", fault.Conflict},
		{carpool.Boarded, carpool.EventCancel, carpool.AsDriver, 10*h + 20*min, "", fault.Conflict},
		{carpool.Boarded, carpool.EventStopped, carpool.AsDriver, 10*h + 20*min, carpool.Cancelled, 0},
		{carpool.Boarded, carpool.EventStopped, carpool.AsRider, 10*h + 20*min, carpool.Cancelled, 0},
		{carpool.Boarded, carpool.EventStopped, carpool.AsDriver, 12 * h, carpool.Cancelled, 0}, // it was late
		{carpool.Accepted, carpool.EventStopped, carpool.AsRider, 10*h - 1*min, "", fault.Invalid},
		{carpool.Accepted, carpool.EventStopped, carpool.AsRider, 10*h + 20*min, carpool.Cancelled, 0}, // nobody had said that they got in
		{carpool.Accepted, carpool.EventStopped, carpool.AsDriver, 23 * h, "", fault.Conflict},
		{carpool.Boarded, carpool.EventStopped, carpool.AsRider, 9*h + 40*min, "", fault.Invalid}, // no word of a rider ends a ride before it begins
		{carpool.Boarded, carpool.EventStopped, carpool.AsDriver, 9*h + 40*min, carpool.Cancelled, 0},
		{carpool.Completed, carpool.EventStopped, carpool.AsRider, 12 * h, carpool.Cancelled, 0},
		{carpool.Completed, carpool.EventStopped, carpool.AsRider, 23 * h, "", fault.Conflict},
		{carpool.Completed, carpool.EventStopped, carpool.AsDriver, 12 * h, "", fault.Conflict}, // they said so themselves
		{carpool.Boarded, carpool.EventNoShow, carpool.AsDriver, 11 * h, "", fault.Denied},
		{carpool.Boarded, carpool.EventNoShow, carpool.AsRider, 10*h + 14*min, "", fault.Invalid},
		{carpool.Boarded, carpool.EventNoShow, carpool.AsRider, 10*h + 15*min, carpool.NoShow, 0},
		{carpool.Completed, carpool.EventNoShow, carpool.AsRider, 22*h + 59*min, carpool.NoShow, 0},
		{carpool.Completed, carpool.EventNoShow, carpool.AsRider, 23 * h, "", fault.Conflict},
		{carpool.Completed, carpool.EventNoShow, carpool.AsDriver, 12 * h, "", fault.Conflict},
		{carpool.Completed, carpool.EventCancel, carpool.AsRider, 10*h + 30*min, "", fault.Conflict},
		{carpool.Boarded, carpool.EventComplete, carpool.AsProgram, 12*h + 59*min, "", fault.Invalid}, // it may be late
		{carpool.Boarded, carpool.EventComplete, carpool.AsProgram, 13 * h, carpool.Completed, 0},
		{carpool.Boarded, carpool.EventComplete, carpool.AsRider, 10*h + 30*min, carpool.Completed, 0},
	} {
		to, err := carpool.Next(c.from, c.event, c.by, momentAt(c.at))
		if to != c.to || (err == nil) != (c.kind == 0) || err != nil && fault.Of(err) != c.kind {
			t.Errorf("%s, %s by %s at %v: %q, %v; want %q of kind %v", c.from, c.event, c.by, c.at, to, err, c.to, c.kind)
		}
	}
}

// TestASaidLift: who said that they arrived cannot say afterwards that nobody
// came.
func TestASaidLift(t *testing.T) {
	m := momentAt(12 * time.Hour)
	m.Said = carpool.AsRider
	for _, e := range []carpool.BookingEvent{carpool.EventNoShow, carpool.EventStopped} {
		if to, err := carpool.Next(carpool.Completed, e, carpool.AsRider, m); fault.Of(err) != fault.Conflict || to != "" {
			t.Errorf("%q, %v", to, err)
		}
	}
	m.Said = carpool.AsProgram
	if to, err := carpool.Next(carpool.Completed, carpool.EventNoShow, carpool.AsRider, m); err != nil || to != carpool.NoShow {
		t.Errorf("%q, %v", to, err)
	}
	if to, err := carpool.Next(carpool.Completed, carpool.EventStopped, carpool.AsDriver, m); err != nil || to != carpool.Cancelled {
		t.Errorf("%q, %v", to, err)
	}
}

// TestNextProperties: what has ended stays ended but for somebody who
// contradicts, only the driver accepts, no rider leaves a car by cancelling,
// and every refusal is one people can be told.
func TestNextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, e, by := rapid.SampledFrom(allStates).Draw(t, "state"), rapid.SampledFrom(allEvents).Draw(t, "event"), rapid.SampledFrom(parties).Draw(t, "party")
		m := momentAt(time.Duration(rapid.Int64Range(-int64(24*time.Hour), int64(48*time.Hour)).Draw(t, "now")))
		to, err := carpool.Next(s, e, by, m)
		if err != nil {
			if k := fault.Of(err); to != "" || k != fault.Conflict && k != fault.Denied && k != fault.Invalid {
				t.Fatalf("%q with %v", to, err)
			}
			return
		}
		stopped := e == carpool.EventStopped && to == carpool.Cancelled
		contradicts := e == carpool.EventNoShow && by == carpool.AsRider || stopped && by != carpool.AsProgram
		switch {
		case s == carpool.Declined || s == carpool.Cancelled || s == carpool.Completed && !contradicts || s == carpool.NoShow:
			t.Fatalf("%s became %s", s, to)
		case to == s || to == carpool.Asked:
			t.Fatalf("%s led to %s", e, to)
		case to == carpool.Accepted && (by != carpool.AsDriver || !m.Now.Before(m.Deadline)):
			t.Fatalf("accepted by %s at %v", by, m.Now)
		case s == carpool.Boarded && to != carpool.Completed && !contradicts && !stopped:
			t.Fatalf("from the car to %s", to)
		}
	})
}

func TestAnswerBy(t *testing.T) {
	const h = time.Hour
	for _, c := range []struct{ left, want time.Duration }{{48 * h, 12 * h}, {24 * h, 12 * h}, {10 * h, 5 * h}, {time.Hour, 30 * time.Minute}, {3 * time.Minute, 90 * time.Second}} {
		if got := carpool.AnswerBy(monday, monday.Add(c.left), 12*h).Sub(monday); got != c.want {
			t.Errorf("%v before: %v, want %v", c.left, got, c.want)
		}
	}
}

func TestCheckStops(t *testing.T) {
	stop := func(k carpool.StopKind, b carpool.BookingID, seats, at int) carpool.Stop {
		return carpool.Stop{Kind: k, Booking: b, Seats: seats, At: monday.Add(time.Duration(at) * time.Minute)}
	}
	start, end := stop(carpool.StopStart, "", 0, 0), stop(carpool.StopEnd, "", 0, 60)
	in := func(b carpool.BookingID, seats, at int) carpool.Stop { return stop(carpool.StopPickup, b, seats, at) }
	out := func(b carpool.BookingID, seats, at int) carpool.Stop { return stop(carpool.StopDrop, b, seats, at) }
	for name, c := range map[string]struct {
		stops []carpool.Stop
		seats int
		ok    bool
		kind  fault.Kind
	}{
		"empty ride":                   {[]carpool.Stop{start, end}, 0, true, 0},
		"one after the other":          {[]carpool.Stop{start, in("a", 1, 1), out("a", 1, 2), in("b", 1, 3), out("b", 1, 4), end}, 1, true, 0},
		"out and in at one time":       {[]carpool.Stop{start, in("a", 1, 1), out("a", 1, 2), in("b", 1, 2), out("b", 1, 4), end}, 1, true, 0},
		"two on one seat of a section": {[]carpool.Stop{start, in("a", 1, 1), in("b", 1, 2), out("a", 1, 3), out("b", 1, 4), end}, 1, false, fault.Conflict},
		"three on a pair of seats":     {[]carpool.Stop{start, in("a", 3, 1), out("a", 3, 2), end}, 2, false, fault.Conflict},
		"nobody gets out":              {[]carpool.Stop{start, in("a", 1, 1), end}, 4, false, fault.Internal},
		"out before in":                {[]carpool.Stop{start, out("a", 1, 1), in("a", 1, 2), end}, 4, false, fault.Internal},
		"in twice":                     {[]carpool.Stop{start, in("a", 1, 1), out("a", 1, 2), in("a", 1, 3), out("a", 1, 4), end}, 4, false, fault.Internal},
		"backwards":                    {[]carpool.Stop{start, in("a", 1, 5), out("a", 1, 4), end}, 4, false, fault.Internal},
		"no end":                       {[]carpool.Stop{start}, 4, false, fault.Internal},
		"an end in the middle":         {[]carpool.Stop{start, end, end}, 4, false, fault.Internal},
	} {
		err := carpool.CheckStops(c.stops, c.seats)
		if (err == nil) != c.ok || err != nil && fault.Of(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}
