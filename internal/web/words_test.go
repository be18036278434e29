package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/fault"
)

func TestCatalogsMustMatch(t *testing.T) {
	for name, c := range map[string]struct{ it, en, want string }{
		"same":         {`{"a": "x %s", "b": "y"}`, `{"a": "z %s", "b": "w"}`, ""},
		"missing":      {`{"a": "x", "b": "y"}`, `{"a": "x"}`, `"b" is missing`},
		"too many":     {`{"a": "x"}`, `{"a": "x", "b": "y"}`, `"b" is not in it.json`},
		"other verbs":  {`{"a": "x %d"}`, `{"a": "x %s"}`, "other verbs"},
		"not a string": {`{"a": 1}`, `{"a": "x"}`, "it.json"},
	} {
		_, err := ReadCatalog(fstest.MapFS{"it.json": {Data: []byte(c.it)}, "en.json": {Data: []byte(c.en)}})
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadCatalog(fstest.MapFS{"it.json": {Data: []byte("{}")}}); err == nil {
		t.Error("a language may not be absent")
	}
}

func TestWordsOfTheShell(t *testing.T) {
	s := shell(t)
	for kind := fault.Internal; kind <= fault.Unconfirmed; kind++ {
		for _, part := range []string{"title", "text"} {
			if key := "error." + kind.String() + "." + part; !s.own.words.Has(key) {
				t.Errorf("no words for %s", key)
			}
		}
	}
	used := regexp.MustCompile(`\bt "([^"]+)"`)
	files, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := fs.ReadFile(embedded, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllSubmatch(b, -1) {
			if !s.own.words.Has(string(m[1])) {
				t.Errorf("%s: no words for %s", f, m[1])
			}
		}
	}
}

func TestAreasCannotChangeTheShellsWords(t *testing.T) {
	s := shell(t)
	words := fstest.MapFS{"it.json": {Data: []byte(`{"layout.skip": "x"}`)}, "en.json": {Data: []byte(`{"layout.skip": "x"}`)}}
	if _, err := s.Pages(fstest.MapFS{}, words); err == nil {
		t.Error("an area changed layout.skip")
	}
}

func TestNoInlineScriptOrStyle(t *testing.T) {
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script(?:\s[^>]*)?>[^<]`)
	files, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := fs.ReadFile(embedded, f)
		if err != nil {
			t.Fatal(err)
		}
		if m := inline.Find(b); m != nil {
			t.Errorf("%s: inline %q", f, m)
		}
	}
}
