package testdata

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSharedTakesTheFolderOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CRINALE_SHARED", dir)
	if got := Shared(t, "a.csv"); got != filepath.Join(dir, "a.csv") {
		t.Errorf("got %q", got)
	}
}

// fake notes how a test would have ended.
type fake struct {
	testing.TB
	skipped, failed bool
}

func (f *fake) Helper()               {}
func (f *fake) Skipf(string, ...any)  { f.skipped = true }
func (f *fake) Fatalf(string, ...any) { f.failed = true }

func TestMissingDataSkipsAndFailsWhenAllIsAsked(t *testing.T) {
	t.Setenv("CRINALE_SHARED", t.TempDir())
	t.Setenv("CRINALE_REAL", "")
	f := &fake{TB: t}
	Shared(f, "nothing.csv")
	if !f.skipped || f.failed {
		t.Errorf("want a skip, got %+v", f)
	}
	t.Setenv("CRINALE_REAL", "all")
	f = &fake{TB: t}
	Shared(f, "nothing.csv")
	if !f.failed {
		t.Errorf("want a failure, got %+v", f)
	}
}
