package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
)

var _ notify.Modem = (*modem)(nil)

// modem is a router of the network whose SIM sends and takes short messages. It
// has sessions of its own: a message takes long to leave, and must hold up
// neither a reading of the router nor a change of it.
type modem struct {
	driver *routeros.Driver
	book   radio.Book
	device network.DeviceID
	port   string
}

// modemTimeout is how long the mobile network may take to accept a message.
const modemTimeout = 25 * time.Second

func newModem(cfg config, n *network.Network, book radio.Book, log *slog.Logger) (*modem, error) {
	id := network.DeviceID(cfg.SMS.Router)
	if _, ok := n.Device(id); !ok {
		return nil, fault.New(fault.Invalid, "the network files have no device %s: write its name as they do", id)
	}
	ca, err := loadCA("radio.ca_file", cfg.Radio.CAFile)
	if err != nil {
		return nil, err
	}
	rc := routeros.Default()
	rc.RootCAs, rc.CommandTimeout = ca, modemTimeout
	driver, err := routeros.New(rc, routeros.Deps{Log: log})
	if err != nil {
		return nil, err
	}
	return &modem{driver, book, id, cfg.SMS.Port}, nil
}

// Send sends one message.
func (m *modem) Send(ctx context.Context, phone, text string) error {
	t, err := m.book(ctx, m.device)
	if err != nil {
		return err
	}
	return again(m.driver.SendSMS(ctx, t, m.port, phone, text))
}

// again is an error that lets a message be tried again: a router that refuses the
// modem's port or the account may be put in order, and the message still leave.
func again(err error) error {
	if k := fault.Of(err); err != nil && (k == fault.Refused || k == fault.NotFound) {
		return fault.New(fault.Unreachable, "the router: %w", err)
	}
	return err
}

// Received are the messages that wait at the router.
func (m *modem) Received(ctx context.Context) ([]notify.Received, error) {
	t, err := m.book(ctx, m.device)
	if err != nil {
		return nil, err
	}
	all, err := m.driver.ReceivedSMS(ctx, t)
	if err != nil {
		return nil, err
	}
	out := make([]notify.Received, len(all))
	for i, r := range all {
		out[i] = notify.Received{ID: r.ID, From: r.Phone, Text: r.Text, At: r.At}
	}
	return out, nil
}

// Drop takes a message out of the router's inbox.
func (m *modem) Drop(ctx context.Context, id string) error {
	t, err := m.book(ctx, m.device)
	if err != nil {
		return err
	}
	return m.driver.DropSMS(ctx, t, id)
}
