package notify

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/contact"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/zone"
)

// Gateway sends one short message to a number in E.164. key is the same for
// the same message, for gateways that can tell a second one by it.
type Gateway interface {
	Send(ctx context.Context, phone, text, key string) error
}

// GatewayFunc is a gateway that is one function.
type GatewayFunc func(ctx context.Context, phone, text string) error

// Send calls f.
func (f GatewayFunc) Send(ctx context.Context, phone, text, _ string) error {
	return f(ctx, phone, text)
}

// SMSConfig bounds short messages.
type SMSConfig struct {
	Every    time.Duration  // between two messages; a router sends no faster
	Daily    int            // messages of one day; after that the next channel is taken
	Each     int            // of them to one member; 0: no share of their own
	Location *time.Location // of the day; nil: Europe/Rome
}

// DefaultSMS is one message in five seconds, 300 a day and 12 to one member.
func DefaultSMS() SMSConfig { return SMSConfig{Every: 5 * time.Second, Daily: 300, Each: 12} }

// SMS is the channel of short messages. It sends one at a time.
type SMS struct {
	cfg     SMSConfig
	db      *store.DB
	gateway Gateway
	turn    chan time.Time // holds when the last message went
}

// BySMS is the channel of short messages, by a gateway. Its tables are the
// notifier's, and there once that is open.
func BySMS(cfg SMSConfig, db *store.DB, g Gateway) (*SMS, error) {
	if db == nil || g == nil {
		return nil, fault.New(fault.Internal, "notify: sms: store and gateway must be given")
	}
	if cfg.Every < 0 || cfg.Daily < 0 || cfg.Each < 0 {
		return nil, fault.New(fault.Invalid, "notify.sms: every, daily and each must not be below 0")
	}
	if cfg.Location == nil {
		cfg.Location = zone.Rome()
	}
	s := &SMS{cfg: cfg, db: db, gateway: g, turn: make(chan time.Time, 1)}
	s.turn <- time.Time{}
	return s, nil
}

var _ Channel = (*SMS)(nil)

// Parts of the day's messages: one in so many.
const (
	codeShare    = 4 // that codes for people who are not members yet may take
	reserveShare = 4 // that is kept for news of journeys that are near
)

// near is how far ahead a journey is that the reserve is kept for, beside those
// of today.
const near = 12 * time.Hour

// SendCode sends a code to a number that nobody has shown to be theirs yet. Such
// messages have a share of the day that cannot use up the rest.
func (s *SMS) SendCode(ctx context.Context, phone, text string) error {
	ok := false
	err := s.db.Do(ctx, func(tx *store.Tx) (err error) {
		ok, err = daily(ctx, tx, carpool.DateOf(tx.Now, s.cfg.Location), "sms-code", s.cfg.Daily/codeShare)
		return err
	})
	if err == nil && !ok {
		err = fault.New(fault.Refused, "sms: the codes of today are used up")
	}
	if err != nil {
		return err
	}
	return s.Send(ctx, To{Phone: phone}, Text{Key: "code-" + strings.ToLower(rand.Text()), Short: text})
}

// Send sends the short text of a message, when its turn has come.
func (s *SMS) Send(ctx context.Context, to To, t Text) error {
	if t.Short == "" || !FitsSMS(t.Short) || plainLine(t.Short) != t.Short {
		return fault.New(fault.Invalid, "sms: the text is empty, too long or more than a line")
	}
	if phone, err := contact.Phone(to.Phone); err != nil || phone != to.Phone {
		return fault.New(fault.Invalid, "sms: the number is not one that can be sent to")
	}
	last, err := s.wait(ctx)
	if err != nil {
		return err
	}
	defer func() { s.turn <- last }()
	if err := s.count(ctx, to.Member, t.Leave); err != nil {
		return err
	}
	last = time.Now() // a try that failed may have gone out too
	if err := s.gateway.Send(ctx, to.Phone, t.Short, t.Key); err != nil {
		return errors.Join(err, s.giveBack(ctx, to.Member))
	}
	return nil
}

// wait takes the turn once enough time has gone by since the last message.
func (s *SMS) wait(ctx context.Context) (last time.Time, err error) {
	select {
	case last = <-s.turn:
	case <-ctx.Done():
		return last, fault.New(fault.Unreachable, "sms: wait for the turn: %w", context.Cause(ctx))
	}
	timer := time.NewTimer(time.Until(last.Add(s.cfg.Every)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return last, nil
	case <-ctx.Done():
		s.turn <- last
		return last, fault.New(fault.Unreachable, "sms: wait for the turn: %w", context.Cause(ctx))
	}
}

// count takes one of the day's messages, and of the member's share of them. It
// is counted before it is sent, so that no crash makes a bill longer than the
// cap. The last quarter of the day is only for journeys that are near.
func (s *SMS) count(ctx context.Context, m carpool.MemberID, leave time.Time) error {
	return s.db.Do(ctx, func(tx *store.Tx) error {
		day, most := carpool.DateOf(tx.Now, s.cfg.Location), s.cfg.Daily
		if !s.isNear(leave, tx.Now) {
			most -= s.cfg.Daily / reserveShare
		}
		if ok, err := daily(ctx, tx, day, "sms", most); err != nil || !ok {
			return cmp.Or(err, fault.New(fault.Refused, "sms: the messages of today are used up, or kept for the journeys of today"))
		}
		if m == "" || s.cfg.Each == 0 {
			return nil
		}
		if ok, err := daily(ctx, tx, day, shareOf(m), s.cfg.Each); err != nil || !ok {
			return cmp.Or(err, fault.New(fault.Refused, "sms: the messages of today to this member are used up"))
		}
		return nil
	})
}

// shareOf is the name under which a member's messages of a day are counted.
func shareOf(m carpool.MemberID) string { return "sms " + string(m) }

// isNear says whether a journey is today's, or soon.
func (s *SMS) isNear(leave, now time.Time) bool {
	return leave.After(now) && leave.Before(now.Add(near)) || carpool.DateOf(leave, s.cfg.Location) == carpool.DateOf(now, s.cfg.Location)
}

// giveBack takes a try that did not work off the member's share: a gateway that
// is away for an hour costs nobody theirs. Of the day's messages it is one, since
// it may have gone out.
func (s *SMS) giveBack(ctx context.Context, m carpool.MemberID) error {
	if m == "" || s.cfg.Each == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.db.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE notify_daily SET n = n - 1 WHERE day = $1 AND what = $2 AND n > 0`, string(carpool.DateOf(tx.Now, s.cfg.Location)), shareOf(m))
		return err
	})
}

// daily counts one more on a day; false when there were so many already.
func daily(ctx context.Context, tx *store.Tx, day carpool.Date, what string, most int) (bool, error) {
	if most <= 0 {
		return false, nil
	}
	res, err := tx.Exec(ctx, `INSERT INTO notify_daily (day, what, n) VALUES ($1, $2, 1)
		ON CONFLICT (day, what) DO UPDATE SET n = notify_daily.n + 1 WHERE notify_daily.n < $3`, string(day), what, most)
	if err != nil {
		return false, fmt.Errorf("count %s of a day: %w", what, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
