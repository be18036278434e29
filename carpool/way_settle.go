package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// rescueLeast is how long after its window somebody who was left standing may
// still be fetched.
const rescueLeast = 2 * time.Hour

// rescueWindow is the window in which a lift is looked for when another fell
// away: that of the request, and some time from now when that is nearly over.
func rescueWindow(w Window, now time.Time) Window {
	if w.To.Before(now.Add(rescueLeast)) {
		w = Window{From: later(w.From, now), To: now.Add(rescueLeast)}
	}
	return w
}

// settle finds out what comes next for a request whose way has run out, or
// whose driver fell away, and does it: it asks the next driver, asks the roads,
// the timetable and the list, and writes what was decided. It may be called
// again at any time.
func (p *Bookings) settle(ctx context.Context, id RequestID) error {
	var r Request
	var f WayFacts
	var now time.Time
	look := func(tx *store.Tx) (err error) {
		now = tx.Now
		if r, err = requestIn(ctx, tx, id); err != nil {
			return err
		}
		f, err = active(ctx, tx, r)
		return err
	}
	err := p.deps.Store.View(ctx, look)
	if err == nil && f.Asked != nil && !now.Before(f.Asked.Deadline) {
		if err = p.expire(ctx, f.Asked.ID); err == nil {
			err = p.deps.Store.View(ctx, look)
		}
	}
	if err != nil || r.State.over() || !r.again && now.Before(r.Way.Until) && r.Way.Kind != "" {
		return err
	}
	if f.Ride == nil && f.Asked == nil && p.asksItself(r, now) {
		asked, err := p.askNext(ctx, r, now)
		if err != nil || asked {
			return err
		}
	}
	bus, err := p.busFor(ctx, r, now)
	if err != nil {
		p.deps.Log.Warn("carpool: the way of a request is decided without the timetable", "request", id, "err", err)
	}
	drivers, err := p.knowers(ctx, r, now)
	if err != nil {
		return err
	}
	return p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		r, err := requestIn(ctx, tx, id)
		if err != nil || r.State.over() {
			return err
		}
		f, err := active(ctx, tx, r)
		if err != nil {
			return err
		}
		f.Again, f.Bus = r.again, bus
		if f.Calls, f.Spoken, err = deskCalls(ctx, tx, r); err != nil {
			return err
		}
		if f.Listed, err = p.listFor(ctx, tx, r); err != nil {
			return err
		}
		next, err := p.nextWay(ctx, tx, r, f)
		if err != nil || !next.AskRoad {
			return err
		}
		return p.askRoad(ctx, tx, r, drivers)
	})
}

// deskCalls says whether the desk still has to call the rider of a request, and
// whether it has spoken with them.
func deskCalls(ctx context.Context, tx *store.Tx, r Request) (waits, spoken bool, err error) {
	if !r.onTheRoad() {
		return false, false, nil
	}
	calls, err := callsWhere(ctx, tx, `member = $1 AND kind = $2 AND key LIKE $3`, string(r.Rider), r.Way.Text, callsOf(r)+"%")
	for _, c := range calls {
		waits = waits || c.State == CallOpen || c.State == CallTaken
		spoken = spoken || c.Outcome == CallReached
	}
	return waits, spoken, err
}

// expire declines a booking that its driver has not answered in time.
func (p *Bookings) expire(ctx context.Context, id BookingID) error {
	return p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		bk, err := bookingIn(ctx, tx, id)
		if err != nil || bk.State != Asked || tx.Now.Before(bk.Deadline) {
			return err
		}
		_, err = p.changeIn(ctx, tx, bk, bookingChange{event: EventDecline, as: AsProgram, who: string(AsProgram), reason: ReasonNoAnswer})
		return err
	})
}

// asksItself says whether the program asks a driver without a word of the
// rider: when another driver fell away, and for a way home that nobody has
// found when its time is near.
func (p *Bookings) asksItself(r Request, now time.Time) bool {
	if r.State == RequestWaiting {
		return false
	}
	late := !now.Before(leaves(r.When).Add(-p.cfg.LastCall))
	return r.again || r.Outward != "" && late && r.Way.Kind == WaySearch && !now.Before(r.Way.Until)
}

// askNext asks the best driver whom the rider has not tried yet, and says
// whether there was one.
func (p *Bookings) askNext(ctx context.Context, r Request, now time.Time) (bool, error) {
	var tried []Booking
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		tried, err = bookingsWhere(ctx, tx, `request = $1`, string(r.ID))
		return err
	})
	if err != nil {
		return false, err
	}
	ask := askOf(r)
	ask.When = rescueWindow(r.When, now)
	found, err := p.find(ctx, ask, true)
	if err != nil {
		return false, err
	}
	for _, m := range found.Matches {
		if slices.ContainsFunc(tried, func(bk Booking) bool { return bk.Ride == m.Ride }) {
			continue
		}
		err := again(func() error { _, err := p.book(ctx, By{}, true, r.ID, m, ""); return err })
		if err == nil {
			return true, nil
		}
		switch fault.Of(err) {
		case fault.Conflict, fault.Denied, fault.Invalid: // gone meanwhile: the next one
			continue
		}
		return false, err
	}
	return false, nil
}

// busFor is the next bus that takes the rider of a request there.
func (p *Bookings) busFor(ctx context.Context, r Request, now time.Time) (*Bus, error) {
	if p.deps.Buses == nil || r.Needs.Wheelchair || r.State == RequestWaiting {
		return nil, nil
	}
	w := rescueWindow(r.When, now)
	around := w
	if w.Arrive {
		around.From = w.From.Add(-aboardMost)
	}
	around.From, around.Arrive = later(around.From, now.Add(choose)), false
	if !around.From.Before(around.To) {
		return nil, nil
	}
	list, err := p.deps.Buses.Next(ctx, r.From.At, r.To.At, around, r.MaxWalk, 8)
	if err != nil {
		return nil, fmt.Errorf("timetable: %w", err)
	}
	ask := Ask{When: w}
	for _, bus := range ask.FittingBuses(list) {
		if bus.Depart.After(now) {
			return &bus, nil
		}
	}
	return nil, nil
}

// listFor is whom the rider of a request can call: the list of where they
// start, then that of where they live.
func (b base) listFor(ctx context.Context, tx *store.Tx, r Request) ([]Listed, error) {
	rider, err := memberIn(ctx, tx, r.Rider)
	if err != nil {
		return nil, err
	}
	comuni := []string{rider.Comune}
	if !r.From.Private() {
		p, err := placeIn(ctx, tx, r.From.Place)
		if err != nil && fault.Of(err) != fault.NotFound {
			return nil, err
		}
		if err == nil {
			comuni = []string{p.Comune, rider.Comune}
		}
	}
	var out []Listed
	for _, c := range comuni {
		if c == "" {
			continue
		}
		list, err := listedIn(ctx, tx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// settleNow settles one request at the end of a call that changed it. What it
// cannot do is left to the next round, and said to technicians.
func (p *Bookings) settleNow(ctx context.Context, id RequestID) {
	if err := p.settle(ctx, id); err != nil && ctx.Err() == nil {
		p.deps.Log.Warn("carpool: the way of a request waits for the next round", "request", id, "err", err)
	}
}

// settleDue settles all requests whose way has run out or whose driver fell
// away. The failure of one takes nothing from the others.
func (p *Bookings) settleDue(ctx context.Context) {
	if err := p.roundWays(ctx); err != nil && ctx.Err() == nil {
		p.deps.Log.Warn("carpool: ways wait for the next round", "err", err)
	}
}

// LeftBehind names the requests whose rider has no stated way, or one whose
// time has passed. It is empty after each Round.
func (p *Bookings) LeftBehind(ctx context.Context) ([]RequestID, error) {
	var out []RequestID
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		list, err := requestsWhere(ctx, tx, `state NOT IN ('done', 'withdrawn') AND (way = '' OR way_until_ms <= $1)`, store.Millis(tx.Now))
		out = nil
		for _, r := range list {
			out = append(out, r.ID)
		}
		return err
	})
	return out, err
}
