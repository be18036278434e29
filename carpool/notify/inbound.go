package notify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// ViaSMS is how the audit log names who answers by a short message.
const ViaSMS = "sms"

// question is what a short message asked.
type question struct {
	notice  string
	member  carpool.MemberID
	booking carpool.BookingID
	asked   int64
}

// ask writes a question down before it is sent, since the answer may be quick.
// It is open until the driver's answer is due.
func (n *Notifier) ask(ctx context.Context, v carpool.NoticeView) error {
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		until := v.Trip.Deadline
		if until.IsZero() {
			until = tx.Now.Add(24 * time.Hour)
		}
		_, err := tx.Exec(ctx, `INSERT INTO notify_questions (notice, member, booking, asked_ms, until_ms, answer) VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT (notice) DO NOTHING`,
			v.Notice.ID, string(v.To.ID), string(v.Trip.Booking), store.Millis(tx.Now), store.Millis(until))
		if err != nil {
			return fmt.Errorf("note the question of notice %s: %w", v.Notice.ID, err)
		}
		return nil
	})
}

// open is the last question to one of the members that still waits for its
// answer; false when there is none. What was settled on the page meanwhile is
// closed on the way.
func (n *Notifier) open(ctx context.Context, members []carpool.Member) (question, bool, error) {
	var all []question
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		all = nil
		for _, m := range members {
			if err := asked(ctx, tx, m.ID, &all); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return question{}, false, fmt.Errorf("look for the question of an answer: %w", err)
	}
	slices.SortFunc(all, func(a, b question) int { return cmp.Or(cmp.Compare(b.asked, a.asked), cmp.Compare(a.notice, b.notice)) })
	for _, q := range all {
		v, err := n.deps.Notices.NoticeView(ctx, q.notice)
		if err != nil && fault.Of(err) != fault.NotFound {
			return question{}, false, err
		}
		if err == nil && !v.Nobody && v.Trip != nil && v.Trip.State == carpool.Asked {
			return q, true, nil
		}
		if err := n.close(ctx, q, "settled"); err != nil {
			return question{}, false, err
		}
	}
	return question{}, false, nil
}

// asked adds the questions to a member that were not answered.
func asked(ctx context.Context, tx *store.Tx, m carpool.MemberID, to *[]question) error {
	rows, err := tx.Query(ctx, `SELECT notice, member, booking, asked_ms FROM notify_questions WHERE member = $1 AND answer = '' AND until_ms > $2`, string(m), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var q question
		if err := rows.Scan(&q.notice, &q.member, &q.booking, &q.asked); err != nil {
			return err
		}
		*to = append(*to, q)
	}
	return rows.Err()
}

// close writes down how a question ended.
func (n *Notifier) close(ctx context.Context, q question, how string) error {
	err := n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE notify_questions SET answer = $2 WHERE notice = $1`, q.notice, how)
		return err
	})
	if err != nil {
		return fmt.Errorf("note the answer to notice %s: %w", q.notice, err)
	}
	return nil
}

// InboundOnce is Inbound for gateways that name what comes in: the same id
// again is the same message, and does nothing, so that an answer that is
// brought twice does not answer the question before it.
func (n *Notifier) InboundOnce(ctx context.Context, id, from, text string) error {
	what := "in " + digest(id)
	var known int
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM notify_daily WHERE what = $1`, what).Scan(&known)
	})
	if err != nil {
		return fmt.Errorf("look for a message that came in: %w", err)
	}
	if known > 0 {
		return nil
	}
	if err := n.Inbound(ctx, from, text); err != nil {
		return err
	}
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		_, err := daily(ctx, tx, carpool.DateOf(tx.Now, n.cfg.Location), what, 1)
		return err
	})
}

// Inbound takes a short message that came in. SÌ and NO answer the last open
// question to that number; STOP ends short messages to it. The sender hears
// what came of it, by a short message. A number that no member has is Denied,
// and nobody hears anything.
func (n *Notifier) Inbound(ctx context.Context, from, text string) error {
	phone, err := contact.Phone(from)
	if err != nil {
		return fault.New(fault.Denied, "sms: the number is none of a member")
	}
	members, err := n.deps.People.ByPhone(ctx, phone)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return fault.New(fault.Denied, "sms: the number is none of a member")
	}
	switch a := ParseAnswer(text); a {
	case Stop:
		return n.stop(ctx, members)
	case Yes, No:
		q, ok, err := n.open(ctx, members)
		if err != nil {
			return err
		}
		if !ok {
			return n.answer(ctx, members[0], "answer.nothing")
		}
		for _, m := range members {
			if m.ID == q.member {
				return n.decide(ctx, m, q, a)
			}
		}
	}
	return n.answer(ctx, members[0], "answer.unknown")
}

// stop ends short messages to all members of a number.
func (n *Notifier) stop(ctx context.Context, members []carpool.Member) error {
	for _, m := range members {
		ctx := audit.With(ctx, actor(m))
		stopped, err := n.deps.People.StopSMS(ctx, m.ID)
		if err != nil {
			return err
		}
		if stopped {
			if err := n.answer(ctx, m, "answer.stop"); err != nil {
				return err
			}
		}
	}
	return nil
}

func actor(m carpool.Member) audit.Actor {
	who := m.Account
	if who == "" {
		who = string(m.ID)
	}
	return audit.Actor{Who: who, Via: ViaSMS}
}

// decide does what an answer says, and tells what came of it. A booking that
// was settled otherwise meanwhile stays as it is.
func (n *Notifier) decide(ctx context.Context, m carpool.Member, q question, a Answer) error {
	if n.deps.Answers == nil {
		return n.answer(ctx, m, "answer.late")
	}
	ctx = audit.With(ctx, actor(m))
	by := carpool.By{Account: m.Account, Member: m.ID}
	if m.Account == "" { // the desk wrote them down, with their consent that it acts for them
		by = carpool.By{Account: ViaSMS, Member: m.ID, Desk: true}
	}
	word, do := "answer.yes", n.deps.Answers.Accept
	if a == No {
		word, do = "answer.no", n.deps.Answers.Decline
	}
	_, err := do(ctx, by, q.booking, "")
	switch kind := fault.Of(err); {
	case err == nil:
	case kind == fault.Conflict || kind == fault.Denied || kind == fault.NotFound || kind == fault.Invalid || kind == fault.Stale:
		n.deps.Log.Info("notify: an answer came too late or could not be taken", "notice", q.notice, "kind", kind)
		word = "answer.late"
	default:
		return err // the gateway brings it again
	}
	if err := n.close(ctx, q, string(a)); err != nil {
		return err
	}
	return n.answer(ctx, m, word)
}
