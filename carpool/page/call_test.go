package page_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
)

// An operator takes a call, reads it out, and writes down what came of it.
func TestCallList(t *testing.T) {
	o := newOffice(t)
	list := o.as("sportello", "/passaggi/sportello/chiamate")
	says(t, list, 200, "Residente Dodici", "in ritardo", "tentativi: 1", "Dal turno prima: richiamare dopo pranzo",
		"Buongiorno Residente Dodici, qui è lo sportello passaggi dell’Unione. Il passaggio è confermato: lunedì 23 novembre, ore 08:00, si sale a Bergolo, piazza e si arriva a Cortemilia, ospedale alle 09:00. Guida Autista Tre.",
		"presa da collega fino alle 10:10", "da riprovare domenica 22 novembre, ore 12:00")
	hides(t, list, "+390173123456", "+390173654321") // numbers are told to whoever takes the call
	says(t, o.post("sportello", "/passaggi/sportello/chiamate/t-other/prendi"), 400, "Qualcun altro ha già preso questa telefonata")
	says(t, o.post("sportello-bergolo", "/passaggi/sportello/chiamate/t-bruno/prendi"), 404)
	says(t, o.post("sportello", "/passaggi/sportello/chiamate/t-nobody/prendi"), 404)
	says(t, o.post("sportello", "/passaggi/sportello/chiamate/t-anna/esito", "esito", "sentito"), 400, "Non è stato fatto") // not taken

	leads(t, o.post("sportello", "/passaggi/sportello/chiamate/t-anna/prendi"))
	says(t, o.as("sportello", "/passaggi/sportello/chiamate"), 200, "Agite per", "+390173123456", "Vostra fino alle 10:15", "Lo sa")
	hides(t, o.as("sportello-bergolo", "/passaggi/sportello/chiamate"), "+390173123456")
	says(t, o.as("sportello-bergolo", "/passaggi/sportello/chiamate"), 200, "presa da sportello")
	for _, bad := range [][]string{{"esito", "forse"}, {"esito", "si"}, {"esito", ""}, {}, {"esito", "sentito", "altro", "x"}, {"esito", "sentito", "nota", strings.Repeat("x", 400)}} {
		if rec := o.post("sportello", "/passaggi/sportello/chiamate/t-anna/esito", bad...); rec.Code != 400 {
			t.Errorf("%q: %d", bad, rec.Code)
		}
	}
	leads(t, o.post("sportello", "/passaggi/sportello/chiamate/t-anna/esito", "esito", "nessuno", "nota", "squilla a vuoto"))
	leads(t, o.post("sportello", "/passaggi/sportello/chiamate/t-anna/prendi"))
	leads(t, o.post("sportello", "/passaggi/sportello/chiamate/t-anna/esito", "esito", "sentito"))
	hides(t, o.as("sportello", "/passaggi/sportello/chiamate"), "richiamare dopo pranzo")
	if got := o.did[len(o.did)-3:]; !slices.Equal(got, []string{`sportello (sportello): esito t-anna: no-answer "squilla a vuoto"`, "sportello (sportello): prende t-anna", `sportello (sportello): esito t-anna: reached ""`}) {
		t.Errorf("%q", got)
	}
}

// A driver with a landline is asked by voice, and the answer goes where an
// answer on the page goes.
func TestDriverAnswersByVoice(t *testing.T) {
	o := newOffice(t)
	at := leads(t, o.post("sportello", "/passaggi/sportello", journey("persona", "m-anna")...))
	leads(t, o.post("sportello", at+"/chiedi", "once", "nonce-of-sixteen-ask", "corsa", "r-1"))
	var id carpool.BookingID
	for b, x := range o.bookings {
		if x.State == carpool.Asked {
			id = b
		}
	}
	o.calls = append(o.calls, carpool.Call{ID: "t-ask", Member: "m-driver", Kind: string(carpool.NoticeAsked), With: map[string]string{carpool.WithBooking: string(id)}, State: carpool.CallOpen, Due: staffNow})
	leads(t, o.post("sportello", "/passaggi/sportello/chiamate/t-ask/prendi"))
	says(t, o.as("sportello", "/passaggi/sportello/chiamate"), 200, "Qualcuno chiede un passaggio con lei", "Ha detto sì", "Ha detto no", "+393339998887")
	leads(t, o.post("sportello", "/passaggi/sportello/chiamate/t-ask/esito", "esito", "si"))
	if o.bookings[id].State != carpool.Accepted || !slices.Contains(o.did, "sportello (sportello) per m-driver: accepted "+string(id)) {
		t.Errorf("%s %q", o.bookings[id].State, o.did)
	}
	says(t, o.as("sportello", at), 200, "Il passaggio è confermato", "Autista Tre", "+393339998887", "auto rossa, AA111AA", "/passaggi/sportello/biglietto/"+string(id))
}

// What notices say is said by whoever sends them.
func TestCallSaysTheNotice(t *testing.T) {
	o := newOffice(t, func(d *page.StaffDeps) {
		d.Spoken = spoken{"n-1": "Buongiorno, parole della notizia.", "n-2": ""}.say
	})
	o.calls = []carpool.Call{{ID: "t-1", Member: "m-anna", Kind: "welcome", Notice: "n-1", State: carpool.CallOpen, Due: staffNow}, {ID: "t-2", Member: "m-anna", Kind: "welcome", Notice: "n-2", State: carpool.CallOpen, Due: staffNow}}
	says(t, o.as("sportello", "/passaggi/sportello/chiamate"), 200, "Buongiorno, parole della notizia.", "già sistemata")
}

func TestSheetAndSlip(t *testing.T) {
	o := newOffice(t)
	sheet := o.as("sportello", "/passaggi/sportello/foglio?giorno=2026-11-23")
	says(t, sheet, 200, "Passaggi di lunedì 23 novembre 2026", "Residente Dodici", "guida Autista Tre, +393339998887, auto rossa, AA111AA", "2 persone", "Residente Quattordici", "Nessun vicino va", "Viaggi: 2")
	if got := o.did[len(o.did)-1]; got != "sportello (sportello): foglio 2026-11-23 " {
		t.Error(got)
	}
	o.as("sportello-bergolo", "/passaggi/sportello/foglio?giorno=2026-11-23")
	if got := o.did[len(o.did)-1]; got != "sportello-bergolo (sportello): foglio 2026-11-23 "+bergolo {
		t.Error(got)
	}
	says(t, o.as("sportello", "/passaggi/sportello/foglio?giorno=ieri"), 400, "Scrivete il giorno come")
	says(t, o.as("sportello", "/passaggi/sportello/foglio?giorno=24.11.26"), 200, `value="24/11/2026"`)
	if got := o.did[len(o.did)-1]; got != "sportello (sportello): foglio 2026-11-24 " {
		t.Error(got)
	}
	csv := o.as("sportello", "/passaggi/sportello/foglio.csv?giorno=2026-11-23")
	says(t, csv, 200, "'=Residente Dodici", "'+390173123456", "Partenza;Chi;Telefono")
	if csv.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(csv.Header().Get("Content-Disposition"), "foglio-2026-11-23.csv") || csv.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", csv.Header())
	}
	says(t, o.as("sportello", "/passaggi/sportello/foglio.csv?giorno=ieri"), 404)

	slip := o.as("sportello", "/passaggi/sportello/biglietto/b-anna")
	says(t, slip, 200, "Agite per", "Il mio passaggio", "Residente Dodici", "lunedì 23 novembre", "Bergolo, piazza", "Autista Tre", "+393339998887", "AA111AA", "0,95", "112", "Associazione di prova", "Stato: confermata.")
	if got := o.did[len(o.did)-1]; got != "sportello (sportello) per m-anna: biglietto b-anna" || slip.Header().Get("Cache-Control") != "no-store" {
		t.Error(got, slip.Header())
	}
	says(t, o.as("sportello", "/passaggi/sportello/biglietto/b-nobody"), 404)
}

func TestSpecialDay(t *testing.T) {
	o := newOffice(t)
	table := "Chi;Genitore;Da;A;Ora;Ritorno;Consenso;Seggiolini;Nota\n" +
		"Alunna Quattro;Genitore Quattro;Bergolo, piazza;scuola;8:00;13:30;voce;1;\n" +
		"Alunno Nuovo;Genitore Quattro;Bergolo, piazza;scuola;8:00;13:30;carta;;\n" +
		"Residente Dodici;;Bergolo, via Roma 3;ospedale;9:30;;;;\n" +
		"Residente Senza Consenso;;Bergolo, piazza;ospedale;9:30;;;;\n" +
		"Alunna Quattro;;Bergolo, piazza;scuola;8:00;;;;\n" +
		"Nessuno Noto;;Bergolo, piazza;scuola;8:00;;;;\n" +
		"Alunno Terzo;Genitore Ignoto;Bergolo, piazza;scuola;8:00;;voce;;\n" +
		"Residente Tredici;;Atlantide;scuola;8:00;;;;\n" +
		"Residente Tredici;;Bergolo, piazza;cortemilia;8:00;;;;\n" +
		"Residente Tredici;;Bergolo, piazza;scuola;otto;;;;\n"
	form := []string{"once", "nonce-of-sixteen-signs", "giorno", "2026-11-27", "perche", "Sciopero dello scuolabus", "tabella", table}
	rec := o.post("sportello", "/passaggi/sportello/giornata", form...)
	says(t, rec, 200, "Righe fatte: 3. Da correggere: 7.", "Stiamo cercando un passaggio", "Manca il consenso", "È minorenne", "Non troviamo questa persona", "Non troviamo il genitore", "La partenza non si capisce", "L’arrivo non si capisce", "L’ora non si capisce")
	want := []string{"sportello (sportello) per m-alunna: consenso desk voice", "sportello (sportello) per m-alunna: consenso terms voice", "sportello (sportello) per m-alunna: consenso minor voice", "sportello (sportello): registra Alunno Nuovo (paper)",
		`sportello (sportello) per m-alunna: chiede bergolo-piazza -> cortemilia-scuola, 1 posti, {WalkingFrame:false Wheelchair:false ChildSeats:1}, ritorno "at"`,
		`sportello (sportello) per m-anna: chiede Bergolo, via Roma 3 -> cortemilia-ospedale, 1 posti, {WalkingFrame:false Wheelchair:false ChildSeats:0}, ritorno ""`}
	for _, w := range want {
		if !slices.Contains(o.did, w) {
			t.Errorf("not done: %s in\n%s", w, strings.Join(o.did, "\n"))
		}
	}
	requests, members := len(o.requests), len(o.members)
	says(t, o.post("sportello", "/passaggi/sportello/giornata", form...), 200, "Righe fatte: 3. Da correggere: 7.")
	if len(o.requests) != requests || len(o.members) != members {
		t.Errorf("sent twice: %d requests, were %d; %d members, were %d", len(o.requests), requests, len(o.members), members)
	}
	for name, bad := range map[string][]string{
		"day":     {"giorno", "venerdì", "perche", "x", "tabella", table},
		"past":    {"giorno", "2026-11-20", "perche", "x", "tabella", table},
		"empty":   {"giorno", "2026-11-27", "perche", "x", "tabella", "\n;;\n"},
		"why":     {"giorno", "2026-11-27", "tabella", table},
		"many":    {"giorno", "2026-11-27", "perche", "x", "tabella", strings.Repeat("a;b;c;d;8:00\n", 201)},
		"strange": {"giorno", "2026-11-27", "perche", "x", "tabella", table, "altro", "x"},
	} {
		if rec := o.post("sportello", "/passaggi/sportello/giornata", bad...); rec.Code != 400 {
			t.Errorf("%s: %d %s", name, rec.Code, staffMain(rec))
		}
	}
	if len(o.requests) != requests {
		t.Error("a bad form asked for something")
	}
}
