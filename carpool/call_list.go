package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// How the call list is worked.
const (
	CallLease   = 15 * time.Minute // an operator has a task for so long
	callPause   = 15 * time.Minute // after the first try without an answer; doubled each time
	callLongest = 2 * time.Hour
	callTrusted = 3 // tries after which the trusted person may be called
	callMost    = 8 // tries; then the office is told that nobody answers
)

// free says whether an operator may take a task now.
func (c Call) free(now time.Time, operator string) bool {
	return c.State == CallOpen || c.State == CallTaken && (c.By == operator || !c.Lease.After(now))
}

// callsWhere reads tasks by one condition, the most urgent first.
func callsWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Call, error) {
	rows, err := tx.Query(ctx, `SELECT `+callColumns+` FROM carpool_calls WHERE `+where+` ORDER BY due_ms, id LIMIT 500`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the call list: %w", err)
	}
	out, err := all(rows, scanCall)
	if err != nil {
		return nil, fmt.Errorf("read the call list: %w", err)
	}
	return out, nil
}

// Calls is the desk's list: all that is to be said to somebody, the most urgent
// first, with whom, and who has it in hand. The number is told to whoever takes
// the task.
func (d *Desk) Calls(ctx context.Context, by By) ([]Call, error) {
	if err := mayDesk(by); err != nil {
		return nil, err
	}
	var out []Call
	err := d.deps.Store.View(ctx, func(tx *store.Tx) (err error) {
		if out, err = callsWhere(ctx, tx, `state IN ('open', 'taken')`); err != nil {
			return err
		}
		for i := range out {
			m, err := memberIn(ctx, tx, out[i].Member)
			if err != nil {
				return err
			}
			out[i].Name = m.First + " " + m.Last
			if out[i].free(tx.Now, by.Account) && out[i].By != by.Account {
				out[i].State, out[i].By = CallOpen, ""
			}
		}
		return nil
	})
	return out, err
}

// CallFigures count the tasks of the call list that are still to be done.
type CallFigures struct {
	Due, Later, Taken int64     // may be tried now, later, or in an operator's hands
	Oldest            time.Time // when the first of those that should have been heard by now was due; zero: none
}

// CallFigures of all comuni, as they are now.
func (d *Desk) CallFigures(ctx context.Context) (CallFigures, error) {
	var f CallFigures
	err := d.deps.Store.View(ctx, func(tx *store.Tx) error {
		f = CallFigures{}
		now := store.Millis(tx.Now)
		var oldest int64
		err := tx.QueryRow(ctx, `SELECT COUNT(CASE WHEN (state = 'open' OR lease_ms <= $1) AND next_ms <= $1 THEN 1 END),
			COUNT(CASE WHEN (state = 'open' OR lease_ms <= $1) AND next_ms > $1 THEN 1 END),
			COUNT(CASE WHEN state = 'taken' AND lease_ms > $1 THEN 1 END),
			COALESCE(MIN(CASE WHEN due_ms <= $1 THEN due_ms END), 0)
			FROM carpool_calls WHERE state IN ('open', 'taken')`, now).Scan(&f.Due, &f.Later, &f.Taken, &oldest)
		f.Oldest = moment(oldest)
		return err
	})
	if err != nil {
		return f, fmt.Errorf("count the call list: %w", err)
	}
	return f, nil
}

// Take gives a task to one operator for a while, with the number to call; after
// some tries without an answer that of the trusted person too. Somebody else
// has it: Conflict.
func (d *Desk) Take(ctx context.Context, by By, id string) (Call, error) {
	if err := mayDesk(by); err != nil {
		return Call{}, err
	}
	var c Call
	err := d.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.call.take", Object: id}, func(tx *store.Tx) error {
		var err error
		if c, err = callOpen(ctx, tx, id); err != nil {
			return err
		}
		if !c.free(tx.Now, by.Account) {
			return fault.New(fault.Conflict, "a colleague has this call in hand")
		}
		m, err := memberIn(ctx, tx, c.Member)
		if err != nil {
			return err
		}
		trusted := m.Trusted
		if m.Phone == "" && m.Guardian != "" {
			if m, err = memberIn(ctx, tx, m.Guardian); err != nil {
				return err
			}
		}
		c.State, c.By, c.Lease = CallTaken, by.Account, tx.Now.Add(CallLease)
		c.Name, c.Phone = m.First+" "+m.Last, m.Phone
		if c.Tries >= callTrusted || c.Kind == WayTextRoadside || c.Kind == WayTextAway { // who may not be where their telephone is
			if c.Trusted = trusted; trusted.Phone == "" {
				c.Trusted = m.Trusted
			}
		}
		if err := lookIn(ctx, tx, m.ID, by.Account, LookCall, c.ID); err != nil {
			return err
		}
		return moveCall(ctx, tx, c)
	})
	if err != nil {
		return Call{}, fmt.Errorf("take a call: %w", err)
	}
	return c, nil
}

// callOpen is a task that is still to be done.
func callOpen(ctx context.Context, tx *store.Tx, id string) (Call, error) {
	c, err := scanCall(tx.QueryRow(ctx, `SELECT `+callColumns+` FROM carpool_calls WHERE id = $1`, sentence(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.New(fault.NotFound, "there is no such call on the list")
	}
	if err == nil && c.State != CallOpen && c.State != CallTaken {
		err = fault.New(fault.Conflict, "this call is done already")
	}
	return c, err
}

// moveCall writes where a task stands.
func moveCall(ctx context.Context, tx *store.Tx, c Call) error {
	_, err := tx.Exec(ctx, `UPDATE carpool_calls SET state = $2, next_ms = $3, taken_by = $4, lease_ms = $5, tries = $6, outcome = $7, note = $8, done_ms = $9, due_ms = $10 WHERE id = $1`,
		c.ID, string(c.State), millis(c.Next), c.By, millis(c.Lease), c.Tries, string(c.Outcome), c.Note, millis(c.Done), millis(c.Due))
	if err != nil {
		return fmt.Errorf("write call %s: %w", c.ID, err)
	}
	return nil
}

// Outcome says what came of a call that one has taken. The note is for
// whoever is there next, and goes with the task.
func (d *Desk) Outcome(ctx context.Context, by By, id string, o CallOutcome, note string) error {
	if err := mayDesk(by); err != nil {
		return err
	}
	note, err := cleanText("note", note, d.cfg.Limits.Note, false)
	if err != nil {
		return err
	}
	err = d.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.call.outcome", Object: id, Detail: map[string]string{"outcome": string(o)}}, func(tx *store.Tx) error {
		c, err := callOpen(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.State != CallTaken || c.By != by.Account {
			return fault.New(fault.Conflict, "take this call first")
		}
		if c, err = c.after(o, note, tx.Now); err != nil {
			return err
		}
		if err := moveCall(ctx, tx, c); err != nil {
			return err
		}
		switch c.State {
		case CallFailed:
			return flagReport(ctx, tx, Report{About: c.Member, Kind: ReportUnreached})
		case CallDone:
			if c.Notice == "" {
				return nil
			}
			_, err := tx.Exec(ctx, `UPDATE carpool_notices SET shown_ms = $2 WHERE id = $1 AND shown_ms = 0`, c.Notice, store.Millis(tx.Now))
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("outcome of a call: %w", err)
	}
	return nil
}

// after is a task after a try.
func (c Call) after(o CallOutcome, note string, now time.Time) (Call, error) {
	c.Outcome, c.Note, c.By, c.Lease, c.State = o, note, "", time.Time{}, CallOpen
	switch o {
	case CallReached:
		c.Tries++
		c.State, c.Done, c.Note = CallDone, now, ""
	case CallNoAnswer:
		c.Tries++
		c.Next = now.Add(min(callPause<<min(c.Tries-1, 10), callLongest))
		if c.Tries >= callMost {
			c.State, c.Done = CallFailed, now
		}
	case CallWrong:
		c.Tries++
		c.State, c.Done = CallFailed, now
	case CallLater:
		c.Next = now.Add(callLongest)
	case CallPassed:
	default:
		return c, fault.New(fault.Invalid, "outcome: reached, no-answer, wrong-number, later or passed")
	}
	return c, nil
}
