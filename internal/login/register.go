package login

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Registration is somebody who makes an account of their own.
type Registration struct {
	Alias    string // e-mail address or phone number that is to sign in, once a code that went there came back
	Password string
	Role     Role       // Resident; other roles are given by an admin
	Source   netip.Addr // where the request came from; the zero value for the local socket
}

// aliasKinds are what an alias can be.
const (
	aliasMail  = "mail"
	aliasPhone = "phone"
)

// readAlias is an alias in its one way of writing, and what it is.
func readAlias(s string) (alias, kind string, err error) {
	if strings.Contains(s, "@") {
		alias, err = contact.Mail(s)
		return alias, aliasMail, err
	}
	alias, err = contact.Phone(s)
	return alias, aliasPhone, err
}

// aliasMark is by what a typed name is looked up among the aliases; what is
// none has a mark too, which nothing was kept under.
func (p *People) aliasMark(typed string) string {
	alias, kind, err := readAlias(typed)
	if err != nil {
		alias, kind = typed, "none"
	}
	return p.keys.mark("alias", kind, alias)
}

// Mark is aliasMark for whoever must know an address or number again without
// keeping it.
func (p *People) Mark(alias string) string { return p.aliasMark(alias) }

// Marks are those of what signs in to an account.
func (p *People) Marks(ctx context.Context, tx *store.Tx, person string) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT hash FROM login_alias WHERE person = $1 AND confirmed = 1 ORDER BY hash`, person)
	if err != nil {
		return nil, fmt.Errorf("read the aliases of %s: %w", person, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var mark string
		if err := rows.Scan(&mark); err != nil {
			return nil, fmt.Errorf("read the aliases of %s: %w", person, err)
		}
		out = append(out, mark)
	}
	return out, rows.Err()
}

// Register makes an account with a name that says nothing about the person. It
// has no alias until ConfirmAlias: what is written here is the same whether the
// alias is anybody's or not, so whoever tries addresses learns nothing, and
// nobody holds an alias that is not theirs. An account that shows none within
// two days is swept. Too many accounts from one source: Slow.
func (p *People) Register(ctx context.Context, r Registration) (Person, error) {
	alias, kind, err := readAlias(r.Alias)
	if err != nil {
		return Person{}, err
	}
	if r.Role != Resident {
		return Person{}, fault.New(fault.Invalid, "register: only residents make accounts of their own; an admin invites the others")
	}
	own, _, _ := strings.Cut(alias, "@")
	if err := CheckPassword(own, r.Password); err != nil {
		return Person{}, err
	}
	if err := p.enter(ctx, try{join: "source " + network(r.Source), source: r.Source}, record{}); err != nil {
		return Person{}, err
	}
	h, err := p.hash.make(ctx, r.Password)
	if err != nil {
		return Person{}, about("register", "", err)
	}
	name := "r-" + base.EncodeToString(random(10))
	err = p.do(from(ctx, name, address(r.Source)), "person.register", name, map[string]string{"role": string(r.Role)}, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO login_person (name, created, password, locked, signed_in, totp, totp_pending, totp_step) VALUES ($1, $2, $3, 0, 0, '', '', 0)`,
			name, store.Millis(p.now()), h.String()); err != nil {
			return err
		}
		if err := addGrant(ctx, tx, name, Grant{Role: r.Role, Scope: Union}); err != nil {
			return err
		}
		// Marks the account as one that waits for its alias; no code fits it.
		_, err := tx.Exec(ctx, `INSERT INTO login_alias_code (person, alias, kind, code, tries, until) VALUES ($1, $2, $3, '', $4, 0)`,
			name, p.keys.mark("alias", kind, alias), kind, aliasTries)
		return err
	})
	if err != nil {
		return Person{}, about("register", name, err)
	}
	return p.Get(ctx, name)
}

// Codes that show whose an alias is.
const (
	aliasDigits = 6
	aliasTries  = 5
	aliasFor    = 15 * time.Minute
	joinFor     = 48 * time.Hour // that an account which shows no alias is kept
)

// sweepJoins ends the accounts that were registered and never had an alias nor
// a sign-in.
func (p *People) sweepJoins(ctx context.Context, tx *store.Tx) error {
	res, err := tx.Exec(ctx, `DELETE FROM login_person WHERE created <= $1 AND signed_in = 0
		AND name IN (SELECT person FROM login_alias_code) AND name NOT IN (SELECT person FROM login_alias)
		AND name NOT IN (SELECT person FROM login_session WHERE ended = 0 AND expiry > $2)`,
		store.Millis(p.now().Add(-joinFor)), store.Millis(p.now()))
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	return p.note(audit.With(ctx, audit.Program), tx, "person.sweep", "", map[string]string{"accounts": strconv.FormatInt(n, 10)})
}

// StartAlias gives a code of six digits, to be sent to the alias and nowhere
// else: whoever brings it to ConfirmAlias within a quarter of an hour owns the
// alias. An earlier code of the account ends. Too many for one account, for one
// alias, or for one alias from one source: Slow. So nobody's phone is flooded,
// and whoever asks for codes to another's alias does not keep its owner, who is
// elsewhere, from theirs.
func (p *People) StartAlias(ctx context.Context, person, alias string, source netip.Addr) (code string, err error) {
	alias, kind, err := readAlias(alias)
	if err != nil {
		return "", err
	}
	mark := p.keys.mark("alias", kind, alias)
	if err := p.enter(ctx, try{name: person, send: mark, source: source}, record{}); err != nil {
		return "", err
	}
	code = aliasCode()
	err = p.do(ctx, "person.alias-start", person, map[string]string{"kind": kind}, func(tx *store.Tx) error {
		if _, err := p.row(ctx, tx, person); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO login_alias_code (person, alias, kind, code, tries, until) VALUES ($1, $2, $3, $4, 0, $5)
			ON CONFLICT (person) DO UPDATE SET alias = excluded.alias, kind = excluded.kind, code = excluded.code, tries = 0, until = excluded.until`,
			person, mark, kind, p.keys.mark("alias code", person, code), store.Millis(p.now().Add(aliasFor)))
		return err
	})
	if err != nil {
		return "", about("send a code for", person, err)
	}
	return code, nil
}

// aliasCode is six random digits, each as likely as the others.
func aliasCode() string {
	out := make([]byte, 0, aliasDigits)
	for len(out) < aliasDigits {
		for _, b := range random(aliasDigits) {
			if b < 250 && len(out) < aliasDigits {
				out = append(out, '0'+b%10)
			}
		}
	}
	return string(out)
}

var (
	errAliasCode  = fault.New(fault.Denied, "the code is not right, or it is too old; look again, or ask for a new one")
	errAliasTaken = fault.New(fault.Conflict, "this address or number signs in to another account already; sign in with it instead")
)

// ConfirmAlias makes the alias of the code the account's. Wrong, too old or
// tried too often: Denied. Only who has shown that the alias is theirs is told
// that it signs in to another account: Conflict.
func (p *People) ConfirmAlias(ctx context.Context, person, code string) error {
	code = strings.Join(strings.Fields(code), "")
	var wrong bool
	err := p.db.Do(ctx, func(tx *store.Tx) error {
		wrong = true
		res, err := tx.Exec(ctx, `UPDATE login_alias_code SET tries = tries + 1 WHERE person = $1 AND until > $2 AND tries < $3`,
			sent(person), store.Millis(p.now()), aliasTries)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		var right int
		err = tx.QueryRow(ctx, `SELECT count(*) FROM login_alias_code WHERE person = $1 AND code = $2`, person, p.keys.mark("alias code", person, code)).Scan(&right)
		wrong = right == 0
		return err
	})
	if err != nil {
		return about("confirm the alias of", person, err)
	}
	if wrong {
		p.figures.refused.Add(1)
		err := p.do(ctx, "person.alias-refused", sent(person), nil, func(*store.Tx) error { return nil })
		return about("confirm the alias of", person, errors.Join(errAliasCode, err))
	}
	err = p.do(ctx, "person.alias-confirm", person, nil, func(tx *store.Tx) error {
		var mark, kind string
		if err := tx.QueryRow(ctx, `SELECT alias, kind FROM login_alias_code WHERE person = $1 AND code = $2`, person, p.keys.mark("alias code", person, code)).Scan(&mark, &kind); err != nil {
			return errAliasCode // spent meanwhile
		}
		if err := p.putAlias(ctx, tx, person, mark, kind); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE login_person SET signed_in = $2 WHERE name = $1 AND signed_in = 0`, person, store.Millis(p.now())); err != nil {
			return err // no account that had an alias is swept
		}
		_, err := tx.Exec(ctx, `DELETE FROM login_alias_code WHERE person = $1`, person)
		return err
	})
	return about("confirm the alias of", person, err)
}

// putAlias gives a confirmed alias to an account, in the place of the one of
// that kind it had. One that somebody wrote down and never confirmed gives way.
func (p *People) putAlias(ctx context.Context, tx *store.Tx, person, mark, kind string) error {
	var taken int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM login_alias WHERE hash = $1 AND person <> $2 AND confirmed = 1`, mark, person).Scan(&taken); err != nil {
		return err
	}
	if taken > 0 {
		return errAliasTaken
	}
	if _, err := tx.Exec(ctx, `DELETE FROM login_alias WHERE person = $1 AND kind = $2`, person, kind); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO login_alias (hash, person, kind, confirmed) VALUES ($1, $2, $3, 1)
		ON CONFLICT (hash) DO UPDATE SET person = excluded.person, confirmed = 1`, mark, person, kind)
	return err
}

// SetAlias gives an account, in the caller's transaction, an alias that its
// owner has shown to be theirs in another way, such as at the desk. Another
// account's: Conflict.
func (p *People) SetAlias(ctx context.Context, tx *store.Tx, person, alias string) error {
	alias, kind, err := readAlias(alias)
	if err == nil {
		_, err = p.row(ctx, tx, person)
	}
	if err == nil {
		err = p.putAlias(ctx, tx, person, p.keys.mark("alias", kind, alias), kind)
	}
	if err == nil {
		err = p.note(ctx, tx, "person.alias-set", person, map[string]string{"kind": kind})
	}
	return about("set the alias of", person, err)
}

// DropAlias takes an alias from an account; "" takes all. It signs in by its
// name still.
func (p *People) DropAlias(ctx context.Context, person, alias string) error {
	mark := ""
	if alias != "" {
		a, kind, err := readAlias(alias)
		if err != nil {
			return err
		}
		mark = p.keys.mark("alias", kind, a)
	}
	err := p.do(ctx, "person.alias-drop", person, nil, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM login_alias WHERE person = $1 AND ($2 = '' OR hash = $2)`, sent(person), mark)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 && alias != "" {
			return orNotFound(err, "it has no such alias")
		}
		return nil
	})
	return about("drop the alias of", person, err)
}

// Alias of an account, as far as it is known: what it is and whether its owner
// has shown that it is theirs. The address or number itself is not kept.
type Alias struct {
	Kind      string `json:"kind"` // "mail", "phone"
	Confirmed bool   `json:"confirmed"`
}

// Aliases of an account.
func (p *People) Aliases(ctx context.Context, person string) ([]Alias, error) {
	var out []Alias
	err := p.db.View(ctx, func(tx *store.Tx) error {
		out = []Alias{}
		rows, err := tx.Query(ctx, `SELECT kind, confirmed FROM login_alias WHERE person = $1 ORDER BY kind, hash`, sent(person))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a Alias
			var confirmed int64
			if err := rows.Scan(&a.Kind, &confirmed); err != nil {
				return err
			}
			a.Confirmed = confirmed != 0
			out = append(out, a)
		}
		return rows.Err()
	})
	return out, about("read the aliases of", person, err)
}

// Held is all that is kept about an account, for its owner: never a secret.
func (p *People) Held(ctx context.Context, person string) (map[string]any, error) {
	who, err := p.Get(ctx, person)
	if err != nil {
		return nil, err
	}
	aliases, err := p.Aliases(ctx, person)
	if err != nil {
		return nil, err
	}
	sessions, err := p.SessionsOf(ctx, person)
	if err != nil {
		return nil, err
	}
	tokens, err := p.Tokens(ctx, person)
	if err != nil {
		return nil, err
	}
	return map[string]any{"account": who, "aliases": aliases, "sessions": sessions, "tokens": tokens}, nil
}
