package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// certCheck is how often at most the files of the certificate are looked at.
const certCheck = 10 * time.Second

// certificate is a key pair in two PEM files. When another program renews
// them, the next visitors get the new one; one that cannot be read leaves the
// old one in force.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   string // sizes and times of the files as read
	failed  string // stamp of files that could not be read, told once
	checked time.Time
}

// readCertificate reads the pair for the first time.
func readCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.read(); err != nil {
		return nil, fault.As(fault.Invalid, err)
	}
	c.checked = time.Now()
	return c, nil
}

func (c *certificate) read() error {
	stamp, err := c.look()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.failed = stamp
		return fmt.Errorf("read certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair, c.stamp, c.failed = &pair, stamp, ""
	return nil
}

// look is the state of the files as the disk tells it.
func (c *certificate) look() (string, error) {
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

// get is for tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certCheck {
		c.checked = now
		c.refresh()
	}
	return c.pair, nil
}

// refresh reads the files again when they changed.
func (c *certificate) refresh() {
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
		c.log.Error("web: the new certificate is not usable, the old one stays", "error", err)
		return
	}
	c.log.Info("web: certificate read again", "file", c.certFile)
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
