package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	lifecycle "github.com/crinale/crinale/internal/run"
)

// demoEdge is an edge of the demo as demo.json tells of it.
type demoEdge struct {
	Name    string `json:"name"`
	Comune  string `json:"comune"`
	Reader  string `json:"reader"`  // where employees read documents
	Service string `json:"service"` // the invented document service, by way of the edge
	Status  string `json:"status"`
	Data    string `json:"data"` // for the verbs of edge
	Person  string `json:"person"`
	Code    string `json:"code"` // lets that person in once
}

// demoHall is a town hall of the demo.
type demoHall struct {
	name, istat, title string
	device             network.DeviceID // behind which its edge stands
}

var demoHalls = []demoHall{
	{"bergolo", "004021", "Comune di Bergolo (prova)", "bric-cortemilia-to-cortemilia"},
	{"cortemilia", "004073", "Comune di Cortemilia (prova)", "cortemilia-gateway"},
}

// demoEdges are the edges of the demo, and the service before which they stand.
type demoEdges struct {
	of      *server // their controller
	cloud   *demoCloud
	l       net.Listener // of the service
	servers []*edgeServer
	edges   []demoEdge
}

// newDemoEdges makes two edges of a server, the first at addr.
func newDemoEdges(ctx context.Context, of *server, addr string, old []demoEdge, log *slog.Logger) (*demoEdges, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &demoEdges{of: of, cloud: &demoCloud{forms: map[string]string{}}, l: l}
	for i, h := range demoHalls {
		at := "127.0.0.1:0"
		if i == 0 {
			at = addr
		}
		if i < len(old) {
			reuse(&at, strings.TrimPrefix(old[i].Reader, "http://"))
		}
		if err := d.add(ctx, at, h, log); err != nil {
			return nil, fmt.Errorf("demo edge %s: %w", h.name, err)
		}
	}
	return d, nil
}

func (d *demoEdges) add(ctx context.Context, at string, h demoHall, log *slog.Logger) error {
	data := d.of.cfg.Data
	l, err := net.Listen("tcp", at)
	if err != nil {
		return fault.New(fault.Refused, "listen at %s: %w", at, err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	e := demoEdge{Name: h.name, Comune: h.istat, Data: filepath.Join(data, "edges", h.name), Reader: "http://" + l.Addr().String(),
		Service: "http://servizi." + h.name + ".localhost:" + port, Status: "http://stato." + h.name + ".localhost:" + port}
	shelf := filepath.Join(data, "edges", "documents", h.name)
	if err := demoDocuments(shelf, h.title); err != nil {
		return err
	}
	text := fmt.Sprintf(demoPolicy, h.name, h.istat, h.title, strings.TrimPrefix(e.Status, "http://"), strings.TrimPrefix(e.Service, "http://"), d.l.Addr(),
		l.Addr(), shelf)
	heard, err := demoChannel(ctx, d.of, h, e.Data)
	if err != nil {
		return err
	}
	text += heard
	file := filepath.Join(e.Data, "edge.yaml")
	if err := writeFile(file, ownerOnly, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		return err
	}
	p, err := edge.ParsePolicy(file, []byte(text))
	if err != nil {
		return err
	}
	s, err := newEdgeServer(p, e.Data, l.Addr().String(), "", log.With("edge", h.name))
	if err != nil {
		return err
	}
	s.listener, s.brokerAt = l, d.of.mqttURL
	d.servers, d.edges = append(d.servers, s), append(d.edges, e)
	return nil
}

const demoPolicy = `# Written by crinale demo at each start.
name: %s
comune: %q
title: %s
status_host: %s
store: {most_gb: 1, min_free_gb: 0}
probe: {every_s: 60} # so that a word of the trial holds
services:
  - host: %s
    origin: http://%s
    agreed: the demo, which invents this service
    offline: {rule: until, days: 7}
    writes:
      - {name: segnalazioni, methods: [PUT], path: "/segnalazioni/{id}", class: create, anonymous: true}
reader:
  host: %s
  register: [protocollo]
  writes: [segreteria]
  archives:
    - name: archivio
      title: Archivio (documenti di prova)
      from: %q
      every_min: 1
      readers: [{groups: [tutti]}, {under: protocollo, groups: [protocollo]}]
`

// stages run the service and the edges.
func (d *demoEdges) stages() []lifecycle.Stage {
	srv := &http.Server{Handler: d.cloud, ReadHeaderTimeout: 10 * time.Second}
	up := make(chan struct{})
	close(up)
	out := []lifecycle.Stage{{Name: "demo service", Ready: up, Run: func(ctx context.Context) error {
		return serveUntil(ctx, srv, func() error { return srv.Serve(d.l) }, time.Second)
	}}}
	for i, s := range d.servers {
		ready := make(chan struct{})
		out = append(out, lifecycle.Stage{Name: "edge " + d.edges[i].Name, Ready: ready, Run: func(ctx context.Context) error {
			release, err := lockData(s.data)
			if err != nil {
				return err
			}
			defer release()
			return s.run(ctx, func() { close(ready) })
		}})
	}
	return out
}

// invite gives each edge an employee with a code; who is there gets a new code.
func (d *demoEdges) invite() error {
	for i, s := range d.servers {
		e := &d.edges[i]
		e.Person = "Impiegato di prova"
		for _, p := range s.people.People() {
			if p.Name == e.Person {
				code, err := s.people.Again(p.ID, "demo")
				if err != nil {
					return err
				}
				e.Code = code
			}
		}
		if e.Code != "" {
			continue
		}
		_, code, err := s.people.Invite(e.Person, []string{"tutti", "protocollo", "segreteria"}, "demo")
		if err != nil {
			return err
		}
		e.Code = code
	}
	return nil
}

// demoDocuments writes a small archive of invented documents, once.
func demoDocuments(shelf, title string) error {
	for i, subject := range []string{"manutenzione della strada comunale", "orario della biblioteca", "servizio di trasporto a chiamata", "piano neve", "contributo per la scuola", "gestione dei boschi"} {
		for folder, text := range map[string]string{
			"delibere":   "DELIBERA DI PROVA n. %d\n%s\n\nOggetto: %s.\n\nQuesto documento è inventato.\n",
			"protocollo": "PROTOCOLLO DI PROVA n. %d\n%s\n\nLettera in arrivo: %s.\n\nQuesto documento è inventato.\n",
		} {
			file := filepath.Join(shelf, folder, fmt.Sprintf("2026-%02d %s.txt", i+1, subject))
			if _, err := os.Stat(file); err == nil {
				continue
			}
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return err
			}
			if err := writeFile(file, ownerOnly, func(w io.Writer) error { _, err := fmt.Fprintf(w, text, i+1, title, subject); return err }); err != nil {
				return err
			}
		}
	}
	return nil
}

// demoCloud is the invented service of the demo: a notice board whose pages may be
// kept, and reports that are written once each.
type demoCloud struct {
	mu    sync.Mutex
	forms map[string]string
}

func (d *demoCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := w.Header()
	id, isReport := strings.CutPrefix(r.URL.Path, "/segnalazioni/")
	switch {
	case isReport && r.Method == http.MethodPut:
		_, there := d.forms[id]
		if there && r.Header.Get("If-None-Match") == "*" {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		if len(d.forms) < 1000 {
			d.forms[id] = string(body)
		}
		w.WriteHeader(http.StatusCreated)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case isReport && d.forms[id] != "":
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, d.forms[id])
	case r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/albo/"):
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "max-age=3")
		fmt.Fprintf(w, "<!doctype html><html lang=\"it\"><title>Albo di prova</title><main><h1>Albo di prova</h1><p>Pagina <code>%s</code>, inventata, delle %s.</p><p><a href=\"/albo/1\">Avviso 1</a> <a href=\"/albo/2\">Avviso 2</a></p></main></html>",
			html.EscapeString(r.URL.Path), time.Now().Format("15:04:05"))
	default:
		http.NotFound(w, r)
	}
}
