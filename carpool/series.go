package carpool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// SeriesID names journeys that were asked for together, again and again.
type SeriesID string

// MostWeeks is how long a journey may be asked for again, from its first day.
const MostWeeks = 12

// Repeat says on which days a journey is needed again.
type Repeat struct {
	Days   []time.Weekday `json:"days"`
	Until  Date           `json:"until"`            // the last day
	School SchoolDays     `json:"school,omitempty"` // on school days only, or never on them
	Except []Date         `json:"except,omitempty"` // days off
}

// On gives the days of a repetition from a first day on, in order.
func (a Repeat) On(first Date, school School) ([]Date, error) {
	if len(a.Days) == 0 {
		return nil, fault.New(fault.Invalid, "days: say on which days of the week")
	}
	if err := checkDay("until", a.Until); err != nil {
		return nil, err
	}
	if a.Until < first || a.Until > first.Plus(7*MostWeeks) {
		return nil, fault.New(fault.Invalid, "until: choose a day up to %s; at most %d weeks can be asked for at once", first.Plus(7*MostWeeks), MostWeeks)
	}
	var names []string
	for _, d := range a.Days {
		if d < time.Sunday || d > time.Saturday {
			return nil, fault.New(fault.Invalid, "days: %d is not a day of the week", d)
		}
		names = append(names, strings.ToUpper(d.String()[:2]))
	}
	slices.Sort(names)
	s := Schedule{Time: "00:00", Rule: "FREQ=WEEKLY;BYDAY=" + strings.Join(slices.Compact(names), ","), First: first, Last: a.Until, School: a.School, Except: a.Except}
	days, err := s.Days(first, a.Until, school)
	if err == nil && len(days) == 0 {
		err = fault.New(fault.Invalid, "until: no such day lies between %s and %s", first, a.Until)
	}
	return days, err
}

// RequestAgain is Request for each day of a repetition: one journey or one out
// and home a day, each a request of its own, with the series' name on all. The
// first is on the day of r, or the next that is asked for. All are noted, or
// none. Of the first the rider is told at once, of each other when something is
// known of it.
func (p *Bookings) RequestAgain(ctx context.Context, by By, r Request, back *Window, again Repeat, mark string) ([]Request, error) {
	key, err := onceOf("series", by, mark)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if r.Rider == "" {
		r.Rider = by.Member
	}
	days, err := again.On(DateOf(r.When.From, p.cfg.Location), p.cfg.School)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	var out []Request
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		id, done, err := key.done(ctx, tx)
		if err != nil {
			return err
		}
		if !done {
			id = newID("s")
			if err := p.putSeries(ctx, tx, by, r, back, days, SeriesID(id)); err != nil {
				return err
			}
			if err := key.note(ctx, tx, id); err != nil {
				return err
			}
		}
		out, err = requestsExact(ctx, tx, `series = $1 AND outward = ''`, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return out, nil
}

// putSeries writes the requests of a series.
func (p *Bookings) putSeries(ctx context.Context, tx *store.Tx, by By, r Request, back *Window, days []Date, id SeriesID) error {
	first := DateOf(r.When.From, p.cfg.Location)
	for n, day := range days {
		one, home, ahead := r, back, first.to(day)
		one.Series, one.follows, one.When = id, n > 0, r.When.later(ahead, p.cfg.Location)
		if back != nil {
			w := back.later(ahead, p.cfg.Location)
			home = &w
		}
		if _, err := p.putAsked(ctx, tx, by, one, home); err != nil {
			return fmt.Errorf("%s: %w", day, err)
		}
	}
	return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.series.add", Object: string(id),
		Detail: acting(by, map[string]string{"rider": string(r.Rider), "journeys": fmt.Sprint(len(days))})})
}

// to counts the days from one to another.
func (d Date) to(e Date) int {
	from, err1 := time.Parse(time.DateOnly, string(d))
	to, err2 := time.Parse(time.DateOnly, string(e))
	if err1 != nil || err2 != nil {
		return 0
	}
	return int(to.Sub(from) / (24 * time.Hour))
}

// later is a window some days later, by the clock on the wall.
func (w Window) later(days int, in *time.Location) Window {
	w.From, w.To = w.From.In(in).AddDate(0, 0, days).UTC(), w.To.In(in).AddDate(0, 0, days).UTC()
	return w
}

// WithdrawSeries gives up all journeys of a series that have not begun, of
// which id is one.
func (p *Bookings) WithdrawSeries(ctx context.Context, by By, id RequestID, reason string) error {
	if err := p.cfg.short("reason", &reason); err != nil {
		return err
	}
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		r, err := myRequest(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if r.Series == "" {
			return fault.New(fault.Conflict, "request: it is not one of a series")
		}
		list, err := requestsWhere(ctx, tx, `series = $1 AND outward = '' AND state NOT IN ('done', 'withdrawn')`, string(r.Series))
		if err != nil {
			return err
		}
		for _, one := range list {
			f, err := active(ctx, tx, one)
			if err != nil {
				return err
			}
			if f.Ride != nil && (f.Ride.State == Boarded || !tx.Now.Before(f.Ride.Pickup.At)) {
				continue
			}
			if err := p.withdrawBoth(ctx, tx, by, one, reason); err != nil {
				return err
			}
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.series.withdraw", Object: string(r.Series), Detail: acting(by, nil)})
	})
	if err != nil {
		return fmt.Errorf("withdraw series: %w", err)
	}
	return nil
}
