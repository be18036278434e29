package page_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

const formKind = "application/x-www-form-urlencoded"

// to is where a form leads.
func to(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	if rec.Code != 303 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return rec.Header().Get("Location")
}

func wants(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(body, s) {
			t.Errorf("no %q", s)
		}
	}
}

// A technician without JavaScript: reads, reviews, applies, waits, confirms.
func TestChangeByForms(t *testing.T) {
	w := newWorld(t)
	first := w.get("/rete/modifiche").Body.String()
	wants(t, first, "Non ancora letti", "Leggi gli apparati adesso", "aspetta conferma")
	if strings.Contains(first, "Rivedi quelli scelti") || w.changer.asked != nil {
		t.Error("the page reads devices by itself")
	}
	if got := to(t, w.as("tecnica", "POST", "/rete/modifiche/leggi")); got != "/rete/modifiche#differenze" {
		t.Errorf("after reading: %s", got)
	}
	list := w.get("/rete/modifiche").Body.String()
	wants(t, list, `name="apparato" value="mombarcaro-est"`, "5500\u00a0MHz", "5540\u00a0MHz", "Frequenza di wlan1", "l’apparato, a mano", "non impostato", "Interfaccia di 10.38.0.1/24",
		"bossolasco-est", "connection refused", `&#34;prova\x00&lt;b&gt;&#34;`, "(vuoto)", "Apparati diversi dai file: 2. Uguali: 1.", "Apparati cambiati a mano o azzerati: 2.")
	if strings.Contains(list, `value="saliceto-est"`) {
		t.Error("a device that is as it should be can be chosen")
	}

	review := w.get("/rete/modifiche/nuova?apparato=mombarcaro-est&apparato=mombarcaro-est&apparato=bossolasco-est").Body.String()
	wants(t, review, `name="impronta" value="d1"`, `name="apparato" value="mombarcaro-est"`, `<option value="90" selected>`, "mombarcaro-cortemilia")
	if strings.Contains(review, `value="bossolasco-est"`) || strings.Contains(review, "cortemilia-ovest ·") {
		t.Error("the form applies to devices that were not chosen or not read")
	}
	if got := to(t, w.get("/rete/modifiche/nuova")); got != "/rete/modifiche#differenze" {
		t.Errorf("a review of nothing: %s", got)
	}
	wants(t, w.get("/rete/modifiche/nuova?apparato=saliceto-est").Body.String(), "Nessuna differenza da applicare")

	f := url.Values{"impronta": {"d1"}, "apparato": {"mombarcaro-est"}, "tenuta": {"180"}, "manuale": {"si"}}
	at := to(t, w.send("tecnica", "POST", "/rete/modifiche", formKind, f.Encode()))
	if at != "/rete/modifiche/c17" || len(w.changer.applied) != 1 {
		t.Fatalf("applied: %s %v", at, w.changer.applied)
	}
	if got := w.changer.applied[0]; got.Hold != 3*time.Minute || !got.Manual || got.Digest != "d1" || !slices.Equal(got.Devices, []network.DeviceID{"mombarcaro-est"}) {
		t.Errorf("asked %+v", got)
	}
	wants(t, w.get(at).Body.String(), "preparata", "Annulla e torna indietro", "tecnica")
	wants(t, w.get("/rete/modifiche").Body.String(), "conviene rileggere")

	for _, bad := range []url.Values{
		{"impronta": {"d1"}, "tenuta": {"90"}}, {"apparato": {"mombarcaro-est"}, "tenuta": {"90"}}, {"impronta": {"d1"}, "apparato": {"mombarcaro-est"}, "tenuta": {"1"}},
		{"impronta": {"d1"}, "apparato": {""}, "tenuta": {"90"}}, {"impronta": {"d1"}, "apparato": {"a"}, "tenuta": {"1e9"}},
	} {
		if rec := w.send("tecnica", "POST", "/rete/modifiche", formKind, bad.Encode()); rec.Code != 400 {
			t.Errorf("%v: %d", bad, rec.Code)
		}
	}
	f.Set("impronta", "d0")
	rec := w.send("tecnica", "POST", "/rete/modifiche", formKind, f.Encode())
	if rec.Code != 409 {
		t.Errorf("stale differences: %d", rec.Code)
	}
	wants(t, rec.Body.String(), "nel frattempo qualcosa è cambiato", "no longer those that were shown", `name="impronta" value="d1"`, "Rivedi la modifica")
	if len(w.changer.applied) != 1 {
		t.Errorf("applied %v", w.changer.applied)
	}

	waiting := w.get("/rete/modifiche/c16").Body.String()
	wants(t, waiting, `action="/rete/modifiche/c16/conferma"`, `action="/rete/modifiche/c16/annulla"`, `data-left="58">0:58<`, "Da confermare entro le 10:48:10.", "alle 10:48:25", "crinale-undo-c", "2 settings of 2 devices")
	wants(t, w.get("/rete/modifiche/c15").Body.String(), `data-left="73">1:13<`, "alle 10:48:25") // nobody need confirm it yet
	if got := to(t, w.as("tecnica", "POST", "/rete/modifiche/c16/conferma")); got != "/rete/modifiche/c16" {
		t.Errorf("confirmed: %s", got)
	}
	confirmed := w.get("/rete/modifiche/c16").Body.String()
	wants(t, confirmed, "La modifica resta.", "Torna alle impostazioni di prima")
	if strings.Contains(confirmed, "data-left") || strings.Contains(confirmed, "data-under-way") || strings.Contains(confirmed, "/conferma") {
		t.Error("a change that has ended still counts")
	}
	if got := to(t, w.as("tecnica", "POST", "/rete/modifiche/c16/annulla")); got != "/rete/modifiche/c18" {
		t.Errorf("reverted: %s", got)
	}
	wants(t, w.get("/rete/modifiche/c18").Body.String(), `href="/rete/modifiche/c16"`, "Riporta indietro")
	if rec := w.as("tecnica", "POST", "/rete/modifiche/c4/conferma"); rec.Code != 409 || !strings.Contains(rec.Body.String(), "Troppo tardi") || !strings.Contains(rec.Body.String(), "Nessuno ha confermato in tempo.") {
		t.Errorf("confirmed too late: %d", rec.Code)
	}
	if rec := w.get("/rete/modifiche/nessuna"); rec.Code != 404 {
		t.Errorf("no such change: %d", rec.Code)
	}
	// A link on a page of another site must not begin anything.
	for _, path := range []string{"/rete/modifiche/leggi", "/rete/modifiche/c16/conferma", "/rete/modifiche/c16/annulla"} {
		if rec := w.get(path); rec.Code == 200 || rec.Code == 303 {
			t.Errorf("GET %s: %d", path, rec.Code)
		}
	}
}

// Every state, step and cause has its words in both languages, and only the
// buttons that do something.
func TestChangePagesInEveryState(t *testing.T) {
	w := newWorld(t)
	missing := regexp.MustCompile(`>\s*(?:[a-z]+\.)+[a-z-]+\s*<|%!|ZgotmplZ`)
	for _, rec := range w.changer.recs {
		for _, lang := range []string{"it", "en"} {
			body := w.get("/rete/modifiche/" + rec.ID + "?lang=" + lang).Body.String()
			if m := missing.FindString(body); m != "" {
				t.Errorf("%s in %s: %q", rec.State, lang, m)
			}
			// A code without words would stand there as it is.
			codes := []string{"</svg>" + string(rec.State) + "</span>", string(rec.Devices[0].State) + "</span>", " " + string(rec.Cause) + "</p>"}
			if i := slices.IndexFunc(codes, func(c string) bool { return c != " </p>" && strings.Contains(body, c) }); lang == "it" && i >= 0 {
				t.Errorf("%s has no words: %s", rec.State, codes[i])
			}
			undo, confirm := strings.Contains(body, `id="annulla-`), strings.Contains(body, `id="conferma-`)
			revert := strings.Contains(body, `id="ritorno"`)
			wantUndo := !rec.State.Ended() && rec.State != controller.ChangeConfirming && rec.State != controller.ChangeUndoing
			if undo != wantUndo || confirm != (rec.State == controller.ChangeWaiting) || revert != (rec.State == controller.ChangeConfirmed) {
				t.Errorf("%s: confirm %v, undo %v, revert %v", rec.State, confirm, undo, revert)
			}
			if strings.Contains(body, "data-under-way") == rec.State.Ended() {
				t.Errorf("%s: the page does not know whether it is under way", rec.State)
			}
		}
	}
	for _, lang := range []string{"it", "en"} {
		w.as("tecnica", "POST", "/rete/modifiche/leggi")
		for _, path := range []string{"/rete/modifiche", "/rete/modifiche/nuova?apparato=mombarcaro-est&apparato=cortemilia-ovest&apparato=bossolasco-est"} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			if m := missing.FindString(w.get(path + sep + "lang=" + lang).Body.String()); m != "" {
				t.Errorf("%s in %s: %q", path, lang, m)
			}
		}
	}
}

func TestHistoryOfChangesInPages(t *testing.T) {
	w := newWorld(t)
	last := w.changer.recs[len(w.changer.recs)-1]
	for i := range 30 {
		last.ID = "old" + string(rune('a'+i%26)) + string(rune('0'+i/26))
		w.changer.recs = append(w.changer.recs, last)
	}
	body := w.get("/rete/modifiche").Body.String()
	next := regexp.MustCompile(`href="(/rete/modifiche\?prima=[^"]+)"`)
	seen, pages := map[string]bool{}, 0
	row := regexp.MustCompile(`href="/rete/modifiche/([a-z0-9]+)"`)
	for {
		pages++
		for _, m := range row.FindAllStringSubmatch(body, -1) {
			seen[m[1]] = true
		}
		m := next.FindStringSubmatch(body)
		if m == nil {
			break
		}
		target, _, _ := strings.Cut(m[1], "#")
		body = w.get(target).Body.String()
		if strings.Contains(body, "Leggi gli apparati") {
			t.Error("older pages show the differences again")
		}
	}
	if pages != 3 || len(seen) != 46 {
		t.Errorf("%d changes on %d pages", len(seen), pages)
	}
	if rec := w.get("/rete/modifiche?prima=nessuna"); rec.Code != 404 {
		t.Errorf("before no change: %d", rec.Code)
	}
}

func TestReadingThatFails(t *testing.T) {
	w := newWorld(t)
	w.changer.err = fault.New(fault.Invalid, "network/sites.yaml: line 3: lat: not a number")
	rec := w.as("tecnica", "POST", "/rete/modifiche/leggi")
	if rec.Code != 400 || !strings.Contains(rec.Body.String(), "line 3") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// What the controller read by itself is shown too, whichever is newer.
func TestDriftIsShown(t *testing.T) {
	w := newWorld(t)
	d := w.changer.diff
	d.At = now.Add(-5 * time.Minute)
	w.changer.drift = &d
	wants(t, w.get("/rete/modifiche").Body.String(), "5 min fa</time>)", "Apparati cambiati a mano o azzerati: 2.")
	w.as("tecnica", "POST", "/rete/modifiche/leggi") // of three minutes ago
	wants(t, w.get("/rete/modifiche").Body.String(), "3 min fa</time>)")
	d.At = now.Add(-2 * time.Minute)
	wants(t, w.get("/rete/modifiche").Body.String(), "2 min fa</time>)")
}

// A change that came to nothing does not send anybody looking at devices.
func TestFailedWithoutTouching(t *testing.T) {
	w := newWorld(t)
	for i := range w.changer.recs[14].Devices {
		w.changer.recs[14].Devices[i].State = controller.StepUntouched
	}
	body := w.get("/rete/modifiche/c2").Body.String()
	wants(t, body, "Non è cambiato nulla")
	if strings.Contains(body, "Qualcosa va guardato") {
		t.Error("devices that were not touched are to be looked at")
	}
	wants(t, w.get("/rete/modifiche/c1").Body.String(), "Qualcosa va guardato", "La modifica c3 era rimasta a metà", "tentativo 2", "Già a posto: saliceto-est")
}
