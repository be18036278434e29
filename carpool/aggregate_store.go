package carpool

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/unit"
)

const (
	// settled is how long after its end a month is counted: by then every lift
	// has been said to be completed or not.
	settled = 48 * time.Hour
	// aroundBus is how far from a lift a bus would have done as well.
	aroundBus = 30 * time.Minute
	// detourSpeed turns the time of a detour into metres: 40 km/h, as on the
	// roads of the hills.
	detourSpeed = 40.0 / 3.6
)

// FiguresRound counts the months that are over and not counted yet, the newest
// first, as long as the names of their riders are kept. It may be repeated.
func (p *Portal) FiguresRound(ctx context.Context) error {
	now := p.now(ctx)
	if now.IsZero() {
		return p.deps.Store.Ping(ctx)
	}
	month := firstOf(now.Add(-settled).In(p.cfg.Location)).AddDate(0, -1, 0)
	for ; !month.Before(now.Add(-p.cfg.RidesKept)); month = month.AddDate(0, -1, 0) {
		if err := p.countMonth(ctx, month); err != nil {
			return fmt.Errorf("figures of %s: %w", month.Format("2006-01"), err)
		}
	}
	return nil
}

// firstOf is the beginning of the month of a moment.
func firstOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
}

// countMonth counts one month, if it is not counted.
func (p *Portal) countMonth(ctx context.Context, month time.Time) error {
	name := month.Format("2006-01")
	var there int
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM carpool_figures WHERE month = $1`, name).Scan(&there)
	})
	if err != nil || there > 0 {
		return err
	}
	list, err := p.travelled(ctx, month, month.AddDate(0, 1, 0))
	if err != nil {
		return err
	}
	body, err := json.Marshal(AggregateMonth(name, list, AggregateK, p.cfg.Location))
	if err != nil {
		return err
	}
	return p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.figures.count", Object: name}, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO carpool_figures (month, body, made_ms) VALUES ($1, $2, $3) ON CONFLICT (month) DO NOTHING`, name, string(body), store.Millis(tx.Now))
		return err
	})
}

// Figures are the months that were counted, the oldest first.
func (p *Portal) Figures(ctx context.Context) ([]Aggregates, error) {
	var out []Aggregates
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT body FROM carpool_figures ORDER BY month`)
		if err != nil {
			return err
		}
		out, err = all(rows, func(row scanner) (Aggregates, error) {
			var body string
			var a Aggregates
			if err := row.Scan(&body); err != nil {
				return a, err
			}
			return a, unpack(body, &a)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read monthly figures: %w", err)
	}
	return out, nil
}

// travelled are the completed bookings of a span, as the figures see them.
func (p *Portal) travelled(ctx context.Context, from, to time.Time) ([]Travelled, error) {
	var (
		bookings []Booking
		places   []Place
		detours  = map[RideID]unit.Metres{}
	)
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if bookings, err = bookingsWhere(ctx, tx, `state = 'completed' AND rider <> '' AND pickup_ms >= $1 AND pickup_ms < $2`, store.Millis(from), store.Millis(to)); err != nil {
			return err
		}
		if places, err = placesIn(ctx, tx, ""); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT id, arrive_ms - leave_ms - direct_ms FROM carpool_rides WHERE arrive_ms >= $1 AND leave_ms < $2`, store.Millis(from), store.Millis(to))
		if err != nil {
			return err
		}
		type detour struct {
			ride RideID
			ms   int64
		}
		list, err := all(rows, func(row scanner) (d detour, err error) { return d, row.Scan(&d.ride, &d.ms) })
		for _, d := range list {
			detours[d.ride] = unit.Metres(float64(max(0, d.ms)) / 1000 * detourSpeed)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	aboard := map[RideID]int{}
	for _, b := range bookings {
		aboard[b.Ride]++
	}
	out := make([]Travelled, 0, len(bookings))
	for _, b := range bookings {
		t := Travelled{Ride: b.Ride, Rider: b.Rider, From: comuneOf(places, b.Pickup.Spot), To: comuneOf(places, b.Drop.Spot), Depart: b.Pickup.At,
			Seats: b.Seats, Metres: unit.Metres(b.Metres), Detour: detours[b.Ride] / unit.Metres(aboard[b.Ride])}
		if t.ByBus, err = p.hadBus(ctx, b); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// comuneOf is that of a meeting point, or of the one nearest to where a door
// may be thought to be.
func comuneOf(places []Place, s Spot) string {
	best, far := "", unit.Metres(0)
	for _, p := range places {
		if p.ID == s.Place {
			return p.Comune
		}
		if d := p.At.Distance(s.Coarse()); best == "" || cmp.Less(d, far) {
			best, far = p.Comune, d
		}
	}
	return best
}

// hadBus says whether a bus would have brought the rider of a booking there.
func (p *Portal) hadBus(ctx context.Context, b Booking) (bool, error) {
	at := [2]geo.LonLat{b.Pickup.Spot.Coarse(), b.Drop.Spot.Coarse()}
	if p.deps.Buses == nil || at[0] == at[1] {
		return false, nil
	}
	list, err := p.deps.Buses.Next(ctx, at[0], at[1], Window{From: b.Pickup.At.Add(-aroundBus), To: b.Pickup.At.Add(aroundBus)}, p.cfg.MaxWalk, 1)
	return len(list) > 0, err
}
