package notify

import (
	"context"

	"github.com/crinale/crinale/internal/mail"
)

// Mailer sends e-mail; *mail.Mailer does.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// byMail is the channel of e-mail.
type byMail struct{ mailer Mailer }

// ByMail is the channel of e-mail. A second delivery of a notice is the same
// message to the byte, with the same Message-ID, so that a mailbox shows it
// once.
func ByMail(m Mailer) Channel { return byMail{m} }

func (c byMail) Send(ctx context.Context, to To, t Text) error {
	return c.mailer.Send(ctx, mail.Message{Key: "carpool " + t.Key, To: to.Email, Subject: t.Title, Text: t.Plain, HTML: t.HTML, Date: t.At})
}

var (
	_ Mailer  = (*mail.Mailer)(nil)
	_ Channel = byMail{}
)
