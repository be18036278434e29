package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// ViaSMS is how the audit log names who answers by a short message.
const ViaSMS = "sms"

// question is what a short message asked.
type question struct {
	notice  string
	member  carpool.MemberID
	booking carpool.BookingID
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

// open is the last question to one of the members that was not answered yet;
// false when there is none.
func (n *Notifier) open(ctx context.Context, members []carpool.Member) (question, bool, error) {
	var last question
	var asked int64 = -1
	err := n.deps.Store.View(ctx, func(tx *store.Tx) error {
		last, asked = question{}, -1
		for _, m := range members {
			var q question
			var at int64
			err := tx.QueryRow(ctx, `SELECT notice, member, booking, asked_ms FROM notify_questions
				WHERE member = $1 AND answer = '' AND until_ms > $2 ORDER BY asked_ms DESC, notice LIMIT 1`, string(m.ID), store.Millis(tx.Now)).
				Scan(&q.notice, &q.member, &q.booking, &at)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if at > asked {
				last, asked = q, at
			}
		}
		return nil
	})
	if err != nil {
		return last, false, fmt.Errorf("look for the question of an answer: %w", err)
	}
	return last, asked >= 0, nil
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
	err = n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE notify_questions SET answer = $2 WHERE notice = $1`, q.notice, string(a))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the answer to notice %s: %w", q.notice, err)
	}
	return n.answer(ctx, m, word)
}

// replyQueue is where short answers wait. A body names the member and the
// words, never the number.
const replyQueue = carpool.Queue + ".reply"

type shortReply struct {
	Member carpool.MemberID `json:"member"`
	Word   string           `json:"word"`
}

// answer queues a short answer, a few on one day at most: two machines that
// answer each other must end.
func (n *Notifier) answer(ctx context.Context, m carpool.Member, word string) error {
	if !n.have(carpool.BySMS) {
		return nil
	}
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		day := carpool.DateOf(tx.Now, n.cfg.Location)
		ok, err := daily(ctx, tx, day, "reply "+string(m.ID), n.cfg.Replies)
		if err != nil || !ok {
			return err
		}
		body, err := json.Marshal(shortReply{m.ID, word})
		if err != nil {
			return err
		}
		key := fmt.Sprintf("%s %s %d", m.ID, word, store.Millis(tx.Now))
		return n.deps.Outbox.Add(ctx, tx, outbox.Message{Queue: replyQueue, Key: key, Body: body})
	})
}

// reply sends a short answer. One that cannot be sent is no matter: nothing
// hangs on it.
func (n *Notifier) reply(ctx context.Context, m outbox.Message) error {
	var r shortReply
	if err := json.Unmarshal(m.Body, &r); err != nil {
		return fault.New(fault.Invalid, "short answer: %w", err)
	}
	who, err := n.deps.People.Get(ctx, r.Member)
	if fault.Of(err) == fault.NotFound && err != nil || err == nil && (who.State == carpool.Gone || who.Phone == "") {
		return nil
	}
	if err != nil {
		return err
	}
	c := n.words[who.Lang]
	if c == nil {
		c = n.words[Langs[0]]
	}
	return n.deps.Channels[carpool.BySMS].Send(ctx, To{Phone: who.Phone}, Text{Key: m.Key, Short: smsText(c.word(r.Word, nil))})
}
