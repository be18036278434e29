package page_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// english are words that stand in the portal's errors and in no Italian text.
var english = regexp.MustCompile(`\b(the|it|is|you|write|booking|this|phone|look)\b`)

// TestFaultsInItalian makes the mistakes that residents make, and reads no
// English on their pages.
func TestFaultsInItalian(t *testing.T) {
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	new := w.resident()
	offer := []string{"auto", string(car), "da", "bergolo-municipio", "a", "cortemilia-municipio", "volte", "una", "giorno", "2026-11-25", "ora", "07:12", "liberi", "1"}
	profile := []string{"nome", "Residente", "cognome", "Prova", "comune", "004021", "email", rider.alias, "lingua", "it"}
	for _, c := range []struct {
		v      *visitor
		path   string
		form   []string
		status int
		says   string
	}{
		{new, "/passaggi/auto", []string{"nome-auto", "Panda", "targa", "!!", "classe", "car", "posti-auto", "4"}, 400, "Scrivete la targa come sta sull’auto"},
		{driver, "/passaggi/offri", offer, 409, "A quell’ora guidate già un altro viaggio."},
		{driver, booking, []string{"fa", "complete"}, 0, ""},
		{rider, booking, []string{"fa", "board"}, 0, ""},
		{rider, "/passaggi/profilo", append(profile, "telefono", "12"), 400, "Scrivete il numero con il prefisso"},
		{rider, "/passaggi/profilo", append(profile, "telefono", "333 1234567", "fidata-nome", "Figlia"), 400, "telefono della persona di fiducia"},
		{rider, "/passaggi/profilo", append(profile, "telefono", "333 1234567", "fiscale", "X"), 400, "sedici lettere e numeri"},
	} {
		g := c.v.do("POST", c.path, fields(c.form...), "Content-Type", "application/x-www-form-urlencoded", "Origin", w.URL, "Accept-Language", "it")
		content := text(mainOf(g.Body))
		if c.status != 0 && g.StatusCode != c.status || g.StatusCode < 400 {
			t.Errorf("%s %v: %d: %s", c.path, c.form, g.StatusCode, content)
		}
		if !strings.Contains(content, c.says) {
			t.Errorf("%s %v: no %q in: %s", c.path, c.form, c.says, content)
		}
		if m := english.FindString(content); m != "" {
			t.Errorf("%s %v: English %q in: %s", c.path, c.form, m, content)
		}
	}
	if g := driver.post(booking, "fa", "accept"); g.StatusCode != http.StatusSeeOther {
		t.Fatalf("accept: %d", g.StatusCode)
	}
	driver.wants(driver.post(booking, "fa", "board"), http.StatusBadRequest, "È ancora presto")
}
