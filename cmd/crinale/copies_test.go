package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
	"github.com/crinale/crinale/internal/store/storetest"
)

// TestCopies: one a day, none twice; what is over, or was never finished, goes;
// what is not ours stays.
func TestCopies(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "copie")
	c, err := newCopies(copiesConfig{Folder: folder, KeepDays: 3}, t.TempDir(), storetest.SQLite(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	day := func(n, hour int) time.Time { return time.Date(2026, 11, n, hour, 0, 0, 0, time.UTC) }
	round := func(now time.Time, want ...string) {
		t.Helper()
		if err := c.round(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range list {
			got = append(got, e.Name())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", now, got, want)
		}
	}
	round(day(1, 3), "crinale-20261101T030000Z.db")
	round(day(1, 23), "crinale-20261101T030000Z.db")
	round(day(2, 3), "crinale-20261101T030000Z.db", "crinale-20261102T030000Z.db")
	for _, name := range []string{"altro.db", "crinale-20261102T040000Z.db.part", "crinale-20261102T040000Z.db.part-journal", "crinale-20270101T000000Z.db"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	round(day(4, 4), "altro.db", "crinale-20261102T030000Z.db", "crinale-20261104T040000Z.db", "crinale-20270101T000000Z.db")
	db, err := store.Open(t.Context(), storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := newCopies(copiesConfig{Folder: folder, KeepDays: 3}, t.TempDir(), db, nil); fault.Of(err) != fault.Invalid {
		t.Errorf("of PostgreSQL: %v", err)
	}
}

// Trouble that lasts is one line when it begins and one when it ends.
func TestTroubleOfCopiesIsToldOnce(t *testing.T) {
	var said strings.Builder
	c := &copies{log: slog.New(slog.NewTextHandler(&said, nil))}
	told := ""
	for _, err := range []error{nil, errors.New("disk full"), errors.New("disk full"), errors.New("disk away"), nil, nil} {
		told = c.tell(told, err)
	}
	var got []string
	for line := range strings.Lines(said.String()) {
		_, line, _ = strings.Cut(line, "level=")
		got = append(got, strings.TrimSpace(line))
	}
	want := []string{
		`ERROR msg="copies of the database: tried again every ten minutes" err="disk full"`,
		`ERROR msg="copies of the database: tried again every ten minutes" err="disk away"`,
		`INFO msg="copies of the database are made again"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A copy dated ahead of the clock goes when its days are over, counted from when
// it is seen; while a clock is behind, none goes.
func TestCopyDatedAheadGoes(t *testing.T) {
	folder := t.TempDir()
	c, err := newCopies(copiesConfig{Folder: folder, KeepDays: 3}, t.TempDir(), storetest.SQLite(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	ahead := filepath.Join(folder, "crinale-20310101T000000Z.db")
	fresh := filepath.Join(folder, "crinale-20261101T020000Z.db")
	for _, path := range []string{ahead, fresh} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(ahead, now.AddDate(5, 0, 0), now.AddDate(5, 0, 0)); err != nil {
		t.Fatal(err)
	}
	there := func(when string, at time.Time, path string, want bool) {
		t.Helper()
		if err := c.round(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", when, err)
		}
	}
	there("seen", now, ahead, true)
	there("with a clock that is behind", now.AddDate(-1, 0, 0), fresh, true)
	there("the clock again", now.Add(time.Hour), fresh, true)
	if err := os.WriteFile(ahead, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	there("seen anew", now.Add(2*time.Hour), ahead, true)
	there("before its days are over", now.AddDate(0, 0, 3), ahead, true)
	there("its days are over", now.AddDate(0, 0, 4), ahead, false)
}

// A folder that is taken out of the configuration is remembered: its copies go
// when their days are over, what is not ours stays, and then it is forgotten.
func TestCopiesOfAFormerFolderGo(t *testing.T) {
	data, first, second := t.TempDir(), filepath.Join(t.TempDir(), "prima"), filepath.Join(t.TempDir(), "poi")
	db := storetest.SQLite(t)
	now := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	round := func(folder string, days int) error {
		t.Helper()
		c, err := newCopies(copiesConfig{Folder: folder, KeepDays: 3}, data, db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return c.round(t.Context(), now.AddDate(0, 0, days))
	}
	left := func(folder string, want int) {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(folder, "crinale-*.db"))
		if err != nil || len(names) != want {
			t.Errorf("%s holds %q, %v; want %d", folder, names, err, want)
		}
	}
	for i, folder := range []string{first, first, second, ""} {
		if err := round(folder, i); err != nil {
			t.Fatal(err)
		}
	}
	left(first, 2)
	left(second, 1)
	if err := os.WriteFile(filepath.Join(first, "altro.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(second, second+"-via"); err != nil { // its disk is away
		t.Fatal(err)
	}
	if err := round("", 9); err == nil {
		t.Error("nothing is told of a folder that cannot be read")
	}
	left(first, 0)
	if err := os.Rename(second+"-via", second); err != nil {
		t.Fatal(err)
	}
	if err := round("", 9); err != nil {
		t.Fatal(err)
	}
	left(second, 0)
	if _, err := os.Stat(filepath.Join(first, "altro.db")); err != nil {
		t.Errorf("what is not ours: %v", err)
	}
	if list, err := os.ReadDir(data); err != nil || len(list) != 0 {
		t.Errorf("remembered still: %v, %v", list, err)
	}
}

// TestCopiesAreKeptNoLongerThanRides: a copy would outlive a promise.
func TestCopiesAreKeptNoLongerThanRides(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crinale.yaml")
	if err := os.WriteFile(path, []byte("copies: {folder: copie, keep_days: 91}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadConfig(path); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("copies: {folder: copie, keep_days: 90}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := loadConfig(path); err != nil || c.Copies.Folder != filepath.Join(filepath.Dir(path), "copie") {
		t.Errorf("%+v, %v", c.Copies, err)
	}
}
