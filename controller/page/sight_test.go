package page_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// shared gives the links 0 to 3 to one partner, 4 to 8 to another, 9 to both
// and the fibre to nobody.
func shared(_ *page.Config, d *page.Deps) {
	n := d.Network
	n.Partners = append(n.Partners, network.Partner{ID: "wisp-due", Name: "Partner Due"})
	for i := range n.Links {
		switch {
		case i < 4:
			n.Links[i].Partner = []network.PartnerID{"wisp-uno"}
		case i < 9:
			n.Links[i].Partner = []network.PartnerID{"wisp-due"}
		case i == 9:
			n.Links[i].Partner = []network.PartnerID{"wisp-uno", "wisp-due"}
		}
	}
	n.Index()
}

// part is what somebody may see of the network of shared.
type part struct {
	links, devices, sites []string
	alerts                []string
	partners              []string
	other                 string // a link out of sight, for whom everything is not in sight
}

// parts are written by hand: they are what the roles promise.
var parts = map[string]part{
	"uno": {
		links: []string{"mombarcaro-cortemilia", "cortemilia-bossolasco", "bossolasco-serravalle-langhe", "serravalle-langhe-torre-bormida", "lequio-berria-mombarcaro"},
		devices: []string{"mombarcaro-est", "mombarcaro-ovest", "cortemilia-est", "cortemilia-ovest", "bossolasco-est", "bossolasco-ovest",
			"serravalle-langhe-est", "serravalle-langhe-ovest", "torre-bormida-ovest", "lequio-berria-est"},
		sites:    []string{"mombarcaro", "cortemilia", "bossolasco", "serravalle-langhe", "torre-bormida", "lequio-berria"},
		alerts:   []string{"a1", "a3", "a4"},
		partners: []string{"wisp-uno"},
		other:    "saliceto-murazzano",
	},
	"due": {
		links: []string{"torre-bormida-saliceto", "saliceto-murazzano", "murazzano-feisoglio", "feisoglio-san-giorgio-scarampi", "san-giorgio-scarampi-lequio-berria", "lequio-berria-mombarcaro"},
		devices: []string{"mombarcaro-ovest", "torre-bormida-est", "saliceto-est", "saliceto-ovest", "murazzano-est", "murazzano-ovest", "feisoglio-est", "feisoglio-ovest",
			"san-giorgio-scarampi-est", "san-giorgio-scarampi-ovest", "lequio-berria-est", "lequio-berria-ovest"},
		sites:    []string{"mombarcaro", "torre-bormida", "saliceto", "murazzano", "feisoglio", "san-giorgio-scarampi", "lequio-berria"},
		alerts:   []string{"a2"},
		partners: []string{"wisp-due"},
		other:    "fibra-cortemilia",
	},
	"comune": { // of Saliceto
		links:    []string{"torre-bormida-saliceto", "saliceto-murazzano"},
		devices:  []string{"torre-bormida-est", "saliceto-est", "saliceto-ovest", "murazzano-ovest"},
		sites:    []string{"torre-bormida", "saliceto", "murazzano"},
		alerts:   []string{"a2"},
		partners: []string{"wisp-due"},
		other:    "mombarcaro-cortemilia",
	},
	"gruppo": {other: "mombarcaro-cortemilia"},
}

func init() {
	parts["tecnica-uno"] = parts["uno"]
}

// hidden are the names that somebody must not read anywhere.
func (p part) hidden(n *network.Network) []string {
	var out []string
	add := func(id, name string, in []string) {
		if !slices.Contains(in, id) {
			out = append(out, id)
			if name != "" {
				out = append(out, name)
			}
		}
	}
	for _, l := range n.Links {
		add(string(l.ID), l.Name, p.links)
	}
	for _, d := range n.Devices {
		add(string(d.ID), "", p.devices)
	}
	for _, s := range n.Sites {
		add(string(s.ID), s.Name, p.sites)
	}
	for _, x := range n.Partners {
		add(string(x.ID), x.Name, p.partners)
	}
	out = append(out, "vicino", "hAP ax²") // heard by devices around them
	// A name within one that may be read is none: "saliceto" in "torre-bormida-saliceto".
	allowed := slices.Concat(p.links, p.devices, p.sites, p.partners)
	return slices.DeleteFunc(out, func(s string) bool {
		return slices.ContainsFunc(allowed, func(a string) bool { return strings.Contains(a, s) })
	})
}

// askFor says how each route of the pages is asked in these tests; {id} is a
// link.
var askFor = map[string]string{
	"GET /stato":                              "/stato",
	"GET /rete":                               "/rete",
	"GET /rete/allarmi":                       "/rete/allarmi",
	"GET /rete/apparati":                      "/rete/apparati",
	"GET /rete/collegamenti/{id}":             "/rete/collegamenti/{id}",
	"GET /rete/collegamenti/{id}/profilo.svg": "/rete/collegamenti/{id}/profilo.svg",
	"GET /api/v1/links":                       "/api/v1/links",
	"GET /api/v1/links/{id}":                  "/api/v1/links/{id}",
	"GET /api/v1/links/{id}/readings":         "/api/v1/links/{id}/readings?from=2026-11-22T08:00:00Z&to=2026-11-22T09:00:00Z&step=60",
	"GET /api/v1/alerts":                      "/api/v1/alerts?open=false",
	"GET /api/v1/devices":                     "/api/v1/devices",
	"GET /api/v1/plans":                       "/api/v1/plans",
	"GET /api/v1/sites":                       "/api/v1/sites",
}

// ofUnion are the routes that have no parts: only who holds their right for
// the whole union may ask them.
var ofUnion = map[string]struct {
	right  login.Right
	target string
	code   int // for the technician
}{
	"GET /rete/modifiche":                {login.ChangeNetwork, "/rete/modifiche", 200},
	"POST /rete/modifiche":               {login.ChangeNetwork, "/rete/modifiche", 400}, // without a form
	"POST /rete/modifiche/leggi":         {login.ChangeNetwork, "/rete/modifiche/leggi", 303},
	"GET /rete/modifiche/nuova":          {login.ChangeNetwork, "/rete/modifiche/nuova?apparato=saliceto-est", 200},
	"GET /rete/modifiche/{id}":           {login.ChangeNetwork, "/rete/modifiche/c16", 200},
	"POST /rete/modifiche/{id}/conferma": {login.ChangeNetwork, "/rete/modifiche/c16/conferma", 303},
	"POST /rete/modifiche/{id}/annulla":  {login.ChangeNetwork, "/rete/modifiche/c15/annulla", 303},
	"GET /api/v1/network/diff":           {login.ChangeNetwork, "/api/v1/network/diff", 200},
	"GET /api/v1/changes":                {login.ChangeNetwork, "/api/v1/changes", 200},
	"POST /api/v1/changes":               {login.ChangeNetwork, "/api/v1/changes", 400}, // without a body
	"GET /api/v1/changes/{id}":           {login.ChangeNetwork, "/api/v1/changes/c16", 200},
	"POST /api/v1/changes/{id}/confirm":  {login.ChangeNetwork, "/api/v1/changes/c16/confirm", 200},
	"POST /api/v1/changes/{id}/revert":   {login.ChangeNetwork, "/api/v1/changes/c14/revert", 202},
	"GET /api/v1/partners":               {login.ManagePartners, "/api/v1/partners", 200},
	"POST /api/v1/partners":              {login.ManagePartners, "/api/v1/partners", 400}, // without a body
	"POST /api/v1/partners/{id}/rotate":  {login.ManagePartners, "/api/v1/partners/wisp-due/rotate", 200},
	"DELETE /api/v1/partners/{id}":       {login.ManagePartners, "/api/v1/partners/wisp-uno", 204},
	"GET /api/v1/edges":                  {login.ManagePartners, "/api/v1/edges", 200},
	"POST /api/v1/edges":                 {login.ManagePartners, "/api/v1/edges", 400}, // without a body
	"DELETE /api/v1/edges/{id}":          {login.ManagePartners, "/api/v1/edges/bergolo", 204},
	"POST /api/v1/edge-orders":           {login.ManagePartners, "/api/v1/edge-orders", 400}, // without a body
}

// elsewhere are routes that other tests ask, or that tell nothing.
var elsewhere = []string{
	"GET /rete/eventi",                // TestEventsWithinTheScope
	"GET /rete/collegamenti",          // to /rete
	"GET /rete/collegamenti/{id}/{$}", // to the address without the last stroke
}

// mine are the routes that the package mounts.
func mine(w *world, bare *web.Shell) []web.Mounted {
	own := map[string]bool{}
	for _, m := range bare.Routes() {
		own[m.Pattern] = true
	}
	return slices.DeleteFunc(w.shell.Routes(), func(m web.Mounted) bool { return own[m.Pattern] || strings.HasPrefix(m.Pattern, "GET /static/") })
}

// TestEveryRouteWithinTheScope asks every route as everybody: what is in
// somebody's part is told, what is not is nowhere, and to ask for it by name
// is as to ask for what does not exist.
func TestEveryRouteWithinTheScope(t *testing.T) {
	w := newWorld(t, shared)
	w.desk.in = []network.PartnerID{"wisp-uno", "wisp-due"}
	w.halls.in = []controller.EdgeAccess{{ID: "bergolo"}}
	bare, err := web.New(web.Default(), web.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	routes := mine(w, bare)
	if len(routes) < len(askFor) {
		t.Fatalf("only %d routes", len(routes))
	}
	ref := regexp.MustCompile(`"ref":"[A-Z2-7]+"|riferimento [A-Z2-7]+`)
	clean := func(body, id string) string { return strings.ReplaceAll(ref.ReplaceAllString(body, ""), id, "NAME") }
	asked := 0
	for _, m := range routes {
		if slices.Contains(elsewhere, m.Pattern) {
			continue
		}
		if whole, ok := ofUnion[m.Pattern]; ok {
			asked += w.wholeOnly(t, m, whole.right, whole.target, whole.code)
			continue
		}
		target, ok := askFor[m.Pattern]
		if !ok {
			t.Errorf("%s (%s) is asked by no test of scopes: say how in askFor or ofUnion", m.Pattern, m.Access)
			continue
		}
		if right, ok := m.Access.Right(); m.Pattern != "GET /stato" && (!ok || right != login.ReadNetwork) {
			t.Errorf("%s needs %s", m.Pattern, m.Access)
		}
		of := func(id string) string { return strings.ReplaceAll(target, "{id}", id) }
		named := strings.Contains(target, "{id}")
		for who, p := range parts {
			asked++
			if m.Pattern == "GET /stato" {
				if rec := w.as(who, "GET", target); rec.Code != 200 || content(rec) != content(w.get(target)) {
					t.Errorf("%s: the residents' page is another for %s", m.Pattern, who)
				}
				continue
			}
			own := []string{"unused"}
			if named {
				own = p.links
				other, unknown := w.as(who, "GET", of(p.other)), w.as(who, "GET", of("nessuno"))
				if other.Code != 404 || unknown.Code != 404 || clean(other.Body.String(), p.other) != clean(unknown.Body.String(), "nessuno") {
					t.Errorf("%s as %s: another's is answered %d, what does not exist %d:\n%s\n%s", m.Pattern, who, other.Code, unknown.Code, other.Body, unknown.Body)
				}
				if rec := w.get(of(p.other)); rec.Code != 200 {
					t.Errorf("%s as the technician: %d", m.Pattern, rec.Code)
				}
			}
			for _, id := range own {
				rec := w.as(who, "GET", of(id))
				if rec.Code != 200 {
					t.Errorf("%s as %s: %d", of(id), who, rec.Code)
				}
				for _, h := range p.hidden(w.net) {
					if strings.Contains(rec.Body.String(), h) {
						t.Errorf("%s tells %s of %q", of(id), who, h)
					}
				}
			}
		}
		// Strangers are sent away, whatever they ask for.
		for _, id := range []string{"saliceto-murazzano", "nessuno"} {
			rec, want := w.as("estranea", "GET", of(id)), 303
			switch {
			case m.Pattern == "GET /stato":
				want = 200
			case strings.Contains(target, "/api/"):
				want = 401
			}
			if rec.Code != want || strings.Contains(rec.Body.String(), "Partner") {
				t.Errorf("%s as a stranger: %d", of(id), rec.Code)
			}
		}
	}
	if asked < 150 {
		t.Errorf("only %d askings", asked)
	}
}

// content is a page without its frame, which says who is signed in.
func content(rec *httptest.ResponseRecorder) string {
	_, main, _ := strings.Cut(rec.Body.String(), "<main")
	main, _, _ = strings.Cut(main, "</main>")
	return main
}

// wholeOnly asks a route as everybody who may not, then as the technician.
func (w *world) wholeOnly(t *testing.T, m web.Mounted, right login.Right, target string, code int) (asked int) {
	t.Helper()
	if m.Access != web.NeedsUnion(right) {
		t.Errorf("%s needs %s", m.Pattern, m.Access)
	}
	method, _, _ := strings.Cut(m.Pattern, " ")
	for who, p := range parts {
		asked++
		rec := w.as(who, method, target)
		if rec.Code != 403 {
			t.Errorf("%s as %s: %d", m.Pattern, who, rec.Code)
		}
		for _, h := range p.hidden(w.net) {
			if strings.Contains(strings.ReplaceAll(rec.Body.String(), target, ""), h) {
				t.Errorf("%s tells %s of %q", m.Pattern, who, h)
			}
		}
	}
	if rec := w.as("lettrice", method, target); rec.Code != 403 {
		t.Errorf("%s as one who only reads: %d", m.Pattern, rec.Code)
	}
	want := 401
	if method == "GET" && !strings.HasPrefix(target, "/api/") {
		want = 303
	}
	if rec := w.as("estranea", method, target); rec.Code != want {
		t.Errorf("%s as a stranger: %d", m.Pattern, rec.Code)
	}
	if rec := w.as("tecnica", method, target); rec.Code != code {
		t.Errorf("%s as the technician: %d %s", m.Pattern, rec.Code, rec.Body)
	}
	return asked + 3
}

// TestListsAreWhole holds the lists of the API against the parts by name:
// nothing is missing either.
func TestListsAreWhole(t *testing.T) {
	w := newWorld(t, shared)
	for who, p := range parts {
		for key, want := range map[string][]string{"links": p.links, "devices": p.devices, "sites": p.sites, "alerts": p.alerts} {
			var body map[string]json.RawMessage
			var got []map[string]any
			rec := w.as(who, "GET", map[string]string{"alerts": "/api/v1/alerts?open=false"}[key]+map[string]string{"links": "/api/v1/links", "devices": "/api/v1/devices", "sites": "/api/v1/sites"}[key])
			if err := errors.Join(json.Unmarshal(rec.Body.Bytes(), &body), json.Unmarshal(body[key], &got)); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, v := range got {
				ids = append(ids, v["id"].(string))
				for _, of := range []string{"links", "devices"} { // of a device, of a site
					for _, id := range asList(v[of]) {
						if !slices.Contains(p.links, id) && !slices.Contains(p.devices, id) {
							t.Errorf("%s: %s of %s names %s", who, of, v["id"], id)
						}
					}
				}
				for _, id := range asList(v["partners"]) {
					if !slices.Contains(p.partners, id) {
						t.Errorf("%s reads the partner %s", who, id)
					}
				}
			}
			slices.Sort(ids)
			want = slices.Sorted(slices.Values(want))
			if !slices.Equal(ids, want) {
				t.Errorf("%s of %s:\ngot  %v\nwant %v", key, who, ids, want)
			}
		}
	}
	all := w.get("/api/v1/links/lequio-berria-mombarcaro").Body.String()
	if !strings.Contains(all, `"partners":["wisp-uno","wisp-due"]`) {
		t.Errorf("the union reads all partners: %s", all)
	}
}

func asList(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
