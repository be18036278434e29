package main

import (
	"net/http"
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
