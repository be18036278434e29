package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// trouble is why a form did not work: in words of the page, with the English
// text of the cause where it helps.
type trouble struct{ Text, Detail string }

// signInView is what the sign-in page shows.
type signInView struct {
	Trouble *trouble
	Done    string
	Name    string
	Back    string // page of our own to go on to
	Step    string // ticket of the second step; "" for the first
}

func (s *Shell) mountSignIn() {
	s.Handle("GET "+SignInPath, Public, s.Func(s.signInPage))
	s.Handle("POST "+SignInPath, Public, s.Func(s.signIn))
	s.Handle("POST "+signOutPath, Public, s.Func(s.signOut))
	s.Handle("GET "+signOutPath, Public, http.RedirectHandler("/", http.StatusSeeOther))
	s.Handle("GET "+InvitePath, Public, s.Func(s.invitePage))
	s.Handle("POST "+InvitePath, Public, s.Func(s.accept))
}

func (s *Shell) signInPage(w http.ResponseWriter, r *http.Request) error {
	to := back(r.URL.Query().Get("dopo"))
	if Who(r.Context()).Known() {
		seeOther(w, r, to)
		return nil
	}
	return s.showSignIn(w, r, http.StatusOK, signInView{Back: to})
}

// seeOther goes on to a page of our own, by default the first.
func seeOther(w http.ResponseWriter, r *http.Request, to string) {
	if to == "" {
		to = "/"
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Shell) showSignIn(w http.ResponseWriter, r *http.Request, status int, v signInView) error {
	w.Header().Set("Cache-Control", "no-store")
	return s.own.write(w, r, status, "sign-in.html", View{Title: "signin.title", Self: SignInPath, Data: v})
}

// signIn takes both steps: name and password, then the code where the account
// has a second factor.
func (s *Shell) signIn(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "nome", "password", "codice", "passo", "dopo")
	if err != nil {
		return err
	}
	to, l := back(f.Get("dopo")), LangOf(r)
	res, err := s.people.Login(r.Context(), login.LoginRequest{
		Name: f.Get("nome"), Password: f.Get("password"), Code: f.Get("codice"), Ticket: f.Get("passo"),
		Source: s.source(r), Device: deviceOf(r),
	})
	v := signInView{Name: f.Get("nome"), Back: to, Step: f.Get("passo")}
	switch after, slow := slowed(err); {
	case slow:
		retryAfter(w, after)
		v.Trouble = &trouble{Text: s.own.Text(l, "signin.slow", s.own.Span(l, after))}
		return s.showSignIn(w, r, http.StatusTooManyRequests, v)
	case fault.Of(err) == fault.Denied || fault.Of(err) == fault.Invalid:
		v.Trouble = &trouble{Text: s.own.Text(l, "signin.wrong")}
		return s.showSignIn(w, r, http.StatusForbidden, v)
	case err != nil:
		return err
	case res.NeedsCode:
		v.Step = res.Ticket
		return s.showSignIn(w, r, http.StatusOK, v)
	}
	s.keepDevice(w, r, res.Device)
	if err := s.begin(w, r, res.Person); err != nil {
		return err
	}
	seeOther(w, r, to)
	return nil
}

func (s *Shell) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.end(w, r); err != nil {
		return err
	}
	seeOther(w, r, "/")
	return nil
}

// inviteView is what the page of an invitation shows.
type inviteView struct {
	Trouble *trouble
	Code    string
}

func (s *Shell) showInvite(w http.ResponseWriter, r *http.Request, status int, v inviteView) error {
	w.Header().Set("Cache-Control", "no-store")
	return s.own.write(w, r, status, "invite.html", View{Title: "invite.title", Self: InvitePath, Data: v})
}

func (s *Shell) invitePage(w http.ResponseWriter, r *http.Request) error {
	return s.showInvite(w, r, http.StatusOK, inviteView{})
}

// accept takes an invitation's code and the password chosen.
func (s *Shell) accept(w http.ResponseWriter, r *http.Request) error {
	f, err := form(r, "codice", "nuova", "ripeti")
	if err != nil {
		return err
	}
	l, v := LangOf(r), inviteView{Code: f.Get("codice")}
	if f.Get("nuova") != f.Get("ripeti") {
		v.Trouble = &trouble{Text: s.own.Text(l, "password.differ")}
		return s.showInvite(w, r, http.StatusBadRequest, v)
	}
	person, err := s.people.Accept(r.Context(), f.Get("codice"), f.Get("nuova"))
	if after, slow := slowed(err); slow {
		retryAfter(w, after)
		v.Trouble = &trouble{Text: s.own.Text(l, "signin.slow", s.own.Span(l, after))}
		return s.showInvite(w, r, http.StatusTooManyRequests, v)
	}
	switch {
	case err == nil:
		return s.showSignIn(w, r, http.StatusOK, signInView{Name: person.Name, Done: s.own.Text(l, "signin.welcome", person.Name)})
	case fault.Of(err) == fault.Invalid:
		v.Trouble = &trouble{Text: s.own.Text(l, "password.weak"), Detail: err.Error()}
		return s.showInvite(w, r, http.StatusBadRequest, v)
	case fault.Of(err) == fault.Denied || fault.Of(err) == fault.NotFound:
		v.Trouble = &trouble{Text: s.own.Text(l, "invite.wrong")}
		return s.showInvite(w, r, http.StatusForbidden, v)
	}
	return err
}

const (
	deviceCookie = "crinale_device" // says that an owner signed in from here before
	deviceFor    = 90 * 24 * time.Hour
)

func deviceOf(r *http.Request) string {
	c, err := r.Cookie(deviceCookie)
	if errors.Is(err, http.ErrNoCookie) {
		return ""
	}
	return c.Value
}

func (s *Shell) keepDevice(w http.ResponseWriter, r *http.Request, device string) {
	if device == "" {
		return
	}
	http.SetCookie(w, &http.Cookie{Name: deviceCookie, Value: device, Path: SignInPath, MaxAge: int(deviceFor.Seconds()),
		HttpOnly: true, Secure: s.secure(r), SameSite: http.SameSiteLaxMode})
}
