package carpool

import (
	"context"
	"errors"
	"fmt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/store"
)

// reasonPapers is why a ride may not take place, and why it was cancelled,
// where papers are missing: a key of words.
const reasonPapers = "papers"

// validUntil is the last day for which a driver's car has papers; "" for none.
func validUntil(ctx context.Context, tx *store.Tx, driver MemberID, vehicle VehicleID) (Date, error) {
	passed, err := checksWhere(ctx, tx, `driver = $1 AND vehicle = $2 AND state = $3`, string(driver), string(vehicle), string(CheckPassed))
	if err != nil {
		return "", err
	}
	until := Date("")
	for _, c := range passed {
		until = max(until, c.Until())
	}
	return until, nil
}

// riskOf is the mark of a ride of a car with papers up to a day.
func (b base) riskOf(r Ride, until Date) string {
	if DateOf(r.Depart, b.cfg.Location) > until {
		return reasonPapers
	}
	return ""
}

// riskRides marks the rides to come of a car after the last day of its papers,
// takes the mark from the others, and tells who booked them of both.
func (b base) riskRides(ctx context.Context, tx *store.Tx, driver MemberID, vehicle VehicleID) error {
	until, err := validUntil(ctx, tx, driver, vehicle)
	if err != nil {
		return err
	}
	rides, err := ridesWhere(ctx, tx, `driver = $1 AND vehicle = $2 AND state = 'open' AND depart_ms >= $3`, string(driver), string(vehicle), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	changed := 0
	for _, r := range rides {
		risk := b.riskOf(r, until)
		if r.Risk == risk || risk == "" && r.Risk != reasonPapers {
			continue
		}
		changed++
		if _, err := tx.Exec(ctx, `UPDATE carpool_rides SET risk = $2 WHERE id = $1`, string(r.ID), risk); err != nil {
			return fmt.Errorf("mark ride %s: %w", r.ID, err)
		}
		kind := NoticeAtRisk
		if risk == "" {
			kind = NoticeSafe
		}
		if err := b.tellRisk(ctx, tx, r, kind); err != nil {
			return err
		}
	}
	if changed == 0 {
		return nil
	}
	return b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.ride.risk", Object: string(vehicle), Detail: map[string]string{"rides": fmt.Sprint(changed)}})
}

// tellRisk tells those who booked a ride that it may not take place, or that it
// does after all.
func (b base) tellRisk(ctx context.Context, tx *store.Tx, r Ride, kind NoticeKind) error {
	booked, err := bookingsWhere(ctx, tx, `ride = $1 AND state IN ('asked', 'accepted')`, string(r.ID))
	if err != nil {
		return err
	}
	for _, k := range booked {
		err := Tell(ctx, tx, b.deps.Outbox, Notice{Key: fmt.Sprintf("%s:%s:%d", kind, k.ID, store.Millis(tx.Now)), Member: k.Rider, Kind: kind, Due: k.Pickup.At,
			With: map[string]string{WithRide: string(r.ID), WithBooking: string(k.ID), WithReason: reasonPapers}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Round does what is due about papers: from Config.AtRisk before the last valid
// day the driver is told and rides after it are at risk; on that day they are
// cancelled and their riders matched again; after it the check is over. Once a day
// it looks for disguised taxis. To run it again changes nothing; the failure of
// one step takes nothing from the others.
func (t *Trust) Round(ctx context.Context) error {
	var due []Check
	err := t.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		soon := DateOf(tx.Now.Add(t.cfg.AtRisk), t.cfg.Location)
		due, err = checksWhere(ctx, tx, `state = $1 AND (licence <= $2 OR insurance <= $2 OR roadworthy <= $2)`, string(CheckPassed), string(soon))
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range due {
		if err := t.deps.Audit.Tx(ctx, func(tx *store.Tx) error { return t.expire(ctx, tx, c.ID) }); err != nil {
			errs = append(errs, fmt.Errorf("check %s runs out: %w", c.ID, err))
		}
	}
	if err := t.cancelAtRisk(ctx); err != nil {
		errs = append(errs, err)
	}
	if err := t.roundTaxi(ctx); err != nil {
		errs = append(errs, fmt.Errorf("look for patterns: %w", err))
	}
	return errors.Join(errs...)
}

// cancelAtRisk cancels rides that leave within Config.AskDrivers and have no
// papers still, so that there is time to find their riders another way.
func (t *Trust) cancelAtRisk(ctx context.Context) error {
	var near []Ride
	err := t.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		near, err = ridesWhere(ctx, tx, `state = 'open' AND risk = $1 AND depart_ms >= $2 AND depart_ms < $3`, reasonPapers,
			store.Millis(tx.Now), store.Millis(tx.Now.Add(t.cfg.AskDrivers)))
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range near {
		err := t.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
			now, err := rideIn(ctx, tx, r.ID)
			if err != nil || now.State != RideOpen || now.Risk != reasonPapers {
				return err
			}
			until, err := validUntil(ctx, tx, r.Driver, r.Vehicle)
			if err != nil || DateOf(now.Depart, t.cfg.Location) <= until {
				return err
			}
			return t.cancelRideIn(ctx, tx, now, string(AsProgram), reasonPapers)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("cancel ride %s at risk: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// expire does what is due of one check.
func (t *Trust) expire(ctx context.Context, tx *store.Tx, id string) error {
	found, err := checksWhere(ctx, tx, `id = $1 AND state = $2`, id, string(CheckPassed))
	if err != nil || len(found) == 0 {
		return err
	}
	c, today := found[0], DateOf(tx.Now, t.cfg.Location)
	if DateOf(tx.Now.Add(t.cfg.AtRisk), t.cfg.Location) < c.Until() {
		return nil
	}
	if err := Tell(ctx, tx, t.deps.Outbox, Notice{Key: "check-due:" + c.ID, Member: c.Driver, Kind: NoticeCheckDue,
		With: map[string]string{WithVehicle: string(c.Vehicle), WithUntil: string(c.Until())}}); err != nil {
		return err
	}
	if err := t.riskRides(ctx, tx, c.Driver, c.Vehicle); err != nil {
		return err
	}
	var over int64
	if err := tx.QueryRow(ctx, `SELECT over_ms FROM carpool_checks WHERE id = $1`, id).Scan(&over); err != nil {
		return err
	}
	if today >= c.Until() {
		after, err := Clock("00:00").On(c.Until().Plus(1), t.cfg.Location)
		if err != nil {
			return err
		}
		if err := t.cancelRidesOf(ctx, tx, c.Driver, c.Vehicle, after, reasonPapers); err != nil {
			return err
		}
	}
	if today >= c.Until() && over == 0 {
		if _, err := tx.Exec(ctx, `UPDATE carpool_checks SET over_ms = $2 WHERE id = $1`, id, store.Millis(tx.Now)); err != nil {
			return err
		}
		if err := t.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.papers.over", Object: id, Detail: map[string]string{"until": string(c.Until())}}); err != nil {
			return err
		}
	}
	if today <= c.Until() {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE carpool_checks SET state = $2 WHERE id = $1`, id, string(CheckOver)); err != nil {
		return err
	}
	return t.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.papers.expire", Object: id})
}
