package main

import (
	"cmp"
	"fmt"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/internal/mail"
)

var (
	_ notify.Notices = (*carpool.Portal)(nil)
	_ notify.Desk    = (*carpool.Desk)(nil)
	_ notify.People  = (*carpool.Members)(nil)
	_ notify.Answers = (*carpool.Bookings)(nil)
	_ notify.Mailer  = (*mail.Mailer)(nil)
)

// wireMessages makes the ways by which the portal reaches people. What is not
// configured is not there; the desk's voice always is.
func (s *server) wireMessages(k *kept) error {
	channels := map[carpool.Channel]notify.Channel{}
	if s.cfg.Mail.Server != "" {
		mc := mail.Default()
		mc.Server, mc.TLS, mc.User, mc.From = s.cfg.Mail.Server, mail.Security(s.cfg.Mail.Security), s.cfg.Mail.User, s.cfg.Mail.From
		password, err := secret("mail.password_file", s.cfg.Mail.PasswordFile)
		if err != nil {
			return err
		}
		m, err := mail.New(mc, mail.Deps{Password: password})
		if err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		s.mailer = m
		channels[carpool.ByMail] = notify.ByMail(m)
	}
	if s.cfg.SMS.URL != "" {
		key, err := secret("sms.key_file", s.cfg.SMS.KeyFile)
		if err != nil {
			return err
		}
		g, err := notify.NewHTTPGateway(notify.HTTPGatewayConfig{URL: s.cfg.SMS.URL, Format: s.cfg.SMS.Format, Fields: s.cfg.SMS.Fields, Header: s.cfg.SMS.Header}, key, nil)
		if err != nil {
			return fmt.Errorf("sms: %w", err)
		}
		sc := notify.DefaultSMS()
		sc.Daily = s.cfg.SMS.Daily
		if s.sms, err = notify.BySMS(sc, k.db, g); err != nil {
			return fmt.Errorf("sms: %w", err)
		}
		channels[carpool.BySMS] = s.sms
	}
	if s.cfg.AppIO.URL != "" {
		key, err := secret("app_io.key_file", s.cfg.AppIO.KeyFile)
		if err != nil {
			return err
		}
		ic := notify.DefaultIO()
		ic.URL = s.cfg.AppIO.URL
		if channels[carpool.ByIO], err = notify.ByIO(ic, key, nil); err != nil {
			return fmt.Errorf("app_io: %w", err)
		}
	}
	nc := notify.Default()
	nc.Base, nc.DeskPhone = s.publicURL(), s.cfg.Carpool.DeskPhone
	nc.Office = "Unione Montana Alta Langa, servizio Passaggi"
	var err error
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
