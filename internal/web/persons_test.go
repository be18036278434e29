package web_test

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

func TestPagesOfPeople(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	boss := w.visitor().enter("amministratrice")
	for _, name := range []string{"tecnica", "partner-uno"} {
		v := w.visitor().enter(name)
		for _, a := range []answer{v.get("/persone"), v.get("/persone/tecnica"), v.post("/persone", "nome", "x"), v.post("/persone/amministratrice/blocca")} {
			if a.StatusCode != 403 {
				t.Errorf("%s: %s %d", name, a.Request.URL.Path, a.StatusCode)
			}
		}
		if a := v.get("/"); strings.Contains(a.Body, `href="/persone"`) || strings.Contains(a.Body, `href="/registro"`) != (name == "tecnica") {
			t.Errorf("%s: the navigation shows what may not be seen, or hides what may", name)
		}
	}
	if a := w.visitor().get("/"); strings.Contains(a.Body, "/persone") || strings.Contains(a.Body, "/registro") || !strings.Contains(a.Body, `href="/entra"`) {
		t.Error("a stranger's navigation")
	}
	list := boss.get("/persone")
	if list.StatusCode != 200 || list.Header.Get("Cache-Control") != "no-store" || !strings.Contains(list.Body, `href="/persone/tecnica"`) || !strings.Contains(list.Body, "partner, partner langanet") {
		t.Fatalf("%d %s", list.StatusCode, main(list.Body))
	}
	for _, c := range []struct {
		fields []string
		status int
	}{
		{[]string{"nome", "Non Valido", "ruolo", "viewer", "ambito", "union"}, 400},
		{[]string{"nome", "x", "ruolo", "viewer", "ambito", "comune", "quale", ""}, 400},
		{[]string{"nome", "x", "ruolo", "re", "ambito", "union"}, 400},
		{[]string{"nome", "tecnica", "ruolo", "viewer", "ambito", "union"}, 409},
		{[]string{"nome", "x", "ruolo", "admin", "ambito", "partner", "quale", "langanet"}, 400},
	} {
		if a := boss.post("/persone", c.fields...); a.StatusCode != c.status || !strings.Contains(a.Body, `role="alert"`) {
			t.Errorf("%v: %d %s", c.fields, a.StatusCode, main(a.Body))
		}
	}
	then := func(path, done string, fields ...string) {
		t.Helper()
		a := boss.post(path, fields...)
		if a.StatusCode != 303 || !strings.HasSuffix(a.Header.Get("Location"), "?fatto="+done) {
			t.Fatalf("%s: %d %s", path, a.StatusCode, main(a.Body))
		}
		if b := boss.get(a.Header.Get("Location")); b.StatusCode != 200 || !strings.Contains(b.Body, `role="status"`) {
			t.Errorf("%s: after it: %d %s", path, b.StatusCode, main(b.Body))
		}
	}
	then("/persone/partner-uno/ruoli", "dato", "ruolo", "viewer", "ambito", "comune", "quale", "004132")
	then("/persone/partner-uno/ruoli/togli", "tolto", "ruolo", "partner", "ambito", "partner", "quale", "langanet")
	p, err := w.People.Get(ctx, "partner-uno")
	if err != nil || len(p.Grants) != 1 || p.Grants[0].String() != "viewer@comune:004132" {
		t.Fatalf("%+v %v", p, err)
	}
	v := w.visitor().enter("partner-uno")
	w.token("partner-uno", login.ReadNetwork)
	page := boss.get("/persone/partner-uno")
	session := regexp.MustCompile(`sessioni/togli"><input type="hidden" name="id" value="([^"]+)"`).FindStringSubmatch(page.Body)
	key := regexp.MustCompile(`chiavi/togli"><input type="hidden" name="id" value="([^"]+)"`).FindStringSubmatch(page.Body)
	if session == nil || key == nil {
		t.Fatalf("%d %s", page.StatusCode, main(page.Body))
	}
	then("/persone/partner-uno/sessioni/togli", "sessioni", "id", session[1])
	if a := v.get("/conto"); a.StatusCode != 303 {
		t.Errorf("the session goes on: %d", a.StatusCode)
	}
	then("/persone/partner-uno/chiavi/togli", "chiave", "id", key[1])
	then("/persone/partner-uno/sessioni", "sessioni")
	then("/persone/partner-uno/blocca", "bloccato")
	if a := w.visitor().post("/entra", "nome", "partner-uno", "password", good); a.StatusCode != 403 {
		t.Errorf("locked, and let in: %d", a.StatusCode)
	}
	then("/persone/partner-uno/sblocca", "sbloccato")
	if a := boss.post("/persone/partner-uno/codice"); a.StatusCode != 200 || !strings.Contains(a.Body, `class="secret"`) || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a new code: %d", a.StatusCode)
	}
	if a := boss.post("/persone/partner-uno/togli"); a.StatusCode != 400 {
		t.Errorf("removed without the tick: %d", a.StatusCode)
	}
	then("/persone/partner-uno/togli", "via", "certo", "si")
	for _, path := range []string{"/persone/partner-uno", "/persone/nessuna", "/persone/%00"} {
		if a := boss.get(path); a.StatusCode != 404 {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := boss.post("/persone/nessuna/codice"); a.StatusCode != 404 {
		t.Errorf("a code for nobody: %d", a.StatusCode)
	}
	if a := boss.get("/persone/nessuna/blocca"); a.StatusCode != 303 {
		t.Errorf("a reload: %d", a.StatusCode)
	}
	for _, path := range []string{"blocca", "togli"} { // the last admin
		if a := boss.post("/persone/amministratrice/"+path, "certo", "si"); a.StatusCode != 409 {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := boss.get("/persone"); a.StatusCode != 200 {
		t.Errorf("the last admin is out: %d", a.StatusCode)
	}
}

// TestAPIOfPeople does by the API what the commands do.
func TestAPIOfPeople(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	bearer := "Bearer " + w.token("amministratrice", login.ManagePeople, login.ReadAudit, login.ReadNetwork).Secret
	v := w.visitor()
	call := func(status int, method, target, body string, into any) answer {
		t.Helper()
		a := v.do(method, target, body, "Authorization", bearer, "Content-Type", "application/json")
		if a.StatusCode != status {
			t.Fatalf("%s %s: %d, want %d: %s", method, target, a.StatusCode, status, a.Body)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(a.Body), into); err != nil {
				t.Fatal(err)
			}
		}
		return a
	}
	var inv login.Invitation
	if a := call(201, "POST", "/api/v1/people", `{"name": "vista", "grants": [{"role": "viewer", "scope": {"kind": "union"}}]}`, &inv); a.Header.Get("Cache-Control") != "no-store" || inv.Code == "" || inv.Person != "vista" {
		t.Errorf("%+v", inv)
	}
	call(409, "POST", "/api/v1/people", `{"name": "vista", "grants": [{"role": "viewer", "scope": {"kind": "union"}}]}`, nil)
	call(400, "POST", "/api/v1/people", `{"name": "vista"}`, nil)
	call(400, "POST", "/api/v1/people", `{"name": "Vista!", "grants": [{"role": "viewer", "scope": {"kind": "union"}}]}`, nil)
	call(404, "POST", "/api/v1/people/nessuna/invite", "", nil)
	call(404, "GET", "/api/v1/people/nessuna", "", nil)
	call(400, "GET", "/api/v1/people?nome=x", "", nil)
	old := inv.Code
	call(201, "POST", "/api/v1/people/vista/invite", "", &inv)
	if _, err := w.People.Accept(ctx, old, good); fault.Of(err) != fault.Denied {
		t.Errorf("the code before: %v", err)
	}
	if _, err := w.People.Accept(ctx, inv.Code, good); err != nil {
		t.Fatal(err)
	}
	var list struct {
		People []login.Person
		Next   *string
	}
	var names []string
	for target := "/api/v1/people?limit=3"; ; {
		list.People, list.Next = nil, nil
		call(200, "GET", target, "", &list)
		for _, p := range list.People {
			names = append(names, p.Name)
		}
		if list.Next == nil {
			break
		}
		target = "/api/v1/people?limit=3&after=" + *list.Next
	}
	if strings.Join(names, " ") != "amministratrice partner-uno tecnica vista" {
		t.Errorf("%v", names)
	}
	var p login.Person
	call(200, "POST", "/api/v1/people/vista/grants", `{"role": "partner", "scope": {"kind": "partner", "id": "langanet"}}`, &p)
	if len(p.Grants) != 2 {
		t.Errorf("%+v", p)
	}
	call(400, "POST", "/api/v1/people/vista/grants", `{"role": "partner", "scope": {"kind": "union"}}`, nil)
	call(400, "DELETE", "/api/v1/people/vista/grants", "", nil)
	call(200, "DELETE", "/api/v1/people/vista/grants?grant="+url.QueryEscape("viewer@union"), "", &p)
	if len(p.Grants) != 1 {
		t.Errorf("%+v", p)
	}
	call(404, "DELETE", "/api/v1/people/vista/grants?grant=viewer@union", "", nil)
	call(200, "POST", "/api/v1/people/vista/lock", "", &p)
	if !p.Locked {
		t.Errorf("%+v", p)
	}
	call(200, "POST", "/api/v1/people/vista/unlock", "", &p)
	mine := w.visitor().enter("vista")
	var sessions struct{ Sessions []login.Session }
	call(200, "GET", "/api/v1/people/vista/sessions", "", &sessions)
	if len(sessions.Sessions) != 1 || sessions.Sessions[0].From != "127.0.0.1" || sessions.Sessions[0].Agent == "" {
		t.Fatalf("%+v", sessions)
	}
	call(204, "DELETE", "/api/v1/people/vista/sessions/"+sessions.Sessions[0].ID, "", nil)
	call(404, "DELETE", "/api/v1/people/vista/sessions/"+sessions.Sessions[0].ID, "", nil)
	if a := mine.get("/conto"); a.StatusCode != 303 {
		t.Errorf("the session goes on: %d", a.StatusCode)
	}
	call(204, "DELETE", "/api/v1/people/vista/sessions", "", nil)
	call(404, "DELETE", "/api/v1/people/vista/second-factor", "", nil)
	call(204, "DELETE", "/api/v1/people/vista", "", nil)
	call(409, "DELETE", "/api/v1/people/amministratrice", "", nil)
	var tokens struct{ Tokens []login.Token }
	call(200, "GET", "/api/v1/tokens?person=tecnica", "", &tokens)
	if tokens.Tokens == nil || len(tokens.Tokens) != 0 {
		t.Errorf("%+v", tokens)
	}
	if a := w.visitor().enter("tecnica").get("/api/v1/tokens?person=amministratrice"); a.StatusCode != 403 {
		t.Errorf("another's tokens: %d", a.StatusCode)
	}
	// every deed above has a name and a place in the log
	lines, err := w.Log.List(ctx, audit.Query{Object: "vista", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, l := range lines {
		seen[l.Action] = true
		if strings.HasPrefix(l.Action, "person.") && l.Action != "person.accept" && (l.Who != "amministratrice" || !strings.HasPrefix(l.Via, "token:") || l.From != "127.0.0.1") {
			t.Errorf("%+v", l)
		}
	}
	for _, want := range []string{"person.invite", "person.grant", "person.withdraw", "person.lock", "person.unlock", "person.remove", "session.revoke"} {
		if !seen[want] {
			t.Errorf("the log has no %s", want)
		}
	}
}

func TestTheLog(t *testing.T) {
	w := newWorld(t)
	v := w.visitor().enter("tecnica")
	for range 60 {
		w.token("partner-uno", login.ReadNetwork)
		if err := w.People.RevokeToken(context.Background(), "partner-uno", mustTokens(t, w)[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	first := v.get("/registro?cosa=partner-uno")
	next := regexp.MustCompile(`<a href="(/registro\?[^"]+)" rel="next">`).FindStringSubmatch(first.Body)
	if first.StatusCode != 200 || strings.Count(first.Body, "<tr>") != 51 || next == nil {
		t.Fatalf("%d %s", first.StatusCode, main(first.Body))
	}
	if a := v.get(strings.ReplaceAll(next[1], "&amp;", "&")); a.StatusCode != 200 || !strings.Contains(a.Body, "token.add") || a.Body == first.Body {
		t.Errorf("%d %s", a.StatusCode, main(a.Body))
	}
	if a := v.get("/registro?verifica=1"); a.StatusCode != 200 || !strings.Contains(a.Body, "Il registro è intero") {
		t.Errorf("%d %s", a.StatusCode, main(a.Body))
	}
	if a := v.get("/registro?prima=x"); a.StatusCode != 400 {
		t.Errorf("%d", a.StatusCode)
	}
	if a := v.get("/registro?chi=nessuna"); !strings.Contains(a.Body, "Nessuna riga") {
		t.Errorf("%s", main(a.Body))
	}
	var all int
	for target := "/api/v1/audit?limit=50"; target != ""; {
		a := v.get(target)
		var page struct {
			Lines []audit.Line
			Next  *string
		}
		if err := json.Unmarshal([]byte(a.Body), &page); err != nil || a.StatusCode != 200 {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		all += len(page.Lines)
		target = ""
		if page.Next != nil {
			target = "/api/v1/audit?limit=50&after=" + *page.Next
		}
	}
	export := v.get("/api/v1/audit/export")
	report, err := audit.VerifyLines(strings.NewReader(export.Body))
	if err != nil || !report.OK() || int(report.Lines) != all || export.Header.Get("Content-Type") != "application/x-ndjson" || export.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d in pages; export %+v %v", all, report, err)
	}
	var told audit.Report
	if a := v.get("/api/v1/audit/verify"); json.Unmarshal([]byte(a.Body), &told) != nil || told != report {
		t.Errorf("%s", a.Body)
	}
	for _, bad := range []string{"after=0", "after=x", "after=99999999999999999999", "limit=0", "before=3"} {
		if a := v.get("/api/v1/audit?" + bad); a.StatusCode != 400 {
			t.Errorf("%s: %d", bad, a.StatusCode)
		}
	}
	if a := w.visitor().enter("partner-uno").get("/registro"); a.StatusCode != 403 {
		t.Errorf("a partner reads the log: %d", a.StatusCode)
	}
}

func mustTokens(t *testing.T, w *world) []login.Token {
	t.Helper()
	list, err := w.People.Tokens(context.Background(), "partner-uno")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list
}

// TestTokenGivesNoMoreThanItMay: one that manages people makes no account, and
// no way into one, that may more than the token.
func TestTokenGivesNoMoreThanItMay(t *testing.T) {
	w := newWorld(t)
	v, bearer := w.visitor(), "Bearer "+w.token("amministratrice", login.ManagePeople, login.ReadNetwork).Secret
	do := func(kind, method, target, body string) int {
		return v.do(method, target, body, "Authorization", bearer, "Content-Type", kind).StatusCode
	}
	const js, form = "application/json", "application/x-www-form-urlencoded"
	for _, g := range []string{"admin", "technician"} {
		grant := `{"role": "` + g + `", "scope": {"kind": "union"}}`
		fields := "ruolo=" + g + "&ambito=union&quale="
		for _, got := range []int{
			do(js, "POST", "/api/v1/people", `{"name": "intrusa", "grants": [`+grant+`]}`),
			do(js, "POST", "/api/v1/people/partner-uno/grants", grant),
			do(form, "POST", "/persone", "nome=intrusa&"+fields),
			do(form, "POST", "/persone/partner-uno/ruoli", fields),
		} {
			if got != 403 {
				t.Errorf("gives %s: %d", g, got)
			}
		}
	}
	for _, target := range []string{"/api/v1/people/amministratrice/invite", "/persone/tecnica/codice", "/persone/tecnica/secondo/togli"} {
		if got := do(form, "POST", target, ""); got != 403 {
			t.Errorf("%s: %d", target, got)
		}
	}
	if got := do(js, "DELETE", "/api/v1/people/amministratrice/second-factor", ""); got != 403 {
		t.Errorf("second factor of an admin: %d", got)
	}
	if got := do(js, "POST", "/api/v1/people/partner-uno/invite", ""); got != 201 {
		t.Errorf("a new code for one that may no more: %d", got)
	}
	if got := do(js, "POST", "/api/v1/people", `{"name": "vista", "grants": [{"role": "viewer", "scope": {"kind": "union"}}]}`); got != 201 {
		t.Errorf("gives what it has: %d", got)
	}
}
