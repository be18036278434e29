package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

var consentsKnown = []ConsentTo{ConsentTerms, ConsentDesk, ConsentCheck, ConsentIO, ConsentMinor}

// putConsent writes down a consent. One that holds already stays as it is.
func putConsent(ctx context.Context, tx *store.Tx, member MemberID, what ConsentTo, how, by string) (Consent, error) {
	if c, ok, err := consentIn(ctx, tx, member, what); err != nil || ok {
		return c, err
	}
	c := Consent{ID: newID("c"), Member: member, What: what, How: how, By: by, At: tx.Now}
	_, err := tx.Exec(ctx, `INSERT INTO carpool_consents (id, member, what, how, by_who, at_ms, withdrawn_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
		c.ID, string(member), string(what), how, by, store.Millis(c.At))
	if err != nil {
		return c, fmt.Errorf("write consent of %s: %w", member, err)
	}
	return c, nil
}

const consentColumns = `id, member, what, how, by_who, at_ms, withdrawn_ms`

func scanConsent(row scanner) (Consent, error) {
	var c Consent
	var at, gone int64
	err := row.Scan(&c.ID, &c.Member, &c.What, &c.How, &c.By, &at, &gone)
	c.At = moment(at)
	if gone != 0 {
		t := moment(gone)
		c.Withdrawn = &t
	}
	return c, err
}

// consentIn is a consent that holds now; false where there is none.
func consentIn(ctx context.Context, tx *store.Tx, member MemberID, what ConsentTo) (Consent, bool, error) {
	c, err := scanConsent(tx.QueryRow(ctx, `SELECT `+consentColumns+` FROM carpool_consents
		WHERE member = $1 AND what = $2 AND withdrawn_ms = 0 ORDER BY at_ms DESC LIMIT 1`, string(member), string(what)))
	if errors.Is(err, sql.ErrNoRows) {
		return Consent{}, false, nil
	}
	if err != nil {
		return Consent{}, false, fmt.Errorf("read consent of %s: %w", member, err)
	}
	return c, true, nil
}

// Consent writes down that a member agrees to something. The desk may write
// down what it was told by voice or on paper, the first consent to act itself
// included; oneself and a guardian agree on the page.
func (p *Members) Consent(ctx context.Context, by By, member MemberID, what ConsentTo, how string) (Consent, error) {
	if !slices.Contains(consentsKnown, what) {
		return Consent{}, fault.New(fault.Invalid, "consent: there is none to that")
	}
	hows := []string{"page"}
	if by.Desk {
		hows = []string{"voice", "paper"}
	}
	if !slices.Contains(hows, how) {
		return Consent{}, fault.New(fault.Invalid, "how: say how the consent was given: %v", hows)
	}
	var out Consent
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.consent.give", Object: string(member), Detail: map[string]string{"to": string(what), "how": how}}, func(tx *store.Tx) error {
		m, err := p.mayConsent(ctx, tx, by, member, what)
		if err != nil {
			return err
		}
		switch {
		case what == ConsentMinor && !m.Minor:
			return fault.New(fault.Invalid, "consent: that of a guardian is for a minor")
		case what == ConsentMinor && !by.Desk && by.Member != m.Guardian:
			return fault.New(fault.Denied, "consent: only the guardian gives it")
		}
		if by.Desk {
			if err := lookIn(ctx, tx, member, by.Account, LookConsent, ""); err != nil {
				return err
			}
		}
		out, err = putConsent(ctx, tx, member, what, how, by.Account)
		return err
	})
	if err != nil {
		return Consent{}, fmt.Errorf("consent: %w", err)
	}
	return out, nil
}

// mayConsent is mayAct, but for the desk's own first consent.
func (p *Members) mayConsent(ctx context.Context, tx *store.Tx, by By, member MemberID, what ConsentTo) (Member, error) {
	if !by.Desk || what != ConsentDesk {
		return mayAct(ctx, tx, by, member)
	}
	m, err := memberIn(ctx, tx, member)
	if err != nil && fault.Of(err) != fault.NotFound {
		return m, err
	}
	if err != nil || m.State == Gone || by.Account == "" || by.Member != "" && by.Member != member {
		return m, errNotYours
	}
	return m, nil
}

// Withdraw ends a consent. Without that to the terms nobody takes part: it
// ends with Forget. Without that to the check of papers the checks are void.
func (p *Members) Withdraw(ctx context.Context, by By, member MemberID, what ConsentTo) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.consent.withdraw", Object: string(member), Detail: map[string]string{"to": string(what)}}, func(tx *store.Tx) error {
		m, err := mayAct(ctx, tx, by, member)
		if err != nil {
			return err
		}
		if what == ConsentTerms {
			return fault.New(fault.Conflict, "consent: to withdraw that to take part, ask for all your data to be deleted")
		}
		res, err := tx.Exec(ctx, `UPDATE carpool_consents SET withdrawn_ms = $3 WHERE member = $1 AND what = $2 AND withdrawn_ms = 0`,
			string(member), string(what), store.Millis(tx.Now))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = fault.New(fault.NotFound, "consent: it was not given, or is withdrawn already")
			}
			return err
		}
		return p.afterWithdrawal(ctx, tx, m, what)
	})
	if err != nil {
		return fmt.Errorf("withdraw consent: %w", err)
	}
	return nil
}

// afterWithdrawal does away with what only the consent allowed.
func (p *Members) afterWithdrawal(ctx context.Context, tx *store.Tx, m Member, what ConsentTo) error {
	switch what {
	case ConsentIO:
		m.Fiscal = ""
		m.Channels = slices.DeleteFunc(m.Channels, func(c Channel) bool { return c == ByIO })
		return putMember(ctx, tx, m)
	case ConsentCheck:
		if err := p.voidChecks(ctx, tx, m.ID, "", "consent withdrawn"); err != nil {
			return err
		}
		return p.cancelRidesOf(ctx, tx, m.ID, "", tx.Now, reasonPapers)
	case ConsentMinor:
		return p.endAllOf(ctx, tx, m.ID, ReasonLeft, true)
	}
	return nil
}

// Consents of a member, the oldest first, withdrawn ones too.
func (p *Members) Consents(ctx context.Context, member MemberID) ([]Consent, error) {
	var out []Consent
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+consentColumns+` FROM carpool_consents WHERE member = $1 ORDER BY at_ms, id`, string(member))
		if err != nil {
			return err
		}
		out, err = all(rows, scanConsent)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	return out, nil
}

// all reads the rows and closes them.
func all[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
