package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoEdges: both edges of the demo let their employee in by the code of
// demo.json, who reads on when the link is cut.
func TestDemoEdges(t *testing.T) {
	f := startDemo(t)
	if f.Edge == nil || len(f.Edges) != 2 || *f.Edge != f.Edges[0].Reader {
		t.Fatalf("edges: %v, %+v", f.Edge, f.Edges)
	}
	for _, e := range f.Edges {
		addr := strings.TrimPrefix(e.Reader, "http://")
		d := newDesk(t, addr)
		page := func(url string) (int, string) { return d.read(d.c.Get(url)) }
		awaitArchive(t, e.Data)
		res, err := d.c.PostForm(e.Reader+"/primo-accesso", map[string][]string{"codice": {e.Code}, "pin": {"739164"}, "ancora": {"739164"}})
		d.wants(200, e.Person)(d.read(res, err))
		d.wants(200, "Albo di prova")(page(e.Service + "/albo/1"))
		d.wants(200, "Albo di prova")(page(e.Service + "/albo/2"))
		heardOrders(t, e)
		edgeVerb(t, 0, "tell", "down", "--data", e.Data)
		d.wants(200, "piano neve.txt")(page(e.Reader + "/cerca?q=neve"))
		d.wants(200, "Il collegamento è interrotto")(page(e.Status))
		until(t, "the saved copy to say its age", func() bool {
			code, text := page(e.Service + "/albo/1")
			return code == 200 && strings.Contains(text, "Copia salvata")
		})
		r, err := http.NewRequest("PUT", e.Service+"/segnalazioni/0e2e4d0a-3c2e-4a52-9f38-1f2d5a1c7b11", strings.NewReader("buca"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", "*")
		d.wants(202, strings.ToUpper(e.Name)+"-2")(d.read(d.c.Do(r)))
	}
}

// heardOrders: what the controller of the demo knows of the way, and an order given
// there, arrive at an edge.
func heardOrders(t *testing.T, e demoEdge) {
	t.Helper()
	standing := func() (s edgeStanding) {
		if err := json.Unmarshal([]byte(edgeVerb(t, 0, "status", "--data", e.Data, "--json")), &s); err != nil || s.Controller == nil {
			t.Fatalf("%v, %+v", err, s)
		}
		return s
	}
	until(t, "the way of "+e.Name, func() bool {
		c := standing().Controller
		return c.Connected && c.Obeyed && c.State != nil && *c.State == "up"
	})
	until(t, "the page to be saved", func() bool { return standing().Store.Objects == 2 })
	before := standing()
	server := filepath.Dir(filepath.Dir(e.Data))
	edgeVerb(t, 0, "order", "purge", "--url", e.Service+"/albo/2", "--edge", e.Name, "--data", server)
	until(t, "the order to "+e.Name, func() bool {
		s := standing()
		return s.Controller.Order == before.Controller.Order+1 && s.Store.Objects == before.Store.Objects-1
	})
	if list := edgeVerb(t, 0, "enrol", "list", "--data", server); !strings.Contains(list, e.Name+" ") {
		t.Errorf("%s", list)
	}
}
