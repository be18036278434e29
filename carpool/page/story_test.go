package page_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
)

// TestALift is the walk of a rider and a driver through the pages, without
// JavaScript: search, ask, look, send, accept, talk, board, arrive.
func TestALift(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()

	const search = "/passaggi?da=bergolo-municipio&a=cortemilia-municipio&giorno=25/11/2026&ora=8.00&senso=arrivo"
	stranger := w.visitor()
	seen := stranger.wants(stranger.get(search), http.StatusOK, "07:10", "Perché ve lo proponiamo", "Chiedi questo passaggio", "stimati")
	for _, secret := range []string{driver.name, "Cognome1", "+39333120", "Panda", "AB0"} {
		if strings.Contains(seen, secret) {
			t.Errorf("a stranger's search shows %q", secret)
		}
	}
	body := rider.wants(rider.get(search), http.StatusOK, "07:10")
	if strings.Contains(body, driver.name) {
		t.Error("a member's search names the driver")
	}
	link := regexp.MustCompile(`href="(/passaggi/chiedi\?[^"]*corsa=[^"]*)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatalf("no link to ask: %s", body)
	}
	body = rider.wants(rider.get(strings.ReplaceAll(link[1], "&amp;", "&")), http.StatusOK)
	ride := regexp.MustCompile(`name="corsa" value="([^"]+)"`).FindStringSubmatch(body)[1]
	form := []string{"volta", onceIn(t, body), "corsa", ride, "da", "bergolo-municipio", "a", "cortemilia-municipio", "giorno", "2026-11-25", "ora", "08:00", "senso", "arrivo", "margine", "60", "ritorno", "aperto", "posti", "1", "nota", "Ho una borsa grande"}
	rider.wants(rider.post("/passaggi/chiedi", append(form, "passo", "controlla")...), http.StatusOK, "È tutto giusto?", "Ho una borsa grande", "Quando ho finito", "07:10")
	rider.wants(rider.post("/passaggi/chiedi", append(form, "passo", "correggi")...), http.StatusOK, "Ho una borsa grande")
	for range 2 { // a double press does it once
		rider.led(rider.post("/passaggi/chiedi", append(form, "passo", "invia")...), "/passaggi/miei?fatto=prenotato")
	}
	requests, err := w.Bookings.Requests(t.Context(), rider.by.Member)
	must(t, err)
	if len(requests) != 2 { // there, and back
		t.Fatalf("%d requests", len(requests))
	}
	body = rider.wants(rider.get("/passaggi/miei?fatto=prenotato"), http.StatusOK, "Abbiamo chiesto a chi guida", "Come tornate a casa", "La visita è finita", "Con chi guida")
	if strings.Contains(body, driver.name) || strings.Contains(body, "Cognome1") || strings.Contains(body, "Cognome2") || strings.Contains(body, "tel:+39333") {
		t.Error("before the acceptance the rider sees surname or number")
	}
	booking := regexp.MustCompile(`/passaggi/miei/b-[a-z0-9]+`).FindString(body)

	body = driver.wants(driver.get(booking), http.StatusOK, "Sì, lo porto", "No, non posso", rider.name)
	if strings.Contains(body, "Cognome1") || strings.Contains(body, "Cognome2") || strings.Contains(body, "tel:+39333") {
		t.Error("before the acceptance the driver sees surname or number")
	}
	driver.led(driver.post(booking, "volta", onceIn(t, body), "fa", "accept"), booking+"?fatto=accettato")
	driver.wants(driver.get(booking), http.StatusOK, "Cognome2", "+39333120")
	body = rider.wants(rider.get(booking), http.StatusOK, "Cognome1", "+39333120", "Panda rossa", "Accettato", "112")

	rider.led(rider.post(booking+"/messaggio", "volta", onceIn(t, body), "testo", "Sarò davanti al <b>municipio</b>"), booking+"?fatto=messaggio")
	driver.wants(driver.get(booking), http.StatusOK, "Sarò davanti al &lt;b&gt;municipio")
	body = rider.wants(rider.get(booking), http.StatusOK)
	rider.led(rider.post(booking+"/segnala", "volta", onceIn(t, body), "tipo", "money", "racconto", "Ha chiesto venti euro"), booking+"?fatto=segnalato")
	rider.wants(rider.post(booking+"/segnala", "volta", "another-nonce-of-a-test", "tipo", "money", "racconto", ""), http.StatusBadRequest, "Questo serve")

	third := w.resident()
	third.wants(third.get(booking), http.StatusNotFound)
	third.wants(third.post(booking, "fa", "cancel"), http.StatusNotFound)

	w.at(time.Date(2026, 11, 25, 6, 5, 0, 0, time.UTC))
	rider.enter()
	driver.enter()
	driver.led(driver.post(booking, "fa", "board"), booking+"?fatto=salito")
	w.at(time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC))
	rider.enter()
	rider.led(rider.post(booking, "fa", "complete"), booking+"?fatto=arrivato")
	back := ""
	requests, err = w.Bookings.Requests(t.Context(), rider.by.Member)
	must(t, err)
	for _, r := range requests {
		if r.Outward != "" {
			back = string(r.ID)
		}
	}
	rider.led(rider.post("/passaggi/richieste/"+back, "fa", "pronto"), "/passaggi/miei?fatto=pronto")
	rider.wants(rider.get("/passaggi/miei"), http.StatusOK, "Come tornate a casa")
	third.enter()
	third.wants(third.post("/passaggi/richieste/"+back, "fa", "pronto"), http.StatusForbidden)
	rider.led(rider.post(booking+"/blocca", "certo", "si"), booking+"?fatto=bloccato")
	if blocks, err := w.Members.Blocks(t.Context(), rider.by.Member); err != nil || len(blocks) != 1 || blocks[0] != driver.by.Member {
		t.Errorf("blocks: %v %v", blocks, err)
	}
	rider.wants(rider.get("/passaggi/profilo"), http.StatusOK, "Togli il blocco")
}

// TestCancel asks before it is done, and wants a reason.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	rider.wants(rider.get(booking+"/annulla"), http.StatusOK, "Annullare il passaggio?", "Chi guida vi aspetta")
	rider.wants(rider.post(booking+"/annulla", "motivo", ""), http.StatusBadRequest, "Questo serve")
	rider.led(rider.post(booking+"/annulla", "motivo", "Sono malato"), booking+"?fatto=annullato")
	rider.wants(rider.get(booking), http.StatusOK, "Annullato", "Sono malato")
	rider.led(rider.get(booking+"/annulla"), booking)
}

// TestTheCarStopped: whoever is aboard says so, with 112 in sight; what was meant
// as a cancellation before they got in is not taken for it.
func TestTheCarStopped(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	driver.led(driver.post(booking, "fa", "accept"), booking+"?fatto=accettato")
	w.at(time.Date(2026, 11, 25, 6, 5, 0, 0, time.UTC))
	rider.enter()
	driver.enter()
	if body := driver.wants(driver.get(booking), http.StatusOK, ">Annulla<"); strings.Contains(body, "L’auto si è fermata") {
		t.Error("a car that has not left may have stopped")
	}
	w.at(time.Date(2026, 11, 25, 6, 11, 0, 0, time.UTC))
	driver.wants(driver.get(booking), http.StatusOK, ">Annulla<", "L’auto si è fermata")
	driver.wants(driver.get(booking+"/annulla"), http.StatusOK, "Annullare il passaggio?")
	driver.wants(driver.get(booking+"/annulla?fa=stopped"), http.StatusOK, "L’auto si è fermata?", "tel:112")
	driver.led(driver.post(booking, "fa", "board"), booking+"?fatto=salito")
	body := driver.wants(driver.get(booking), http.StatusOK, "L’auto si è fermata")
	if strings.Contains(body, ">Annulla<") || strings.Contains(body, "mai salito") {
		t.Error("the driver of one who is aboard may cancel")
	}
	rider.wants(rider.get(booking), http.StatusOK, "L’auto si è fermata")
	driver.wants(driver.get(booking+"/annulla"), http.StatusOK, "chiama chi è in auto con voi", "tel:112")
	rider.wants(rider.get(booking+"/annulla"), http.StatusOK, "lo sportello chiama voi", "tel:112")
	rider.wants(rider.post(booking+"/annulla", "motivo", "non vengo"), http.StatusConflict, "è già a bordo")
	rider.led(rider.post(booking+"/annulla", "fa", "stopped"), booking+"?fatto=fermata")
	rider.wants(rider.get(booking+"?fatto=fermata"), http.StatusOK, "Lo abbiamo detto allo sportello", "l’auto si è fermata per strada")
	rider.wants(rider.get("/passaggi/miei"), http.StatusOK, "L’auto si è fermata: lo sportello vi chiama appena può. In caso di pericolo, 112.")
	driver.wants(driver.get(booking), http.StatusOK, "Annullato")
}

// booked asks for the lift of a day and gives the page of the booking.
func (w *world) booked(rider *visitor, day carpool.Date) string {
	w.t.Helper()
	at, err := carpool.Clock("08:00").On(day, w.shell.Location())
	must(w.t, err)
	q, err := w.Bookings.Request(w.t.Context(), rider.by, carpool.Request{Rider: rider.by.Member, By: rider.by.Account, From: w.place("bergolo-municipio"), To: w.place("cortemilia-municipio"),
		When: carpool.Window{From: at.Add(-time.Hour), To: at, Arrive: true}, MaxWalk: 15 * time.Minute}, nil, "request-of-a-test-"+rider.by.Account)
	must(w.t, err)
	a, err := w.Bookings.Search(w.t.Context(), carpool.Ask{For: rider.by.Member, From: q.From, To: q.To, When: q.When, Seats: 1, MaxWalk: q.MaxWalk})
	must(w.t, err)
	if len(a.Matches) == 0 {
		w.t.Fatal("no match")
	}
	b, err := w.Bookings.Book(w.t.Context(), rider.by, q.ID, a.Matches[0], "booking-of-a-test-"+rider.by.Account)
	must(w.t, err)
	return "/passaggi/miei/" + string(b.ID)
}
