package page

import (
	"net/http"
	"net/netip"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// registerView is what the page of registration shows.
type registerView struct {
	F       *filled
	Trouble *trouble
	Account bool // an account is made too
	Closed  bool // nobody makes an account here: ask the desk
	Comuni  []option
	Aliases []option // what to sign in by

	MailOnly bool // no code goes to a telephone
	Voice    bool // the desk reads codes out
	Desk     Contacts
}

var memberFields = []string{"nome", "cognome", "comune", "telefono", "casa", "famiglia", "email"}

// registerPage is GET /passaggi/iscrizione.
func (p *Pages) registerPage(v *visit) error {
	if v.me.ID != "" {
		return v.on(minePath)
	}
	return p.showRegister(v, http.StatusOK, v.blank(), nil)
}

func (p *Pages) showRegister(v *visit, status int, f *filled, why *trouble) error {
	id := web.Who(v.r.Context())
	kinds := p.aliasKinds()
	view := registerView{F: f, Trouble: why, Account: !id.Known(), Comuni: p.comuneOptions(v.say), Desk: p.cfg.Union, MailOnly: p.deps.BySMS == nil && p.deps.ByVoice == nil, Voice: p.deps.ByVoice != nil}
	view.Closed = view.Account && len(kinds) == 0 || id.Known() && !id.May(login.UseCarpool)
	if view.Account && !view.Closed {
		view.Aliases = marked(v.say.words("pool.alias", kinds...), f.oneOf("accesso", kinds...))
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "register.html", web.View{Title: "pool.register.title", Self: registerPath, Data: view})
}

// registerBlame says which fields an error of a registration is about.
var registerBlame = map[string]string{"first name": "nome", "surname": "cognome", "phone": "telefono", "email": "email", "e-mail": "email",
	"mail": "email", "comune": "comune", "password": "password", "consent": "condizioni"}

// register is POST /passaggi/iscrizione: of a stranger, who is sent a code; or
// of an account that has no member yet.
func (p *Pages) register(v *visit) error {
	f, err := v.form(append(memberFields, "accesso", "password", "ripeti", "condizioni")...)
	if err != nil {
		return err
	}
	id := web.Who(v.r.Context())
	switch {
	case v.me.ID != "":
		return v.on(minePath)
	case !id.Known() && len(p.aliasKinds()) == 0, id.Known() && !id.May(login.UseCarpool):
		return fault.New(fault.Denied, "register: no account is made here; ask the desk")
	}
	m := p.readMember(f, carpool.Member{Lang: string(v.say.lang)})
	if m.Phone == "" && m.Email == "" {
		f.bad("telefono", "pool.wrong.reach")
	}
	if !f.on("condizioni") {
		f.bad("condizioni", "pool.wrong.terms")
	}
	if !id.Known() {
		return p.join(v, f, m)
	}
	if !f.ok() {
		return p.showRegister(v, http.StatusBadRequest, f, nil)
	}
	m.Account = id.Person
	if _, err = p.deps.Members.Register(v.r.Context(), carpool.By{Account: id.Person}, joins(m)); err != nil {
		return p.refuseRegister(v, f, err)
	}
	return v.done(minePath, "iscritto")
}

// joins is the registration of somebody who has agreed to the terms on a page.
func joins(m carpool.Member) carpool.Registration {
	return carpool.Registration{Member: m, Consents: []carpool.ConsentTo{carpool.ConsentTerms}, How: "page"}
}

func (p *Pages) refuseRegister(v *visit, f *filled, err error) error {
	if !mendable(err) {
		return err
	}
	f.blame(err, registerBlame)
	return p.showRegister(v, web.Status(err), f, v.say.trouble(err))
}

// readMember reads what a member says of themselves.
func (p *Pages) readMember(f *filled, m carpool.Member) carpool.Member {
	m.First, m.Last = f.must("nome", 60), f.must("cognome", 60)
	m.Phone, m.Email = f.line("telefono", 40), f.line("email", 120)
	m.Landline, m.Family = f.on("casa"), f.on("famiglia")
	if m.Comune = f.raw("comune"); !p.land.inUnion(m.Comune) {
		f.bad("comune", "pool.wrong.comune")
	}
	return m
}

// sourceOf is the address that a request came from.
func sourceOf(r *http.Request) netip.Addr {
	a, err := netip.ParseAddr(audit.By(r.Context()).From)
	if err != nil {
		return netip.Addr{}
	}
	return a
}
