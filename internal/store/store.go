// Package store is the relational store: SQLite in one file by default,
// PostgreSQL by URL, with the same SQL and the same migrations on both.
//
// It hands out transactions and nothing else: [DB.Do] to read and write,
// [DB.View] to read. Both are serialisable and tried again when the database
// asks for it, so that the two databases behave alike. Placeholders are $1,
// $2 … on both. The SQL that works on both keeps to BIGINT, DOUBLE PRECISION,
// TEXT and BYTEA/BLOB columns, ids made in Go, times as BIGINT milliseconds
// ([Millis], [Time]), and ON CONFLICT; it has no SERIAL, no now(), no arrays
// and no JSON operators.
//
// Whoever needs tables owns their migrations and gives them to [DB.Migrate].
package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"

	"github.com/crinale/crinale/internal/fault"
)

// Kind names the database behind a DB.
type Kind string

const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

const (
	openTimeout = 15 * time.Second
	busyTimeout = 5 * time.Second
	sqliteConns = 8  // one writes, the others read
	pgConns     = 16 // PostgreSQL allows 100 by default, for all its users
)

// DB is an open database. Its methods may be used by many goroutines.
type DB struct {
	kind   Kind
	name   string // for messages: a path, or the URL without its password
	sql    *sql.DB
	writer chan struct{} // SQLite has one writer: those who wait stand in a queue, in order
	clock  func() time.Time
}

// SetClock gives transactions another idea of the present, for tests that live
// through a season. It must come before the first transaction.
func (db *DB) SetClock(now func() time.Time) { db.clock = now }

// Open opens the database that url names and checks that it answers:
//
//	/var/lib/crinale/crinale.db          SQLite; the file and its folder are made when absent
//	sqlite:/var/lib/crinale/crinale.db   the same
//	postgres://user@host:5432/name       PostgreSQL; a password not in the URL comes from
//	                                     PGPASSWORD or the file that PGPASSFILE names
//
// SQLite runs in WAL mode with FULL sync: a transaction that was acknowledged
// survives a power cut. The error says what to mend and never holds a
// password.
func Open(ctx context.Context, url string) (*DB, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	switch {
	case url == "":
		return nil, fault.New(fault.Invalid, "open database: no path or URL given; use a file path such as data/crinale.db, or postgres://user@host/name")
	case ok && (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		return openPostgres(ctx, url)
	case ok && scheme == "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"))
	case ok && strings.HasPrefix(rest, "//"):
		return nil, fault.New(fault.Invalid, "open database: %s is not a database known here; use a file path, sqlite:PATH or postgres://user@host/name", scheme)
	default:
		return openSQLite(ctx, url)
	}
}

func openPostgres(ctx context.Context, raw string) (*DB, error) {
	u, err := url.Parse(raw)
	if err != nil { // the cause would print the URL, and the password with it
		return nil, fault.New(fault.Invalid, "open database: the PostgreSQL URL cannot be read; write it as postgres://user@host:5432/name, and a password with signs such as / or @ percent-encoded")
	}
	name := (&url.URL{Scheme: "postgres", Host: u.Host, Path: u.Path}).String()
	if u.User != nil {
		name = (&url.URL{Scheme: "postgres", User: url.User(u.User.Username()), Host: u.Host, Path: u.Path}).String()
	}
	q := u.Query()
	if !q.Has("application_name") {
		q.Set("application_name", "crinale")
	}
	u.RawQuery = q.Encode()
	pool, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, explain("open database", name, err)
	}
	pool.SetMaxOpenConns(pgConns)
	pool.SetMaxIdleConns(pgConns / 4)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return (&DB{kind: Postgres, name: name, sql: pool}).check(ctx)
}

func (db *DB) check(ctx context.Context) (*DB, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := db.sql.PingContext(ctx); err != nil {
		db.sql.Close()
		return nil, explain("open database", db.name, err)
	}
	return db, nil
}

// Kind says which database it is.
func (db *DB) Kind() Kind { return db.kind }

// Name is the path, or the URL without its password: for messages.
func (db *DB) Name() string { return db.name }

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return explain("reach database", db.name, db.sql.PingContext(ctx))
}

// Close ends all connections. Transactions that still run fail.
func (db *DB) Close() error {
	if err := db.sql.Close(); err != nil {
		return fmt.Errorf("close database %s: %w", db.name, err)
	}
	return nil
}

// Millis is a time as it is stored: milliseconds since 1970, UTC.
func Millis(t time.Time) int64 { return t.UnixMilli() }

// Time is the inverse of Millis, in UTC.
func Time(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
