package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Message is a short text between the two of a booking.
type Message struct {
	ID      string    `json:"id"`
	Booking BookingID `json:"booking"`
	From    MemberID  `json:"from"`
	To      MemberID  `json:"to"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// Bounds of messages.
const (
	TalkAfter     = 48 * time.Hour // after the ride nothing more is said
	messagesHour  = 10             // of one sender about one booking
	messagesADay  = 60             // of one sender about all
	maxMessage    = 300            // signs
	reportsADay   = 10
	maxReportText = 1000
)

// partyIn is a booking with the side for which by acts, and the other side. It
// is refused in the same words whether the booking is another's or is not.
func partyIn(ctx context.Context, tx *store.Tx, by By, id BookingID) (k Booking, me Member, other MemberID, err error) {
	k, err = bookingIn(ctx, tx, id)
	if err != nil {
		if fault.Of(err) == fault.NotFound {
			err = errNotYours
		}
		return k, me, "", err
	}
	if by.Member == k.Driver {
		if k.unseen {
			return k, me, "", errNotYours
		}
		me, err = mayAct(ctx, tx, by, k.Driver)
		return k, me, k.Rider, err
	}
	me, err = mayAct(ctx, tx, by, k.Rider)
	return k, me, k.Driver, err
}

// mayTalk decides whether a booking may be talked about now.
func mayTalk(k Booking, me Member, now time.Time) error {
	switch {
	case me.State != Active:
		return fault.New(fault.Denied, "you are suspended; answer on your page")
	case k.State == Declined || k.State == Cancelled:
		return fault.New(fault.Conflict, "this booking has ended; there is nothing more to say about it")
	case now.After(k.Drop.At.Add(TalkAfter)):
		return fault.New(fault.Conflict, "the ride was more than two days ago; call the desk if something is missing")
	}
	return nil
}

// Send writes a short message to the other side of a booking. Until the driver
// has accepted, phone numbers, addresses of mail, links and the surname are
// taken out of it.
func (t *Talk) Send(ctx context.Context, by By, b BookingID, text string) error {
	text, err := cleanText("message", text, maxMessage, true)
	if err != nil {
		return err
	}
	id := newID("t")
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.message.send", Object: string(b)}, func(tx *store.Tx) error {
		k, me, other, err := partyIn(ctx, tx, by, b)
		if err != nil {
			return err
		}
		if err := mayTalk(k, me, tx.Now); err != nil {
			return err
		}
		away, err := keptAway(ctx, tx, me.ID)
		if err != nil {
			return err
		}
		if k.unseen || slices.Contains(away, other) {
			mine, err := blocksIn(ctx, tx, me.ID)
			if err != nil {
				return err
			}
			if slices.Contains(mine, other) && (k.named() || me.ID == k.Driver) {
				return fault.New(fault.Denied, "you cannot write to this person: you keep them away")
			}
			other = "" // they do not hear of it, and the writer not why
		}
		if err := notTooMany(ctx, tx, me.ID, b); err != nil {
			return err
		}
		said := text
		if !k.State.Holds() && k.State != NoShow {
			said = mask(text, me.Last)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO carpool_messages (id, booking, sender, receiver, body, at_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, string(b), string(me.ID), string(other), said, store.Millis(tx.Now)); err != nil {
			return err
		}
		if other == "" {
			return nil
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: "message:" + id, Member: other, Kind: NoticeMessage, With: map[string]string{WithBooking: string(b)}, Due: k.Pickup.At})
	})
	if err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	return nil
}

// notTooMany keeps messages short and few.
func notTooMany(ctx context.Context, tx *store.Tx, sender MemberID, b BookingID) error {
	for _, q := range []struct {
		since time.Duration
		about BookingID
		most  int
	}{{time.Hour, b, messagesHour}, {24 * time.Hour, "", messagesADay}} {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_messages WHERE sender = $1 AND at_ms > $2 AND ($3 = '' OR booking = $3)`,
			string(sender), store.Millis(tx.Now.Add(-q.since)), string(q.about)).Scan(&n); err != nil {
			return err
		}
		if n >= q.most {
			return fault.New(fault.Denied, "too many messages; wait a while, or call")
		}
	}
	return nil
}

// Read gives what the two of a booking wrote each other, the oldest first.
func (t *Talk) Read(ctx context.Context, by By, b BookingID) ([]Message, error) {
	var out []Message
	err := t.deps.Store.View(ctx, func(tx *store.Tx) error {
		_, me, _, err := partyIn(ctx, tx, by, b)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT id, booking, sender, receiver, body, at_ms FROM carpool_messages WHERE booking = $1 AND (receiver <> '' OR sender = $2) ORDER BY at_ms, id`,
			string(b), string(me.ID))
		if err != nil {
			return err
		}
		out, err = all(rows, scanMessage)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return out, nil
}

func scanMessage(row scanner) (Message, error) {
	var m Message
	var at int64
	err := row.Scan(&m.ID, &m.Booking, &m.From, &m.To, &m.Text, &at)
	m.At = moment(at)
	return m, err
}

// Alarm is for when something goes wrong on a ride: the trusted person is told
// at once, the desk calls, and the office sees it first. It takes the place of
// no call to 112.
func (t *Talk) Alarm(ctx context.Context, by By, b BookingID) error {
	id := newID("x")
	err := t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.alarm", Object: string(b)}, func(tx *store.Tx) error {
		k, me, other, err := partyIn(ctx, tx, by, b)
		if err != nil {
			return err
		}
		if !k.State.Holds() || tx.Now.After(k.Drop.At.Add(TalkAfter)) {
			return fault.New(fault.Conflict, "this ride does not take place now; call 112 if you need help")
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_reports WHERE reporter = $1 AND booking = $2 AND kind = $3 AND state = $4`,
			string(me.ID), string(b), string(ReportAlarm), string(ReportOpen)).Scan(&n); err != nil || n > 0 {
			return err // told already
		}
		if err := putReport(ctx, tx, Report{ID: id, Reporter: me.ID, About: other, Booking: b, Ride: k.Ride, Kind: ReportAlarm}); err != nil {
			return err
		}
		if err := callIn(ctx, tx, Call{Key: "alarm:" + id, Member: me.ID, Kind: "alarm", With: map[string]string{WithBooking: string(b)}, Due: tx.Now}); err != nil {
			return err
		}
		if me.Trusted.Phone == "" {
			return nil
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: "alarm:" + id, Member: me.ID, Kind: NoticeGuardian, With: map[string]string{WithBooking: string(b), WithTo: "trusted", WithReason: "alarm"}, Due: tx.Now})
	})
	if err != nil {
		return fmt.Errorf("alarm: %w", err)
	}
	return nil
}
