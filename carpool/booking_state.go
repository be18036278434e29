package carpool

import (
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// BookingEvent is what happens to a booking.
type BookingEvent string

const (
	EventAccept   BookingEvent = "accept"
	EventDecline  BookingEvent = "decline"
	EventCancel   BookingEvent = "cancel"
	EventBoard    BookingEvent = "board"
	EventComplete BookingEvent = "complete"
	EventNoShow   BookingEvent = "no-show"
	EventStopped  BookingEvent = "stopped" // the car stopped on the way, its rider aboard
)

// Party is which side of a booking acts.
type Party string

const (
	AsRider   Party = "rider"
	AsDriver  Party = "driver"
	AsProgram Party = "program" // time has passed, or a ride was taken away
)

// What a booking's times allow. They are round figures that people can be
// told, not measured ones.
const (
	BoardBefore    = 30 * time.Minute // nobody boards earlier than this before the time of the pick-up
	NoShowAfter    = 15 * time.Minute // one waits this long for the other
	ArrivedAfter   = 2 * time.Hour    // after the drop, whoever is aboard has arrived, late as the car may be
	CompletedAfter = 12 * time.Hour   // after the drop, when nobody said anything; so long one may contradict
)

// Moment is what a booking's next state depends on beside its state.
type Moment struct {
	Now      time.Time
	Deadline time.Time // of the driver's answer
	Pickup   time.Time
	Drop     time.Time
	Said     Party // who brought it to where it stands, where it has ended
}

// step is one row of the table of a booking's life.
type step struct {
	from  BookingState
	event BookingEvent
	by    Party
}

// steps are all that may happen. What is not here is refused.
var steps = map[step]BookingState{
	{Asked, EventAccept, AsDriver}:   Accepted,
	{Asked, EventDecline, AsDriver}:  Declined,
	{Asked, EventDecline, AsProgram}: Declined, // no answer in time
	{Asked, EventCancel, AsRider}:    Cancelled,
	{Asked, EventCancel, AsProgram}:  Cancelled,

	{Accepted, EventCancel, AsRider}:     Cancelled,
	{Accepted, EventCancel, AsDriver}:    Cancelled,
	{Accepted, EventCancel, AsProgram}:   Cancelled,
	{Accepted, EventBoard, AsRider}:      Boarded,
	{Accepted, EventBoard, AsDriver}:     Boarded,
	{Accepted, EventComplete, AsRider}:   Completed,
	{Accepted, EventComplete, AsDriver}:  Completed,
	{Accepted, EventComplete, AsProgram}: Completed,
	{Accepted, EventNoShow, AsRider}:     NoShow,
	{Accepted, EventNoShow, AsDriver}:    NoShow,
	{Accepted, EventNoShow, AsProgram}:   NoShow,

	{Boarded, EventComplete, AsRider}:   Completed,
	{Boarded, EventComplete, AsDriver}:  Completed,
	{Boarded, EventComplete, AsProgram}: Completed,
	{Accepted, EventStopped, AsRider}:   Cancelled, // nobody had said that they got in
	{Accepted, EventStopped, AsDriver}:  Cancelled,
	{Accepted, EventStopped, AsProgram}: Cancelled, // another in the car said so
	{Boarded, EventStopped, AsRider}:    Cancelled,
	{Boarded, EventStopped, AsDriver}:   Cancelled,
	{Boarded, EventStopped, AsProgram}:  Cancelled,
	{Boarded, EventNoShow, AsRider}:     NoShow, // the driver said so and did not come

	{Completed, EventNoShow, AsRider}:   NoShow,    // others said so, and it is not true
	{Completed, EventStopped, AsRider}:  Cancelled, // the same
	{Completed, EventStopped, AsDriver}: Cancelled, // the program said so: they are still on the road
}

// Next is the state that an event leads to, or a plain refusal: Conflict where
// the booking stands elsewhere by now, Denied where it is for the other side
// to do, Invalid where it is too early.
func Next(s BookingState, e BookingEvent, by Party, m Moment) (BookingState, error) {
	to, ok := steps[step{s, e, by}]
	if !ok {
		return "", refusal(s, e, by)
	}
	switch {
	case e == EventAccept && !m.Now.Before(m.Deadline):
		return "", fault.New(fault.Conflict, "booking: the time to answer has passed; the rider is looking for another lift")
	case e == EventBoard && m.Now.Before(m.Pickup.Add(-BoardBefore)):
		return "", fault.New(fault.Invalid, "booking: it is too early to board; say it when you get in")
	case e == EventNoShow && m.Now.Before(m.Pickup.Add(NoShowAfter)):
		return "", fault.New(fault.Invalid, "booking: wait until %d minutes after the agreed time, or cancel", int(NoShowAfter.Minutes()))
	case s == Completed && (m.Said == AsRider || by == AsDriver && m.Said != AsProgram || !m.Now.Before(m.Drop.Add(CompletedAfter))):
		return "", fault.New(fault.Conflict, "booking: it is %s already", s)
	case e == EventCancel && s != Asked && by != AsProgram && !m.Now.Before(m.Drop):
		return "", fault.New(fault.Conflict, "booking: its time is over; say that it took place, or that nobody came")
	case e == EventStopped && m.Now.Before(m.Pickup) && (s == Accepted || by == AsRider):
		return "", fault.New(fault.Invalid, "booking: the lift has not begun; cancel it if it does not take place")
	case e == EventStopped && s == Accepted && !m.Now.Before(m.Drop.Add(CompletedAfter)):
		return "", fault.New(fault.Conflict, "booking: its time is over; say that it took place, or that nobody came")
	case e == EventComplete && by != AsProgram && m.Now.Before(m.Pickup):
		return "", fault.New(fault.Invalid, "booking: the lift has not begun; cancel it if it does not take place")
	case e == EventComplete && by == AsDriver && s == Accepted && m.Now.Before(m.Drop):
		return "", fault.New(fault.Invalid, "booking: the rider is not aboard; say first that they got in")
	case e == EventComplete && by == AsProgram && s == Boarded && m.Now.Before(m.Drop.Add(ArrivedAfter)):
		return "", fault.New(fault.Invalid, "booking: the lift is not over")
	case e == EventComplete && by == AsProgram && s == Accepted && m.Now.Before(m.Drop.Add(CompletedAfter)):
		return "", fault.New(fault.Invalid, "booking: the two may still say how it went")
	}
	return to, nil
}

// refusal says why there is no such step.
func refusal(s BookingState, e BookingEvent, by Party) error {
	if s.ended() {
		return fault.New(fault.Conflict, "booking: it is %s already", s)
	}
	if _, other := steps[step{s, e, by.other()}]; other {
		return fault.New(fault.Denied, "booking: only the %s can %s it", by.other(), e)
	}
	if s == Boarded && e == EventCancel {
		return fault.New(fault.Conflict, "booking: its rider is aboard; if the car stopped, say so")
	}
	if s == Asked && e == EventCancel {
		return fault.New(fault.Conflict, "booking: it is not accepted; decline it instead")
	}
	return fault.New(fault.Conflict, "booking: it is %s; it cannot be changed by %q", s, e)
}

func (p Party) other() Party {
	if p == AsRider {
		return AsDriver
	}
	return AsRider
}

// ended says whether a booking is over. All that may still happen is that a
// lift which others called made is contradicted.
func (s BookingState) ended() bool {
	return s == Declined || s == Cancelled || s == Completed || s == NoShow
}

// AnswerBy is the deadline of a driver's answer: half the time left until the
// pick-up, and at most so long.
func AnswerBy(now, pickup time.Time, most time.Duration) time.Time {
	return now.Add(min(pickup.Sub(now)/2, most)).Truncate(time.Second)
}
