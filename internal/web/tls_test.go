package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// pair writes a certificate of 127.0.0.1 with its key.
func pair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestServesTLS(t *testing.T) {
	cert, key := pair(t, t.TempDir(), "uno")
	s := shell(t, func(c *Config) { c.CertFile, c.KeyFile = cert, key })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL %s", s.URL())
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	res, err := client.Get(s.URL() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 200 || res.ProtoMajor != 2 || res.TLS.PeerCertificates[0].Subject.CommonName != "uno" || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%v %v", res.Status, res.Header)
	}
	if _, err := tls.Dial("tcp", strings.TrimPrefix(s.URL(), "https://"), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	client.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestCertificateThatIsNone(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "uno")
	for _, c := range [][2]string{{filepath.Join(dir, "absent"), key}, {cert, filepath.Join(dir, "absent")}, {key, cert}, {cert, cert}} {
		s := shell(t, func(cfg *Config) { cfg.CertFile, cfg.KeyFile = c[0], c[1] })
		err := s.Run(t.Context())
		if fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v", c, err)
		}
	}
	for _, cfg := range []Config{{Addr: "127.0.0.1:0", CertFile: "x"}, {Addr: "127.0.0.1:0", KeyFile: "x"}} {
		if _, err := New(cfg, Deps{}); fault.Of(err) != fault.Invalid {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	s, err := New(Config{Addr: "192.0.2.1:8443", CertFile: "x", KeyFile: "y"}, Deps{})
	if err != nil {
		t.Fatalf("an address for all with a certificate: %v", err)
	}
	for host, want := range map[string]int{"192.0.2.1:8443": 200, "192.0.2.2:8443": 421, "evil.example": 421} {
		if w := ask(s, "GET", "/healthz", "Host", host); w.Code != want {
			t.Errorf("%s: %d", host, w.Code)
		}
	}
}

func TestForwarded(t *testing.T) {
	for _, c := range []struct {
		trust           bool
		peer, xff, prot string
		from            string
		secure          bool
	}{
		{true, "127.0.0.1:999", "203.0.113.9", "https", "203.0.113.9", true},
		{true, "127.0.0.1:999", "198.51.100.1, 203.0.113.9", "http", "203.0.113.9", false},
		{true, "[::1]:999", "203.0.113.9:55", "HTTPS", "203.0.113.9", true},
		{true, "127.0.0.1:999", "[2001:db8::1]:55", "", "2001:db8::1", false},
		{true, "127.0.0.1:999", "::ffff:203.0.113.9", "", "203.0.113.9", false},
		{true, "127.0.0.1:999", "unknown", "", "127.0.0.1", false},
		{true, "127.0.0.1:999", "", "", "127.0.0.1", false},
		{true, "203.0.113.9:999", "10.0.0.1", "https", "203.0.113.9", false},
		{false, "127.0.0.1:999", "203.0.113.9", "https", "127.0.0.1", false},
		{true, "@", "203.0.113.9", "https", "", false},
	} {
		s := shell(t, func(cfg *Config) { cfg.Forwarded = c.trust })
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.xff != "" {
			r.Header.Set("X-Forwarded-For", c.xff)
		}
		r.Header.Set("X-Forwarded-Proto", c.prot)
		if from := s.from(r); from != c.from || s.secure(r) != c.secure {
			t.Errorf("%+v: from %q, secure %v", c, from, s.secure(r))
		}
	}
	s := shell(t, func(cfg *Config) { cfg.Forwarded = true })
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	s.setCookie(w, r, "x", 0)
	if c := w.Header().Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-crinale=x") || !strings.Contains(c, "Secure") || strings.Contains(c, "Domain") {
		t.Errorf("cookie behind a proxy with TLS: %q", c)
	}
}

func TestWhoReachesTheHandler(t *testing.T) {
	s := shell(t)
	var got login.Identity
	s.who = func(*http.Request) (login.Identity, error) {
		return login.Identity{Person: "tecnica", Via: "session", From: "192.0.2.1"}, nil
	}
	s.Handle("GET /x", SignedIn, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Who(r.Context()) }))
	if w := ask(s, "GET", "/x"); w.Code != 200 || got.From != "192.0.2.1" {
		t.Errorf("%d %+v", w.Code, got)
	}
}
