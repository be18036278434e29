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

// hearing is how long a message that came in may take, whatever becomes of the
// gateway that brought it.
const hearing = time.Minute

// ViaSMS is how the audit log names who answers by a short message.
const ViaSMS = "sms"

// question is what a short message asked.
type question struct {
	notice  string
	member  carpool.MemberID
	booking carpool.BookingID
	asked   int64
	cut     bool // a message is being taken for it
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
// answer, or whose answer was cut off while it was taken; none: the zero one.
// What was settled on the page meanwhile is closed on the way.
func (n *Notifier) open(ctx context.Context, members []carpool.Member) (question, error) {
	var all []question
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		all = nil
		for _, m := range members {
			if err := questions(ctx, tx, &all, `member = $1 AND answer = '' AND until_ms > $2`, string(m.ID), store.Millis(tx.Now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return question{}, fmt.Errorf("look for the question of an answer: %w", err)
	}
	slices.SortFunc(all, func(a, b question) int { return cmp.Or(cmp.Compare(b.asked, a.asked), cmp.Compare(a.notice, b.notice)) })
	for _, q := range all {
		v, err := n.deps.Notices.NoticeView(ctx, q.notice)
		if err != nil && fault.Of(err) != fault.NotFound {
			return question{}, err
		}
		if q.cut || err == nil && !v.Nobody && v.Trip != nil && v.Trip.State == carpool.Asked {
			return q, nil
		}
		if err := n.deps.Store.Do(ctx, func(tx *store.Tx) error { return closeIn(ctx, tx, q.notice, "settled") }); err != nil {
			return question{}, err
		}
	}
	return question{}, nil
}

// chosen is the question that a message was taken for; none, or one that is
// forgotten: the zero one.
func (n *Notifier) chosen(ctx context.Context, notice string) (question, error) {
	var all []question
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		all = nil
		return questions(ctx, tx, &all, `notice = $1`, notice)
	})
	if err != nil {
		return question{}, fmt.Errorf("look for the question of a message: %w", err)
	}
	return slices.Concat(all, []question{{}})[0], nil
}

// questions adds those that where finds.
func questions(ctx context.Context, tx *store.Tx, to *[]question, where string, args ...any) error {
	rows, err := tx.Query(ctx, `SELECT notice, member, booking, asked_ms, EXISTS (SELECT 1 FROM notify_heard h WHERE h.notice = q.notice AND h.done = 0)
		FROM notify_questions q WHERE `+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var q question
		if err := rows.Scan(&q.notice, &q.member, &q.booking, &q.asked, &q.cut); err != nil {
			return err
		}
		*to = append(*to, q)
	}
	return rows.Err()
}

// closeIn writes down how a question ended.
func closeIn(ctx context.Context, tx *store.Tx, notice, how string) error {
	if _, err := tx.Exec(ctx, `UPDATE notify_questions SET answer = $2 WHERE notice = $1`, notice, how); err != nil {
		return fmt.Errorf("note the answer to notice %s: %w", notice, err)
	}
	return nil
}

// Inbound takes a short message that came in. SÌ and NO answer the last open
// question to that number; STOP ends short messages to it. The sender hears
// what came of it, by a short message. A number that no member has is Denied,
// and nobody hears anything.
//
// The same id again is the same message. It goes on where it was left, with
// the question that was chosen at first, and never answers another. A gateway
// that hangs up changes nothing: what was begun is ended.
func (n *Notifier) Inbound(ctx context.Context, id, from, text string) error {
	n.hearing.Lock()
	defer n.hearing.Unlock()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), hearing, fault.New(fault.Unreachable, "a short message took too long"))
	defer cancel()
	h, err := n.recall(ctx, id)
	if err != nil || h.done {
		return err
	}
	err = n.take(ctx, h, from, text)
	n.received.add(err)
	return err
}

// take takes a message that is not done.
func (n *Notifier) take(ctx context.Context, h heard, from, text string) error {
	members, err := n.senders(ctx, from)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		if err := n.finish(ctx, h, ""); err != nil {
			return err
		}
		return fault.New(fault.Denied, "sms: the number is none of a member")
	}
	switch a := ParseAnswer(text); a {
	case Stop:
		return n.stop(ctx, h, members)
	case Yes, No:
		return n.yesOrNo(ctx, h, members, a)
	}
	return n.finish(ctx, h, "", shortReply{members[0].ID, "answer.unknown"})
}

// senders are the members with a number.
func (n *Notifier) senders(ctx context.Context, from string) ([]carpool.Member, error) {
	phone, err := contact.Phone(from)
	if err != nil {
		return nil, nil // a name, such as firms send under
	}
	return n.deps.People.ByPhone(ctx, phone)
}

// stop ends short messages to all members of a number.
func (n *Notifier) stop(ctx context.Context, h heard, members []carpool.Member) error {
	var replies []shortReply
	for _, m := range members {
		stopped, err := n.deps.People.StopSMS(audit.With(ctx, actor(m)), m.ID)
		if err != nil {
			return err
		}
		if stopped {
			replies = append(replies, shortReply{m.ID, "answer.stop"})
		}
	}
	return n.finish(ctx, h, "", replies...)
}

func actor(m carpool.Member) audit.Actor {
	who := m.Account
	if who == "" {
		who = string(m.ID)
	}
	return audit.Actor{Who: who, Via: ViaSMS}
}

// yesOrNo answers the question that a message was taken for, or chooses it
// first and writes that down.
func (n *Notifier) yesOrNo(ctx context.Context, h heard, members []carpool.Member, a Answer) error {
	var q question
	var err error
	if h.known {
		q, err = n.chosen(ctx, h.notice)
	} else if q, err = n.open(ctx, members); err == nil {
		h.notice = q.notice
		err = n.keep(ctx, h)
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(members, func(m carpool.Member) bool { return m.ID == q.member })
	if i < 0 {
		return n.finish(ctx, h, "", shortReply{members[0].ID, "answer.nothing"})
	}
	word, err := n.decide(ctx, members[i], q, a)
	if err != nil {
		return err // the gateway brings it again
	}
	return n.finish(ctx, h, string(a), shortReply{members[i].ID, word})
}

// decide does what an answer says, and gives the word that tells what came of
// it. A booking that was settled otherwise meanwhile stays as it is.
func (n *Notifier) decide(ctx context.Context, m carpool.Member, q question, a Answer) (word string, err error) {
	if n.deps.Answers == nil {
		return "answer.late", nil
	}
	ctx = audit.With(ctx, actor(m))
	by := carpool.By{Account: m.Account, Member: m.ID}
	if m.Account == "" { // the desk wrote them down, with their consent that it acts for them
		by = carpool.By{Account: ViaSMS, Member: m.ID, Desk: true}
	}
	word, want, do := "answer.yes", carpool.Accepted, n.deps.Answers.Accept
	if a == No {
		word, want, do = "answer.no", carpool.Declined, n.deps.Answers.Decline
	}
	_, err = do(ctx, by, q.booking, "")
	switch kind := fault.Of(err); {
	case err == nil:
		return word, nil
	case kind == fault.Conflict || kind == fault.Denied || kind == fault.NotFound || kind == fault.Invalid || kind == fault.Stale:
		if v, err := n.deps.Notices.NoticeView(ctx, q.notice); err == nil && v.Trip != nil && v.Trip.State == want {
			return word, nil // this message did it, and was cut off then
		}
		n.deps.Log.Info("notify: an answer came too late or could not be taken", "notice", q.notice, "kind", kind)
		return "answer.late", nil
	}
	return "", err
}
