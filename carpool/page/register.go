package page

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// Accounts makes accounts for residents, who sign in by their e-mail address
// or telephone number.
type Accounts interface {
	Register(ctx context.Context, r login.Registration) (login.Person, error)
	Remove(ctx context.Context, person string) error
	Codes
}

// Codes show that an address or number is its owner's.
type Codes interface {
	StartAlias(ctx context.Context, person, alias string) (code string, err error)
	ConfirmAlias(ctx context.Context, person, code string) error
}

// Courier takes a code to an e-mail address or a telephone number.
type Courier interface {
	SendCode(ctx context.Context, to, code, lang string) error
}

// registerView is what the page of registration shows.
type registerView struct {
	F       *filled
	Trouble *trouble
	Account bool // an account is made too
	Closed  bool // nobody makes an account here: ask the desk
	Comuni  []option
	Aliases []option // what to sign in by
	Desk    Contacts
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
	view := registerView{F: f, Trouble: why, Account: !id.Known(), Comuni: p.comuneOptions(v.say), Desk: p.cfg.Union,
		Aliases: marked(v.say.words("pool.alias", "email", "telefono"), f.oneOf("accesso", "email", "telefono"))}
	view.Closed = view.Account && p.deps.Accounts == nil || id.Known() && !id.May(login.UseCarpool)
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "register.html", web.View{Title: "pool.register.title", Self: registerPath, Data: view})
}

// registerBlame says which fields an error of a registration is about.
var registerBlame = map[string]string{"first name": "nome", "surname": "cognome", "phone": "telefono", "email": "email", "e-mail": "email",
	"mail": "email", "comune": "comune", "password": "password", "consent": "condizioni"}

// register is POST /passaggi/iscrizione: the account, then the member.
func (p *Pages) register(v *visit) error {
	f, err := v.form(append(memberFields, "accesso", "password", "ripeti", "condizioni")...)
	if err != nil {
		return err
	}
	id := web.Who(v.r.Context())
	switch {
	case v.me.ID != "":
		return v.on(minePath)
	case !id.Known() && p.deps.Accounts == nil, id.Known() && !id.May(login.UseCarpool):
		return fault.New(fault.Denied, "register: no account is made here; ask the desk")
	}
	m := p.readMember(f, carpool.Member{Lang: string(v.say.lang)})
	alias := m.Email
	if m.Phone == "" && m.Email == "" {
		f.bad("telefono", "pool.wrong.reach")
	}
	if !id.Known() {
		if f.oneOf("accesso", "email", "telefono") == "telefono" {
			alias = m.Phone
		}
		if alias == "" {
			f.bad(f.oneOf("accesso", "email", "telefono"), "pool.wrong.alias")
		}
		if f.values.Get("password") != f.values.Get("ripeti") {
			f.bad("ripeti", "password.differ")
		}
	}
	if !f.on("condizioni") {
		f.bad("condizioni", "pool.wrong.terms")
	}
	password := v.r.PostForm.Get("password") // as typed: blanks count
	f.values.Del("password")
	f.values.Del("ripeti")
	if !f.ok() {
		return p.showRegister(v, http.StatusBadRequest, f, nil)
	}
	account := id.Person
	if account == "" {
		person, err := p.deps.Accounts.Register(v.r.Context(), login.Registration{Alias: alias, Password: password, Role: login.Resident, Source: sourceOf(v.r)})
		if err != nil {
			if fault.Of(err) == fault.Invalid && !f.blame(err, registerBlame) {
				f.bad("password", "password.weak")
			}
			return p.refuseRegister(v, f, err)
		}
		account = person.Name
	}
	m.Account = account
	ctx := v.r.Context()
	if !id.Known() { // who acts is the one who has just said who they are
		ctx = audit.With(ctx, audit.Actor{Who: account, Via: "page", From: audit.By(ctx).From})
	}
	_, err = p.deps.Members.Register(ctx, carpool.By{Account: account}, carpool.Registration{Member: m, Consents: []carpool.ConsentTo{carpool.ConsentTerms}, How: "page"})
	if err != nil {
		if !id.Known() {
			if rerr := p.deps.Accounts.Remove(ctx, account); rerr != nil {
				p.log.Warn("carpool pages: take back an account that has no member", "error", rerr)
			}
		}
		return p.refuseRegister(v, f, err)
	}
	if id.Known() {
		return v.done(minePath, "iscritto")
	}
	return p.sendCode(v, account, alias)
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

// confirmView is what the page that asks for the code shows.
type confirmView struct {
	F       *filled
	Trouble *trouble
	Ticket  string // sealed name of the account
	To      string // address or number that the code went to, as it was typed
}

// sendCode sends a code to the address or number somebody gave, to show that it
// is theirs; where none can be sent they sign in at once.
func (p *Pages) sendCode(v *visit, account, alias string) error {
	if p.deps.Courier != nil {
		code, err := p.deps.Accounts.StartAlias(v.r.Context(), account, alias)
		if err == nil {
			err = p.deps.Courier.SendCode(v.r.Context(), alias, code, string(v.say.lang))
		}
		if err == nil {
			return p.showConfirm(v, http.StatusOK, confirmView{F: v.blank(), Ticket: p.seal.close([]byte(account+"\n"+alias), "codice"), To: alias})
		}
		p.log.Warn("carpool pages: send a code", "error", err)
	}
	return v.on(web.SignInPath + "?dopo=" + url.QueryEscape(minePath+"?fatto=iscritto"))
}

func (p *Pages) showConfirm(v *visit, status int, view confirmView) error {
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "confirm.html", web.View{Title: "pool.confirm.title", Self: registerPath, Data: view})
}

// confirmAlias is POST /passaggi/iscrizione/conferma.
func (p *Pages) confirmAlias(v *visit) error {
	f, err := v.form("biglietto", "codice")
	if err != nil {
		return err
	}
	b, ok := p.seal.open(f.raw("biglietto"), "codice")
	account, alias, _ := strings.Cut(string(b), "\n")
	if !ok || p.deps.Accounts == nil {
		return v.on(registerPath)
	}
	if err := p.deps.Accounts.ConfirmAlias(v.r.Context(), account, f.must("codice", 12)); err != nil {
		if !mendable(err) {
			return err
		}
		f.bad("codice", "pool.wrong.code")
		f.values.Del("codice")
		return p.showConfirm(v, web.Status(err), confirmView{F: f, Trouble: v.say.trouble(err), Ticket: f.raw("biglietto"), To: alias})
	}
	return v.on(web.SignInPath + "?dopo=" + url.QueryEscape(minePath+"?fatto=iscritto"))
}
