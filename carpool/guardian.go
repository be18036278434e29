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
	err := p.reading(ctx, by, func(tx *store.Tx) (shown, error) {
		if _, err := mayAct(ctx, tx, by, guardian); err != nil {
			return shown{}, err
		}
		rows, err := tx.Query(ctx, `SELECT `+memberColumns+` FROM carpool_members WHERE guardian = $1 AND minor = 1 AND state <> 'gone' ORDER BY first, id`, string(guardian))
		if err != nil {
			return shown{}, err
		}
		if out, err = all(rows, scanMember); err != nil {
			return shown{}, err
		}
		var ids []MemberID
		for i, m := range out {
			ids = append(ids, m.ID)
			if by.Desk { // who they are; their own page tells more, with their consent
				out[i] = Member{ID: m.ID, First: m.First, Last: m.Last, Comune: m.Comune, Minor: true, Guardian: guardian, State: m.State}
			}
		}
		return by.sees(LookFind, "", ids...), nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the minors of %s: %w", guardian, err)
	}
	return out, nil
}
