package web

import (
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// accountView is what the page of one's own account shows.
type accountView struct {
	Name     string
	Trouble  *trouble
	Done     string
	Recovery []string // codes, told once
	Secret   string   // of a new key, told once
	TOTP     *totpView
	Person   login.Person
	Grants   []string
	Sessions sessionsView
	Tokens   *tokensView
	Rights   []rightView // that a key may be given
	MaxDays  int
}

// totpView is a second factor that is being turned on. Picture and Secret are
// told once, at the beginning.
type totpView struct {
	Picture template.URL // a data: picture of our own making
	Secret  string
}

// maxTokenDays is how long a key is good at most, as login has it.
const maxTokenDays = 365

type rightView struct {
	Right login.Right
	Text  string
}

func (s *Shell) mountAccount() {
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /conto":                  s.accountPage,
		"POST /conto/password":        s.changePassword,
		"POST /conto/codice":          s.startTOTP,
		"POST /conto/codice/conferma": s.confirmTOTP,
		"POST /conto/codice/riserva":  s.newRecovery,
		"POST /conto/codice/togli":    s.dropTOTP,
		"POST /conto/sessioni":        s.endOwnSessions,
		"POST /conto/sessioni/togli":  s.endOwnSession,
		"POST /conto/chiavi":          s.makeKey,
		"POST /conto/chiavi/togli":    s.revokeOwnKey,
	} {
		s.Handle(pattern, InSession, s.Func(f))
	}
	for _, path := range []string{"password", "codice", "codice/conferma", "codice/riserva", "codice/togli", "sessioni", "sessioni/togli", "chiavi", "chiavi/togli"} {
		s.Handle("GET /conto/"+path, InSession, http.RedirectHandler(accountPath, http.StatusSeeOther))
	}
}

// accountDone are the words for ?fatto= of the account's page.
var accountDone = map[string]string{
	"password": "account.password.done", "sessioni": "account.sessions.done", "chiave": "token.revoked", "codice-tolto": "totp.dropped",
}

func (s *Shell) accountPage(w http.ResponseWriter, r *http.Request) error {
	var v accountView
	if key := accountDone[r.URL.Query().Get("fatto")]; key != "" {
		v.Done = s.own.Text(LangOf(r), key)
	}
	return s.showAccount(w, r, http.StatusOK, v)
}

// showAccount fills the view with what the account has, and shows it.
func (s *Shell) showAccount(w http.ResponseWriter, r *http.Request, status int, v accountView) error {
	ctx, l, id := r.Context(), LangOf(r), Who(r.Context())
	var err error
	if v.Person, err = s.people.Get(ctx, id.Person); err != nil {
		return err
	}
	v.Name, v.Grants, v.MaxDays = id.Person, s.grantTexts(l, v.Person.Grants), maxTokenDays
	if v.Sessions, err = s.sessionsOf(r, id.Person, "/conto/sessioni/togli"); err != nil {
		return err
	}
	if v.Tokens, err = s.tokensOf(r, id.Person, "/conto/chiavi/togli"); err != nil {
		return err
	}
	for _, right := range login.AllRights() {
		if id.May(right) {
			v.Rights = append(v.Rights, rightView{right, s.own.Text(l, "right."+string(right))})
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.own.write(w, r, status, "account.html", View{Title: "account.title", Self: accountPath, Data: v})
}

// grantTexts are roles in words: "tecnico, tutta l'Unione".
func (s *Shell) grantTexts(l Lang, grants []login.Grant) []string {
	var out []string
	for _, g := range grants {
		out = append(out, s.roleText(l, g.Role)+", "+s.scopeText(l, g.Scope))
	}
	return out
}

func (s *Shell) roleText(l Lang, r login.Role) string { return s.own.Text(l, "role."+string(r)) }

func (s *Shell) scopeText(l Lang, sc login.Scope) string {
	if sc == login.Union {
		return s.own.Text(l, "scope.union")
	}
	return s.own.Text(l, "scope.of."+string(sc.Kind), sc.ID)
}

// ownTrouble shows the account's page with what was wrong, where the reader
// can mend it; other errors are passed on.
func (s *Shell) ownTrouble(w http.ResponseWriter, r *http.Request, err error, denied string, v accountView) error {
	l := LangOf(r)
	after, slow := slowed(err)
	switch {
	case slow:
		retryAfter(w, after)
		v.Trouble = &trouble{Text: s.own.Text(l, "signin.slow", s.own.Span(l, after))}
	case fault.Of(err) == fault.Denied:
		v.Trouble = &trouble{Text: s.own.Text(l, denied)}
	case fault.Of(err) == fault.Invalid, fault.Of(err) == fault.Conflict, fault.Of(err) == fault.NotFound:
		v.Trouble = &trouble{Text: s.own.Text(l, "error."+fault.Of(err).String()+".title"), Detail: err.Error()}
	default:
		return err
	}
	return s.showAccount(w, r, Status(err), v)
}

func (s *Shell) changePassword(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "nome", "vecchia", "nuova", "ripeti")
	if err != nil {
		return err
	}
	if f.Get("nuova") != f.Get("ripeti") {
		return s.showAccount(w, r, http.StatusBadRequest, accountView{Trouble: &trouble{Text: s.own.Text(LangOf(r), "password.differ")}})
	}
	person := Who(r.Context()).Person
	err = s.people.SetPassword(r.Context(), person, f.Get("vecchia"), f.Get("nuova"))
	if fault.Of(err) == fault.Invalid {
		return s.showAccount(w, r, http.StatusBadRequest, accountView{Trouble: &trouble{s.own.Text(LangOf(r), "password.weak"), err.Error()}})
	}
	if err != nil {
		return s.ownTrouble(w, r, err, "password.wrong", accountView{})
	}
	if err := s.begin(w, r, person); err != nil { // all sessions ended with the old password
		return err
	}
	seeOther(w, r, accountPath+"?fatto=password")
	return nil
}

// checkOwn asks for the password again before something that a borrowed
// screen must not be enough for. It answers itself where that is not right.
func (s *Shell) checkOwn(w http.ResponseWriter, r *http.Request, password string) (ok bool, err error) {
	if err := s.people.CheckOwn(r.Context(), Who(r.Context()).Person, password); err != nil {
		return false, s.ownTrouble(w, r, err, "password.wrong", accountView{})
	}
	return true, nil
}

func (s *Shell) startTOTP(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "password")
	if err != nil {
		return err
	}
	if ok, err := s.checkOwn(w, r, f.Get("password")); !ok {
		return err
	}
	setup, err := s.people.StartTOTP(r.Context(), Who(r.Context()).Person)
	if err != nil {
		return err
	}
	picture := template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(setup.QR))
	return s.showAccount(w, r, http.StatusOK, accountView{TOTP: &totpView{Picture: picture, Secret: setup.Secret}})
}

func (s *Shell) confirmTOTP(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "codice")
	if err != nil {
		return err
	}
	codes, err := s.people.ConfirmTOTP(r.Context(), Who(r.Context()).Person, f.Get("codice"))
	if err != nil {
		var v accountView
		if fault.Of(err) == fault.Denied {
			v.TOTP = &totpView{} // the secret waits: only the code has to be typed again
		}
		return s.ownTrouble(w, r, err, "totp.confirm.wrong", v)
	}
	return s.showAccount(w, r, http.StatusOK, accountView{Recovery: codes, Done: s.own.Text(LangOf(r), "totp.done")})
}

func (s *Shell) newRecovery(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "password")
	if err != nil {
		return err
	}
	if ok, err := s.checkOwn(w, r, f.Get("password")); !ok {
		return err
	}
	codes, err := s.people.NewRecovery(r.Context(), Who(r.Context()).Person)
	if err != nil {
		return s.ownTrouble(w, r, err, "password.wrong", accountView{})
	}
	return s.showAccount(w, r, http.StatusOK, accountView{Recovery: codes})
}

func (s *Shell) dropTOTP(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "password")
	if err != nil {
		return err
	}
	if ok, err := s.checkOwn(w, r, f.Get("password")); !ok {
		return err
	}
	if err := s.people.DropTOTP(r.Context(), Who(r.Context()).Person); err != nil {
		return s.ownTrouble(w, r, err, "password.wrong", accountView{})
	}
	seeOther(w, r, accountPath+"?fatto=codice-tolto")
	return nil
}
