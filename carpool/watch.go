package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// mostWatches of one member.
const mostWatches = 10

// Watch is a search alert: its member is told of each new offer that fits, in
// the hours of its window on each day from the first to Until.
type Watch struct {
	ID      string    `json:"id"` // "w-…"
	Member  MemberID  `json:"member"`
	Ask     Ask       `json:"ask"` // private ends are cells
	Until   Date      `json:"until"`
	Created time.Time `json:"created"`

	searched time.Time // rides opened until then were looked at
}

const watchColumns = `id, member, from_place, from_lon, from_lat, to_place, to_lon, to_lat, from_ms, to_ms, arrive, seats, needs, max_walk_ms, last_day, searched_ms, created_ms`

func scanWatch(row scanner) (Watch, error) {
	var w Watch
	var needs string
	var from, to, arrive, walk, searched, created int64
	err := row.Scan(&w.ID, &w.Member, &w.Ask.From.Place, &w.Ask.From.At.Lon, &w.Ask.From.At.Lat, &w.Ask.To.Place, &w.Ask.To.At.Lon, &w.Ask.To.At.Lat,
		&from, &to, &arrive, &w.Ask.Seats, &needs, &walk, &w.Until, &searched, &created)
	if err != nil {
		return w, err
	}
	w.Ask.For, w.Ask.When, w.Ask.MaxWalk = w.Member, Window{From: moment(from), To: moment(to), Arrive: arrive != 0}, time.Duration(walk)*time.Millisecond
	w.searched, w.Created = moment(searched), moment(created)
	return w, unpack(needs, &w.Ask.Needs)
}

func watchesWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Watch, error) {
	rows, err := tx.Query(ctx, `SELECT `+watchColumns+` FROM carpool_watches WHERE `+where+` ORDER BY created_ms, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read search alerts: %w", err)
	}
	return all(rows, scanWatch)
}

// Watch keeps a search, so that its member is told of new offers that fit. An
// empty until is the day of the search alone.
func (p *Bookings) Watch(ctx context.Context, by By, a Ask, until Date) (Watch, error) {
	var w Watch
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		if _, err := mayAct(ctx, tx, by, by.Member); err != nil {
			return err
		}
		a, err := p.cfg.checkAsk(a, tx.Now)
		if err != nil {
			return err
		}
		first := DateOf(a.When.From, p.cfg.Location)
		last := until
		if last == "" {
			last = first
		}
		if err := last.Check(); err != nil {
			return err
		}
		if last < first || last > DateOf(tx.Now, p.cfg.Location).Plus(mostAhead) {
			return fault.New(fault.Invalid, "until: a day from that of the search on, at most a year ahead")
		}
		from, err := p.coarseOf(ctx, tx, "from", a.From)
		if err != nil {
			return err
		}
		to, err := p.coarseOf(ctx, tx, "to", a.To)
		if err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_watches WHERE member = $1`, string(by.Member)).Scan(&n); err != nil {
			return err
		}
		if n >= mostWatches {
			return fault.New(fault.Conflict, "search alert: %d already; end one first", n)
		}
		a.For, a.DoorToDoor = by.Member, false
		a.From, a.To = Spot{Place: a.From.Place, At: from}, Spot{Place: a.To.Place, At: to}
		w = Watch{ID: newID("w"), Member: by.Member, Ask: a, Until: last, Created: tx.Now, searched: tx.Now}
		needs, err := pack(a.Needs)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO carpool_watches (`+watchColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			w.ID, string(w.Member), string(a.From.Place), from.Lon, from.Lat, string(a.To.Place), to.Lon, to.Lat,
			store.Millis(a.When.From), store.Millis(a.When.To), flag(a.When.Arrive), a.Seats, needs, a.MaxWalk.Milliseconds(), string(w.Until), store.Millis(tx.Now), store.Millis(tx.Now))
		if err != nil {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.watch.add", Object: w.ID, Detail: acting(by, nil)})
	})
	if err != nil {
		return Watch{}, fmt.Errorf("search alert: %w", err)
	}
	return w, nil
}

// Watches gives the search alerts of a member.
func (p *Bookings) Watches(ctx context.Context, member MemberID) ([]Watch, error) {
	var out []Watch
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		out, err = watchesWhere(ctx, tx, `member = $1`, sentence(string(member)))
		return err
	})
	return out, err
}

// Unwatch ends a search alert.
func (p *Bookings) Unwatch(ctx context.Context, by By, id string) error {
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		if _, err := mayAct(ctx, tx, by, by.Member); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `DELETE FROM carpool_watches WHERE id = $1 AND member = $2`, sentence(id), string(by.Member))
		if err := oneRow(res, err, "there is no such search alert"); err != nil {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.watch.end", Object: sentence(id), Detail: acting(by, nil)})
	})
	if err != nil {
		return fmt.Errorf("end search alert: %w", err)
	}
	return nil
}

// On is the search of an alert on one of its days: the same hours of the
// clock, so also across a change of summer time. false: that day has none.
func (w Watch) On(day Date, in *time.Location) (Ask, bool) {
	a := w.Ask
	if day < DateOf(a.When.From, in) || day > w.Until {
		return a, false
	}
	from, err := Clock(a.When.From.In(in).Format("15:04")).On(day, in)
	if err != nil {
		return a, false
	}
	a.When.From, a.When.To = from.UTC(), from.Add(a.When.To.Sub(a.When.From)).UTC()
	return a, true
}
