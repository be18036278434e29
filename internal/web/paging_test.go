package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// listShell serves a list of n names in no order at /api/v1/names.
func listShell(t testing.TB, n int) *Shell {
	t.Helper()
	s, err := New(Default(), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("name-%04d", (i*7)%n))
	}
	s.Handle("GET /api/v1/names", Public, s.Taking(func(w http.ResponseWriter, r *http.Request) error {
		items, next, err := Page(w, r, names, func(s string) string { return s })
		if err != nil {
			return err
		}
		return JSON(w, r, map[string]any{"names": items, "next": next})
	}, Paged("kind")...))
	return s
}

func TestPagesOfAList(t *testing.T) {
	for _, c := range []struct{ n, limit, pages int }{{0, 10, 1}, {10, 10, 1}, {11, 10, 2}, {1500, 1000, 2}, {25, 1, 25}} {
		s := listShell(t, c.n)
		var got []string
		target, pages := fmt.Sprintf("/api/v1/names?limit=%d&kind=a%%20b", c.limit), 0
		for target != "" {
			w := ask(s, "GET", target)
			var body struct {
				Names []string
				Next  *string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 200 || body.Names == nil {
				t.Fatalf("%s: %d %v %s", target, w.Code, err, w.Body)
			}
			got = append(got, body.Names...)
			pages++
			link := w.Header().Get("Link")
			if (link == "") != (body.Next == nil) {
				t.Fatalf("next %v, Link %q", body.Next, link)
			}
			target = ""
			if link != "" {
				target = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
				if u, err := url.Parse(target); err != nil || u.Query().Get("kind") != "a b" || u.Query().Get("after") != *body.Next {
					t.Fatalf("Link %q", link)
				}
			}
		}
		if len(got) != c.n || pages != c.pages || !slices.IsSorted(got) || len(slices.Compact(got)) != c.n {
			t.Errorf("%d by %d: %d items in %d pages, want %d pages", c.n, c.limit, len(got), pages, c.pages)
		}
	}
}

func TestParametersOfAList(t *testing.T) {
	s := listShell(t, 30)
	for query, want := range map[string]string{
		"limit=0": "from 1 to 1000", "limit=1001": "from 1 to 1000", "limit=": "from 1 to 1000", "limit=x": "from 1 to 1000", "limit=-1": "from 1 to 1000",
		"after=" + strings.Repeat("a", 201): "201 bytes", "limits=3": "known are kind, limit, after", "limit=1&limit=2": "2 times", "a=%zz": "parameters", "a;b": "parameters",
	} {
		w := ask(s, "GET", "/api/v1/names?"+query)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 400 || !strings.Contains(p.Detail, want) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := ask(s, "GET", "/api/v1/names?after=zzz"); w.Code != 200 || !strings.Contains(w.Body.String(), `"names":[],"next":null`) {
		t.Errorf("past the end: %d %s", w.Code, w.Body)
	}
	if w := ask(s, "GET", "/api/v1/openapi.json?x=1"); w.Code != 400 {
		t.Errorf("a parameter of no use was taken: %d", w.Code)
	}
}

// FuzzQuery: whatever a list is asked for, it answers or says what is wrong.
func FuzzQuery(f *testing.F) {
	f.Add("limit=3&after=name-0004")
	f.Add("limit=+3;after")
	f.Add("after=%00&kind=%zz")
	s := listShell(f, 30)
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/api/v1/names", nil)
		r.Host, r.URL.RawQuery = "localhost", raw
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if strings.ContainsAny(w.Header().Get("Link"), "\r\n") {
			t.Errorf("Link %q", w.Header().Get("Link"))
		}
	})
}
