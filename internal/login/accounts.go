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

// Person is an account as pages and commands show it. It holds no secret.
type Person struct {
	Name         string     `json:"name"`
	Grants       []Grant    `json:"grants"` // never null
	Created      time.Time  `json:"created"`
	SignedIn     *time.Time `json:"signed_in"`     // last time; null: never
	InvitedUntil *time.Time `json:"invited_until"` // a code is out and good till then
	Active       bool       `json:"active"`        // has a password
	Locked       bool       `json:"locked"`
	SecondFactor bool       `json:"second_factor"`
	CodesLeft    int        `json:"recovery_codes_left"`
}

// Invitation lets somebody choose a password for an account. The code is told
// once and can be used once.
type Invitation struct {
	Person string    `json:"person"`
	Code   string    `json:"code"`
	Until  time.Time `json:"until"`
}

// record is a row of login_person.
type record struct {
	name, password      string
	created, signedIn   int64
	locked              bool
	totp, pending       string
	step, invited, left int64
}

const recordColumns = `p.name, p.password, p.created, p.signed_in, p.locked, p.totp, p.totp_pending, p.totp_step,
	coalesce((SELECT i.until FROM login_invite i WHERE i.person = p.name), 0),
	(SELECT count(*) FROM login_recovery r WHERE r.person = p.name)`

func (r *record) scan(row interface{ Scan(...any) error }) error {
	var locked int64
	err := row.Scan(&r.name, &r.password, &r.created, &r.signedIn, &locked, &r.totp, &r.pending, &r.step, &r.invited, &r.left)
	r.locked = locked != 0
	return err
}

// row reads an account; NotFound when there is none.
func (p *People) row(ctx context.Context, tx *store.Tx, person string) (record, error) {
	var r record
	err := r.scan(tx.QueryRow(ctx, `SELECT `+recordColumns+` FROM login_person p WHERE p.name = $1`, sent(person)))
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "there is no such account")
	}
	return r, err
}

// sent is a text that every database takes as a value, whoever typed it.
func sent(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func (p *People) person(r record, grants []Grant) Person {
	out := Person{Name: r.name, Grants: grants, Created: store.Time(r.created), Active: r.password != "", Locked: r.locked, SecondFactor: r.totp != "", CodesLeft: int(r.left)}
	if out.Grants == nil {
		out.Grants = []Grant{}
	}
	if r.signedIn != 0 {
		t := store.Time(r.signedIn)
		out.SignedIn = &t
	}
	if t := store.Time(r.invited); t.After(p.now()) {
		out.InvitedUntil = &t
	}
	return out
}

// Get gives one account.
func (p *People) Get(ctx context.Context, person string) (Person, error) {
	var out Person
	err := p.db.View(ctx, func(tx *store.Tx) error {
		r, err := p.row(ctx, tx, person)
		if err != nil {
			return err
		}
		g, err := grantsOf(ctx, tx, r.name)
		out = p.person(r, g[r.name])
		return err
	})
	return out, about("read account", person, err)
}

// List gives all accounts by name.
func (p *People) List(ctx context.Context) ([]Person, error) {
	var out []Person
	err := p.db.View(ctx, func(tx *store.Tx) error {
		out = []Person{}
		grants, err := grantsOf(ctx, tx, "")
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+recordColumns+` FROM login_person p ORDER BY p.name`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r record
			if err := r.scan(rows); err != nil {
				return err
			}
			out = append(out, p.person(r, grants[r.name]))
		}
		return rows.Err()
	})
	return out, about("list", "accounts", err)
}

// Identity is what an account may do now. It is asked at every request, so that
// what was withdrawn is gone at once. Locked or removed: Denied.
func (p *People) Identity(ctx context.Context, person string) (Identity, error) {
	var id Identity
	err := p.db.View(ctx, func(tx *store.Tx) (err error) {
		id, err = p.identity(ctx, tx, person)
		return err
	})
	return id, about("identify", person, err)
}

func (p *People) identity(ctx context.Context, tx *store.Tx, person string) (Identity, error) {
	var locked int64
	err := tx.QueryRow(ctx, `SELECT locked FROM login_person WHERE name = $1`, sent(person)).Scan(&locked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Identity{}, fault.New(fault.Denied, "there is no such account any more")
	case err != nil:
		return Identity{}, err
	case locked != 0:
		return Identity{}, fault.New(fault.Denied, "the account is locked; an admin can unlock it")
	}
	g, err := grantsOf(ctx, tx, person)
	return Identity{Person: person, Via: "session", Grants: g[person]}, err
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

// Lock shuts an account out at once: no sign-in, no session, no token. The last
// admin cannot be locked.
func (p *People) Lock(ctx context.Context, person string) error {
	err := p.do(ctx, "person.lock", person, nil, func(tx *store.Tx) error {
		return p.keepAdmin(ctx, tx, func() error {
			if err := p.setLocked(ctx, tx, person, 1); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, endSessions+` WHERE person = $1`, person)
			return err
		})
	})
	return about("lock", person, err)
}

// Unlock lets it in again, with the password and tokens it had.
func (p *People) Unlock(ctx context.Context, person string) error {
	err := p.do(ctx, "person.unlock", person, nil, func(tx *store.Tx) error { return p.setLocked(ctx, tx, person, 0) })
	return about("unlock", person, err)
}

func (p *People) setLocked(ctx context.Context, tx *store.Tx, person string, locked int) error {
	if _, err := p.row(ctx, tx, person); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE login_person SET locked = $2 WHERE name = $1`, person, locked)
	return err
}

// Remove takes an account away with all that belongs to it. The log keeps what
// it did. The last admin cannot be removed.
func (p *People) Remove(ctx context.Context, person string) error {
	err := p.do(ctx, "person.remove", person, nil, func(tx *store.Tx) error {
		return p.keepAdmin(ctx, tx, func() error {
			if _, err := p.row(ctx, tx, person); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, endSessions+` WHERE person = $1`, person); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `DELETE FROM login_person WHERE name = $1`, person)
			return err
		})
	})
	return about("remove", person, err)
}
