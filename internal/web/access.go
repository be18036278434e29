package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// Access says who may ask a route. The zero value is nobody, and a route
// cannot be mounted with it.
type Access struct {
	kind  accessKind
	right login.Right
	union bool // the right must hold for the whole union
}

type accessKind uint8

const (
	nobody accessKind = iota
	everyone
	signedIn
	inSession
	holders
)

var (
	Public   = Access{kind: everyone} // anyone, without an account
	SignedIn = Access{kind: signedIn} // whoever has an account
	// InSession is for who signed in on a page: one's own password and keys are
	// not a program's business.
	InSession = Access{kind: inSession}
)

// Needs is for those who hold a right in some scope; what of it they see is
// then the handler's matter, by Who.
func Needs(r login.Right) Access { return Access{kind: holders, right: r} }

// NeedsUnion is for those who hold a right for the whole union. A right in a
// partner or a comune does not do: what the route gives has no parts.
func NeedsUnion(r login.Right) Access { return Access{kind: holders, right: r, union: true} }

// String is the word of the tables: "public", "signed in", or the right, with
// " for the union" where a smaller scope is not enough.
func (a Access) String() string {
	switch a.kind {
	case everyone:
		return "public"
	case signedIn:
		return "signed in"
	case inSession:
		return "signed in on a page"
	case holders:
		if a.union {
			return string(a.right) + " for the union"
		}
		return string(a.right)
	}
	return "nobody"
}

// Right is what a route needs; false where it is public or only wants an
// account.
func (a Access) Right() (login.Right, bool) { return a.right, a.kind == holders }

// Union says whether the right must be held for the whole union.
func (a Access) Union() bool { return a.union }

// Allows says whether an identity passes.
func (a Access) Allows(id login.Identity) bool {
	switch a.kind {
	case everyone:
		return true
	case signedIn:
		return id.Known()
	case inSession:
		return id.Known() && id.Via == viaSession
	case holders:
		return id.May(a.right) && (!a.union || id.MayIn(a.right))
	}
	return false
}

// Route is a handler with who may ask it.
type Route struct {
	Access  Access
	Handler http.Handler
}

// Mounted is a route as tables and proofs list it.
type Mounted struct {
	Pattern string // of http.ServeMux
	Access  Access
}

// Routes are all that are mounted, by pattern.
func (s *Shell) Routes() []Mounted {
	out := slices.Clone(s.mounted)
	slices.SortFunc(out, func(a, b Mounted) int { return strings.Compare(a.Pattern, b.Pattern) })
	return out
}

type identityKey struct{}

// WithIdentity is ctx of a request whose asker is already known, as on the
// socket of the data folder. Everything done under it is theirs in the audit.
func WithIdentity(ctx context.Context, id login.Identity) context.Context {
	ctx = audit.With(ctx, audit.Actor{Who: id.Person, Via: id.Via, From: id.From})
	return context.WithValue(ctx, identityKey{}, id)
}

// Who is the asker of a request; a stranger is the zero value.
func Who(ctx context.Context) login.Identity {
	id, _ := ctx.Value(identityKey{}).(login.Identity)
	return id
}

// SignInPath is the page that asks for name and password.
const SignInPath = "/entra"

// InvitePath is the page that takes an invitation's code.
const InvitePath = "/invito"

const (
	signOutPath = "/esci"
	accountPath = "/conto"
	peoplePath  = "/persone"
)

// gate lets pass who may. A stranger's browser is sent to sign in and comes
// back; scripts are told 401; who is known but may not, 403.
func (s *Shell) gate(a Access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := Who(r.Context())
		switch {
		case a.Allows(id):
			next.ServeHTTP(w, r)
		case id.Known():
			s.Error(w, r, fault.New(fault.Denied, "%s may not do this: %s %s needs %s", id.Person, r.Method, r.URL.Path, a))
		case s.strangers[r.Pattern] != nil:
			s.strangers[r.Pattern].ServeHTTP(w, r)
		case forPrograms(r) || r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("WWW-Authenticate", `Bearer realm="crinale"`)
			s.answer(w, r, http.StatusUnauthorized, "unknown", fault.New(fault.Denied, "%s %s: sign in, or send a token", r.Method, r.URL.Path))
		default:
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, signInAt(r), http.StatusSeeOther)
		}
	})
}

// forPrograms says whether what is asked for is read by programs: they are
// told of errors by a status and problem+json, and not sent to a page.
func forPrograms(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/metrics"
}
