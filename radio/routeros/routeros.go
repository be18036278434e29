// Package routeros reads and changes MikroTik devices over the RouterOS API, version 6 and
// 7, with the drivers wireless, wifi (wifiwave2 before 7.13) and w60g.
//
// The protocol library is go-routeros/v3, used in its plain mode only and made
// safe from the outside: deadlines on every exchange, one command in flight,
// a guard under it that follows the framing and stops what the library would
// trust (see guard), a tag on every command so that a stray answer is never
// taken for another's, and a session that is closed and never used again after
// any trouble but a trap. Its debug log, which shows passwords, is off.
//
// A round asks for link state: uptime, interfaces, Ethernet, traffic and the
// radio menus. What changes slowly (identity, neighbours, names and settings
// of radios, which menus exist) is kept and read again every Config.SlowEvery,
// and at once when the version changed or the device restarted. A menu that a
// device refuses costs a line in Observation.Warnings, not the rest.
//
// A change is made under a way back: one entry in the device's scheduler whose
// script puts back the settings that are changed, and removes itself. It runs
// in time also on a board that has lost the time with its power, and its words
// are those that version 6 and 7 share. DESIGN.md says why it is so.
package routeros

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/radio"
)

// Config is how devices are read.
type Config struct {
	DialTimeout    time.Duration // to connect, TLS included
	CommandTimeout time.Duration // of one command and its answer
	SlowEvery      time.Duration // between reads of what changes slowly
	HealthEvery    time.Duration // between reads of voltage and temperature, which cost some boards much CPU
	IdleTimeout    time.Duration // a session not used for so long is closed
	Limits         Limits
	RootCAs        *x509.CertPool // who signs api-ssl certificates; nil: the system's authorities
}

// Default suits a poll every ten seconds over slow radio links.
func Default() Config {
	return Config{
		DialTimeout:    3 * time.Second,
		CommandTimeout: 4 * time.Second,
		SlowEvery:      10 * time.Minute,
		HealthEvery:    time.Minute,
		IdleTimeout:    5 * time.Minute,
		Limits:         DefaultLimits(),
	}
}

// Deps are what a Driver uses.
type Deps struct {
	Log  *slog.Logger                                                         // nil: silent
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: TCP
}

// Driver is a radio.Provisioner. It keeps one session per device, from round to
// round; Run closes those no longer used.
type Driver struct {
	cfg  Config
	deps Deps

	mu       sync.Mutex
	sessions map[network.DeviceID]*session
}

var _ radio.Provisioner = (*Driver)(nil)

// New makes a driver; it connects to nothing.
func New(c Config, d Deps) (*Driver, error) {
	for _, f := range []struct {
		name string
		v    time.Duration
	}{{"dial timeout", c.DialTimeout}, {"command timeout", c.CommandTimeout}, {"slow interval", c.SlowEvery},
		{"health interval", c.HealthEvery}, {"idle timeout", c.IdleTimeout}} {
		if f.v <= 0 {
			return nil, fault.New(fault.Invalid, "routeros: %s %v: give a time above zero", f.name, f.v)
		}
	}
	if l := c.Limits; l.WordBytes <= 0 || l.SentenceWords <= 0 || l.ReplyWords <= 0 || l.ReplyBytes <= 0 {
		return nil, fault.New(fault.Invalid, "routeros: limits %+v: each must be above zero", l)
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Dial == nil {
		d.Dial = dialTCP
	}
	return &Driver{cfg: c, deps: d, sessions: map[network.DeviceID]*session{}}, nil
}

// Observe makes one round of reads. An error means that nothing of the round
// can be used; its kind is Unreachable, Refused, Denied (also an untrusted
// certificate), or Invalid where the address or the pin is none. What single
// menus refused stands in the observation's Warnings.
func (d *Driver) Observe(ctx context.Context, t radio.Target) (obs network.Observation, err error) {
	err = d.hold(ctx, t, false, func(s *session) (err error) {
		obs, err = newRound(ctx, d.cfg, s).observe()
		return err
	})
	return obs, err
}

// hold gives the session of a device, connected, to f. f begins with a read: a
// session kept from before may have died since, which says nothing about the
// device, and f is then called again with a new one. Where time ran out on the
// dead session that is done only when patient.
func (d *Driver) hold(ctx context.Context, t radio.Target, patient bool, f func(*session) error) error {
	s := d.session(t.Device)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fault.New(fault.Conflict, "an earlier call is still under way: %w", context.Cause(ctx))
	}
	if t != s.target {
		s.drop()
		*s = session{turn: s.turn, target: t}
	}
	for {
		kept := s.conn != nil
		if !kept {
			c, err := d.dial(ctx, t)
			if err != nil {
				return err
			}
			s.conn = c
			d.deps.Log.Debug("session opened", "target", t)
		}
		s.conn.used = false
		err := f(s)
		s.last = time.Now()
		if s.conn.broken {
			again := err != nil && kept && !s.conn.used && ctx.Err() == nil && (patient || !isSilent(err))
			s.drop()
			if again {
				continue
			}
		}
		return err
	}
}

// Run closes sessions that are no longer used, and all of them when ctx ends.
func (d *Driver) Run(ctx context.Context) error {
	tick := time.NewTicker(d.cfg.IdleTimeout / 2)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.reap(d.cfg.IdleTimeout)
		case <-ctx.Done():
			d.reap(0)
			return nil
		}
	}
}

// reap closes the sessions idle for so long; those in use are left alone.
func (d *Driver) reap(idle time.Duration) {
	d.mu.Lock()
	all := make([]*session, 0, len(d.sessions))
	for _, s := range d.sessions {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, s := range all {
		select {
		case s.turn <- struct{}{}:
			if time.Since(s.last) >= idle {
				s.drop()
			}
			<-s.turn
		default:
		}
	}
}

func (d *Driver) session(id network.DeviceID) *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[id]
	if s == nil {
		s = &session{turn: make(chan struct{}, 1)}
		d.sessions[id] = s
	}
	return s
}
