package interop

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/store/storetest"
	"github.com/crinale/crinale/internal/web"
)

// On the shell of the program: the union's managers let operators in and out,
// nobody else does, and the API answers in the standard's own form.
func TestMount(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), newVillage(), nil)
	role := login.Admin
	shell, err := web.New(web.Default(), web.Deps{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Identify: func(r *http.Request) (login.Identity, error) {
		if r.Header.Get("X-Test-Stranger") != "" {
			return login.Identity{}, nil
		}
		return login.Identity{Person: "prova", Via: "token:1", Grants: []login.Grant{{Role: role, Scope: login.Union}}}, nil
	}})
	if err == nil {
		err = w.Mount(shell)
	}
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		rec := httptest.NewRecorder()
		shell.Handler().ServeHTTP(rec, r)
		return rec
	}
	const base = "/api/v1/carpool/operators"
	for _, other := range []login.Role{login.Technician, login.Viewer, login.Police, login.Desk, login.Employee, login.Resident} {
		role = other
		for _, c := range [][2]string{{"GET", base}, {"POST", base}, {"POST", base + "/" + friends + "/rotate"}, {"DELETE", base + "/" + friends}} {
			if got := ask(c[0], c[1], `{"id":"nuovi.colle.example","name":"Nuovi"}`); got.Code != http.StatusForbidden {
				t.Errorf("%s by a %s: %d", c, other, got.Code)
			}
		}
	}
	role = login.Admin
	got := ask("POST", base, `{"id":"nuovi.colle.example","name":"Nuovi"}`)
	var k Key
	if err := json.Unmarshal(got.Body.Bytes(), &k); err != nil || got.Code != http.StatusCreated || got.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", got.Code, got.Body, err)
	}
	if list, err := w.Operators.List(t.Context()); err != nil || slices.ContainsFunc(list, func(o Operator) bool { return slices.Contains(o.Scopes, ScopeOwn) }) {
		t.Errorf("a key for which no scopes were named has that of an agreement: %+v, %v", list, err)
	}
	search := Prefix + "/driver_journeys?" + near + onDay
	if got := ask("GET", search, "", "X-API-Key", k.Key, "X-Test-Stranger", "1"); got.Code != 200 || !strings.Contains(got.Body.String(), "j-1") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask("GET", search, "", "X-Test-Stranger", "1"); got.Code != 401 || got.Body.Len() != 0 {
		t.Errorf("without a key: %d %s", got.Code, got.Body)
	}
	if got := ask("GET", base, ""); got.Code != 200 || strings.Contains(got.Body.String(), k.Key) || !strings.Contains(got.Body.String(), "nuovi.colle.example") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask("POST", base+"/nuovi.colle.example/rotate", `{"keep_s":-1}`); got.Code != 400 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask("POST", base+"/nuovi.colle.example/rotate", ``); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask("DELETE", base+"/nuovi.colle.example", ``); got.Code != 204 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask("GET", search, "", "X-API-Key", k.Key, "X-Test-Stranger", "1"); got.Code != 401 {
		t.Errorf("after the end: %d", got.Code)
	}
}
