package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
)

// atOnce is how soon the way of a rider whose driver fell away is settled: at
// the end of the call that made it so, and by the next round at the latest.
const atOnce = 2 * time.Minute

// Keys of a notice way.list that names a bus.
const (
	WithBus    = "bus"    // its line
	WithStop   = "stop"   // where it leaves
	WithDepart = "depart" // when, RFC 3339 UTC
)

// nextWay decides the way of a request by some facts and writes it, with what
// follows from it: the rider is told, the desk gets its task. It gives what
// was decided.
func (b base) nextWay(ctx context.Context, tx *store.Tx, r Request, f WayFacts) (WayNext, error) {
	f.Road = f.Road || r.road
	n := NextWay(r, f, tx.Now, b.cfg)
	if n.State.over() {
		return n, b.endRequest(ctx, tx, r, n.State, r.When.To.Add(b.cfg.AddressKept))
	}
	return n, b.putWay(ctx, tx, r, n)
}

// putWay writes what was decided of the way of a request, with what follows.
func (b base) putWay(ctx context.Context, tx *store.Tx, r Request, n WayNext) error {
	if n.State == RequestOpen {
		if err := b.besides(ctx, tx, r, &n.Way); err != nil {
			return err
		}
	}
	same := n.State == r.State && n.Way == r.Way
	if n.Way.Kind == WayRide && r.Way.Kind == WayDesk {
		if err := settleCalls(ctx, tx, r); err != nil {
			return err
		}
	}
	r.State, r.Way, r.again, r.road = n.State, n.Way, false, r.road || n.AskRoad
	if !same {
		r.step++
	}
	if err := putRequest(ctx, tx, r); err != nil || same {
		return err
	}
	if n.Tell != "" {
		with, due := map[string]string{WithRequest: string(r.ID)}, n.Way.Until
		if n.Way.Listed != "" {
			with[WithListed] = n.Way.Listed
		}
		if n.Way.Text == WayTextRoadside {
			with[WithReason] = ReasonStopped
		}
		if n.Way.Bus != nil {
			with[WithBus], with[WithStop], with[WithDepart] = n.Way.Bus.Line, n.Way.Bus.From, n.Way.Bus.Depart.Format(time.RFC3339)
			due = later(tx.Now, n.Way.Bus.Depart.Add(-choose)) // with time to walk there
		}
		err := Tell(ctx, tx, b.deps.Outbox, Notice{Key: fmt.Sprintf("way:%s:%d", r.ID, r.step), Member: r.Rider, Kind: n.Tell, With: with, Due: due})
		if err != nil {
			return err
		}
	}
	if n.Call {
		err := callIn(ctx, tx, Call{Key: fmt.Sprintf("%s%d", callsOf(r), r.step), Member: r.Rider, Kind: n.Way.Text,
			With: map[string]string{WithRequest: string(r.ID)}, Note: n.Note, Due: deskDue(r, tx.Now)})
		if err != nil {
			return err
		}
	}
	return b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.request.way", Object: string(r.ID), Detail: map[string]string{"way": string(n.Way.Kind), "text": n.Way.Text}})
}

// awayBefore is how long before the way back may begin its rider counts as away
// from home.
const awayBefore = 2 * time.Hour

// besides has somebody who is away from home know, as soon as a lift is looked
// for or a driver is asked, whom to call if nothing comes of it: the desk may be
// closed by then, and not everybody can be told later.
func (b base) besides(ctx context.Context, tx *store.Tx, r Request, w *Way) error {
	if r.Outward == "" || w.Listed != "" || w.Kind != WaySearch && w.Kind != WayAsked || tx.Now.Before(r.When.From.Add(-awayBefore)) {
		return nil
	}
	list, err := b.listFor(ctx, tx, r)
	if err == nil && len(list) > 0 {
		w.Listed = list[0].ID
	}
	return err
}

// stepWay is nextWay where nothing outside follows from it.
func (b base) stepWay(ctx context.Context, tx *store.Tx, r Request, f WayFacts) error {
	_, err := b.nextWay(ctx, tx, r, f)
	return err
}

// callsOf is what the names of the desk's tasks begin with for the way of a
// request as it is. For one whose car stopped they name its lift too: a second
// car that stops is another matter.
func callsOf(r Request) string {
	if r.onTheRoad() {
		return fmt.Sprintf("way:%s:%s:", r.ID, r.Way.Booking)
	}
	return fmt.Sprintf("way:%s:", r.ID)
}

// settleCalls takes the tasks about the way of a request off the desk's list:
// its rider has arrived, has a lift, or has given it up.
func settleCalls(ctx context.Context, tx *store.Tx, r Request) error {
	_, err := tx.Exec(ctx, `UPDATE carpool_calls SET state = $2, done_ms = $3, note = '' WHERE key LIKE $1 AND notice = '' AND state IN ('open', 'taken')`,
		fmt.Sprintf("way:%s:%%", r.ID), string(CallDone), store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("settle the calls about request %s: %w", r.ID, err)
	}
	return nil
}

// deskDue is by when the desk should have called: well before somebody must
// leave, and at once when that time is near or they stand on the road.
func deskDue(r Request, now time.Time) time.Time {
	if r.Way.Text == WayTextRoadside || r.Way.Text == WayTextAway {
		return now
	}
	return later(now, now.Add(leaves(r.When).Sub(now)/2))
}

// fellAway is a rider whose driver said no, cancelled or did not come. They
// are told that another is looked for; settle does it.
func (b base) fellAway(ctx context.Context, tx *store.Tx, r Request, reason string) error {
	r.State, r.again, r.step = RequestOpen, true, r.step+1
	r.Way = Way{Kind: WaySearch, Until: tx.Now.Add(atOnce), Text: WayTextAgain}
	if err := b.besides(ctx, tx, r, &r.Way); err != nil {
		return err
	}
	if err := putRequest(ctx, tx, r); err != nil {
		return err
	}
	if err := b.keepUntil(ctx, tx, r, time.Time{}); err != nil {
		return err
	}
	with := map[string]string{WithRequest: string(r.ID), WithReason: reason}
	if r.Way.Listed != "" {
		with[WithListed] = r.Way.Listed
	}
	return Tell(ctx, tx, b.deps.Outbox, Notice{Key: fmt.Sprintf("way:%s:%d", r.ID, r.step), Member: r.Rider, Kind: NoticeSearching, With: with, Due: tx.Now})
}

// callHome is a rider whom no driver can be asked to fetch: their car stopped on
// the way, nobody knows where, or they were suspended while away. The desk calls
// at once, and they are told whom of the union's list to call beside it.
func (b base) callHome(ctx context.Context, tx *store.Tx, r Request, text string, lift BookingID, note string) error {
	list, err := b.listFor(ctx, tx, r)
	if err != nil {
		return err
	}
	n := WayNext{State: RequestDesk, Tell: NoticeDesk, Call: true, Note: note, Way: Way{Kind: WayDesk, Booking: lift, Until: tx.Now.Add(listLeast), Text: text}}
	if len(list) > 0 {
		n.Way.Listed = list[0].ID
	}
	if err := b.keepUntil(ctx, tx, r, time.Time{}); err != nil {
		return err
	}
	return b.putWay(ctx, tx, r, n)
}

// searchOn is a rider who gave a lift back and may choose another.
func (b base) searchOn(ctx context.Context, tx *store.Tx, r Request) error {
	r.State, r.Way = RequestOpen, Way{}
	if err := b.keepUntil(ctx, tx, r, time.Time{}); err != nil {
		return err
	}
	return b.stepWay(ctx, tx, r, WayFacts{})
}

// endRequest ends a request; its addresses go at a time.
func (b base) endRequest(ctx context.Context, tx *store.Tx, r Request, state RequestState, erase time.Time) error {
	r.State, r.Way, r.again, r.step = state, Way{}, false, r.step+1
	if err := putRequest(ctx, tx, r); err != nil {
		return err
	}
	if err := eraseSpots(ctx, tx, erase, r.From, r.To); err != nil {
		return err
	}
	return b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.request." + string(state), Object: string(r.ID)})
}

// keepUntil says until when the addresses of a request are needed: for some
// time after its window at least, or after a lift that serves it.
func (b base) keepUntil(ctx context.Context, tx *store.Tx, r Request, at time.Time) error {
	return eraseSpots(ctx, tx, later(at, r.When.To.Add(closedAfter).Add(b.cfg.AddressKept)), r.From, r.To)
}

// active gives the bookings of a request that still run: the lift it has, or
// the one that was asked for.
func active(ctx context.Context, tx *store.Tx, r Request) (f WayFacts, err error) {
	list, err := bookingsWhere(ctx, tx, `request = $1 AND state IN ('asked', 'accepted', 'boarded')`, string(r.ID))
	for i := range list {
		if list[i].State == Asked {
			f.Asked = &list[i]
		} else {
			f.Ride = &list[i]
		}
	}
	return f, err
}
