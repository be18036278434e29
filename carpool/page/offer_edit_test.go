package page_test

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
)

// TestChangeOffer moves an offer to another time and other days: whoever rides
// already keeps what was agreed.
func TestChangeOffer(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	driver, car := w.driver()
	o, err := w.Offers.Add(ctx, driver.by, carpool.Offer{Driver: driver.by.Member, Vehicle: car, From: w.place("bergolo-municipio"), To: w.place("cortemilia-municipio"),
		When: carpool.Schedule{Time: "07:10", Rule: "FREQ=WEEKLY;BYDAY=WE", First: "2026-11-24", Except: []carpool.Date{"2026-12-23"}}, Seats: 2, MilliEURKm: 50, Note: "Parto puntuale"}, "offer-of-a-test-to-change")
	must(t, err)
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	driver.led(driver.post(booking, "fa", "accept"), booking+"?fatto=accettato")

	page := "/passaggi/offerte/" + string(o.ID)
	driver.wants(driver.get(page), http.StatusOK, page+"/cambia", "Cambia l’ora, i giorni o i posti")
	body := driver.wants(driver.get(page+"/cambia"), http.StatusOK, "Cambiare un’offerta", "ogni mercoledì alle 07:10", `value="07:10"`, `value="2026-12-23"`, "Parto puntuale", "viaggia come d’accordo")
	for _, on := range []string{`value="settimana" checked`, `value="WE" checked`} {
		if !strings.Contains(body, on) {
			t.Errorf("the form has no %s", on)
		}
	}
	form := []string{"volta", onceIn(t, body), "volte", "settimana", "ora", "06:50", "dal", "2026-11-24", "giorni", "WE", "giorni", "FR", "liberi", "3", "abordo", "0", "deviazione", "20", "anticipo", "5", "nota", "Ho cambiato turno"}
	for range 2 {
		driver.led(driver.post(page+"/cambia", form...), page+"?fatto=cambiato")
	}
	driver.wants(driver.get(page+"?fatto=cambiato"), http.StatusOK, "Offerta cambiata.", "ogni mercoledì, venerdì alle 06:50", "Ho cambiato turno")
	rides, err := w.Offers.Rides(ctx, driver.by.Member, monday, monday.AddDate(0, 0, 14))
	must(t, err)
	var times []string
	for _, r := range rides {
		if r.State == carpool.RideOpen {
			times = append(times, r.Depart.In(w.shell.Location()).Format("02/01 15:04"))
		}
	}
	if got := strings.Join(times, ", "); got != "25/11 07:10, 27/11 06:50, 02/12 06:50, 04/12 06:50" {
		t.Errorf("rides: %s", got)
	}
	rider.wants(rider.get(booking), http.StatusOK, "07:10", "Accettato")
	notices, err := w.Members.Notices(ctx, rider.by.Member, 20)
	must(t, err)
	told := false
	for _, n := range notices {
		told = told || n.Kind == carpool.NoticeMoved && n.With[carpool.WithReason] == carpool.ReasonOfferChanged
	}
	if !told {
		t.Errorf("the rider is not told: %+v", notices)
	}
	out := driver.get(page + "/cambia")
	jar := driver.http.Jar
	driver.http.Jar, _ = cookiejar.New(nil) // the session has ended meanwhile
	gone := driver.post(page+"/cambia", append(form[2:], "per", whose.FindStringSubmatch(out.Body)[1])...)
	driver.http.Jar = jar
	if at := gone.Header.Get("Location"); gone.StatusCode != http.StatusSeeOther || !strings.Contains(at, "cambia%3Fripresa%3D1") {
		t.Errorf("a form sent after the session: %d to %q", gone.StatusCode, at)
	}
	driver.wants(driver.post(page+"/cambia", "volte", "settimana", "ora", "25:10", "dal", "2026-11-24", "liberi", "2"), http.StatusBadRequest, "Scrivete l’ora così", "almeno un giorno")
	driver.wants(driver.post(page+"/cambia", append(form[2:], "auto", string(car))...), http.StatusBadRequest)
	full := driver.post(page+"/cambia", "volte", "settimana", "ora", "06:50", "dal", "2026-11-24", "giorni", "WE", "liberi", "4", "abordo", "2")
	driver.wants(full, http.StatusBadRequest, "In quest’auto non ci sono tanti posti.")
	rider.wants(rider.get(page+"/cambia"), http.StatusNotFound)
	rider.wants(rider.post(page+"/cambia", form[2:]...), http.StatusNotFound)
	must(t, w.Offers.End(ctx, driver.by, o.ID, ""))
	driver.wants(driver.get(page+"/cambia"), http.StatusConflict)
}
