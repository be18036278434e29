package carpool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
)

const onceKept = 7 * 24 * time.Hour // a form's mark

// Round does all that is due now: it lays out rides, notes which are under way
// and over, takes back what no driver answered, completes lifts, sees who was
// left standing, finds the next way for whoever needs one, tells of new offers
// and reminds of tomorrow's. It may run at any time and as often as one likes;
// each step is a transaction of its own, so that what a kill interrupts the
// next round takes up. The failure of one step takes nothing from the others.
func (p *Bookings) Round(ctx context.Context) error {
	var errs []error
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"lay out rides", p.roundLay},
		{"rides by time", p.roundRides},
		{"answers", p.roundAnswers},
		{"lifts by time", p.roundCompleted},
		{"returns", p.roundNotSeen},
		{"index of rides", p.reindex},
		{"ways", p.roundWays},
		{"new offers", p.roundNews},
		{"reminders", p.roundReminders},
		{"offers by time", p.roundOffers},
		{"forms", p.roundForms},
	} {
		if err := step.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", step.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// ids reads a column of names.
func ids[T ~string](ctx context.Context, b base, query string, args func(now time.Time) []any) ([]T, error) {
	var out []T
	err := b.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, query, args(tx.Now)...)
		if err != nil {
			return err
		}
		out, err = all(rows, func(row scanner) (id T, err error) { return id, row.Scan(&id) })
		return err
	})
	return out, err
}

// each does something for all of some things, whatever becomes of one.
func each[T ~string](ctx context.Context, list []T, do func(context.Context, T) error) error {
	var errs []error
	for _, id := range list {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if err := do(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (p *Bookings) roundLay(ctx context.Context) error {
	list, err := ids[OfferID](ctx, p.base, `SELECT id FROM carpool_offers WHERE state = 'open' AND recurs = 1 AND laid < $1 ORDER BY id`, func(now time.Time) []any {
		return []any{string(DateOf(now.Add(p.cfg.Ahead), p.cfg.Location))}
	})
	if err != nil {
		return err
	}
	return each(ctx, list, p.layOut)
}

func (p *Bookings) roundRides(ctx context.Context) error {
	return p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		now := store.Millis(tx.Now)
		done, err := count(tx.Exec(ctx, `UPDATE carpool_rides SET state = 'done' WHERE state IN ('open', 'under-way') AND arrive_ms <= $1`, now))
		if err != nil {
			return err
		}
		left, err := count(tx.Exec(ctx, `UPDATE carpool_rides SET state = 'under-way' WHERE state = 'open' AND leave_ms <= $1`, now))
		if err != nil || done+left == 0 {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.ride.time",
			Detail: map[string]string{"left": fmt.Sprint(left), "arrived": fmt.Sprint(done)}})
	})
}

func count(res interface{ RowsAffected() (int64, error) }, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (p *Bookings) roundAnswers(ctx context.Context) error {
	list, err := ids[BookingID](ctx, p.base, `SELECT id FROM carpool_bookings WHERE state = 'asked' AND deadline_ms <= $1 ORDER BY deadline_ms, id`,
		func(now time.Time) []any { return []any{store.Millis(now)} })
	if err != nil {
		return err
	}
	return each(ctx, list, p.expire)
}

// byTime is one step that a booking takes because its time has come.
func (p *Bookings) byTime(ch bookingChange) func(context.Context, BookingID) error {
	return func(ctx context.Context, id BookingID) error {
		return p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
			bk, err := bookingIn(ctx, tx, id)
			if err != nil {
				return err
			}
			if _, err := Next(bk.State, ch.event, ch.as, bk.moment(tx.Now)); err != nil {
				return nil // somebody was faster
			}
			_, err = p.changeIn(ctx, tx, bk, ch)
			return err
		})
	}
}

func (p *Bookings) roundCompleted(ctx context.Context) error {
	list, err := ids[BookingID](ctx, p.base, `SELECT id FROM carpool_bookings WHERE state = 'boarded' AND drop_ms <= $1 OR state = 'accepted' AND drop_ms <= $2 ORDER BY drop_ms, id`,
		func(now time.Time) []any {
			return []any{store.Millis(now.Add(-ArrivedAfter)), store.Millis(now.Add(-CompletedAfter))}
		})
	if err != nil {
		return err
	}
	return each(ctx, list, p.byTime(bookingChange{event: EventComplete, as: AsProgram, who: string(AsProgram)}))
}

// roundNotSeen finds whoever waits for a way home that nobody has said to have
// begun, while there is still time to fetch them.
func (p *Bookings) roundNotSeen(ctx context.Context) error {
	list, err := ids[BookingID](ctx, p.base, `SELECT b.id FROM carpool_bookings b JOIN carpool_requests q ON q.id = b.request
		WHERE b.state = 'accepted' AND q.outward <> '' AND b.pickup_ms <= $1 AND b.drop_ms > $2 ORDER BY b.pickup_ms, b.id`,
		func(now time.Time) []any {
			return []any{store.Millis(now.Add(-NoShowAfter)), store.Millis(now.Add(-rescueLeast))}
		})
	if err != nil {
		return err
	}
	return each(ctx, list, p.byTime(bookingChange{event: EventNoShow, as: AsProgram, who: string(AsProgram), reason: ReasonNotSeen}))
}

// roundWays settles each request whose way has run out, or whose driver fell
// away.
func (p *Bookings) roundWays(ctx context.Context) error {
	list, err := ids[RequestID](ctx, p.base, `SELECT id FROM carpool_requests WHERE state NOT IN ('done', 'withdrawn') AND (again = 1 OR way = '' OR way_until_ms <= $1) ORDER BY from_ms, id`,
		func(now time.Time) []any { return []any{store.Millis(now)} })
	if err != nil {
		return err
	}
	return each(ctx, list, p.settle)
}

// roundOffers ends offers whose days are all over, paused or not, and so lets
// their addresses go.
func (p *Bookings) roundOffers(ctx context.Context) error {
	list, err := ids[OfferID](ctx, p.base, `SELECT id FROM carpool_offers WHERE state <> 'ended'
		AND NOT EXISTS (SELECT 1 FROM carpool_rides r WHERE r.offer = carpool_offers.id AND r.arrive_ms > $1 AND r.state <> 'cancelled') ORDER BY id`,
		func(now time.Time) []any { return []any{store.Millis(now)} })
	if err != nil {
		return err
	}
	return each(ctx, list, func(ctx context.Context, id OfferID) error {
		return p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
			o, err := offerIn(ctx, tx, id)
			if err != nil || o.State == OfferEnded {
				return err
			}
			if goes, err := p.goesOn(o, tx.Now); err != nil || goes {
				return err
			}
			if err := p.endIn(ctx, tx, o, string(AsProgram), ReasonOfferEnded); err != nil {
				return err
			}
			return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.offer.over", Object: string(id)})
		})
	})
}

// goesOn says whether a journey of an offer lies ahead.
func (b base) goesOn(o Offer, now time.Time) (bool, error) {
	today := DateOf(now, b.cfg.Location)
	days, err := o.When.Days(today, today.Plus(MostWindow), b.cfg.School)
	if err != nil {
		return false, err
	}
	left, err := b.ridesOn(o, days, Leg{}, now)
	return len(left) > 0, err
}

// roundForms forgets the marks of forms and the search alerts that are over.
func (p *Bookings) roundForms(ctx context.Context) error {
	return p.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM carpool_once WHERE at_ms < $1`, store.Millis(tx.Now.Add(-onceKept))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM carpool_watches WHERE last_day < $1`, string(DateOf(tx.Now, p.cfg.Location)))
		return err
	})
}
