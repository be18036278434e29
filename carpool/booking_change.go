package carpool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
)

// bookingChange is what happens to a booking, by whom, and why.
type bookingChange struct {
	event  BookingEvent
	as     Party
	who    string // as notices say it: "rider", "driver", "desk", "program"
	reason string // a key of words
	words  string // what somebody wrote
	final  bool   // the request ends with it: nothing else is looked for
	where  string // what somebody wrote of a car that stopped: for the desk alone, beside the words of their own booking
}

// Decline refuses a rider who asked. Another driver is looked for at once.
func (p *Bookings) Decline(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	return p.change(ctx, by, id, EventDecline, reason)
}

// Cancel ends a booking that is asked or accepted, until the time of its drop.
// When the driver cancels, another is looked for at once; when the rider does,
// the request stays open until it is withdrawn.
func (p *Bookings) Cancel(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	return p.change(ctx, by, id, EventCancel, reason)
}

// Board says that the rider is in the car.
func (p *Bookings) Board(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	return p.change(ctx, by, id, EventBoard, reason)
}

// Complete says that the rider has arrived.
func (p *Bookings) Complete(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	return p.change(ctx, by, id, EventComplete, reason)
}

// Stopped says that the car stopped on the way with the rider aboard; either
// side may, or the desk for one of them. Nobody knows where they are, so the
// desk calls all who are in the car at once, and who still waits for it is
// looked after.
func (p *Bookings) Stopped(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	return p.change(ctx, by, id, EventStopped, reason)
}

// NoShow says that the other did not come. For a rider who was left standing,
// another lift is looked for at once, also where the driver called them aboard
// or the lift made.
func (p *Bookings) NoShow(ctx context.Context, by By, id BookingID, reason string) (Booking, error) {
	return p.change(ctx, by, id, EventNoShow, reason)
}

// change is one step of a booking by one of its two sides.
func (p *Bookings) change(ctx context.Context, by By, id BookingID, e BookingEvent, words string) (Booking, error) {
	if err := p.cfg.short("reason", &words); err != nil {
		return Booking{}, err
	}
	var out Booking
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		bk, as, err := p.party(ctx, tx, by, id)
		if err != nil {
			return err
		}
		ch := bookingChange{event: e, as: as, who: whoOf(by, as), words: words}
		if e == EventStopped {
			ch.reason, ch.where = ReasonStopped, words
		}
		if out, err = p.changeIn(ctx, tx, bk, ch); err != nil || e != EventStopped {
			return err
		}
		return p.carStopped(ctx, tx, bk, ch)
	})
	if err != nil {
		return Booking{}, fmt.Errorf("%s booking: %w", e, err)
	}
	if !out.State.Holds() {
		p.settleNow(ctx, out.Request)
	}
	return out, nil
}

// ReasonStopped is why a booking ended whose car stopped on the way.
const ReasonStopped = "stopped"

// CallStopped is the Kind of the desk's call to a driver whose car stopped.
const CallStopped = "ride.stopped"

// dropLate is how late a car that stopped may have been: who should have got
// out before that is not in it any more.
const dropLate = 30 * time.Minute

// carStopped ends a ride whose car stopped with the rider of a booking in it:
// whoever else is aboard is on the road too, and so may be who should have got in
// by now; whoever waits further on waits for nobody. The next round looks for
// other lifts for these. The desk calls the driver too, who is with them: some
// riders have a telephone at home only. What one wrote is not told to the others.
func (p *Bookings) carStopped(ctx context.Context, tx *store.Tx, bk Booking, ch bookingChange) error {
	out := tx.Now
	if bk.Drop.At.Before(out) {
		out = bk.Drop.At
	}
	rest, err := bookingsWhere(ctx, tx, `ride = $1 AND id <> $2 AND (state IN ('asked', 'accepted') OR state = 'boarded' AND drop_ms > $3)`,
		string(bk.Ride), string(bk.ID), store.Millis(out.Add(-dropLate)))
	if err != nil {
		return err
	}
	for _, one := range rest {
		c := bookingChange{event: EventStopped, as: AsProgram, who: ch.who, reason: ReasonStopped, where: ch.where}
		if one.State == Asked || one.State == Accepted && tx.Now.Before(one.Pickup.At) {
			c.event, c.reason = EventCancel, ReasonRide
		}
		if _, err := p.changeIn(ctx, tx, one, c); err != nil {
			return err
		}
	}
	err = callIn(ctx, tx, Call{Key: "stopped:" + string(bk.Ride), Member: bk.Driver, Kind: CallStopped, With: map[string]string{WithRide: string(bk.Ride)}, Note: ch.where, Due: tx.Now})
	if err != nil {
		return err
	}
	ride, err := rideIn(ctx, tx, bk.Ride)
	if err != nil || ride.State == RideDone { // the others of it have arrived
		return err
	}
	return p.dropRide(ctx, tx, bk.Ride, ch.who, "")
}

// party reads a booking for one of its two sides, and says which it is.
func (b base) party(ctx context.Context, tx *store.Tx, by By, id BookingID) (Booking, Party, error) {
	bk, me, _, err := partyIn(ctx, tx, by, id)
	if err == nil && me.ID == bk.Driver {
		return bk, AsDriver, nil
	}
	return bk, AsRider, err
}

// side is who stands on one side of a booking.
func (b Booking) side(as Party) MemberID {
	if as == AsDriver {
		return b.Driver
	}
	return b.Rider
}

// changeIn does one step of a booking but acceptance, with all that follows
// from it: seats, notices, the rider's way, the line in the audit log.
func (b base) changeIn(ctx context.Context, tx *store.Tx, bk Booking, ch bookingChange) (Booking, error) {
	to, err := Next(bk.State, ch.event, ch.as, bk.moment(tx.Now))
	if err != nil {
		return bk, err
	}
	held := bk.State.Holds()
	bk.State, bk.Changed = to, tx.Now
	if to.ended() {
		bk.EndedBy, bk.Reason = ch.as, cmp.Or(ch.words, ch.reason)
	}
	if err := putBooking(ctx, tx, bk); err != nil {
		return bk, err
	}
	if held && !to.Holds() {
		if err := b.freeSeats(ctx, tx, bk); err != nil {
			return bk, err
		}
	}
	if err := b.tellChange(ctx, tx, bk, ch); err != nil {
		return bk, err
	}
	if !ch.final {
		if err := b.wayAfter(ctx, tx, bk, ch); err != nil {
			return bk, err
		}
	}
	detail := map[string]string{"by": ch.who}
	if ch.reason != "" {
		detail["reason"] = ch.reason
	}
	return bk, b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.booking." + string(ch.event), Object: string(bk.ID), Detail: detail})
}

// freeSeats takes the stops of a booking out of its ride. The others keep the
// times that they were told; an empty ride goes as it was offered, unless its
// driver is on another by then.
func (b base) freeSeats(ctx context.Context, tx *store.Tx, bk Booking) error {
	r, err := rideIn(ctx, tx, bk.Ride)
	if err != nil {
		return err
	}
	r.Stops = Without(r.Stops, bk.ID)
	if len(r.Stops) == 2 && r.Depart.After(tx.Now) {
		offered := slices.Clone(r.Stops)
		offered[0].At, offered[1].At = r.Depart, r.Depart.Add(r.direct)
		other, err := elsewhere(ctx, tx, r, offered)
		if err != nil {
			return err
		}
		if !other {
			r.Stops = offered
		}
	}
	if err := putStops(ctx, tx, r); err != nil {
		return err
	}
	return opened(ctx, tx, r.ID)
}

// told are who hears of what a booking has become.
func told(bk Booking, ch bookingChange) (NoticeKind, []MemberID) {
	both := []MemberID{bk.Rider, bk.Driver}
	switch bk.State {
	case Accepted:
		return NoticeAccepted, both
	case Declined:
		return NoticeDeclined, []MemberID{bk.Rider}
	case Cancelled:
		return NoticeCancelled, both
	case Boarded:
		if ch.as == AsRider {
			return NoticeBoarded, []MemberID{bk.Driver}
		}
		return NoticeBoarded, []MemberID{bk.Rider}
	case Completed:
		return NoticeCompleted, both
	case NoShow:
		return NoticeNoShow, both
	}
	return "", nil
}

// tellChange tells both sides what a booking has become (who stands on the road
// hears of the desk's call instead, which says so too), the guardian of a
// minor too, and the rider's trusted contact when the driver did not come or
// cancelled.
func (b base) tellChange(ctx context.Context, tx *store.Tx, bk Booking, ch bookingChange) error {
	kind, who := told(bk, ch)
	with := map[string]string{WithBooking: string(bk.ID), WithBy: ch.who}
	if ch.reason != "" {
		with[WithReason] = ch.reason
	}
	tell := func(key string, m MemberID, kind NoticeKind, with map[string]string) error {
		return Tell(ctx, tx, b.deps.Outbox, Notice{Key: key, Member: m, Kind: kind, With: with, Due: dueOf(bk, tx.Now)})
	}
	for _, m := range who {
		if bk.unseen && m == bk.Driver || ch.event == EventStopped && m == bk.Rider && !m.Outside() {
			continue
		}
		if err := tell(fmt.Sprintf("%s:%s:%s", kind, bk.ID, m), m, kind, with); err != nil {
			return err
		}
	}
	rider, err := memberIn(ctx, tx, bk.Rider)
	if err != nil {
		return err
	}
	about := map[string]string{WithBooking: string(bk.ID), WithBy: ch.who, WithReason: string(bk.State)}
	if ch.event == EventStopped {
		about[WithReason] = ReasonStopped
	}
	if rider.Minor && rider.Guardian != "" && bk.State != Declined {
		if err := tell(fmt.Sprintf("%s:%s:%s", NoticeGuardian, bk.ID, bk.State), rider.Guardian, NoticeGuardian, about); err != nil {
			return err
		}
	}
	left := bk.State == NoShow && ch.as != AsDriver || ch.event == EventStopped || bk.State == Cancelled && ch.as != AsRider && !ch.final
	if left && rider.Trusted.Phone != "" {
		about[WithTo] = "trusted"
		return tell(fmt.Sprintf("%s:%s:%s:trusted", NoticeGuardian, bk.ID, bk.State), rider.ID, NoticeGuardian, about)
	}
	return nil
}

// dueOf is by when a change of a booking should have been heard: before the
// pick-up, with time left to do something.
func dueOf(bk Booking, now time.Time) time.Time {
	if half := now.Add(bk.Pickup.At.Sub(now) / 2); half.After(now) {
		return half
	}
	return now
}

// wayAfter is what a change of a booking means for the way of its rider.
func (b base) wayAfter(ctx context.Context, tx *store.Tx, bk Booking, ch bookingChange) error {
	r, err := requestIn(ctx, tx, bk.Request)
	denied := (bk.State == NoShow || ch.event == EventStopped) && r.State == RequestDone && !r.Rider.Outside() // the lift that it ended with was none
	if err != nil || r.State.over() && !denied {
		return err
	}
	if r.Rider.Outside() {
		return b.outsideAfter(ctx, tx, r, bk)
	}
	switch bk.State {
	case Completed:
		if err := settleCalls(ctx, tx, r); err != nil {
			return err
		}
		return b.endRequest(ctx, tx, r, RequestDone, bk.Drop.At.Add(b.cfg.AddressKept))
	case Boarded:
		return nil
	case Declined:
		return b.fellAway(ctx, tx, r, cmp.Or(ch.reason, string(Declined)))
	case Cancelled:
		if ch.event == EventStopped {
			return b.callHome(ctx, tx, r, WayTextRoadside, bk.ID, ch.where)
		}
		if ch.as == AsRider {
			return b.searchOn(ctx, tx, r)
		}
		return b.fellAway(ctx, tx, r, cmp.Or(ch.reason, string(Cancelled)))
	case NoShow:
		if ch.as == AsDriver { // the rider was not there
			return b.searchOn(ctx, tx, r)
		}
		return b.fellAway(ctx, tx, r, cmp.Or(ch.reason, string(NoShow)))
	}
	return nil
}
