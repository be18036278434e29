package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// kept is what a server holds while it runs: its database and the key of its
// secrets.
type kept struct {
	db  *store.DB
	key []byte // seals second factors and marks known devices
}

// open takes the data folder, opens the relational store and reads the key.
func open(ctx context.Context, cfg config) (k *kept, release func(), err error) {
	unlock, err := lockData(cfg.Data)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			unlock()
		}
	}()
	url := cfg.Store.URL
	if cfg.Store.URLFile != "" {
		if url, err = secret("store.url_file", cfg.Store.URLFile); err != nil {
			return nil, nil, err
		}
	}
	if url == "" {
		url = filepath.Join(cfg.Data, "crinale.db")
	}
	key, err := dataKey(filepath.Join(cfg.Data, "people.key"))
	if err != nil {
		return nil, nil, err
	}
	octx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	db, err := store.Open(octx, url)
	if err != nil {
		return nil, nil, fmt.Errorf("store: %w", err)
	}
	return &kept{db, key}, func() { _ = db.Close(); unlock() }, nil
}

// keyBytes is the length of the key, AES-256's.
const keyBytes = 32

// dataKey reads the key of a data folder, making it the first time. It stays
// on this machine, also where the database is elsewhere.
func dataKey(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		key := make([]byte, keyBytes)
		rand.Read(key)
		return key, writeFile(path, ownerOnly, func(w io.Writer) error {
			_, err := w.Write(key)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("key of accounts: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Invalid, "key of accounts: %s can be read by others: chmod 600 %s", path, path)
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Denied, "key of accounts: %w", err)
	}
	if len(key) != keyBytes {
		return nil, fault.New(fault.Invalid, "key of accounts: %s has %d bytes and not %d: put it back from the backup; without it second factors must be set up anew (move the file away to get a new key)", path, len(key), keyBytes)
	}
	return key, nil
}
