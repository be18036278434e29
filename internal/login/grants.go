package login

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// ScopeKinds in which a role can be given. What concerns the whole network
// is for the union only.
func (r Role) ScopeKinds() []ScopeKind {
	switch r {
	case Admin, Technician, Resident:
		return []ScopeKind{OfUnion}
	case Viewer:
		return []ScopeKind{OfUnion, OfComune, OfPartner, OfGroup}
	case Partner:
		return []ScopeKind{OfPartner}
	case Police, Desk, Employee:
		return []ScopeKind{OfUnion, OfComune, OfGroup}
	}
	return nil
}

// CheckGrant refuses a role or scope that does not exist, and one that does
// not go with the other. Whether the comune, partner or group exists is not
// asked: files may name it later.
func CheckGrant(g Grant) error {
	kinds := g.Role.ScopeKinds()
	if kinds == nil {
		return fault.New(fault.Invalid, "role %s: there is no such role; the roles are %s", clip(string(g.Role)), join(Roles()))
	}
	if !slices.Contains(kinds, g.Scope.Kind) {
		return fault.New(fault.Invalid, "role %s: it cannot be given for the scope %s; only for %s", g.Role, clip(g.Scope.String()), join(kinds))
	}
	id := g.Scope.ID
	switch g.Scope.Kind {
	case OfUnion:
		if id != "" {
			return fault.New(fault.Invalid, "scope union takes no name after it; write union, not %s", clip(g.Scope.String()))
		}
	case OfComune:
		if len(id) != 6 || strings.Trim(id, "0123456789") != "" {
			return fault.New(fault.Invalid, "scope comune needs the ISTAT code of six digits, as comune:004132; not %q", clip(id))
		}
	default:
		if id == "" || len(id) > MaxName || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fault.New(fault.Invalid, "scope %s needs its name of a-z, 0-9 and -, as %s:langanet; not %q", g.Scope.Kind, g.Scope.Kind, clip(id))
		}
	}
	return nil
}

// ParseGrant reads "viewer@comune:004132" or "admin@union"; a role alone is
// for the union.
func ParseGrant(s string) (Grant, error) {
	role, scope, ok := strings.Cut(s, "@")
	g := Grant{Role: Role(role), Scope: Union}
	if ok {
		kind, id, _ := strings.Cut(scope, ":")
		g.Scope = Scope{ScopeKind(kind), id}
	}
	return g, CheckGrant(g)
}

// String is the form that ParseGrant reads.
func (g Grant) String() string { return string(g.Role) + "@" + g.Scope.String() }

func join[S ~string](list []S) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

// clip shortens what somebody wrote, for messages.
func clip(s string) string {
	if len(s) > MaxName {
		return strings.ToValidUTF8(s[:MaxName], "") + "…"
	}
	return s
}

// Grant gives a role to an account. Giving it again changes nothing.
func (p *People) Grant(ctx context.Context, person string, g Grant) error {
	if err := CheckGrant(g); err != nil {
		return err
	}
	err := p.do(ctx, "person.grant", person, map[string]string{"grant": g.String()}, func(tx *store.Tx) error {
		if _, err := p.row(ctx, tx, person); err != nil {
			return err
		}
		return addGrant(ctx, tx, person, g)
	})
	return about("give a role to", person, err)
}

func addGrant(ctx context.Context, tx *store.Tx, person string, g Grant) error {
	_, err := tx.Exec(ctx, `INSERT INTO login_grant (person, role, scope, scope_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		person, string(g.Role), string(g.Scope.Kind), g.Scope.ID)
	return err
}

// Withdraw takes a role from an account. The last admin keeps theirs.
func (p *People) Withdraw(ctx context.Context, person string, g Grant) error {
	err := p.do(ctx, "person.withdraw", person, map[string]string{"grant": g.String()}, func(tx *store.Tx) error {
		return p.keepAdmin(ctx, tx, func() error {
			if _, err := p.row(ctx, tx, person); err != nil {
				return err
			}
			res, err := tx.Exec(ctx, `DELETE FROM login_grant WHERE person = $1 AND role = $2 AND scope = $3 AND scope_id = $4`,
				person, string(g.Role), string(g.Scope.Kind), g.Scope.ID)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return orNotFound(err, "it has no role %s", clip(g.String()))
			}
			return nil
		})
	})
	return about("take a role from", person, err)
}

func orNotFound(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, format, args...)
}

// about says whose account an error is about.
func about(doing, person string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, clip(person), err)
}

// keepAdmin runs a change and refuses it when no admin could sign in after it,
// where one could before.
func (p *People) keepAdmin(ctx context.Context, tx *store.Tx, change func() error) error {
	count := func() (n int, err error) {
		err = tx.QueryRow(ctx, `SELECT count(*) FROM login_person p JOIN login_grant g ON g.person = p.name
			WHERE g.role = $1 AND p.locked = 0 AND p.password <> ''`, string(Admin)).Scan(&n)
		return n, err
	}
	before, err := count()
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := count()
	if err != nil {
		return err
	}
	if before > 0 && after == 0 {
		return fault.New(fault.Conflict, "it is the last admin that can sign in; make another one first")
	}
	return nil
}

// grantsOf reads the roles of one account, or of all for "".
func grantsOf(ctx context.Context, tx *store.Tx, person string) (map[string][]Grant, error) {
	rows, err := tx.Query(ctx, `SELECT person, role, scope, scope_id FROM login_grant WHERE $1 = '' OR person = $1 ORDER BY person, role, scope, scope_id`, person)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][]Grant{}
	for rows.Next() {
		var who string
		var g Grant
		if err := rows.Scan(&who, &g.Role, &g.Scope.Kind, &g.Scope.ID); err != nil {
			return nil, err
		}
		out[who] = append(out[who], g)
	}
	return out, rows.Err()
}
