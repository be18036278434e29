package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/crinale/crinale/internal/fault"
)

// lockData takes the data folder for this process, making it when absent. The
// system lets go of it when the process ends, however it ends.
func lockData(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Denied, "data folder %s cannot be made: %w: choose another with --data, or change its owner", dir, err)
	}
	if st, err := os.Stat(dir); err == nil && st.Mode().Perm()&0o002 != 0 { // keys and socket could be put in place of ours
		return nil, fault.New(fault.Denied, "data folder %s can be written by everybody: chmod o-w %s", dir, dir)
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.New(fault.Denied, "data folder %s cannot be written: %w: choose another with --data, or change its owner", dir, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, errors.Join(fault.New(fault.Conflict, "another crinale runs on the data folder %s: end it first, or choose another folder with --data", dir), f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
