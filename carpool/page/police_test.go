package page_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// spoken says notices.
type spoken map[string]string

func (s spoken) say(_ context.Context, _, notice string) (string, error) { return s[notice], nil }

func TestOfficerSeesTheQueueAndNothingElse(t *testing.T) {
	o := newOffice(t)
	queue := o.as("polizia", "/passaggi/polizia")
	says(t, queue, 200, "In coda: 2", "AA111AA", "BB222BB", "Autista Tre", "prima volta", "quelli di prima valgono fino a martedì 1 dicembre 2026", "Li ho rinnovati.", "decide un’altra persona")
	hides(t, queue, "+393339998887", "Cortemilia, ospedale", "type=\"search\"", "name=\"cerca\"")
	check := o.as("polizia", "/passaggi/polizia/controllo/k-bergolo")
	says(t, check, 200, "AA111AA", "Autista Tre", "auto rossa", `value="31/03/2027"`, "Patente (1)", "Una alla volta"[1:], "prima volta")
	hides(t, check, "<img", "+393339998887") // no picture before it is asked for
	if !slices.Contains(o.did, "polizia: guarda k-bergolo") || check.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%q %v", o.did, check.Header())
	}
	says(t, o.as("polizia", "/passaggi/polizia/controllo/k-bergolo?immagine=i-1"), 200, `<img class="doc-image" src="/passaggi/polizia/controllo/k-bergolo/immagine/i-1"`)
	if n := strings.Count(staffMain(o.as("polizia", "/passaggi/polizia/controllo/k-bergolo?immagine=i-1")), "<img"); n != 1 {
		t.Errorf("%d pictures at once", n)
	}
	picture := o.as("polizia", "/passaggi/polizia/controllo/k-bergolo/immagine/i-1")
	if picture.Code != 200 || picture.Header().Get("Cache-Control") != "no-store" || picture.Header().Get("Content-Type") != "image/png" || picture.Header().Get("ETag") != "" || picture.Body.String() != string(onePixel) {
		t.Errorf("picture: %d %v", picture.Code, picture.Header())
	}
	if !slices.Contains(o.did, "polizia: guarda i-1 di k-bergolo") {
		t.Errorf("%q", o.did)
	}
	says(t, o.as("polizia", "/passaggi/polizia/controllo/k-bergolo/immagine/i-2"), 404) // it says it is HTML
	says(t, o.as("polizia", "/passaggi/polizia/controllo/k-nobody"), 404)

	at := "/passaggi/polizia/controllo/k-bergolo"
	if page := o.as("polizia", at).Body.String(); !regexp.MustCompile(`name="patente"[^>]* value="\d\d/\d\d/20\d\d"`).MatchString(page) || regexp.MustCompile(`value="20\d\d-`).MatchString(page) {
		t.Errorf("days as machines write them: %s", page)
	}
	for name, c := range map[string]struct {
		form []string
		want string
	}{
		"expired":   {[]string{"esito", "si", "patente", "2026-01-31", "assicurazione", "2027-01-31", "revisione", "2028-01-31"}, "È già scaduto"},
		"no date":   {[]string{"esito", "si", "patente", "", "assicurazione", "2027-01-31", "revisione", "2028-01-31"}, "Da riempire"},
		"bad date":  {[]string{"esito", "si", "patente", "31/13/2027", "assicurazione", "2027-01-31", "revisione", "2028-01-31"}, "Scrivete la data"},
		"no reason": {[]string{"esito", "no"}, "Scrivete il motivo"},
		"nothing":   {nil, ""},
		"strange":   {[]string{"esito", "forse"}, ""},
	} {
		rec := o.post("polizia", at, c.form...)
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, rec.Code, staffMain(rec))
		}
	}
	says(t, o.post("polizia-cortemilia", at, "esito", "no", "motivo", "x"), 404)
	leads(t, o.post("polizia", at, "esito", "si", "patente", "31/03/2027", "assicurazione", "31.1.27", "revisione", "2028-05-31"))
	if !slices.Contains(o.did, `polizia: decide k-bergolo true 2027-03-31 2027-01-31 2028-05-31 ""`) {
		t.Errorf("%q", o.did)
	}
	says(t, o.as("polizia", at), 404) // decided: it is not theirs to see any more
	says(t, o.post("polizia", at, "esito", "no", "motivo", "di nuovo"), 404)
	leads(t, o.post("polizia-cortemilia", "/passaggi/polizia/controllo/k-cortemilia", "esito", "no", "motivo", "foto sfocata"))
	says(t, o.as("polizia", "/passaggi/polizia"), 200, "Nessun documento da controllare")
}

func TestSuspensionNeedsFourEyes(t *testing.T) {
	o := newOffice(t)
	decide := "/passaggi/polizia/sospensioni/z-1/decidi"
	says(t, o.as("polizia", "/passaggi/polizia"), 200, "L’avete proposta voi")
	hides(t, o.as("polizia", "/passaggi/polizia"), decide)
	says(t, o.post("polizia", decide, "esito", "si", "motivo", "d’accordo"), 400, "persona diversa da chi")
	says(t, o.post("polizia-cortemilia", decide, "esito", "si", "motivo", "d’accordo"), 404) // a driver of Bergolo
	says(t, o.as("polizia-due", "/passaggi/polizia"), 200, decide)
	says(t, o.post("polizia-due", decide, "esito", "si"), 400, "Scrivete il motivo")
	says(t, o.post("polizia-due", decide, "esito", "x", "motivo", "x"), 400)
	if o.suspensions[0].State != "proposed" {
		t.Fatal(o.suspensions[0])
	}
	leads(t, o.post("polizia-due", decide, "esito", "si", "motivo", "d’accordo"))
	if o.suspensions[0].State != "in-force" {
		t.Error(o.suspensions[0])
	}
	stays := "/passaggi/polizia/sospensioni/z-2/resta"
	says(t, o.as("polizia-due", "/passaggi/polizia"), 200, "Li ho rinnovati.", "se resta lo decide un’altra persona")
	hides(t, o.as("polizia-due", "/passaggi/polizia"), stays)
	says(t, o.as("polizia", "/passaggi/polizia"), 200, "La sospensione resta: rispondi", stays)
	says(t, o.post("polizia-due", stays, "motivo", "restano scaduti"), 400, "Non è stato fatto")
	says(t, o.post("gestione-bergolo", "/passaggi/gestione/sospensioni/z-2/resta", "motivo", "restano scaduti"), 403) // of one comune alone
	says(t, o.post("polizia", stays), 400, "Scrivete il motivo")
	leads(t, o.post("gestione", "/passaggi/gestione/sospensioni/z-2/resta", "motivo", "restano scaduti"))
	says(t, o.as("gestione", "/passaggi/gestione/sospensioni"), 200, "restano scaduti", "risposto da gestione")
	says(t, o.post("polizia", stays, "motivo", "di nuovo"), 400, "Non è stato fatto")
	says(t, o.post("polizia-due", "/passaggi/polizia/sospensioni/z-2/leva"), 400, "Scrivete il motivo")
	leads(t, o.post("polizia-due", "/passaggi/polizia/sospensioni/z-2/leva", "motivo", "documenti rinnovati"))
	if o.suspensions[1].State != "lifted" {
		t.Error(o.suspensions[1])
	}
	says(t, o.post("polizia-due", "/passaggi/polizia/sospensioni/z-2/leva", "motivo", "di nuovo"), 404)
	says(t, o.post("polizia", "/passaggi/polizia/controllo/k-bergolo/sospendi", "sospensione", "guida sempre un’altra auto"), 400, "Non è stato fatto") // one is in force
	o.suspensions = nil
	says(t, o.post("polizia", "/passaggi/polizia/controllo/k-bergolo/sospendi", "sospensione", ""), 400, "Da riempire")
	leads(t, o.post("polizia", "/passaggi/polizia/controllo/k-bergolo/sospendi", "sospensione", "guida sempre un’altra auto"))
	says(t, o.as("gestione", "/passaggi/gestione/sospensioni"), 200, "guida sempre un’altra auto", "proposta da polizia")
	leads(t, o.post("gestione", "/passaggi/gestione/sospensioni/z-new/decidi", "esito", "no", "motivo", "basta un richiamo"))
	if o.suspensions[0].State != "refused" {
		t.Error(o.suspensions[0])
	}
}
