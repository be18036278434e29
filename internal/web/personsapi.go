package web

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// peopleAPI is the OpenAPI of the routes below.
//
//go:embed people.json
var peopleAPI []byte

// Me is the answer of /api/v1/me.
type Me struct {
	Name   string        `json:"name"`
	Via    string        `json:"via"` // session, token:ID or socket
	Grants []login.Grant `json:"grants"`
	Rights []MyRight     `json:"rights"` // what this request may do; a token may less than its person
}

// MyRight is a right with where it is held.
type MyRight struct {
	Right  login.Right   `json:"right"`
	Scopes []login.Scope `json:"scopes"`
}

// TokenAsked is the body that asks for a token.
type TokenAsked struct {
	Person string        `json:"person"` // "": one's own
	Name   string        `json:"name"`
	Rights []login.Right `json:"rights"`
	Days   int           `json:"days"`
	// Password of the asker, where a session asks: a borrowed screen must not be
	// enough for a key that outlives it.
	Password string `json:"password,omitempty"`
}

// InviteAsked is the body that asks for an account.
type InviteAsked struct {
	Name   string        `json:"name"`
	Grants []login.Grant `json:"grants"`
}

func (s *Shell) mountPeopleAPI() error {
	manage := NeedsUnion(login.ManagePeople)
	return s.API(peopleAPI, map[string]Route{
		"GET /api/v1/me":                             {SignedIn, s.Taking(s.apiMe)},
		"GET /api/v1/people":                         {manage, s.Taking(s.apiPeople, Paged()...)},
		"POST /api/v1/people":                        {manage, s.Taking(s.apiInvite)},
		"GET /api/v1/people/{name}":                  {manage, s.Taking(s.apiPerson)},
		"DELETE /api/v1/people/{name}":               {manage, s.Taking(s.apiRemove)},
		"POST /api/v1/people/{name}/invite":          {manage, s.Taking(s.apiNewCode)},
		"POST /api/v1/people/{name}/grants":          {manage, s.Taking(s.apiGrant)},
		"DELETE /api/v1/people/{name}/grants":        {manage, s.Taking(s.apiWithdraw, "grant")},
		"POST /api/v1/people/{name}/lock":            {manage, s.Taking(s.apiLock)},
		"POST /api/v1/people/{name}/unlock":          {manage, s.Taking(s.apiUnlock)},
		"DELETE /api/v1/people/{name}/second-factor": {manage, s.Taking(s.apiDropSecond)},
		"GET /api/v1/people/{name}/sessions":         {manage, s.Taking(s.apiSessions, Paged()...)},
		"DELETE /api/v1/people/{name}/sessions":      {manage, s.Taking(s.apiEndSessions)},
		"DELETE /api/v1/people/{name}/sessions/{id}": {manage, s.Taking(s.apiEndSession)},
		"GET /api/v1/tokens":                         {SignedIn, s.Taking(s.apiTokens, Paged("person")...)},
		"POST /api/v1/tokens":                        {SignedIn, s.Taking(s.apiAddToken)},
		"DELETE /api/v1/tokens/{id}":                 {SignedIn, s.Taking(s.apiRevokeToken, "person")},
	})
}

// nothing answers that something is done, or why not.
func nothing(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *Shell) apiMe(w http.ResponseWriter, r *http.Request) error {
	id := Who(r.Context())
	me := Me{Name: id.Person, Via: id.Via, Grants: append([]login.Grant{}, id.Grants...), Rights: []MyRight{}}
	for _, right := range login.AllRights() {
		if in := id.Scopes(right); len(in) > 0 {
			me.Rights = append(me.Rights, MyRight{right, in})
		}
	}
	return JSON(w, r, me)
}

func (s *Shell) apiPeople(w http.ResponseWriter, r *http.Request) error {
	all, err := s.people.List(r.Context())
	if err != nil {
		return err
	}
	people, next, err := Page(w, r, all, nameOf)
	if err != nil {
		return err
	}
	return JSON(w, r, struct {
		People []login.Person `json:"people"`
		Next   *string        `json:"next"`
	}{people, next})
}

func (s *Shell) apiPerson(w http.ResponseWriter, r *http.Request) error {
	p, err := s.people.Get(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	return JSON(w, r, p)
}

func (s *Shell) apiInvite(w http.ResponseWriter, r *http.Request) error {
	var asked InviteAsked
	if err := Body(r, &asked); err != nil {
		return err
	}
	if len(asked.Grants) == 0 { // without any it would be a new code for an account that is there
		return fault.New(fault.Invalid, "grants: give at least one role, as {\"role\": \"viewer\", \"scope\": {\"kind\": \"union\"}}; for a new code POST to /api/v1/people/NAME/invite")
	}
	if err := mayGive(r, asked.Grants...); err != nil {
		return err
	}
	inv, err := s.people.Invite(r.Context(), asked.Name, asked.Grants)
	if err != nil {
		return err
	}
	return Made(w, http.StatusCreated, inv)
}

func (s *Shell) apiNewCode(w http.ResponseWriter, r *http.Request) error {
	if err := s.mayReset(r, r.PathValue("name")); err != nil {
		return err
	}
	inv, err := s.people.Invite(r.Context(), r.PathValue("name"), nil)
	if err != nil {
		return err
	}
	return Made(w, http.StatusCreated, inv)
}

func (s *Shell) apiRemove(w http.ResponseWriter, r *http.Request) error {
	return nothing(w, s.people.Remove(r.Context(), r.PathValue("name")))
}

// thenPerson answers with the account as it is after a change.
func (s *Shell) thenPerson(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil {
		return err
	}
	return s.apiPerson(w, r)
}

func (s *Shell) apiGrant(w http.ResponseWriter, r *http.Request) error {
	var g login.Grant
	if err := Body(r, &g); err != nil {
		return err
	}
	if err := mayGive(r, g); err != nil {
		return err
	}
	return s.thenPerson(w, r, s.people.Grant(r.Context(), r.PathValue("name"), g))
}

func (s *Shell) apiWithdraw(w http.ResponseWriter, r *http.Request) error {
	g, err := login.ParseGrant(r.URL.Query().Get("grant"))
	if err != nil {
		return fmt.Errorf("parameter grant: %w", err)
	}
	return s.thenPerson(w, r, s.people.Withdraw(r.Context(), r.PathValue("name"), g))
}

func (s *Shell) apiLock(w http.ResponseWriter, r *http.Request) error {
	return s.thenPerson(w, r, s.people.Lock(r.Context(), r.PathValue("name")))
}

func (s *Shell) apiUnlock(w http.ResponseWriter, r *http.Request) error {
	return s.thenPerson(w, r, s.people.Unlock(r.Context(), r.PathValue("name")))
}

func (s *Shell) apiDropSecond(w http.ResponseWriter, r *http.Request) error {
	if err := s.mayReset(r, r.PathValue("name")); err != nil {
		return err
	}
	return nothing(w, s.people.DropTOTP(r.Context(), r.PathValue("name")))
}

func (s *Shell) apiSessions(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.people.Get(r.Context(), r.PathValue("name")); err != nil {
		return err
	}
	all, err := s.people.SessionsOf(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	list, next, err := Page(w, r, all, func(one login.Session) string { return one.ID })
	if err != nil {
		return err
	}
	return JSON(w, r, struct {
		Sessions []login.Session `json:"sessions"`
		Next     *string         `json:"next"`
	}{list, next})
}

func (s *Shell) apiEndSessions(w http.ResponseWriter, r *http.Request) error {
	return nothing(w, s.people.RevokeSessions(r.Context(), r.PathValue("name")))
}

func (s *Shell) apiEndSession(w http.ResponseWriter, r *http.Request) error {
	return nothing(w, s.people.RevokeSession(r.Context(), r.PathValue("name"), r.PathValue("id")))
}

// whose is the account that a request about tokens is for: one's own, or that
// of another for those who manage people.
func whose(r *http.Request, person string) (string, error) {
	id := Who(r.Context())
	if person == "" || person == id.Person {
		return id.Person, nil
	}
	if !id.MayIn(login.ManagePeople) {
		return "", fault.New(fault.Denied, "tokens of %s: %s may not manage the tokens of others", person, id.Person)
	}
	return person, nil
}

func (s *Shell) apiTokens(w http.ResponseWriter, r *http.Request) error {
	person, err := whose(r, r.URL.Query().Get("person"))
	if err != nil {
		return err
	}
	all, err := s.people.Tokens(r.Context(), person)
	if err != nil {
		return err
	}
	list, next, err := Page(w, r, all, func(t login.Token) string { return t.ID })
	if err != nil {
		return err
	}
	return JSON(w, r, struct {
		Tokens []login.Token `json:"tokens"`
		Next   *string       `json:"next"`
	}{list, next})
}

func (s *Shell) apiAddToken(w http.ResponseWriter, r *http.Request) error {
	var asked TokenAsked
	if err := Body(r, &asked); err != nil {
		return err
	}
	person, err := whose(r, asked.Person)
	if err != nil {
		return err
	}
	if id := Who(r.Context()); id.Via == viaSession {
		if asked.Password == "" {
			return fault.New(fault.Invalid, "password: a session makes no token without the password of %s", id.Person)
		}
		if err := s.people.CheckOwn(r.Context(), id.Person, asked.Password); err != nil {
			return err
		}
	}
	made, err := s.addToken(r, login.TokenRequest{Person: person, Name: asked.Name, Rights: asked.Rights, Days: asked.Days})
	if err != nil {
		return err
	}
	return Made(w, http.StatusCreated, made)
}

func (s *Shell) apiRevokeToken(w http.ResponseWriter, r *http.Request) error {
	person, err := whose(r, r.URL.Query().Get("person"))
	if err != nil {
		return err
	}
	id := Who(r.Context())
	if byToken(id) && id.Via != viaToken+r.PathValue("id") && !id.MayIn(login.ManagePeople) {
		return fault.New(fault.Denied, "revoke the token %s: a token ends only itself: sign in, or use the server's own machine", r.PathValue("id"))
	}
	return nothing(w, s.people.RevokeToken(r.Context(), person, r.PathValue("id")))
}

// viaToken is the way of an identity by a token, before the token's number.
const viaToken = "token:"

func byToken(id login.Identity) bool { return strings.HasPrefix(id.Via, viaToken) }

// addToken makes a token that can do no more than the one who asks for it.
func (s *Shell) addToken(r *http.Request, t login.TokenRequest) (login.NewToken, error) {
	id := Who(r.Context())
	if byToken(id) { // else one that leaked could live for ever
		return login.NewToken{}, fault.New(fault.Denied, "token %q: a token makes no tokens: sign in, or use the server's own machine", t.Name)
	}
	for _, right := range t.Rights {
		if !id.May(right) && (t.Person == id.Person || !id.MayGive(right, login.Union)) {
			return login.NewToken{}, fault.New(fault.Denied, "token %q: %s cannot give %s, which it may not do itself", t.Name, id.Person, right)
		}
	}
	return s.people.AddToken(r.Context(), t)
}
