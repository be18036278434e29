// Package audit is the log of who did what to what, from where: append-only,
// each line bound to the one before it by its hash, written in the transaction
// of what it tells.
package audit

import "context"

// Actor is who does something.
type Actor struct {
	Who  string // account; "program" for crinale itself
	Via  string // "session", "token:ID", "socket", "" for the program
	From string // network address; "" where there is none
}

// Program is crinale itself, the actor where none is named.
var Program = Actor{Who: "program"}

type actorKey struct{}

// With is ctx with the actor of all that is done under it.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// By is the actor of ctx, Program where none was set.
func By(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Program
}
