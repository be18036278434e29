package notify

import (
	"context"
	"crypto/rand"
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

// GatewayFunc is a gateway that is one function, such as an LTE router of the
// union, wired in cmd/crinale.
type GatewayFunc func(ctx context.Context, phone, text string) error

// Send calls f.
func (f GatewayFunc) Send(ctx context.Context, phone, text, _ string) error {
	return f(ctx, phone, text)
}

// SMSConfig bounds short messages.
type SMSConfig struct {
	Every    time.Duration  // between two messages; a router sends no faster
	Daily    int            // messages of one day; after that the next channel is taken
	Location *time.Location // of the day; nil: Europe/Rome
}

// DefaultSMS is one message in five seconds and 300 a day.
func DefaultSMS() SMSConfig { return SMSConfig{Every: 5 * time.Second, Daily: 300} }

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
	if cfg.Every < 0 || cfg.Daily < 0 {
		return nil, fault.New(fault.Invalid, "notify.sms: every and daily must not be below 0")
	}
	if cfg.Location == nil {
		cfg.Location = zone.Rome()
	}
	s := &SMS{cfg: cfg, db: db, gateway: g, turn: make(chan time.Time, 1)}
	s.turn <- time.Time{}
	return s, nil
}

var _ Channel = (*SMS)(nil)

// codeShare is the part of the day's messages that codes for people who are
// not members yet may take: one in so many.
const codeShare = 4

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
	if err := s.count(ctx); err != nil {
		return err
	}
	last = time.Now() // a try that failed may have gone out too
	return s.gateway.Send(ctx, to.Phone, t.Short, t.Key)
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

// count takes one of the day's messages. It is counted before it is sent, so
// that no crash makes a bill longer than the cap.
func (s *SMS) count(ctx context.Context) error {
	ok := false
	err := s.db.Do(ctx, func(tx *store.Tx) (err error) {
		ok, err = daily(ctx, tx, carpool.DateOf(tx.Now, s.cfg.Location), "sms", s.cfg.Daily)
		return err
	})
	if err == nil && !ok {
		err = fault.New(fault.Refused, "sms: the %d messages of today are used up", s.cfg.Daily)
	}
	return err
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
