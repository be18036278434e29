package page_test

import (
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// Who has no page of their own has a wrong number put right, takes a consent
// back and is deleted at the desk, and whoever guards a minor after the minor.
func TestDeskPutsRightAndDeletes(t *testing.T) {
	o := newOffice(t)
	const anna = "/passaggi/sportello/persona/m-anna"
	says(t, o.as("sportello", anna), 200, "Correggere i dati, ritirare un consenso, cancellare")
	says(t, o.as("sportello", anna+"/dati"), 200, "Residente", "+390173123456", "Lo sportello prenota per questa persona")
	form := []string{"nome", "Residente", "cognome", "Dodici", "telefono", "0173 999888", "comune", bergolo, "casa", "si"}
	says(t, o.post("sportello", anna+"/dati", form...), 400, "Mettete il segno")
	says(t, o.post("sportello", anna+"/dati", append(form, "certo", "si", "persona", "m-bruno")...), 400)
	says(t, o.as("sportello", leads(t, o.post("sportello", anna+"/dati", append(form, "certo", "si")...))), 200, "I dati sono corretti", "+390173999888")
	says(t, o.post("sportello", anna+"/dati/consenso", "consenso", "terms"), 400)
	says(t, o.post("sportello", anna+"/dati/cancella"), 400, "Mettete il segno")
	if m := o.members["m-anna"]; m.State == carpool.Gone || m.Phone != "+390173999888" || !m.Landline {
		t.Errorf("kept %+v", m)
	}
	says(t, o.as("sportello", leads(t, o.post("sportello", anna+"/dati/cancella", "via", "si"))), 200, "La persona è cancellata")
	if o.members["m-anna"].State != carpool.Gone || o.did[len(o.did)-1] != "sportello (sportello) per m-anna: cancella" {
		t.Errorf("%+v, did %v", o.members["m-anna"], o.did)
	}
	says(t, o.as("sportello", anna+"/dati"), 404)

	const parent = "/passaggi/sportello/persona/m-genitore"
	says(t, o.as("sportello", parent+"/dati"), 200, "Minorenni di cui risponde", "Alunna Quattro")
	says(t, o.post("sportello", parent+"/dati/cancella", "via", "si"), 400, "cancellate prima il minorenne")

	const bruno = "/passaggi/sportello/persona/m-bruno"
	says(t, o.as("sportello", leads(t, o.post("sportello", bruno+"/dati/consenso", "consenso", "desk"))), 200, "Il consenso è ritirato")
	if o.did[len(o.did)-1] != "sportello (sportello) per m-bruno: ritira desk" {
		t.Errorf("did %v", o.did)
	}
	leads(t, o.as("sportello", bruno+"/dati")) // without consent back to where it is asked
	says(t, o.as("sportello", "/passaggi/sportello/persona/m-none/dati"), 404)
	says(t, o.as("polizia", anna+"/dati"), 403)
}

func TestDeskRecordByKeys(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	o := newOffice(t)
	url := o.run(t)
	const at = "/passaggi/sportello/persona/m-genitore/dati"
	staffLook(b, url, at)
	b.Check(url + at)
	seen := b.Keyboard(url+"/passaggi/sportello/persona/m-bruno/dati", browsertest.Way{NoScript: true, Width: 768, File: staffShot("dati-768")},
		browsertest.Step{To: "#via", Keys: " "}, browsertest.Step{To: `form[action$="/cancella"] button`, Keys: browsertest.Enter})
	if !strings.Contains(seen.Text, "La persona è cancellata") || o.members["m-bruno"].State != carpool.Gone {
		t.Errorf("deleted by keys: %s", seen.Text)
	}
}
