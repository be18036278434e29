package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Bounds of a search.
const (
	mostWindow = 24 * time.Hour
	mostWalk   = time.Hour
	mostShown  = 10 // matches
	buses      = 12 // journeys around the window
	longest    = 4 * time.Hour
)

// checkWindow refuses a window that runs backwards, has passed, or is longer
// than a day.
func checkWindow(field string, w Window, now time.Time) error {
	switch {
	case w.From.IsZero() || w.To.IsZero():
		return fault.New(fault.Invalid, "%s: say from when and until when", field)
	case !w.From.Before(w.To):
		return fault.New(fault.Invalid, "%s: it ends before it begins; put the earlier time first", field)
	case !w.To.After(now):
		return fault.New(fault.Invalid, "%s: that time has passed; choose one to come", field)
	case w.To.Sub(w.From) > mostWindow:
		return fault.New(fault.Invalid, "%s: it is longer than a day; choose a shorter time", field)
	case w.From.After(now.AddDate(0, 0, mostAhead)):
		return fault.New(fault.Invalid, "%s: it is more than a year ahead", field)
	}
	return nil
}

// checkAsk refuses what is wrong in a search, and fills in what was not said.
func (c Config) checkAsk(a Ask, now time.Time) (Ask, error) {
	if err := checkWindow("when", a.When, now); err != nil {
		return a, err
	}
	if a.MaxWalk == 0 {
		a.MaxWalk = c.MaxWalk
	}
	if err := span("max_walk", a.MaxWalk, mostWalk); err != nil {
		return a, err
	}
	if a.Seats == 0 {
		a.Seats = 1
	}
	if a.Seats < 1 || a.Seats > 1+c.Limits.Companions {
		return a, fault.New(fault.Invalid, "seats: between 1 and %d", 1+c.Limits.Companions)
	}
	if a.Needs.ChildSeats < 0 || a.Needs.ChildSeats > a.Seats {
		return a, fault.New(fault.Invalid, "child seats: between 0 and the number of seats")
	}
	return a, nil
}

// Search finds lifts, the best first. It only reads. Private ends are taken to
// the middle of their cells before anything else is done with them, so the
// answer is the same for each point of a cell; it says of drivers nothing but
// their rides.
func (p *Bookings) Search(ctx context.Context, a Ask) (Answer, error) {
	a, err := p.cfg.checkAsk(a, p.now(ctx))
	if err != nil {
		return Answer{}, fmt.Errorf("search: %w", err)
	}
	out, err := p.find(ctx, a, false)
	if err != nil {
		return Answer{}, fmt.Errorf("search: %w", err)
	}
	return out, nil
}

// now is the present of the store; the zero time when it does not answer, and
// then the next statement says why.
func (b base) now(ctx context.Context) (now time.Time) {
	_ = b.deps.Store.View(ctx, func(tx *store.Tx) error { now = tx.Now; return nil })
	return now
}

// find is a search whose words are right. Where the program takes a lift by
// itself it must be apart from whom the rider keeps away, and who keeps them
// away; what somebody is shown is not: held against what a stranger is shown it
// would say on which ride such a one sits (docs/adr/0018).
func (p *Bookings) find(ctx context.Context, a Ask, apart bool) (Answer, error) {
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		from, err := p.coarseOf(ctx, tx, "from", a.From)
		if err != nil {
			return err
		}
		to, err := p.coarseOf(ctx, tx, "to", a.To)
		if err != nil {
			return err
		}
		if from == to {
			return fault.New(fault.Invalid, "to: it is where the journey begins; choose another")
		}
		a.From, a.To = Spot{Place: a.From.Place, At: from}, Spot{Place: a.To.Place, At: to}
		return nil
	})
	if err != nil {
		return Answer{}, err
	}
	around, err := p.around(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Matches: []Match{}, Misses: []Miss{}, Buses: a.FittingBuses(around.Buses), Roads: p.deps.Roads.About()}
	if len(around.Pickups) == 0 || len(around.Drops) == 0 {
		return out, nil
	}
	var list []Candidate
	var now time.Time
	err = p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now
		list, err = p.candidatesWhere(ctx, tx, `state = 'open' AND risk = '' AND leave_ms > $1 AND depart_ms > $2 AND depart_ms < $3`,
			store.Millis(now), store.Millis(a.When.From.Add(-longest)), store.Millis(a.When.To.Add(longest)))
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	if len(list) == 0 {
		out.Misses = append(out.Misses, missesOf(&a, nil, around.Buses)...)
		return out, nil
	}
	if list, err = p.near(ctx, a, list, around); err != nil {
		return Answer{}, err
	}
	matches, misses := Rank(a, around, list, now)
	err = p.deps.Store.View(ctx, func(tx *store.Tx) error { return p.only(ctx, tx, a, apart, list, matches, misses, &out) })
	return out, err
}

// around is where a search may begin and end, with all that is known of the
// ways between and the buses.
func (p *Bookings) around(ctx context.Context, a Ask) (Around, error) {
	places := &Places{p.base}
	from, err := places.Near(ctx, a.From.At, a.MaxWalk+NearWalk, MostPlaces)
	if err != nil {
		return Around{}, err
	}
	to, err := places.Near(ctx, a.To.At, a.MaxWalk+NearWalk, MostPlaces)
	if err != nil {
		return Around{}, err
	}
	r := AroundOf(a, from, to)
	if points := r.Points(); len(r.Pickups) > 0 && len(r.Drops) > 0 {
		if r.Legs, err = p.deps.Roads.Legs(ctx, points[:len(r.Pickups)], points[len(r.Pickups):]); err != nil {
			return Around{}, fmt.Errorf("ways: %w", err)
		}
	}
	if p.deps.Buses != nil {
		w := Window{From: a.When.From.Add(-NearTime), To: a.When.To.Add(NearTime)}
		if r.Buses, err = p.deps.Buses.Next(ctx, a.From.At, a.To.At, w, a.MaxWalk, buses); err != nil {
			p.deps.Log.Warn("carpool: a search without the timetable", "err", err)
		}
	}
	return r, nil
}

// only keeps of what was found that which the asker may have: not their own
// rides, no driver who may not drive on that day; apart: nobody kept away.
func (p *Bookings) only(ctx context.Context, tx *store.Tx, a Ask, apart bool, list []Candidate, matches []Match, misses []Miss, out *Answer) error {
	rides := make(map[RideID]*Ride, len(list))
	for _, c := range list {
		rides[c.Ride.ID] = c.Ride
	}
	may := func(id RideID) (bool, error) {
		r := rides[id]
		if r == nil {
			return false, nil
		}
		if err := p.fitFor(ctx, tx, *r); err != nil {
			return false, unless(err)
		}
		if a.For == "" || a.For == r.Driver {
			return a.For == "", nil // whether they may ride is asked when booking
		}
		if !apart {
			return true, nil
		}
		err := mayMeet(ctx, tx, a.For, *r)
		return err == nil, unless(err)
	}
	out.Matches, out.Misses = []Match{}, []Miss{}
	for _, m := range matches {
		ok, err := may(m.Ride)
		if err != nil {
			return err
		}
		if ok {
			out.Matches = append(out.Matches, m)
		}
		if len(out.Matches) == mostShown {
			break
		}
	}
	for _, m := range misses {
		ok := m.Ride == ""
		if !ok {
			var err error
			if ok, err = may(m.Ride); err != nil {
				return err
			}
		}
		if ok {
			out.Misses = append(out.Misses, m)
		}
	}
	return nil
}

// refused says whether an error is a refusal, not trouble.
func refused(err error) bool {
	if err == nil {
		return false
	}
	switch fault.Of(err) {
	case fault.Denied, fault.Conflict, fault.NotFound, fault.Invalid:
		return true
	}
	return false
}

// unless drops an error that is a refusal.
func unless(err error) error {
	if refused(err) {
		return nil
	}
	return err
}
