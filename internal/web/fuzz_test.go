package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// FuzzRequest sends the home page any headers: it answers in a language it
// has, or says that the name is not its own.
func FuzzRequest(f *testing.F) {
	f.Add("localhost", "it,en;q=0.5", "lang=en", "gzip;q=0.1, br", "en")
	f.Add("[::1]:80", "*;q=", "lang", "gzip;q=x", "xx")
	f.Add("evil.example", ";;,,q=1", "lang=\"", "*", "")
	cfg := Default()
	s, err := New(cfg, Deps{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host, accept, cookie, encoding, lang string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		r.URL.RawQuery = "lang=" + lang
		r.Header = http.Header{"Accept-Language": {accept}, "Cookie": {cookie}, "Accept-Encoding": {encoding}}
		if !slices.Contains(Langs, LangOf(r)) {
			t.Errorf("language %q", LangOf(r))
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != 200 && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("%d", w.Code)
		}
	})
}
