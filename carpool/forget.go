package carpool

import (
	"context"
	"fmt"
	"strings"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// leaving marks, among what is done once, an account that goes after its
// member: were the program to end between the two, Round finds it.
const leaving = "leaving:"

// Forget deletes a member: what they offered, asked for and booked is
// cancelled and the others are told and matched again; then nothing personal
// is left in any table, nor in the file of the database. An account that they
// made themselves goes too; one that an admin gave them stays. A guardian
// stays while a minor depends on them, a rider while aboard or away from home
// with a way back ahead, a driver while somebody is aboard or waits for a ride
// that has left.
func (p *Privacy) Forget(ctx context.Context, by By, member MemberID) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.member.forget", Object: string(member)}, func(tx *store.Tx) error {
		m, err := mayForget(ctx, tx, by, member)
		if err != nil {
			return err
		}
		if err := free(ctx, tx, m.ID); err != nil {
			return err
		}
		if err := p.keepLeft(ctx, tx, m); err != nil {
			return err
		}
		if err := p.endAllOf(ctx, tx, m.ID, ReasonLeft, false); err != nil {
			return err
		}
		if err := p.forgetIn(ctx, tx, m.ID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO carpool_once (key, result, at_ms) VALUES ($1, '', $2) ON CONFLICT (key) DO NOTHING`, leaving+m.Account, store.Millis(tx.Now))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a member: %w", err)
	}
	if err := p.finish(ctx); err != nil {
		return fmt.Errorf("delete a member: it is done, and the rest follows: %w", err)
	}
	return nil
}

// mayForget is mayAct, and lets a guardian who is suspended take a minor away.
func mayForget(ctx context.Context, tx *store.Tx, by By, id MemberID) (Member, error) {
	m, err := mayAct(ctx, tx, by, id)
	if err == nil || by.Desk || by.Member == "" || by.Member == id || fault.Of(err) != fault.Denied {
		return m, err
	}
	ward, e := memberIn(ctx, tx, id)
	if e != nil || ward.State == Gone || !ward.Minor || ward.Guardian != by.Member {
		return m, err
	}
	if _, e := mayAct(ctx, tx, by, by.Member); e != nil {
		return m, err
	}
	return ward, nil
}

// free refuses to forget who is needed at this moment.
func free(ctx context.Context, tx *store.Tx, id MemberID) error {
	for _, q := range []struct {
		count, why string
		args       []any
	}{
		{`SELECT count(*) FROM carpool_bookings WHERE (rider = $1 OR driver = $1) AND state = 'boarded' OR driver = $1 AND state = 'accepted' AND drop_ms > $2
			AND ride IN (SELECT id FROM carpool_rides WHERE driver = $1 AND leave_ms <= $2 AND state IN ('open', 'under-way'))`, "a ride is under way; do it when it has ended", []any{string(id), store.Millis(tx.Now)}},
		{`SELECT count(*) FROM carpool_members WHERE guardian = $1 AND state <> 'gone'`, "you are the guardian of a minor; delete the minor first, or let the desk name another guardian", []any{string(id)}},
	} {
		var n int
		if err := tx.QueryRow(ctx, q.count, q.args...).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "%s", q.why)
		}
	}
	ahead, err := requestsWhere(ctx, tx, `rider = $1 AND state NOT IN ('done', 'withdrawn')`, string(id))
	if err != nil {
		return err
	}
	for _, r := range ahead {
		gone, err := away(ctx, tx, r)
		if err != nil {
			return err
		}
		if gone || r.onTheRoad() {
			return fault.New(fault.Conflict, "the way home is still ahead; do it when they are back")
		}
	}
	return nil
}

// finish takes away the accounts of those who left, and what was deleted from
// the disk.
func (p *Privacy) finish(ctx context.Context) error {
	var keys []string
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT key FROM carpool_once WHERE key LIKE $1`, leaving+"%")
		if err != nil {
			return err
		}
		keys, err = all(rows, func(r scanner) (k string, err error) { err = r.Scan(&k); return k, err })
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	for _, k := range keys {
		account := strings.TrimPrefix(k, leaving)
		// Accounts that people make themselves have names that begin so.
		if strings.HasPrefix(account, "r-") && p.deps.Accounts != nil {
			if err := p.deps.Accounts.Remove(ctx, account); err != nil && fault.Of(err) != fault.NotFound {
				return err
			}
		}
	}
	if err := p.deps.Store.Do(ctx, func(tx *store.Tx) error {
		for _, k := range keys {
			if _, err := tx.Exec(ctx, `DELETE FROM carpool_once WHERE key = $1`, k); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return p.scrub(ctx)
}

// scrub takes what was deleted off the disk.
func (p *Privacy) scrub(ctx context.Context) error {
	tables := []string{"login_person", "login_alias", "login_alias_code", "login_known", "login_session"}
	if p.deps.Accounts == nil {
		tables = nil
	}
	for _, h := range p.holdings() {
		tables = append(tables, h.Table)
	}
	return p.deps.Store.Scrub(ctx, tables...)
}
