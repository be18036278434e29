// Package mail sends e-mail by SMTP: one message to one person, with an
// identity that stays the same however often it is sent, so that a mailbox
// shows it once.
//
// It tells apart what may work later and what never will: the caller's queue
// tries again after the one and gives up after the other.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// Security is how the connection is kept from being read.
type Security string

const (
	NoTLS    Security = "none"     // only to loopback
	StartTLS Security = "starttls" // asked for, and demanded
	TLS      Security = "tls"      // from the first byte
)

// Config of a mailer. Default gives what can be given.
type Config struct {
	Server  string        // host:port
	TLS     Security      // none, starttls, tls
	User    string        // "": no sign-in
	From    string        // "Passaggi <passaggi@unione.example>" or the address alone
	ReplyTo string        // "": as From
	Hello   string        // name given to the server; "": the domain of From
	Timeout time.Duration // of a whole delivery
}

// Default waits for 30 seconds and demands STARTTLS.
func Default() Config { return Config{TLS: StartTLS, Timeout: 30 * time.Second} }

// Deps are what a mailer works with.
type Deps struct {
	Password string         // of Config.User; the caller reads it from its file
	Roots    *x509.CertPool // who vouches for the server; nil: the system's
}

// Mailer sends by one server. Its methods may be used by many goroutines.
type Mailer struct {
	cfg     Config
	deps    Deps
	host    string
	port    int
	from    *netmail.Address
	replyTo *netmail.Address // nil: none
	domain  string           // of From
}

// New checks and wires; it touches nothing.
func New(cfg Config, deps Deps) (*Mailer, error) {
	m := &Mailer{cfg: cfg, deps: deps}
	host, port, err := net.SplitHostPort(cfg.Server)
	if err != nil || host == "" || strings.ContainsAny(host, "\r\n\x00/ ") {
		return nil, fault.New(fault.Invalid, "mail.server: write it as host:port, such as smtp.unione.example:587")
	}
	m.host = host
	if m.port, err = strconv.Atoi(port); err != nil || m.port < 1 || m.port > 65535 {
		return nil, fault.New(fault.Invalid, "mail.server: the port must be a number from 1 to 65535")
	}
	switch cfg.TLS {
	case StartTLS, TLS:
	case NoTLS:
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fault.New(fault.Invalid, "mail.tls: none is only for a server on this machine; use starttls or tls")
		}
		if cfg.User != "" {
			return nil, fault.New(fault.Invalid, "mail.user: no password is sent without TLS; use starttls or tls, or leave the user out")
		}
	default:
		return nil, fault.New(fault.Invalid, "mail.tls: %.20q is not known; use starttls, tls or none", string(cfg.TLS))
	}
	if cfg.Timeout <= 0 {
		return nil, fault.New(fault.Invalid, "mail.timeout: it must be more than 0")
	}
	if (cfg.User == "") != (deps.Password == "") {
		return nil, fault.New(fault.Invalid, "mail.user: give the user and the file with its password, or neither")
	}
	if m.from, err = address("mail.from", cfg.From); err != nil {
		return nil, err
	}
	_, m.domain, _ = strings.Cut(m.from.Address, "@")
	if cfg.ReplyTo != "" {
		if m.replyTo, err = address("mail.reply_to", cfg.ReplyTo); err != nil {
			return nil, err
		}
	}
	if m.cfg.Hello == "" {
		m.cfg.Hello = m.domain
	}
	if strings.ContainsFunc(m.cfg.Hello, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.New(fault.Invalid, "mail.hello: give a host name")
	}
	return m, nil
}

// address reads one address with or without a name. It names the field, never
// the address, since errors are kept.
func address(field, s string) (*netmail.Address, error) {
	bad := fault.New(fault.Invalid, "%s: it is not an e-mail address such as passaggi@unione.example", field)
	if len(s) > 320 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, bad
	}
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, bad
	}
	local, domain, ok := strings.Cut(a.Address, "@")
	if !ok || local == "" || len(local) > 64 || strings.Contains(domain, "@") || strings.Trim(domain, ".-") != domain || domain == "" {
		return nil, bad
	}
	for _, r := range a.Address {
		if r <= ' ' || r > '~' || strings.ContainsRune(`<>()[]\,;:"`, r) {
			return nil, bad
		}
	}
	return a, nil
}

// CheckAddress says whether s is an address that mail can be sent to: without
// a name, in plain signs.
func CheckAddress(s string) error {
	a, err := address("e-mail", s)
	if err == nil && a.Address != s {
		return fault.New(fault.Invalid, "e-mail: write the address alone, such as nome@example.it")
	}
	return err
}

// dial connects. The end of ctx, which is that of the whole delivery, ends the
// connection at any time.
func (m *Mailer) dial(ctx context.Context, to string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	if m.cfg.TLS == NoTLS {
		if at, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
			conn.Close()
			return nil, fault.New(fault.Denied, "without TLS only this machine is talked to")
		}
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	if m.cfg.TLS != TLS {
		return conn, nil
	}
	secure := tls.Client(conn, m.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func (m *Mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.host, RootCAs: m.deps.Roots, MinVersion: tls.VersionTLS12}
}
