package carpool

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// CanAppeal says whether the member may answer a suspension.
func (s Suspension) CanAppeal() bool { return s.State == SuspensionInForce && s.Appeal == "" }

// Appealed says whether the office owes an answer: it lifts the suspension or
// upholds it.
func (s Suspension) Appealed() bool {
	return s.State == SuspensionInForce && s.Appeal != "" && s.Answer == ""
}

// Appeal is the member's answer to a suspension in force, once.
func (t *Trust) Appeal(ctx context.Context, by By, id, text string) error {
	text, err := cleanText("answer", text, t.cfg.Limits.Appeal(), true)
	if err != nil {
		return err
	}
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.suspension.appeal", Object: id}, func(tx *store.Tx) error {
		found, err := suspensionsWhere(ctx, tx, `id = $1`, sentence(id))
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].State == SuspensionProposed || found[0].State == SuspensionRefused {
			return errNotYours
		}
		s := found[0]
		if _, err := mayAct(ctx, tx, by, s.Member); err != nil {
			return err
		}
		if !s.CanAppeal() {
			return fault.New(fault.Conflict, "you have answered already, or the suspension has ended")
		}
		s.Appeal, s.AppealAt = text, tx.Now
		return putSuspension(ctx, tx, s)
	})
	if err != nil {
		return fmt.Errorf("answer a suspension: %w", err)
	}
	return nil
}

// Uphold keeps a suspension that its member appealed against, with the reasons
// that they read. Another account does it than the one that proposed the
// suspension.
func (t *Trust) Uphold(ctx context.Context, by By, id, reason string) (Suspension, error) {
	s, err := t.changeInForce(ctx, by, "carpool.suspension.uphold", id, reason, func(tx *store.Tx, s *Suspension, m Member, reason string) error {
		if s.By == by.Account {
			return fault.New(fault.Denied, "you proposed it; another person answers the appeal")
		}
		if !s.Appealed() {
			return fault.New(fault.Conflict, "no appeal waits for an answer")
		}
		s.Answer, s.AnsweredBy, s.AnsweredAt = reason, by.Account, tx.Now
		if err := putSuspension(ctx, tx, *s); err != nil {
			return err
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: "upheld:" + s.ID, Member: m.ID, Kind: NoticeUpheld})
	})
	if err != nil {
		return Suspension{}, fmt.Errorf("answer an appeal: %w", err)
	}
	return s, nil
}
