package web

import (
	"testing"

	"github.com/crinale/crinale/internal/login"
)

// A right for a part of the network opens what has parts, and not what is the
// whole union's.
func TestNeedsUnion(t *testing.T) {
	of := func(s login.Scope, only ...login.Right) login.Identity {
		return login.Identity{Person: "tecnica", Grants: []login.Grant{{Role: login.Technician, Scope: s}}, Only: only}
	}
	part := login.Scope{Kind: login.OfPartner, ID: "wisp-uno"}
	for _, c := range []struct {
		name         string
		id           login.Identity
		needs, union bool
	}{
		{"of the union", of(login.Union), true, true},
		{"of a part", of(part), true, false},
		{"a token without the right", of(login.Union, login.ReadNetwork), false, false},
		{"a token with the right", of(login.Union, login.ChangeNetwork), true, true},
		{"a stranger", login.Identity{}, false, false},
	} {
		if got := Needs(login.ChangeNetwork).Allows(c.id); got != c.needs {
			t.Errorf("%s: needs the right: %v", c.name, got)
		}
		if got := NeedsUnion(login.ChangeNetwork).Allows(c.id); got != c.union {
			t.Errorf("%s: needs it for the union: %v", c.name, got)
		}
	}
	if s := NeedsUnion(login.ChangeNetwork).String(); s != "network.change for the union" {
		t.Error(s)
	}
}
