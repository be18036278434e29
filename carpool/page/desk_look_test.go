package page_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// run starts the shell of an office.
func (o *office) run(t *testing.T) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.shell.Run(ctx) }()
	<-o.shell.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return o.shell.URL()
}

// staffShot is a file for a picture, "" where none are wanted.
func staffShot(name string) string {
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		return filepath.Join(dir, name+".png")
	}
	return ""
}

// staffLook holds pages against the rules at every width, and leaves pictures where
// CRINALE_SCREENSHOTS says.
func staffLook(b *browsertest.Browser, url string, paths ...string) {
	for _, path := range paths {
		b.Check(url + path)
		if os.Getenv("CRINALE_SCREENSHOTS") == "" {
			continue
		}
		for _, width := range browsertest.Widths {
			name := strings.Trim(regexp.MustCompile(`[^a-z]+`).ReplaceAllString(strings.TrimPrefix(path, "/passaggi"), "-"), "-")
			b.Screenshot(url+path, width, staffShot(fmt.Sprintf("%s-%d", name, width)))
		}
	}
}

// An operator books, asks, answers a call and looks after a strike day by keys
// alone.
func TestDeskInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	o := newOffice(t)
	url := o.run(t)
	const desk = `form[action="/passaggi/sportello"]`
	for i, width := range browsertest.Widths {
		booked := b.Keyboard(url+"/passaggi/sportello", browsertest.Way{Width: width, NoScript: i == 0, Dark: i == 1, File: staffShot(fmt.Sprintf("sportello-esito-%d", width))},
			browsertest.Step{To: "#chi", Keys: "residente dodici"}, browsertest.Step{To: "#da", Keys: "Bergolo, piazza"}, browsertest.Step{To: "#a", Keys: "ospedale"},
			browsertest.Step{To: "#quando", Keys: "domani 9:30"}, browsertest.Step{To: "#ritorno", Keys: "quando"}, browsertest.Step{To: "#deambulatore", Keys: " "},
			browsertest.Step{To: desk + ` .actions:last-child button`, Keys: browsertest.Enter})
		if !strings.Contains(booked.URL, "/richiesta/q-") || !strings.Contains(booked.Text, "Stiamo cercando un passaggio") {
			t.Fatalf("booked by keys: %s %s", booked.URL, booked.Text)
		}
	}
	wrong := b.Keyboard(url+"/passaggi/sportello", browsertest.Way{NoScript: true, File: staffShot("sportello-sbagliato-360")},
		browsertest.Step{To: "#chi", Keys: "Residente Nuovo"}, browsertest.Step{To: "#da", Keys: "Atlantide"}, browsertest.Step{To: "#a", Keys: "cortemilia"}, browsertest.Step{To: "#quando", Keys: "presto"},
		browsertest.Step{To: desk + ` .actions:last-child button`, Keys: browsertest.Enter})
	if !strings.Contains(wrong.Text, "Non conosciamo questo luogo") || !strings.Contains(wrong.Text, "Consenso della persona") {
		t.Errorf("what is wrong: %s", wrong.Text)
	}
	taken := b.Keyboard(url+"/passaggi/sportello/chiamate", browsertest.Way{NoScript: true, File: staffShot("telefonate-360")}, browsertest.Step{To: `form[action$="/t-anna/prendi"] button`, Keys: browsertest.Enter})
	if !strings.Contains(taken.Text, "Agite per") {
		t.Errorf("taken: %s", taken.Text)
	}
	staffLook(b, url, "/passaggi/sportello/chiamate")
	heard := b.Keyboard(url+"/passaggi/sportello/chiamate", browsertest.Way{Width: 768}, browsertest.Step{To: `form[action$="/t-anna/esito"] button[value="sentito"]`, Keys: browsertest.Enter})
	if !strings.Contains(heard.Text, "la persona lo sa") {
		t.Errorf("heard: %s", heard.Text)
	}
	many := b.Keyboard(url+"/passaggi/sportello/giornata", browsertest.Way{File: staffShot("giornata-360")}, browsertest.Step{To: "#perche", Keys: "sciopero"},
		browsertest.Step{To: "#tabella", Keys: "Alunna Quattro;Genitore Quattro;Bergolo, piazza;scuola;8:00;13:30;voce;1;"}, browsertest.Step{To: `form[action="/passaggi/sportello/giornata"] button`, Keys: browsertest.Enter})
	if !strings.Contains(many.Text, "Righe fatte: 1") {
		t.Errorf("special day: %s", many.Text)
	}
	weekly := b.Keyboard(url+"/passaggi/sportello", browsertest.Way{NoScript: true, File: staffShot("sportello-ogni-settimana-360")},
		browsertest.Step{To: "#chi", Keys: "residente dodici"}, browsertest.Step{To: "#da", Keys: "Bergolo, piazza"}, browsertest.Step{To: "#a", Keys: "ospedale"},
		browsertest.Step{To: "#quando", Keys: "ogni mar e gio 9:30 fino al 3/12"}, browsertest.Step{To: desk + ` .actions:last-child button`, Keys: browsertest.Enter})
	if !strings.Contains(weekly.Text, "Si ripete: altri giorni (3)") {
		t.Errorf("booked each week by keys: %s %s", weekly.URL, weekly.Text)
	}
	staffLook(b, url, "/passaggi/sportello", "/passaggi/sportello/persona/m-anna", "/passaggi/sportello/persona/m-senza", "/passaggi/sportello/foglio?giorno=2026-11-23", "/passaggi/sportello/biglietto/b-anna", "/passaggi/sportello/giornata")
	b.Check(url+"/passaggi/sportello?lang=en", 360)
}

// An officer looks at papers and decides by keys alone.
func TestPoliceInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	o := newOffice(t)
	url := o.run(t)
	const check = "/passaggi/polizia/controllo/k-bergolo?immagine=i-1"
	staffLook(b, url, "/passaggi/polizia", check)
	decided := b.Keyboard(url+check, browsertest.Way{NoScript: true}, browsertest.Step{To: `button[name="esito"][value="si"]`, Keys: browsertest.Enter})
	if !strings.Contains(decided.Text, "La decisione è scritta") || o.checks[0].State != carpool.CheckPassed {
		t.Errorf("decided: %s %s %s", decided.URL, o.checks[0].State, decided.Text)
	}
}

// The management and the comuni have a table for everything.
func TestManagementInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	o := newOffice(t)
	url := o.run(t)
	staffLook(b, url, "/passaggi/gestione", "/passaggi/gestione/segnalazioni", "/passaggi/gestione/sospensioni", "/passaggi/gestione/elenco", "/passaggi/gestione/messaggi", "/passaggi/gestione/chiavi",
		"/passaggi/punti", "/passaggi/punti/bergolo-piazza", "/passaggi/punti/nuovo")
	b.Check(url+"/passaggi/gestione?lang=en", 1280)
}
