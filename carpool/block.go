package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// mostBlocks of one member.
const mostBlocks = 500

// blockedIn says whether one of two has blocked the other.
func blockedIn(ctx context.Context, tx *store.Tx, a, b MemberID) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_blocks WHERE member = $1 AND other = $2 OR member = $2 AND other = $1`, string(a), string(b)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("read blocks of %s: %w", a, err)
	}
	return n > 0, nil
}

// Block keeps somebody away: no match, no message, no booking between the two
// from now on. The other is not told.
func (p *Members) Block(ctx context.Context, by By, other MemberID) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.block.add", Object: string(by.Member)}, func(tx *store.Tx) error {
		m, err := mayAct(ctx, tx, by, by.Member)
		if err != nil {
			return err
		}
		if other == m.ID {
			return fault.New(fault.Invalid, "block: that is you")
		}
		if _, err := memberIn(ctx, tx, other); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_blocks WHERE member = $1`, string(m.ID)).Scan(&n); err != nil {
			return err
		}
		if n >= mostBlocks {
			return fault.New(fault.Conflict, "block: your list is full; tell the office what troubles you")
		}
		_, err = tx.Exec(ctx, `INSERT INTO carpool_blocks (member, other, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			string(m.ID), string(other), store.Millis(tx.Now))
		return err
	})
	if err != nil {
		return fmt.Errorf("block: %w", err)
	}
	return nil
}

// Unblock ends it.
func (p *Members) Unblock(ctx context.Context, by By, other MemberID) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.block.end", Object: string(by.Member)}, func(tx *store.Tx) error {
		if _, err := mayAct(ctx, tx, by, by.Member); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `DELETE FROM carpool_blocks WHERE member = $1 AND other = $2`, string(by.Member), sentence(string(other)))
		return oneRow(res, err, "you have not blocked this person")
	})
	if err != nil {
		return fmt.Errorf("unblock: %w", err)
	}
	return nil
}

// Blocks are those whom a member keeps away.
func (p *Members) Blocks(ctx context.Context, member MemberID) ([]MemberID, error) {
	var out []MemberID
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT other FROM carpool_blocks WHERE member = $1 ORDER BY at_ms, other`, string(member))
		if err != nil {
			return err
		}
		out, err = all(rows, func(r scanner) (id MemberID, err error) { err = r.Scan(&id); return id, err })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read blocks: %w", err)
	}
	return out, nil
}
