package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/store"
)

// voidChecks ends the checks of a driver's car, or of all cars for "", with the
// pictures that wait. The rides to come are at risk.
func (b base) voidChecks(ctx context.Context, tx *store.Tx, driver MemberID, vehicle VehicleID, why string) error {
	if err := dropPictures(ctx, tx, driver, vehicle); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE carpool_checks SET state = 'void', reason = $3 WHERE driver = $1 AND ($2 = '' OR vehicle = $2) AND state IN ('waiting', 'passed')`,
		string(driver), string(vehicle), why)
	if err != nil {
		return fmt.Errorf("void checks of %s: %w", driver, err)
	}
	cars, err := vehiclesIn(ctx, tx, driver)
	if err != nil {
		return err
	}
	for _, v := range cars {
		if vehicle != "" && v.ID != vehicle {
			continue
		}
		if err := b.riskRides(ctx, tx, driver, v.ID); err != nil {
			return err
		}
	}
	return nil
}

// dropPictures of the checks of a driver's car, or of all cars for "".
func dropPictures(ctx context.Context, tx *store.Tx, driver MemberID, vehicle VehicleID) error {
	_, err := tx.Exec(ctx, `DELETE FROM carpool_pictures WHERE check_id IN (SELECT id FROM carpool_checks WHERE driver = $1 AND ($2 = '' OR vehicle = $2))`,
		string(driver), string(vehicle))
	if err != nil {
		return fmt.Errorf("drop pictures of %s: %w", driver, err)
	}
	return nil
}
