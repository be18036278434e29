package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// mostOnce is the longest mark of a form.
const mostOnce = 100

// once is what makes a form that is sent twice do its work once: the mark that
// the form carries, for what it does and for who sends it.
type once string

// onceOf is the mark of one form; "" where the form has none, and then each
// sending counts.
func onceOf(what string, by By, mark string) (once, error) {
	if len(mark) > mostOnce {
		return "", fault.New(fault.Invalid, "once: at most %d signs; load the page again", mostOnce)
	}
	if mark == "" {
		return "", nil
	}
	return once(fmt.Sprintf("%s:%s:%s:%s", what, by.Account, by.Member, sentence(mark))), nil
}

// done gives the name of what the form made when it was sent before.
func (o once) done(ctx context.Context, tx *store.Tx) (string, bool, error) {
	if o == "" {
		return "", false, nil
	}
	var result string
	err := tx.QueryRow(ctx, `SELECT result FROM carpool_once WHERE key = $1`, string(o)).Scan(&result)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return result, err == nil, err
}

// note keeps the name of what the form made.
func (o once) note(ctx context.Context, tx *store.Tx, result string) error {
	return o.noteAt(ctx, tx, result, tx.Now)
}

// noteAt is note of what is kept from a moment to come on.
func (o once) noteAt(ctx context.Context, tx *store.Tx, result string, at time.Time) error {
	if o == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO carpool_once (key, result, at_ms) VALUES ($1, $2, $3)`, string(o), result, store.Millis(at))
	return err
}
