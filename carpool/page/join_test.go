package page_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/page"
	"github.com/crinale/crinale/internal/login"
)

var ticketForm = regexp.MustCompile(`name="biglietto" value="([^"]+)"`)

// joins posts the form of registration, with some of it changed.
func (v *visitor) joins(change ...string) got {
	v.w.t.Helper()
	f := []string{"volta", strings.Repeat("v", 20), "nome", "Anna", "cognome", "Prova", "comune", "004021", "telefono", "333 1234567", "email", "anna@example.it", "accesso", "email",
		"password", good, "ripeti", good, "condizioni", "si"}
	for i := 0; i+1 < len(change); i += 2 {
		for j := 0; j+1 < len(f); j += 2 {
			if f[j] == change[i] {
				f[j+1] = change[i+1]
			}
		}
	}
	return v.post("/passaggi/iscrizione", f...)
}

// A stranger sees the same pages with an address that is known and with one
// that is not, and cannot sign in by either with the password they chose. Its
// owner, who has the code, is told; and no member is made before a code.
func TestJoiningTellsNothing(t *testing.T) {
	for _, c := range []struct{ how, field, taken, free, as string }{
		{"email", "email", "anna@example.it", "altra@example.it", "anna@example.it"},
		{"telefono", "telefono", "333 1234567", "333 7654321", "+393331234567"},
	} {
		w := newWorld(t)
		first := w.visitor()
		page := first.joins("accesso", c.how)
		first.wants(page, http.StatusOK, "Un codice per voi")
		first.led(first.post("/passaggi/iscrizione/conferma", "biglietto", ticketForm.FindStringSubmatch(page.Body)[1], "codice", w.codes.of(c.as)), "/passaggi/miei?fatto=iscritto")
		var seen [2]string
		for i, alias := range []string{c.taken, c.free} {
			v := w.visitor()
			page := v.joins("accesso", c.how, c.field, alias, "password", "parole di un estraneo 7", "ripeti", "parole di un estraneo 7")
			body := v.wants(page, http.StatusOK, "Un codice per voi")
			ticket := ticketForm.FindStringSubmatch(page.Body)[1]
			wrong := v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", "000000x"), http.StatusForbidden)
			in := v.post("/entra", "nome", alias, "password", "parole di un estraneo 7")
			v.wants(in, http.StatusForbidden)
			seen[i] = bare(body, alias) + bare(wrong, alias)
			if i == 0 {
				v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", w.codes.of(c.as)), http.StatusConflict, "siete già iscritti")
			}
		}
		if seen[0] != seen[1] {
			t.Errorf("%s: told apart:\n%s\n%s", c.how, seen[0], seen[1])
		}
		if m, err := w.Members.ByPhone(t.Context(), "+393337654321"); err != nil || len(m) != 0 {
			t.Errorf("a member without a code: %+v, %v", m, err)
		}
	}
}

var varies = regexp.MustCompile(`value="[A-Za-z0-9_-]{16,}"|\+?39333[0-9]+|[a-z]+@example.it`)

// bare is a page without what differs from one to the next for anybody.
func bare(body, alias string) string {
	return varies.ReplaceAllString(strings.ReplaceAll(body, alias, ""), "")
}

// lateDesk is a desk that is there once its world is.
type lateDesk struct{ page.CodeCalls }

// Who has a telephone at home is called by the desk, which reads the code out.
func TestJoiningByVoice(t *testing.T) {
	w := newWorld(t, func(_ *page.Config, d *page.Deps) { d.BySMS = nil })
	w.visitor().wants(w.visitor().joins("accesso", "telefono", "telefono", "0173 123456"), http.StatusBadRequest)
	voice := &lateDesk{}
	w = newWorld(t, func(_ *page.Config, d *page.Deps) { d.ByVoice = voice })
	voice.CodeCalls = w.Desk
	v := w.visitor()
	v.wants(v.get("/passaggi/iscrizione"), http.StatusOK, "a un telefono di casa ve lo legge lo sportello")
	asked := v.joins("accesso", "telefono", "telefono", "0173 123456")
	v.wants(asked, http.StatusOK, "Lo sportello vi telefona al", "Richiamatemi")
	ticket := ticketForm.FindStringSubmatch(asked.Body)[1]
	v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "ancora", "si"), http.StatusOK, "Lo sportello sa che aspettate")
	v.wants(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", "123456"), http.StatusForbidden)

	ctx, desk := t.Context(), carpool.By{Account: "sportello", Desk: true}
	list, err := w.Desk.CodeCalls(ctx, desk)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	c, err := w.Desk.TakeCode(ctx, desk, list[0].ID)
	must(t, err)
	code, err := w.people.StartAlias(ctx, c.Account, c.Phone, netip.MustParseAddr("192.0.2.1"))
	must(t, err)
	must(t, w.Desk.EndCode(ctx, desk, c.ID, carpool.CallReached))
	v.led(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", code), "/passaggi/miei?fatto=iscritto")
	m, err := w.Members.ByAccount(ctx, c.Account)
	if err != nil || m.Phone != "+390173123456" || !m.Landline {
		t.Errorf("%+v, %v", m, err)
	}
	for n := range 2 {
		u := w.visitor()
		want := http.StatusOK
		if n > 0 {
			want = http.StatusServiceUnavailable // one number is not called on and on
		}
		u.wants(u.joins("accesso", "telefono", "telefono", "0173 123456"), want)
	}
}

// Where no courier reaches it, an address makes no account: the form says what
// else to do.
func TestJoiningWithoutCourier(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*page.Config, *page.Deps)
		post   []string
		status int
		says   []string
	}{
		{"no SMS", func(_ *page.Config, d *page.Deps) { d.BySMS = nil }, []string{"accesso", "telefono"}, http.StatusBadRequest, []string{"Usate un’e-mail, o telefonate allo sportello", "Prova"}},
		{"landline", func(*page.Config, *page.Deps) {}, []string{"accesso", "telefono", "telefono", "0173 123456"}, http.StatusBadRequest, []string{"A un telefono di casa non arriva il codice"}},
		{"mail is down", func(_ *page.Config, d *page.Deps) { d.ByMail = down{} }, nil, http.StatusServiceUnavailable, []string{"Adesso non riusciamo a mandare il codice"}},
		{"nothing", func(_ *page.Config, d *page.Deps) { d.ByMail, d.BySMS = nil, nil }, nil, http.StatusForbidden, nil},
	} {
		w := newWorld(t, c.change)
		v := w.visitor()
		v.wants(v.joins(c.post...), c.status, c.says...)
		if people, err := w.people.List(t.Context()); err != nil || len(people) != 0 {
			t.Errorf("%s: %d accounts, %v", c.name, len(people), err)
		}
		switch c.name {
		case "no SMS":
			v.wants(v.get("/passaggi/iscrizione"), http.StatusOK, "Al telefono non arriva nessun codice")
		case "nothing":
			v.wants(v.get("/passaggi/iscrizione"), http.StatusOK, "Da questa pagina non ci si può iscrivere", "0173 000000")
		}
	}
}

type down struct{}

func (down) SendCode(context.Context, string, string, string) error {
	return errors.New("send: no answer")
}

// New codes are few for one address, and a ticket is good for a day.
func TestSendingAgainIsLimited(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	page := v.joins()
	ticket := ticketForm.FindStringSubmatch(page.Body)[1]
	sent := 0
	for ; sent < 20; sent++ {
		a := v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "ancora", "si")
		if a.StatusCode != http.StatusOK {
			v.wants(a, http.StatusServiceUnavailable, "Aspettate un quarto d’ora")
			break
		}
	}
	if sent != login.DefaultLimits().Ask.Burst-1 {
		t.Errorf("%d codes were sent again", sent)
	}
	w.at(monday.AddDate(0, 0, 2))
	v.led(v.post("/passaggi/iscrizione/conferma", "biglietto", ticket, "codice", w.codes.of("anna@example.it")), "/passaggi/iscrizione")
	v.led(v.post("/passaggi/iscrizione/conferma", "biglietto", "x"+ticket, "ancora", "si"), "/passaggi/iscrizione")
}
