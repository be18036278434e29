package edge

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/crinale/crinale/internal/strict"
)

// ACMEPolicy is where the edge gets certificates for the names that have no file:
// by the DNS-01 challenge (RFC 8555 §8.4), so that nobody outside needs to reach
// the edge.
type ACMEPolicy struct {
	At        strict.At `yaml:"-"`
	Directory string    `yaml:"directory"`         // of the authority; empty: Let's Encrypt
	Email     string    `yaml:"email"`             // that the authority writes to
	Agree     bool      `yaml:"agree,required"`    // to the authority's terms
	Hook      []string  `yaml:"dns_hook,required"` // a program that sets the record: PROGRAM … present|cleanup NAME VALUE
	SettleS   float64   `yaml:"settle_s"`          // until the record is seen everywhere
	CAFile    string    `yaml:"ca_file"`           // who vouches for the directory; empty: whom the machine trusts
}

// letsEncrypt is the directory where none is named.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

func (a *ACMEPolicy) check(l *strict.List) {
	if a.Directory == "" {
		a.Directory = letsEncrypt
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		l.Add(a.At.Problem("directory", "%q: write the https:// address of the authority's directory", a.Directory))
	}
	if !a.Agree {
		l.Add(a.At.Problem("agree", "read the terms of the authority, and write agree: true"))
	}
	if a.Email != "" && (strings.Count(a.Email, "@") != 1 || strings.ContainsAny(a.Email, " ,;?&")) {
		l.Add(a.At.Problem("email", "%q: write one address", a.Email))
	}
	if len(a.Hook) == 0 || !filepath.IsAbs(a.Hook[0]) {
		l.Add(a.At.Problem("dns_hook", "write the whole path of the program that sets the record, then what it is given before present NAME VALUE"))
	}
	if a.SettleS == 0 {
		a.SettleS = 30
	}
	if !(a.SettleS >= 0) || a.SettleS > 3600 {
		l.Add(a.At.Problem("settle_s", "%v: write seconds up to 3600", a.SettleS))
	}
}
