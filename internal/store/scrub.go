package store

import (
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/fault"
)

// scrubWait is how many times Scrub asks for SQLite's log to be emptied while
// somebody still reads from it.
const scrubWait = 3

// Scrub takes what was deleted off the disk too, for tables that held what
// nobody may read any more. SQLite overwrites deleted rows by itself, but its
// write-ahead log still tells of them: it is emptied. PostgreSQL keeps dead
// rows until they are cleaned: the tables are rewritten without them; its own
// write-ahead log, and what is backed up from it, end with their retention.
//
// It must not run within a transaction. Conflict: somebody reads from an old
// state for too long; what is left goes with the next Scrub.
func (db *DB) Scrub(ctx context.Context, tables ...string) error {
	if db.kind == Postgres {
		for _, t := range tables {
			if !ownerName.MatchString(t) {
				return fault.New(fault.Internal, "scrub database %s: %q is not a table", db.name, t)
			}
			if _, err := db.sql.ExecContext(ctx, "VACUUM (FULL) "+t); err != nil {
				return explain("scrub table "+t+" of database", db.name, err)
			}
		}
		return nil
	}
	select {
	case db.writer <- struct{}{}:
		defer func() { <-db.writer }()
	case <-ctx.Done():
		return explain("wait to scrub database", db.name, context.Cause(ctx))
	}
	for range scrubWait {
		var busy, log, moved int
		if err := db.sql.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil {
			return explain("scrub database", db.name, err)
		}
		if busy == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("scrub database %s: %w", db.name, context.Cause(ctx))
		}
	}
	return fault.New(fault.Conflict, "scrub database %s: somebody reads from it; the next scrub takes what is left", db.name)
}
