package page_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
)

// journey is a filled form of the desk.
func journey(pairs ...string) []string {
	f := []string{"once", "nonce-of-sixteen-signs", "da", "Bergolo, piazza", "a", "ospedale", "quando", "domani 9:30", "verso", "arrivo", "ritorno", "aperto"}
	for i := 0; i+1 < len(pairs); i += 2 {
		if at := slices.Index(f, pairs[i]); at >= 0 && at%2 == 0 {
			f[at+1] = pairs[i+1]
			continue
		}
		f = append(f, pairs[i], pairs[i+1])
	}
	return f
}

// A person with a landline calls; the operator books in one form and sees the
// way at once.
func TestDeskBooksInOneForm(t *testing.T) {
	o := newOffice(t)
	page := o.as("sportello", "/passaggi/sportello")
	says(t, page, 200, "1. Chi", "6. Che cosa serve", "Bergolo, piazza")
	hides(t, page, "Bergolo, fermata vecchia") // it is closed
	if body := page.Body.String(); strings.Index(body, "Cerca e prenota") > strings.Index(body, `name="vai"`) {
		t.Error("the Enter key in a field does not book: its button is not the first")
	}
	if n := len(regexp.MustCompile(`>[1-9]\. [^<]+<`).FindAllString(page.Body.String(), -1)); n != 6 {
		t.Errorf("the form has %d fields, want 6", n)
	}
	at := leads(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente dodici", "accompagnatore", "si", "deambulatore", "si", "nota", "cammina piano")...))
	if !strings.HasPrefix(at, "/passaggi/sportello/persona/m-anna/richiesta/q-") {
		t.Fatal(at)
	}
	result := o.as("sportello", at)
	says(t, result, 200, "Agite per", "Residente Dodici", "Bergolo, piazza", "Cortemilia, ospedale", "arrivo entro lunedì 23 novembre, ore 09:30",
		"Stiamo cercando un passaggio", "Allunga la strada di 3 minuti.", "Ultimo autobus: linea 12, ore 08:40", "0,95", "cammina piano",
		"C’è un passaggio più tardi di 20 minuti", "Associazione di prova", "La visita è finita", "Chiedi a chi guida")
	hides(t, result, "Autista", "+393339998887", "Taxi di prova") // no surname or number before the driver agrees; the taxi serves another comune
	if got := o.did[len(o.did)-1]; got != "sportello (sportello) per m-anna: chiede bergolo-piazza -> cortemilia-ospedale, 2 posti, {WalkingFrame:true Wheelchair:false ChildSeats:0}, ritorno \"open\"" {
		t.Error(got)
	}
	again := leads(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente dodici")...))
	if again != at || len(o.requests) != 2 {
		t.Errorf("sent twice: %s and %s, %d requests", at, again, len(o.requests))
	}

	asked := leads(t, o.post("sportello", at+"/chiedi", "once", "nonce-of-sixteen-ask", "corsa", "r-1"))
	says(t, o.as("sportello", asked), 200, "Abbiamo chiesto a chi guida", "risposta entro", "in attesa di risposta")
	if twice := leads(t, o.post("sportello", at+"/chiedi", "once", "nonce-of-sixteen-ask", "corsa", "r-1")); twice != asked || len(o.bookings) != 3 { // two were there
		t.Errorf("asked twice: %s, %d bookings", twice, len(o.bookings))
	}
	says(t, o.post("sportello", at+"/chiedi", "once", "nonce-of-sixteen-oth", "corsa", "r-9"), 400, "Questo passaggio non c’è più")
}

// What is needed again each week is booked in the same field; the desk sees it
// as one thing, and gives up one day or all.
func TestDeskBooksEachWeek(t *testing.T) {
	o := newOffice(t)
	at := leads(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente dodici", "quando", "ogni mar e gio 9:30 fino al 3/12")...))
	if len(o.requests) != 8 {
		t.Fatalf("%d journeys out and home, want 8", len(o.requests))
	}
	says(t, o.as("sportello", at), 200, "arrivo entro martedì 24 novembre, ore 09:30", "Si ripete: altri giorni (3)", "arrivo entro giovedì 3 dicembre, ore 09:30", "Ritira per tutti i giorni")
	person := o.as("sportello", "/passaggi/sportello/persona/m-anna")
	if n := strings.Count(person.Body.String(), "Si ripete: altri giorni (3)"); n != 2 {
		t.Errorf("out and home are %d things: %s", n, staffMain(person))
	}
	open := func() (n int) {
		for _, r := range o.requests {
			if r.State != carpool.RequestWithdrawn {
				n++
			}
		}
		return n
	}
	leads(t, o.post("sportello", at+"/ritira"))
	if open() != 7 {
		t.Errorf("%d are left after one", open())
	}
	leads(t, o.post("sportello", "/passaggi/sportello/persona/m-anna/richiesta/"+string(o.requests[2].ID)+"/ritira", "tutti", "si"))
	if open() != 0 {
		t.Errorf("%d are left", open())
	}
	says(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente dodici", "quando", "ogni mar 9:30")...), 400, "Non si capisce")
}

// The desk searches four times as fast as a resident, and not without end.
func TestDeskSearchesAreLimited(t *testing.T) {
	o := newOffice(t)
	at := leads(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente dodici")...))
	for range 120 {
		says(t, o.as("sportello", at), 200, "Stiamo cercando un passaggio")
	}
	if g := o.as("sportello", at); g.Code != 429 || g.Header().Get("Retry-After") != "1" {
		t.Errorf("one too many: %d, Retry-After %q", g.Code, g.Header().Get("Retry-After"))
	}
	says(t, o.post("sportello", at+"/chiedi", "once", "nonce-of-sixteen-ask", "corsa", "r-1"), 429)
	if len(o.bookings) != 2 { // two were there
		t.Errorf("%d bookings", len(o.bookings))
	}
	says(t, o.as("sportello", "/passaggi/sportello"), 200)
}

func TestDeskAsksWhatIsMissing(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct {
		form []string
		want []string
		code int
	}{
		"nothing typed":   {[]string{"once", "nonce-of-sixteen-signs"}, []string{"Da riempire.", "guardate i campi"}, 400},
		"short":           {journey("chi", "an"), []string{"Scrivete almeno 3 segni", `value="domani 9:30"`}, 400},
		"nobody":          {journey("chi", "Nessuna Così"), []string{"Non troviamo nessuno", "Persona nuova", `value="Nessuna"`}, 400},
		"several":         {journey("chi", "residente"), []string{"Quale di queste persone?", "Residente Dodici", "Residente Tredici", `value="ospedale"`}, 200},
		"no place":        {journey("chi", "residente dodici", "da", "Atlantide"), []string{"Non conosciamo questo luogo", `value="Atlantide"`, "Agite per"}, 400},
		"two places":      {journey("chi", "residente dodici", "a", "cortemilia"), []string{"Quale di questi: Cortemilia, ospedale; Cortemilia, scuola?"}, 400},
		"same place":      {journey("chi", "residente dodici", "a", "bergolo piazza"), []string{"sono lo stesso luogo"}, 400},
		"when":            {journey("chi", "residente dodici", "quando", "presto"), []string{"Scrivete giorno e ora"}, 400},
		"past":            {journey("chi", "residente dodici", "quando", "oggi 7:00"), []string{"già passata"}, 400},
		"back too early":  {journey("chi", "residente dodici", "ritorno", "08:00"), []string{"Il ritorno deve essere dopo"}, 400},
		"without consent": {journey("chi", "residente senza consenso"), []string{"Consenso della persona", "Senza consenso non si prenota", "Agite per"}, 400},
		"long":            {journey("chi", "residente dodici", "nota", strings.Repeat("x", 600)), []string{"Troppo lungo"}, 400},
		"unknown field":   {journey("chi", "residente dodici", "altro", "x"), nil, 400},
		"no nonce":        {journey("chi", "residente dodici", "once", ""), nil, 400},
		"emoji":           {journey("chi", "🐄🐄🐄"), []string{"Non troviamo nessuno"}, 400},
	} {
		rec := o.post("sportello", "/passaggi/sportello", c.form...)
		if rec.Code != c.code {
			t.Errorf("%s: %d: %s", name, rec.Code, staffMain(rec))
		}
		for _, w := range c.want {
			if !strings.Contains(rec.Body.String(), w) {
				t.Errorf("%s: no %q in %s", name, w, staffMain(rec))
			}
		}
	}
	if len(o.requests) != 0 {
		t.Errorf("a request came of it: %+v", o.requests)
	}
	says(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente senza consenso", "consenso", "forse")...), 400, "Senza consenso")
	at := leads(t, o.post("sportello", "/passaggi/sportello", journey("chi", "residente senza consenso", "consenso", "voice")...))
	if !strings.Contains(at, "m-senza") || !slices.Contains(o.did, "sportello (sportello) per m-senza: consenso desk voice") || !slices.Contains(o.did, "sportello (sportello) per m-senza: consenso terms voice") {
		t.Errorf("%s %q", at, o.did)
	}
}

func TestDeskWritesDownANewPerson(t *testing.T) {
	o := newOffice(t)
	fresh := journey("chi", "Residente Nuovo", "persona", "nuova", "nome", "Residente", "cognome", "Nuovo", "telefono", "0173 999888", "comune", bergolo)
	says(t, o.post("sportello", "/passaggi/sportello", fresh...), 400, "Senza consenso non si prenota")
	at := leads(t, o.post("sportello", "/passaggi/sportello", append(fresh, "consenso", "paper")...))
	if !strings.Contains(at, "/persona/m-new") || !slices.Contains(o.did, "sportello (sportello): registra Residente Nuovo (paper)") {
		t.Fatalf("%s %q", at, o.did)
	}
	n := len(o.members)
	if again := leads(t, o.post("sportello", "/passaggi/sportello", append(fresh, "consenso", "paper")...)); again != at || len(o.members) != n {
		t.Errorf("sent twice: %s, %d members, was %d", again, len(o.members), n)
	}
	taken := journey("chi", "Residente Altro", "persona", "nuova", "nome", "Residente", "cognome", "Altro", "telefono", "0173 123456", "comune", bergolo, "consenso", "voice")
	says(t, o.post("sportello", "/passaggi/sportello", taken...), 400, "ha già questo numero")
	leads(t, o.post("sportello", "/passaggi/sportello", append(taken, "famiglia", "si", "once", "nonce-of-sixteen-more")[2:]...))
	says(t, o.post("sportello-bergolo", "/passaggi/sportello", journey("chi", "Residente Lontano", "persona", "nuova", "nome", "Residente", "cognome", "Lontano", "telefono", "0173 888777", "comune", cortemilia, "consenso", "voice")...), 400, "Scegliete dall’elenco")
}

func TestDeskPersonPage(t *testing.T) {
	o := newOffice(t)
	says(t, o.as("sportello", "/passaggi/sportello/persona/m-senza"), 200, "Consenso della persona", "Registra il consenso")
	hides(t, o.as("sportello", "/passaggi/sportello/persona/m-senza"), "Viaggi chiesti", "+390173777777")
	hides(t, o.as("sportello", "/passaggi/sportello?persona=m-senza"), "+390173777777")
	leads(t, o.post("sportello", "/passaggi/sportello/persona/m-senza/consenso", "consenso", "voice"))
	says(t, o.as("sportello", "/passaggi/sportello/persona/m-senza"), 200, "Nessun viaggio in programma")
	says(t, o.as("sportello", "/passaggi/sportello?persona=m-anna"), 200, "Agite per", `name="persona" value="m-anna"`)
	if at := leads(t, o.post("sportello", "/passaggi/sportello", "once", "nonce-of-sixteen-signs", "chi", "0173 123456", "vai", "persona")); at != "/passaggi/sportello/persona/m-anna" {
		t.Error(at)
	}

	at := leads(t, o.post("sportello", "/passaggi/sportello", journey("persona", "m-anna")...))
	home := at + "-casa"
	says(t, o.as("sportello", "/passaggi/sportello/persona/m-anna"), 200, "quando finisce la visita", "Il ritorno aspetta")
	leads(t, o.post("sportello", home+"/pronto"))
	says(t, o.as("sportello", home), 200, "partenza da domenica 22 novembre, ore 10:00")
	leads(t, o.post("sportello", at+"/ritira"))
	says(t, o.as("sportello", at), 200, "ritirata")
	says(t, o.post("sportello", at+"/ritira"), 400, "Non è stato fatto")
	hides(t, o.as("sportello", at), "Chiedi a chi guida")

	again := leads(t, o.post("sportello", "/passaggi/sportello", journey("persona", "m-anna", "once", "nonce-of-sixteen-two!", "ritorno", "")...))
	leads(t, o.post("sportello", again+"/chiedi", "once", "nonce-of-sixteen-ask", "corsa", "r-1"))
	var id carpool.BookingID
	for b, x := range o.bookings {
		if x.Request != "" {
			id = b
		}
	}
	says(t, o.post("sportello", "/passaggi/sportello/persona/m-anna/prenotazione/"+string(id)+"/annulla"), 400, "segnate prima la casella")
	leads(t, o.post("sportello", "/passaggi/sportello/persona/m-anna/prenotazione/"+string(id)+"/annulla", "certo", "si"))
	says(t, o.as("sportello", again), 200, "Nessun vicino va", "Associazione di prova")
}

// TestStaffScope asks every page as everybody: pages of another role are
// refused, things outside the scope are not there.
func TestStaffScope(t *testing.T) {
	o := newOffice(t)
	mine := leads(t, o.post("sportello", "/passaggi/sportello", journey("persona", "m-anna")...))
	other := leads(t, o.post("sportello", "/passaggi/sportello", journey("persona", "m-bruno", "once", "nonce-of-sixteen-two!")...))
	const no, gone, in = http.StatusForbidden, http.StatusNotFound, http.StatusOK
	who := []string{"sportello", "sportello-bergolo", "polizia", "polizia-cortemilia", "gestione", "gestione-bergolo", "comune-bergolo", "residente", "tecnica", "partner"}
	for _, row := range []struct {
		page string
		want []int // by who
	}{
		{"/passaggi/sportello", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/chiamate", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/foglio", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/foglio.csv", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/foglio?comune=" + cortemilia, []int{in, gone, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/giornata", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/persona/m-anna", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/persona/m-bruno", []int{in, gone, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/persona/m-nobody", []int{gone, gone, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello?persona=m-bruno", []int{in, gone, no, no, no, no, no, no, no, no}},
		{mine, []int{in, in, no, no, no, no, no, no, no, no}},
		{other, []int{in, gone, no, no, no, no, no, no, no, no}},
		{strings.Replace(other, "m-bruno", "m-anna", 1), []int{gone, gone, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/biglietto/b-anna", []int{in, in, no, no, no, no, no, no, no, no}},
		{"/passaggi/sportello/biglietto/b-bruno", []int{in, gone, no, no, no, no, no, no, no, no}},
		{"/passaggi/polizia", []int{no, no, in, in, no, no, no, no, no, no}},
		{"/passaggi/polizia/controllo/k-bergolo", []int{no, no, in, gone, no, no, no, no, no, no}},
		{"/passaggi/polizia/controllo/k-cortemilia", []int{no, no, in, in, no, no, no, no, no, no}},
		{"/passaggi/polizia/controllo/k-bergolo/immagine/i-1", []int{no, no, in, gone, no, no, no, no, no, no}},
		{"/passaggi/gestione", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/segnalazioni", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/sospensioni", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/elenco", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/elenco.csv", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/elenco/l-1", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/messaggi", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/gestione/chiavi", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/passaggi/punti", []int{in, in, no, no, in, in, in, no, no, no}},
		{"/passaggi/punti?comune=" + cortemilia, []int{in, gone, no, no, in, gone, gone, no, no, no}},
		{"/passaggi/punti/bergolo-piazza", []int{in, in, no, no, in, in, in, no, no, no}},
		{"/passaggi/punti/cortemilia-scuola", []int{in, gone, no, no, in, gone, gone, no, no, no}},
		{"/api/v1/carpool/drivers", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/api/v1/carpool/lifts", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/api/v1/carpool/checks", []int{no, no, in, in, no, no, no, no, no, no}},
		{"/api/v1/carpool/listed", []int{no, no, no, no, in, no, no, no, no, no}},
		{"/api/v1/carpool/points", []int{in, in, no, no, in, in, in, no, no, no}},
		{"/api/v1/carpool/points?comune=" + cortemilia, []int{in, gone, no, no, in, gone, gone, no, no, no}},
	} {
		for i, w := range who {
			if got := o.as(w, row.page).Code; got != row.want[i] {
				t.Errorf("%s as %s: %d, want %d", row.page, w, got, row.want[i])
			}
		}
		want := http.StatusSeeOther
		if strings.HasPrefix(row.page, "/api/") {
			want = http.StatusUnauthorized
		}
		if got := o.as("estranea", row.page).Code; got != want {
			t.Errorf("%s as a stranger: %d, want %d", row.page, got, want)
		}
	}
	hides(t, o.as("sportello-bergolo", "/passaggi/sportello/chiamate"), "Residente Tredici")
	hides(t, o.as("comune-bergolo", "/passaggi/punti"), "Cortemilia, scuola")
	hides(t, o.as("comune-bergolo", "/api/v1/carpool/points"), "cortemilia-scuola")
	hides(t, o.as("polizia-cortemilia", "/passaggi/polizia"), "AA111AA")
}
