package certfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
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

func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "uno")
	c, err := Read(cert, key, slog.New(slog.NewTextHandler(t.Output(), nil)), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		t.Helper()
		c.checked = time.Time{} // long ago
		p, err := c.Get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(p.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Subject.CommonName
	}
	if _, err := Read(cert, key, slog.Default(), "docs.bergolo.example"); fault.Of(err) != fault.Invalid {
		t.Errorf("a certificate for other names: %v", err)
	}
	if name() != "uno" {
		t.Error("not the first")
	}
	pair(t, dir, "due-due")
	if got := name(); got != "due-due" {
		t.Errorf("after the change: %s", got)
	}
	for _, broken := range []string{"", "not a certificate"} {
		if err := os.WriteFile(cert, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := name(); got != "due-due" {
			t.Errorf("half written: %s", got)
		}
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "due-due" {
		t.Errorf("absent: %s", got)
	}
	pair(t, dir, "tre")
	if got := name(); got != "tre" {
		t.Errorf("mended: %s", got)
	}
	c.names = append(c.names, "docs.bergolo.example")
	pair(t, dir, "quattro")
	if got := name(); got != "tre" {
		t.Errorf("for other names than are needed: %s", got)
	}
}
