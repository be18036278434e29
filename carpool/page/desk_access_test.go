package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// The desk confirms with what somebody signs in, once it has seen whose it is.
func TestDeskConfirmsAWayIn(t *testing.T) {
	accounts := &officeAccounts{set: map[string]string{}}
	o := newOffice(t, func(d *page.StaffDeps) { d.Accounts = accounts })
	o.accounts = accounts
	const anna = "/passaggi/sportello/persona/m-anna"
	hides(t, o.as("sportello", anna), "Entrare nella pagina dei passaggi") // no account of her own
	m := o.members["m-anna"]
	m.Account = "r-anna"
	o.members["m-anna"] = m
	says(t, o.as("sportello", anna), 200, "Entrare nella pagina dei passaggi", "+390173123456")
	says(t, o.post("sportello", anna+"/accesso", "certo", "si"), 400, "Scegliete con che cosa entra")
	says(t, o.post("sportello", anna+"/accesso", "accesso", "phone"), 400, "confermate solo quello che avete visto")
	says(t, o.post("sportello", anna+"/accesso", "accesso", "mail", "certo", "si"), 400)
	if len(accounts.set) != 0 {
		t.Fatalf("set %v", accounts.set)
	}
	says(t, o.as("sportello", leads(t, o.post("sportello", anna+"/accesso", "accesso", "phone", "certo", "si"))), 200, "Confermato: la persona può entrare", "entra già con un numero")
	if accounts.set["+390173123456"] != "r-anna" || o.did[len(o.did)-1] != "sportello (sportello) per m-anna: garantisce phone" {
		t.Errorf("set %v, did %v", accounts.set, o.did)
	}
	accounts.fail = fault.New(fault.Conflict, "it signs in to another account")
	says(t, o.post("sportello", anna+"/accesso", "accesso", "phone", "certo", "si"), 400, "entra già un’altra persona")
	without := newOffice(t)
	without.members["m-anna"] = m
	hides(t, without.as("sportello", anna), "Entrare nella pagina dei passaggi")
}

func TestDeskConfirmsAWayInByKeys(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	accounts := &officeAccounts{set: map[string]string{}}
	o := newOffice(t, func(d *page.StaffDeps) { d.Accounts = accounts })
	o.accounts = accounts
	m := o.members["m-anna"]
	m.Account, m.Email = "r-anna", "residente@example.it"
	o.members["m-anna"] = m
	url := o.run(t)
	const form = `form[action$="/accesso"]`
	open := browsertest.Step{To: "details:has(" + form + ") summary", Keys: browsertest.Enter}
	choose, tick, send := browsertest.Step{To: "#accesso-phone", Keys: " "}, browsertest.Step{To: "#certo-accesso", Keys: " "}, browsertest.Step{To: form + " button", Keys: browsertest.Enter}
	wrong := b.Keyboard(url+"/passaggi/sportello/persona/m-anna", browsertest.Way{NoScript: true, File: staffShot("accesso-senza-segno-360")}, open, choose, send)
	if !strings.Contains(wrong.Text, "confermate solo quello che avete visto") || len(accounts.set) != 0 {
		t.Errorf("without the tick: %s", wrong.Text)
	}
	done := b.Keyboard(url+"/passaggi/sportello/persona/m-anna", browsertest.Way{Width: 768, File: staffShot("accesso-768")}, open, choose, tick, send)
	if !strings.Contains(done.Text, "Confermato") || accounts.set["+390173123456"] != "r-anna" {
		t.Errorf("confirmed: %s", done.Text)
	}
	b.Check(url + "/passaggi/sportello/persona/m-anna")
}

// A code is made when an operator takes the call, and stands on that page
// alone.
func TestDeskReadsACodeOut(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	accounts := &officeAccounts{set: map[string]string{}}
	o := newOffice(t, func(d *page.StaffDeps) { d.Accounts = accounts })
	o.accounts = accounts
	o.codes = []carpool.CodeCall{{ID: "w-1", Account: "r-nuova", Comune: bergolo, Asked: staffNow, Until: staffNow.Add(time.Hour)}, {ID: "w-2", Account: "r-altra", Comune: cortemilia, Asked: staffNow, By: "collega", Lease: staffNow.Add(time.Minute)}}
	const calls = "/passaggi/sportello/chiamate"
	list := o.as("sportello", calls)
	says(t, list, 200, "Codici da leggere al telefono", "Bergolo", "Ce l’ha in mano collega")
	hides(t, list, "0173505050", "120 934")
	says(t, o.post("sportello", "/passaggi/sportello/codici/w-1/esito"), 400, "Segnate com’è andata")
	says(t, o.post("sportello", "/passaggi/sportello/codici/w-2/prendi"), 400, "Adesso non si può")
	says(t, o.post("sportello", "/passaggi/sportello/codici/w-none/prendi"), 404)
	taken := o.post("sportello", "/passaggi/sportello/codici/w-1/prendi")
	says(t, taken, 200, "+390173505050", "120 934", "Ha chiesto Lei di iscriversi")
	if got := taken.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page with a code may be kept: %q", got)
	}
	hides(t, o.as("sportello", calls), "0173505050", "120 934")

	o.codes[0].By = ""
	url := o.run(t)
	staffLook(b, url, calls)
	seen := b.Keyboard(url+calls, browsertest.Way{NoScript: true, File: staffShot("codice-360")}, browsertest.Step{To: `form[action$="/w-1/prendi"] button`, Keys: browsertest.Enter})
	if !strings.Contains(seen.Text, "120 934") {
		t.Errorf("taken by keys: %s", seen.Text)
	}
	says(t, o.as("sportello", leads(t, o.post("sportello", "/passaggi/sportello/codici/w-1/esito", "esito", "letto"))), 200, "il codice è stato letto")
	if len(o.codes) != 1 || accounts.set["code +390173505050"] != "r-nuova" {
		t.Errorf("left %v, codes %v", o.codes, accounts.set)
	}
}
