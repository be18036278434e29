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
