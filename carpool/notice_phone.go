package carpool

import (
	"context"
	"fmt"
	"slices"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/store"
)

// ByPhone are the members whose mobile number this is, the family's too, by
// the day they joined. Those who left have none.
func (p *Members) ByPhone(ctx context.Context, phone string) ([]Member, error) {
	phone, err := contact.Phone(phone)
	if err != nil {
		return nil, err
	}
	var out []Member
	err = p.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+memberColumns+` FROM carpool_members WHERE phone = $1 AND landline = 0 AND state <> $2 ORDER BY created_ms, id`, phone, string(Gone))
		if err != nil {
			return err
		}
		out, err = all(rows, scanMember)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find a member by phone: %w", err)
	}
	return out, nil
}

// StopSMS takes the short message out of the ways to reach somebody, since
// they answered STOP; it says whether it was one of them. Whoever is left
// without a way is called by the desk.
func (p *Members) StopSMS(ctx context.Context, member MemberID) (bool, error) {
	stopped := false
	err := p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		stopped = false
		m, err := memberIn(ctx, tx, member)
		if err != nil || m.State == Gone || !slices.Contains(m.Channels, BySMS) {
			return err
		}
		stopped = true
		m.Channels = slices.DeleteFunc(m.Channels, func(c Channel) bool { return c == BySMS })
		if len(m.Channels) == 0 {
			m.Channels = []Channel{ByVoice}
		}
		if err := putMember(ctx, tx, m); err != nil {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.member.stop-sms", Object: string(m.ID)})
	})
	return stopped, err
}
