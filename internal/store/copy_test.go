package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestCopy: what is there is in the copy, what was deleted is not, and nothing
// is written over.
func TestCopy(t *testing.T) {
	db := storetest.SQLite(t)
	migrated(t, db)
	write(t, db, `INSERT INTO test_ride (id, seats) VALUES ('resta', 3), ('segretaqz', 1)`)
	write(t, db, `DELETE FROM test_ride WHERE id = 'segretaqz'`)
	path := filepath.Join(t.TempDir(), "copia.db")
	if err := db.CopyTo(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(b), "segretaqz") {
		t.Errorf("the copy holds what was deleted, or %v", err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	back, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if n := count(t, back, `SELECT count(*) FROM test_ride WHERE id = 'resta'`); n != 1 {
		t.Errorf("the copy has %d rides", n)
	}
	if err := db.CopyTo(t.Context(), path); err == nil {
		t.Error("a copy was written over another")
	}
	if now, err := os.ReadFile(path); err != nil || len(now) == 0 {
		t.Errorf("the copy that was there is gone: %v", err)
	}
	if err := db.CopyTo(t.Context(), filepath.Join(t.TempDir(), "none", "copia.db")); err == nil {
		t.Error("copied into a folder that is not there")
	}
}

func TestCopyOfPostgres(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copia.db")
	db, err := store.Open(t.Context(), storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.CopyTo(t.Context(), path); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was left")
	}
}
