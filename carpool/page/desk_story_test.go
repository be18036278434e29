package page_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/login"
)

// staffed mounts the pages of staff beside those of residents, on the real
// portal.
func staffed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	union, err := demo.Union()
	must(t, err)
	staff, err := page.NewStaff(page.StaffDefault(), page.StaffDeps{Shell: w.shell, Union: union, Members: w.Members, Points: w.Places, Bookings: w.Bookings, Trust: w.Trust, Talk: w.Talk, Desk: w.Desk, Privacy: w.Privacy, Lifts: w.Portal})
	must(t, err)
	must(t, staff.Mount())
	return w
}

// employee is an account of staff, signed in.
func (w *world) employee(name string, role login.Role, scope login.Scope) *visitor {
	w.t.Helper()
	inv, err := w.people.Invite(w.t.Context(), name, []login.Grant{{Role: role, Scope: scope}})
	must(w.t, err)
	_, err = w.people.Accept(w.t.Context(), inv.Code, good)
	must(w.t, err)
	v := w.visitor()
	v.name, v.alias = name, name
	v.enter()
	return v
}

var formOnce = regexp.MustCompile(`name="once" value="([^"]+)"`)

// TestDeskStory is somebody with a landline only: the desk writes her down and
// books, the driver accepts, she is called, and her slip is printed. She sees
// who looked at her.
func TestDeskStory(t *testing.T) {
	w := staffed(t)
	ctx := t.Context()
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-24", "09:00")
	op := w.employee("operatrice", login.Desk, login.Union)

	first := op.wants(op.get("/passaggi/sportello"), 200, "1. Chi")
	form := []string{"once", formOnce.FindStringSubmatch(first)[1], "chi", "Anziana Sola", "da", "Bergolo, municipio", "a", "Cortemilia, municipio", "quando", "domani 10:00", "verso", "arrivo", "ritorno", "", "accompagnatore", "si"}
	op.wants(op.post("/passaggi/sportello", form...), 400, "Non troviamo nessuno", "Consenso della persona")
	form = append(form, "persona", "nuova", "nome", "Anziana", "cognome", "Sola", "telefono", "0173 555666", "comune", "004021", "consenso", "voice")
	made := op.post("/passaggi/sportello", form...)
	at := made.Header.Get("Location")
	if made.StatusCode != 303 || !strings.Contains(at, "/richiesta/q-") {
		t.Fatalf("%d %s %s", made.StatusCode, at, text(mainOf(made.Body)))
	}
	if again := op.post("/passaggi/sportello", form...).Header.Get("Location"); again != at {
		t.Errorf("sent twice: %s and %s", at, again)
	}
	result := op.wants(op.get(at), 200, "Agite per Anziana Sola", "Stiamo cercando un passaggio", "Passaggi trovati: 1", "accompagnatori: 1", "arrivo entro martedì 24 novembre, ore 10:00")
	if strings.Contains(result, driver.name) || strings.Contains(result, "Cognome") || strings.Contains(result, "+39333120") {
		t.Error("the driver is known before they have agreed")
	}
	ride := regexp.MustCompile(`name="corsa" value="([^"]+)"`).FindStringSubmatch(result)
	if ride == nil {
		t.Fatalf("no lift found: %s", text(result))
	}
	once := formOnce.FindStringSubmatch(result)[1]
	asked := op.post(at+"/chiedi", "once", once, "corsa", ride[1])
	op.led(asked, at+"?fatto=chiesto")
	op.led(op.post(at+"/chiedi", "once", once, "corsa", ride[1]), at+"?fatto=chiesto")
	op.wants(op.get(at), 200, "Abbiamo chiesto a chi guida")

	who := carpool.MemberID(strings.Split(at, "/")[4])
	requests, err := w.Bookings.Requests(ctx, who)
	must(t, err)
	if len(requests) != 1 || requests[0].Way.Booking == "" || requests[0].By != "operatrice" || requests[0].Consent == "" {
		t.Fatalf("%+v", requests)
	}
	booking := requests[0].Way.Booking
	_, err = w.Bookings.Accept(ctx, driver.by, booking, "")
	must(t, err)
	op.wants(op.get(at), 200, "Il passaggio è confermato", "Cognome1", "Panda rossa")

	// Her notices go to the call list, as what only a voice can bring does.
	notices, err := w.Members.Notices(ctx, who, 20)
	must(t, err)
	i := slices.IndexFunc(notices, func(n carpool.Notice) bool { return n.Kind == carpool.NoticeAccepted })
	if i < 0 {
		t.Fatalf("she is not told: %+v", notices)
	}
	must(t, w.Desk.Add(ctx, carpool.Call{Key: "voice:" + notices[i].ID, Member: who, Kind: string(notices[i].Kind), With: notices[i].With, Notice: notices[i].ID, Due: notices[i].Due}))
	list := op.wants(op.get("/passaggi/sportello/chiamate"), 200, "Anziana Sola", "Il passaggio è confermato: martedì 24 novembre")
	if strings.Contains(text(list), "+390173555666") {
		t.Error("the number is told before the call is taken")
	}
	take := regexp.MustCompile(`action="(/passaggi/sportello/chiamate/[^"]+)/prendi"`).FindStringSubmatch(list)
	op.led(op.post(take[1]+"/prendi"), "/passaggi/sportello/chiamate?fatto=presa#mie")
	op.wants(op.get("/passaggi/sportello/chiamate"), 200, "Agite per Anziana Sola", "+390173555666")
	op.led(op.post(take[1]+"/esito", "esito", "sentito"), "/passaggi/sportello/chiamate?fatto=sentito")
	op.wants(op.get("/passaggi/sportello/chiamate"), 200, "Nessuna telefonata da fare adesso")

	op.wants(op.get("/passaggi/sportello/biglietto/"+string(booking)), 200, "Il mio passaggio", "Anziana Sola", "Residente1 Cognome1", "AB001CD", "martedì 24 novembre", "112")
	op.wants(op.get("/passaggi/sportello/foglio?giorno=2026-11-24"), 200, "Anziana Sola", "guida Residente1 Cognome1")

	looks, err := w.Trust.Looks(ctx, who)
	must(t, err)
	for _, what := range []carpool.LookAt{carpool.LookFind, carpool.LookCall, carpool.LookSlip, carpool.LookSheet} {
		if !slices.ContainsFunc(looks, func(l carpool.Look) bool { return l.What == what && l.Who == "operatrice" }) {
			t.Errorf("she does not see %s: %+v", what, looks)
		}
	}
	other := w.employee("operatrice-altrove", login.Desk, login.Scope{Kind: login.OfComune, ID: "004073"})
	for _, path := range []string{at, "/passaggi/sportello/persona/" + string(who), "/passaggi/sportello/biglietto/" + string(booking)} {
		other.wants(other.get(path), 404)
	}
	must(t, w.Members.Withdraw(ctx, carpool.By{Account: "operatrice", Member: who, Desk: true}, who, carpool.ConsentDesk))
	op.wants(op.get("/passaggi/sportello/persona/"+string(who)), 200, "Registra il consenso")
	op.wants(op.get(at), 404)
	op.wants(op.get("/passaggi/sportello/biglietto/"+string(booking)), 404)
}

// TestPoliceStory is the way of papers on the real portal.
func TestPoliceStory(t *testing.T) {
	w := staffed(t)
	ctx := t.Context()
	d := w.resident(carpool.ConsentCheck)
	car, err := w.Members.PutVehicle(ctx, d.by, carpool.Vehicle{Driver: d.by.Member, Plate: "ZZ999ZZ", Label: "Punto blu", Class: "car", Seats: 4})
	must(t, err)
	_, err = w.Trust.Ask(ctx, d.by, car.ID, carpool.Check{Licence: "2030-01-31", Insurance: "2027-10-31", Roadworthy: "2028-01-31"}, nil)
	must(t, err)
	officer := w.employee("vigile-uno", login.Police, login.Scope{Kind: login.OfComune, ID: "004021"})
	queue := officer.wants(officer.get("/passaggi/polizia"), 200, "ZZ999ZZ", "prima volta")
	check := regexp.MustCompile(`href="(/passaggi/polizia/controllo/[^"]+)"`).FindStringSubmatch(queue)
	officer.wants(officer.get(check[1]), 200, "Punto blu", "31/10/2027")
	officer.led(officer.post(check[1]+"/sospendi", "sospensione", "Ha guidato un’auto diversa."), "/passaggi/polizia?fatto=proposta")
	officer.led(officer.post(check[1], "esito", "si", "patente", "2030-01-31", "assicurazione", "2027-10-31", "revisione", "2028-01-31"), "/passaggi/polizia?fatto=deciso")
	w.offer(d, car.ID, "2026-11-24", "09:00")
	mine := officer.wants(officer.get("/passaggi/polizia"), 200, "L’avete proposta voi")
	if strings.Contains(mine, "/decidi") {
		t.Error("whoever proposed a suspension may decide it")
	}
	second := w.employee("vigile-due", login.Police, login.Union)
	settle := regexp.MustCompile(`action="(/passaggi/polizia/sospensioni/[^"]+)/decidi"`).FindStringSubmatch(second.wants(second.get("/passaggi/polizia"), 200, "Ha guidato un’auto diversa."))
	officer.wants(officer.post(settle[1]+"/decidi", "esito", "si", "motivo", "sì"), 400, "persona diversa")
	second.led(second.post(settle[1]+"/decidi", "esito", "si", "motivo", "Confermo."), "/passaggi/polizia?fatto=decisa")
	m, err := w.Members.Get(ctx, d.by.Member)
	must(t, err)
	if m.State != carpool.Suspended {
		t.Errorf("%+v", m)
	}
	officer.led(officer.post(settle[1]+"/leva", "motivo", "Chiarito."), "/passaggi/polizia?fatto=levata")
	looks, err := w.Trust.Looks(ctx, d.by.Member)
	must(t, err)
	for _, what := range []carpool.LookAt{carpool.LookQueue, carpool.LookPapers} {
		if !slices.ContainsFunc(looks, func(l carpool.Look) bool { return l.What == what && l.Who == "vigile-uno" }) {
			t.Errorf("the driver does not see %s: %+v", what, looks)
		}
	}
	for _, path := range []string{"/passaggi/sportello", "/passaggi/gestione", "/passaggi/miei"} {
		officer.wants(officer.get(path), 403)
	}
}
