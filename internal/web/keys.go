package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// sessionsView and tokensView are tables with a button in each row, which posts
// to Action.
type sessionsView struct {
	Action string
	List   []sessionView
}

type sessionView struct {
	login.Session
	Here bool
}

type tokensView struct {
	Action string
	List   []tokenView
}

type tokenView struct {
	login.Token
	Rights  []string
	Expired bool
	Used    time.Time
}

func (s *Shell) sessionsOf(r *http.Request, person, action string) (sessionsView, error) {
	v := sessionsView{Action: action}
	list, err := s.people.SessionsOf(r.Context(), person)
	here := ""
	if Who(r.Context()).Via == viaSession {
		here = login.SessionID(s.sessions.Token(r.Context()))
	}
	for _, one := range list {
		v.List = append(v.List, sessionView{one, one.ID == here})
	}
	return v, err
}

func (s *Shell) tokensOf(r *http.Request, person, action string) (*tokensView, error) {
	list, err := s.people.Tokens(r.Context(), person)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	v := &tokensView{Action: action}
	for _, t := range list {
		one := tokenView{Token: t, Expired: !t.Until.After(s.now())}
		if t.Used != nil {
			one.Used = *t.Used
		}
		for _, right := range t.Rights {
			one.Rights = append(one.Rights, s.own.Text(LangOf(r), "right."+string(right)))
		}
		v.List = append(v.List, one)
	}
	return v, nil
}

func (s *Shell) endOwnSessions(w http.ResponseWriter, r *http.Request) error {
	person := Who(r.Context()).Person
	all, err := s.people.SessionsOf(r.Context(), person)
	if err != nil {
		return err
	}
	if len(all) < 2 { // nobody else is in: nothing to end, and no line for the log
		seeOther(w, r, accountPath+"?fatto=sessioni")
		return nil
	}
	if err := s.people.RevokeSessions(r.Context(), person); err != nil {
		return err
	}
	if err := s.begin(w, r, person); err != nil { // but for this one
		return err
	}
	seeOther(w, r, accountPath+"?fatto=sessioni")
	return nil
}

func (s *Shell) endOwnSession(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "id")
	if err != nil {
		return err
	}
	if err := s.people.RevokeSession(r.Context(), Who(r.Context()).Person, f.Get("id")); err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	seeOther(w, r, accountPath+"?fatto=sessioni")
	return nil
}

func (s *Shell) makeKey(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "nome", "diritto"+many, "giorni", "password")
	if err != nil {
		return err
	}
	if ok, err := s.checkOwn(w, r, f.Get("password")); !ok {
		return err
	}
	l := LangOf(r)
	days, err := strconv.Atoi(f.Get("giorni"))
	if err != nil || days < 1 || days > maxTokenDays {
		return s.showAccount(w, r, http.StatusBadRequest, accountView{Trouble: &trouble{Text: s.own.Text(l, "token.days.wrong", maxTokenDays)}})
	}
	var rights []login.Right
	for _, d := range f["diritto"] {
		rights = append(rights, login.Right(d))
	}
	if len(rights) == 0 {
		return s.showAccount(w, r, http.StatusBadRequest, accountView{Trouble: &trouble{Text: s.own.Text(l, "token.pick")}})
	}
	secret, err := s.addToken(r, login.TokenRequest{Person: Who(r.Context()).Person, Name: f.Get("nome"), Rights: rights, Days: days})
	if err != nil {
		return s.ownTrouble(w, r, err, "error.denied.text", accountView{})
	}
	return s.showAccount(w, r, http.StatusOK, accountView{Secret: secret.Secret})
}

func (s *Shell) revokeOwnKey(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "id")
	if err != nil {
		return err
	}
	if err := s.people.RevokeToken(r.Context(), Who(r.Context()).Person, f.Get("id")); err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	seeOther(w, r, accountPath+"?fatto=chiave")
	return nil
}
