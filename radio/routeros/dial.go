package routeros

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/radio"
)

// dial connects and logs in.
func (d *Driver) dial(ctx context.Context, t radio.Target) (*conn, error) {
	address := t.Address
	if t.TLSAddress != "" {
		address = t.TLSAddress
	}
	if address == "" {
		return nil, fault.New(fault.Invalid, "no address to connect to: set the address of the device")
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fault.New(fault.Invalid, "address %q: it must be host:port", address)
	}
	short, cancel := context.WithTimeout(ctx, d.cfg.DialTimeout)
	defer cancel()
	raw, err := d.deps.Dial(short, "tcp", address)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		} else {
			err = reason(err, d.cfg.DialTimeout)
		}
		return nil, fault.New(fault.Unreachable, "connect to %s: %w", address, err)
	}
	stream := raw
	if t.TLSAddress != "" {
		if stream, err = d.handshake(short, raw, t); err != nil {
			_ = raw.Close()
			kind := fault.Of(err) // a certificate or a pin; anything else is silence
			if kind == fault.Internal {
				kind = fault.Unreachable
			}
			return nil, fault.New(kind, "connect to %s: TLS: %w", address, err)
		}
	}
	c, err := newConn(raw, stream, d.cfg, t.Password)
	if err != nil {
		_ = raw.Close()
		return nil, fault.New(fault.Internal, "connect to %s: %w", address, err)
	}
	if err := c.login(ctx, t.User, t.Password); err != nil {
		c.close()
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return c, nil
}

// handshake opens TLS: the certificate must match the target's pin, or else be
// signed by one of Config.RootCAs (the system's when nil) for the host. Denied
// is a certificate that is not trusted, Refused a device that has none, Invalid
// a pin that is no pin.
func (d *Driver) handshake(ctx context.Context, raw net.Conn, t radio.Target) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(t.TLSAddress)
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: d.cfg.RootCAs}
	if t.Pin != "" {
		want, err := parsePin(t.Pin)
		if err != nil {
			return nil, err
		}
		conf.InsecureSkipVerify = true // the pin below is what we trust
		conf.VerifyConnection = func(s tls.ConnectionState) error {
			have := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
			if subtle.ConstantTimeCompare(have[:], want) != 1 {
				return fault.New(fault.Denied, "the device shows another key than pinned (%s): if its certificate was renewed, set the new pin", Pin(s.PeerCertificates[0]))
			}
			return nil
		}
	}
	stream := tls.Client(raw, conf)
	if err := stream.HandshakeContext(ctx); err != nil {
		var unsigned *tls.CertificateVerificationError
		var remote *net.OpError
		var plain tls.RecordHeaderError
		switch {
		case errors.As(err, &unsigned) && len(unsigned.UnverifiedCertificates) > 0:
			return nil, fault.New(fault.Denied, "%w: name its authority, or pin the device's key if %s is its own",
				unsigned.Err, Pin(unsigned.UnverifiedCertificates[0]))
		case errors.As(err, &remote) && remote.Op == "remote error":
			return nil, fault.New(fault.Refused, "%w: give the device's api-ssl service a certificate; without one it offers no cipher that can be trusted", err)
		case errors.As(err, &plain):
			return nil, &protocolError{err.Error() + ": is this the port of api-ssl?"}
		}
		return nil, reason(err, d.cfg.DialTimeout)
	}
	return stream, nil
}

// Pin is the pin of a certificate, as radio.Target takes it.
func Pin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func parsePin(s string) ([]byte, error) {
	h, ok := strings.CutPrefix(s, "sha256:")
	b, err := hex.DecodeString(h)
	if !ok || err != nil || len(b) != sha256.Size {
		return nil, fault.New(fault.Invalid, "the pin must be sha256: and 64 hexadecimal digits")
	}
	return b, nil
}

// dialTCP is the usual way to connect; keep-alives find half-open connections
// between the rounds.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	return d.DialContext(ctx, network, address)
}
