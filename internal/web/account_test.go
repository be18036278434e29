package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/audit"
)

func TestOwnAccount(t *testing.T) {
	w := newWorld(t)
	v, elsewhere := w.visitor().enter("tecnica"), w.visitor().enter("tecnica")
	if a := v.get("/conto"); a.StatusCode != 200 || strings.Count(a.Body, `action="/conto/sessioni/togli"`) != 2 || !strings.Contains(a.Body, "tecnico, tutta l’Unione") || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.StatusCode, main(a.Body))
	}
	for _, c := range []struct {
		old, one, two, want string
		status              int
	}{
		{good, other, good, "non sono uguali", 400}, {"sbagliata del tutto", other, other, "non è giusta", 403}, {good, "corta", "corta", "non va bene", 400},
	} {
		if a := v.post("/conto/password", "nome", "tecnica", "vecchia", c.old, "nuova", c.one, "ripeti", c.two); a.StatusCode != c.status || !strings.Contains(a.Body, c.want) {
			t.Errorf("%+v: %d %s", c, a.StatusCode, main(a.Body))
		}
	}
	before := v.session()
	if a := v.post("/conto/password", "nome", "tecnica", "vecchia", good, "nuova", other, "ripeti", other); a.StatusCode != 303 {
		t.Fatalf("%d %s", a.StatusCode, main(a.Body))
	}
	if a := v.get("/conto?fatto=password"); a.StatusCode != 200 || !strings.Contains(a.Body, "La password è cambiata") || v.session() == before {
		t.Errorf("%d: whoever changed it is out, or kept the old token", a.StatusCode)
	}
	if a := elsewhere.get("/conto"); a.StatusCode != 303 {
		t.Errorf("signed in elsewhere by the old password: %d", a.StatusCode)
	}
	key := v.post("/conto/chiavi", "nome", "portatile", "diritto", "network.read", "diritto", "audit.read", "giorni", "30", "password", other)
	secret := regexp.MustCompile(`<code class="secret">(crn_[0-9a-z_]+)</code>`).FindStringSubmatch(key.Body)
	if key.StatusCode != 200 || secret == nil {
		t.Fatalf("%d %s", key.StatusCode, main(key.Body))
	}
	if a := w.visitor().get("/api/v1/audit?limit=2", "Authorization", "Bearer "+secret[1]); a.StatusCode != 200 || !strings.Contains(a.Body, `"token.add"`) {
		t.Errorf("%d %s", a.StatusCode, a.Body)
	}
	for _, fields := range [][]string{
		{"nome", "x", "giorni", "30", "password", other},
		{"nome", "x", "diritto", "network.read", "giorni", "-1", "password", other},
		{"nome", "x", "diritto", "people.manage", "giorni", "30", "password", other},
		{"nome", "x", "diritto", "network.read", "giorni", "30", "password", "sbagliata del tutto"},
		{"nome", "x", "nome", "y"}, {"strano", "x"},
	} {
		if a := v.post("/conto/chiavi", fields...); a.StatusCode/100 != 4 || strings.Contains(a.Body, "crn_") {
			t.Errorf("%v: %d", fields, a.StatusCode)
		}
	}
	id := regexp.MustCompile(`action="/conto/chiavi/togli"><input type="hidden" name="id" value="([^"]+)"`).FindStringSubmatch(v.get("/conto").Body)
	if id == nil {
		t.Fatal("the key is not listed")
	}
	if a := v.post("/conto/chiavi/togli", "id", id[1]); a.StatusCode != 303 {
		t.Errorf("%d", a.StatusCode)
	}
	if a := w.visitor().get("/api/v1/me", "Authorization", "Bearer "+secret[1]); a.StatusCode != 401 {
		t.Errorf("a revoked key: %d", a.StatusCode)
	}
	second := w.visitor()
	if a := second.post("/entra", "nome", "tecnica", "password", other); a.StatusCode != 303 {
		t.Fatal(a.StatusCode)
	}
	if a := v.post("/conto/sessioni"); a.StatusCode != 303 {
		t.Errorf("%d", a.StatusCode)
	}
	if a, b := v.get("/conto"), second.get("/conto"); a.StatusCode != 200 || b.StatusCode != 303 {
		t.Errorf("sign out all others: here %d, there %d", a.StatusCode, b.StatusCode)
	}
	written := func() int {
		ls, err := w.Log.List(t.Context(), audit.Query{Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		return len(ls)
	}
	count := written()
	for range 3 { // nobody else is in: the log is not filled
		if a := v.post("/conto/sessioni"); a.StatusCode != 303 {
			t.Errorf("%d", a.StatusCode)
		}
	}
	if n := written(); n != count {
		t.Errorf("%d lines for ending no session", n-count)
	}
	for _, path := range []string{"/conto/password", "/conto/chiavi"} { // after a reload, or from a bookmark
		if a := v.get(path); a.StatusCode != 303 || a.Header.Get("Location") != "/conto" {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := v.do("POST", "/conto/password", "vecchia=%zz", "Content-Type", "application/x-www-form-urlencoded"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a broken form: %d", a.StatusCode)
	}
}
