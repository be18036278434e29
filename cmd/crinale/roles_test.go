package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/radio"
)

// wired is a whole server that does not run, for what is generated from it.
func wired(t *testing.T, change ...func(*config)) *server {
	t.Helper()
	return wiredTo(t, slog.New(slog.DiscardHandler), change...)
}

// wiredTo is the same with a log.
func wiredTo(t *testing.T, log *slog.Logger, change ...func(*config)) *server {
	t.Helper()
	cfg, err := loadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data = t.TempDir()
	n, err := demo.Network()
	if err != nil {
		t.Fatal(err)
	}
	terrain, err := openTerrain(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	w, err := survey(n, terrain)
	if err != nil {
		t.Fatal(err)
	}
	if w.ways, err = demoWays(); err != nil {
		t.Fatal(err)
	}
	cfg.History.InfluxURL = "http://127.0.0.1:8086" // its figures belong in the list
	for _, c := range change {
		c(&cfg)
	}
	k, release, err := open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	book := func(_ context.Context, d network.DeviceID) (radio.Target, error) { return radio.Target{Device: d}, nil }
	s, err := wire(cfg, w, book, k, log)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asker is a column of the table of who may do what.
type asker struct {
	name string
	id   login.Identity
}

// ownComune and ownPartner are the scopes of the two columns that see a part.
var (
	ownPartner = login.Scope{Kind: login.OfPartner, ID: "langanet"}
	ownComune  = login.Scope{Kind: login.OfComune, ID: "004073"} // Cortemilia
)

func askers() []asker {
	out := []asker{{name: "nobody"}}
	for _, r := range login.Roles() {
		scope := login.Union
		if r == login.Partner {
			scope = ownPartner
		}
		out = append(out, asker{string(r), login.Identity{Person: string(r), Via: "session", Grants: []login.Grant{{Role: r, Scope: scope}}}})
		if r == login.Viewer {
			out = append(out, asker{"viewer of a comune", login.Identity{Person: "viewer-comune", Via: "session", Grants: []login.Grant{{Role: r, Scope: ownComune}}}})
		}
	}
	return out
}

// cell is what the table says of a route and somebody: "yes", "own part",
// "sign in" or "no".
func cell(a web.Access, id login.Identity) string {
	right, holds := a.Right()
	switch {
	case !a.Allows(id) && !id.Known():
		return "sign in"
	case !a.Allows(id):
		return "no"
	case holds && !id.MayIn(right):
		return "own part"
	}
	return "yes"
}

// verbRoutes are the routes that each verb asks of a server.
var verbRoutes = map[string]string{
	"crinale network diff":              "GET /api/v1/network/diff",
	"crinale network apply":             "POST /api/v1/changes",
	"crinale network confirm":           "POST /api/v1/changes/{id}/confirm",
	"crinale network revert":            "POST /api/v1/changes/{id}/revert",
	"crinale network history":           "GET /api/v1/changes",
	"crinale radio list":                "GET /api/v1/devices",
	"crinale radio show":                "GET /api/v1/devices",
	"crinale alerts":                    "GET /api/v1/alerts",
	"crinale history":                   "GET /api/v1/links/{id}/readings",
	"crinale partner add":               "POST /api/v1/partners",
	"crinale partner list":              "GET /api/v1/partners",
	"crinale partner rotate":            "POST /api/v1/partners/{id}/rotate",
	"crinale partner revoke":            "DELETE /api/v1/partners/{id}",
	"crinale edge enrol add":            "POST /api/v1/edges",
	"crinale edge enrol list":           "GET /api/v1/edges",
	"crinale edge enrol remove":         "DELETE /api/v1/edges/{id}",
	"crinale edge order purge":          "POST /api/v1/edge-orders",
	"crinale carpool offers":            "GET /api/v1/carpool/lifts",
	"crinale carpool drivers":           "GET /api/v1/carpool/drivers",
	"crinale carpool export":            "POST /api/v1/carpool/members/{member}/export",
	"crinale carpool purge":             "POST /api/v1/carpool/purge",
	"crinale people invite":             "POST /api/v1/people",
	"crinale people list":               "GET /api/v1/people",
	"crinale people grant":              "POST /api/v1/people/{name}/grants",
	"crinale people withdraw":           "DELETE /api/v1/people/{name}/grants",
	"crinale people lock":               "POST /api/v1/people/{name}/lock",
	"crinale people unlock":             "POST /api/v1/people/{name}/unlock",
	"crinale people sign-out":           "DELETE /api/v1/people/{name}/sessions",
	"crinale people drop-second-factor": "DELETE /api/v1/people/{name}/second-factor",
	"crinale people remove":             "DELETE /api/v1/people/{name}",
	"crinale people token add":          "POST /api/v1/tokens",
	"crinale people token list":         "GET /api/v1/tokens",
	"crinale people token revoke":       "DELETE /api/v1/tokens/{id}",
	"crinale audit list":                "GET /api/v1/audit",
	"crinale audit verify":              "GET /api/v1/audit/verify",
	"crinale audit export":              "GET /api/v1/audit/export",
}

// TestVerbsAskKnownRoutes: every verb that speaks to a server says here which
// route it asks, and no other does.
func TestVerbsAskKnownRoutes(t *testing.T) {
	mounted := map[string]bool{}
	for _, m := range wired(t).web.Routes() {
		mounted[m.Pattern] = true
	}
	seen := map[string]bool{}
	walk(newApp(io.Discard, io.Discard).Commands, "crinale", func(path string, c *cli.Command) {
		asks := flagNamed(c.Flags, "server") != nil
		route, known := verbRoutes[path]
		if asks != known {
			t.Errorf("%s: speaks to a server: %v, stands in the table: %v", path, asks, known)
		}
		if known && !mounted[route] {
			t.Errorf("%s asks %s, which is not mounted", path, route)
		}
		seen[path] = true
	})
	for path := range verbRoutes {
		if !seen[path] {
			t.Errorf("the table has %s, which is no verb", path)
		}
	}
}

// rolesReference is docs/reference/roles.md.
func rolesReference(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# Who may do what\n\nGenerated from the code by `make docs`; `make prove-roles` asks a running server for every cell.\n\n" +
		"A role holds for the whole union, or for a part of it: a comune, a partner. Whoever holds a right for a part sees\n" +
		"that part as if there were nothing else: what belongs to others answers as if it did not exist.\n\n## Roles and their rights\n\n| role |")
	for _, r := range login.AllRights() {
		fmt.Fprintf(&b, " %s |", r)
	}
	b.WriteString(" may hold for |\n|---|" + strings.Repeat("---|", len(login.AllRights())+1) + "\n")
	for _, role := range login.Roles() {
		fmt.Fprintf(&b, "| %s |", role)
		for _, r := range login.AllRights() {
			word := ""
			if slices.Contains(role.Rights(), r) {
				word = "yes"
			}
			fmt.Fprintf(&b, " %s |", word)
		}
		var kinds []string
		for _, k := range role.ScopeKinds() {
			kinds = append(kinds, string(k))
		}
		fmt.Fprintf(&b, " %s |\n", strings.Join(kinds, ", "))
	}
	b.WriteString("\n## Pages and API\n\n\"own part\": only what belongs to the part; \"sign in\": a page sends there, the API answers 401; \"no\": 403.\n\n| route | needs |")
	for _, a := range askers() {
		fmt.Fprintf(&b, " %s |", a.name)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(askers())) + "\n")
	access := map[string]web.Access{}
	for _, m := range wired(t).web.Routes() {
		access[m.Pattern] = m.Access
		fmt.Fprintf(&b, "| `%s` | %s |", m.Pattern, m.Access)
		for _, a := range askers() {
			fmt.Fprintf(&b, " %s |", cell(m.Access, a.id))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Commands\n\nOn the machine of the server, who may open the data folder is its owner and may do all. Elsewhere, with `--server`,\na command may do what its token may. Commands that are not listed ask no server.\n\n| command | asks | needs |\n|---|---|---|\n")
	for _, verb := range sorted(verbRoutes) {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", verb, verbRoutes[verb], access[verbRoutes[verb]])
	}
	return b.String()
}

func sorted(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// metricsReference is docs/reference/metrics.md.
func metricsReference(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# Figures for Prometheus\n\nGenerated from the code by `make docs`.\n\n" +
		"`/metrics` answers in the text form of Prometheus. It needs the right `metrics.read`: make a token with\n" +
		"`crinale people token add ACCOUNT --name prometheus --right metrics.read` and put it into the scraper's configuration\n" +
		"as its bearer token.\n\n| figure | type | labels | meaning |\n|---|---|---|---|\n")
	for _, d := range wired(t).metrics.List() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Type, strings.Join(d.Labels, ", "), d.Help)
	}
	return b.String()
}

// apiReference is docs/reference/api.md, from the OpenAPI document.
func apiReference(t *testing.T) string {
	s := wired(t)
	req := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/openapi.json", nil)
	rec := httptest.NewRecorder()
	s.web.Handler().ServeHTTP(rec, req)
	var doc struct {
		Paths map[string]map[string]struct{ Summary string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# API\n\nGenerated from the code by `make docs`. The whole of it, with every key of every answer, is the OpenAPI document\n" +
		"that the server gives at `/api/v1/openapi.json`.\n\n" +
		"Send a token as `Authorization: Bearer TOKEN` (`crinale people token add`). Errors are problem+json (RFC 9457) with the\n" +
		"`kind` of the error. Lists take `limit` and `after` and answer with `next`, null on the last page, and with a `Link`\n" +
		"header. GET answers carry an ETag. Parameters that are not known are refused. Keys carry their units; what is not known\n" +
		"is null, never 0; times are RFC 3339 in UTC.\n\n| route | what | needs |\n|---|---|---|\n")
	what := map[string]string{}
	for path, methods := range doc.Paths {
		for m, op := range methods {
			what[strings.ToUpper(m)+" "+path] = op.Summary
		}
	}
	for _, r := range s.web.Routes() {
		if summary, ok := what[r.Pattern]; ok {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Pattern, summary, r.Access)
		}
	}
	return b.String()
}
