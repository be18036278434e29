package carpool

import (
	"context"
	"fmt"
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
// told. The way back goes too, unless the lift of the way out has begun.
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
		f, err := active(ctx, tx, r)
		if err != nil {
			return err
		}
		if err := p.withdrawIn(ctx, tx, r, whoOf(by, AsRider), reason); err != nil {
			return err
		}
		if r.Outward != "" || f.Ride != nil && !tx.Now.Before(f.Ride.Pickup.At) {
			return nil
		}
		backs, err := requestsWhere(ctx, tx, `outward = $1 AND state NOT IN ('done', 'withdrawn')`, string(id))
		if err != nil {
			return err
		}
		for _, back := range backs {
			if err := p.withdrawIn(ctx, tx, back, whoOf(by, AsRider), reason); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("withdraw request: %w", err)
	}
	return nil
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
	return b.endRequest(ctx, tx, r, RequestWithdrawn, tx.Now)
}
