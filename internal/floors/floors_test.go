package floors

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// imports reads every import of the Go files below dir.
func imports(t *testing.T, dir string) []Import {
	t.Helper()
	var all []Import
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); path != dir && (strings.HasPrefix(n, ".") || n == "node_modules" || n == "testdata" && !isGo(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			to, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			all = append(all, Import{
				From: filepath.ToSlash(filepath.Dir(rel)), To: to, File: rel,
				Test: strings.HasSuffix(rel, "_test.go"),
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isGo says whether a folder named testdata is our package of that name.
func isGo(path string) bool {
	m, _ := filepath.Glob(filepath.Join(path, "*.go"))
	return len(m) > 0
}

func TestEveryImportGoesDown(t *testing.T) {
	all := imports(t, "../..")
	if len(all) < 100 {
		t.Fatalf("only %d imports seen: the walk is broken", len(all))
	}
	for _, im := range all {
		if why := Check(im); why != "" {
			t.Error(why)
		}
	}
}

// A planted import of each forbidden kind must be refused, and each allowed
// kind must pass: a check that cannot fail is none.
func TestPlantedImports(t *testing.T) {
	own := Module + "/"
	for _, c := range []struct {
		from, to string
		test     bool
		wrong    string // part of the message; "" is allowed
	}{
		{"radio", own + "planning", false, "areas never import each other"},
		{"radio", own + "radio/routeros", false, "imports go down only"},
		{"planning/dem", own + "planning/export", false, "never imports a sibling"},
		{"planning/dem", own + "radio", false, "its own area only"},
		{"internal/unit", own + "internal/network", false, "floor 0 is pure"},
		{"internal/unit", own + "internal/geo", false, "floor 0 is pure"},
		{"internal/network", own + "internal/store", false, "words and plumbing"},
		{"internal/store", own + "internal/network", false, "words and plumbing"},
		{"internal/spectrum", own + "internal/network", false, "direction drawn"},
		{"controller", own + "cmd/crinale", false, "main package"},
		{"controller", own + "internal/testdata", false, "tests only"},
		{"controller", "github.com/urfave/cli/v2", false, "is not for controller"},
		{"controller", "example.com/left/pad", false, "not in the allow-list"},
		{"controller", "example.com/left/pad", true, "not even for tests"},
		{"radio/sim", "github.com/go-routeros/routeros/v3", false, "is not for radio/sim"},
		{"utils", own + "internal/unit", false, "no place"},
		{"controller", own + "planning/dem", true, "stays in its own area"},

		{"radio", own + "radio/sim", true, ""},
		{"radio/sim", "github.com/go-routeros/routeros/v3/proto", false, ""},
		{"planning/dem", own + "planning", false, ""},
		{"planning", own + "internal/network", false, ""},
		{"internal/network", own + "internal/spectrum", false, ""},
		{"cmd/crinale", own + "radio/sim", false, ""},
		{"planning", own + "planning/dem", true, ""},
		{"controller", "net/http", false, ""},
	} {
		got := Check(Import{From: c.from, To: c.to, File: "planted.go", Test: c.test})
		if (got == "") != (c.wrong == "") || !strings.Contains(got, c.wrong) {
			t.Errorf("%s imports %s (test %v): got %q, want %q", c.from, c.to, c.test, got, c.wrong)
		}
	}
}

// A planted file in a copy of the tree must be found by the same walk that
// guards the real one.
func TestPlantedFileIsFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "planning"), 0o755); err != nil {
		t.Fatal(err)
	}
	src := "package planning\nimport _ \"" + Module + "/radio\"\n"
	if err := os.WriteFile(filepath.Join(dir, "planning", "planted.go"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	found := imports(t, dir)
	if len(found) != 1 {
		t.Fatalf("found %d imports, want the planted one", len(found))
	}
	if why := Check(found[0]); !strings.Contains(why, "areas never import each other") {
		t.Errorf("the planted import passed: %q", why)
	}
}

func TestEveryLineHasItsReason(t *testing.T) {
	for _, l := range libraries {
		if l.why == "" || len(l.by) == 0 {
			t.Errorf("library %s stands without a reason or a user", l.path)
		}
		for _, b := range l.by {
			if _, ok := find(b); !ok {
				t.Errorf("library %s names %s, which has no place", l.path, b)
			}
		}
	}
}

// No empty room: each place in the map is a package of the tree.
func TestEveryPlaceExists(t *testing.T) {
	for _, p := range house {
		m, err := filepath.Glob(filepath.Join("../..", p.path, "*.go"))
		if err != nil || len(m) == 0 {
			t.Errorf("%s has a place in the house but no Go file", p.path)
		}
	}
}
