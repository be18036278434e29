package store

import (
	"context"
	"fmt"
	"os"

	"github.com/crinale/crinale/internal/fault"
)

// CopyTo writes the database as it stands into a file that is not there yet,
// readable by its owner alone, while others read and write. Nothing that was
// deleted is in it. A failure leaves no file. Invalid: PostgreSQL, which has
// its own programs for that.
func (db *DB) CopyTo(ctx context.Context, path string) (err error) {
	if db.kind == Postgres {
		return fault.New(fault.Invalid, "copy database %s: use pg_dump, PostgreSQL's own program", db.name)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("copy database %s: %w", db.name, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if _, err := db.sql.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return explain("copy database", db.name, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("copy database %s: %w", db.name, err)
	}
	return nil
}
