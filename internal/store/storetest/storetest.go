// Package storetest gives tests real databases: SQLite in a temporary folder,
// and a PostgreSQL server that it starts on loopback for the test process.
package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/crinale/crinale/internal/store"
)

// Each runs the test on SQLite and on PostgreSQL, each time on an empty
// database of its own. Where no PostgreSQL is installed its half is skipped
// with a loud line, and fails when CRINALE_REAL is "all".
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, PostgresURL(t))) })
}

// Story is Each for a test whose steps follow each other in one goroutine.
// Under the race detector it runs on PostgreSQL alone where that is installed:
// the second time it would look at the same steps again, and there SQLite, which
// is Go, takes most of the time. Tests of what happens at once take Each.
func Story(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	if _, err := binaries(); raced && err == nil {
		t.Run("postgres", func(t *testing.T) { test(t, Open(t, PostgresURL(t))) })
		return
	}
	Each(t, test)
}

// SQLite is an empty database in a temporary folder, closed at the end.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, filepath.Join(t.TempDir(), "test.db"))
}

// Open opens a database and closes it at the end of the test.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// background outlives a test's own context, for clean-ups.
func background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), startLimit)
}

// Columns of a table by name, as the database has them; none: there is no such
// table.
func Columns(t testing.TB, db *store.DB, table string) []string {
	t.Helper()
	query := `SELECT name FROM pragma_table_info($1) ORDER BY name`
	if db.Kind() == store.Postgres {
		query = `SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY column_name COLLATE "C"`
	}
	var out []string
	err := db.View(t.Context(), func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Query(t.Context(), query, table)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			out = append(out, name)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
