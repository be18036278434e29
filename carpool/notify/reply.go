package notify

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// replyQueue is where short answers wait. A body names the member and the
// words, never the number.
const replyQueue = carpool.Queue + ".reply"

type shortReply struct {
	Member carpool.MemberID `json:"member"`
	Word   string           `json:"word"`
}

// answerIn queues a short answer, a few on one day at most: two machines that
// answer each other must end.
func (n *Notifier) answerIn(ctx context.Context, tx *store.Tx, r shortReply) error {
	if !n.have(carpool.BySMS) {
		return nil
	}
	ok, err := daily(ctx, tx, n.today(tx), "reply "+string(r.Member), n.cfg.Replies)
	if err != nil || !ok {
		return err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s %s %d", r.Member, r.Word, store.Millis(tx.Now))
	return n.deps.Outbox.Add(ctx, tx, outbox.Message{Queue: replyQueue, Key: key, Body: body})
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
