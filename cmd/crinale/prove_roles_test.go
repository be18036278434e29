package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// rolesPage is the table that is proved.
const rolesPage = "../../docs/reference/roles.md"

// row is a line of the table: a route, and what each column says.
type row struct {
	method, path string
	cells        map[string]string
}

// rolesTable reads the table of routes from the page, as it is published.
func rolesTable(t *testing.T) (rows []row, columns []string) {
	t.Helper()
	b, err := os.ReadFile(rolesPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Split(strings.Trim(line, "| "), "|")
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		switch {
		case f[0] == "route":
			columns = f[2:]
		case columns != nil && strings.HasPrefix(f[0], "`") && len(f) == len(columns)+2:
			method, path, _ := strings.Cut(strings.Trim(f[0], "`"), " ")
			r := row{method, path, map[string]string{}}
			for i, c := range columns {
				r.cells[c] = f[i+2]
			}
			rows = append(rows, r)
		}
	}
	if len(rows) < 50 || len(columns) < 8 {
		t.Fatalf("%s: %d routes and %d columns: is it the right page?", rolesPage, len(rows), len(columns))
	}
	return rows, columns
}

// guest is an account of the proof: a session, and a token where its rights
// allow one.
type guest struct {
	asker
	user, password string
	session        *http.Client
	token          string
}

// host is the running demo and the network it serves.
type host struct {
	url    string
	local  *client
	net    *network.Network
	guests map[string]*guest
}

func (h *host) invite(t *testing.T, name string, id login.Identity) *guest {
	t.Helper()
	g := &guest{asker: asker{name, id}, user: "prove-" + strings.ReplaceAll(name, " ", "-"), password: "prova-di-ruoli-" + name}
	if !id.Known() {
		g.session = h.browser()
		return g
	}
	var inv login.Invitation
	if err := h.local.call(t.Context(), http.MethodPost, "/api/v1/people", web.InviteAsked{Name: g.user, Grants: id.Grants}, &inv); err != nil {
		t.Fatal(err)
	}
	res, err := h.browser().PostForm(h.url+"/invito", url.Values{"codice": {inv.Code}, "nuova": {g.password}, "ripeti": {g.password}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	g.session = h.browser()
	h.signIn(t, g)
	ask := web.TokenAsked{Person: g.user, Name: "prova", Rights: rightsOf(id), Days: 1}
	var made login.NewToken
	err = h.local.call(t.Context(), http.MethodPost, "/api/v1/tokens", ask, &made)
	if (err == nil) != (len(ask.Rights) > 0) {
		t.Fatalf("token of %s with %v: %v", name, ask.Rights, err)
	}
	g.token = made.Secret
	return g
}

func rightsOf(id login.Identity) (out []login.Right) {
	for _, r := range login.AllRights() {
		if id.May(r) {
			out = append(out, r)
		}
	}
	return out
}

// browser keeps cookies and does not follow redirects: they are answers here.
func (h *host) browser() *http.Client {
	return &http.Client{Jar: newJar(), Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (h *host) signIn(t *testing.T, g *guest) {
	t.Helper()
	res, err := g.session.PostForm(h.url+"/entra", url.Values{"nome": {g.user}, "password": {g.password}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign in as %s: %s", g.user, res.Status)
	}
}

// answer is what came back: the status and enough of the body.
type reply struct {
	status int
	to     string // of a redirect
	body   string
}

// ask sends a request that changes nothing: its body is empty, and what its
// path names is not there, but for links.
func (h *host) ask(t *testing.T, c *http.Client, token, method, path string) reply {
	t.Helper()
	var body io.Reader
	kind := ""
	if method != http.MethodGet {
		body, kind = strings.NewReader(""), "application/x-www-form-urlencoded"
		if strings.HasPrefix(path, "/api/") {
			body, kind = strings.NewReader("{}"), "application/json"
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	out := reply{status: res.StatusCode, to: res.Header.Get("Location")}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") { // that would not end
		b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		out.body = string(b)
	}
	return out
}

// verdict is a reply in the words of the table.
func (r reply) verdict() string {
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusSeeOther && strings.HasPrefix(r.to, web.SignInPath+"?dopo="):
		return "sign in"
	case r.status == http.StatusForbidden && strings.Contains(r.body, "may not do this"):
		return "no"
	case r.status >= 500:
		return fmt.Sprintf("error %d", r.status)
	}
	return "yes"
}

// fill puts names into the places of a pattern: those of a link that is there,
// of other things ones that are not.
func fill(path string, link network.LinkID) string {
	id := "prova-assente"
	if strings.Contains(path, "/links/") || strings.Contains(path, "/collegamenti/") {
		id = string(link)
	}
	return strings.NewReplacer("{id}", id, "{name}", "prova-assente", "{$}", "", "{z}/{x}/{file}", "11/1069/738.png",
		"/static/", "/static/icon.svg", "/api/v1/devices/{id}", "/api/v1/devices/prova-assente").Replace(path)
}

// links of the demo network by whether they belong to a scope.
func (h *host) links(of login.Scope) (own, foreign []network.LinkID) {
	for _, l := range h.net.Links {
		mine := false
		switch of.Kind {
		case login.OfPartner:
			for _, p := range l.Partner {
				mine = mine || string(p) == of.ID
			}
		case login.OfComune:
			mine = h.comune(l.A) == of.ID || h.comune(l.B) == of.ID
		}
		if mine {
			own = append(own, l.ID)
		} else {
			foreign = append(foreign, l.ID)
		}
	}
	return own, foreign
}

func (h *host) comune(id network.DeviceID) string {
	d, _ := h.net.Device(id)
	if s, ok := h.net.Site(d.Site); ok {
		return s.Comune
	}
	s, _ := h.net.Seat(d.Seat)
	return s.Comune
}

// TestProveRoles asks a running server for every page and route as everybody
// of the published table, by session and by token, in a drawn order, and runs
// every verb with every token; whoever sees a part is held to that part.
func TestProveRoles(t *testing.T) {
	if os.Getenv("PROVE") != "roles" {
		t.Skip("run by make prove-roles")
	}
	rounds, seed := number(t, "N", 1), number(t, "SEED", 1)
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	rows, columns := rolesTable(t)
	dir := t.TempDir()
	p := start(t, "demo", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
	var f demoFile
	p.awaitJSON(t, filepath.Join(dir, "demo.json"), &f)
	h := &host{url: f.HTTP, guests: map[string]*guest{}}
	var err error
	if h.local, err = localClient(dir); err != nil {
		t.Fatal(err)
	}
	if h.net, err = demo.Network(); err != nil {
		t.Fatal(err)
	}
	for _, a := range askers() {
		h.guests[a.name] = h.invite(t, a.name, a.id)
	}
	for _, c := range columns {
		if h.guests[c] == nil {
			t.Fatalf("the table has a column %q, and nobody is that", c)
		}
	}
	asked := 0
	for range rounds {
		for _, i := range rnd.Perm(len(rows)) {
			for _, j := range rnd.Perm(len(columns)) {
				asked += h.cell(t, rows[i], columns[j])
			}
		}
	}
	parts := 0
	for _, c := range []string{"partner", "viewer of a comune"} {
		parts += h.part(t, rows, c)
	}
	verbs := h.verbs(t)
	t.Logf("%d answers as the table says (%d routes, %d kinds of people), %d looks at parts, %d verbs with tokens", asked, len(rows), len(columns), parts, verbs)
}

// cell proves one cell; it gives how many questions that took.
func (h *host) cell(t *testing.T, r row, column string) int {
	t.Helper()
	g := h.guests[column]
	link := demo.WeakLink
	if g.id.Known() && r.cells[column] == "own part" {
		for _, grant := range g.id.Grants {
			own, _ := h.links(grant.Scope)
			link = own[0]
		}
	}
	path, want := fill(r.path, link), r.cells[column]
	if want == "own part" {
		want = "yes"
	}
	if r.method == "" || !strings.HasPrefix(path, "/") {
		t.Fatalf("the table has a route %q %q", r.method, r.path)
	}
	if got := h.ask(t, g.session, "", r.method, path); got.verdict() != want {
		t.Errorf("%s %s as %s in a session: %s (%d %s), the table says %s", r.method, path, column, got.verdict(), got.status, clip(got.body, 200), want)
	}
	n := 1
	if g.id.Known() && r.method == http.MethodPost && !strings.HasPrefix(path, "/api/") {
		// It may have ended the session: then a new one.
		if h.ask(t, g.session, "", http.MethodGet, "/api/v1/me").status != http.StatusOK {
			h.signIn(t, g)
		}
	}
	if g.token != "" && strings.HasPrefix(path, "/api/") {
		n++
		if got := h.ask(t, h.browser(), g.token, r.method, path); got.verdict() != want {
			t.Errorf("%s %s as %s by token: %s (%d %s), the table says %s", r.method, path, column, got.verdict(), got.status, clip(got.body, 200), want)
		}
	}
	return n
}

// part holds somebody who sees a part to it: lists and pages name nothing of
// others, and what is of others answers as what does not exist.
func (h *host) part(t *testing.T, rows []row, column string) int {
	t.Helper()
	g := h.guests[column]
	own, foreign := h.links(g.id.Grants[0].Scope)
	if len(own) == 0 || len(foreign) == 0 {
		t.Fatalf("%s has %d links and %d are of others: nothing to prove", column, len(own), len(foreign))
	}
	n := 0
	for _, r := range rows {
		if r.cells[column] != "own part" || r.method != http.MethodGet || strings.HasSuffix(r.path, "/eventi") {
			continue
		}
		if !strings.Contains(r.path, "{id}") {
			n++
			body := h.ask(t, g.session, "", r.method, r.path).body
			for _, l := range foreign {
				if strings.Contains(body, `"`+string(l)+`"`) || strings.Contains(body, "/collegamenti/"+string(l)+`"`) {
					t.Errorf("%s %s as %s names %s, a link of others", r.method, r.path, column, l)
				}
			}
			continue
		}
		for _, l := range foreign {
			n++
			there := h.ask(t, g.session, "", r.method, fill(r.path, l))
			absent := h.ask(t, g.session, "", r.method, fill(r.path, "prova-assente"))
			if there.status != absent.status || !strings.HasSuffix(r.path, "{$}") && there.status != http.StatusNotFound {
				t.Errorf("%s %s of others as %s: %d, of nobody: %d, want 404 for both", r.method, fill(r.path, l), column, there.status, absent.status)
			}
		}
		for _, l := range own {
			n++
			if got := h.ask(t, g.session, "", r.method, fill(r.path, l)); got.status >= 400 && !strings.HasSuffix(r.path, ".svg") {
				t.Errorf("%s %s of its own as %s: %d", r.method, fill(r.path, l), column, got.status)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d looks at the part of %s: is the table right?", n, column)
	}
	return n
}

// verbWords are the arguments with which a verb changes nothing.
var verbWords = map[string][]string{
	"crinale network confirm":           {"prova-assente"},
	"crinale network revert":            {"prova-assente"},
	"crinale radio show":                {"cortemilia-to-bric-cortemilia"},
	"crinale history":                   {"trezzo-santo-stefano"},
	"crinale partner add":               {"nome_non_valido"},
	"crinale partner rotate":            {"prova-assente"},
	"crinale partner revoke":            {"prova-assente"},
	"crinale edge enrol add":            {"nome_non_valido", "--device", "prova-assente"},
	"crinale edge enrol remove":         {"prova-assente"},
	"crinale edge order purge":          {"--tag", "prova", "--edge", "prova-assente"},
	"crinale carpool export":            {"prova-assente", "--out", "prova.json"},
	"crinale carpool purge":             {"--dry-run"},
	"crinale people invite":             {"Nome Non Valido", "--role", "viewer"},
	"crinale people grant":              {"prova-assente", "viewer"},
	"crinale people withdraw":           {"prova-assente", "viewer"},
	"crinale people lock":               {"prova-assente"},
	"crinale people unlock":             {"prova-assente"},
	"crinale people sign-out":           {"prova-assente"},
	"crinale people drop-second-factor": {"prova-assente"},
	"crinale people remove":             {"prova-assente"},
	"crinale people token add":          {"ACCOUNT", "--name", "prova", "--right", "network.read"},
	"crinale people token list":         {"ACCOUNT"},
	"crinale people token revoke":       {"ACCOUNT", "prova-assente"},
}

// verbs runs every verb that speaks to a server with every token.
func (h *host) verbs(t *testing.T) int {
	t.Helper()
	access := map[string]web.Access{}
	for _, m := range wired(t).web.Routes() {
		access[m.Pattern] = m.Access
	}
	n := 0
	for _, g := range h.guests {
		if g.token == "" {
			continue
		}
		t.Setenv("CRINALE_TOKEN", g.token)
		walk(newApp(io.Discard, io.Discard).Commands, "crinale", func(path string, c *cli.Command) {
			route, ok := verbRoutes[path]
			if !ok {
				return
			}
			args := strings.Fields(path)
			for _, w := range verbWords[path] {
				args = append(args, strings.ReplaceAll(w, "ACCOUNT", g.user))
			}
			var out, talk bytes.Buffer
			code := runContext(t.Context(), append(args, "--server", h.url), &out, &talk)
			n++
			denied := strings.Contains(talk.String(), "may not do this")
			if want := !access[route].Allows(g.id); denied != want || code == exitUsage {
				t.Errorf("%s as %s: refused %v (exit %d), the table says refused %v: %s", path, g.name, denied, code, want, talk.String())
			}
			if denied && (code != exitFailed || out.Len() > 0) {
				t.Errorf("%s as %s was refused with exit code %d and %d bytes of data", path, g.name, code, out.Len())
			}
		})
	}
	var body any
	if err := h.local.call(t.Context(), http.MethodPost, "/api/v1/tokens", web.TokenAsked{Person: h.guests["police"].user, Name: "x", Rights: []login.Right{login.ReadNetwork}, Days: 1}, &body); fault.Of(err) == fault.Internal || err == nil {
		t.Errorf("a token with a right that its account has not: %v", err)
	}
	return n
}
