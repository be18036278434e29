package store_test

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

func file(sql string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql + "\n-- +goose Down\nSELECT 1;\n")}
}

func TestMigrateIsRepeatableAndEachOwnerCountsForItself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one := fstest.MapFS{"00001_a.sql": file(`CREATE TABLE one_a (id TEXT PRIMARY KEY);`)}
		two := fstest.MapFS{"00001_b.sql": file(`CREATE TABLE two_b (id TEXT PRIMARY KEY);`)}
		for range 2 {
			for owner, fsys := range map[string]fstest.MapFS{"one": one, "two": two} {
				if err := db.Migrate(t.Context(), owner, fsys); err != nil {
					t.Fatal(err)
				}
			}
		}
		one["00002_c.sql"] = file(`ALTER TABLE one_a ADD COLUMN note TEXT;`)
		if err := db.Migrate(t.Context(), "one", one); err != nil {
			t.Fatal(err)
		}
		write(t, db, `INSERT INTO one_a (id, note) VALUES ('x', 'y')`)
		write(t, db, `INSERT INTO two_b (id) VALUES ('x')`)

		delete(one, "00002_c.sql")
		err := db.Migrate(t.Context(), "one", one)
		if err == nil || !strings.Contains(err.Error(), "version 2") || !strings.Contains(err.Error(), "knows only 1") {
			t.Errorf("a newer database was not refused: %v", err)
		}
	})
}

func TestMigrationThatFailsNamesItsFileAndLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		bad := fstest.MapFS{"00001_bad.sql": file("CREATE TABLE half (id TEXT);\nCREATE TABLE half (id TEXT);")}
		err := db.Migrate(t.Context(), "bad", bad)
		if err == nil || !strings.Contains(err.Error(), "00001_bad.sql") {
			t.Errorf("got %v, want the name of the file", err)
		}
		bad["00001_bad.sql"] = file("CREATE TABLE half (id TEXT);")
		if err := db.Migrate(t.Context(), "bad", bad); err != nil {
			t.Errorf("after the mend: %v", err)
		}
	})
}

func TestMigrateFromManyAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := db.Migrate(t.Context(), "test", seats); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestMigrateRefusesWhatItCannotName(t *testing.T) {
	db := storetest.SQLite(t)
	for _, owner := range []string{"", "Big", "a b", `x"; DROP TABLE y; --`} {
		if err := db.Migrate(t.Context(), owner, seats); err == nil {
			t.Errorf("owner %q was taken", owner)
		}
	}
	if err := db.Migrate(t.Context(), "empty", fstest.MapFS{}); err == nil {
		t.Error("no migrations at all were taken for good")
	}
}
