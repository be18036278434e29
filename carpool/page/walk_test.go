package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// stroll is somebody's way through the real portal with a keyboard and nothing
// else: no mouse, no JavaScript. Each page it comes to is held once more with
// scripts, at every width and against axe.
type stroll struct {
	t    *testing.T
	w    *world
	b    *browsertest.Browser
	held map[string]bool
	at   string // where it stands
}

// step is one key on, or some text in, what a selector names.
func step(to, keys string) browsertest.Step { return browsertest.Step{To: to, Keys: keys} }

// push presses the button of the form of an address.
func push(form string) browsertest.Step {
	return step(`form[action="`+form+`"] button[type="submit"]`, browsertest.Enter)
}

// follow goes after the link to an address.
func follow(href string) browsertest.Step { return step(`a[href="`+href+`"]`, browsertest.Enter) }

// on does steps on the page where it stands, and wants to read words on the one
// where it comes to. Under a name it is held, once; without one it was before.
// Pages that answer a form in place have no address of their own: their name
// begins with "=".
func (s *stroll) on(name string, steps []browsertest.Step, says ...string) string {
	s.t.Helper()
	page, inPlace := strings.CutPrefix(name, "=")
	way := browsertest.Way{NoScript: true, Wide: inPlace && !s.held[page]}
	if inPlace && slices.Contains(pictured, page) {
		way.File = photo(page + "-360")
	}
	landed := s.b.Keyboard(s.at, way, steps...)
	for _, words := range says {
		if !strings.Contains(plainText(landed.Text), words) {
			s.t.Errorf("%s (%s): no %q in: %s", name, landed.URL, words, landed.Text)
		}
	}
	if s.t.Failed() {
		s.t.FailNow()
	}
	s.at = landed.URL
	if inPlace {
		s.at = "" // it goes on from the page that stands
	} else if page != "" && !s.held[page] {
		s.b.Look(landed.URL)
		if photo("") != "" && slices.Contains(pictured, page) {
			for _, width := range browsertest.Widths {
				s.b.Screenshot(landed.URL, width, photo(fmt.Sprintf("%s-%d", page, width)))
			}
		}
	}
	s.held[page] = true
	return landed.Text
}

// to opens an address of the portal.
func (s *stroll) to(path string) { s.at = s.w.URL + path }

// enter signs in from the page of the sign-in.
func (s *stroll) enter(alias, after string, says ...string) {
	s.t.Helper()
	s.at = s.w.URL + "/entra?dopo=" + strings.ReplaceAll(after, "/", "%2F")
	name := strings.TrimPrefix(after, "/passaggi/")
	if strings.HasPrefix(after, "/passaggi/miei/") || s.held[name] {
		name = ""
	}
	s.on(name, []browsertest.Step{step("#nome", alias), step("#password", good), push("/entra")}, says...)
}

// leave signs out.
func (s *stroll) leave() {
	s.t.Helper()
	s.on("", []browsertest.Step{push("/esci")})
}

// join registers somebody who has come to the portal for the first time, up to
// their own rides.
func (s *stroll) join(first, last, phone, email string) {
	s.t.Helper()
	s.to("/passaggi")
	s.on("iscrizione", []browsertest.Step{follow("/passaggi/iscrizione")}, "Iscriversi ai passaggi", "Ho letto")
	s.on("=codice", []browsertest.Step{step("#nome", first), step("#cognome", last), step("#comune", "Bergolo"), step("#telefono", phone), step("#email", email),
		step("#password", good), step("#ripeti", good), step("#condizioni", " "), push("/passaggi/iscrizione")}, "un codice di sei cifre a "+email)
	s.on("miei", []browsertest.Step{step("#codice", s.w.codes.of(email)), push("/passaggi/iscrizione/conferma")}, "Siete iscritti.", "Nessun viaggio in programma.")
}

// plainText is a text on one line.
func plainText(s string) string { return strings.Join(strings.Fields(s), " ") }

// found is the first group of an expression in the page that stands at an
// address, as the browser has it.
func (s *stroll) found(expression string) string {
	s.t.Helper()
	m := regexp.MustCompile(expression).FindStringSubmatch(browsertest.Eval[string](s.b, s.at, `document.querySelector("main").innerHTML`))
	if m == nil {
		s.t.Fatalf("%s: no %s", s.at, expression)
	}
	return m[1]
}

// TestWalkInABrowser is a lift from the first visit to the arrival: a driver
// registers and sends papers, an officer looks at them, a lift goes every
// Wednesday, one neighbour asks for it on the portal and another by telephone,
// all ride, and each reads at each step what is the matter. With
// CRINALE_SCREENSHOTS=../../docs/pictures it draws the pictures of docs/ anew.
func TestWalkInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	w := staffed(t)
	s := &stroll{t: t, w: w, b: b, held: map[string]bool{}}
	w.employee("agente", login.Police, login.Union)
	w.employee("sportello", login.Desk, login.Union)
	began := time.Now()
	part := func(what string) { t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what) }

	part("the driver registers")
	s.join("Autista", "Tre", "333 1110003", "autista3@example.it")
	s.on("auto", []browsertest.Step{follow("/passaggi/auto")}, "Non avete ancora scritto un’auto.")
	s.on("", []browsertest.Step{step("#nome-auto", "Panda rossa"), step("#targa", "ab 123 cd"), step("#deambulatore", " "), push("/passaggi/auto")},
		"Auto salvata.", "Panda rossa · AB123CD", "documenti non ancora mandati")
	s.on("auto-documenti", []browsertest.Step{step("#patente", "2030-01-31"), step("#assicurazione", "2027-10-31"), step("#revisione", "2028-01-31"), step("#consenso", " "), push("/passaggi/auto/documenti")},
		"Documenti mandati alla Polizia Locale.", "la Polizia Locale li sta guardando", "giovedì 31/01/2030")
	s.leave()

	part("an officer looks at the papers")
	s.enter("agente", "/passaggi/polizia", "AB123CD", "Autista Tre", "prima volta")
	s.on("controllo", []browsertest.Step{step(`main table a`, browsertest.Enter)}, "Panda rossa", "Autista Tre")
	s.on("", []browsertest.Step{step(`button[name="esito"][value="si"]`, browsertest.Enter)}, "La decisione è scritta")
	s.leave()

	part("the driver offers a lift every Wednesday")
	s.enter("autista3@example.it", "/passaggi/auto", "in regola")
	s.on("offri", []browsertest.Step{follow("/passaggi/offri")}, "Offrire un passaggio")
	s.on("offerte", []browsertest.Step{step("#da", "Bergolo, m"), step("#a", "Cortemilia, m"), step("#ora", "07:10"), step("#volte-una", browsertest.Down), step("#giorni-WE", " "),
		step("#liberi", "2"), step("#nota", "Parto puntuale"), push("/passaggi/offri")}, "Offerta pubblicata.", "Bergolo, municipio → Cortemilia, municipio", "ogni mercoledì alle 07:10")
	s.leave()

	part("a neighbour registers, searches and asks")
	s.join("Residente", "Dodici", "333 1110012", "residente12@example.it")
	s.on("ricerca", []browsertest.Step{follow("/passaggi")}, "Cerca un passaggio")
	s.on("trovati", []browsertest.Step{step("#da", "Bergolo, m"), step("#a", "Cortemilia, m"), step("#giorno", "2026-11-25"), step("#ora", "08:00"), step(`form[action^="/passaggi"] .actions button`, browsertest.Enter)},
		"07:10 Bergolo, municipio", "Perché ve lo proponiamo")
	s.on("chiedi", []browsertest.Step{step(`#trovati ~ article a.button`, browsertest.Enter)}, "Chiedere un passaggio")
	s.on("=controlla", []browsertest.Step{step("#nota", "Ho una borsa grande"), push("/passaggi/chiedi")}, "È tutto giusto?", "Ho una borsa grande", "07:10")
	s.on("miei-chiesto", []browsertest.Step{step(`button[value="invia"]`, browsertest.Enter)}, "Abbiamo chiesto a chi guida", "In attesa di risposta")
	booking := s.found(`href="(/passaggi/miei/b-[a-z0-9]+)"`)
	s.leave()

	part("the driver says yes")
	s.enter("autista3@example.it", "/passaggi/miei", "Residente", "In attesa di risposta")
	s.on("viaggio", []browsertest.Step{follow(booking)}, "Sì, lo porto", "No, non posso", "Ho una borsa grande")
	s.on("viaggio-accettato", []browsertest.Step{step(`button[value="accept"]`, browsertest.Enter)}, "Avete detto sì.", "Residente Dodici", "+393331110012")
	s.leave()

	part("the desk books for somebody with a landline")
	s.enter("sportello", "/passaggi/sportello", "1. Chi")
	s.on("=sportello-nuova", []browsertest.Step{step("#chi", "Residente Quaranta"), step("#da", "Bergolo, municipio"), step("#a", "Cortemilia, municipio"), step("#quando", "mercoledì 8:00"), step("#deambulatore", " "),
		step(`form[action="/passaggi/sportello"] .actions:last-child button`, browsertest.Enter)}, "Non troviamo nessuno", "Consenso della persona")
	s.on("sportello-richiesta", []browsertest.Step{step("#nome", "Residente"), step("#cognome", "Quaranta"), step("#telefono", "0173 555666"), step("#comune", "Bergolo"), step(`input[name="consenso"]`, " "),
		step(`form[action="/passaggi/sportello"] .actions:last-child button`, browsertest.Enter)}, "Agite per Residente Quaranta", "Passaggi trovati", "Deambulatore")
	s.on("", []browsertest.Step{step(`form[action$="/chiedi"] button`, browsertest.Enter)}, "Abbiamo chiesto a chi guida")
	who := carpool.MemberID(strings.Split(strings.TrimPrefix(s.at, w.URL), "/")[4])
	request := s.at
	s.leave()
	requests, err := w.Bookings.Requests(t.Context(), who)
	must(t, err)
	if len(requests) != 1 || requests[0].Consent == "" || requests[0].By != "sportello" {
		t.Fatalf("the request of the desk and its consent: %+v", requests)
	}
	second := "/passaggi/miei/" + string(requests[0].Way.Booking)
	s.enter("autista3@example.it", second, "Sì, lo porto", "Deambulatore")
	s.on("viaggio-accettato", []browsertest.Step{step(`button[value="accept"]`, browsertest.Enter)}, "Avete detto sì.", "Residente Quaranta", "+390173555666")
	s.leave()
	w.calls(who)

	part("the desk calls, and prints the slip")
	s.enter("sportello", "/passaggi/sportello/chiamate", "Residente Quaranta", "Il passaggio è confermato: mercoledì 25 novembre")
	s.on("telefonate", []browsertest.Step{step(`form[action$="/prendi"] button`, browsertest.Enter)}, "Agite per Residente Quaranta", "+390173555666", "Autista Tre")
	s.on("", []browsertest.Step{step(`button[value="sentito"]`, browsertest.Enter)}, "la persona lo sa")
	s.at = request
	s.on("biglietto", []browsertest.Step{step(`main a[href*="/biglietto/"]`, browsertest.Enter)}, "Il mio passaggio", "Residente Quaranta", "Autista Tre", "AB123CD", "mercoledì 25 novembre", "112")
	s.to("/passaggi/sportello/foglio?giorno=2026-11-25")
	s.on("foglio", nil, "07:10 · Residente Quaranta", "guida Autista Tre", "AB123CD")
	s.leave()

	part("the day of the ride")
	w.at(time.Date(2026, 11, 25, 6, 9, 0, 0, time.UTC))
	s.enter("autista3@example.it", "/passaggi/miei", "Residente Dodici", "Residente Quaranta")
	for _, path := range []string{booking, second} {
		s.to(path)
		s.on("viaggio-a-bordo", []browsertest.Step{step(`button[value="board"]`, browsertest.Enter)}, "Buon viaggio.", "In viaggio")
	}
	w.at(time.Date(2026, 11, 25, 6, 50, 0, 0, time.UTC))
	for _, path := range []string{booking, second} {
		s.to(path)
		s.on("", []browsertest.Step{step(`button[value="complete"]`, browsertest.Enter)}, "Viaggio finito. Grazie.")
	}
	s.leave()

	part("the neighbour reads that it is done")
	s.enter("residente12@example.it", "/passaggi/miei", "Nessun viaggio in programma.")
	past := s.on("miei-finito", []browsertest.Step{step("main details summary", browsertest.Enter)}, "Viaggi passati", "mercoledì 25 novembre", "Autista Tre", "Viaggio finito")
	if strings.Contains(past, "In attesa") {
		t.Errorf("a ride that is over still waits: %s", past)
	}
	s.to(booking)
	s.on("", nil, "Viaggio finito", "Autista Tre")
	s.leave()
	part("all is done")
}

// calls does what the carrier of messages does for somebody who has only a
// landline: each notice becomes a call of the desk.
func (w *world) calls(who carpool.MemberID) {
	w.t.Helper()
	notices, err := w.Members.Notices(w.t.Context(), who, 20)
	must(w.t, err)
	for _, n := range notices {
		if n.Kind == carpool.NoticeAccepted {
			must(w.t, w.Desk.Add(w.t.Context(), carpool.Call{Key: "voice:" + n.ID, Member: who, Kind: string(n.Kind), With: n.With, Notice: n.ID, Due: n.Due}))
		}
	}
}

// pictured are the pages of the walk that docs/ shows.
var pictured = []string{"iscrizione", "auto-documenti", "polizia", "controllo", "offri", "trovati", "miei-chiesto", "viaggio", "sportello-richiesta", "telefonate", "biglietto", "foglio"}

// TestPicturesOfTheWalkAreThere: docs/ has each of its pages at each width, as a
// small PNG.
func TestPicturesOfTheWalkAreThere(t *testing.T) {
	for _, page := range pictured {
		for _, width := range browsertest.Widths {
			file := filepath.Join("../../docs/pictures", fmt.Sprintf("passaggi-%s-%d.png", page, width))
			b, err := os.ReadFile(file)
			if err != nil || len(b) < 5000 || len(b) > 150<<10 || !strings.HasPrefix(string(b), "\x89PNG") {
				t.Errorf("%s is no small picture: run CRINALE_SCREENSHOTS=../../docs/pictures go test ./carpool/page -run Walk (%d bytes, %v)", file, len(b), err)
			}
		}
	}
}
