package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/store"
)

// What came of a notice by a channel.
const (
	stateSent    = "sent"
	stateFailed  = "failed"
	stateSkipped = "skipped" // settled meanwhile, or nobody is there any more
)

// route takes a notice and gives it to the first channel.
func (n *Notifier) route(ctx context.Context, m outbox.Message) error {
	v, err := n.deps.Notices.NoticeView(ctx, m.Key)
	if fault.Of(err) == fault.NotFound && err != nil {
		return nil // forgotten with its member
	}
	if err != nil {
		return err
	}
	if v.Nobody || v.Stale {
		return n.note(ctx, m.Key, "", stateSkipped)
	}
	order := plan(v, n.have)
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error { return n.pass(ctx, tx, m.Key, order[0]) })
}

func (n *Notifier) have(c carpool.Channel) bool { return n.deps.Channels[c] != nil }

// pass gives a notice to a channel's queue.
func (n *Notifier) pass(ctx context.Context, tx *store.Tx, notice string, c carpool.Channel) error {
	return n.deps.Outbox.Add(ctx, tx, outbox.Message{Queue: queueOf(c), Key: notice})
}

// deliver brings a notice by a channel, or hands it to the next.
func (n *Notifier) deliver(ctx context.Context, c carpool.Channel, m outbox.Message) error {
	tried, now, err := n.outcomes(ctx, m.Key)
	if err != nil {
		return err
	}
	for _, state := range tried {
		if state == stateSent {
			return nil // the mark of the outbox was lost, the message was not
		}
	}
	v, err := n.deps.Notices.NoticeView(ctx, m.Key)
	if fault.Of(err) == fault.NotFound && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if v.Nobody || v.Stale {
		return n.note(ctx, m.Key, "", stateSkipped)
	}
	order := plan(v, n.have)
	if !slices.Contains(order, c) { // STOP, or another address, since it was put here
		return n.hand(ctx, m.Key, c, order, tried, fault.New(fault.Refused, "the channel was taken out"))
	}
	err = n.send(ctx, c, v)
	switch kind := fault.Of(err); {
	case err == nil:
		n.brought[c].sent.Add(1)
		return n.note(ctx, m.Key, c, stateSent)
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		return err // the program ends
	case kind == fault.Refused || kind == fault.Invalid:
	case c == carpool.ByVoice || now.Before(patience(m.Added, v.Notice.Due, n.cfg)):
		return err // after the voice there is nobody
	}
	return n.hand(ctx, m.Key, c, order, tried, err)
}

// hand gives a notice that a channel could not bring to the next. When there
// is none the outbox keeps it, with why.
func (n *Notifier) hand(ctx context.Context, notice string, c carpool.Channel, order []carpool.Channel, tried map[carpool.Channel]string, why error) error {
	n.brought[c].failed.Add(1)
	follow, ok := next(order, func(o carpool.Channel) bool { return o == c || tried[o] != "" })
	if !ok {
		if err := n.note(ctx, notice, c, stateFailed); err != nil {
			return err
		}
		return fault.New(fault.Refused, "no channel is left: %w", why)
	}
	n.deps.Log.Warn("notify: to the next channel", "notice", notice, "from", c, "to", follow, "err", why)
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error {
		if err := record(ctx, tx, notice, c, stateFailed); err != nil {
			return err
		}
		return n.pass(ctx, tx, notice, follow)
	})
}

// send dresses a notice and gives it to the channel.
func (n *Notifier) send(ctx context.Context, c carpool.Channel, v carpool.NoticeView) error {
	if c == carpool.ByVoice {
		return n.voice(ctx, v)
	}
	text, err := n.text(v)
	if err != nil {
		return err
	}
	to := To{Member: v.To.ID, Email: v.Reach.Email, Phone: v.Reach.Phone, Fiscal: v.Reach.Fiscal}
	if v.Trusted {
		to = To{Member: v.To.ID, Phone: v.To.Trusted.Phone}
	}
	if c == carpool.BySMS && v.Notice.Kind == carpool.NoticeAsked && v.Trip != nil {
		if err := n.ask(ctx, v); err != nil {
			return err
		}
	}
	return n.deps.Channels[c].Send(ctx, to, text)
}

// voice makes a task of the desk's call list. It is the notice's own: a second
// delivery makes no second task, and the notice counts as shown when the person
// has heard it.
func (n *Notifier) voice(ctx context.Context, v carpool.NoticeView) error {
	return n.deps.Desk.Add(ctx, carpool.Call{Key: "notice:" + v.Notice.ID, Member: v.Reach.ID, Kind: string(v.Notice.Kind),
		With: v.Notice.With, Notice: v.Notice.ID, Due: v.Notice.Due})
}

// text is a notice dressed for every channel but the voice.
func (n *Notifier) text(v carpool.NoticeView) (Text, error) {
	if v.Trip != nil {
		trip := *v.Trip
		trip.FromAddress, trip.ToAddress = "", "" // mails and short messages are not erased
		v.Trip = &trip
	}
	lang, m, f, err := n.say(v)
	if err != nil {
		return Text{}, err
	}
	c := n.words[lang]
	text := plainText(c, m, f, n.cfg.Base, v.Trusted)
	t := Text{Key: v.Notice.ID, Title: plain(m.title, 120), Plain: text, HTML: htmlText(lang, m.title, text, n.cfg.Base, v.Reach.Large),
		Markdown: m.io, Short: m.sms, At: v.Notice.At}
	if v.Trip != nil {
		t.Leave = v.Trip.Leave
		if v.Trip.Window {
			t.Leave = v.Trip.Arrive // it may be left for until then
		} else if v.Trip.Leave.After(v.Notice.At) {
			t.Due = v.Trip.Leave
		}
	}
	return t, nil
}

func (n *Notifier) say(v carpool.NoticeView) (lang string, m message, f facts, err error) {
	lang = Langs[0]
	if _, ok := n.words[v.Reach.Lang]; ok {
		lang = v.Reach.Lang
	}
	f = n.factsOf(lang, v)
	m, err = n.words[lang].speak(v.Notice.Kind, roleOf(v), f)
	return lang, m, f, err
}

func roleOf(v carpool.NoticeView) role {
	switch {
	case v.Trusted:
		return asTrusted
	case v.Trip != nil && v.Trip.Driver:
		return asDriver
	}
	return asRider
}

// Spoken is what an operator reads out for a notice on the call list, with
// what its reader may hear now; "" when it is settled. The language is the
// operator's.
func (n *Notifier) Spoken(ctx context.Context, lang, notice string) (string, error) {
	v, err := n.deps.Notices.NoticeView(ctx, notice)
	if err != nil {
		return "", err
	}
	if v.Nobody {
		return "", nil
	}
	v.Reach.Lang = lang
	lang, m, f, err := n.say(v)
	if err != nil {
		return "", err
	}
	return spoken(n.words[lang], m, f), nil
}

// Shown is a notice as a page shows it to its reader, with what they may see
// now: a title, and a text without greeting and links. Both are "" for somebody
// who left.
func (n *Notifier) Shown(ctx context.Context, lang, notice string) (title, text string, err error) {
	v, err := n.deps.Notices.NoticeView(ctx, notice)
	if err != nil || v.Nobody {
		return "", "", err
	}
	if v.Trip != nil {
		trip := *v.Trip
		trip.FromAddress, trip.ToAddress = "", "" // the page of the booking has them
		v.Trip = &trip
	}
	v.Reach.Lang = lang
	lang, m, f, err := n.say(v)
	if err != nil {
		return "", "", err
	}
	m.say = ""
	return m.title, spoken(n.words[lang], m, f), nil
}

// outcomes are what came of a notice so far, by channel, and what time it is.
func (n *Notifier) outcomes(ctx context.Context, notice string) (out map[carpool.Channel]string, now time.Time, err error) {
	err = n.deps.Store.View(ctx, func(tx *store.Tx) error {
		now = tx.Now
		out = map[carpool.Channel]string{}
		rows, err := tx.Query(ctx, `SELECT channel, state FROM notify_sent WHERE notice = $1`, notice)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c, state string
			if err := rows.Scan(&c, &state); err != nil {
				return err
			}
			out[carpool.Channel(c)] = state
		}
		return rows.Err()
	})
	if err != nil {
		return nil, now, fmt.Errorf("read what came of notice %s: %w", notice, err)
	}
	return out, now, nil
}

func (n *Notifier) note(ctx context.Context, notice string, c carpool.Channel, state string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second) // it was done: that must be known
	defer cancel()
	return n.deps.Store.Do(ctx, func(tx *store.Tx) error { return record(ctx, tx, notice, c, state) })
}

func record(ctx context.Context, tx *store.Tx, notice string, c carpool.Channel, state string) error {
	_, err := tx.Exec(ctx, `INSERT INTO notify_sent (notice, channel, state, at_ms) VALUES ($1, $2, $3, $4)
		ON CONFLICT (notice, channel) DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms`, notice, string(c), state, store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("note what came of notice %s: %w", notice, err)
	}
	return nil
}
