package carpool

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

const memberColumns = `id, account, first, last, phone, landline, family, email, fiscal, comune, minor, guardian, needs,
	trusted_name, trusted_phone, channels, lang, large, state, created_ms`

// scanner is a row.
type scanner interface{ Scan(...any) error }

func scanMember(row scanner) (Member, error) {
	var (
		m                              Member
		landline, family, minor, large int64
		needs, channels                string
		created                        int64
	)
	err := row.Scan(&m.ID, &m.Account, &m.First, &m.Last, &m.Phone, &landline, &family, &m.Email, &m.Fiscal, &m.Comune, &minor, &m.Guardian, &needs,
		&m.Trusted.Name, &m.Trusted.Phone, &channels, &m.Lang, &large, &m.State, &created)
	if err != nil {
		return m, err
	}
	m.Landline, m.Family, m.Minor, m.Large = landline != 0, family != 0, minor != 0, large != 0
	for _, c := range strings.Fields(channels) {
		m.Channels = append(m.Channels, Channel(c))
	}
	m.Created = moment(created)
	return m, unpack(needs, &m.Needs)
}

// pack and unpack are JSON in a column.
func pack(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func unpack(s string, v any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), v)
}

// flag is a truth as it is stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// memberIn reads a member; NotFound when there never was one. One who has left
// is there with the state Gone and nothing else.
func memberIn(ctx context.Context, tx *store.Tx, id MemberID) (Member, error) {
	m, err := scanMember(tx.QueryRow(ctx, `SELECT `+memberColumns+` FROM carpool_members WHERE id = $1`, sentence(string(id))))
	if errors.Is(err, sql.ErrNoRows) {
		return m, fault.New(fault.NotFound, "there is no such member")
	}
	if err != nil {
		return m, fmt.Errorf("read member %s: %w", id, err)
	}
	return m, nil
}

// sentence is a text that every database takes as a value, whoever typed it.
func sentence(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// putMember writes a member, new or changed.
func putMember(ctx context.Context, tx *store.Tx, m Member) error {
	needs, err := pack(m.Needs)
	if err != nil {
		return err
	}
	channels := make([]string, len(m.Channels))
	for i, c := range m.Channels {
		channels[i] = string(c)
	}
	_, err = tx.Exec(ctx, `INSERT INTO carpool_members (`+memberColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, first = excluded.first, last = excluded.last, phone = excluded.phone,
			landline = excluded.landline, family = excluded.family, email = excluded.email, fiscal = excluded.fiscal, comune = excluded.comune,
			minor = excluded.minor, guardian = excluded.guardian, needs = excluded.needs, trusted_name = excluded.trusted_name,
			trusted_phone = excluded.trusted_phone, channels = excluded.channels, lang = excluded.lang, large = excluded.large, state = excluded.state`,
		string(m.ID), m.Account, m.First, m.Last, m.Phone, flag(m.Landline), flag(m.Family), m.Email, m.Fiscal, m.Comune, flag(m.Minor), string(m.Guardian), needs,
		m.Trusted.Name, m.Trusted.Phone, strings.Join(channels, " "), m.Lang, flag(m.Large), string(m.State), millis(m.Created))
	if err != nil {
		return fmt.Errorf("write member %s: %w", m.ID, err)
	}
	return nil
}

// Get gives one member; NotFound where there is none.
func (p *Members) Get(ctx context.Context, id MemberID) (Member, error) {
	var m Member
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { m, err = memberIn(ctx, tx, id); return err })
	return m, err
}

// ByAccount gives the member who signs in with an account; NotFound where it
// is nobody's.
func (p *Members) ByAccount(ctx context.Context, account string) (Member, error) {
	var m Member
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { m, err = memberOf(ctx, tx, account); return err })
	return m, err
}

func memberOf(ctx context.Context, tx *store.Tx, account string) (Member, error) {
	none := fault.New(fault.NotFound, "this account has not joined the lifts yet")
	if account == "" {
		return Member{}, none
	}
	m, err := scanMember(tx.QueryRow(ctx, `SELECT `+memberColumns+` FROM carpool_members WHERE account = $1`, sentence(account)))
	if errors.Is(err, sql.ErrNoRows) {
		return m, none
	}
	if err != nil {
		return m, fmt.Errorf("read the member of an account: %w", err)
	}
	return m, nil
}

// samePhone are the other members in the portal with a number.
func samePhone(ctx context.Context, tx *store.Tx, m Member) ([]MemberID, error) {
	if m.Phone == "" {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `SELECT id FROM carpool_members WHERE phone = $1 AND id <> $2 AND state <> $3 ORDER BY id`, m.Phone, string(m.ID), string(Gone))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []MemberID
	for rows.Next() {
		var id MemberID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if id != m.Guardian {
			out = append(out, id)
		}
	}
	return out, rows.Err()
}

// checkGuardian refuses a guardian who is not an adult of the portal.
func checkGuardian(ctx context.Context, tx *store.Tx, m Member) error {
	if !m.Minor {
		return nil
	}
	g, err := memberIn(ctx, tx, m.Guardian)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if err != nil || g.Minor || g.State != Active {
		return fault.New(fault.Invalid, "guardian: an adult who takes part and is not suspended")
	}
	return nil
}

// uniq drops what stands there already, in order.
func uniq[T comparable](in []T) []T {
	var out []T
	for _, v := range in {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
