package page

import (
	"net/http"
	"net/url"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// visit is one request by somebody: a stranger, or a member.
type visit struct {
	w   http.ResponseWriter
	r   *http.Request
	say tongue
	now time.Time
	by  carpool.By     // zero for a stranger
	me  carpool.Member // likewise

	whose string // their account, sealed for the forms of the page
}

// tongue says things in the visitor's language.
type tongue struct {
	html *web.Pages
	lang web.Lang
	in   *time.Location
}

func (t tongue) word(key string, args ...any) string { return t.html.Text(t.lang, key, args...) }

// has says whether there are words for a key.
func (t tongue) has(key string) bool { return t.word(key) != key }

// visited makes a handler of a page that strangers may see too.
func (p *Pages) visited(f func(*visit) error) http.Handler {
	return p.shell.Func(func(w http.ResponseWriter, r *http.Request) error {
		v := p.visit(w, r)
		if id := web.Who(r.Context()); id.May(login.UseCarpool) {
			m, err := p.deps.Members.ByAccount(r.Context(), id.Person)
			switch {
			case err == nil:
				v.become(m, id)
				v.whose = p.sealFor(v)
			case fault.Of(err) != fault.NotFound:
				return err
			}
		}
		return f(v)
	})
}

// own makes a handler of a page for members. Whoever has an account and is no
// member yet is led to say who they are.
func (p *Pages) own(f func(*visit) error) http.Handler {
	return p.visited(func(v *visit) error {
		if v.me.ID == "" {
			return v.on(registerPath)
		}
		return f(v)
	})
}

func (p *Pages) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{w: w, r: r, now: p.shell.Now(), say: tongue{p.html, web.LangOf(r), p.shell.Location()}}
}

// become makes the visitor the member of their account.
func (v *visit) become(m carpool.Member, id login.Identity) {
	v.me, v.by = m, carpool.By{Account: id.Person, Member: m.ID}
	if m.Large && !web.Large(v.r) {
		web.SetLarge(v.w, true)
		for _, c := range (&http.Response{Header: v.w.Header()}).Cookies() {
			v.r.AddCookie(c)
		}
	}
}

// on leads on to another page of ours, so that a reload sends nothing again.
func (v *visit) on(path string) error {
	v.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// done is on with the name of what was done, which the page then says.
func (v *visit) done(path, what string) error {
	return v.on(path + "?fatto=" + url.QueryEscape(what))
}

// said is what a page says was done just now; "" when nothing was.
func (v *visit) said() string {
	if what := v.r.URL.Query().Get("fatto"); what != "" && v.say.has("pool.done."+what) {
		return v.say.word("pool.done." + what)
	}
	return ""
}

// show writes a page of the portal.
func (p *Pages) show(v *visit, status int, page string, view web.View) error {
	view.Nav = searchPath
	if v.me.ID != "" { // a first visit is light
		view.Install = searchPath + "/manifest.webmanifest"
		view.Scripts = append(view.Scripts, "passaggi/pool.js")
	}
	if view.Self == "" && v.r.Method == http.MethodPost {
		view.Self = searchPath
	}
	return p.html.WriteStatus(v.w, v.r, status, page, view)
}

// trouble is why something was not done, in words of the page.
type trouble struct{ Text, Detail string }

// mendable says whether an error is one that its form answers, with what was
// typed still in view.
func mendable(err error) bool {
	switch fault.Of(err) {
	case fault.Invalid, fault.Conflict, fault.Denied, fault.NotFound, fault.Stale, fault.Unconfirmed:
		return err != nil
	}
	return false
}

func (t tongue) trouble(err error) *trouble {
	if err == nil {
		return nil
	}
	detail := t.fault(err)
	if detail == "" {
		detail = t.word("pool.fault.other")
	}
	return &trouble{t.word("pool.trouble." + fault.Of(err).String()), detail}
}
