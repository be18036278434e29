package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Suspension keeps a member from driving and riding, until it is lifted. One
// account proposes it, another settles it; the member reads the reasons and may
// appeal once, which not the account answers that proposed it.
type Suspension struct {
	ID         string          `json:"id"`
	Member     MemberID        `json:"member"`
	State      SuspensionState `json:"state"`
	Reason     string          `json:"reason"`
	By         string          `json:"by"` // account that proposed it
	At         time.Time       `json:"at"`
	SettledBy  string          `json:"settled_by,omitempty"`
	Settled    string          `json:"settled,omitempty"` // words of whoever settled it
	SettledAt  time.Time       `json:"settled_at,omitzero"`
	Appeal     string          `json:"appeal,omitempty"`
	AppealAt   time.Time       `json:"appeal_at,omitzero"`
	Answer     string          `json:"answer,omitempty"` // to the appeal, where the suspension stays
	AnsweredBy string          `json:"answered_by,omitempty"`
	AnsweredAt time.Time       `json:"answered_at,omitzero"`
	LiftedBy   string          `json:"lifted_by,omitempty"`
	Lifted     string          `json:"lifted,omitempty"`
	LiftedAt   time.Time       `json:"lifted_at,omitzero"`
}

// SuspensionState is where a suspension stands.
type SuspensionState string

const (
	SuspensionProposed SuspensionState = "proposed"
	SuspensionRefused  SuspensionState = "refused" // by the second pair of eyes
	SuspensionInForce  SuspensionState = "in-force"
	SuspensionLifted   SuspensionState = "lifted"
)

// reasonOffice is why a suspended driver's rides were cancelled, as others are
// told it: no more than that the office did it.
const reasonOffice = "office"

const suspensionColumns = `id, member, state, reason, by_who, at_ms, settled_by, settled, settled_ms, appeal, appeal_ms, answer, answered_by, answered_ms, lifted_by, lifted, lifted_ms`

func scanSuspension(row scanner) (Suspension, error) {
	var s Suspension
	var at, settled, appeal, answered, lifted int64
	err := row.Scan(&s.ID, &s.Member, &s.State, &s.Reason, &s.By, &at, &s.SettledBy, &s.Settled, &settled, &s.Appeal, &appeal, &s.Answer, &s.AnsweredBy, &answered, &s.LiftedBy, &s.Lifted, &lifted)
	s.At, s.SettledAt, s.AppealAt, s.AnsweredAt, s.LiftedAt = moment(at), moment(settled), moment(appeal), moment(answered), moment(lifted)
	return s, err
}

// suspensionsWhere reads them by one condition, the newest first.
func suspensionsWhere(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Suspension, error) {
	rows, err := tx.Query(ctx, `SELECT `+suspensionColumns+` FROM carpool_suspensions WHERE `+where+` ORDER BY at_ms DESC, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read suspensions: %w", err)
	}
	out, err := all(rows, scanSuspension)
	if err != nil {
		return nil, fmt.Errorf("read suspensions: %w", err)
	}
	return out, nil
}

// suspensionIn is one in a state.
func suspensionIn(ctx context.Context, tx *store.Tx, id string, state SuspensionState) (Suspension, error) {
	found, err := suspensionsWhere(ctx, tx, `id = $1`, sentence(id))
	if err != nil {
		return Suspension{}, err
	}
	if len(found) == 0 {
		return Suspension{}, fault.New(fault.NotFound, "there is no such suspension")
	}
	if found[0].State != state {
		return found[0], fault.New(fault.Conflict, "the suspension is %s; it must be %s for that", found[0].State, state)
	}
	return found[0], nil
}

func putSuspension(ctx context.Context, tx *store.Tx, s Suspension) error {
	_, err := tx.Exec(ctx, `INSERT INTO carpool_suspensions (`+suspensionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, settled_by = excluded.settled_by, settled = excluded.settled, settled_ms = excluded.settled_ms,
			appeal = excluded.appeal, appeal_ms = excluded.appeal_ms, answer = excluded.answer, answered_by = excluded.answered_by, answered_ms = excluded.answered_ms,
			lifted_by = excluded.lifted_by, lifted = excluded.lifted, lifted_ms = excluded.lifted_ms`,
		s.ID, string(s.Member), string(s.State), s.Reason, s.By, millis(s.At), s.SettledBy, s.Settled, millis(s.SettledAt), s.Appeal, millis(s.AppealAt), s.Answer, s.AnsweredBy, millis(s.AnsweredAt), s.LiftedBy, s.Lifted, millis(s.LiftedAt))
	if err != nil {
		return fmt.Errorf("write suspension %s: %w", s.ID, err)
	}
	return nil
}

// notOneself refuses an account that decides about itself.
func notOneself(m Member, by By) error {
	if m.Account != "" && m.Account == by.Account {
		return fault.New(fault.Denied, "this is about yourself; somebody else decides it")
	}
	return nil
}

// Propose asks that a member be suspended. Nothing changes for them until
// another account settles it.
func (t *Trust) Propose(ctx context.Context, by By, member MemberID, reason string) (Suspension, error) {
	if err := mayOffice(by); err != nil {
		return Suspension{}, err
	}
	reason, err := cleanText("reason", reason, t.cfg.Limits.Note, true)
	if err != nil {
		return Suspension{}, err
	}
	s := Suspension{ID: newID("z"), Member: member, State: SuspensionProposed, Reason: reason, By: by.Account}
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.suspension.propose", Object: s.ID, Detail: map[string]string{"member": string(member)}}, func(tx *store.Tx) error {
		m, err := memberIn(ctx, tx, member)
		if err != nil {
			return err
		}
		if err := notOneself(m, by); err != nil {
			return err
		}
		if m.State == Gone {
			return fault.New(fault.NotFound, "there is no such member")
		}
		open, err := suspensionsWhere(ctx, tx, `member = $1 AND state IN ('proposed', 'in-force')`, string(member))
		if err != nil {
			return err
		}
		if len(open) > 0 {
			return fault.New(fault.Conflict, "a suspension of this member is %s already", open[0].State)
		}
		s.At = tx.Now
		return putSuspension(ctx, tx, s)
	})
	if err != nil {
		return Suspension{}, fmt.Errorf("propose a suspension: %w", err)
	}
	return s, nil
}

// Settle decides a suspension that another account has proposed. With ok it is
// in force at once: the member is told why and signed out, their rides are
// cancelled, and those who would have ridden with them are told that much and
// matched again.
func (t *Trust) Settle(ctx context.Context, by By, id string, ok bool, reason string) (Suspension, error) {
	if err := mayOffice(by); err != nil {
		return Suspension{}, err
	}
	reason, err := cleanText("reason", reason, t.cfg.Limits.Note, !ok)
	if err != nil {
		return Suspension{}, err
	}
	var s Suspension
	var m Member
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.suspension.settle", Object: id, Detail: map[string]string{"ok": fmt.Sprint(ok)}}, func(tx *store.Tx) error {
		var err error
		if s, err = suspensionIn(ctx, tx, id, SuspensionProposed); err != nil {
			return err
		}
		if s.By == by.Account {
			return fault.New(fault.Denied, "you proposed it; another person settles it")
		}
		if m, err = memberIn(ctx, tx, s.Member); err != nil {
			return err
		}
		if err := notOneself(m, by); err != nil {
			return err
		}
		s.State, s.SettledBy, s.Settled, s.SettledAt = SuspensionRefused, by.Account, reason, tx.Now
		if !ok {
			return putSuspension(ctx, tx, s)
		}
		s.State, m.State = SuspensionInForce, Suspended
		if err := putSuspension(ctx, tx, s); err != nil {
			return err
		}
		if err := putMember(ctx, tx, m); err != nil {
			return err
		}
		if err := t.endAllOf(ctx, tx, m.ID, reasonOffice, true); err != nil {
			return err
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: "suspended:" + s.ID, Member: m.ID, Kind: NoticeSuspended})
	})
	if err != nil {
		return Suspension{}, fmt.Errorf("settle a suspension: %w", err)
	}
	if ok && m.Account != "" && t.deps.Accounts != nil {
		if err := t.deps.Accounts.RevokeSessions(ctx, m.Account); err != nil && fault.Of(err) != fault.NotFound {
			return s, fmt.Errorf("settle a suspension: it is in force, but: %w", err)
		}
	}
	return s, nil
}

// Lift ends a suspension.
func (t *Trust) Lift(ctx context.Context, by By, id, reason string) (Suspension, error) {
	s, err := t.changeInForce(ctx, by, "carpool.suspension.lift", id, reason, func(tx *store.Tx, s *Suspension, m Member, reason string) error {
		s.State, s.LiftedBy, s.Lifted, s.LiftedAt = SuspensionLifted, by.Account, reason, tx.Now
		if err := putSuspension(ctx, tx, *s); err != nil {
			return err
		}
		if err := t.forgiven(ctx, tx, m); err != nil {
			return err
		}
		if m.State != Suspended {
			return nil
		}
		m.State = Active
		if err := putMember(ctx, tx, m); err != nil {
			return err
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: "restored:" + s.ID, Member: m.ID, Kind: NoticeRestored})
	})
	if err != nil {
		return Suspension{}, fmt.Errorf("lift a suspension: %w", err)
	}
	return s, nil
}

// changeInForce does something to a suspension in force, for a reason that its member
// reads. The office does it, and nobody about themselves.
func (t *Trust) changeInForce(ctx context.Context, by By, action, id, reason string, do func(tx *store.Tx, s *Suspension, m Member, reason string) error) (Suspension, error) {
	if err := mayOffice(by); err != nil {
		return Suspension{}, err
	}
	reason, err := cleanText("reason", reason, t.cfg.Limits.Note, true)
	if err != nil {
		return Suspension{}, err
	}
	var s Suspension
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: action, Object: id}, func(tx *store.Tx) (err error) {
		if s, err = suspensionIn(ctx, tx, id, SuspensionInForce); err != nil {
			return err
		}
		m, err := memberIn(ctx, tx, s.Member)
		if err != nil {
			return err
		}
		if err := notOneself(m, by); err != nil {
			return err
		}
		return do(tx, &s, m, reason)
	})
	return s, err
}

// Suspensions for the office: those that are proposed or in force, or all.
func (t *Trust) Suspensions(ctx context.Context, open bool) ([]Suspension, error) {
	where := `state <> ''`
	if open {
		where = `state IN ('proposed', 'in-force')`
	}
	return t.suspensions(ctx, where)
}

// SuspensionsOf a member as they may read them: those that were in force, with
// the reasons, without the accounts that decided.
func (t *Trust) SuspensionsOf(ctx context.Context, member MemberID) ([]Suspension, error) {
	out, err := t.suspensions(ctx, `member = $1 AND state IN ('in-force', 'lifted')`, string(member))
	for i := range out {
		out[i].By, out[i].SettledBy, out[i].AnsweredBy, out[i].LiftedBy = "", "", "", ""
	}
	return out, err
}

func (t *Trust) suspensions(ctx context.Context, where string, args ...any) ([]Suspension, error) {
	var out []Suspension
	err := t.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = suspensionsWhere(ctx, tx, where, args...); return err })
	return out, err
}
