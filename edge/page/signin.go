package page

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/crinale/crinale/edge"
)

// mostKnown is how many people may enter from one browser.
const mostKnown = 6

// cookie is the name of a cookie of ours. Over https no other name, and no page in
// clear, can set it (RFC 6265bis §4.1.3.2).
func (o *Office) cookie(name string) string {
	if o.cfg.Secure {
		return "__Host-crinale_" + name
	}
	return "crinale_" + name
}

func (o *Office) setCookie(w http.ResponseWriter, name, value string, keep time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: o.cookie(name), Value: value, Path: "/", Secure: o.cfg.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(keep.Seconds())})
}

// devices are what this browser keeps of those who enter from it.
func (o *Office) devices(r *http.Request) []string {
	c, err := r.Cookie(o.cookie("computer"))
	if err != nil {
		return nil
	}
	all := strings.Split(c.Value, "~")
	return all[:min(len(all), mostKnown)]
}

type signInPage struct {
	Title, Trouble string
	Known          []edge.Employee
	New            bool
}

// signIn asks who is there.
func (o *Office) signIn(w http.ResponseWriter, r *http.Request, status int, trouble string) {
	p := signInPage{Title: "Documenti: " + o.cfg.Place, Trouble: trouble, New: r.URL.Path == "/primo-accesso"}
	for _, d := range o.devices(r) {
		if k, ok := o.deps.People.Known(d); ok {
			p.Known = append(p.Known, k)
		}
	}
	send(w, status, "signin.html", p)
}

// words are why somebody is not let in.
func words(err error) (int, string) {
	switch {
	case errors.Is(err, edge.ErrWeak):
		return http.StatusBadRequest, "Scelga un PIN da 6 a 12 cifre, che non siano in fila e non tutte uguali."
	case errors.Is(err, edge.ErrCode):
		return http.StatusForbidden, "Il codice non è giusto, è già stato usato, o è scaduto. Chieda un codice nuovo all’ufficio."
	case errors.Is(err, edge.ErrPIN):
		return http.StatusForbidden, "Il PIN non è giusto."
	case errors.Is(err, edge.ErrShut):
		return http.StatusTooManyRequests, "Troppi PIN sbagliati: riprovi tra un quarto d’ora."
	case errors.Is(err, edge.ErrDevice):
		return http.StatusForbidden, "Da questo computer serve un codice nuovo: lo chieda all’ufficio."
	}
	return http.StatusInternalServerError, "Qualcosa non ha funzionato. Riprovi; se accade ancora, avvisi chi cura il nodo."
}

func (o *Office) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text := words(err)
	if status == http.StatusInternalServerError {
		o.deps.Log.Error("sign-in", "err", err)
	}
	o.signIn(w, r, status, text)
}

// enrol lets somebody in by a code, and remembers this browser.
func (o *Office) enrol(w http.ResponseWriter, r *http.Request) {
	pin := r.PostFormValue("pin")
	if pin != r.PostFormValue("ancora") {
		o.signIn(w, r, http.StatusBadRequest, "I due PIN non sono uguali.")
		return
	}
	device, in, err := o.deps.People.Enrol(r.PostFormValue("codice"), pin)
	if err != nil {
		o.refuse(w, r, err)
		return
	}
	me, _ := o.deps.People.Known(device)
	keep := []string{device}
	for _, d := range o.devices(r) { // others, and nobody twice
		if k, ok := o.deps.People.Known(d); ok && k.ID != me.ID && len(keep) < mostKnown {
			keep = append(keep, d)
		}
	}
	o.setCookie(w, "computer", strings.Join(keep, "~"), 400*24*time.Hour)
	o.let(w, r, in)
}

// let lets the browser in.
func (o *Office) let(w http.ResponseWriter, r *http.Request, in edge.Entry) {
	o.setCookie(w, "sessione", in.Session, 0)
	if o.cfg.Domain != "" {
		http.SetCookie(w, &http.Cookie{Name: edge.AuthorCookie, Value: in.Author, Path: "/", Domain: o.cfg.Domain, Secure: o.cfg.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// enter lets somebody in by their PIN.
func (o *Office) enter(w http.ResponseWriter, r *http.Request) {
	for _, d := range o.devices(r) {
		k, ok := o.deps.People.Known(d)
		if !ok || k.ID != r.PostFormValue("chi") {
			continue
		}
		in, err := o.deps.People.Enter(d, r.PostFormValue("pin"))
		if err != nil {
			o.refuse(w, r, err)
			return
		}
		o.let(w, r, in)
		return
	}
	o.refuse(w, r, edge.ErrDevice)
}

func (o *Office) leave(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(o.cookie("sessione")); err == nil {
		o.deps.People.Leave(c.Value)
	}
	o.setCookie(w, "sessione", "", -time.Second)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
