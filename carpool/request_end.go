package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// readyFor is how long after the end of a visit somebody waits for the way
// home, by the window that Ready opens.
const readyFor = 2 * time.Hour

// Ready says that the visit of an open return has ended: its window begins, and
// the program asks the best driver at once.
func (p *Bookings) Ready(ctx context.Context, by By, id RequestID, from time.Time) (Request, error) {
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		r, err := myRequest(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if r.State != RequestWaiting && (r.State != RequestDesk || r.Outward == "") {
			return fault.New(fault.Conflict, "request: it does not wait for the end of a visit")
		}
		if r.onTheRoad() {
			return fault.New(fault.Conflict, "request: they are on the road, and the desk calls")
		}
		from := later(from.UTC().Truncate(time.Millisecond), tx.Now)
		if from.After(r.Created.AddDate(0, 0, mostAhead)) {
			return fault.New(fault.Invalid, "from: it is more than a year ahead")
		}
		r.When = Window{From: from, To: from.Add(readyFor)}
		if err := p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.request.ready", Object: string(id), Detail: acting(by, nil)}); err != nil {
			return err
		}
		return p.fellAway(ctx, tx, r, ReasonReady)
	})
	if err != nil {
		return Request{}, fmt.Errorf("ready: %w", err)
	}
	p.settleNow(ctx, id)
	return p.RequestOf(ctx, by, id)
}

// ReasonReady is why the search of an open return begins.
const ReasonReady = "ready"

// WithdrawRequest gives a journey up: its booking is cancelled and its driver
// told. The way back goes too, unless the time of the way out has begun.
func (p *Bookings) WithdrawRequest(ctx context.Context, by By, id RequestID, reason string) error {
	if err := p.cfg.short("reason", &reason); err != nil {
		return err
	}
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		r, err := myRequest(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if r.State.over() {
			return fault.New(fault.Conflict, "request: it is %s already", r.State)
		}
		return p.withdrawBoth(ctx, tx, by, r, reason)
	})
	if err != nil {
		return fmt.Errorf("withdraw request: %w", err)
	}
	return nil
}

// withdrawBoth ends a request and its way back, unless its rider may be away by
// now, by a lift or without one.
func (b base) withdrawBoth(ctx context.Context, tx *store.Tx, by By, r Request, reason string) error {
	backs, err := requestsWhere(ctx, tx, `outward = $1 AND state NOT IN ('done', 'withdrawn')`, string(r.ID))
	if err != nil {
		return err
	}
	var both []Request
	for _, back := range backs {
		gone, err := away(ctx, tx, back)
		if err != nil {
			return err
		}
		if !gone {
			both = append(both, back)
		}
	}
	for _, one := range append(both, r) {
		if err := b.withdrawIn(ctx, tx, one, whoOf(by, AsRider), reason); err != nil {
			return err
		}
	}
	return nil
}

// away says of a way home whether its rider may be there already where it
// begins: the lift of their way out has begun, or, where they had none, its time.
func away(ctx context.Context, tx *store.Tx, home Request) (bool, error) {
	if home.Outward == "" {
		return false, nil
	}
	out, err := requestIn(ctx, tx, home.Outward)
	if err != nil {
		return false, unless(err)
	}
	lifts, err := bookingsWhere(ctx, tx, `request = $1 AND state IN ('accepted', 'boarded', 'completed')`, string(out.ID))
	if err != nil || len(lifts) == 0 {
		return !tx.Now.Before(leaves(out.When)), err
	}
	return slices.ContainsFunc(lifts, func(bk Booking) bool { return bk.State != Accepted || !tx.Now.Before(bk.Pickup.At) }), nil
}

// bringHome is the way home of somebody who may ride with nobody any more while
// they are away: their driver is told, and the desk finds another way.
func (b base) bringHome(ctx context.Context, tx *store.Tx, r Request, reason string) error {
	booked, err := bookingsWhere(ctx, tx, `request = $1 AND state IN ('asked', 'accepted', 'boarded')`, string(r.ID))
	if err != nil {
		return err
	}
	for _, bk := range booked {
		if bk.State == Boarded { // it takes them home
			return nil
		}
		if _, err := b.changeIn(ctx, tx, bk, bookingChange{event: EventCancel, as: AsProgram, who: string(AsProgram), words: reason, final: true}); err != nil {
			return err
		}
	}
	return b.callHome(ctx, tx, r, WayTextAway, "", "")
}

// withdrawIn ends a request and cancels its booking, in somebody else's
// transaction.
func (b base) withdrawIn(ctx context.Context, tx *store.Tx, r Request, who, reason string) error {
	booked, err := bookingsWhere(ctx, tx, `request = $1 AND state IN ('asked', 'accepted', 'boarded')`, string(r.ID))
	if err != nil {
		return err
	}
	as := AsRider
	if who == string(AsProgram) {
		as = AsProgram
	}
	for _, bk := range booked {
		if bk.State == Boarded {
			if as == AsProgram { // it ends by itself
				return nil
			}
			return fault.New(fault.Conflict, "request: the lift is under way")
		}
		if _, err := b.changeIn(ctx, tx, bk, bookingChange{event: EventCancel, as: as, who: who, words: reason, final: true}); err != nil {
			return err
		}
	}
	if err := settleCalls(ctx, tx, r); err != nil {
		return err
	}
	return b.endRequest(ctx, tx, r, RequestWithdrawn, tx.Now)
}
