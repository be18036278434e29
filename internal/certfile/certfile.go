// Package certfile keeps the certificate of a server in two PEM files that
// another program renews.
package certfile

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// check is how often at most the files of the certificate are looked at.
const check = 10 * time.Second

// Pair is a key pair in two PEM files. When another program renews them, the next
// visitors get the new one; one that cannot be read, or is not for the names that
// it is needed for, leaves the old one in force.
type Pair struct {
	certFile, keyFile string
	names             []string
	log               *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   string // sizes and times of the files as read
	failed  string // stamp of files that could not be read, told once
	checked time.Time
}

// Read reads a pair for the first time. It must be for all the names.
func Read(certFile, keyFile string, log *slog.Logger, names ...string) (*Pair, error) {
	c := &Pair{certFile: certFile, keyFile: keyFile, names: names, log: log}
	if err := c.read(); err != nil {
		return nil, fault.As(fault.Invalid, err)
	}
	c.checked = time.Now()
	return c, nil
}

func (c *Pair) read() error {
	stamp, err := c.look()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.failed = stamp
		return fmt.Errorf("read certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	for _, name := range c.names {
		if err := pair.Leaf.VerifyHostname(name); err != nil {
			c.failed = stamp
			return fmt.Errorf("certificate %s is for other names: %w", c.certFile, err)
		}
	}
	c.pair, c.stamp, c.failed = &pair, stamp, ""
	return nil
}

// look is the state of the files as the disk tells it.
func (c *Pair) look() (string, error) {
	var stamp string
	for _, f := range []string{c.certFile, c.keyFile} {
		st, err := os.Stat(f)
		if err != nil {
			return "", fmt.Errorf("read certificate: %w", err)
		}
		stamp += fmt.Sprint(st.Size(), " ", st.ModTime().UnixNano(), " ")
	}
	return stamp, nil
}

// Get is for tls.Config.GetCertificate.
func (c *Pair) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= check {
		c.checked = now
		c.refresh()
	}
	return c.pair, nil
}

// refresh reads the files again when they changed.
func (c *Pair) refresh() {
	stamp, err := c.look()
	if err != nil {
		stamp = "absent"
	}
	if stamp == c.stamp || stamp == c.failed {
		return
	}
	if err == nil {
		err = c.read()
	}
	if err != nil {
		c.failed = stamp
		c.log.Error("the new certificate is not usable, the old one stays", "error", err)
		return
	}
	c.log.Info("certificate read again", "file", c.certFile)
}

// Config is that of a server with this certificate alone.
func (c *Pair) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.Get}
}
