package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

func TestSignInAndOut(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	if a := v.get("/rete"); a.StatusCode != 303 || a.Header.Get("Location") != "/entra?dopo=%2Frete" || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("a stranger is not sent to sign in: %d %v", a.StatusCode, a.Header)
	}
	page := v.get("/entra?dopo=%2Frete")
	if page.StatusCode != 200 || !strings.Contains(page.Body, `name="dopo" value="/rete"`) || page.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", page.StatusCode, main(page.Body))
	}
	if v.session() != "" {
		t.Error("a stranger has a session already")
	}
	wrong := v.post("/entra", "nome", "tecnica", "password", "sbagliata del tutto", "dopo", "/rete")
	if wrong.StatusCode != 403 || !strings.Contains(wrong.Body, "non sono giusti") || !strings.Contains(wrong.Body, `value="/rete"`) || v.session() != "" || strings.Contains(wrong.Body, "sbagliata") {
		t.Fatalf("%d %s", wrong.StatusCode, main(wrong.Body))
	}
	unknown := v.post("/entra", "nome", "nessuna", "password", "sbagliata del tutto")
	if text(unknown.Body, "nessuna") != text(v.post("/entra", "nome", "tecnica", "password", "sbagliata del tutto").Body, "tecnica") {
		t.Error("an unknown name is told apart from a wrong password")
	}
	in := v.post("/entra", "nome", "tecnica", "password", good, "dopo", "/rete?a=1")
	if in.StatusCode != 303 || in.Header.Get("Location") != "/rete?a=1" {
		t.Fatalf("%d %v %s", in.StatusCode, in.Header, main(in.Body))
	}
	cookie := in.Header.Values("Set-Cookie")
	if !slicesAny(cookie, func(c string) bool {
		return strings.HasPrefix(c, "crinale=") && strings.Contains(c, "HttpOnly") && strings.Contains(c, "SameSite=Lax") && strings.Contains(c, "Path=/") && !strings.Contains(c, "Secure")
	}) {
		t.Errorf("cookies %q", cookie)
	}
	if a := v.get("/rete"); a.StatusCode != 200 || a.Body != "rete di tecnica" {
		t.Fatalf("%d %s", a.StatusCode, a.Body)
	}
	home := v.get("/")
	if !strings.Contains(home.Body, "tecnica") || !strings.Contains(home.Body, `action="/esci"`) || home.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("home of who is signed in: %v", home.Header)
	}
	if a := v.get("/entra?dopo=/rete"); a.StatusCode != 303 || a.Header.Get("Location") != "/rete" {
		t.Errorf("signed in already: %d", a.StatusCode)
	}
	old := v.session()
	if a := v.post("/esci"); a.StatusCode != 303 || v.session() != "" {
		t.Errorf("sign out: %d, session %q", a.StatusCode, v.session())
	}
	if a := v.get("/rete", "Cookie", "crinale="+old); a.StatusCode != 303 {
		t.Errorf("a session lives on after sign-out: %d", a.StatusCode)
	}
}

func slicesAny(list []string, f func(string) bool) bool {
	for _, s := range list {
		if f(s) {
			return true
		}
	}
	return false
}

// text is the main part of a page without the name that was typed.
func text(body, name string) string { return strings.ReplaceAll(main(body), name, "NAME") }

func TestSessionsCannotBeForgedOrFixed(t *testing.T) {
	w := newWorld(t)
	for _, forged := range []string{"x", strings.Repeat("A", 43), strings.Repeat("a", 5000), "%00", "tecnica", "' OR 1=1 --"} {
		if a := w.visitor().get("/rete", "Cookie", "crinale="+forged); a.StatusCode != 303 {
			t.Errorf("%q: %d", forged, a.StatusCode)
		}
	}
	// A stranger who plants a session of their own in a browser gets nothing of
	// it when its owner signs in.
	thief := w.visitor().enter("partner-uno")
	planted := thief.session()
	v := w.visitor()
	if a := v.do("POST", "/entra", url.Values{"nome": {"tecnica"}, "password": {good}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Cookie", "crinale="+planted); a.StatusCode != 303 {
		t.Fatalf("%d", a.StatusCode)
	}
	if v.session() == "" || v.session() == planted {
		t.Error("the session kept its token at sign-in")
	}
	if a := thief.get("/rete"); a.Body == "rete di tecnica" || a.StatusCode == 200 {
		t.Errorf("the planted session: %d %s", a.StatusCode, a.Body)
	}
	// A new sign-in in the same browser is a new session.
	first := v.session()
	v.post("/entra", "nome", "tecnica", "password", good)
	if v.session() == first {
		t.Error("signed in again with the same token")
	}
	if a := w.visitor().get("/rete", "Cookie", "crinale="+first); a.StatusCode == 200 {
		t.Error("the session before is still good")
	}
}

func TestLockedAndWithdrawnAtOnce(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	v := w.visitor().enter("tecnica")
	token := w.token("tecnica", login.ReadNetwork).Secret
	if err := w.People.Withdraw(ctx, "tecnica", technician); err != nil {
		t.Fatal(err)
	}
	if a := v.get("/rete"); a.StatusCode != 403 {
		t.Errorf("without the role: %d", a.StatusCode)
	}
	if err := w.People.Lock(ctx, "tecnica"); err != nil {
		t.Fatal(err)
	}
	if a := v.get("/conto"); a.StatusCode != 303 || !strings.HasPrefix(a.Header.Get("Location"), "/entra") {
		t.Errorf("locked: %d", a.StatusCode)
	}
	if a := w.visitor().get("/api/v1/me", "Authorization", "Bearer "+token); a.StatusCode != 401 {
		t.Errorf("token of a locked account: %d %s", a.StatusCode, a.Body)
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	read := w.token("tecnica", login.ReadNetwork)
	me := v.get("/api/v1/me", "Authorization", "Bearer "+read.Secret)
	var who web.Me
	if err := json.Unmarshal([]byte(me.Body), &who); err != nil || who.Name != "tecnica" || who.Via != "token:"+read.ID || len(who.Rights) != 1 {
		t.Fatalf("%d %s", me.StatusCode, me.Body)
	}
	if a := v.get("/rete", "Authorization", "bearer  "+read.Secret); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.Body)
	}
	// of another scope: the person may read the log, this token may not
	for target, want := range map[string]int{"/api/v1/audit": 403, "/api/v1/people": 403, "/registro": 403, "/conto": 403, "/api/v1/tokens": 200} {
		a := v.get(target, "Authorization", "Bearer "+read.Secret)
		if a.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, a.StatusCode, want)
		}
		if strings.HasPrefix(target, "/api") && want == 403 && (a.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(a.Body, "tecnica may not do this")) {
			t.Errorf("%s: %s", target, a.Body)
		}
	}
	for _, h := range []string{"Bearer", "Bearer ", "Bearer x", "Basic dGVjbmljYQ==", "Bearer " + read.Secret + "x", "Bearer " + strings.Repeat("a", 4000), read.Secret, "Bearer crn_00000000_" + strings.Repeat("0", 32)} {
		a := v.get("/api/v1/me", "Authorization", h)
		if a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") || strings.Contains(a.Body, read.Secret) {
			t.Errorf("%.40q: %d %s", h, a.StatusCode, a.Body)
		}
	}
	if a := v.get("/api/v1/me", "Authorization", "Bearer "+read.Secret, "Authorization", "Bearer "+read.Secret); a.StatusCode != 401 {
		t.Errorf("two tokens at once: %d", a.StatusCode)
	}
	if a := v.get("/api/v1/me"); a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("a stranger: %d %v", a.StatusCode, a.Header)
	}
	if strings.Contains(w.logged.String(), read.Secret) {
		t.Error("the log has a token")
	}
}

// TestTokensAreMadeBySessions: a token makes none, and nobody gives a right
// that they do not have.
func TestTokensAreMadeBySessions(t *testing.T) {
	w := newWorld(t)
	read := w.token("amministratrice", login.ReadNetwork, login.ManagePeople).Secret
	program, v := w.visitor(), w.visitor().enter("tecnica")
	if a := program.do("POST", "/api/v1/tokens", `{"name": "altra", "rights": ["network.read"], "days": 3}`, "Authorization", "Bearer "+read, "Content-Type", "application/json"); a.StatusCode != 403 {
		t.Errorf("by a token: %d %s", a.StatusCode, a.Body)
	}
	plain := func(body string) answer {
		return v.do("POST", "/api/v1/tokens", body, "Content-Type", "application/json")
	}
	ask := func(body string) answer {
		return plain(strings.Replace(body, `"name"`, `"password": "`+good+`", "name"`, 1))
	}
	// A session alone makes none: a borrowed screen must not be enough.
	if a := plain(`{"name": "altra", "rights": ["network.read"], "days": 3}`); a.StatusCode != 400 || !strings.Contains(a.Body, "password") {
		t.Errorf("without the password: %d %s", a.StatusCode, a.Body)
	}
	if a := plain(`{"name": "altra", "rights": ["network.read"], "days": 3, "password": "not it at all"}`); a.StatusCode != 403 {
		t.Errorf("with a wrong password: %d %s", a.StatusCode, a.Body)
	}
	if a := ask(`{"name": "altra", "rights": ["people.manage"], "days": 3}`); a.StatusCode != 403 {
		t.Errorf("more than one has: %d %s", a.StatusCode, a.Body)
	}
	if a := ask(`{"person": "amministratrice", "name": "altra", "rights": ["network.read"], "days": 3}`); a.StatusCode != 403 {
		t.Errorf("for another: %d %s", a.StatusCode, a.Body)
	}
	made := ask(`{"name": "altra", "rights": ["network.read"], "days": 3}`)
	var n login.NewToken
	if err := json.Unmarshal([]byte(made.Body), &n); err != nil || made.StatusCode != 201 || n.Secret == "" || made.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", made.StatusCode, made.Body)
	}
	// A token ends itself, and no other of its person.
	figures, spent := w.token("tecnica", login.ReadMetrics), w.token("tecnica", login.ReadMetrics)
	for id, want := range map[string]int{n.ID: 403, spent.ID: 204} {
		if a := program.do("DELETE", "/api/v1/tokens/"+id, "", "Authorization", "Bearer "+map[string]string{n.ID: figures.Secret, spent.ID: spent.Secret}[id]); a.StatusCode != want {
			t.Errorf("revoke by a token of metrics.read: %d, want %d: %s", a.StatusCode, want, a.Body)
		}
	}
	if a := program.do("DELETE", "/api/v1/tokens/"+n.ID+"?person=tecnica", "", "Authorization", "Bearer "+read); a.StatusCode != 204 {
		t.Errorf("revoke: %d %s", a.StatusCode, a.Body)
	}
	if a := program.get("/api/v1/me", "Authorization", "Bearer "+n.Secret); a.StatusCode != 401 {
		t.Errorf("revoked: %d", a.StatusCode)
	}
	for body, want := range map[string]int{`{"name": 1}`: 400, `{"nome": "x"}`: 400, `{} {}`: 400, `[]`: 400, ``: 400, `{"name": "x", "rights": [], "days": 1}`: 400, `{"name": "x", "rights": ["network.read"], "days": 4000}`: 400} {
		if a := ask(body); a.StatusCode != want || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.Body)
		}
	}
	if a := v.do("POST", "/api/v1/tokens", `{"name": "x", "rights": ["network.read"]}`, "Content-Type", "text/plain"); a.StatusCode != 400 {
		t.Errorf("text/plain: %d", a.StatusCode)
	}
}

func TestCrossSiteForms(t *testing.T) {
	w := newWorld(t)
	v := w.visitor().enter("amministratrice")
	body := url.Values{"nome": {"intrusa"}, "ruolo": {"admin"}, "ambito": {"union"}}.Encode()
	for _, header := range [][]string{
		{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "null"},
	} {
		for _, target := range []string{"/persone", "/esci", "/entra", "/conto/sessioni", "/api/v1/people/tecnica/lock"} {
			a := v.do("POST", target, body, append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
			if a.StatusCode != 403 {
				t.Errorf("%v %s: %d", header, target, a.StatusCode)
			}
		}
	}
	if _, err := w.People.Get(context.Background(), "intrusa"); err == nil {
		t.Error("a page of another site made an account")
	}
	if a := v.get("/conto"); a.StatusCode != 200 {
		t.Errorf("a page of another site signed out: %d", a.StatusCode)
	}
}

func TestTooManyTries(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	var last answer
	for range 30 {
		if last = v.post("/entra", "nome", "tecnica", "password", "sbagliata del tutto"); last.StatusCode == 429 {
			break
		}
	}
	after, err := strconv.Atoi(last.Header.Get("Retry-After"))
	if last.StatusCode != 429 || err != nil || after < 1 || !strings.Contains(last.Body, "Troppi tentativi") {
		t.Fatalf("%d Retry-After %q %s", last.StatusCode, last.Header.Get("Retry-After"), main(last.Body))
	}
}

func TestSecondStep(t *testing.T) {
	w := newWorld(t)
	v := w.visitor().enter("tecnica")
	if a := v.post("/conto/codice", "password", "sbagliata del tutto"); a.StatusCode != 403 || !strings.Contains(a.Body, "non è giusta") {
		t.Fatalf("turned on without the password: %d", a.StatusCode)
	}
	begun := v.post("/conto/codice", "password", good)
	m := regexp.MustCompile(`<code class="secret">([A-Z2-7]+)</code>`).FindStringSubmatch(begun.Body)
	if begun.StatusCode != 200 || m == nil || !strings.Contains(begun.Body, `src="data:image/png;base64,`) || begun.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", begun.StatusCode, main(begun.Body))
	}
	if a := v.post("/conto/codice/conferma", "codice", "000000"); a.StatusCode != 403 || !strings.Contains(a.Body, `name="codice"`) || strings.Contains(a.Body, m[1]) {
		t.Fatalf("a wrong code: %d %s", a.StatusCode, main(a.Body))
	}
	code := codeOf(t, m[1], time.Now())
	on := v.post("/conto/codice/conferma", "codice", code)
	codes := regexp.MustCompile(`<li>([0-9a-z]{5}-[0-9a-z]{5})</li>`).FindAllStringSubmatch(on.Body, -1)
	if on.StatusCode != 200 || len(codes) != 10 {
		t.Fatalf("%d %s", on.StatusCode, main(on.Body))
	}
	fresh := w.visitor()
	step := fresh.post("/entra", "nome", "tecnica", "password", good, "dopo", "/rete")
	ticket := regexp.MustCompile(`name="passo" value="([^"]+)"`).FindStringSubmatch(step.Body)
	if step.StatusCode != 200 || ticket == nil || fresh.session() != "" || strings.Contains(step.Body, good) {
		t.Fatalf("%d %s", step.StatusCode, main(step.Body))
	}
	if a := fresh.get("/rete"); a.StatusCode != 303 {
		t.Fatalf("the password alone was enough: %d", a.StatusCode)
	}
	if a := fresh.post("/entra", "passo", ticket[1], "codice", code); a.StatusCode != 403 || fresh.session() != "" {
		t.Errorf("a code was taken twice: %d", a.StatusCode)
	}
	if a := fresh.post("/entra", "passo", "forged", "codice", codes[0][1]); a.StatusCode != 403 || fresh.session() != "" {
		t.Errorf("a forged ticket: %d", a.StatusCode)
	}
	if a := fresh.post("/entra", "passo", ticket[1], "codice", codes[0][1], "dopo", "/rete"); a.StatusCode != 303 || a.Header.Get("Location") != "/rete" || fresh.session() == "" {
		t.Errorf("a recovery code: %d %s", a.StatusCode, main(a.Body))
	}
	if a := w.visitor().post("/entra", "passo", ticket[1], "codice", codes[0][1]); a.StatusCode != 403 {
		t.Errorf("a recovery code was taken twice: %d", a.StatusCode)
	}
	if a := v.post("/conto/codice/togli", "password", good); a.StatusCode != 303 {
		t.Errorf("turn off: %d", a.StatusCode)
	}
	w.visitor().enter("tecnica")
}

func TestInvitation(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor().enter("amministratrice")
	made := boss.post("/persone", "nome", "sportello-uno", "ruolo", "viewer", "ambito", "comune", "quale", "004132")
	code := regexp.MustCompile(`<code class="secret">([0-9a-z-]+)</code>`).FindStringSubmatch(made.Body)
	if made.StatusCode != 200 || code == nil || made.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", made.StatusCode, main(made.Body))
	}
	v := w.visitor()
	for _, c := range []struct {
		code, one, two, want string
		status               int
	}{
		{code[1], good, other, "non sono uguali", 400},
		{code[1], "corta", "corta", "non va bene", 400},
		{"0000-0000-0000-0000", good, good, "non vale", 403},
		{"<script>", good, good, "non vale", 403},
		{"", "", "", "non vale", 403},
	} {
		a := v.post("/invito", "codice", c.code, "nuova", c.one, "ripeti", c.two)
		if a.StatusCode != c.status || !strings.Contains(a.Body, c.want) || strings.Contains(a.Body, "<script>") && c.code == "<script>" && strings.Contains(main(a.Body), "<script>") {
			t.Errorf("%+v: %d %s", c, a.StatusCode, main(a.Body))
		}
	}
	if a := v.post("/invito", "codice", strings.ToUpper(code[1]), "nuova", other, "ripeti", other); a.StatusCode != 200 || !strings.Contains(a.Body, "sportello-uno") || !strings.Contains(a.Body, `name="password"`) {
		t.Fatalf("%d %s", a.StatusCode, main(a.Body))
	}
	if a := v.post("/entra", "nome", "sportello-uno", "password", other); a.StatusCode != 303 {
		t.Errorf("%d %s", a.StatusCode, main(a.Body))
	}
	if a := v.get("/rete"); a.StatusCode != 200 {
		t.Errorf("%d", a.StatusCode)
	}
	if a := v.post("/invito", "codice", code[1], "nuova", good, "ripeti", good); a.StatusCode != 403 {
		t.Errorf("an invitation was taken twice: %d", a.StatusCode)
	}
}

// TestStill: a long answer can tell that its asker is let in no more.
func TestStill(t *testing.T) {
	ctx := context.Background()
	for name, end := range map[string]func(w *world, v *visitor) error{
		"nothing":   nil,
		"locked":    func(w *world, _ *visitor) error { return w.People.Lock(ctx, "tecnica") },
		"removed":   func(w *world, _ *visitor) error { return w.People.Remove(ctx, "tecnica") },
		"withdrawn": func(w *world, _ *visitor) error { return w.People.Withdraw(ctx, "tecnica", technician) },
		"revoked":   func(w *world, _ *visitor) error { return w.People.RevokeSessions(ctx, "tecnica") },
		"left":      func(_ *world, v *visitor) error { v.post("/esci"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			v := w.visitor().enter("tecnica")
			bearer := "Bearer " + w.token("tecnica", login.ReadNetwork).Secret
			said := map[bool][2]bool{} // by token: before and after
			w.Shell.Handle("GET /prova/lunga", web.Needs(login.ReadNetwork), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				before := web.Still(r.Context())
				if end != nil && before {
					if err := end(w, v); err != nil {
						t.Error(err)
					}
				}
				said[r.Header.Get("Authorization") != ""] = [2]bool{before, web.Still(r.Context())}
			}))
			v.get("/prova/lunga")
			if want := [2]bool{true, end == nil}; said[false] != want {
				t.Errorf("session: %v, want %v", said[false], want)
			}
			if name == "locked" || name == "removed" || name == "withdrawn" {
				return // the token is refused at the gate
			}
			end = nil
			if v.get("/prova/lunga", "Authorization", bearer); said[true] != [2]bool{true, true} {
				t.Errorf("token: %v", said[true])
			}
		})
	}
}
