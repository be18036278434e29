package routeros

import (
	"context"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/radio"
)

// The menus of a modem's short messages (manual: Tools, Sms).
const (
	smsMenu   = "/tool/sms"
	inboxMenu = smsMenu + "/inbox"
)

// SMS is a short message in the inbox of a device. Phone and Text are as they
// came from outside.
type SMS struct {
	ID    string // until it is dropped, of this device
	Phone string
	Text  string
	At    string // as the device writes it
}

// longestSMS is what the tool sends: one message, in ASCII.
const longestSMS = 160

// SendSMS sends a short message by the modem on a port of the device, such as
// lte1. It asks for a read first, so that a message is never sent anew because
// a session had died: where the answer to the sending itself is lost, the error
// is Unreachable, and the message may have gone out.
func (d *Driver) SendSMS(ctx context.Context, t radio.Target, port, phone, text string) error {
	if port == "" || !digits(phone) || text == "" || len(text) > longestSMS || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fault.New(fault.Invalid, "sms: name the port of the modem, a number in digits and a text of at most %d letters of ASCII", longestSMS)
	}
	return d.hold(ctx, t, true, func(s *session) error {
		if _, err := s.conn.run(ctx, smsMenu+"/print", "=.proplist=receive-enabled"); err != nil {
			return err
		}
		_, err := s.conn.run(ctx, smsMenu+"/send", "=port="+port, "=phone-number="+phone, "=message="+text)
		return err
	})
}

// digits says whether a number is + and digits, or digits alone.
func digits(phone string) bool {
	n := strings.TrimPrefix(phone, "+")
	return n != "" && len(n) <= 15 && strings.Trim(n, "0123456789") == ""
}

// ReceivedSMS are the messages in the inbox of the device. A device that is not
// told to receive any is Refused, since its inbox stays empty for ever.
func (d *Driver) ReceivedSMS(ctx context.Context, t radio.Target) (out []SMS, err error) {
	err = d.hold(ctx, t, true, func(s *session) error {
		out = nil
		set, err := s.conn.run(ctx, smsMenu+"/print", "=.proplist=receive-enabled")
		if err != nil {
			return err
		}
		if len(set) == 0 || set[0]["receive-enabled"] != "true" && set[0]["receive-enabled"] != "yes" {
			return fault.New(fault.Refused, "the device takes no short messages: /tool/sms/set receive-enabled=yes port=PORT")
		}
		rows, err := s.conn.run(ctx, inboxMenu+"/print", "=.proplist=.id,phone,timestamp,message")
		if err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, SMS{ID: r[".id"], Phone: text(r["phone"]), Text: text(r["message"]), At: text(r["timestamp"])})
		}
		return nil
	})
	return out, err
}

// DropSMS takes a message out of the inbox of the device; one that is gone
// already is no error.
func (d *Driver) DropSMS(ctx context.Context, t radio.Target, id string) error {
	return d.hold(ctx, t, true, func(s *session) error {
		_, err := s.conn.run(ctx, inboxMenu+"/remove", "=.id="+id)
		if err != nil && fault.Of(err) == fault.NotFound {
			return nil
		}
		return err
	})
}
