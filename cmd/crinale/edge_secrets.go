package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/acme"
	"github.com/crinale/crinale/internal/certfile"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
)

// certificates reads those of the services. An address that others can reach
// needs one for each name.
func (s *edgeServer) certificates() error {
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return usage("--listen %q: write address:port", s.addr)
	}
	type named struct {
		at              strict.At
		host, cert, key string
	}
	var all []named
	for _, v := range s.policy.Services {
		all = append(all, named{v.At, v.Host, v.CertFile, v.KeyFile})
	}
	if r := s.policy.Reader; r != nil {
		all = append(all, named{r.At, r.Host, r.CertFile, r.KeyFile})
	}
	without := ""
	var asked []string // of the authority
	for _, v := range all {
		name, _, _ := strings.Cut(v.host, ":")
		if v.cert == "" && s.policy.ACME != nil {
			asked = append(asked, name)
			continue
		}
		if v.cert == "" {
			without = v.host
			continue
		}
		cert, err := certfile.Read(v.cert, v.key, s.log, name)
		if err != nil {
			return fault.New(fault.Invalid, "%s: %w", v.at, err)
		}
		if s.certs == nil {
			s.certs = map[string]*certfile.Pair{}
		}
		s.certs[name] = cert
	}
	if a := s.policy.ACME; a != nil {
		if name, _, _ := strings.Cut(s.policy.Status, ":"); name != "" && s.certificate(name) == nil {
			asked = append(asked, name)
		}
		var err error
		if s.acme, err = newACME(a, filepath.Join(s.data, "acme"), asked, s.log); err != nil {
			return err
		}
	}
	switch {
	case s.certs != nil && without != "":
		return fault.New(fault.Invalid, "%s has no certificate, and others have: give it cert_file and key_file", without)
	case s.certs != nil && s.acme == nil && s.policy.Status != "" && s.certificate(s.policy.Status) == nil:
		return fault.New(fault.Invalid, "%s: status_host %s is in none of the certificates: add the name to one of them", s.policy.At, s.policy.Status)
	case !s.secure() && !loopback(host):
		return fault.New(fault.Invalid, "--listen %s can be reached by other machines: give each service cert_file and key_file in edge.yaml", s.addr)
	}
	return nil
}

// newACME asks an authority for the certificates of some names.
func newACME(a *edge.ACMEPolicy, dir string, names []string, log *slog.Logger) (*acme.Keeper, error) {
	client := &http.Client{Timeout: time.Minute}
	if a.CAFile != "" {
		pem, err := os.ReadFile(a.CAFile)
		pool := x509.NewCertPool()
		if err == nil && !pool.AppendCertsFromPEM(pem) {
			err = fault.New(fault.Invalid, "%s has no certificate in PEM", a.CAFile)
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s: ca_file: %w", a.At, err)
		}
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	c := acme.Config{Dir: dir, Names: names, Directory: a.Directory, Email: a.Email, Hook: a.Hook, Settle: time.Duration(a.SettleS * float64(time.Second))}
	return acme.New(c, acme.Deps{HTTP: client, Log: log})
}

// secure says whether the edge speaks TLS.
func (s *edgeServer) secure() bool { return s.certs != nil || s.acme != nil }

// certificate is the one for a name; nil when there is none.
func (s *edgeServer) certificate(name string) *tls.Certificate {
	name, _, _ = strings.Cut(strings.ToLower(name), ":")
	if s.acme != nil {
		if c := s.acme.Get(name); c != nil {
			return c
		}
	}
	if p := s.certs[name]; p != nil {
		c, _ := p.Get(nil) // it never fails: what was read stays
		return c
	}
	if host, _, _ := strings.Cut(s.policy.Status, ":"); name == host {
		for _, p := range s.certs {
			if c, err := p.Get(nil); err == nil && c.Leaf.VerifyHostname(name) == nil {
				return c
			}
		}
	}
	return nil
}

// keyFiles reads the secrets of comuni from a folder, again each time: what is
// taken away there is gone here.
func keyFiles(folder string) func(string) ([]byte, bool) {
	return func(comune string) ([]byte, bool) {
		if folder == "" {
			return nil, false
		}
		text, err := os.ReadFile(filepath.Join(folder, comune+".key"))
		if err != nil {
			return nil, false
		}
		key, err := hex.DecodeString(strings.TrimSpace(string(text)))
		return key, err == nil && len(key) == 32
	}
}

// sealing gives the keys of the comuni whose services are encrypted, and of no
// other.
type sealing struct {
	file   func(string) ([]byte, bool)
	sealed map[string]bool
}

func (k *sealing) Key(comune string) ([]byte, bool) {
	if !k.sealed[comune] {
		return nil, false
	}
	return k.file(comune)
}

// checkKeys sees that what is to be encrypted can be, from the first moment.
func checkKeys(p edge.Policy, folder string) error {
	key := keyFiles(folder)
	for _, v := range p.Services {
		if !v.Encrypt {
			continue
		}
		if _, ok := key(v.Comune); !ok {
			return fault.New(fault.Invalid, "%s: service %s is to be encrypted, and there is no key of comune %s: put 64 hexadecimal digits into %s.key in the folder of --keys, readable by this user alone (openssl rand -hex 32)", v.At, v.Host, v.Comune, v.Comune)
		}
		if st, err := os.Stat(filepath.Join(folder, v.Comune+".key")); err == nil && st.Mode().Perm()&0o077 != 0 {
			return fault.New(fault.Denied, "%s can be read by others: chmod 600 it", filepath.Join(folder, v.Comune+".key"))
		}
	}
	return nil
}
