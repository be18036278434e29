package store_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func TestScrubLeavesNothingInTheFile(t *testing.T) {
	secret := strings.Repeat("via-della-sentinella-", 400) // more than a page
	files := fstest.MapFS{"00001_scrub.sql": {Data: []byte("-- +goose Up\nCREATE TABLE scrub_t (id TEXT NOT NULL PRIMARY KEY, words TEXT NOT NULL);\n-- +goose Down\nDROP TABLE scrub_t;\n")}}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		do := func(q string, args ...any) {
			t.Helper()
			if err := db.Do(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, q, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Migrate(ctx, "scrub", files); err != nil {
			t.Fatal(err)
		}
		do(`INSERT INTO scrub_t (id, words) VALUES ('a', $1), ('b', 'stays'), ('c', $1)`, secret)
		do(`UPDATE scrub_t SET words = '' WHERE id = 'c'`)
		do(`DELETE FROM scrub_t WHERE id = 'a'`)
		if db.Kind() == store.SQLite && !inFiles(t, db.Name(), "via-della-sentinella-") {
			t.Error("the log held nothing before: the test shows nothing")
		}
		if err := db.Scrub(ctx, "scrub_t"); err != nil {
			t.Fatal(err)
		}
		if db.Kind() == store.SQLite && inFiles(t, db.Name(), "via-della-sentinella-") {
			t.Error("the text is in the files still")
		}
		var words string
		if err := db.View(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT words FROM scrub_t WHERE id = 'b'`).Scan(&words)
		}); err != nil || words != "stays" {
			t.Errorf("%q, %v", words, err)
		}
		if db.Kind() == store.Postgres {
			if err := db.Scrub(ctx, "scrub_t; DROP TABLE scrub_t"); err == nil || fault.Of(err) != fault.Internal {
				t.Errorf("a statement as a table: %v", err)
			}
		}
	})
}

// inFiles says whether the bytes of a SQLite database and its log hold a text.
func inFiles(t *testing.T, path, text string) bool {
	t.Helper()
	for _, f := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(f)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}
