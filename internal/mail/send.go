package mail

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wneessen/go-mail"

	"github.com/crinale/crinale/internal/fault"
)

// Message is one e-mail to one person.
type Message struct {
	Key     string    // names the message: the same key gives the same Message-ID
	To      string    // address alone
	Subject string    // one line
	Text    string    // plain
	HTML    string    // the same with marks; "" for none
	Date    time.Time // of the event, so that a second delivery is the same to the byte; zero: now
}

// Bounds of a message.
const (
	maxSubject = 250
	maxBody    = 256 << 10
)

func (msg Message) check() error {
	if msg.Key == "" || len(msg.Key) > 500 {
		return fault.New(fault.Invalid, "mail: key: every message needs one, of at most 500 bytes")
	}
	if err := CheckAddress(msg.To); err != nil {
		return fmt.Errorf("mail: to: %w", err)
	}
	if msg.Subject == "" || utf8.RuneCountInString(msg.Subject) > maxSubject || !utf8.ValidString(msg.Subject) || strings.ContainsFunc(msg.Subject, control) {
		return fault.New(fault.Invalid, "mail: subject: one line of at most %d characters", maxSubject)
	}
	if msg.Text == "" || len(msg.Text)+len(msg.HTML) > maxBody || !utf8.ValidString(msg.Text) || !utf8.ValidString(msg.HTML) {
		return fault.New(fault.Invalid, "mail: text: some text of at most %d KiB", maxBody>>10)
	}
	if bare := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return control(r) && r != '\n' && r != '\t' })
	}; bare(msg.Text) || bare(msg.HTML) {
		return fault.New(fault.Invalid, "mail: text: no control characters but line feed and tab")
	}
	return nil
}

// control says whether a character could end a line or hide something in it.
func control(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// id is the name of a message for mailboxes.
func (m *Mailer) id(key string) string {
	return fmt.Sprintf("%x@%s", sum(key), m.domain)
}

func sum(key string) []byte {
	h := sha256.Sum256([]byte("crinale mail " + key))
	return h[:16]
}

// compose writes the message.
func (m *Mailer) compose(msg Message) (*mail.Msg, error) {
	out := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP),
		mail.WithBoundary(fmt.Sprintf("%x", sum("boundary "+msg.Key))))
	out.FromMailAddress(m.from)
	if m.replyTo != nil {
		out.ReplyToMailAddress(m.replyTo)
	}
	if err := out.To(msg.To); err != nil {
		return nil, fault.New(fault.Invalid, "mail: to: it is not an e-mail address")
	}
	out.Subject(msg.Subject)
	out.SetMessageIDWithValue(m.id(msg.Key))
	if msg.Date.IsZero() {
		msg.Date = time.Now()
	}
	out.SetDateWithValue(msg.Date)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday answers, please
	out.SetBodyString(mail.TypeTextPlain, msg.Text)
	if msg.HTML != "" {
		out.AddAlternativeString(mail.TypeTextHTML, msg.HTML)
	}
	return out, nil
}

// Send delivers a message to the server. Kinds of its error: Invalid, the
// message is no message; Refused, the server will never take it (5xx); Denied,
// the server does not know us, or TLS cannot be had: mend the configuration;
// Unreachable, it may work later (4xx, silence). No error holds the address
// nor what the server wrote, which often repeats it.
func (m *Mailer) Send(ctx context.Context, msg Message) (err error) {
	if err := msg.check(); err != nil {
		return err
	}
	out, err := m.compose(msg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // the library reads errors of servers by their first letters
			err = fault.New(fault.Unreachable, "send mail by %s: its answer could not be read", m.cfg.Server)
		}
	}()
	client, err := m.client(ctx)
	if err != nil {
		return err
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return m.explain(ctx, "greet", err)
	}
	defer client.CloseWithSMTPClient(conn) // what goes wrong now changes nothing
	err = client.SendWithSMTPClient(conn, out)
	if out.IsDelivered() {
		return nil // the server has it, whatever came after
	}
	if err == nil {
		return fault.New(fault.Unreachable, "send mail by %s: it did not say that it has the message", m.cfg.Server)
	}
	return m.explain(ctx, "deliver", err)
}

func (m *Mailer) client(ctx context.Context) (*mail.Client, error) {
	opts := []mail.Option{mail.WithPort(m.port), mail.WithTimeout(m.cfg.Timeout), mail.WithHELO(m.cfg.Hello), mail.WithTLSConfig(m.tls()), mail.WithoutNoop(),
		mail.WithDialContextFunc(func(_ context.Context, _, to string) (net.Conn, error) { return m.dial(ctx, to) })}
	switch m.cfg.TLS {
	case StartTLS:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLS:
		opts = append(opts, mail.WithSSL())
	case NoTLS:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.cfg.User != "" {
		opts = append(opts, mail.WithUsername(m.cfg.User), mail.WithPassword(m.deps.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	c, err := mail.NewClient(m.host, opts...)
	if err != nil {
		return nil, fault.New(fault.Internal, "send mail by %s: %w", m.cfg.Server, err)
	}
	return c, nil
}

// explain gives an error of the server its kind, and words without what the
// server wrote.
func (m *Mailer) explain(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Unreachable, "send mail by %s: %s: no answer in time: %w", m.cfg.Server, doing, context.Cause(ctx))
	}
	var (
		send  *mail.SendError
		proto *textproto.Error
		own   *fault.Error
	)
	code, at := 0, doing
	if errors.As(err, &send) {
		code, at = send.ErrorCode(), send.Reason.String()
	} else if errors.As(err, &proto) {
		code = proto.Code
	}
	switch {
	case errors.As(err, &own):
		return fault.New(own.Kind, "send mail by %s: %w", m.cfg.Server, own)
	case code == 530 || code == 534 || code == 535 || code == 538 || code == 454 || code == 432:
		return fault.New(fault.Denied, "send mail by %s: %s: %d: the server does not let us in; check user, password and TLS", m.cfg.Server, at, code)
	case code >= 500 && send != nil:
		return fault.New(fault.Refused, "send mail by %s: %s: %d: the server refuses this message for good", m.cfg.Server, at, code)
	case code >= 400:
		return fault.New(fault.Unreachable, "send mail by %s: %s: %d: the server cannot take it now", m.cfg.Server, at, code)
	case send != nil:
		return fault.New(fault.Unreachable, "send mail by %s: %s: the connection broke", m.cfg.Server, at)
	case tlsTrouble(err):
		return fault.New(fault.Denied, "send mail by %s: TLS: %w", m.cfg.Server, err)
	}
	return fault.New(fault.Unreachable, "send mail by %s: %s: %w", m.cfg.Server, doing, err)
}
