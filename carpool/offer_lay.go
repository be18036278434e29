package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/store"
)

// coarseOf is where a spot is known to be, for what is computed of it.
func (b base) coarseOf(ctx context.Context, tx *store.Tx, field string, s Spot) (geo.LonLat, error) {
	if s.Private() {
		if !s.At.Valid() {
			return s.At, fault.New(fault.Invalid, "%s: choose a meeting point, or the place on the map", field)
		}
		return s.Coarse(), nil
	}
	p, err := placeIn(ctx, tx, s.Place)
	if err != nil && fault.Of(err) == fault.NotFound {
		return s.At, fault.New(fault.Invalid, "%s: there is no such meeting point; choose one of the list", field)
	}
	return p.At, err
}

// wayOf is the driver's own way; Invalid where there is none. It asks the
// roads, so it must not be called in a transaction.
func (b base) wayOf(ctx context.Context, o Offer) (Leg, error) {
	var from, to geo.LonLat
	err := b.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		if from, err = b.coarseOf(ctx, tx, "from", o.From); err == nil {
			to, err = b.coarseOf(ctx, tx, "to", o.To)
		}
		return err
	})
	if err != nil {
		return Leg{}, err
	}
	if from == to {
		return Leg{}, fault.New(fault.Invalid, "to: it is where the journey begins; choose another")
	}
	legs, err := b.deps.Roads.Legs(ctx, []geo.LonLat{from}, []geo.LonLat{to})
	if err != nil {
		return Leg{}, fmt.Errorf("way: %w", err)
	}
	if len(legs) != 1 || len(legs[0]) != 1 || !legs[0][0].OK {
		return Leg{}, fault.New(fault.Invalid, "to: no road is known between the two; choose meeting points on a road")
	}
	return legs[0][0], nil
}

// horizon is the day up to which the rides of an offer are laid out.
func (b base) horizon(o Offer, now time.Time) Date {
	if o.When.Rule == "" {
		return DateOf(now, b.cfg.Location).Plus(mostAhead)
	}
	return DateOf(now.Add(b.cfg.Ahead), b.cfg.Location)
}

// layAnew writes an offer and lays its rides out. Days that are taken by rides
// that stay are left as they are. It refuses an offer that has no day, and one
// that is more driving than a neighbour does.
func (b base) layAnew(ctx context.Context, tx *store.Tx, o Offer, way Leg) error {
	upTo := b.horizon(o, tx.Now)
	if err := putOffer(ctx, tx, o, upTo); err != nil {
		return err
	}
	days, err := o.When.Days(DateOf(tx.Now, b.cfg.Location), upTo, b.cfg.School)
	if err != nil {
		return err
	}
	rides, err := b.ridesAhead(ctx, tx, o, days, way)
	if err != nil {
		return err
	}
	if len(rides) == 0 && (o.When.Rule == "" || o.When.Last != "" && o.When.Last <= upTo) {
		return fault.New(fault.Invalid, "when: no journey of this offer lies ahead; choose a day and a time to come")
	}
	for _, r := range rides {
		if err := b.room(ctx, tx, r); err != nil {
			return err
		}
		if err := putRide(ctx, tx, r, DateOf(r.Depart, b.cfg.Location)); err != nil {
			return err
		}
	}
	return nil
}

// ridesAhead are ridesOn from now on, marked where their car has no papers on
// the day.
func (b base) ridesAhead(ctx context.Context, tx *store.Tx, o Offer, days []Date, way Leg) ([]Ride, error) {
	until, err := validUntil(ctx, tx, o.Driver, o.Vehicle)
	if err != nil {
		return nil, err
	}
	rides, err := b.ridesOn(o, days, way, tx.Now)
	for i := range rides {
		rides[i].Risk = b.riskOf(rides[i], until)
	}
	return rides, err
}

// ridesOn are the rides of an offer on some days, of those that lie ahead.
func (b base) ridesOn(o Offer, days []Date, way Leg, now time.Time) ([]Ride, error) {
	var out []Ride
	for _, day := range days {
		depart, err := o.When.Time.On(day, b.cfg.Location)
		if err != nil {
			return nil, err
		}
		depart = depart.UTC()
		if !depart.After(now) {
			continue
		}
		r := Ride{ID: RideID(newID("r")), Offer: o.ID, Driver: o.Driver, Vehicle: o.Vehicle, Depart: depart, Seats: o.Seats, State: RideOpen, direct: way.Time.Round(time.Millisecond)}
		r.Stops = []Stop{{Kind: StopStart, Spot: o.From, At: depart}, {Kind: StopEnd, Spot: o.To, At: depart.Add(r.direct)}}
		out = append(out, r)
	}
	return out, nil
}

// room refuses a ride that is one too many for its driver on its day, or at
// the time of another of theirs.
func (b base) room(ctx context.Context, tx *store.Tx, r Ride) error {
	day := DateOf(r.Depart, b.cfg.Location)
	first, err := Clock("00:00").On(day, b.cfg.Location)
	if err != nil {
		return err
	}
	last, err := Clock("00:00").On(day.Plus(1), b.cfg.Location)
	if err != nil {
		return err
	}
	var n, same int
	end := r.Stops[len(r.Stops)-1].At
	err = tx.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN depart_ms >= $2 AND depart_ms < $3 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN leave_ms < $5 AND arrive_ms > $6 THEN 1 ELSE 0 END), 0) FROM carpool_rides
		WHERE driver = $1 AND (depart_ms >= $2 AND depart_ms < $3 OR leave_ms < $5 AND arrive_ms > $6) AND state <> 'cancelled' AND NOT (offer = $4 AND slot = $7)`,
		string(r.Driver), store.Millis(first), store.Millis(last), string(r.Offer), store.Millis(end), store.Millis(r.Depart), string(day)).Scan(&n, &same)
	if err != nil {
		return fmt.Errorf("read the rides of a day: %w", err)
	}
	if same > 0 {
		return fault.New(fault.Conflict, "when: you drive another ride at that time on %s", day)
	}
	if n >= b.cfg.Limits.OffersADay {
		return fault.New(fault.Conflict, "when: %d rides on %s already; more than that is not a neighbour's lift", n, day)
	}
	return nil
}

// putRide writes a new ride; a day that has one already keeps it.
func putRide(ctx context.Context, tx *store.Tx, r Ride, day Date) error {
	res, err := tx.Exec(ctx, `INSERT INTO carpool_rides (id, offer, slot, driver, vehicle, depart_ms, leave_ms, arrive_ms, direct_ms, seats, state, risk, reason, version, opened_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $12, '', 0, $11) ON CONFLICT (offer, slot) DO NOTHING`,
		string(r.ID), string(r.Offer), string(day), string(r.Driver), string(r.Vehicle), store.Millis(r.Depart), store.Millis(r.Stops[len(r.Stops)-1].At),
		r.direct.Milliseconds(), r.Seats, string(r.State), store.Millis(tx.Now), r.Risk)
	if err != nil {
		return fmt.Errorf("write ride of %s: %w", r.Offer, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return putStops(ctx, tx, r)
}

// layOut lays out the rides of one recurring offer up to the horizon of now. A
// day that would be one ride too many is left out.
func (b base) layOut(ctx context.Context, id OfferID) error {
	var o Offer
	err := b.deps.Store.View(ctx, func(tx *store.Tx) (err error) { o, err = offerIn(ctx, tx, id); return err })
	if err != nil {
		return err
	}
	way, err := b.wayOf(ctx, o)
	if err != nil {
		return err
	}
	return b.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		o, err := offerIn(ctx, tx, id)
		if err != nil || o.State != OfferOpen {
			return err
		}
		var laid Date
		if err := tx.QueryRow(ctx, `SELECT laid FROM carpool_offers WHERE id = $1`, string(id)).Scan(&laid); err != nil {
			return err
		}
		upTo := b.horizon(o, tx.Now)
		if laid >= upTo {
			return nil
		}
		days, err := o.When.Days(max(laid.Plus(1), DateOf(tx.Now, b.cfg.Location)), upTo, b.cfg.School)
		if err != nil {
			return err
		}
		rides, err := b.ridesAhead(ctx, tx, o, days, way)
		if err != nil {
			return err
		}
		for _, r := range rides {
			if err := b.room(ctx, tx, r); fault.Of(err) == fault.Conflict && err != nil {
				continue
			} else if err != nil {
				return err
			}
			if err := putRide(ctx, tx, r, DateOf(r.Depart, b.cfg.Location)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE carpool_offers SET laid = $2 WHERE id = $1`, string(id), string(upTo)); err != nil {
			return err
		}
		return b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.offer.lay", Object: string(id), Detail: map[string]string{"until": string(upTo)}})
	})
}
