// Package testdata finds the shared data that tests measure themselves
// against. It is for tests only; nothing in the product needs that data.
package testdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Shared is the absolute path of rel in the shared data: in CRINALE_SHARED
// where that is set, else in the folder "shared" beside the checkout. Where
// it is absent the test is skipped with a loud line, and fails when
// CRINALE_REAL is "all".
func Shared(t testing.TB, rel string) string {
	t.Helper()
	dir := os.Getenv("CRINALE_SHARED")
	if dir == "" {
		dir = beside()
	}
	if dir == "" {
		missing(t, rel, "no checkout found above the test's folder")
		return ""
	}
	path, err := filepath.Abs(filepath.Join(dir, filepath.FromSlash(rel)))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		missing(t, rel, err.Error())
		return ""
	}
	return path
}

// Real says whether every test with a real counterpart must run.
func Real() bool { return os.Getenv("CRINALE_REAL") == "all" }

func missing(t testing.TB, rel, why string) {
	t.Helper()
	if Real() {
		t.Fatalf("shared data %s is missing and CRINALE_REAL=all: %s", rel, why)
	}
	t.Skipf("SKIPPED, NOT TESTED: shared data %s is missing (%s); set CRINALE_SHARED to its folder", rel, why)
}

// beside is the folder "shared" next to the one that holds go.mod.
func beside() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
