// Package acme gets the certificates of an edge by the DNS-01 challenge
// (RFC 8555 §8.4) and renews them in time. Nobody outside needs to reach the edge:
// a program of whoever keeps the zone sets the record. A certificate that cannot
// be renewed stays until its end, and the next try follows.
package acme

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/certfile"
	"github.com/crinale/crinale/internal/fault"
)

// Config says of whom certificates are asked, and for which names.
type Config struct {
	Dir       string        // where account and certificates are kept
	Names     []string      // one certificate for each
	Directory string        // https address of the authority's directory
	Email     string        // that the authority writes to; may be empty
	Hook      []string      // program that sets the record, and what it is given first
	Settle    time.Duration // until the record is seen everywhere
}

// Deps is what it needs of others.
type Deps struct {
	HTTP *http.Client // nil: the usual one
	Now  func() time.Time
	Log  *slog.Logger
}

// Keeper keeps the certificates of some names.
type Keeper struct {
	cfg  Config
	http *http.Client
	now  func() time.Time
	log  *slog.Logger

	mu    sync.Mutex
	pairs map[string]*certfile.Pair
}

// How long between tries: a look at what runs out, and the pauses after a failure,
// which double. Authorities bound the failures of an hour.
const (
	lookEvery  = time.Hour
	firstPause = 2 * time.Minute
	mostPause  = 6 * time.Hour
)

// New makes a keeper and reads what it kept. Nothing is asked of anybody yet.
func New(cfg Config, deps Deps) (*Keeper, error) {
	k := &Keeper{cfg: cfg, http: deps.HTTP, now: deps.Now, log: deps.Log, pairs: map[string]*certfile.Pair{}}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Hook) == 0 || cfg.Directory == "" {
		return nil, fault.New(fault.Invalid, "acme: name the directory and the program that sets the record")
	}
	for _, name := range cfg.Names {
		if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return nil, fault.New(fault.Invalid, "acme: %q is no name", name)
		}
		if _, err := os.Stat(k.file(name)); err != nil {
			continue // not got yet
		}
		pair, err := certfile.Read(k.file(name), k.file(name), k.log, name)
		if err != nil {
			k.log.Warn("acme: what was kept is not usable, and is asked for again", "name", name, "err", err)
			continue
		}
		k.pairs[name] = pair
	}
	return k, nil
}

// file has the key and the certificates of a name, in one, so that they change
// together.
func (k *Keeper) file(name string) string { return filepath.Join(k.cfg.Dir, name+".pem") }

// Get is the certificate of a name; nil while there is none.
func (k *Keeper) Get(name string) *tls.Certificate {
	k.mu.Lock()
	pair := k.pairs[name]
	k.mu.Unlock()
	if pair == nil {
		return nil
	}
	c, _ := pair.Get(nil) // it never fails: what was read stays
	return c
}

// Until is the end of the certificate of a name; zero while there is none.
func (k *Keeper) Until(name string) time.Time {
	if c := k.Get(name); c != nil {
		return c.Leaf.NotAfter
	}
	return time.Time{}
}

// due says whether a certificate is to be had anew: there is none, or a third of
// its time is left.
func (k *Keeper) due(name string) bool {
	c := k.Get(name)
	return c == nil || k.now().After(c.Leaf.NotAfter.Add(-c.Leaf.NotAfter.Sub(c.Leaf.NotBefore)/3))
}

// Run keeps the certificates until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for {
		wait := lookEvery
		if err := k.round(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			pause = min(max(2*pause, firstPause), mostPause)
			wait = pause
			k.log.Error("acme: no certificate, tried again later", "err", err, "after", wait)
		} else {
			pause = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// round gets what is due. One name that fails does not keep the others.
func (k *Keeper) round(ctx context.Context) error {
	var first error
	for _, name := range k.cfg.Names {
		if ctx.Err() != nil || !k.due(name) {
			continue
		}
		if err := k.get(ctx, name); err != nil && first == nil {
			first = fmt.Errorf("%s: %w", name, err)
		}
	}
	return first
}

// get asks for a certificate and takes it into use.
func (k *Keeper) get(ctx context.Context, name string) error {
	pem, err := k.obtain(ctx, name)
	if err != nil {
		return err
	}
	if err := write(k.file(name), pem); err != nil {
		return err
	}
	pair, err := certfile.Read(k.file(name), k.file(name), k.log, name)
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.pairs[name] = pair
	k.mu.Unlock()
	k.log.Info("acme: certificate got", "name", name, "until", k.Until(name))
	return nil
}

// write puts a secret file in its place, whole or not at all.
func write(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", file, err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*") // readable by its owner alone
	if err != nil {
		return fmt.Errorf("keep %s: %w", file, err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("keep %s: %w", file, err)
	}
	return nil
}
