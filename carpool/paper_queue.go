package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// CheckView is a check as an officer sees it: the names and the car that stand
// on the papers, and nothing else of the person.
type CheckView struct {
	Check
	Name     string       `json:"name"` // as on the licence
	Plate    string       `json:"plate"`
	Label    string       `json:"label"`
	Class    VehicleClass `json:"class"`
	Pictures []Picture    `json:"pictures"` // without what they show
}

// Queue are the checks that wait, the oldest first. Each name on it counts as
// a look, once an hour. Only drivers of comuni that in allows are on it.
func (t *Trust) Queue(ctx context.Context, officer By, in func(comune string) bool) ([]CheckView, error) {
	if err := mayOffice(officer); err != nil {
		return nil, err
	}
	var out []CheckView
	err := t.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		out = []CheckView{}
		waiting, err := checksWhere(ctx, tx, `state = $1`, string(CheckWaiting))
		if err != nil {
			return err
		}
		for _, c := range waiting {
			m, err := memberIn(ctx, tx, c.Driver)
			if err != nil {
				return err
			}
			if !in(m.Comune) {
				continue
			}
			v, err := t.view(ctx, tx, c)
			if err != nil {
				return err
			}
			if err := lookOnce(ctx, tx, c.Driver, officer.Account, LookQueue, c.ID); err != nil {
				return err
			}
			out = append(out, v)
		}
		return t.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.papers.queue", Detail: map[string]string{"waiting": fmt.Sprint(len(out))}})
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue of papers: %w", err)
	}
	return out, nil
}

func (t *Trust) view(ctx context.Context, tx *store.Tx, c Check) (CheckView, error) {
	m, err := memberIn(ctx, tx, c.Driver)
	if err != nil {
		return CheckView{}, err
	}
	v, err := vehicleIn(ctx, tx, c.Vehicle)
	if err != nil {
		return CheckView{}, err
	}
	pictures, err := pictureNames(ctx, tx, c.ID)
	return CheckView{Check: c, Name: m.First + " " + m.Last, Plate: v.Plate, Label: v.Label, Class: v.Class, Pictures: pictures}, err
}

// waitingIn is a check of the queue, for an officer who is not the driver.
// What was decided is no longer theirs to see.
func waitingIn(ctx context.Context, tx *store.Tx, officer By, id string) (Check, error) {
	found, err := checksWhere(ctx, tx, `id = $1 AND state = $2`, sentence(id), string(CheckWaiting))
	if err != nil {
		return Check{}, err
	}
	if len(found) == 0 {
		return Check{}, fault.New(fault.NotFound, "no such papers wait in the queue")
	}
	m, err := memberIn(ctx, tx, found[0].Driver)
	if err == nil && m.Account == officer.Account {
		err = fault.New(fault.Denied, "these are your own papers; another officer looks at them")
	}
	return found[0], err
}

// Look shows one check of the queue. It is audited, and the driver sees who
// looked.
func (t *Trust) Look(ctx context.Context, officer By, id string) (CheckView, error) {
	if err := mayOffice(officer); err != nil {
		return CheckView{}, err
	}
	var out CheckView
	err := t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.papers.look", Object: id}, func(tx *store.Tx) error {
		c, err := waitingIn(ctx, tx, officer, id)
		if err != nil {
			return err
		}
		if err := lookIn(ctx, tx, c.Driver, officer.Account, LookPapers, c.ID); err != nil {
			return err
		}
		out, err = t.view(ctx, tx, c)
		return err
	})
	if err != nil {
		return CheckView{}, fmt.Errorf("look at papers: %w", err)
	}
	return out, nil
}

// Picture shows one picture of a check of the queue.
func (t *Trust) Picture(ctx context.Context, officer By, check, picture string) (Picture, error) {
	if err := mayOffice(officer); err != nil {
		return Picture{}, err
	}
	var out Picture
	err := t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.papers.picture", Object: check}, func(tx *store.Tx) error {
		c, err := waitingIn(ctx, tx, officer, check)
		if err != nil {
			return err
		}
		out = Picture{ID: picture}
		err = tx.QueryRow(ctx, `SELECT kind, media, data FROM carpool_pictures WHERE id = $1 AND check_id = $2`, sentence(picture), c.ID).Scan(&out.Kind, &out.Media, &out.Data)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such picture")
		}
		if err != nil {
			return err
		}
		return lookIn(ctx, tx, c.Driver, officer.Account, LookPicture, c.ID)
	})
	if err != nil {
		return Picture{}, fmt.Errorf("look at a picture: %w", err)
	}
	return out, nil
}

// Decision of an officer on papers. The dates are those that the officer read;
// left out, those that the driver wrote.
type Decision struct {
	Pass       bool
	Licence    Date
	Insurance  Date
	Roadworthy Date
	Reason     string // of a refusal, for the driver
}

// Decide ends a check. The pictures go with it, in the same transaction; the
// dates and the outcome stay.
func (t *Trust) Decide(ctx context.Context, officer By, id string, d Decision) (Check, error) {
	if err := mayOffice(officer); err != nil {
		return Check{}, err
	}
	reason, err := cleanText("reason", d.Reason, t.cfg.Limits.Note, !d.Pass)
	if err != nil {
		return Check{}, err
	}
	var c Check
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.papers.decide", Object: id, Detail: map[string]string{"pass": fmt.Sprint(d.Pass)}}, func(tx *store.Tx) error {
		var err error
		if c, err = waitingIn(ctx, tx, officer, id); err != nil {
			return err
		}
		for _, f := range []struct{ have, read *Date }{{&c.Licence, &d.Licence}, {&c.Insurance, &d.Insurance}, {&c.Roadworthy, &d.Roadworthy}} {
			if *f.read != "" {
				*f.have = *f.read
			}
		}
		c.State, c.Reason, c.Officer = CheckRefused, reason, officer.Account
		now := tx.Now
		c.Decided = &now
		told := NoticeCheckRefused
		if d.Pass {
			if err := checkPapers(c, DateOf(tx.Now, t.cfg.Location)); err != nil {
				return err
			}
			c.State, c.Reason, told = CheckPassed, "", NoticeCheckPassed
			if _, err := tx.Exec(ctx, `UPDATE carpool_checks SET state = $3, reason = 'newer papers' WHERE driver = $1 AND vehicle = $2 AND state = $4`,
				string(c.Driver), string(c.Vehicle), string(CheckVoid), string(CheckPassed)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE carpool_checks SET state = $2, licence = $3, insurance = $4, roadworthy = $5, reason = $6, officer = $7, decided_ms = $8 WHERE id = $1`,
			c.ID, string(c.State), string(c.Licence), string(c.Insurance), string(c.Roadworthy), c.Reason, c.Officer, store.Millis(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM carpool_pictures WHERE check_id = $1`, c.ID); err != nil {
			return err
		}
		if err := t.riskRides(ctx, tx, c.Driver, c.Vehicle); err != nil {
			return err
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: string(told) + ":" + c.ID, Member: c.Driver, Kind: told, With: map[string]string{WithVehicle: string(c.Vehicle), WithUntil: string(c.Until())}})
	})
	if err != nil {
		return Check{}, fmt.Errorf("decide on papers: %w", err)
	}
	return c, nil
}
