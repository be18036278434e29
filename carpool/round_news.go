package carpool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/store"
)

const (
	// overlap of two looks for new rides: a ride is dated by the beginning of its
	// transaction, and may be seen only after its end.
	overlap = time.Minute
	// newsAhead is how long before a journey of a series its rider is told of a
	// ride: not of twelve weeks at once.
	newsAhead = 7 * 24 * time.Hour
	// evening is when people are reminded of the next day.
	evening Clock = "18:00"
)

// roundNews tells riders without a lift, and the members with search alerts,
// of rides that have gained room since they were last looked at.
func (p *Bookings) roundNews(ctx context.Context) error {
	var (
		last     int64
		now      time.Time
		requests []Request
		watches  []Watch
	)
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now
		if err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(opened_ms), 0) FROM carpool_rides`).Scan(&last); err != nil {
			return err
		}
		if requests, err = requestsWhere(ctx, tx, `state IN ('open', 'listed', 'desk') AND way <> 'asked' AND to_ms > $1 AND searched_ms <= $2
			AND (series = '' OR from_ms < $3) AND way_text NOT IN ($4, $5)`, store.Millis(now), last, store.Millis(now.Add(newsAhead)), WayTextRoadside, WayTextAway); err != nil {
			return err
		}
		watches, err = watchesWhere(ctx, tx, `searched_ms <= $1`, last)
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range requests {
		if err := p.newsFor(ctx, r, now); err != nil {
			errs = append(errs, fmt.Errorf("request %s: %w", r.ID, err))
		}
	}
	for _, w := range watches {
		if err := p.newsOf(ctx, w, now); err != nil {
			errs = append(errs, fmt.Errorf("search alert %s: %w", w.ID, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// openedSince are the rides that have gained room since, by their names.
func (p *Bookings) openedSince(ctx context.Context, since time.Time) (map[RideID]Ride, error) {
	out := map[RideID]Ride{}
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		clear(out)
		list, err := ridesWhere(ctx, tx, `opened_ms >= $1 AND state = 'open' AND leave_ms > $2`, store.Millis(since), store.Millis(tx.Now))
		for _, r := range list {
			out[r.ID] = r
		}
		return err
	})
	return out, err
}

// newsFor tells the rider of a request of the best new ride that fits.
func (p *Bookings) newsFor(ctx context.Context, r Request, now time.Time) error {
	fresh, err := p.openedSince(ctx, r.searched)
	if err != nil {
		return err
	}
	var best *Match
	if len(fresh) > 0 {
		found, err := p.find(ctx, askOf(r), false)
		if err != nil {
			return unless(err)
		}
		for i := range found.Matches {
			if _, ok := fresh[found.Matches[i].Ride]; ok {
				best = &found.Matches[i]
				break
			}
		}
	}
	return p.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE carpool_requests SET searched_ms = $2 WHERE id = $1`, string(r.ID), store.Millis(now.Add(-overlap))); err != nil || best == nil {
			return err
		}
		return Tell(ctx, tx, p.deps.Outbox, Notice{Key: fmt.Sprintf("found:%s:%s", r.ID, best.Ride), Member: r.Rider, Kind: NoticeOfferFound,
			With: map[string]string{WithRequest: string(r.ID), WithRide: string(best.Ride)}, Due: best.Pickup.Time})
	})
}

// newsOf tells the member of a search alert of the first new ride that fits on
// one of its days.
func (p *Bookings) newsOf(ctx context.Context, w Watch, now time.Time) error {
	fresh, err := p.openedSince(ctx, w.searched)
	if err != nil {
		return err
	}
	var days []Date
	for _, r := range fresh {
		days = append(days, DateOf(r.Depart, p.cfg.Location))
	}
	slices.Sort(days)
	var best *Match
	for _, day := range slices.Compact(days) {
		a, ok := w.On(day, p.cfg.Location)
		if !ok || !a.When.To.After(now) {
			continue
		}
		found, err := p.find(ctx, a, false)
		if err != nil {
			return unless(err)
		}
		if i := slices.IndexFunc(found.Matches, func(m Match) bool { _, ok := fresh[m.Ride]; return ok }); i >= 0 {
			best = &found.Matches[i]
			break
		}
	}
	return p.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE carpool_watches SET searched_ms = $2 WHERE id = $1`, w.ID, store.Millis(now.Add(-overlap))); err != nil || best == nil {
			return err
		}
		return Tell(ctx, tx, p.deps.Outbox, Notice{Key: fmt.Sprintf("found:%s:%s", w.ID, fresh[best.Ride].Offer), Member: w.Member, Kind: NoticeOfferFound,
			With: map[string]string{WithWatch: w.ID, WithRide: string(best.Ride)}, Due: best.Pickup.Time})
	})
}

// WithWatch is the key of a notice way.found that answers a search alert.
const WithWatch = "watch"

// roundReminders reminds both sides, in the evening, of the lifts of the next
// day. Who was told of theirs this evening needs no reminder.
func (p *Bookings) roundReminders(ctx context.Context) error {
	var due []Booking
	look := func(tx *store.Tx) (err error) { due, err = p.tomorrow(ctx, tx); return err }
	if err := p.deps.Store.View(ctx, look); err != nil || len(due) == 0 {
		return err
	}
	return p.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if err := look(tx); err != nil {
			return err
		}
		for _, bk := range due {
			for _, m := range []MemberID{bk.Rider, bk.Driver} {
				err := Tell(ctx, tx, p.deps.Outbox, Notice{Key: fmt.Sprintf("%s:%s:%s", NoticeReminder, bk.ID, m), Member: m, Kind: NoticeReminder,
					With: map[string]string{WithBooking: string(bk.ID)}, Due: bk.Pickup.At})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// tomorrow are the lifts of the next day that were agreed before this evening;
// none until it is evening.
func (b base) tomorrow(ctx context.Context, tx *store.Tx) ([]Booking, error) {
	today := DateOf(tx.Now, b.cfg.Location)
	from, err := evening.On(today, b.cfg.Location)
	if err != nil || tx.Now.Before(from) {
		return nil, err
	}
	first, last, err := b.dayOf(from.AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	return bookingsWhere(ctx, tx, `state = 'accepted' AND pickup_ms >= $1 AND pickup_ms < $2 AND changed_ms < $3
		AND NOT EXISTS (SELECT 1 FROM carpool_notices n WHERE n.key = 'booking.reminder:' || carpool_bookings.id || ':' || carpool_bookings.driver)`,
		store.Millis(first), store.Millis(last), store.Millis(from))
}
