package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/store"
)

// Wards are the minors whose guardian a member is, for the guardian and for the
// desk.
func (p *Members) Wards(ctx context.Context, by By, guardian MemberID) ([]Member, error) {
	var out []Member
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := mayAct(ctx, tx, by, guardian); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+memberColumns+` FROM carpool_members WHERE guardian = $1 AND minor = 1 AND state <> 'gone' ORDER BY first, id`, string(guardian))
		if err != nil {
			return err
		}
		out, err = all(rows, scanMember)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the minors of %s: %w", guardian, err)
	}
	return out, nil
}
