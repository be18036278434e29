package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// CodeCall is somebody who joins by a telephone that takes no texts: the desk
// calls and reads out a code. They are no member yet, so that there is no name;
// the code is made when an operator takes the call, and kept nowhere.
type CodeCall struct {
	ID      string
	Account string // that the number is to sign in to
	Phone   string // told to whoever takes the call
	Comune  string
	Asked   time.Time
	Until   time.Time // forgotten then
	By      string    // operator who has it
	Lease   time.Time
	Tries   int
}

// Bounds of calls with codes: a stranger can write down any number.
const (
	codeCallFor   = 24 * time.Hour
	codeCallPhone = 2  // to one number within that time
	codeCallOpen  = 30 // that wait, of the whole union
	codeCallTries = 3  // for one account
)

const codeCallColumns = `id, account, phone, comune, asked_ms, until_ms, taken_by, lease_ms, tries`

func scanCodeCall(row scanner) (CodeCall, error) {
	var c CodeCall
	var asked, until, lease int64
	err := row.Scan(&c.ID, &c.Account, &c.Phone, &c.Comune, &asked, &until, &c.By, &lease, &c.Tries)
	c.Asked, c.Until, c.Lease = moment(asked), moment(until), moment(lease)
	return c, err
}

// AskCode puts a stranger on the list of those whom the desk calls with a code.
// Who waits already goes on to; who was called may ask again, thrice in all. Too
// many: Conflict; they call the desk.
func (d *Desk) AskCode(ctx context.Context, account, phone, comune string) error {
	phone, err := contact.Phone(phone)
	if err != nil {
		return err
	}
	if account == "" || comune == "" {
		return fault.New(fault.Internal, "code call: an account and a comune must be given")
	}
	err = d.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.code.ask", Object: account}, func(tx *store.Tx) error {
		var mine, same, open int
		err := tx.QueryRow(ctx, `SELECT COUNT(CASE WHEN account = $1 AND state = 'open' THEN 1 END), COUNT(CASE WHEN phone = $2 AND account <> $1 THEN 1 END),
			COUNT(CASE WHEN state = 'open' THEN 1 END) FROM carpool_code_calls WHERE until_ms > $3`, account, phone, store.Millis(tx.Now)).Scan(&mine, &same, &open)
		switch {
		case err != nil || mine > 0:
			return err
		case same >= codeCallPhone || open >= codeCallOpen:
			return fault.New(fault.Conflict, "code call: too many wait already; call the desk")
		}
		res, err := tx.Exec(ctx, `INSERT INTO carpool_code_calls (id, account, phone, comune, state, asked_ms, until_ms, taken_by, lease_ms, tries)
			VALUES ($1, $2, $3, $4, 'open', $5, $6, '', 0, 0) ON CONFLICT (account) DO UPDATE SET state = 'open' WHERE carpool_code_calls.tries < $7`,
			newID("w"), account, phone, comune, store.Millis(tx.Now), store.Millis(tx.Now.Add(codeCallFor)), codeCallTries)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.New(fault.Conflict, "code call: this number was called already; call the desk"))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ask for a call with a code: %w", err)
	}
	return nil
}

// CodeCalls are those who wait for a call with a code, the longest first,
// without their numbers.
func (d *Desk) CodeCalls(ctx context.Context, by By) ([]CodeCall, error) {
	if err := mayDesk(by); err != nil {
		return nil, err
	}
	var out []CodeCall
	err := d.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+codeCallColumns+` FROM carpool_code_calls WHERE state = 'open' AND until_ms > $1 ORDER BY asked_ms, id`, store.Millis(tx.Now))
		if err != nil {
			return err
		}
		if out, err = all(rows, scanCodeCall); err != nil {
			return err
		}
		for i := range out {
			out[i].Phone = ""
			if !out[i].Lease.After(tx.Now) {
				out[i].By = ""
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the calls with codes: %w", err)
	}
	return out, nil
}

// TakeCode gives such a call to one operator for a while, with the number. A
// colleague has it: Conflict.
func (d *Desk) TakeCode(ctx context.Context, by By, id string) (CodeCall, error) {
	var c CodeCall
	err := d.codeCall(ctx, by, "carpool.code.take", id, nil, func(tx *store.Tx, was CodeCall) error {
		if was.By != "" && was.By != by.Account && was.Lease.After(tx.Now) {
			return fault.New(fault.Conflict, "a colleague has this call in hand")
		}
		c = was
		c.By, c.Lease = by.Account, tx.Now.Add(CallLease)
		_, err := tx.Exec(ctx, `UPDATE carpool_code_calls SET taken_by = $2, lease_ms = $3 WHERE id = $1`, c.ID, c.By, store.Millis(c.Lease))
		return err
	})
	return c, err
}

// EndCode says what came of a call with a code that one has taken: it was heard,
// nobody answered, or the number is wrong.
func (d *Desk) EndCode(ctx context.Context, by By, id string, o CallOutcome) error {
	if o != CallReached && o != CallNoAnswer && o != CallWrong {
		return fault.New(fault.Invalid, "outcome: reached, no-answer or wrong-number")
	}
	return d.codeCall(ctx, by, "carpool.code.outcome", id, map[string]string{"outcome": string(o)}, func(tx *store.Tx, c CodeCall) error {
		if c.By != by.Account {
			return fault.New(fault.Conflict, "take this call first")
		}
		state := "done"
		if c.Tries++; o == CallNoAnswer && c.Tries < codeCallTries {
			state = "open"
		}
		if o == CallWrong {
			c.Tries = codeCallTries // nor is it called again
		}
		_, err := tx.Exec(ctx, `UPDATE carpool_code_calls SET state = $2, tries = $3, taken_by = '', lease_ms = 0 WHERE id = $1`, c.ID, state, c.Tries)
		return err
	})
}

// codeCall does something to a call that waits, and writes it down.
func (d *Desk) codeCall(ctx context.Context, by By, action, id string, detail map[string]string, do func(tx *store.Tx, c CodeCall) error) error {
	if err := mayDesk(by); err != nil {
		return err
	}
	err := d.deps.Audit.Do(ctx, audit.Entry{Action: action, Object: sentence(id), Detail: detail}, func(tx *store.Tx) error {
		c, err := scanCodeCall(tx.QueryRow(ctx, `SELECT `+codeCallColumns+` FROM carpool_code_calls WHERE id = $1 AND state = 'open' AND until_ms > $2`, sentence(id), store.Millis(tx.Now)))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such call on the list")
		}
		if err != nil {
			return err
		}
		return do(tx, c)
	})
	if err != nil {
		return fmt.Errorf("call with a code: %w", err)
	}
	return nil
}
