package login_test

import (
	"testing"

	"github.com/crinale/crinale/internal/login"
)

// An admin gives what is over residents' own matters without having it; a
// token that is held to less does not, nor does anybody else.
func TestWhoMayGiveWhat(t *testing.T) {
	id := func(role login.Role, scope login.Scope, only ...login.Right) login.Identity {
		return login.Identity{Person: "p", Grants: []login.Grant{{Role: role, Scope: scope}}, Only: only}
	}
	comune := login.Scope{Kind: login.OfComune, ID: "004073"}
	for _, c := range []struct {
		name  string
		id    login.Identity
		right login.Right
		in    login.Scope
		want  bool
	}{
		{"admin, police", id(login.Admin, login.Union), login.CheckDrivers, login.Union, true},
		{"admin, desk of a comune", id(login.Admin, login.Union), login.DeskCarpool, comune, true},
		{"admin has no look at papers", id(login.Admin, login.Union), login.ReadNetwork, login.Union, true},
		{"token that manages people", id(login.Admin, login.Union, login.ManagePeople), login.CheckDrivers, login.Union, false},
		{"token that manages people, network", id(login.Admin, login.Union, login.ManagePeople), login.ChangeNetwork, login.Union, false},
		{"technician", id(login.Technician, login.Union), login.DeskCarpool, login.Union, false},
		{"police of a comune, for the union", id(login.Police, comune), login.CheckDrivers, login.Union, false},
		{"nobody", login.Identity{}, login.UseCarpool, login.Union, false},
	} {
		if got := c.id.MayGive(c.right, c.in); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if id(login.Admin, login.Union).May(login.CheckDrivers) {
		t.Error("an admin looks at papers")
	}
}
