package web

import (
	"net/http"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// personView is an account on a page.
type personView struct {
	login.Person
	Grants []string
	State  string // in words
	Colour string // up, degraded, down
	Last   time.Time
}

type choice struct{ Value, Text string }

type choices struct{ Roles, Scopes []choice }

// peopleView is what the list of accounts shows.
type peopleView struct {
	Trouble    *trouble
	Done       string
	Invitation *login.Invitation
	List       []personView
	Next       string
	Choices    choices
}

// onePersonView is what the page of one account shows.
type onePersonView struct {
	Path       string
	Trouble    *trouble
	Done       string
	Invitation *login.Invitation
	Person     personView
	Held       []heldView
	Sessions   sessionsView
	Tokens     *tokensView
	Choices    choices
}

type heldView struct {
	Grant       login.Grant
	Role, Scope string
}

func (s *Shell) mountPersons() {
	access := NeedsUnion(login.ManagePeople)
	s.Enter(Entry{Path: peoplePath, Title: s.own.Texts("people.title"), Summary: s.own.Texts("people.summary"), Order: 900, Staff: true, Access: access})
	s.Handle("GET /persone", access, s.Func(s.peoplePage))
	s.Handle("POST /persone", access, s.Func(s.invite))
	s.Handle("GET /persone/{name}", access, s.Func(s.personPage))
	for path, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"ruoli": s.giveRole, "ruoli/togli": s.takeRole, "codice": s.newCode, "blocca": s.lock, "sblocca": s.unlock, "togli": s.remove,
		"secondo/togli": s.dropSecond, "sessioni": s.endSessions, "sessioni/togli": s.endSession, "chiavi/togli": s.revokeKey,
	} {
		s.Handle("POST /persone/{name}/"+path, access, s.Func(f))
		s.Handle("GET /persone/{name}/"+path, access, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seeOther(w, r, personPath(r.PathValue("name")))
		}))
	}
}

// peopleDone are the words for ?fatto= of the pages of accounts.
var peopleDone = map[string]string{
	"dato": "people.granted", "tolto": "people.withdrawn", "bloccato": "people.locked", "sbloccato": "people.unlocked",
	"sessioni": "account.sessions.done", "chiave": "token.revoked", "secondo": "totp.dropped", "via": "people.removed",
}

func (s *Shell) doneText(r *http.Request) string {
	if key := peopleDone[r.URL.Query().Get("fatto")]; key != "" {
		return s.own.Text(LangOf(r), key)
	}
	return ""
}

func (s *Shell) choices(l Lang) choices {
	var c choices
	for _, role := range login.Roles() {
		c.Roles = append(c.Roles, choice{string(role), s.roleText(l, role)})
	}
	for _, kind := range []login.ScopeKind{login.OfUnion, login.OfComune, login.OfPartner, login.OfGroup} {
		c.Scopes = append(c.Scopes, choice{string(kind), s.own.Text(l, "scope."+string(kind))})
	}
	return c
}

func (s *Shell) personView(l Lang, p login.Person) personView {
	v := personView{Person: p, Grants: s.grantTexts(l, p.Grants)}
	word := "active"
	switch {
	case p.Locked:
		word, v.Colour = "locked", "down"
	case p.Active:
		v.Colour = "up"
	case p.InvitedUntil != nil:
		word, v.Colour = "invited", "degraded"
	default:
		word, v.Colour = "lapsed", "unknown"
	}
	v.State = s.own.Text(l, "people.state."+word)
	if p.SignedIn != nil {
		v.Last = *p.SignedIn
	}
	return v
}

func (s *Shell) peoplePage(w http.ResponseWriter, r *http.Request) error {
	return s.showPeople(w, r, http.StatusOK, peopleView{Done: s.doneText(r)})
}

func (s *Shell) showPeople(w http.ResponseWriter, r *http.Request, status int, v peopleView) error {
	all, err := s.people.List(r.Context())
	if err != nil {
		return err
	}
	shown, next, err := Page(w, r, all, nameOf)
	if err != nil {
		return err
	}
	l := LangOf(r)
	for _, p := range shown {
		v.List = append(v.List, s.personView(l, p))
	}
	if next != nil {
		v.Next = peoplePath + "?after=" + *next
	}
	v.Choices = s.choices(l)
	return s.own.write(w, r, status, "people.html", View{Title: "people.title", Nav: peoplePath, Self: peoplePath, Data: v})
}

func nameOf(p login.Person) string { return p.Name }

func personPath(name string) string { return peoplePath + "/" + name }

func (s *Shell) personPage(w http.ResponseWriter, r *http.Request) error {
	return s.showPerson(w, r, http.StatusOK, onePersonView{Done: s.doneText(r)})
}

func (s *Shell) showPerson(w http.ResponseWriter, r *http.Request, status int, v onePersonView) error {
	l, name := LangOf(r), r.PathValue("name")
	p, err := s.people.Get(r.Context(), name)
	if err != nil {
		return err
	}
	v.Path, v.Person, v.Choices = personPath(p.Name), s.personView(l, p), s.choices(l)
	for _, g := range p.Grants {
		v.Held = append(v.Held, heldView{g, s.roleText(l, g.Role), s.scopeText(l, g.Scope)})
	}
	if v.Sessions, err = s.sessionsOf(r, p.Name, v.Path+"/sessioni/togli"); err != nil {
		return err
	}
	if v.Tokens, err = s.tokensOf(r, p.Name, v.Path+"/chiavi/togli"); err != nil {
		return err
	}
	return s.own.write(w, r, status, "person.html", View{Heading: p.Name, Nav: peoplePath, Self: v.Path, Data: v})
}

// mendable is what was wrong with a form, where the reader can mend it.
func (s *Shell) mendable(r *http.Request, err error) *trouble {
	switch kind := fault.Of(err); kind {
	case fault.Invalid, fault.Conflict, fault.NotFound:
		return &trouble{Text: s.own.Text(LangOf(r), "error."+kind.String()+".title"), Detail: err.Error()}
	}
	return nil
}

// mayGive refuses roles with rights that the asker does not have: a token that
// manages people would else make itself more than it is.
func mayGive(r *http.Request, grants ...login.Grant) error {
	id := Who(r.Context())
	for _, g := range grants {
		for _, right := range g.Role.Rights() {
			if !id.MayGive(right, g.Scope) {
				return fault.New(fault.Denied, "role %s: %s cannot give %s, which it may not do itself", g.Role, id.Person, right)
			}
		}
	}
	return nil
}

// mayReset refuses a way into an account that may more than the asker, and
// into one that is not there: an invitation would make it.
func (s *Shell) mayReset(r *http.Request, name string) error {
	p, err := s.people.Get(r.Context(), name)
	if err != nil {
		return err
	}
	return mayGive(r, p.Grants...)
}

// grantOf reads a role and its scope from a form.
func grantOf(f interface{ Get(string) string }) (login.Grant, error) {
	g := login.Grant{Role: login.Role(f.Get("ruolo")), Scope: login.Scope{Kind: login.ScopeKind(f.Get("ambito")), ID: f.Get("quale")}}
	return g, login.CheckGrant(g)
}

func (s *Shell) invite(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "nome", "ruolo", "ambito", "quale")
	if err != nil {
		return err
	}
	var inv login.Invitation
	g, err := grantOf(f)
	if err == nil {
		err = mayGive(r, g)
	}
	if err == nil {
		inv, err = s.people.Invite(r.Context(), f.Get("nome"), []login.Grant{g})
	}
	if err != nil {
		t := s.mendable(r, err)
		if t == nil {
			return err
		}
		return s.showPeople(w, r, Status(err), peopleView{Trouble: t})
	}
	return s.showPeople(w, r, http.StatusOK, peopleView{Invitation: &inv})
}

// onPerson does something to the account of the path and says that it is done,
// or what was wrong.
func (s *Shell) onPerson(w http.ResponseWriter, r *http.Request, done string, err error) error {
	if err != nil {
		if t := s.mendable(r, err); t != nil && fault.Of(err) != fault.NotFound {
			return s.showPerson(w, r, Status(err), onePersonView{Trouble: t})
		}
		return err
	}
	seeOther(w, r, personPath(r.PathValue("name"))+"?fatto="+done)
	return nil
}

func (s *Shell) giveRole(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "ruolo", "ambito", "quale")
	if err != nil {
		return err
	}
	g, err := grantOf(f)
	if err == nil {
		err = mayGive(r, g)
	}
	if err == nil {
		err = s.people.Grant(r.Context(), r.PathValue("name"), g)
	}
	return s.onPerson(w, r, "dato", err)
}

func (s *Shell) takeRole(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "ruolo", "ambito", "quale")
	if err != nil {
		return err
	}
	g, err := grantOf(f)
	if err == nil {
		err = s.people.Withdraw(r.Context(), r.PathValue("name"), g)
	}
	return s.onPerson(w, r, "tolto", err)
}

func (s *Shell) newCode(w http.ResponseWriter, r *http.Request) error {
	if err := s.mayReset(r, r.PathValue("name")); err != nil {
		return err
	}
	inv, err := s.people.Invite(r.Context(), r.PathValue("name"), nil)
	if err != nil {
		return s.onPerson(w, r, "", err)
	}
	return s.showPerson(w, r, http.StatusOK, onePersonView{Invitation: &inv})
}

func (s *Shell) lock(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "bloccato", s.people.Lock(r.Context(), r.PathValue("name")))
}

func (s *Shell) unlock(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "sbloccato", s.people.Unlock(r.Context(), r.PathValue("name")))
}

func (s *Shell) dropSecond(w http.ResponseWriter, r *http.Request) error {
	err := s.mayReset(r, r.PathValue("name"))
	if err == nil {
		err = s.people.DropTOTP(r.Context(), r.PathValue("name"))
	}
	return s.onPerson(w, r, "secondo", err)
}

func (s *Shell) endSessions(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "sessioni", s.people.RevokeSessions(r.Context(), r.PathValue("name")))
}

func (s *Shell) endSession(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "id")
	if err != nil {
		return err
	}
	return s.onPerson(w, r, "sessioni", s.people.RevokeSession(r.Context(), r.PathValue("name"), f.Get("id")))
}

func (s *Shell) revokeKey(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "id")
	if err != nil {
		return err
	}
	return s.onPerson(w, r, "chiave", s.people.RevokeToken(r.Context(), r.PathValue("name"), f.Get("id")))
}

// remove takes an account away, once its box is ticked.
func (s *Shell) remove(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "certo")
	if err != nil {
		return err
	}
	if f.Get("certo") != "si" {
		return s.showPerson(w, r, http.StatusBadRequest, onePersonView{Trouble: &trouble{Text: s.own.Text(LangOf(r), "people.remove.tick")}})
	}
	if err := s.people.Remove(r.Context(), r.PathValue("name")); err != nil {
		return s.onPerson(w, r, "", err)
	}
	seeOther(w, r, peoplePath+"?fatto=via")
	return nil
}
