package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// A stranger joins in two steps. The first makes an account that nobody can
// enter and sends a code to the address or number that is to sign in; what they
// said of themselves stays sealed in the page they see, and no list of the
// portal has it. The second, with the code, gives the account its alias, makes
// the member and signs them in. Both answer the same whether the address is
// known here or not, until the code has shown whose it is; and nobody holds a
// number by writing it down first. Where no courier reaches an alias, no account
// is made with it: the form says what else to do.

// Accounts makes accounts for residents, who sign in by their e-mail address
// or telephone number.
type Accounts interface {
	Register(ctx context.Context, r login.Registration) (login.Person, error)
	Remove(ctx context.Context, person string) error
	StartAlias(ctx context.Context, person, alias string, source netip.Addr) (code string, err error)
	ConfirmAlias(ctx context.Context, person, code string) error
}

// Courier takes a code to an e-mail address or a telephone number.
type Courier interface {
	SendCode(ctx context.Context, to, code, lang string) error
}

// joinWithin is how long a page that asks for a code is good; each code has a
// shorter time of its own.
const joinWithin = 24 * time.Hour

// aliasKinds are what strangers may choose to sign in by.
func (p *Pages) aliasKinds() []string {
	var out []string
	if p.deps.Accounts != nil && p.deps.ByMail != nil {
		out = append(out, "email")
	}
	if p.deps.Accounts != nil && (p.deps.BySMS != nil || p.deps.ByVoice != nil) {
		out = append(out, "telefono")
	}
	return out
}

// newcomer is a stranger whose code is under way: the content of a ticket.
type newcomer struct {
	Account string         `json:"account"`
	Alias   string         `json:"alias"`
	Phone   bool           `json:"phone"` // what the alias is
	Voice   bool           `json:"voice"` // the desk calls and reads the code out
	Until   int64          `json:"until"` // Unix time
	Member  carpool.Member `json:"member"`
}

// join makes the account of a stranger and sends the code.
func (p *Pages) join(v *visit, f *filled, m carpool.Member) error {
	how := "email"
	if kinds := p.aliasKinds(); !slices.Contains(kinds, how) || f.raw("accesso") == "telefono" {
		how = "telefono"
	}
	if !slices.Contains(p.aliasKinds(), how) {
		f.bad("accesso", "pool.wrong.nosms")
	} else if how == "email" && m.Email == "" || how == "telefono" && m.Phone == "" {
		f.bad(how, "pool.wrong.alias")
	}
	password := v.r.PostForm.Get("password") // as typed: blanks count
	if f.values.Get("password") != f.values.Get("ripeti") {
		f.bad("ripeti", "password.differ")
	}
	f.values.Del("password")
	f.values.Del("ripeti")
	if !f.ok() {
		return p.showRegister(v, http.StatusBadRequest, f, nil)
	}
	m, err := carpool.CheckJoin(joins(m))
	if err != nil {
		return p.refuseRegister(v, f, err)
	}
	n := newcomer{Alias: m.Email, Phone: how == "telefono", Until: v.now.Add(joinWithin).Unix(), Member: m}
	if n.Phone {
		n.Alias = m.Phone
		n.Voice = m.Landline || p.deps.BySMS == nil
		if n.Voice && p.deps.ByVoice == nil {
			f.bad("telefono", "pool.wrong.homephone")
			return p.showRegister(v, http.StatusBadRequest, f, nil)
		}
	}
	person, err := p.deps.Accounts.Register(v.r.Context(), login.Registration{Alias: n.Alias, Password: password, Role: login.Resident, Source: sourceOf(v.r)})
	if err != nil {
		if fault.Of(err) == fault.Invalid && !f.blame(err, registerBlame) {
			f.bad("password", "password.weak")
		}
		return p.refuseRegister(v, f, err)
	}
	n.Account = person.Name
	if err := p.sendCode(v, n); err != nil {
		if rerr := p.deps.Accounts.Remove(context.WithoutCancel(v.r.Context()), n.Account); rerr != nil {
			p.log.Warn("carpool pages: take back an account that got no code", "error", rerr)
		}
		return p.showRegister(v, http.StatusServiceUnavailable, f, &trouble{Text: v.say.word(noCode(err))})
	}
	return p.askCode(v, http.StatusOK, confirmView{F: v.blank(), To: n.Alias, Voice: n.Voice, Ticket: p.ticket(n)})
}

func (p *Pages) ticket(n newcomer) string {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // texts and numbers
	}
	return p.seal.close(b, "codice")
}

// sendCode sends a new code to whom the ticket is for.
func (p *Pages) sendCode(v *visit, n newcomer) error {
	if n.Voice {
		return p.deps.ByVoice.AskCode(v.r.Context(), n.Account, n.Alias, n.Member.Comune)
	}
	courier := p.deps.ByMail
	if n.Phone {
		courier = p.deps.BySMS
	}
	if courier == nil {
		return fault.New(fault.Unreachable, "send a code: nothing takes it there")
	}
	code, err := p.deps.Accounts.StartAlias(v.r.Context(), n.Account, n.Alias, sourceOf(v.r))
	if err != nil {
		return err
	}
	if err = courier.SendCode(v.r.Context(), n.Alias, code, string(v.say.lang)); err != nil {
		p.log.Warn("carpool pages: send a code", "error", err)
	}
	return err
}

// noCode are the words for a code that was not sent.
func noCode(err error) string {
	if slow := (login.Slow{}); errors.As(err, &slow) {
		return "pool.confirm.slow"
	}
	if fault.Of(err) == fault.Conflict { // of calls by the desk
		return "pool.confirm.busy"
	}
	return "pool.confirm.unsent"
}

// confirmView is what the page that asks for the code shows.
type confirmView struct {
	F       *filled
	Trouble *trouble
	Said    string
	Ticket  string // sealed newcomer
	To      string // address or number that the code went to
	Voice   bool   // the desk calls there
	Desk    Contacts
	Known   bool // the alias has an account: its owner, who typed the code, is told
}

func (p *Pages) askCode(v *visit, status int, view confirmView) error {
	view.Desk = p.cfg.Union
	v.w.Header().Set("Cache-Control", "no-store")
	return p.show(v, status, "confirm.html", web.View{Title: "pool.confirm.title", Self: registerPath, Data: view})
}

// confirmAlias is POST /passaggi/iscrizione/conferma: the code, or the wish for
// another one.
func (p *Pages) confirmAlias(v *visit) error {
	f, err := v.form("biglietto", "codice", "ancora")
	if err != nil {
		return err
	}
	var n newcomer
	b, ok := p.seal.open(f.raw("biglietto"), "codice")
	if !ok || json.Unmarshal(b, &n) != nil || n.Until < v.now.Unix() || p.deps.Accounts == nil || v.by.Account != "" {
		return v.on(registerPath)
	}
	view := confirmView{F: f, Ticket: f.raw("biglietto"), To: n.Alias, Voice: n.Voice}
	if f.on("ancora") {
		f.values.Del("codice")
		switch err := p.sendCode(v, n); {
		case fault.Of(err) == fault.NotFound && err != nil:
			return v.on(registerPath) // swept
		case err != nil:
			view.Trouble = &trouble{Text: v.say.word(noCode(err))}
			return p.askCode(v, http.StatusServiceUnavailable, view)
		}
		if view.Said = v.say.word("pool.confirm.again"); n.Voice {
			view.Said = v.say.word("pool.confirm.voice.again")
		}
		return p.askCode(v, http.StatusOK, view)
	}
	err = p.deps.Accounts.ConfirmAlias(v.r.Context(), n.Account, f.must("codice", 12))
	switch {
	case err == nil:
		return p.welcome(v, n)
	case !mendable(err):
		return err
	case fault.Of(err) == fault.Conflict:
		view.Known = true
		if rerr := p.deps.Accounts.Remove(v.r.Context(), n.Account); rerr != nil {
			p.log.Warn("carpool pages: take back an account whose alias has another", "error", rerr)
		}
		return p.askCode(v, http.StatusConflict, view)
	}
	f.bad("codice", "pool.wrong.code")
	f.values.Del("codice")
	return p.askCode(v, web.Status(err), view)
}

// welcome signs in whose alias is shown, and makes the member. When that is not
// possible any more the account says again who it is.
func (p *Pages) welcome(v *visit, n newcomer) error {
	if err := p.shell.Begin(v.w, v.r, n.Account); err != nil {
		return err
	}
	ctx := v.r.Context() // who acts is the one who has just said who they are
	ctx = audit.With(ctx, audit.Actor{Who: n.Account, Via: "page", From: audit.By(ctx).From})
	n.Member.Account = n.Account
	_, err := p.deps.Members.Register(ctx, carpool.By{Account: n.Account}, joins(n.Member))
	switch {
	case err == nil:
		return v.on(minePath + "?fatto=" + url.QueryEscape("iscritto"))
	case mendable(err):
		return v.on(registerPath)
	}
	return err
}
