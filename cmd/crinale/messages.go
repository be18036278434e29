package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/internal/mail"
	"github.com/crinale/crinale/radio"
)

var (
	_ notify.Notices = (*carpool.Portal)(nil)
	_ notify.Desk    = (*carpool.Desk)(nil)
	_ notify.People  = (*carpool.Members)(nil)
	_ notify.Answers = (*carpool.Bookings)(nil)
	_ notify.Mailer  = (*mail.Mailer)(nil)
)

// wireSenders makes the ways by which messages leave. What is not configured is
// not there.
func (s *server) wireSenders(w world, book radio.Book) error {
	if s.cfg.Mail.Server != "" {
		mc := mail.Default()
		mc.Server, mc.TLS, mc.User, mc.From = s.cfg.Mail.Server, mail.Security(s.cfg.Mail.Security), s.cfg.Mail.User, s.cfg.Mail.From
		password, err := secret("mail.password_file", s.cfg.Mail.PasswordFile)
		if err != nil {
			return err
		}
		if s.mailer, err = mail.New(mc, mail.Deps{Password: password}); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
	}
	if s.cfg.AppIO.URL != "" {
		key, err := secret("app_io.key_file", s.cfg.AppIO.KeyFile)
		if err != nil {
			return err
		}
		ic := notify.DefaultIO()
		ic.URL = s.cfg.AppIO.URL
		if s.io, err = notify.ByIO(ic, key, nil); err != nil {
			return fmt.Errorf("app_io: %w", err)
		}
	}
	answers, err := secret("sms.answers_key_file", s.cfg.SMS.AnswersKeyFile)
	if err != nil {
		return err
	}
	f := s.cfg.SMS.AnswersFields
	if s.receiver, err = notify.NewReceiver(notify.ReceiveConfig{ID: f.ID, From: f.From, Text: f.Text}, answers); err != nil {
		return fmt.Errorf("sms.answers_key_file: %w", err)
	}
	switch {
	case s.cfg.SMS.Router != "":
		if s.modem, err = newModem(s.cfg, w.network, book, s.log); err != nil {
			return fmt.Errorf("sms.router: %w", err)
		}
		s.gateway = notify.ByModem(s.modem)
	case s.cfg.SMS.URL != "":
		key, err := secret("sms.key_file", s.cfg.SMS.KeyFile)
		if err != nil {
			return err
		}
		s.gateway, err = notify.NewHTTPGateway(notify.HTTPGatewayConfig{URL: s.cfg.SMS.URL, Format: s.cfg.SMS.Format, Fields: s.cfg.SMS.Fields, Header: s.cfg.SMS.Header}, key, nil)
		if err != nil {
			return fmt.Errorf("sms: %w", err)
		}
	}
	return nil
}

// heard says whether short messages that come in are read.
func (s *server) heard() bool { return s.modem != nil || s.receiver.Open() }

// senders says in words which ways there are.
func (s *server) senders() string {
	out := []string{}
	if s.mailer != nil {
		out = append(out, "e-mail by "+s.cfg.Mail.Server)
	}
	if s.io != nil {
		out = append(out, "App IO")
	}
	switch {
	case s.modem != nil:
		out = append(out, fmt.Sprintf("SMS by the router %s, %d a day", s.cfg.SMS.Router, s.cfg.SMS.Daily))
	case s.gateway != nil:
		out = append(out, fmt.Sprintf("SMS by a gateway, %d a day", s.cfg.SMS.Daily))
	}
	switch {
	case s.gateway == nil:
	case s.heard():
		out = append(out, "answers by SMS are read")
	default:
		out = append(out, "answers by SMS are not read (sms.answers_key_file)")
	}
	return strings.Join(append(out, "the desk's call list"), ", ")
}

// wireMessages brings notices to people by the ways that there are; the desk's
// voice always is.
func (s *server) wireMessages(k *kept) error {
	channels := map[carpool.Channel]notify.Channel{}
	if s.mailer != nil {
		channels[carpool.ByMail] = notify.ByMail(s.mailer)
	}
	if s.io != nil {
		channels[carpool.ByIO] = s.io
	}
	var err error
	if s.gateway != nil {
		sc := notify.DefaultSMS()
		sc.Daily, sc.Each = s.cfg.SMS.Daily, s.cfg.SMS.Each
		if s.sms, err = notify.BySMS(sc, k.db, s.gateway); err != nil {
			return fmt.Errorf("sms: %w", err)
		}
		channels[carpool.BySMS] = s.sms
	}
	nc := notify.Default()
	nc.Base, nc.DeskPhone = s.publicURL(), s.cfg.Carpool.DeskPhone
	nc.Office = "Unione Montana Alta Langa, servizio Passaggi"
	nc.Heard = s.heard()
	s.notify, err = notify.New(nc, notify.Deps{
		Store: k.db, Audit: s.audit, Outbox: s.outbox, Notices: s.carpool, Desk: s.carpool.Desk, People: s.carpool.Members,
		Answers: s.carpool.Bookings, Channels: channels, Log: s.log,
	})
	if err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	return nil
}

// publicURL is where people reach the pages, as far as it is known before they
// are served.
func (s *server) publicURL() string {
	return cmp.Or(s.cfg.HTTP.PublicURL, "http://"+s.cfg.HTTP.Listen)
}
