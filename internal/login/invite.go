package login

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Invitation lets somebody choose a password for an account. The code is told
// once and can be used once.
type Invitation struct {
	Person string    `json:"person"`
	Code   string    `json:"code"`
	Until  time.Time `json:"until"`
}

// Invite makes an account that waits for its owner, with its roles. For an
// account that exists, without roles in the call, it gives a new code: whoever
// has it chooses a new password. The old password works till then; an earlier
// code does not.
func (p *People) Invite(ctx context.Context, name string, grants []Grant) (Invitation, error) {
	if err := CheckName(name); err != nil {
		return Invitation{}, err
	}
	for _, g := range grants {
		if err := CheckGrant(g); err != nil {
			return Invitation{}, err
		}
	}
	inv := Invitation{Person: name, Code: newCode(inviteLetters, codeGroup-1), Until: p.now().Add(p.cfg.InviteFor)}
	folded, _ := foldCode(inv.Code, inviteLetters)
	detail := map[string]string{"grants": strings.Join(texts(grants), " "), "until": inv.Until.Format(time.RFC3339)}
	err := p.do(ctx, "person.invite", name, detail, func(tx *store.Tx) error {
		r, err := p.row(ctx, tx, name)
		switch {
		case fault.Of(err) == fault.NotFound:
			if _, err := tx.Exec(ctx, `INSERT INTO login_person (name, created, password, locked, signed_in, totp, totp_pending, totp_step) VALUES ($1, $2, '', 0, 0, '', '', 0)`,
				name, store.Millis(p.now())); err != nil {
				return err
			}
		case err != nil:
			return err
		case len(grants) > 0:
			return fault.New(fault.Conflict, "there is such an account already; change its roles by themselves, and invite it without roles for a new code")
		case r.locked:
			return fault.New(fault.Conflict, "it is locked; unlock it first")
		}
		for _, g := range grants {
			if err := addGrant(ctx, tx, name, g); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO login_invite (person, hash, until) VALUES ($1, $2, $3)
			ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, until = excluded.until`, name, digest(folded), store.Millis(inv.Until))
		return err
	})
	if err != nil {
		return Invitation{}, about("invite", name, err)
	}
	return inv, nil
}

func texts(grants []Grant) []string {
	out := make([]string, len(grants))
	for i, g := range grants {
		out[i] = g.String()
	}
	return out
}

var errInvitation = fault.New(fault.Denied, "the invitation is not known, was used, or has run out: look at the code again, or ask an admin for a new one")

// Accept sets the password of the account that was invited by the code. All its
// sessions and known devices end; a second factor stays.
func (p *People) Accept(ctx context.Context, code, password string) (Person, error) {
	folded, ok := foldCode(code, inviteLetters)
	if !ok {
		return Person{}, errInvitation
	}
	find := func(tx *store.Tx) (name string, err error) {
		err = tx.QueryRow(ctx, `SELECT i.person FROM login_invite i JOIN login_person p ON p.name = i.person
			WHERE i.hash = $1 AND i.until > $2 AND p.locked = 0`, digest(folded), store.Millis(p.now())).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			err = errInvitation
		}
		return name, err
	}
	var name string
	err := p.db.View(ctx, func(tx *store.Tx) (err error) { name, err = find(tx); return err })
	if err != nil {
		return Person{}, about("accept an invitation", "", err)
	}
	if err := CheckPassword(name, password); err != nil {
		return Person{}, err
	}
	h, err := p.hash.make(ctx, password)
	if err != nil {
		return Person{}, about("accept the invitation of", name, err)
	}
	actor := audit.By(ctx)
	ctx = audit.With(ctx, audit.Actor{Who: name, Via: "invitation", From: actor.From})
	err = p.do(ctx, "person.accept", name, nil, func(tx *store.Tx) error {
		if again, err := find(tx); err != nil { // used meanwhile
			return err
		} else if again != name {
			return errInvitation
		}
		for _, q := range []string{
			`DELETE FROM login_invite WHERE person = $1`,
			`DELETE FROM login_known WHERE person = $1`,
			endSessions + ` WHERE person = $1`,
		} {
			if _, err := tx.Exec(ctx, q, name); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE login_person SET password = $2 WHERE name = $1`, name, h.String())
		return err
	})
	if err != nil {
		return Person{}, about("accept the invitation of", name, err)
	}
	return p.Get(ctx, name)
}
