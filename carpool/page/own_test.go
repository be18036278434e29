package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// TestRegistration makes an account and a member on one page, with a code, and
// signs in by the e-mail address.
func TestRegistration(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	body := v.wants(v.get("/passaggi/iscrizione"), http.StatusOK, "Ho letto l’informativa privacy")
	form := func(change ...string) []string {
		f := map[string]string{"volta": onceIn(t, body), "nome": "Anna", "cognome": "Prova", "comune": "004021", "telefono": "0173 123456", "casa": "si", "email": "Anna.Prova@Example.it", "accesso": "email", "password": good, "ripeti": good, "condizioni": "si"}
		for i := 0; i+1 < len(change); i += 2 {
			f[change[i]] = change[i+1]
		}
		var out []string
		for k, x := range f {
			out = append(out, k, x)
		}
		return out
	}
	for _, c := range []struct{ field, value, want string }{
		{"nome", "", "Questo serve"}, {"comune", "999999", "Scegliete un comune"}, {"ripeti", "altro", "non sono uguali"}, {"condizioni", "", "accettare le condizioni"},
		{"telefono", "112", "con il prefisso"}, {"password", "corta", "non sono uguali"}, {"nome", strings.Repeat("😀", 2600), "Troppo lungo"},
	} {
		page := v.post("/passaggi/iscrizione", form(c.field, c.value)...)
		content := v.wants(page, http.StatusBadRequest, c.want)
		if !strings.Contains(content, `value="Prova"`) {
			t.Errorf("%s=%q: what was typed is lost", c.field, c.value)
		}
		if strings.Contains(page.Body, good) {
			t.Errorf("%s=%q: the password stands in the page", c.field, c.value)
		}
		if !strings.Contains(content, "autofocus") && c.field != "password" {
			t.Errorf("%s=%q: no field has the focus", c.field, c.value)
		}
	}
	if people, err := w.people.List(t.Context()); err != nil || len(people) != 0 {
		t.Errorf("%d accounts after refusals, %v", len(people), err)
	}
	body = v.wants(v.post("/passaggi/iscrizione", form()...), http.StatusOK, "Un codice per voi", "Senza il codice l’iscrizione non è finita")
	ticket := regexp.MustCompile(`name="biglietto" value="([^"]+)"`).FindStringSubmatch(body)[1]
	v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", "000000x"), http.StatusForbidden, "Il codice non è giusto")
	code := w.codes.of("anna.prova@example.it")
	v.led(v.get("/passaggi/miei"), "/entra?dopo=%2Fpassaggi%2Fmiei") // no code, no session
	v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "ancora", "si"), http.StatusOK, "Vi abbiamo mandato un codice nuovo.")
	v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", code), http.StatusForbidden, "Il codice non è giusto")
	v.led(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", w.codes.of("anna.prova@example.it")), "/passaggi/miei?fatto=iscritto")
	v.wants(v.get("/passaggi/miei?fatto=iscritto"), http.StatusOK, "Siete iscritti.")
	v.led(v.get("/passaggi/iscrizione"), "/passaggi/miei")
	again := w.visitor()
	again.alias = "Anna.Prova@example.it"
	again.enter()
	again.wants(again.get("/passaggi/miei"), http.StatusOK)
}

// Somebody with an account who has not joined says who they are first.
func TestAccountWithoutMember(t *testing.T) {
	w := newWorld(t)
	acc, err := w.people.Register(t.Context(), login.Registration{Alias: "solo@example.it", Password: good, Role: login.Resident})
	must(t, err)
	w.signsIn(acc.Name, "solo@example.it")
	v := w.visitor()
	v.alias = "solo@example.it"
	v.enter()
	v.led(v.get("/passaggi/miei"), "/passaggi/iscrizione")
	body := v.wants(v.get("/passaggi/iscrizione"), http.StatusOK)
	if strings.Contains(body, `name="password"`) {
		t.Error("a second password is asked for")
	}
	v.led(v.post("/passaggi/iscrizione", "nome", "Solo", "cognome", "Prova", "comune", "004021", "email", "solo@example.it", "condizioni", "si"), "/passaggi/miei?fatto=iscritto")
	if m, err := w.Members.ByAccount(t.Context(), acc.Name); err != nil || m.First != "Solo" {
		t.Errorf("%+v %v", m, err)
	}
}

// A session that ends in the middle of a booking: after the sign-in the form
// comes back as it was filled in, for its owner and nobody else.
func TestFormComesBackAfterSignIn(t *testing.T) {
	w := newWorld(t)
	v, other := w.resident(), w.resident()
	body := v.wants(v.get("/passaggi/chiedi"), http.StatusOK)
	once, per := onceIn(t, body), whose.FindStringSubmatch(body)[1]
	form := []string{"volta", once, "per", per, "da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-25", "ora", "08:00", "porta", "si", "da-indirizzo", "Via Segreta 12", "nota", "Suonare due volte", "passo", "invia"}

	cookie := func(v *visitor) {
		must(t, w.people.RevokeSessions(t.Context(), v.by.Account))
		g := v.post("/passaggi/chiedi", form...)
		v.led(g, "/entra?dopo="+url.QueryEscape("/passaggi/chiedi?ripresa=1"))
		for _, c := range g.Cookies() {
			if strings.Contains(c.Value, "Segreta") || !c.HttpOnly {
				t.Errorf("the cookie can be read: %v", c)
			}
		}
	}
	cookie(v)
	if all, err := w.Bookings.Requests(t.Context(), v.by.Member); err != nil || len(all) != 0 {
		t.Errorf("a stranger's form was done: %v %v", all, err)
	}
	v.enter()
	back := v.wants(v.get("/passaggi/chiedi?ripresa=1"), http.StatusOK)
	for _, kept := range []string{`value="Via Segreta 12"`, "Suonare due volte", `value="bergolo-municipio" selected`} {
		if !strings.Contains(back, kept) {
			t.Errorf("%q is lost", kept)
		}
	}
	if again := v.wants(v.get("/passaggi/chiedi?ripresa=1"), http.StatusOK); strings.Contains(again, "Segreta") {
		t.Error("it comes back twice")
	}

	cookie(v) // another person sits down at the same browser
	v.alias = other.alias
	v.enter()
	if strange := v.wants(v.get("/passaggi/chiedi?ripresa=1"), http.StatusOK); strings.Contains(strange, "Segreta") {
		t.Error("another person is shown the form")
	}
}

// What is wrong stands beside its field, and what was typed stays.
func TestRequestForm(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	good := map[string]string{"da": "bergolo-municipio", "a": "cortemilia-municipio", "giorno": "25/11/2026", "ora": "8", "senso": "arrivo", "passo": "controlla"}
	send := func(change ...string) got {
		var pairs []string
		for k, x := range good {
			pairs = append(pairs, k, x)
		}
		f := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		for i := 0; i+1 < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return v.do("POST", "/passaggi/chiedi", f.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", w.URL)
	}
	v.wants(send(), http.StatusOK, "È tutto giusto?", "mercoledì 25 novembre 2026, arrivo fra le 07:00 e le 08:00")
	for _, c := range []struct{ field, value, want string }{
		{"giorno", "22/11/2026", "È già passato"}, {"giorno", "boh", "23/11/2026"}, {"giorno", "2028-11-25", "al massimo fra un anno"}, {"ora", "25:00", "9:30"},
		{"da", "altrove", "non c’è più"}, {"a", "bergolo-municipio", "lo stesso luogo"}, {"a-testo", "Parigi", "Non conosciamo"}, {"posti", "99", "Scrivete un numero"},
		{"nota", strings.Repeat("x", 400), "Troppo lungo"}, {"seggiolini", "molti", "Scrivete un numero"}, {"senso", "mai", "Scegliete"},
	} {
		content := v.wants(send(c.field, c.value), http.StatusBadRequest, c.want)
		if !strings.Contains(content, `id="`+c.field+`-errore"`) {
			t.Errorf("%s=%q: nothing stands beside the field", c.field, c.value)
		}
		if strings.Count(content, "autofocus") != 1 && c.field != "senso" {
			t.Errorf("%s=%q: %d fields have the focus", c.field, c.value, strings.Count(content, "autofocus"))
		}
	}
	v.wants(send("ritorno", "ora", "ritorno-giorno", "25/11/2026", "ritorno-ora", "6"), http.StatusBadRequest, "Il ritorno deve venire dopo")
	v.wants(send("ritorno", "ora", "ritorno-giorno", "25/11/2026", "ritorno-ora", "11.30"), http.StatusOK, "mercoledì 25 novembre 2026, dalle 11:30")
	v.wants(send("da-testo", "cortemilia", "a-testo", "Bergolo"), http.StatusOK, "Bergolo")
	if g := send("inventato", "x"); g.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown field: %d", g.StatusCode)
	}
	if g := v.do("POST", "/passaggi/chiedi", "da=x", "Content-Type", "application/x-www-form-urlencoded", "Origin", "http://evil.example"); g.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form: %d", g.StatusCode)
	}
	// Clocks change: 28 March 2027 has no half past two.
	w.at(time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC))
	v.wants(send("giorno", "28/03/2027", "ora", "2:30"), http.StatusOK, "domenica 28 marzo 2027")
}

// series asks for a lift every Tuesday and Thursday until a day.
func (v *visitor) series(until string) got {
	return v.post("/passaggi/chiedi", "da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-24", "ora", "11:00", "senso", "arrivo",
		"giorni", "TU", "giorni", "TH", "fino", until, "ritorno", "aperto", "passo", "invia")
}

// TestSeriesForm asks for a treatment's journeys, sees them as one thing, and
// gives up one day and then all.
func TestSeriesForm(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	for until, want := range map[string]string{"": "Questo serve", "23/11/2026": "Scegliete un giorno dopo il primo", "1/3/2027": "non oltre martedì 16/02/2027", "boh": "23/11/2026"} {
		if content := v.wants(v.series(until), http.StatusBadRequest, want); !strings.Contains(content, "<details open><summary>Si ripete ogni settimana") {
			t.Errorf("until %q: the part is closed: %s", until, content)
		}
	}
	v.wants(v.post("/passaggi/chiedi", "da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-24", "ora", "11:00", "fino", "10/12/2026", "passo", "controlla"),
		http.StatusBadRequest, "Scegliete almeno un giorno della settimana")
	shown := v.wants(v.post("/passaggi/chiedi", "da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-24", "ora", "11:00", "giorni", "TU", "giorni", "TH", "fino", "10/12/2026",
		"scuola", "school", "passo", "controlla"), http.StatusOK, "ogni martedì, giovedì, fino a giovedì 10/12/2026, solo nei giorni di scuola")
	if strings.Count(shown, `name="giorni"`) != 2 {
		t.Errorf("the page that shows it loses its days: %s", shown)
	}
	v.led(v.series("10/12/2026"), "/passaggi/miei?fatto=chiesto")
	mine := v.wants(v.get("/passaggi/miei"), http.StatusOK, "ogni martedì, giovedì, fino a giovedì 10/12/2026", "La prossima volta: martedì 24 novembre 2026", "Gli altri giorni (5)")
	if n := strings.Count(mine, "<section"); n != 2 {
		t.Errorf("out and home are %d things", n)
	}
	all, err := w.Bookings.Requests(t.Context(), v.by.Member)
	must(t, err)
	if len(all) != 12 {
		t.Fatalf("%d journeys", len(all))
	}
	left := func() (n int) {
		all, err := w.Bookings.Requests(t.Context(), v.by.Member)
		must(t, err)
		for _, r := range all {
			if r.State != carpool.RequestWithdrawn {
				n++
			}
		}
		return n
	}
	path := "/passaggi/richieste/" + string(all[0].ID)
	v.wants(v.post(path, "fa", "ritira-tutti"), http.StatusBadRequest, "casella di conferma")
	v.led(v.post(path, "fa", "ritira", "certo", "si"), "/passaggi/miei?fatto=ritirato")
	if left() != 10 {
		t.Errorf("%d journeys are left after one", left())
	}
	v.led(v.post("/passaggi/richieste/"+string(all[4].ID), "fa", "ritira-tutti", "certo", "si"), "/passaggi/miei?fatto=ritirati")
	if left() != 0 {
		t.Errorf("%d journeys are left", left())
	}
}

// TestOffers offers once and weekly, pauses, leaves out a day, ends.
func TestOffers(t *testing.T) {
	w := newWorld(t)
	v, car := w.driver()
	base := []string{"auto", string(car), "da", "bergolo-municipio", "a", "cortemilia-municipio", "ora", "7.10", "liberi", "2", "abordo", "0", "deviazione", "15"}
	offer := func(status int, more ...string) got {
		body := v.wants(v.get("/passaggi/offri"), http.StatusOK)
		for name, on := range map[string]bool{"deambulatore": true, "carrozzina": false} {
			if field := regexp.MustCompile(`<input[^>]*name="` + name + `"[^>]*>`).FindString(body); strings.Contains(field, "checked") != on || field == "" {
				t.Fatalf("what the only car carries: %s", field)
			}
		}
		g := v.post("/passaggi/offri", append(append([]string{"volta", onceIn(t, body)}, base...), more...)...)
		if g.StatusCode != status {
			t.Fatalf("%v: %d %s", more, g.StatusCode, text(mainOf(g.Body)))
		}
		return g
	}
	v.led(offer(http.StatusSeeOther, "volte", "una", "giorno", "26/11/2026", "contributo", "0,05"), "/passaggi/offerte?fatto=offerto")
	offer(http.StatusSeeOther, "volte", "settimana", "giorni", "MO", "giorni", "TH", "dal", "30/11/2026", "al", "23/12/2026", "salta", "7/12/2026, 8/12/2026", "torna", "18:30", "contributo", "0.05")
	v.wants(offer(http.StatusBadRequest, "volte", "una", "giorno", "26/11/2026", "contributo", "2"), http.StatusBadRequest, "Al massimo 0,10")
	v.wants(offer(http.StatusBadRequest, "volte", "settimana"), http.StatusBadRequest, "almeno un giorno")
	v.wants(offer(http.StatusBadRequest, "volte", "una", "giorno", "20/11/2026"), http.StatusBadRequest, "È già passato")
	v.wants(offer(http.StatusBadRequest, "volte", "una", "giorno", "26/11/2026", "torna", "6:00"), http.StatusBadRequest, "ritorno deve venire dopo")
	mine, err := w.Offers.Mine(t.Context(), v.by.Member)
	must(t, err)
	if len(mine) != 3 {
		t.Fatalf("%d offers", len(mine))
	}
	var weekly carpool.Offer
	for _, o := range mine {
		if o.When.Rule != "" && o.When.Time == "07:10" {
			weekly = o
		}
	}
	if weekly.When.Rule != "FREQ=WEEKLY;BYDAY=MO,TH" || len(weekly.When.Except) != 2 || weekly.MilliEURKm != 50 {
		t.Errorf("%+v", weekly)
	}
	at := "/passaggi/offerte/" + string(weekly.ID)
	body := v.wants(v.get(at), http.StatusOK, "giovedì 3 dicembre 2026, 07:10", "ogni lunedì, giovedì alle 07:10")
	if strings.Contains(body, "lunedì 7 dicembre") {
		t.Error("a day that was left out is shown")
	}
	ride := regexp.MustCompile(`name="corsa" value="([^"]+)"`).FindStringSubmatch(body)[1]
	v.wants(v.post(at, "fa", "giorno", "corsa", ride), http.StatusBadRequest, "casella di conferma")
	v.led(v.post(at, "fa", "giorno", "corsa", ride, "certo", "si", "motivo", "ferie"), at+"?fatto=giorno-tolto")
	v.led(v.post(at, "fa", "pausa"), at+"?fatto=in-pausa")
	v.wants(v.get(at), http.StatusOK, "in pausa", "Riprendi")
	v.led(v.post(at, "fa", "riprendi"), at+"?fatto=ripreso")
	v.led(v.post(at, "fa", "termina", "certo", "si"), at+"?fatto=terminato")
	v.wants(v.get(at), http.StatusOK, "terminata")
	other := w.resident()
	other.wants(other.get(at), http.StatusNotFound)
	other.wants(other.post(at, "fa", "pausa"), http.StatusNotFound)
	other.wants(other.get("/passaggi/offri"), http.StatusOK, "Prima scrivete la vostra auto")
}

// picture is a small JPEG.
func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil))
	return b.Bytes()
}

// TestCarsAndPapers enters a car and sends its papers with a picture.
func TestCarsAndPapers(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	v.wants(v.post("/passaggi/auto", "nome-auto", "Panda", "targa", "!!", "classe", "car", "posti-auto", "4"), http.StatusBadRequest, "AB 123 CD")
	v.led(v.post("/passaggi/auto", "nome-auto", "Panda rossa", "targa", "ab 123 cd", "classe", "car", "posti-auto", "4", "deambulatore", "si"), "/passaggi/auto?fatto=auto")
	v.wants(v.get("/passaggi/auto"), http.StatusOK, "Panda rossa · AB123CD", "documenti non ancora mandati")
	cars, err := w.Members.Vehicles(t.Context(), v.by.Member)
	must(t, err)
	send := func(data []byte, pairs ...string) got {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for i := 0; i+1 < len(pairs); i += 2 {
			must(t, m.WriteField(pairs[i], pairs[i+1]))
		}
		if data != nil {
			p, err := m.CreateFormFile("foto-patente", "patente.jpg")
			must(t, err)
			_, err = p.Write(data)
			must(t, err)
		}
		must(t, m.Close())
		return v.do("POST", "/passaggi/auto/documenti", b.String(), "Content-Type", m.FormDataContentType(), "Origin", w.URL)
	}
	dates := []string{"veicolo", string(cars[0].ID), "patente", "31/01/2030", "assicurazione", "2027-10-31", "revisione", "31/1/28"}
	v.wants(send(nil, dates...), http.StatusBadRequest, "solo se siete d’accordo")
	v.wants(send(nil, append(dates[:4:4], "consenso", "si")...), http.StatusBadRequest, "Questo serve")
	v.wants(send(nil, append([]string{"altro", "x"}, dates...)...), http.StatusBadRequest)
	v.wants(send([]byte("<svg onload=alert(1)>"), append(dates, "consenso", "si")...), http.StatusBadRequest)
	v.led(send(picture(t), append(dates, "consenso", "si")...), "/passaggi/auto?fatto=documenti")
	v.wants(v.get("/passaggi/auto"), http.StatusOK, "la Polizia Locale li sta guardando", "giovedì 31/01/2030")
	checks, err := w.Trust.Mine(t.Context(), v.by.Member)
	if err != nil || len(checks) != 1 || checks[0].Roadworthy != "2028-01-31" {
		t.Fatalf("%+v %v", checks, err)
	}
	seen, err := w.Trust.Look(t.Context(), carpool.By{Account: "vigile"}, checks[0].ID)
	if err != nil || len(seen.Pictures) != 1 {
		t.Errorf("the officer sees %+v, %v", seen, err)
	}
	if g := send(bytes.Repeat([]byte{0xff}, 7<<20), append(dates, "consenso", "si")...); g.StatusCode != http.StatusBadRequest || !strings.Contains(text(g.Body), "troppo grande") {
		t.Errorf("a picture of 7 MB: %d", g.StatusCode)
	}
	v.wants(v.post("/passaggi/auto/togli", "veicolo", string(cars[0].ID)), http.StatusBadRequest, "casella di conferma")
	v.led(v.post("/passaggi/auto/togli", "veicolo", string(cars[0].ID), "certo", "si"), "/passaggi/auto?fatto=auto-tolta")
}

// TestProfile changes what a member says of themselves, what they agreed to,
// their calendar, exports all and leaves.
func TestProfile(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	form := []string{"nome", "Ugo", "cognome", "Prova", "comune", "004021", "telefono", "333 1234567", "email", v.alias, "lingua", "en", "grandi", "si", "deambulatore", "si", "seggiolini", "1",
		"canale", "mail", "anche", "mail", "anche", "sms", "fidata-nome", "Figlia", "fidata-telefono", "0173 111222"}
	v.led(v.post("/passaggi/profilo", form...), "/passaggi/profilo?fatto=profilo")
	m, err := w.Members.Get(t.Context(), v.by.Member)
	must(t, err)
	if m.First != "Ugo" || !m.Large || !m.Needs.WalkingFrame || m.Trusted.Name != "Figlia" || fmt.Sprint(m.Channels) != "[mail sms]" || m.Lang != "en" {
		t.Errorf("%+v", m)
	}
	v.wants(v.post("/passaggi/profilo", append(form, "fiscale", "SBAGLIATO")...), http.StatusBadRequest, "sedici lettere")
	v.led(v.post("/passaggi/profilo/consensi", "consenso", "desk", "fa", "dai"), "/passaggi/profilo?fatto=consenso")
	v.wants(v.get("/passaggi/profilo"), http.StatusOK, "Accettato: lunedì 23 novembre 2026")
	v.led(v.post("/passaggi/profilo/consensi", "consenso", "desk", "fa", "ritira"), "/passaggi/profilo?fatto=consenso")
	v.wants(v.post("/passaggi/profilo/consensi", "consenso", "terms", "fa", "ritira"), http.StatusBadRequest)
	v.wants(v.post("/passaggi/profilo/calendario", "fa", "nuovo"), http.StatusOK, "/passaggi/calendario/secret-of-a-calendar.ics")
	if g := w.visitor().get("/passaggi/calendario/secret-of-a-calendar.ics"); g.StatusCode != 200 || !strings.HasPrefix(g.Header.Get("Content-Type"), "text/calendar") {
		t.Errorf("calendar: %d", g.StatusCode)
	}
	v.led(v.post("/passaggi/profilo/calendario", "fa", "togli"), "/passaggi/profilo?fatto=calendario-tolto")

	g := v.get("/passaggi/profilo/dati.json")
	if g.StatusCode != 200 || !json.Valid([]byte(g.Body)) || !strings.Contains(g.Body, "Figlia") || !strings.Contains(g.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("export: %d %.200s", g.StatusCode, g.Body)
	}
	v.wants(v.post("/passaggi/profilo/cancellami"), http.StatusBadRequest, "casella di conferma")
	v.led(v.post("/passaggi/profilo/cancellami", "certo", "si"), "/passaggi?fatto=cancellato")
	if _, err := w.Members.ByAccount(t.Context(), v.by.Account); fault.Of(err) != fault.NotFound {
		t.Errorf("the member is still there: %v", err)
	}
	if g := v.get("/passaggi/miei"); g.StatusCode != http.StatusSeeOther {
		t.Errorf("still signed in: %d", g.StatusCode)
	}
}

// TestWatch asks to be told of lifts, and not any more.
func TestWatch(t *testing.T) {
	w := newWorld(t)
	v := w.resident()
	v.wants(v.get("/passaggi?da=bergolo-municipio&a=cortemilia-municipio&giorno=2026-11-25&ora=08:00"), http.StatusOK, "Nessuno per ora", "Avvisatemi")
	v.led(v.post("/passaggi/miei/avviso", "da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-25", "ora", "08:00", "senso", "arrivo"), "/passaggi/miei?fatto=avviso")
	body := v.wants(v.get("/passaggi/miei"), http.StatusOK, "Togli l’avviso", "Bergolo, municipio → Cortemilia, municipio")
	id := regexp.MustCompile(`name="avviso" value="([^"]+)"`).FindStringSubmatch(body)[1]
	v.led(v.post("/passaggi/miei/avviso/togli", "avviso", id), "/passaggi/miei?fatto=avviso-tolto")
}

// TestCopyForOffline holds nothing of anybody else.
func TestCopyForOffline(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	driver.led(driver.post(booking, "fa", "accept"), booking+"?fatto=accettato")
	for v, other := range map[*visitor]*visitor{rider: driver, driver: rider} {
		body := v.wants(v.get("/passaggi/miei/copia"), http.StatusOK, "07:10 Bergolo, municipio", "copia sul telefono")
		for _, secret := range []string{other.name, "Cognome", "+39333", "Panda"} {
			if strings.Contains(text(body), secret) {
				t.Errorf("the copy of %s holds %q", v.name, secret)
			}
		}
	}
}

// TestSearchIsConstantInACell asks from many points of a cell: pages and the
// API must not differ, so that no series of searches finds a door.
func TestSearchIsConstantInACell(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	v := w.visitor()
	mid := carpool.CellOf(w.place("bergolo-municipio").At).Middle()
	var page, api string
	for i := range 8 {
		at := fmt.Sprintf("%.6f, %.6f", mid.Lat+float64(i-4)*0.0009, mid.Lon+float64(4-i)*0.0012)
		q := url.Values{"da-testo": {at}, "a": {"cortemilia-municipio"}, "giorno": {"2026-11-25"}, "ora": {"08:00"}}
		body := v.wants(v.get("/passaggi?"+q.Encode()), http.StatusOK)
		one := html.UnescapeString(body[strings.Index(body, `id="trovati"`):])
		one = strings.ReplaceAll(strings.ReplaceAll(one, at, "HERE"), url.QueryEscape(at), "HERE")
		g := v.get("/api/v1/carpool/search?" + url.Values{"from": {at}, "to": {"cortemilia-municipio"}, "arrive": {"2026-11-25T08:00:00+01:00"}}.Encode())
		if g.StatusCode != 200 {
			t.Fatalf("%d %s", g.StatusCode, g.Body)
		}
		if i == 0 {
			page, api = one, g.Body
			continue
		}
		if one != page {
			t.Errorf("the page from %s differs", at)
		}
		if g.Body != api {
			t.Errorf("the API from %s differs:\n%s\n%s", at, g.Body, api)
		}
	}
	if !strings.Contains(api, `"ride"`) {
		t.Errorf("nothing was found at all: %s", api)
	}
}
