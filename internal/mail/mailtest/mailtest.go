// Package mailtest gives tests a real SMTP server on loopback, which keeps
// what it takes and fails as it is told to.
package mailtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options of a server. The zero value is a server without TLS that lets
// everybody in.
type Options struct {
	TLS      string // "", "starttls", "tls"
	User     string // "": nobody signs in
	Password string
}

// Received is a message that the server took.
type Received struct {
	From string
	To   string
	Data []byte // as it came
}

// Header is a header of the message, "" when it is not there.
func (r Received) Header(name string) string {
	m, err := mail.ReadMessage(bytes.NewReader(r.Data))
	if err != nil {
		return ""
	}
	return m.Header.Get(name)
}

// Server is a running server.
type Server struct {
	Addr  string         // host:port
	Roots *x509.CertPool // who vouches for it; nil without TLS

	opts Options
	mu   sync.Mutex
	got  []Received
	fail func(at, address string) error
	cert tls.Certificate
}

// Start starts a server that ends with the test.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), opts: opts}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		if err := s.failure("greet", ""); err != nil {
			return nil, err
		}
		return &session{server: s}, nil
	}))
	srv.Domain, srv.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	srv.ReadTimeout, srv.WriteTimeout = 2*time.Minute, 2*time.Minute
	srv.MaxMessageBytes = 1 << 20
	if opts.TLS != "" {
		s.cert, s.Roots, err = certificate()
		if err != nil {
			t.Fatal(err)
		}
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12}
	}
	if opts.TLS == "tls" {
		l = tls.NewListener(l, srv.TLSConfig)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-ended })
	return s
}

// Received are the messages that were taken so far.
func (s *Server) Received() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Fail lets the server answer with what f gives: at is "greet", "mail",
// "rcpt", "data" (before the text was read), "taken" (after the message was
// kept: the client does not learn that it was). nil from f: no failure.
func (s *Server) Fail(f func(at, address string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

func (s *Server) failure(at, address string) error {
	s.mu.Lock()
	f := s.fail
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(at, address)
}

// Code is an answer of the server. Its text repeats the address, as that of
// real servers does.
func Code(code int, address string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no thanks <" + address + ">"}
}

// session is one connection.
type session struct {
	server   *Server
	from, to string
	in       bool
}

var (
	_ smtp.AuthSession = (*session)(nil)
	_ smtp.Session     = (*session)(nil)
)

func (s *session) AuthMechanisms() []string {
	if s.server.opts.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.opts.User || password != s.server.opts.Password {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.opts.User != "" && !s.in {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "sign in first"}
	}
	s.from = from
	return s.server.failure("mail", from)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.server.failure("rcpt", to)
}

func (s *session) Data(r io.Reader) error {
	if err := s.server.failure("data", s.to); err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	s.server.got = append(s.server.got, Received{From: s.from, To: s.to, Data: data})
	s.server.mu.Unlock()
	return s.server.failure("taken", s.to)
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }

// certificate is one for 127.0.0.1 and localhost, and who vouches for it.
func certificate() (tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots, nil
}
