package login

import (
	"context"
	"strings"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// CheckOwn asks for the password of somebody who is signed in already, before
// something that a borrowed screen must not be enough for. Wrong: Denied; too
// many tries: Slow.
func (p *People) CheckOwn(ctx context.Context, person, password string) error {
	_, err := p.own(ctx, person, password)
	return about("check the password of", person, err)
}

func (p *People) own(ctx context.Context, person, password string) (record, error) {
	var r record
	err := p.db.View(ctx, func(tx *store.Tx) (err error) { r, err = p.row(ctx, tx, person); return err })
	if err != nil {
		return r, err
	}
	t := try{name: person, known: "own\x00" + person}
	if wait := p.limits.take(t, p.clock()); wait > 0 {
		p.figures.slowed.Add(1)
		return r, slow(wait)
	}
	ok, err := p.hash.fits(ctx, password, r.password)
	if err != nil {
		return r, err
	}
	if !ok || r.locked {
		p.figures.refused.Add(1)
		ctx = context.WithoutCancel(ctx) // who hangs up is noted all the same
		if err := p.do(ctx, "password.refused", r.name, nil, func(*store.Tx) error { return nil }); err != nil {
			return r, err
		}
		return r, fault.New(fault.Denied, "the password is not right")
	}
	p.limits.give(t)
	return r, nil
}

// SetPassword changes one's own password. All sessions of the account end: the
// caller makes a new one for whoever asked. Tokens stay.
func (p *People) SetPassword(ctx context.Context, person, old, fresh string) error {
	return about("change the password of", person, p.setPassword(ctx, person, old, fresh))
}

func (p *People) setPassword(ctx context.Context, person, old, fresh string) error {
	r, err := p.own(ctx, person, old)
	if err != nil {
		return err
	}
	if err := CheckPassword(person, fresh); err != nil {
		return err
	}
	if old == fresh {
		return fault.New(fault.Invalid, "the new password is the old one; choose another")
	}
	h, err := p.hash.make(ctx, fresh)
	if err != nil {
		return err
	}
	return p.do(ctx, "person.password", person, nil, func(tx *store.Tx) error {
		now, err := p.row(ctx, tx, person)
		if err != nil {
			return err
		}
		if now.password != r.password {
			return fault.New(fault.Conflict, "it was changed by somebody else just now; sign in again")
		}
		for _, q := range []string{endSessions + ` WHERE person = $1`, `DELETE FROM login_invite WHERE person = $1`} {
			if _, err := tx.Exec(ctx, q, person); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE login_person SET password = $2 WHERE name = $1`, person, h.String())
		return err
	})
}

// stranger is who the log names where nobody has signed in yet.
const stranger = "stranger"

// from is ctx of somebody who comes from source and is not signed in.
func from(ctx context.Context, who, source string) context.Context {
	return audit.With(ctx, audit.Actor{Who: who, Via: "sign-in", From: source})
}

// foldName is the name that was typed, as accounts are named.
func foldName(s string) string {
	if len(s) > 4*MaxName {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(s))
}
