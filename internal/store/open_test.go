package store_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// refused opens what cannot be opened and checks what is said.
func refused(t *testing.T, name, url string, kind fault.Kind, want ...string) {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err == nil {
		db.Close()
		t.Errorf("%s: opened", name)
		return
	}
	if fault.Of(err) != kind {
		t.Errorf("%s: kind %v: %v", name, fault.Of(err), err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not say %q", name, err, w)
		}
	}
	if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), storetest.Password) {
		t.Errorf("%s: the error tells the password: %v", name, err)
	}
}

func TestOpenSaysWhatToMend(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	refused(t, "nothing", "", fault.Invalid, "use a file path such as")
	refused(t, "in memory", "sqlite::memory:", fault.Invalid, "is not a file")
	refused(t, "no path", "sqlite:", fault.Invalid, "is not a file")
	refused(t, "unknown scheme", "mysql://u:hush@h/d", fault.Invalid, "mysql is not a database known here")
	refused(t, "a folder", dir, fault.Invalid, dir, "not a file; name a file in it")
	refused(t, "below a file", filepath.Join(file, "x.db"), fault.Invalid, "folder "+file+" cannot be written", "choose another folder")
	refused(t, "folder that takes nothing", "/proc/self/crinale.db", fault.Invalid, "folder /proc/self cannot be written")
	refused(t, "not a database", file, fault.Invalid, "not an SQLite database; name another file")
	refused(t, "no server", "postgres://u:hush@"+closed.Addr().String()+"/d?sslmode=disable", fault.Unreachable, "nothing listens there", "u@"+closed.Addr().String())
	refused(t, "no host", "postgres://u:hush@db.invalid/d", fault.Unreachable, "db.invalid")
	refused(t, "URL not to be read", "postgres://u:hu%sh@h/d", fault.Invalid, "percent-encoded")
}

func TestFolderWithoutRight(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root may write everywhere; /proc stands in for such a folder in TestOpenSaysWhatToMend")
		return
	}
	dir := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	refused(t, "locked folder", filepath.Join(dir, "x.db"), fault.Invalid, "folder "+dir+" cannot be written")
}

func TestOpenPostgresSaysWhatToMend(t *testing.T) {
	good := storetest.PostgresURL(t)
	refused(t, "wrong password", strings.Replace(good, storetest.Password, "hush", 1), fault.Denied, "wrong user or password")
	refused(t, "unknown user", strings.Replace(good, "postgres:"+storetest.Password, "nobody:hush", 1), fault.Denied, "wrong user or password")
	refused(t, "no such database", storetest.URL("nowhere", storetest.Password), fault.NotFound, "there is no such database")
	db, err := store.Open(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if strings.Contains(db.Name(), storetest.Password) || db.Kind() != store.Postgres {
		t.Errorf("name %s, kind %s", db.Name(), db.Kind())
	}
}

func TestPathsOfAllKinds(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plain.db", "with space.db", "per%20cent.db", "why?.db", "hash#tag.db", "caffè.db", "deep/er/x.db", "amp&=.db"} {
		path := filepath.Join(dir, name)
		for _, url := range []string{path, "sqlite:" + path} {
			db, err := store.Open(t.Context(), url)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := db.Migrate(t.Context(), "test", seats); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			db.Close()
		}
		st, err := os.Stat(path)
		if err != nil || st.Size() == 0 {
			t.Errorf("%s is not where it should be: %v", name, err)
		} else if st.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", name, st.Mode())
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".crinale-probe-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Each connection of the pool must have the settings, not only the first.
func TestEveryConnectionHasTheSettings(t *testing.T) {
	db := storetest.SQLite(t)
	var nested func(depth int)
	nested = func(depth int) {
		err := db.View(t.Context(), func(tx *store.Tx) error {
			for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
				var got string
				if err := tx.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
					return err
				}
				if got != want {
					t.Errorf("connection %d: %s is %s, want %s", depth, pragma, got, want)
				}
			}
			if depth < 4 {
				nested(depth + 1)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	nested(0)
}

func TestPing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
