package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// inUse refuses a change of a car that makes it less than what its driver
// offers with it, or than what riders count on.
func inUse(ctx context.Context, tx *store.Tx, v Vehicle) error {
	rows, err := tx.Query(ctx, `SELECT `+offerColumns+` FROM carpool_offers WHERE vehicle = $1 AND state = 'open'`, string(v.ID))
	if err != nil {
		return fmt.Errorf("read offers: %w", err)
	}
	offers, err := all(rows, scanOffer)
	if err != nil {
		return fmt.Errorf("read offers: %w", err)
	}
	for _, o := range offers {
		if o.Seats+o.Aboard > v.Seats {
			return fault.New(fault.Conflict, "seats beside the driver: an offer of yours counts on %d; change that offer first", o.Seats+o.Aboard)
		}
		if !o.Carries.Met(v.Carries) {
			return fault.New(fault.Conflict, "what the car carries: an offer of yours counts on more; change that offer first")
		}
	}
	const going = `vehicle = $1 AND state IN ('open', 'under-way') AND arrive_ms > $2`
	rides, err := ridesWhere(ctx, tx, going, string(v.ID), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	for _, r := range rides {
		o, err := offerIn(ctx, tx, r.Offer)
		if err != nil {
			return err
		}
		if r.Taken+o.Aboard > v.Seats {
			return fault.New(fault.Conflict, "seats beside the driver: %d are taken on a ride to come; call that ride off first", r.Taken+o.Aboard)
		}
	}
	riders, err := requestsWhere(ctx, tx, `id IN (SELECT request FROM carpool_bookings WHERE state IN ('accepted', 'boarded') AND ride IN (SELECT id FROM carpool_rides WHERE `+going+`))`,
		string(v.ID), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	for _, r := range riders {
		if !r.Needs.Met(v.Carries) {
			return fault.New(fault.Conflict, "what the car carries: a rider of yours counts on more; call that ride off first")
		}
	}
	return nil
}

// reseat gives the rides to come of an offer its seats: no fewer than are
// taken, no more than their car has. A paused offer takes in none but those who
// asked already.
func reseat(ctx context.Context, tx *store.Tx, o Offer) error {
	rides, err := ridesWhere(ctx, tx, `offer = $1 AND leave_ms > $2 AND state = 'open'`, string(o.ID), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	for _, r := range rides {
		v, err := vehicleIn(ctx, tx, r.Vehicle)
		if err != nil {
			return err
		}
		most := v.Seats - o.Aboard
		if r.Taken > most {
			return fault.New(fault.Conflict, "aboard: %d seats are taken on a ride to come, and the car has %d; call that ride off first", r.Taken, v.Seats)
		}
		seats := max(r.Taken, min(o.Seats, most))
		if o.State == OfferPaused {
			var asked int
			if err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(seats), 0) FROM carpool_bookings WHERE ride = $1 AND state = 'asked' AND unseen = 0`, string(r.ID)).Scan(&asked); err != nil {
				return fmt.Errorf("read who asked: %w", err)
			}
			seats = min(seats, r.Taken+asked)
		}
		if seats == r.Seats {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE carpool_rides SET seats = $2 WHERE id = $1`, string(r.ID), seats); err != nil {
			return fmt.Errorf("write the seats of %s: %w", r.ID, err)
		}
	}
	return nil
}

// seated refuses a rider for whom the car has no room, or not what they need,
// by what is known of it now.
func seated(ctx context.Context, tx *store.Tx, stops []Stop, ride Ride, needs Needs) error {
	v, err := vehicleIn(ctx, tx, ride.Vehicle)
	if err != nil {
		return err
	}
	o, err := offerIn(ctx, tx, ride.Offer)
	if err != nil {
		return err
	}
	seats := min(ride.Seats, v.Seats-o.Aboard)
	if mostAboard(stops) > seats || !needs.Met(v.Carries) {
		return errNoSeat
	}
	return CheckStops(stops, seats)
}
