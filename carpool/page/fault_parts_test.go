package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/web"
)

// TestFaultPartsStandInErrors: each part by which the pages know an error still
// stands in the text of one, and has words in both languages. Who writes an error
// anew is told here, before a resident reads English.
func TestFaultPartsStandInErrors(t *testing.T) {
	texts := errorTexts(t, "..", "../../internal/login", "../../internal/contact", "../interop")
	shell, err := web.New(web.Default(), web.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	residents, err := shell.PagesIn(files)
	if err != nil {
		t.Fatal(err)
	}
	own, err := fs.Sub(staffFiles, "staff")
	if err != nil {
		t.Fatal(err)
	}
	staff, err := shell.PagesIn(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []struct {
		html   *web.Pages
		prefix string
		rows   []struct{ part, key string }
	}{{residents, "pool.fault.", faultWords}, {staff, "desk.fault.", staffFaults}} {
		for _, w := range table.rows {
			if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, w.part) }) {
				t.Errorf("%s%s: no error says %q any more", table.prefix, w.key, w.part)
			}
			for _, lang := range []web.Lang{web.Italian, web.English} {
				if key := table.prefix + w.key; table.html.Text(lang, key) == key {
					t.Errorf("%s has no words in %s", key, lang)
				}
			}
		}
	}
}

// errorTexts are the texts in the program of some folders.
func errorTexts(t *testing.T, folders ...string) []string {
	t.Helper()
	var out []string
	for _, folder := range folders {
		list, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: no program, %v", folder, err)
		}
		for _, file := range list {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil {
						out = append(out, s)
					}
				}
				return true
			})
		}
	}
	return out
}
