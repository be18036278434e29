package main

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestDocsLinksLeadSomewhere follows every link from a page in docs to a file.
func TestDocsLinksLeadSomewhere(t *testing.T) {
	pages := []string{"../../README.md", "../../CHANGELOG.md"}
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			u, err := url.Parse(m[1])
			if err != nil || u.Scheme != "" || u.Path == "" {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), u.Path)); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

var yamlKey = regexp.MustCompile("yaml:\"([a-z][a-z0-9_]*)")

// TestDocsNameEveryKey: a key that the loader takes stands in its how-to page.
func TestDocsNameEveryKey(t *testing.T) {
	for source, page := range map[string]string{
		"../../internal/network/loadfile.go": "../../docs/do/describe-network.md",
		"../../internal/network/loadgear.go": "../../docs/do/gear-sheet.md",
		"book.go":                            "../../docs/do/read-routeros.md",
	} {
		code, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		keys := yamlKey.FindAllStringSubmatch(string(code), -1)
		if len(keys) == 0 {
			t.Errorf("%s: no keys found", source)
		}
		for _, k := range keys {
			if !strings.Contains(string(text), k[1]) {
				t.Errorf("%s does not name the key %s of %s", page, k[1], source)
			}
		}
	}
}
