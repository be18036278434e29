package page_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool/page"
)

func TestReportsInbox(t *testing.T) {
	o := newOffice(t)
	inbox := o.as("gestione", "/passaggi/gestione/segnalazioni")
	says(t, inbox, 200, "Autista Tre", "Segnalato da", "Notato dal programma", "Troppi viaggi con passeggeri in un giorno", "Schemi trovati e ancora da guardare: 1", "parlato")
	if !strings.Contains(inbox.Body.String(), "Ha chiesto 10 euro &lt;b&gt;in più&lt;/b&gt;.") {
		t.Error("what people write is not shown as text")
	}
	if body := inbox.Body.String(); strings.Index(body, "Non risponde nessuno") > strings.Index(body, "Soldi") {
		t.Error("what is urgent does not come first")
	}
	says(t, o.post("gestione", "/passaggi/gestione/segnalazioni/x-1", "esito", "boh", "motivo", "x"), 400)
	says(t, o.post("gestione", "/passaggi/gestione/segnalazioni/x-1", "esito", "talked"), 400, "Scrivete il motivo")
	leads(t, o.post("gestione", "/passaggi/gestione/segnalazioni/x-1", "esito", "talked", "motivo", "chiarito"))
	says(t, o.post("gestione", "/passaggi/gestione/segnalazioni/x-1", "esito", "talked", "motivo", "chiarito"), 400, "Non è stato fatto")
	says(t, o.post("gestione", "/passaggi/gestione/segnalazioni/x-9", "esito", "talked", "motivo", "x"), 404)
	says(t, o.post("gestione", "/passaggi/gestione/sospensioni", "persona", "m-nobody", "motivo", "x"), 404)
	says(t, o.post("gestione", "/passaggi/gestione/sospensioni", "persona", "m-anna"), 400, "Scrivete il motivo")
	leads(t, o.post("gestione", "/passaggi/gestione/sospensioni", "persona", "m-anna", "motivo", "non risponde mai"))
	if !slices.Contains(o.did, "gestione: propone m-anna") || !slices.Contains(o.did, "gestione: chiude x-1: talked") {
		t.Errorf("%q", o.did)
	}
}

func TestListOfWhomToCall(t *testing.T) {
	o := newOffice(t)
	says(t, o.as("gestione", "/passaggi/gestione/elenco"), 200, "Associazione di prova", "tutti i comuni", "Cortemilia")
	says(t, o.as("gestione", "/passaggi/gestione/elenco/l-2"), 200, "Cambiare: Taxi di prova", `value="sempre"`)
	says(t, o.as("gestione", "/passaggi/gestione/elenco/l-9"), 404)
	good := []string{"nome", "=Navetta", "telefono", "0173 111444", "tipo", "on-call-bus", "orari", "8–12", "comune", bergolo, "ordine", "5"}
	for i, bad := range []string{"", "12", "elicottero", "", "999999", "-1"} {
		form := slices.Clone(good)
		form[2*i+1] = bad
		if rec := o.post("gestione", "/passaggi/gestione/elenco", form...); rec.Code != 400 || !strings.Contains(rec.Body.String(), `role="alert"`) {
			t.Errorf("%s=%q: %d", form[2*i], bad, rec.Code)
		}
	}
	leads(t, o.post("gestione", "/passaggi/gestione/elenco", good...))
	leads(t, o.post("gestione", "/passaggi/gestione/elenco/l-2", "nome", "Taxi cambiato", "telefono", "0173 111333", "tipo", "taxi", "orari", "sempre", "comune", "", "ordine", "7"))
	csv := o.as("gestione", "/passaggi/gestione/elenco.csv")
	says(t, csv, 200, "'=Navetta", "Taxi cambiato", "'+390173111444")
	hides(t, csv, "Taxi di prova")
	leads(t, o.post("gestione", "/passaggi/gestione/elenco/l-2/togli"))
	leads(t, o.post("gestione", "/passaggi/gestione/elenco/l-2/togli")) // gone is gone
	if len(o.list) != 2 {
		t.Errorf("%+v", o.list)
	}
}

func TestKeysMessagesFigures(t *testing.T) {
	o := newOffice(t)
	says(t, o.as("gestione", "/passaggi/gestione/chiavi"), 200, "Covoiturage", "cercare passaggi", "vale")
	says(t, o.post("gestione", "/passaggi/gestione/chiavi", "dominio", "altro.example", "nome", "Altro"), 400, "Scegliete almeno una cosa", `value="altro.example"`)
	says(t, o.post("gestione", "/passaggi/gestione/chiavi", "dominio", "altro.example", "nome", "Altro", "puo-search", "si", "indirizzo", "http://x"), 400, "Un indirizzo intero con https")
	says(t, o.post("gestione", "/passaggi/gestione/chiavi", "dominio", "covoiturage.example", "nome", "C", "puo-search", "si"), 400, "Non è stato fatto")
	made := o.post("gestione", "/passaggi/gestione/chiavi", "dominio", "altro.example", "nome", "Altro", "puo-search", "si", "puo-book", "si", "indirizzo", "https://altro.example/eventi")
	says(t, made, 200, "key-of-altro.example", "non si vedrà più")
	if got := o.keys[1]; !slices.Equal(got.Scopes, []string{"search", "book"}) || got.Webhook != "https://altro.example/eventi" || !strings.Contains(made.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("%+v %v", got, made.Header())
	}
	hides(t, o.as("gestione", "/passaggi/gestione/chiavi"), "key-of-altro.example")
	says(t, o.post("gestione", "/passaggi/gestione/chiavi/covoiturage.example/ruota"), 200, "new-key-of-covoiturage.example-168h0m0s")
	says(t, o.post("gestione", "/passaggi/gestione/chiavi/covoiturage.example/revoca"), 400, "segnate prima la casella")
	leads(t, o.post("gestione", "/passaggi/gestione/chiavi/covoiturage.example/revoca", "certo", "si"))
	says(t, o.as("gestione", "/passaggi/gestione/chiavi"), 200, "revocata")

	says(t, o.as("gestione", "/passaggi/gestione/messaggi"), 200, "550 no such user", "n-1")
	leads(t, o.post("gestione", "/passaggi/gestione/messaggi/n-1/riprova"))
	leads(t, o.post("gestione", "/passaggi/gestione/messaggi/n-1/togli")) // gone is gone
	says(t, o.as("gestione", "/passaggi/gestione/messaggi"), 200, "Tutto è stato consegnato")

	says(t, o.as("gestione", "/passaggi/gestione"), 200, "99\u00a0%", "1000", "metodo di prova", "novembre 2026", "dicembre 2025", `role="img"`, "12 mesi 960 richieste, di cui 720", "fatta")
	without := newOffice(t, func(d *page.StaffDeps) { d.Figures, d.Operators, d.Messages = nil, nil, nil })
	says(t, without.as("gestione", "/passaggi/gestione"), 200, "Questo server non calcola cifre")
	hides(t, without.as("gestione", "/passaggi/gestione"), "/passaggi/gestione/chiavi", "/passaggi/gestione/messaggi")
	says(t, without.as("gestione", "/passaggi/gestione/chiavi"), 404)
	says(t, without.as("gestione", "/passaggi/gestione/messaggi"), 404)
}

func TestMeetingPoints(t *testing.T) {
	o := newOffice(t)
	list := o.as("comune-bergolo", "/passaggi/punti")
	says(t, list, 200, "Bergolo, piazza", "Bergolo, fermata vecchia", "Punti aperti: 1. Chiusi: 1.", "Illuminato di notte", `data-lat="44.5478"`)
	good := []string{"nome", "Bergolo, forno", "comune", bergolo, "tipo", "landmark", "lat", "44,5481", "lon", "8,1835", "fermata", "", "nota", "davanti al forno", "luce", "si"}
	for name, c := range map[string]struct {
		key, value, want string
	}{
		"no name": {"nome", "", "Da riempire"}, "other comune": {"comune", cortemilia, "Scegliete dall’elenco"}, "kind": {"tipo", "casa", "Scegliete dall’elenco"},
		"words": {"lat", "nord", "Scrivete i gradi"}, "off the globe": {"lat", "99", "Scrivete i gradi"}, "elsewhere": {"lat", "44,70", "Questa posizione non è in Bergolo"}, "infinite": {"lon", "Inf", "Scrivete i gradi"},
	} {
		form := slices.Clone(good)
		form[slices.Index(form, c.key)+1] = c.value
		rec := o.post("comune-bergolo", "/passaggi/punti", form...)
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), c.want) || c.key != "nome" && !strings.Contains(rec.Body.String(), `value="Bergolo, forno"`) {
			t.Errorf("%s: %d %s", name, rec.Code, staffMain(rec))
		}
	}
	says(t, o.post("comune-bergolo", "/passaggi/punti", append(good, "pubblico", "si")...), 400, "Entro 100 metri c’è una casa o un centro abitato")
	away := append(slices.Clone(good), "pubblico", "si")
	away[slices.Index(away, "nome")+1], away[slices.Index(away, "lat")+1] = "Bergolo, bivio", "44,5420"
	leads(t, o.post("comune-bergolo", "/passaggi/punti", away...))
	if !o.places["bergolo-bivio"].Published {
		t.Error("a point away from homes is not published")
	}
	leads(t, o.post("comune-bergolo", "/passaggi/punti", good...))
	made, ok := o.places["bergolo-forno"]
	if !ok || made.Comune != bergolo || !made.Lit || made.Shelter || made.At.Lat != 44.5481 || made.Note != "davanti al forno" {
		t.Fatalf("%+v", made)
	}
	leads(t, o.post("comune-bergolo", "/passaggi/punti", good...)) // of the same name: another point
	if _, ok := o.places["bergolo-forno-2"]; !ok {
		t.Error("the second point replaced the first")
	}
	says(t, o.as("comune-bergolo", "/passaggi/punti/bergolo-forno"), 200, `value="44.548100"`, "Chiuso: non si propone più")
	leads(t, o.post("comune-bergolo", "/passaggi/punti/bergolo-forno", append(good, "chiuso", "si")...))
	if !o.places["bergolo-forno"].Closed {
		t.Error("it is not closed")
	}
	says(t, o.post("comune-bergolo", "/passaggi/punti/cortemilia-scuola", good...), 404)
}

// TestStaffAPI reads what commands read.
func TestStaffAPI(t *testing.T) {
	o := newOffice(t)
	read := func(who, path string) map[string]any {
		t.Helper()
		rec := o.as(who, path)
		var v map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil || rec.Code != 200 {
			t.Fatalf("%s: %d %v %s", path, rec.Code, err, rec.Body)
		}
		return v
	}
	drivers := read("gestione", "/api/v1/carpool/drivers")["drivers"].([]any)
	if d := drivers[0].(map[string]any); len(drivers) != 1 || d["id"] != "m-driver" || len(d) != 3 {
		t.Errorf("%v", drivers)
	}
	checks := read("polizia", "/api/v1/carpool/checks")
	if c := checks["checks"].([]any); len(c) != 2 || c[0].(map[string]any)["plate"] != "AA111AA" || c[0].(map[string]any)["name"] != nil {
		t.Errorf("%v", checks)
	}
	if c := read("polizia-cortemilia", "/api/v1/carpool/checks")["checks"].([]any); len(c) != 1 {
		t.Errorf("%v", c)
	}
	if l := read("gestione", "/api/v1/carpool/listed?comune="+bergolo)["listed"].([]any); len(l) != 1 {
		t.Errorf("%v", l)
	}
	lifts := read("gestione", "/api/v1/carpool/lifts?days=3")["lifts"].([]any)
	if l := lifts[0].(map[string]any); len(lifts) != 1 || l["driver"] != nil || l["from"].(map[string]any)["name"] != "" || !slices.Contains(o.did, "gestione: passaggi dal 2026-11-22, 3 giorni") {
		t.Errorf("%v %q", lifts, o.did)
	}
	first := read("sportello", "/api/v1/carpool/points?limit=3")
	if first["next"] == nil || len(first["points"].([]any)) != 3 {
		t.Errorf("%v", first)
	}
	if at := first["points"].([]any)[0].(map[string]any)["at"].(map[string]any); at["lat"] == nil || at["lon"] == nil {
		t.Errorf("%v", at)
	}
	for _, bad := range []string{"/api/v1/carpool/points?nome=x", "/api/v1/carpool/points?limit=0", "/api/v1/carpool/lifts?days=due", "/api/v1/carpool/listed?comune=1&comune=2"} {
		if rec := o.as("gestione", bad); rec.Code != 400 || !isProblem(rec) {
			t.Errorf("%s: %d %v", bad, rec.Code, rec.Header())
		}
	}
}

// TestStaffAPIActs: who may purge and export, and of whom.
func TestStaffAPIActs(t *testing.T) {
	for _, row := range []struct {
		who, path string
		want      int
		did       string
	}{
		{"gestione", "/api/v1/carpool/purge", 200, "gestione: pulizia false"},
		{"gestione", "/api/v1/carpool/purge?dry=true", 200, "gestione: pulizia true"},
		{"gestione", "/api/v1/carpool/purge?dry=si", 400, ""},
		{"gestione", "/api/v1/carpool/purge?tutto=true", 400, ""},
		{"sportello", "/api/v1/carpool/purge", 403, ""},
		{"polizia", "/api/v1/carpool/purge", 403, ""},
		{"estranea", "/api/v1/carpool/purge", 401, ""},
		{"sportello", "/api/v1/carpool/members/m-anna/export", 200, "sportello (sportello) per m-anna: copia m-anna"},
		{"sportello-bergolo", "/api/v1/carpool/members/m-bruno/export", 404, ""},
		{"sportello", "/api/v1/carpool/members/m-nessuno/export", 404, ""},
		{"gestione", "/api/v1/carpool/members/m-anna/export", 403, ""},
		{"polizia", "/api/v1/carpool/members/m-anna/export", 403, ""},
		{"estranea", "/api/v1/carpool/members/m-anna/export", 401, ""},
	} {
		o := newOffice(t)
		rec := o.post(row.who, row.path)
		if rec.Code != row.want || row.did != "" && !slices.Contains(o.did, row.did) || row.did == "" && len(o.did) > 0 {
			t.Errorf("%s %s: %d %q, want %d %q: %.200s", row.who, row.path, rec.Code, o.did, row.want, row.did, rec.Body)
		}
	}
}

func isProblem(rec *httptest.ResponseRecorder) bool {
	return rec.Header().Get("Content-Type") == "application/problem+json"
}
