package web

import (
	"context"

	"github.com/alexedwards/scs/v2"

	"github.com/crinale/crinale/internal/login"
)

// People are the accounts, as sign-in and the pages use them; *login.People
// meets it.
type People interface {
	SignIns
	Accounts
	Tokens
	Sessions
}

// SignIns are the ways in.
type SignIns interface {
	Login(ctx context.Context, r login.LoginRequest) (login.LoginResult, error)
	Accept(ctx context.Context, code, password string) (login.Person, error)
	Identity(ctx context.Context, person string) (login.Identity, error)
	ByToken(ctx context.Context, secret string) (login.Identity, error)
}

// Accounts can be looked at and changed, by those who manage them or, the
// second half, by their owners.
type Accounts interface {
	List(ctx context.Context) ([]login.Person, error)
	Get(ctx context.Context, person string) (login.Person, error)
	Invite(ctx context.Context, name string, grants []login.Grant) (login.Invitation, error)
	Grant(ctx context.Context, person string, g login.Grant) error
	Withdraw(ctx context.Context, person string, g login.Grant) error
	Lock(ctx context.Context, person string) error
	Unlock(ctx context.Context, person string) error
	Remove(ctx context.Context, person string) error

	CheckOwn(ctx context.Context, person, password string) error
	SetPassword(ctx context.Context, person, old, new string) error
	StartTOTP(ctx context.Context, person string) (login.TOTPSetup, error)
	ConfirmTOTP(ctx context.Context, person, code string) ([]string, error)
	NewRecovery(ctx context.Context, person string) ([]string, error)
	DropTOTP(ctx context.Context, person string) error
}

// Tokens are the keys of programs.
type Tokens interface {
	AddToken(ctx context.Context, r login.TokenRequest) (login.NewToken, error)
	Tokens(ctx context.Context, person string) ([]login.Token, error)
	RevokeToken(ctx context.Context, person, id string) error
}

// Sessions are kept with the accounts.
type Sessions interface {
	scs.CtxStore
	SessionsOf(ctx context.Context, person string) ([]login.Session, error)
	RevokeSession(ctx context.Context, person, id string) error
	RevokeSessions(ctx context.Context, person string) error
}

var _ People = (*login.People)(nil)
