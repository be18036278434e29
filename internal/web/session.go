package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// A session lasts this long, and this long without a page.
const (
	sessionFor  = 12 * time.Hour
	sessionIdle = 2 * time.Hour
)

// viaSession is the way of an identity that signed in on a page.
const viaSession = "session"

// sessions keeps them with the accounts, where they can be listed and ended.
// It is not made by scs.New, which starts a goroutine for a store of its own
// that nobody would use.
func sessions(p People) *scs.SessionManager {
	return &scs.SessionManager{Store: p, Lifetime: sessionFor, IdleTimeout: sessionIdle, Codec: scs.GobCodec{}}
}

// cookieName is that of the session: over TLS one that no other host of the
// domain can set.
func (s *Shell) cookieName(r *http.Request) string {
	if s.secure(r) {
		return "__Host-crinale"
	}
	return "crinale"
}

func (s *Shell) setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(r), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: s.secure(r), SameSite: http.SameSiteLaxMode})
}

// identify says who asks: the bearer of a token, or who holds the session of
// the cookie, or a stranger. A token that is not good is an error; a session
// that is not is a stranger's.
func (s *Shell) identify(r *http.Request) (login.Identity, context.Context, error) {
	ctx := r.Context()
	if h := r.Header.Values("Authorization"); len(h) > 0 {
		id, err := s.bearer(ctx, h)
		id.From = s.from(r)
		return id, ctx, err
	}
	c, err := r.Cookie(s.cookieName(r))
	if err != nil || c.Value == "" || len(c.Value) > 128 {
		return login.Identity{}, ctx, nil
	}
	ctx, err = s.sessions.Load(ctx, c.Value)
	if err != nil {
		return login.Identity{}, ctx, err
	}
	person := s.sessions.GetString(ctx, login.SessionPerson)
	if person == "" {
		return login.Identity{}, ctx, nil
	}
	id, err := s.people.Identity(ctx, person)
	switch fault.Of(err) {
	case fault.Denied, fault.NotFound: // locked or removed since
		return login.Identity{}, ctx, nil
	}
	id.Via, id.From = viaSession, s.from(r)
	if err == nil {
		if _, _, err := s.sessions.Commit(ctx); err != nil { // put off its end; reading goes on without
			s.log.Warn("web: keep a session", "error", err)
		}
	}
	return id, ctx, err
}

type stillKey struct{}

// Still says whether the asker of a request is let in as they were when it
// began: not signed out, revoked, locked or given other roles since. Answers
// that go on for long ask it.
func Still(ctx context.Context) bool {
	still, ok := ctx.Value(stillKey{}).(func() bool)
	return !ok || still()
}

// still is for Still. It does not put off the end of a session.
func (s *Shell) still(r *http.Request, was login.Identity) func() bool {
	return func() bool {
		var now login.Identity
		var err error
		if h := r.Header.Values("Authorization"); len(h) > 0 {
			now, err = s.bearer(r.Context(), h)
		} else if c, cerr := r.Cookie(s.cookieName(r)); cerr == nil {
			var found bool
			if _, found, err = s.people.FindCtx(r.Context(), c.Value); err != nil || !found {
				return false
			}
			now, err = s.people.Identity(r.Context(), was.Person)
		}
		return err == nil && now.Person == was.Person && slices.Equal(now.Grants, was.Grants)
	}
}

// begin gives a person who showed who they are a new session: never the one
// that the browser came with, which a stranger may know.
func (s *Shell) begin(w http.ResponseWriter, r *http.Request, person string) error {
	ctx, err := s.sessions.Load(r.Context(), "")
	if err != nil {
		return err
	}
	if s.sessions.Token(ctx) != "" {
		if err := s.sessions.Destroy(ctx); err != nil {
			return err
		}
	}
	s.sessions.Put(ctx, login.SessionPerson, person)
	s.sessions.Put(ctx, login.SessionFrom, s.from(r))
	s.sessions.Put(ctx, login.SessionAgent, agentOf(r))
	token, _, err := s.sessions.Commit(ctx)
	if err != nil {
		return err
	}
	s.setCookie(w, r, token, 0) // goes with the browser; the server ends it earlier
	return nil
}

// Begin signs in a person who has shown who they are on a page that is not the
// sign-in's, such as by a code that was sent to them.
func (s *Shell) Begin(w http.ResponseWriter, r *http.Request, person string) error {
	return s.begin(w, r, person)
}

const maxAgent = 200 // bytes of a browser's name

func agentOf(r *http.Request) string {
	a := r.UserAgent()
	return strings.ToValidUTF8(a[:min(len(a), maxAgent)], "")
}

// end ends the session of the request, if it has one.
func (s *Shell) end(w http.ResponseWriter, r *http.Request) error {
	ctx, err := s.sessions.Load(r.Context(), "")
	if err != nil {
		return err
	}
	if s.sessions.Token(ctx) != "" {
		if err := s.sessions.Destroy(ctx); err != nil {
			return err
		}
	}
	s.setCookie(w, r, "", -1)
	return nil
}

// from is the source as text; "" for the socket.
func (s *Shell) from(r *http.Request) string {
	if a := s.source(r); a.IsValid() {
		return a.String()
	}
	return ""
}

const maxToken = 512 // bytes of an Authorization header

// bearer reads the one Authorization header: "Bearer TOKEN" (RFC 6750).
func (s *Shell) bearer(ctx context.Context, headers []string) (login.Identity, error) {
	scheme, secret, _ := strings.Cut(headers[0], " ")
	secret = strings.Trim(secret, " ")
	if len(headers) > 1 || len(headers[0]) > maxToken || !strings.EqualFold(scheme, "Bearer") || !tokenText(secret) {
		return login.Identity{}, fault.New(fault.Denied, "Authorization header: want one, \"Bearer TOKEN\"")
	}
	return s.people.ByToken(ctx, secret)
}

// tokenText says whether s can be a token by its letters.
func tokenText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return s != ""
}
