package main

import (
	"context"
	"time"

	"github.com/crinale/crinale/carpool/interop"
	cplpage "github.com/crinale/crinale/carpool/page"
)

// operators are the keys of other operators as the page shows them; nil where
// the union has no name for them.
func (s *server) operators() cplpage.Operators {
	if s.outside == nil {
		return nil
	}
	return keys{s.outside.Operators}
}

type keys struct{ of *interop.Operators }

func (k keys) List(ctx context.Context) ([]cplpage.Operator, error) {
	all, err := k.of.List(ctx)
	out := make([]cplpage.Operator, len(all))
	for i, o := range all {
		out[i] = cplpage.Operator{ID: o.ID, Name: o.Name, Webhook: o.Webhook, Added: o.Added, Rotated: o.Rotated, Revoked: o.Revoked != nil}
		for _, scope := range o.Scopes {
			out[i].Scopes = append(out[i].Scopes, string(scope))
		}
	}
	return out, err
}

func (k keys) Add(ctx context.Context, o cplpage.Operator) (string, error) {
	op := interop.Operator{ID: o.ID, Name: o.Name, Webhook: o.Webhook}
	for _, scope := range o.Scopes {
		op.Scopes = append(op.Scopes, interop.Scope(scope))
	}
	made, err := k.of.Add(ctx, op)
	return made.Key, err
}

func (k keys) Rotate(ctx context.Context, id string, keep time.Duration) (string, error) {
	made, err := k.of.Rotate(ctx, id, keep)
	return made.Key, err
}

func (k keys) Revoke(ctx context.Context, id string) error { return k.of.Revoke(ctx, id) }
