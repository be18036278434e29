package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/zone"
)

// desk is a browser of an employee; every name leads to the edge.
type desk struct {
	t testing.TB
	c *http.Client
}

const readerHost = "documenti.bergolo.example"

func newDesk(t testing.TB, addr string) *desk {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &desk{t, &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute}}
}

// get reads a page of the reader, after where it leads.
func (d *desk) get(path string) (int, string) {
	d.t.Helper()
	return d.read(d.c.Get("http://" + readerHost + path))
}

func (d *desk) post(path string, pairs ...string) (int, string) {
	d.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return d.read(d.c.PostForm("http://"+readerHost+path, form))
}

func (d *desk) read(res *http.Response, err error) (int, string) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (d *desk) wants(code int, page string) func(int, string) {
	return func(got int, body string) {
		d.t.Helper()
		if got != code || !strings.Contains(body, page) {
			d.t.Errorf("%d, want %d with %q in:\n%s", got, code, page, body)
		}
	}
}

// newReaderHall is an edge with an archive of two groups.
func newReaderHall(t testing.TB) (h *edgeHall, shelf string) {
	t.Helper()
	shelf = t.TempDir()
	for name, text := range map[string]string{
		"delibere/2026/giunta 17.txt": "La giunta approva il piano del teleriscaldamento.",
		"delibere/avviso.html":        "<script>alert(1)</script><p>Avviso di teleriscaldamento</p>",
		"ragioneria/bilancio.txt":     "Bilancio del teleriscaldamento, riservato.",
	} {
		if err := os.MkdirAll(filepath.Join(shelf, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(shelf, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h = newEdgeHall(t, `    writes:
      - {name: pratiche, methods: [PUT], path: "/pratiche/{id}", class: create, anonymous: true}
      - {name: determine, methods: [PUT], path: "/determine/{id}", class: create, groups: [ragioneria]}
title: Comune di Bergolo
reader:
  host: `+readerHost+`
  register: [protocollo]
  writes: [segreteria]
  author_domain: bergolo.example
  archives:
    - name: archivio
      title: Archivio
      from: `+shelf+`
      readers: [{groups: [tutti]}, {under: ragioneria, groups: [ragioneria]}]
`)
	return h, shelf
}

// awaitArchive waits for the first copy of the archive.
func awaitArchive(t testing.TB, data string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if files, _ := filepath.Glob(filepath.Join(data, "archives", "archivio", "manifests", "*.json")); len(files) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the archive is not copied")
		}
	}
}

// edgeVerb runs a verb of edge.
func edgeVerb(t testing.TB, code int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(append([]string{"crinale", "edge"}, args...), &out, &errs); got != code {
		t.Fatalf("edge %v: %d, want %d: %s", args, got, code, errs.String())
	}
	return out.String() + errs.String()
}

// invite gives the id and the code of somebody new.
func (h *edgeHall) invite(t testing.TB, name, groups string) (id, code string) {
	t.Helper()
	var i invitation
	if err := json.Unmarshal([]byte(edgeVerb(t, 0, "people", "invite", "--data", h.data(), "--name", name, "--groups", groups, "--json")), &i); err != nil {
		t.Fatal(err)
	}
	return i.Person.ID, i.Code
}

// enters is the browser of somebody who was invited and is in, by the PIN 739164.
func (h *edgeHall) enters(t testing.TB, name, groups string) (*desk, string) {
	t.Helper()
	id, code := h.invite(t, name, groups)
	d := newDesk(t, h.addr)
	d.wants(200, "Esci")(d.post("/primo-accesso", "codice", code, "pin", "739164", "ancora", "739164"))
	return d, id
}

func TestEdgeReader(t *testing.T) {
	h, _ := newReaderHall(t)
	p := h.run(t)
	awaitArchive(t, h.data())
	anna, id := h.enters(t, "Anna Rossi", "tutti,protocollo")
	bruno, _ := h.enters(t, "Bruno Bianchi", "tutti,ragioneria")

	// The link goes; the edge is killed and starts again. PINs open the documents.
	h.down.Store(true)
	p.end(t, os.Kill)
	h.run(t)
	edgeVerb(t, 0, "tell", "down", "--data", h.data())
	stranger := newDesk(t, h.addr)
	stranger.wants(200, "la prima volta")(stranger.get("/"))
	for _, path := range []string{"/cerca?q=giunta", "/documento?a=archivio&p=delibere/avviso.html", "/apri?a=archivio&p=delibere/avviso.html", "/registro", "/invii"} {
		if _, body := stranger.get(path); strings.Contains(body, "teleriscaldamento") || !strings.Contains(body, "la prima volta") {
			t.Errorf("%s for a stranger: %s", path, body)
		}
	}
	anna.wants(200, "Bentornato, <strong>Anna Rossi</strong>")(anna.get("/"))
	anna.wants(403, "Il PIN non è giusto")(anna.post("/accesso", "chi", id, "pin", "000111"))
	anna.wants(200, "Il collegamento è interrotto")(anna.post("/accesso", "chi", id, "pin", "739164"))
	_, page := bruno.get("/")
	bruno.wants(200, "Esci")(bruno.post("/accesso", "chi", regexp.MustCompile(`name="chi" value="(\w+)"`).FindStringSubmatch(page)[1], "pin", "739164"))

	_, found := anna.get("/cerca?q=teleriscald")
	if !strings.Contains(found, "giunta 17.txt") || !strings.Contains(found, "avviso.html") || strings.Contains(found, "bilancio") {
		t.Errorf("Anna finds:\n%s", found)
	}
	if _, found := bruno.get("/cerca?q=teleriscald"); !strings.Contains(found, "bilancio.txt") {
		t.Errorf("Bruno finds:\n%s", found)
	}
	if _, home := anna.get("/"); strings.Contains(home, "ragioneria") || !strings.Contains(home, "copia oggi alle") && !strings.Contains(home, "copia il") {
		t.Errorf("Anna's first page:\n%s", home)
	}
	anna.wants(200, "giunta 17.txt")(anna.get("/cartella?a=archivio&p=delibere/2026"))
	anna.wants(200, "Apri o stampa")(anna.get("/documento?a=archivio&p=delibere/2026/giunta+17.txt"))
	anna.wants(200, "La giunta approva")(anna.get("/apri?a=archivio&p=delibere/2026/giunta+17.txt"))
	for _, path := range []string{"/cartella?a=archivio&p=ragioneria", "/documento?a=archivio&p=ragioneria/bilancio.txt", "/apri?a=archivio&p=ragioneria/bilancio.txt", "/apri?a=archivio&p=none", "/apri?a=other&p=none", "/cartella?a=archivio&p=none"} {
		anna.wants(404, "Non c’è, o non è tra i documenti che può leggere")(anna.get(path))
	}
	res, err := anna.c.Get("http://" + readerHost + "/apri?a=archivio&p=delibere/avviso.html")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page out of the archive: %v", res.Header)
	}

	// The emergency register, through its steps.
	bruno.wants(403, "non è tra le cose che può fare")(bruno.get("/registro"))
	now := time.Now().In(zone.Rome()) // as the pages read the clock
	anna.wants(200, "Registrare un documento")(anna.post("/registro", "causa", "linea radio interrotta", "dalle", now.Add(-2*time.Hour).Format("2006-01-02T15:04")))
	anna.wants(200, "Registro BERGOLO-")(anna.get("/registro/" + registerOf(t, anna)))
	reg := "/registro/" + registerOf(t, anna)
	anna.wants(400, "Manca qualcosa")(anna.post(reg+"/riga", "verso", "arrivo", "oggetto", "x"))
	anna.wants(200, "RE-BERGOLO-0001")(anna.post(reg+"/riga", "verso", "arrivo", "corrispondente", "Carlo Verdi", "oggetto", "Richiesta <b>urgente</b>"))
	anna.wants(200, "RE-BERGOLO-0002")(anna.post(reg+"/riga", "verso", "uscita", "corrispondente", "Prefettura", "oggetto", "Risposta"))
	anna.wants(409, "Non si può fare ora")(anna.post(reg + "/chiudi"))
	until := now.AddDate(0, 0, 3)
	anna.wants(200, "decreto 5, fino al "+until.Format("02/01/2006 alle 15:04"))(anna.post(reg+"/autorizza", "atto", "decreto 5", "fino", until.Format("2006-01-02T15:04")))
	anna.wants(400, "una data non è possibile")(anna.post(reg+"/autorizza", "atto", "decreto 6", "fino", now.AddDate(0, 1, 0).Format("2006-01-02T15:04")))
	anna.wants(200, "Annullata: doppia")(anna.post(reg+"/annulla", "riga", "2", "motivo", "doppia"))
	anna.wants(200, "Ne mancano 2")(anna.post(reg+"/ripristino", "alle", time.Now().In(zone.Rome()).Format("2006-01-02T15:04")))
	for i, n := range []string{"1201", "1202"} {
		anna.wants(200, n)(anna.post(reg+"/protocollo", "riga", []string{"1", "2"}[i], "numero", n, "data", now.Format("2006-01-02")))
	}
	anna.wants(200, "chiuso")(anna.post(reg + "/chiudi"))
	if _, print := anna.get(reg + "/stampa"); !strings.Contains(print, "1201") || strings.Contains(print, "<b>urgente") {
		t.Errorf("printed: %s", print)
	}

	// Who is removed is out at once.
	edgeVerb(t, 0, "people", "remove", "--data", h.data(), id)
	anna.wants(200, "la prima volta")(anna.get("/apri?a=archivio&p=delibere/2026/giunta+17.txt"))
	if out := edgeVerb(t, 0, "people", "list", "--data", h.data()); strings.Contains(out, "Anna") || !strings.Contains(out, "Bruno Bianchi") {
		t.Errorf("%s", out)
	}
}

func registerOf(t testing.TB, d *desk) string {
	t.Helper()
	_, page := d.get("/registro")
	m := regexp.MustCompile(`href="/registro/([A-Z0-9-]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no register in:\n%s", page)
	}
	return m[1]
}

// TestEdgeWritesPage: what waits is seen by its decider alone, and taken back.
func TestEdgeWritesPage(t *testing.T) {
	h, _ := newReaderHall(t)
	h.run(t)
	h.down.Store(true)
	edgeVerb(t, 0, "tell", "down", "--data", h.data())
	r, err := http.NewRequest("PUT", "http://"+h.addr+"/pratiche/0e2e4d0a-3c2e-4a52-9f38-1f2d5a1c7b11", strings.NewReader("una pratica"))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = edgeHost
	r.Header.Set("If-None-Match", "*")
	res, err := edgeClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	number := res.Header.Get("Crinale-Receipt")
	if res.StatusCode != 202 || number == "" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	carla, _ := h.enters(t, "Carla Neri", "segreteria")
	dario, _ := h.enters(t, "Dario Gallo", "tutti")
	carla.wants(200, number)(carla.get("/invii"))
	if _, body := dario.get("/invii"); strings.Contains(body, number) {
		t.Errorf("another's write: %s", body)
	}
	for _, path := range []string{"/invii/" + number, "/invii/" + number + "/nostra", "/invii/BERGOLO-2026-9999"} {
		dario.wants(404, "Non c’è")(dario.get(path))
	}
	dario.wants(404, "Non c’è")(dario.post("/invii/" + number + "/annulla"))
	carla.wants(200, "una pratica")(carla.get("/invii/" + number + "/nostra"))
	carla.wants(409, "guardi come sta ora")(carla.post("/invii/"+number+"/scegli", "tieni", "nostra"))
	carla.wants(200, edge.StateCancelled.Words().It)(carla.post("/invii/" + number + "/annulla"))
}

// TestEdgeAuthor: what an employee sends while the link is down carries their
// name here alone, is sent when the link is back, and not if their right has
// ended meanwhile.
func TestEdgeAuthor(t *testing.T) {
	var mu sync.Mutex
	var got []string
	var cookies []string
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		cookies = append(cookies, r.Header.Get("Cookie"))
		if r.Method == http.MethodPut {
			got = append(got, string(body))
			w.WriteHeader(http.StatusCreated)
		}
	}))
	defer origin.Close()
	h, _ := newReaderHall(t)
	text, err := os.ReadFile(h.yaml)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.yaml, regexp.MustCompile(`origin: http\S+`).ReplaceAll(text, []byte("origin: "+origin.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(t)
	anna, id := h.enters(t, "Anna Rossi", "tutti,ragioneria")
	bruno, _ := h.enters(t, "Bruno Bianchi", "tutti")
	carla, gone := h.enters(t, "Carla Neri", "ragioneria")
	if res, err := anna.c.Get("http://" + edgeHost + "/"); err != nil {
		t.Fatal(err)
	} else {
		res.Body.Close()
	}
	edgeVerb(t, 0, "tell", "down", "--data", h.data())
	put := func(d *desk, n int, text string) (int, string) {
		t.Helper()
		r, err := http.NewRequest("PUT", fmt.Sprintf("http://%s/determine/0e2e4d0a-3c2e-4a52-9f38-1f2d5a1c7b%02d", edgeHost, n), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", "*")
		r.Header.Set("Accept", "text/html")
		return d.read(d.c.Do(r))
	}
	anna.wants(202, "Numero di ricevuta")(put(anna, 1, "di Anna"))
	bruno.wants(503, "spetta a un altro ufficio")(put(bruno, 2, "di Bruno"))
	carla.wants(202, "Numero di ricevuta")(put(carla, 3, "di Carla"))
	stranger := newDesk(t, h.addr)
	stranger.wants(503, "con il proprio PIN")(put(stranger, 4, "di nessuno"))
	anna.wants(200, "determine")(anna.get("/invii"))
	if _, body := bruno.get("/invii"); strings.Contains(body, "determine") {
		t.Errorf("Bruno sees %s", body)
	}
	edgeVerb(t, 0, "people", "groups", "--data", h.data(), "--groups", "tutti", gone)
	edgeVerb(t, 0, "tell", "up", "--data", h.data())
	until(t, "the write of Anna to be sent", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) > 0
	})
	until(t, "the write of Carla to be stopped", func() bool {
		return strings.Contains(edgeVerb(t, 0, "queue", "list", "--data", h.data()), string(edge.StateStopped))
	})
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || got[0] != "di Anna" {
		t.Errorf("the origin got %q", got)
	}
	for _, c := range cookies {
		if c != "" {
			t.Errorf("the origin saw the cookie %q", c)
		}
	}
	if id == gone {
		t.Error("two people of one id")
	}
}

// TestEdgeGoesOnWithoutItsReader: a damaged list of people lets nobody in, an
// archive that is not there leaves what was copied, and the services go on.
func TestEdgeGoesOnWithoutItsReader(t *testing.T) {
	h, shelf := newReaderHall(t)
	p := h.run(t)
	awaitArchive(t, h.data())
	anna, id := h.enters(t, "Anna Rossi", "tutti")
	p.end(t, os.Interrupt)
	if err := os.Rename(shelf, shelf+"-away"); err != nil {
		t.Fatal(err)
	}
	p = h.run(t)
	anna.wants(200, "Ultima copia")(anna.post("/accesso", "chi", id, "pin", "739164"))
	anna.wants(200, "giunta 17.txt")(anna.get("/cerca?q=giunta"))
	p.end(t, os.Interrupt)
	if err := os.WriteFile(filepath.Join(h.data(), "people.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(t)
	anna.wants(503, "ora non si possono aprire")(anna.get("/cerca?q=giunta"))
	if res, body, err := h.get("/1/1000"); err != nil || res.StatusCode != 200 || len(body) != 1000 {
		t.Errorf("a service: %v", err)
	}
	if out := edgeVerb(t, 1, "people", "list", "--data", h.data()); !strings.Contains(out, "reader") {
		t.Errorf("%s", out)
	}
}
