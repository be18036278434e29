package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/web/browsertest"
)

// TestEdgePagesInABrowser: employees' pages in Chromium, by keyboard, at three
// widths and without JavaScript. With -update it writes the pictures of docs/.
func TestEdgePagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: -short")
	}
	b := browsertest.Open(t)
	h, _ := newReaderHall(t)
	text, err := os.ReadFile(h.yaml)
	if err != nil {
		t.Fatal(err)
	}
	own := strings.NewReplacer("host: "+readerHost, "host: "+h.addr, "  author_domain: bergolo.example\n", "").Replace(string(text))
	if err := os.WriteFile(h.yaml, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(t)
	_, code := h.invite(t, "Anna Rossi", "tutti,protocollo,segreteria")
	awaitArchive(t, h.data())
	at := "http://" + h.addr
	look := func(path, name string) {
		t.Helper()
		b.Check(at + path)
		if *update {
			for _, w := range browsertest.Widths {
				b.Screenshot(at+path, w, filepath.Join("../../docs/pictures", picture("nodo-"+name, w)))
			}
		}
	}
	look("/", "accesso")
	in := b.Keyboard(at+"/", browsertest.Way{}, browsertest.Step{To: "#codice", Keys: strings.ToLower(code)}, browsertest.Step{To: "#nuovo", Keys: "739164"}, browsertest.Step{To: "#ancora", Keys: "739164" + browsertest.Enter})
	if in.URL != at+"/" || !strings.Contains(in.Text, "Ultima copia") {
		t.Fatalf("landed on %s:\n%s", in.URL, in.Text)
	}
	h.down.Store(true)
	edgeVerb(t, 0, "tell", "down", "--data", h.data())
	found := b.Keyboard(at+"/", browsertest.Way{NoScript: true}, browsertest.Step{To: "#q", Keys: "teleriscald" + browsertest.Enter})
	if !strings.Contains(found.Text, "giunta 17.txt") {
		t.Errorf("found: %s", found.Text)
	}
	opened := b.Keyboard(at+"/registro", browsertest.Way{NoScript: true}, browsertest.Step{To: "#causa", Keys: "linea radio interrotta" + browsertest.Enter})
	if !strings.Contains(opened.Text, "Registrare un documento") {
		t.Fatalf("opened: %s", opened.Text)
	}
	reg := strings.TrimPrefix(opened.URL, at)
	b.Keyboard(opened.URL, browsertest.Way{}, browsertest.Step{To: "#corrispondente", Keys: "Carlo Verdi"}, browsertest.Step{To: "#oggetto", Keys: "Richiesta di contributo per il tetto della scuola" + browsertest.Enter})
	for _, p := range []struct{ path, name string }{
		{"/", "documenti"},
		{"/cerca?q=teleriscald", "ricerca"},
		{"/cartella?a=archivio&p=delibere", "cartella"},
		{"/documento?a=archivio&p=delibere/2026/giunta+17.txt", "documento"},
		{"/registro", "registri"},
		{reg, "registro"},
		{reg + "/stampa", "registro-stampa"},
		{"/invii", "invii"},
	} {
		look(p.path, p.name)
	}
}
