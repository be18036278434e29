package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/crinale/crinale/internal/fault"
)

// Attempts at one transaction. SQLite has waited busyTimeout in each already.
const (
	attemptsSQLite   = 3
	attemptsPostgres = 20
)

// Tx is a transaction. Now is its one idea of the present, in UTC and whole
// milliseconds, so that a stored time reads back equal.
type Tx struct {
	Now      time.Time
	tx       *sql.Tx
	kind     Kind
	readOnly bool
}

// Kind says which database it is.
func (tx *Tx) Kind() Kind { return tx.kind }

// Exec runs a statement that gives no rows. In a View it is refused.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx.readOnly {
		return nil, fault.New(fault.Internal, "write in a transaction that only reads")
	}
	return tx.tx.ExecContext(ctx, query, args...)
}

// Query runs a statement that gives rows. They must be read and closed before
// the next statement of the transaction.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.tx.QueryContext(ctx, query, args...)
}

// QueryRow runs a statement that gives one row at most; Scan answers
// sql.ErrNoRows when there is none.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.tx.QueryRowContext(ctx, query, args...)
}

// Do runs fn in a serialisable transaction and commits it. When fn gives an
// error, or panics, nothing stays. When Do returns nil the change is on the
// disk.
//
// The database may ask for a transaction to be tried again, and then fn runs
// again, with a new Tx and a new Now: it must change nothing but the
// transaction and its own variables, which it sets anew. Errors of statements
// must come back wrapped with %w or as they are. What is in conflict still
// after all attempts is a fault.Conflict.
func (db *DB) Do(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, false, fn)
}

// View runs fn in a transaction that only reads, over one consistent state.
// It never waits for a writer.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, true, fn)
}

func (db *DB) run(ctx context.Context, readOnly bool, fn func(*Tx) error) error {
	if db.kind == SQLite && !readOnly {
		select {
		case db.writer <- struct{}{}:
			defer func() { <-db.writer }()
		case <-ctx.Done():
			return explain("wait to write to database", db.name, context.Cause(ctx))
		}
	}
	attempts := attemptsPostgres
	if db.kind == SQLite {
		attempts = attemptsSQLite
	}
	for n := 1; ; n++ {
		err := db.once(ctx, readOnly, fn)
		if err == nil || !again(err) || ctx.Err() != nil {
			return err
		}
		if n == attempts {
			return fault.New(fault.Conflict, "write to database %s: still in conflict after %d attempts; try again: %w", db.name, n, err)
		}
		wait := time.NewTimer(pause(n))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return err
		}
	}
}

// pause before attempt n+1: 1 ms doubling to 256 ms, of which a random half,
// so that two in conflict do not meet again.
func pause(n int) time.Duration {
	d := time.Millisecond << min(n-1, 8)
	return d/2 + rand.N(d/2+1)
}

func (db *DB) once(ctx context.Context, readOnly bool, fn func(*Tx) error) error {
	tx, err := db.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: readOnly})
	if err != nil {
		return explain("begin on database", db.name, err)
	}
	defer tx.Rollback() // no effect after Commit
	clock := time.Now
	if db.clock != nil {
		clock = db.clock
	}
	now := clock().UTC().Truncate(time.Millisecond)
	if err := fn(&Tx{Now: now, tx: tx, kind: db.kind, readOnly: readOnly}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return explain("commit to database", db.name, err)
	}
	return nil
}

// again says whether the database asks for the transaction to be repeated.
func again(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
			return true
		}
	}
	return false
}

// sqlState is PostgreSQL's five-character error code, "" where there is none.
func sqlState(err error) string {
	var pe interface{ SQLState() string }
	if errors.As(err, &pe) {
		return pe.SQLState()
	}
	return ""
}
