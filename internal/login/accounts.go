package login

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

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
