package channel

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/spine/spinetest"
)

// behindTLS is what operators put before the broker: it speaks TLS to the outside.
func behindTLS(t *testing.T, to string) (addr string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				s, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer s.Close()
				go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
				_, _ = io.Copy(c, s)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port, roots
}

func TestOverTLS(t *testing.T) {
	s := spinetest.Start(t, nil, bergolo(t))
	c := publisher(t, s)
	c.put(ordersTopic, orders(1, 1))
	addr, roots := behindTLS(t, s.MQTTAddr())
	e := listen(t, addr, filepath.Join(t.TempDir(), "orders.json"), func(c *Config) { c.Broker, c.Roots = at("tls://"+addr), roots })
	if !e.Heard(t.Context()) || e.heardOrders() != "tag:t1" {
		t.Errorf("%+v", e.State())
	}
	for want, change := range map[string]func(*Config){
		"controller.ca_file": func(c *Config) { c.Broker, c.Roots = at("tls://"+addr), x509.NewCertPool() },
		"its certificate is for other na": func(c *Config) {
			c.Broker, c.Roots = at("tls://"+strings.Replace(addr, "localhost", "127.0.0.1", 1)), roots
		},
	} {
		e := listen(t, addr, filepath.Join(t.TempDir(), "orders.json"), func(c *Config) { change(c); c.Wait = 100 * time.Millisecond })
		if e.Heard(t.Context()) {
			t.Errorf("%s: heard", want)
		}
		eventually(t, want, func() bool { return strings.Contains(e.State().Err, want) })
	}
}

// Whoever dies after it forgot, and before that was remembered, forgets once more.
func TestForgottenTwiceIsHarmless(t *testing.T) {
	s := spinetest.Start(t, nil, bergolo(t))
	publisher(t, s).put(ordersTopic, orders(1, 1))
	dir := filepath.Join(t.TempDir(), "gone")
	for _, there := range []bool{false, true} {
		if there {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		e := listen(t, s.MQTTAddr(), filepath.Join(dir, "orders.json"), nil)
		if e.Heard(t.Context()) != there || e.heardOrders() != "tag:t1" {
			t.Errorf("remembered %v: forgot %q, %+v", there, e.heardOrders(), e.State())
		}
		e.stop()
	}
}
