package page

import (
	"net/http"

	"github.com/crinale/crinale/internal/web"
)

// noteView is what the pages of help and law show.
type noteView struct {
	Known    bool
	Contacts Contacts
	Owner    string // of the data
	Kept     int    // days
	Address  int    // hours
	Since    string // date of the declaration, as people write it
}

func (p *Pages) noteView(v *visit) noteView {
	n := noteView{Known: v.me.ID != "", Contacts: p.cfg.Union, Owner: p.cfg.Union.Owner, Kept: int(p.cfg.Kept.Hours() / 24), Address: int(p.cfg.Address.Hours())}
	if n.Owner == "" {
		n.Owner = p.deps.Union.Name
	}
	if d, err := readDate(p.cfg.Union.Since); err == nil {
		n.Since = v.say.date(d)
	}
	return n
}

// help is GET /passaggi/aiuto.
func (p *Pages) help(v *visit) error {
	return p.show(v, http.StatusOK, "help.html", web.View{Title: "pool.help.title", Data: p.noteView(v)})
}

// privacyNotice is GET /passaggi/privacy.
func (p *Pages) privacyNotice(v *visit) error {
	return p.show(v, http.StatusOK, "privacy.html", web.View{Title: "pool.privacy.title", Data: p.noteView(v)})
}

// accessibility is GET /accessibilita: the declaration that law 4/2004 asks for.
func (p *Pages) accessibility(v *visit) error {
	return p.show(v, http.StatusOK, "access.html", web.View{Title: "pool.access.title", Data: p.noteView(v)})
}
