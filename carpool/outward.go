package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// Published is what a timetable of the lifts is made of: open offers, their
// open rides of some days and the meeting points. It is for programs that draw
// from it; none of it may be shown as it is.
type Published struct {
	Places []Place
	Offers []Offer
	Rides  []Ride
}

// Published gives the rides that leave from a day on, for some days, private
// ends coarse.
func (p *Portal) Published(ctx context.Context, from Date, days int) (Published, error) {
	begin, err := Clock("00:00").On(from, p.cfg.Location)
	if err != nil {
		return Published{}, err
	}
	end, err := Clock("00:00").On(from.Plus(days), p.cfg.Location)
	if err != nil {
		return Published{}, err
	}
	var out Published
	err = p.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = Published{}
		if out.Places, err = placesIn(ctx, tx, ""); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+offerColumns+` FROM carpool_offers WHERE state = 'open' ORDER BY id`)
		if err != nil {
			return fmt.Errorf("read offers: %w", err)
		}
		if out.Offers, err = all(rows, scanOffer); err != nil {
			return fmt.Errorf("read offers: %w", err)
		}
		if out.Rides, err = ridesWhere(ctx, tx, `state = 'open' AND risk = '' AND depart_ms >= $1 AND depart_ms < $2`, store.Millis(begin), store.Millis(end)); err != nil {
			return err
		}
		out.Rides, err = p.fitOnes(ctx, tx, out.Rides)
		return err
	})
	if err != nil {
		return Published{}, fmt.Errorf("lifts to publish: %w", err)
	}
	return out, nil
}

// fitOnes are the rides whose drivers may drive their car on the day.
func (b base) fitOnes(ctx context.Context, tx *store.Tx, rides []Ride) ([]Ride, error) {
	type trip struct {
		driver MemberID
		car    VehicleID
		on     Date
	}
	fits, out := map[trip]bool{}, rides[:0]
	for _, r := range rides {
		k := trip{r.Driver, r.Vehicle, DateOf(r.Depart, b.cfg.Location)}
		ok, asked := fits[k]
		if !asked {
			err := fitIn(ctx, tx, k.driver, k.car, k.on)
			if err != nil && !refused(err) {
				return nil, err
			}
			ok = err == nil
			fits[k] = ok
		}
		if ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// Today is the day in the union.
func (p *Portal) Today(now time.Time) Date { return DateOf(now, p.cfg.Location) }
