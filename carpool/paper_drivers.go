package carpool

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/store"
)

// DriverState is a driver as the office counts them: by a name that says
// nothing, with where the papers of each car stand.
type DriverState struct {
	ID     MemberID      `json:"id"`
	State  MemberState   `json:"state"`
	Checks []DriverCheck `json:"checks"` // the newest of each car in use; a car without one is not there
}

// DriverCheck is where the papers of a car stand.
type DriverCheck struct {
	Vehicle VehicleID  `json:"vehicle"`
	State   CheckState `json:"state"`
	Until   Date       `json:"until"`
}

// Drivers are those who have a car in use, by their names, without anything
// personal.
func (t *Trust) Drivers(ctx context.Context, by By) ([]DriverState, error) {
	if err := mayOffice(by); err != nil {
		return nil, err
	}
	var out []DriverState
	err := t.deps.Store.View(ctx, func(tx *store.Tx) error {
		out = []DriverState{}
		rows, err := tx.Query(ctx, `SELECT id, state FROM carpool_members WHERE state <> $1
			AND id IN (SELECT driver FROM carpool_vehicles WHERE gone_ms = 0) ORDER BY id`, string(Gone))
		if err != nil {
			return err
		}
		if out, err = all(rows, func(row scanner) (DriverState, error) {
			d := DriverState{Checks: []DriverCheck{}}
			err := row.Scan(&d.ID, &d.State)
			return d, err
		}); err != nil {
			return err
		}
		for i := range out {
			if out[i].Checks, err = driverChecks(ctx, tx, out[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read drivers: %w", err)
	}
	return out, nil
}

// driverChecks are the newest checks of the cars that somebody uses.
func driverChecks(ctx context.Context, tx *store.Tx, driver MemberID) ([]DriverCheck, error) {
	checks, err := checksWhere(ctx, tx, `driver = $1 AND vehicle IN (SELECT id FROM carpool_vehicles WHERE gone_ms = 0)`, string(driver))
	if err != nil {
		return nil, err
	}
	newest := map[VehicleID]Check{}
	for _, c := range checks {
		if old, ok := newest[c.Vehicle]; !ok || c.Asked.After(old.Asked) {
			newest[c.Vehicle] = c
		}
	}
	out := []DriverCheck{}
	for _, c := range newest {
		out = append(out, DriverCheck{c.Vehicle, c.State, c.Until()})
	}
	slices.SortFunc(out, func(a, b DriverCheck) int { return strings.Compare(string(a.Vehicle), string(b.Vehicle)) })
	return out, nil
}
