package interop

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Scope is a thing that an operator may do.
type Scope string

const (
	ScopeSearch  Scope = "search"
	ScopeBook    Scope = "book"
	ScopeMessage Scope = "message"
	ScopeEvent   Scope = "event"
	ScopeOwn     Scope = "own" // with event: keep bookings here that were made elsewhere
)

// Usual are those of a key for which none are named: all that need no agreement.
func Usual() []Scope { return []Scope{ScopeSearch, ScopeBook, ScopeMessage, ScopeEvent} }

// Scopes are all there are.
func Scopes() []Scope { return []Scope{ScopeSearch, ScopeBook, ScopeMessage, ScopeEvent, ScopeOwn} }

// Operator is another carpooling service that has, or had, a key.
type Operator struct {
	ID      string     `json:"id"` // its domain name
	Name    string     `json:"name"`
	Scopes  []Scope    `json:"scopes"`
	Webhook string     `json:"webhook,omitempty"` // where it is told of bookings
	Added   time.Time  `json:"added"`
	Rotated time.Time  `json:"rotated"` // when its newest key was made
	Revoked *time.Time `json:"revoked,omitempty"`
}

// Key is an operator's way in, shown once: it is kept nowhere.
type Key struct {
	Operator string `json:"operator"`
	Key      string `json:"key"`
}

// Operators is the registry of who may use the API.
type Operators struct {
	cfg  Config
	deps Deps
}

// check refuses an operator that cannot be.
func (o *Operators) check(op Operator) error {
	if err := checkDomain(op.ID); err != nil {
		return fmt.Errorf("operator: id: %w", err)
	}
	if op.ID == o.cfg.Operator {
		return fault.New(fault.Invalid, "operator: id: %s is this portal itself", op.ID)
	}
	if err := bounded("operator: name", op.Name, 100); err != nil {
		return err
	}
	if len(op.Scopes) == 0 {
		return fault.New(fault.Invalid, "operator: scopes: name at least one of %v", Scopes())
	}
	for _, s := range op.Scopes {
		if !slices.Contains(Scopes(), s) {
			return fault.New(fault.Invalid, "operator: scopes: %.20q is not one of %v", s, Scopes())
		}
	}
	if op.Webhook == "" {
		return nil
	}
	return o.checkWebhook(op.Webhook)
}

// checkWebhook takes an https address of a host that the union allowed by name.
func (o *Operators) checkWebhook(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > 500 || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "":
		return fault.New(fault.Invalid, "operator: webhook: it must be https://HOST/PATH, without name, password, question mark or hash")
	case !slices.Contains(o.cfg.Hosts, strings.ToLower(u.Hostname())):
		return fault.New(fault.Denied, "operator: webhook: host %.60q is not in carpool.interop.hosts: add it there first", u.Hostname())
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil && !o.cfg.anywhere {
		return fault.New(fault.Denied, "operator: webhook: name a host, not an address")
	}
	return nil
}

// Add lets an operator in and gives its key. One that is in already is a
// fault.Conflict; one that was revoked comes back.
func (o *Operators) Add(ctx context.Context, op Operator) (Key, error) {
	if err := o.check(op); err != nil {
		return Key{}, err
	}
	k, row := newKey()
	var words []string
	for _, s := range op.Scopes {
		words = append(words, string(s))
	}
	detail := map[string]string{"scopes": strings.Join(words, " ")}
	err := o.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.operator.add", Object: op.ID, Detail: detail}, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO interop_operators (id, name, scopes, webhook, added_ms, revoked_ms) VALUES ($1, $2, $3, $4, $5, 0)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, scopes = excluded.scopes, webhook = excluded.webhook, revoked_ms = 0
			WHERE interop_operators.revoked_ms <> 0`, op.ID, op.Name, detail["scopes"], op.Webhook, store.Millis(tx.Now))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.New(fault.Conflict, "add operator %s: it has a key already; for a new one, rotate it", op.ID))
		}
		return row.insert(ctx, tx, op.ID)
	})
	if err != nil {
		return Key{}, fmt.Errorf("add operator %s: %w", op.ID, err)
	}
	return Key{op.ID, k}, nil
}

// Rotate gives an operator a new key. The old ones go on for keep, so that it
// can change over; 0 ends them now.
func (o *Operators) Rotate(ctx context.Context, id string, keep time.Duration) (Key, error) {
	if keep < 0 || keep > 30*24*time.Hour {
		return Key{}, fault.New(fault.Invalid, "rotate operator: the old key may go on for 30 days at most")
	}
	k, row := newKey()
	err := o.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.operator.rotate", Object: id, Detail: map[string]string{"old_key_for": keep.String()}}, func(tx *store.Tx) error {
		if _, err := operatorIn(ctx, tx, id); err != nil {
			return err
		}
		until := store.Millis(tx.Now.Add(keep))
		if _, err := tx.Exec(ctx, `UPDATE interop_keys SET until_ms = $2 WHERE operator = $1 AND (until_ms = 0 OR until_ms > $2)`, id, until); err != nil {
			return err
		}
		return row.insert(ctx, tx, id)
	})
	if err != nil {
		return Key{}, fmt.Errorf("rotate operator %s: %w", id, err)
	}
	return Key{id, k}, nil
}

// Revoke takes an operator's access away at once. Its bookings here go on: a
// passenger is not left standing for it. What it told of others is erased.
func (o *Operators) Revoke(ctx context.Context, id string) error {
	err := o.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.operator.revoke", Object: id}, func(tx *store.Tx) error {
		if _, err := operatorIn(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE interop_operators SET revoked_ms = $2 WHERE id = $1`, id, store.Millis(tx.Now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM interop_told WHERE operator = $1`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM interop_keys WHERE operator = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("revoke operator %s: %w", id, err)
	}
	return nil
}

// List gives all operators, by name, without anything secret.
func (o *Operators) List(ctx context.Context) ([]Operator, error) {
	list := []Operator{}
	err := o.deps.Store.View(ctx, func(tx *store.Tx) error {
		list = list[:0]
		rows, err := tx.Query(ctx, operatorQuery+` ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			op, err := scanOperator(rows.Scan)
			if err != nil {
				return err
			}
			list = append(list, op)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	return list, nil
}

const operatorQuery = `SELECT id, name, scopes, webhook, added_ms, revoked_ms,
	COALESCE((SELECT MAX(made_ms) FROM interop_keys WHERE operator = interop_operators.id), 0) FROM interop_operators`

func scanOperator(scan func(...any) error) (Operator, error) {
	var op Operator
	var scopes string
	var added, revoked, rotated int64
	if err := scan(&op.ID, &op.Name, &scopes, &op.Webhook, &added, &revoked, &rotated); err != nil {
		return op, err
	}
	for _, s := range strings.Fields(scopes) {
		op.Scopes = append(op.Scopes, Scope(s))
	}
	op.Added, op.Rotated = store.Time(added), store.Time(rotated)
	if revoked != 0 {
		at := store.Time(revoked)
		op.Revoked = &at
	}
	return op, nil
}

// operatorIn is an operator that has access.
func operatorIn(ctx context.Context, tx *store.Tx, id string) (Operator, error) {
	op, err := scanOperator(tx.QueryRow(ctx, operatorQuery+` WHERE id = $1 AND revoked_ms = 0`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return op, fault.New(fault.NotFound, "no operator of that name has access")
	}
	return op, err
}

// keyRow is a key as it is kept.
type keyRow struct{ id, hash, sign string }

func newKey() (key string, row keyRow) {
	id, secret := strings.ToLower(rand.Text()[:12]), rand.Text()
	key = "cov_" + id + "_" + secret
	return key, keyRow{id, digest(secret), signer(secret)}
}

func (k keyRow) insert(ctx context.Context, tx *store.Tx, operator string) error {
	_, err := tx.Exec(ctx, `INSERT INTO interop_keys (id, operator, hash, sign, made_ms, until_ms) VALUES ($1, $2, $3, $4, $5, 0)`,
		k.id, operator, k.hash, k.sign, store.Millis(tx.Now))
	return err
}

// digest of a secret of 128 random bits: nobody finds one by trying, so no
// slow hash is needed.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// signer is the key that signs what an operator is told; the operator derives
// it from its own key, and who reads our tables cannot go the other way.
func signer(secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("crinale interop webhook 1"))
	return hex.EncodeToString(m.Sum(nil))
}

// Verify gives the operator of a key; a fault.Denied for any that is not good.
func (o *Operators) Verify(ctx context.Context, key string) (Operator, error) {
	id, secret, ok := strings.Cut(strings.TrimPrefix(key, "cov_"), "_")
	denied := fault.New(fault.Denied, "the key is not good")
	if !ok || len(key) > 100 {
		return Operator{}, denied
	}
	var op Operator
	err := o.deps.Store.View(ctx, func(tx *store.Tx) error {
		var operator, hash string
		var until int64
		err := tx.QueryRow(ctx, `SELECT operator, hash, until_ms FROM interop_keys WHERE id = $1`, id).Scan(&operator, &hash, &until)
		if errors.Is(err, sql.ErrNoRows) {
			return denied
		}
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(hash), []byte(digest(secret))) != 1 || until != 0 && until <= store.Millis(tx.Now) {
			return denied
		}
		op, err = operatorIn(ctx, tx, operator)
		if fault.Of(err) == fault.NotFound {
			return denied
		}
		return err
	})
	return op, err
}
