package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/login"
)

func TestFootOfEveryPage(t *testing.T) {
	s := shell(t)
	s.Foot(FootLink{Path: "/riservatezza", Title: map[Lang]string{Italian: "Privacy", English: "Privacy notice"}, Element: "privacy-policy-link"})
	s.Foot(FootLink{Path: "mailto:guasti@example.org", Title: map[Lang]string{Italian: "Guasti", English: "Faults"}})
	for _, path := range []string{"/", "/nothing-here"} {
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://127.0.0.1"+path, nil))
		for _, want := range []string{`<a href="/riservatezza" data-element="privacy-policy-link">Privacy</a>`, `<a href="mailto:guasti@example.org">Guasti</a>`} {
			if !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s: no %s", path, want)
			}
		}
		if strings.Contains(rec.Body.String(), "large-type") {
			t.Errorf("%s is in large type unasked", path)
		}
	}
}

func TestLargeType(t *testing.T) {
	s := shell(t)
	set := httptest.NewRecorder()
	SetLarge(set, true)
	r := httptest.NewRequest("GET", "http://127.0.0.1/", nil)
	r.AddCookie(set.Result().Cookies()[0])
	rec := httptest.NewRecorder()
	s.Handler().ServeHTTP(rec, r)
	if !strings.Contains(rec.Body.String(), `<html lang="it" class="large-type">`) {
		t.Error("the page is not in large type")
	}
	off := httptest.NewRecorder()
	SetLarge(off, false)
	if c := off.Result().Cookies()[0]; c.MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", c)
	}
}

// A stranger's form reaches what is kept for strangers, and nothing else.
func TestStrangersFormsAreAnswered(t *testing.T) {
	var who login.Identity
	s, err := New(Default(), Deps{Identify: func(*http.Request) (login.Identity, error) { return who, nil }})
	if err != nil {
		t.Fatal(err)
	}
	say := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
				return
			}
			_, _ = io.WriteString(w, what+string(b))
		})
	}
	s.HandleOr("POST /chiedi", Needs(login.UseCarpool), say("done:"), say("kept:"))
	s.Handle("POST /altro", Needs(login.UseCarpool), say("done:"))
	s.Handle("POST /foto", Public, say("seen:"))
	s.TakesUpTo("POST /foto", 2<<20)
	post := func(path, body string) (int, string) {
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "http://127.0.0.1"+path, strings.NewReader(body)))
		return rec.Code, rec.Body.String()
	}
	if code, body := post("/chiedi", "x"); code != 200 || body != "kept:x" {
		t.Errorf("a stranger: %d %.80s", code, body)
	}
	if code, _ := post("/altro", "x"); code != 401 {
		t.Errorf("a stranger where nothing is kept: %d", code)
	}
	who = login.Identity{Person: "residente-12", Grants: []login.Grant{{Role: login.Resident, Scope: login.Union}}}
	if code, body := post("/chiedi", "x"); code != 200 || body != "done:x" {
		t.Errorf("a resident: %d %.80s", code, body)
	}
	who = login.Identity{Person: "vigile-2", Grants: []login.Grant{{Role: login.Police, Scope: login.Union}}}
	if code, _ := post("/chiedi", "x"); code != 403 {
		t.Errorf("without the right: %d", code)
	}
	big := strings.Repeat("x", 3<<19) // 1.5 MB
	if code, _ := post("/chiedi", big); code == 200 {
		t.Error("a body of 1.5 MB was taken where 1 MB is the limit")
	}
	if code, body := post("/foto", big); code != 200 || len(body) != len(big)+5 {
		t.Errorf("pictures: %d, %d bytes", code, len(body))
	}
	if code, _ := post("/foto", big+big); code == 200 {
		t.Error("a body of 3 MB was taken where 2 MB is the limit")
	}
}

func TestWordsInSeveralFiles(t *testing.T) {
	files := fstest.MapFS{
		"it.json": {Data: []byte(`{"a": "x"}`)}, "it-more.json": {Data: []byte(`{"b": "y %d"}`)},
		"en.json": {Data: []byte(`{"a": "x"}`)}, "en-more.json": {Data: []byte(`{"b": "z %d"}`)},
	}
	c, err := ReadCatalog(files)
	if err != nil || c.Text(English, "b", 3) != "z 3" || !c.Has("a") {
		t.Errorf("%v %v", c, err)
	}
	files["en-more.json"] = &fstest.MapFile{Data: []byte(`{"a": "z", "b": "z %d"}`)}
	if _, err := ReadCatalog(files); err == nil || !strings.Contains(err.Error(), "another file") {
		t.Errorf("a word in two files: %v", err)
	}
	delete(files, "en-more.json")
	if _, err := ReadCatalog(files); err == nil || !strings.Contains(err.Error(), `"b" is missing`) {
		t.Errorf("a file of one language only: %v", err)
	}
}
