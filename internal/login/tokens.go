package login

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// TokenRequest asks for a token: a secret by which a program acts for a person.
type TokenRequest struct {
	Person string
	Name   string  // what it is for, up to 60 letters
	Rights []Right // what it may do, of what the person may: at least one
	Days   int     // how long it is good, 1 to 365; 0: 90
}

// Token as pages and commands show it, without its secret.
type Token struct {
	ID      string     `json:"id"`
	Person  string     `json:"person"`
	Name    string     `json:"name"`
	Rights  []Right    `json:"rights"`
	Created time.Time  `json:"created"`
	Until   time.Time  `json:"until"`
	Used    *time.Time `json:"used"` // to the hour; null: never
}

// NewToken is a token with its secret, which is told once.
type NewToken struct {
	Token
	Secret string `json:"secret"` // "crn_ID_…": the whole of what is sent as Bearer
}

const (
	tokenMark    = "crn_" // so that scanners for lost secrets can know it
	tokenIDBytes = 5
	tokenBytes   = 20
	maxTokens    = 50 // of one person
	maxTokenName = 60
	defaultDays  = 90
	maxDays      = 365
)

// AddToken makes a token.
func (p *People) AddToken(ctx context.Context, r TokenRequest) (NewToken, error) {
	n, err := p.addToken(ctx, r)
	if err != nil {
		return NewToken{}, about("make a token for", r.Person, err)
	}
	return n, nil
}

func (p *People) addToken(ctx context.Context, r TokenRequest) (NewToken, error) {
	if r.Days == 0 {
		r.Days = defaultDays
	}
	r.Name = strings.TrimSpace(r.Name)
	switch {
	case r.Days < 1 || r.Days > maxDays:
		return NewToken{}, fault.New(fault.Invalid, "days: 1 to %d; not %d", maxDays, r.Days)
	case r.Name == "" || utf8.RuneCountInString(r.Name) > maxTokenName || sent(r.Name) != r.Name:
		return NewToken{}, fault.New(fault.Invalid, "name: say in 1 to %d letters what the token is for", maxTokenName)
	case len(r.Rights) == 0:
		return NewToken{}, fault.New(fault.Invalid, "rights: name at least one of %s", join(AllRights()))
	}
	var rights []Right
	for _, want := range r.Rights {
		if !slices.Contains(AllRights(), want) {
			return NewToken{}, fault.New(fault.Invalid, "rights: there is no %q; there are %s", clip(string(want)), join(AllRights()))
		}
		if !slices.Contains(rights, want) {
			rights = append(rights, want)
		}
	}
	id, secret := base.EncodeToString(random(tokenIDBytes)), base.EncodeToString(random(tokenBytes))
	now := p.now()
	n := NewToken{Token{ID: id, Person: r.Person, Name: r.Name, Rights: rights, Created: now, Until: now.AddDate(0, 0, r.Days)}, tokenMark + id + "_" + secret}
	detail := map[string]string{"token": id, "rights": join(rights), "until": n.Until.Format(time.RFC3339)}
	err := p.do(ctx, "token.add", r.Person, detail, func(tx *store.Tx) error {
		if _, err := p.row(ctx, tx, r.Person); err != nil {
			return err
		}
		who, err := p.identity(ctx, tx, r.Person)
		if err != nil {
			return err
		}
		for _, want := range rights {
			if !who.May(want) {
				return fault.New(fault.Denied, "%s may not do %s, so no token of theirs may", r.Person, want)
			}
		}
		var have int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM login_token WHERE person = $1`, r.Person).Scan(&have); err != nil {
			return err
		}
		if have >= maxTokens {
			return fault.New(fault.Conflict, "there are %d already; revoke some first", have)
		}
		_, err = tx.Exec(ctx, `INSERT INTO login_token (id, person, name, hash, rights, created, until, used) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
			id, r.Person, r.Name, digest(secret), strings.ReplaceAll(join(rights), ",", ""), store.Millis(n.Created), store.Millis(n.Until))
		return err
	})
	return n, err
}

// Tokens of a person, or of all for "", by person and age. Those that have run
// out are listed too, till they are revoked.
func (p *People) Tokens(ctx context.Context, person string) ([]Token, error) {
	var out []Token
	err := p.db.View(ctx, func(tx *store.Tx) error {
		out = []Token{}
		rows, err := tx.Query(ctx, `SELECT `+tokenColumns+` FROM login_token WHERE $1 = '' OR person = $1 ORDER BY person, created, id`, sent(person))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			t, _, err := scanToken(rows)
			if err != nil {
				return err
			}
			out = append(out, t)
		}
		return rows.Err()
	})
	return out, about("list the tokens of", person, err)
}

const tokenColumns = `id, person, name, hash, rights, created, until, used`

func scanToken(row interface{ Scan(...any) error }) (t Token, hash string, err error) {
	var rights string
	var created, until, used int64
	if err := row.Scan(&t.ID, &t.Person, &t.Name, &hash, &rights, &created, &until, &used); err != nil {
		return t, "", err
	}
	t.Rights = []Right{}
	for f := range strings.FieldsSeq(rights) {
		t.Rights = append(t.Rights, Right(f))
	}
	t.Created, t.Until = store.Time(created), store.Time(until)
	if used != 0 {
		u := store.Time(used)
		t.Used = &u
	}
	return t, hash, nil
}

// RevokeToken ends a token of a person at once; person "" is whoever has it.
// NotFound when there is none.
func (p *People) RevokeToken(ctx context.Context, person, id string) error {
	var owner string
	err := p.audit.Tx(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, `SELECT person FROM login_token WHERE id = $1 AND ($2 = '' OR person = $2)`, sent(id), sent(person)).Scan(&owner)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such token")
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM login_token WHERE id = $1`, id); err != nil {
			return err
		}
		return p.note(ctx, tx, "token.revoke", owner, map[string]string{"token": id})
	})
	return about("revoke the token", id, err)
}

// parseToken takes a secret apart. It says nothing about whether it is good.
func parseToken(s string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(s, tokenMark)
	if !ok {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	if !ok || len(id) != base.EncodedLen(tokenIDBytes) || len(secret) != base.EncodedLen(tokenBytes) || strings.Trim(id+secret, letters) != "" {
		return "", "", false
	}
	return id, secret, true
}

var errToken = fault.New(fault.Denied, "the token is not known: it was mistyped or revoked; make a new one")

// ByToken is who a token stands for, and what it may do of what they may. The
// caller puts in From. Unknown, revoked, run out, or its person is locked:
// Denied.
func (p *People) ByToken(ctx context.Context, secret string) (Identity, error) {
	id, key, ok := parseToken(secret)
	if !ok {
		return Identity{}, errToken
	}
	var who Identity
	var t Token
	err := p.db.View(ctx, func(tx *store.Tx) error {
		var hash string
		var err error
		t, hash, err = scanToken(tx.QueryRow(ctx, `SELECT `+tokenColumns+` FROM login_token WHERE id = $1`, id))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(hash), []byte(digest(key))) != 1 {
			return errToken
		}
		if !t.Until.After(p.now()) {
			return fault.New(fault.Denied, "the token %s ran out on %s; make a new one", t.ID, t.Until.Format(time.DateOnly))
		}
		who, err = p.identity(ctx, tx, t.Person)
		return err
	})
	if err != nil {
		return Identity{}, about("identify by", "token", err)
	}
	who.Via, who.Only = "token:"+t.ID, t.Rights
	if t.Used == nil || p.now().Sub(*t.Used) >= time.Hour {
		err = p.db.Do(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE login_token SET used = $2 WHERE id = $1`, t.ID, store.Millis(p.now().Truncate(time.Hour)))
			return err
		})
	}
	return who, about("note the use of", "token", err)
}
