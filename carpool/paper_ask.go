package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const (
	asksADay    = 6  // checks that one driver may ask for in a day
	papersYears = 15 // no paper is valid for longer
)

// checkPapers refuses dates that no valid papers have.
func checkPapers(c Check, today Date) error {
	most := today.Plus(papersYears * 366)
	for _, d := range []struct {
		field string
		date  Date
	}{{"licence", c.Licence}, {"insurance", c.Insurance}, {"roadworthiness", c.Roadworthy}} {
		if err := d.date.Check(); err != nil {
			return fault.New(fault.Invalid, "%s: %w", d.field, err)
		}
		if d.date < today {
			return fault.New(fault.Invalid, "%s: it ran out on %s; send the new one", d.field, d.date)
		}
		if d.date > most {
			return fault.New(fault.Invalid, "%s: nothing is valid until %s; look again", d.field, d.date)
		}
	}
	return nil
}

// Ask puts the papers of a driver and a car in the queue of the Polizia Locale:
// the last valid days and pictures, if any; who sends none shows the papers at
// the station. The driver has agreed to it before. An earlier one that waits
// gives way, one that passed holds on until the decision.
func (t *Trust) Ask(ctx context.Context, by By, vehicle VehicleID, papers Check, pictures []Picture) (Check, error) {
	if len(pictures) > MaxPictures {
		return Check{}, fault.New(fault.Invalid, "pictures: at most %d", MaxPictures)
	}
	// Nobody makes the program draw pictures before it is known that they may.
	err := t.deps.Store.View(ctx, func(tx *store.Tx) error {
		m, _, err := t.mayAsk(ctx, tx, by, vehicle)
		if err != nil {
			return err
		}
		return sentToday(ctx, tx, m.ID)
	})
	if err != nil {
		return Check{}, fmt.Errorf("ask for a check: %w", err)
	}
	clean := make([]Picture, 0, len(pictures))
	for _, p := range pictures {
		c, err := cleanPicture(ctx, p)
		if err != nil {
			return Check{}, err
		}
		clean = append(clean, c)
	}
	c := Check{ID: newID("d"), Vehicle: vehicle, State: CheckWaiting, Licence: papers.Licence, Insurance: papers.Insurance, Roadworthy: papers.Roadworthy}
	detail := map[string]string{"vehicle": string(vehicle), "pictures": fmt.Sprint(len(clean))}
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.papers.ask", Object: c.ID, Detail: detail}, func(tx *store.Tx) error {
		m, consent, err := t.mayAsk(ctx, tx, by, vehicle)
		if err != nil {
			return err
		}
		if err := checkPapers(c, DateOf(tx.Now, t.cfg.Location)); err != nil {
			return err
		}
		if err := sentToday(ctx, tx, m.ID); err != nil {
			return err
		}
		if err := dropPictures(ctx, tx, m.ID, vehicle); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE carpool_checks SET state = $3, reason = 'sent anew' WHERE driver = $1 AND vehicle = $2 AND state = $4`,
			string(m.ID), string(vehicle), string(CheckVoid), string(CheckWaiting)); err != nil {
			return err
		}
		c.Driver, c.Asked = m.ID, tx.Now
		if _, err := tx.Exec(ctx, `INSERT INTO carpool_checks (`+checkColumns+`, consent, over_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', $8, 0, $9, 0)`,
			c.ID, string(c.Driver), string(c.Vehicle), string(c.State), string(c.Licence), string(c.Insurance), string(c.Roadworthy), store.Millis(c.Asked), consent.ID); err != nil {
			return err
		}
		for _, p := range clean {
			if err := putPicture(ctx, tx, c.ID, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Check{}, fmt.Errorf("ask for a check: %w", err)
	}
	return c, nil
}

// MaySend says whether a member may send papers now, before a picture of theirs
// is read.
func (t *Trust) MaySend(ctx context.Context, by By) error {
	err := t.deps.Store.View(ctx, func(tx *store.Tx) error {
		m, err := mayAct(ctx, tx, by, by.Member)
		if err != nil {
			return err
		}
		return sentToday(ctx, tx, m.ID)
	})
	if err != nil {
		return fmt.Errorf("send papers: %w", err)
	}
	return nil
}

// sentToday refuses a driver who has asked for enough checks in a day.
func sentToday(ctx context.Context, tx *store.Tx, driver MemberID) error {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_checks WHERE driver = $1 AND asked_ms > $2`, string(driver), store.Millis(tx.Now.Add(-24*time.Hour))).Scan(&n); err != nil {
		return fmt.Errorf("count the checks of %s: %w", driver, err)
	}
	if n >= asksADay {
		return fault.New(fault.Conflict, "you have sent papers %d times today; wait for the answer, or go to the station", n)
	}
	return nil
}

// mayAsk is whose papers may be sent: of one's own car, with consent.
func (t *Trust) mayAsk(ctx context.Context, tx *store.Tx, by By, vehicle VehicleID) (Member, Consent, error) {
	v, err := vehicleIn(ctx, tx, vehicle)
	if err != nil && fault.Of(err) != fault.NotFound {
		return Member{}, Consent{}, err
	}
	if err != nil || v.Gone {
		return Member{}, Consent{}, errNotYours
	}
	m, err := mayAct(ctx, tx, by, v.Driver)
	if err != nil {
		return m, Consent{}, err
	}
	c, ok, err := consentIn(ctx, tx, m.ID, ConsentCheck)
	if err == nil && !ok {
		err = fault.New(fault.Denied, "consent: agree first that the Polizia Locale looks at your papers")
	}
	return m, c, err
}

// Mine are the checks of a driver, the newest first.
func (t *Trust) Mine(ctx context.Context, driver MemberID) ([]Check, error) {
	var out []Check
	err := t.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		out, err = checksWhere(ctx, tx, `driver = $1`, string(driver))
		slices.Reverse(out)
		return err
	})
	return out, err
}

// checksWhere reads checks by one condition on their columns, the oldest first.
func checksWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Check, error) {
	rows, err := tx.Query(ctx, `SELECT `+checkColumns+` FROM carpool_checks WHERE `+where+` ORDER BY asked_ms, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read checks: %w", err)
	}
	out, err := all(rows, scanCheck)
	if err != nil {
		return nil, fmt.Errorf("read checks: %w", err)
	}
	return out, nil
}
