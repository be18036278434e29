package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, fault.New(fault.Invalid, "open database: %q is not a file; name one, such as data/crinale.db", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "open database %s: %w", path, err)
	}
	if err := writable(path); err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"_txlock": {"immediate"}, // a transaction that will write takes the lock at once, not half-way
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			"journal_mode(WAL)",
			"synchronous(FULL)",
			"foreign_keys(1)",
			"secure_delete(1)", // what is deleted is overwritten: a deletion that is asked for is one
		},
		"_dqs":      {"0"}, // "x" is a column, as in PostgreSQL, never a text
		"_error_rc": {"1"}, // true causes in errors
	}.Encode()}
	pool, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, explain("open database", path, err)
	}
	pool.SetMaxOpenConns(sqliteConns)
	pool.SetMaxIdleConns(sqliteConns / 2)
	return (&DB{kind: SQLite, name: path, sql: pool, writer: make(chan struct{}, 1)}).check(ctx)
}

// writable makes the folder and the file where they are absent, readable by
// their owner only, and says plainly what is wrong where that cannot be done.
// SQLite itself would only say "unable to open database file".
func writable(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cannotWrite(path, dir, err)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return fault.New(fault.Invalid, "open database %s: it is a folder or a device, not a file; name a file in it, such as %s", path, filepath.Join(path, "crinale.db"))
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return cannotWrite(path, dir, err)
	}
	f.Close()
	// The log of SQLite stands beside the file, so the folder counts too.
	probe, err := os.CreateTemp(dir, ".crinale-probe-*")
	if err != nil {
		return cannotWrite(path, dir, err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

func cannotWrite(path, dir string, err error) error {
	var pe *fs.PathError
	cause := err
	if errors.As(err, &pe) {
		cause = pe.Err
	}
	return fault.New(fault.Invalid, "open database %s: folder %s cannot be written: %w; give the user that runs crinale the right to write there, or choose another folder", path, dir, cause)
}
