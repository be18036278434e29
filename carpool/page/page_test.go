package page_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// strangers are the pages that everybody may read.
var strangers = []string{"/passaggi", "/passaggi/iscrizione", "/passaggi/aiuto", "/passaggi/privacy", "/accessibilita", "/passaggi/senza-rete"}

// own are a resident's own pages.
var own = []string{"/passaggi/miei", "/passaggi/miei/copia", "/passaggi/chiedi", "/passaggi/offri", "/passaggi/offerte", "/passaggi/auto", "/passaggi/profilo", "/passaggi/profilo/cancellami"}

func TestEveryPageInBothLanguages(t *testing.T) {
	w := newWorld(t)
	v, _ := w.driver()
	stranger := w.visitor()
	for _, lang := range []string{"it", "en"} {
		for _, path := range strangers {
			stranger.wants(stranger.get(path+"?lang="+lang), http.StatusOK, "data-element=\"privacy-policy-link\"", "data-element=\"accessibility-link\"", "data-element=\"report-inefficiency\"", "data-element=\"faq\"")
		}
		for _, path := range own {
			body := v.wants(v.get(path+"?lang="+lang), http.StatusOK)
			if m := regexp.MustCompile(`>\s*pool\.[a-z.]+|"pool\.[a-z.]+"`).FindString(body); m != "" {
				t.Errorf("%s (%s): a word is missing: %s", path, lang, m)
			}
		}
	}
	for _, path := range own {
		g := stranger.get(path)
		if g.StatusCode != http.StatusSeeOther || !strings.HasPrefix(g.Header.Get("Location"), "/entra?dopo=") {
			t.Errorf("%s: a stranger gets %d %s", path, g.StatusCode, g.Header.Get("Location"))
		}
	}
}

// Every word that a template names exists, and nothing stands in a page that
// the content policy would refuse.
func TestTemplates(t *testing.T) {
	catalog, err := web.ReadCatalog(os.DirFS("words"))
	must(t, err)
	shell, err := web.ReadCatalog(os.DirFS("../../internal/web/words"))
	must(t, err)
	used := regexp.MustCompile(`\bt "([^"]+)"|\.Field "[^"]+" "([^"]+)"`)
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script(?:\s[^>]*)?>[^<]`)
	files, err := filepath.Glob("templates/*.html")
	must(t, err)
	if len(files) < 15 {
		t.Fatalf("only %d templates", len(files))
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			if key := m[1] + m[2]; !catalog.Has(key) && !shell.Has(key) {
				t.Errorf("%s: no words for %s", f, key)
			}
		}
		if m := inline.Find(b); m != nil {
			t.Errorf("%s: inline %q", f, m)
		}
	}
	for _, key := range append(append([]string{}, carpool.ReasonKeys...), missKeys()...) {
		if !catalog.Has("pool." + key) {
			t.Errorf("no words for %s", key)
		}
	}
}

func missKeys() []string {
	var out []string
	for _, k := range carpool.MissKeys {
		out = append(out, "miss."+k)
	}
	return out
}

func TestInstallable(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	g := v.get("/passaggi/manifest.webmanifest")
	if g.StatusCode != 200 || g.Header.Get("Content-Type") != "application/manifest+json" || !strings.Contains(g.Body, `"start_url":"/passaggi/miei"`) {
		t.Errorf("manifest: %d %s", g.StatusCode, g.Body)
	}
	g = v.get("/passaggi/sw.js")
	if g.StatusCode != 200 || !strings.HasPrefix(g.Header.Get("Content-Type"), "text/javascript") || !strings.Contains(g.Body, "/passaggi/miei/copia") {
		t.Errorf("worker: %d", g.StatusCode)
	}
	if page := w.resident().get("/passaggi").Body; !strings.Contains(page, `<link rel="manifest" href="/passaggi/manifest.webmanifest">`) {
		t.Error("the page does not name its manifest")
	}
}

func TestLargeType(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	v.led(v.do("POST", "/passaggi/caratteri", "", "Content-Type", "application/x-www-form-urlencoded", "Origin", w.URL, "Referer", w.URL+"/passaggi/miei"), "/passaggi/miei")
	if !strings.Contains(v.get("/passaggi/miei").Body, `class="large-type"`) {
		t.Error("the page is not in large type")
	}
	m, err := w.Members.Get(t.Context(), v.by.Member)
	must(t, err)
	if !m.Large {
		t.Error("the wish is not kept")
	}
	v.led(v.post("/passaggi/caratteri"), "/passaggi")
	if strings.Contains(v.get("/passaggi").Body, `class="large-type"`) {
		t.Error("the page is still in large type")
	}
}
