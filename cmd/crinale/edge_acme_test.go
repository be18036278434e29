package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

// An edge whose certificates come from an authority may be reached by other
// machines before it has any, gives what it keeps after a restart, the page of its
// state under its own name, and says when each ends.
func TestEdgeWithAnAuthority(t *testing.T) {
	text := "name: bergolo\ncomune: \"004021\"\nstatus_host: stato.bergolo.example\nservices:\n  - {host: docs.bergolo.example, origin: https://docs.example, agreed: x}\n"
	with := text + "acme: {agree: true, dns_hook: [/bin/true]}\n"
	data := t.TempDir()
	made := func(text string) (*edgeServer, error) {
		p, err := edge.ParsePolicy("edge.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return newEdgeServer(p, data, "0.0.0.0:8443", "", slog.New(slog.DiscardHandler))
	}
	if _, err := made(text); err == nil {
		t.Error("without certificates, at an address for all")
	}
	s, err := made(with)
	if err != nil || !s.secure() || s.certificate("docs.bergolo.example") != nil {
		t.Fatalf("before there is a certificate: %v", err)
	}
	end := time.Now().Add(60 * 24 * time.Hour).Truncate(time.Second)
	for _, name := range []string{"docs.bergolo.example", "stato.bergolo.example"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: end, DNSNames: []string{name}}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		b := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		if err := os.MkdirAll(filepath.Join(data, "acme"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, "acme", name+".pem"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = made(with); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"docs.bergolo.example", "STATO.bergolo.example:8443"} {
		if c := s.certificate(name); c == nil || !c.Leaf.NotAfter.Equal(end) {
			t.Errorf("%s has %v", name, c)
		}
	}
	if s.certificate("altro.example") != nil {
		t.Error("a certificate for a name that is not ours")
	}
	s.saved = newSavings(s)
	if said := string(s.figures().Text()); !strings.Contains(said, `crinale_edge_certificate_ends_seconds{host="docs.bergolo.example"}`) {
		t.Errorf("figures: %s", said)
	}
}
