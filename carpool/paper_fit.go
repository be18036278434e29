package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const checkColumns = `id, driver, vehicle, state, licence, insurance, roadworthy, reason, officer, asked_ms, decided_ms`

func scanCheck(row scanner) (Check, error) {
	var c Check
	var asked, decided int64
	err := row.Scan(&c.ID, &c.Driver, &c.Vehicle, &c.State, &c.Licence, &c.Insurance, &c.Roadworthy, &c.Reason, &c.Officer, &asked, &decided)
	c.Asked = moment(asked)
	if decided != 0 {
		t := moment(decided)
		c.Decided = &t
	}
	return c, err
}

// fitIn says whether somebody may drive a car on a day: Denied, with words for
// the driver, where they may not.
func fitIn(ctx context.Context, tx *store.Tx, driver MemberID, vehicle VehicleID, on Date) error {
	m, err := memberIn(ctx, tx, driver)
	if err != nil {
		return err
	}
	v, err := vehicleIn(ctx, tx, vehicle)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT `+checkColumns+` FROM carpool_checks WHERE driver = $1 AND vehicle = $2 AND state IN ('waiting', 'passed')`,
		string(driver), string(vehicle))
	if err != nil {
		return fmt.Errorf("read checks of %s: %w", vehicle, err)
	}
	checks, err := all(rows, scanCheck)
	if err != nil {
		return fmt.Errorf("read checks of %s: %w", vehicle, err)
	}
	return fit(m, v, checks, on)
}

// fit decides it.
func fit(m Member, v Vehicle, checks []Check, on Date) error {
	switch {
	case m.State == Suspended:
		return fault.New(fault.Denied, "you are suspended from driving and riding; the reason stands on your page, where you can answer it")
	case m.State != Active || m.Minor:
		return fault.New(fault.Denied, "this person does not drive here")
	case v.Driver != m.ID || v.Gone:
		return fault.New(fault.Denied, "this car is not one of yours")
	}
	waiting, over := false, Date("")
	for _, c := range checks {
		if c.Driver != m.ID || c.Vehicle != v.ID {
			continue
		}
		switch {
		case c.State == CheckPassed && c.Until() >= on:
			return nil
		case c.State == CheckPassed:
			over = max(over, c.Until())
		case c.State == CheckWaiting:
			waiting = true
		}
	}
	switch {
	case waiting:
		return fault.New(fault.Denied, "the Polizia Locale has not looked at your papers yet; you will be told")
	case over != "":
		return fault.New(fault.Denied, "a paper of this car or your licence runs out on %s; send the new one to the Polizia Locale", over)
	}
	return fault.New(fault.Denied, "the Polizia Locale must look at your licence, insurance and roadworthiness first; send them from your page")
}
