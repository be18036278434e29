package page_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// A suspended member reads why, since when and until when, appeals once, and
// reads the answer. Nobody else's suspension answers in another way than one
// that is not there.
func TestSuspendedMemberReadsWhyAndAppeals(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	v, other := w.resident(), w.resident()
	first, second := carpool.By{Account: "vigile"}, carpool.By{Account: "ufficio"}
	s, err := w.Trust.Propose(ctx, first, v.by.Member, "ha chiesto <b>venti</b> euro")
	must(t, err)
	if strings.Contains(v.get("/passaggi/miei").Body, "venti") {
		t.Error("what is only proposed is shown")
	}
	at := "/passaggi/sospensioni/" + s.ID
	_, err = w.Trust.Settle(ctx, second, s.ID, true, "sentiti i passeggeri")
	must(t, err)
	v = v.again()
	v.wants(v.get("/passaggi/miei"), http.StatusOK, "La vostra partecipazione è sospesa", "Da lunedì 23 novembre 2026", "ha chiesto <b>venti</b> euro", "sentiti i passeggeri", "finché l’Unione non la toglie", at)
	v.wants(v.get("/passaggi/profilo"), http.StatusOK, "La vostra partecipazione è sospesa")
	if body := v.get("/passaggi/miei").Body; strings.Contains(body, "<b>venti") || strings.Contains(body, "vigile") || strings.Contains(body, "ufficio") {
		t.Error("the page shows who decided, or what was written as more than text")
	}
	theirs, none := other.post(at, "risposta", "non è vero"), other.post("/passaggi/sospensioni/z-none", "risposta", "non è vero")
	if theirs.StatusCode != http.StatusForbidden || none.StatusCode != theirs.StatusCode || text(mainOf(none.Body)) != text(mainOf(theirs.Body)) {
		t.Errorf("somebody else's: %d, none: %d", theirs.StatusCode, none.StatusCode)
	}
	v.wants(v.post(at, "risposta", " "), http.StatusBadRequest, "Questo serve")
	long := strings.Repeat("lungo ", 110)
	if body := v.wants(v.post(at, "risposta", long), http.StatusBadRequest, "Troppo lungo"); !strings.Contains(body, long[:500]) {
		t.Error("what was typed is lost")
	}
	v.led(v.post(at, "risposta", "Erano i soldi\ndel pedaggio."), "/passaggi/miei?fatto=risposta")
	v.wants(v.get("/passaggi/miei?fatto=risposta"), http.StatusOK, "L’Unione legge e vi risponde", "Erano i soldi", "Mandato lunedì 23 novembre 2026")
	if strings.Contains(v.get("/passaggi/miei").Body, at) {
		t.Error("a second appeal can be sent")
	}
	v.wants(v.post(at, "risposta", "di nuovo"), http.StatusConflict)
	_, err = w.Trust.Uphold(ctx, second, s.ID, "il pedaggio non c’era")
	must(t, err)
	v.wants(v.get("/passaggi/miei"), http.StatusOK, "Risposta dell’Unione, lunedì 23 novembre 2026: la sospensione resta.", "il pedaggio non c’era")
	_, err = w.Trust.Lift(ctx, first, s.ID, "chiarito con tutti")
	must(t, err)
	v.wants(v.get("/passaggi/miei"), http.StatusOK, "La sospensione è finita lunedì 23 novembre 2026", "chiarito con tutti")
	w.at(w.clock().Add(31 * 24 * time.Hour))
	v = v.again()
	if strings.Contains(v.get("/passaggi/miei").Body, "chiarito con tutti") {
		t.Error("it stands on the page for ever")
	}
}

// again is the same person at another browser, signed in.
func (v *visitor) again() *visitor {
	n := v.w.visitor()
	n.by, n.name, n.alias = v.by, v.name, v.alias
	n.enter()
	return n
}

// TestSuspendedInABrowser looks at the page with the form, and appeals by keys
// alone.
func TestSuspendedInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	v := w.resident()
	s, err := w.Trust.Propose(t.Context(), carpool.By{Account: "vigile"}, v.by.Member, "Ha chiesto venti euro per il passaggio.")
	must(t, err)
	_, err = w.Trust.Settle(t.Context(), carpool.By{Account: "ufficio"}, s.ID, true, "")
	must(t, err)
	b.Keyboard(w.URL+"/entra?dopo=%2Fpassaggi%2Fmiei", browsertest.Way{}, step("#nome", v.alias), step("#password", good), push("/entra"))
	b.Check(w.URL + "/passaggi/miei")
	if photo("") != "" {
		b.Screenshot(w.URL+"/passaggi/miei", 360, photo("sospeso-360"))
	}
	sent := b.Keyboard(w.URL+"/passaggi/miei", browsertest.Way{NoScript: true, File: photo("sospeso-risposto-360")}, step("#risposta", "Erano i soldi del pedaggio."), push("/passaggi/sospensioni/"+s.ID))
	if !strings.Contains(sent.Text, "Avete scritto: Erano i soldi del pedaggio.") {
		t.Errorf("%s: %s", sent.URL, sent.Text)
	}
}

// TestTheDeskReadsASuspensionOut to who agreed that it acts for them: who is only
// on the phone has no page to read it on.
func TestTheDeskReadsASuspensionOut(t *testing.T) {
	o := newOffice(t)
	for _, id := range []carpool.MemberID{"m-bruno", "m-senza"} {
		m := o.members[id]
		m.State = carpool.Suspended
		o.members[id] = m
	}
	o.suspensions = append(o.suspensions,
		carpool.Suspension{ID: "z-3", Member: "m-senza", State: carpool.SuspensionInForce, Reason: "Chiede soldi."},
		carpool.Suspension{ID: "z-4", Member: "m-bruno", State: carpool.SuspensionLifted, Reason: "Vecchia storia."})
	o.suspensions[1].Settled = "Sentiti i passeggeri."
	bruno := o.as("sportello", "/passaggi/sportello/persona/m-bruno")
	says(t, bruno, 200, "è sospesa", "Il motivo, come sta sulla sua pagina:", "Documenti scaduti.", "Sentiti i passeggeri.")
	hides(t, bruno, "Vecchia storia", "polizia-due", "gestione")
	senza := o.as("sportello", "/passaggi/sportello/persona/m-senza")
	says(t, senza, 200, "è sospesa", "Consenso della persona")
	hides(t, senza, "Chiede soldi")
	if file := staffShot("sportello-sospesa-360"); file != "" {
		browsertest.Open(t).Screenshot(o.run(t)+"/passaggi/sportello/persona/m-bruno", 360, file)
	}
}

// TestAnotherNameIsWarnedOf where the police have looked at somebody's papers,
// or are about to.
func TestAnotherNameIsWarnedOf(t *testing.T) {
	w := newWorld(t)
	const warning = "Se cambiate nome o cognome"
	driver, _ := w.driver()
	driver.wants(driver.get("/passaggi/profilo"), http.StatusOK, warning)
	if rider := w.resident(); strings.Contains(rider.get("/passaggi/profilo").Body, warning) {
		t.Error("who does not drive is warned")
	}
	if file := photo("profilo-nome-360"); file != "" {
		b := browsertest.Open(t)
		b.Keyboard(w.URL+"/entra?dopo=%2Fpassaggi%2Fprofilo", browsertest.Way{}, step("#nome", driver.alias), step("#password", good), push("/entra"))
		b.Screenshot(w.URL+"/passaggi/profilo", 360, file)
	}
}
