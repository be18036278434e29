// Package login knows who asks and what they may: people with roles in a
// scope, their passwords and second factors, their sessions and tokens.
//
// What a role may do stands in one table, Rights; every page, route and verb
// names the right it needs, and what names none is refused.
package login

import (
	"slices"
)

// Right is one thing that may be done. Routes need one; roles give them.
type Right string

const (
	ReadNetwork    Right = "network.read"    // sites, links, readings, alerts; within the scope
	ChangeNetwork  Right = "network.change"  // see differences, apply, confirm, revert
	ManagePartners Right = "partners.manage" // let partners in and out of the feed, and edges; order edges to forget
	ManagePeople   Right = "people.manage"   // accounts, roles, tokens and sessions of others
	ReadAudit      Right = "audit.read"      // the log of who did what
	ReadMetrics    Right = "metrics.read"    // figures for Prometheus

	UseCarpool    Right = "carpool.use"    // one's own lifts, offered and asked for
	CheckDrivers  Right = "carpool.check"  // the queue of papers, and nothing else of the portal
	DeskCarpool   Right = "carpool.desk"   // act for residents who agreed, the call list
	EditPlaces    Right = "carpool.places" // meeting points; of a comune within its scope
	ManageCarpool Right = "carpool.manage" // reports, suspensions, the list of who to call, operators, figures
)

// AllRights in the order of tables.
func AllRights() []Right {
	return []Right{ReadNetwork, ChangeNetwork, ManagePartners, ManagePeople, ReadAudit, ReadMetrics,
		UseCarpool, CheckDrivers, DeskCarpool, EditPlaces, ManageCarpool}
}

// Personal says whether a right is over residents' own matters: an admin gives
// it to others without having it.
func (r Right) Personal() bool { return r == UseCarpool || r == CheckDrivers || r == DeskCarpool }

// Role is what someone is to the union.
type Role string

const (
	Admin      Role = "admin"
	Technician Role = "technician"
	Viewer     Role = "viewer"
	Partner    Role = "partner"
	Police     Role = "police"
	Desk       Role = "desk"
	Employee   Role = "employee"
	Resident   Role = "resident"
)

// Roles in the order of tables.
func Roles() []Role {
	return []Role{Admin, Technician, Viewer, Partner, Police, Desk, Employee, Resident}
}

// Rights are those that a role gives within its scope. Not even an admin looks
// at residents' papers or acts for them: whoever does has the role for it.
func (r Role) Rights() []Right {
	switch r {
	case Admin:
		return []Right{ReadNetwork, ChangeNetwork, ManagePartners, ManagePeople, ReadAudit, ReadMetrics, EditPlaces, ManageCarpool}
	case Technician:
		return []Right{ReadNetwork, ChangeNetwork, ManagePartners, ReadAudit, ReadMetrics}
	case Viewer, Partner:
		return []Right{ReadNetwork}
	case Police:
		return []Right{CheckDrivers}
	case Desk:
		return []Right{DeskCarpool, EditPlaces}
	case Employee:
		return []Right{EditPlaces}
	case Resident:
		return []Right{UseCarpool}
	}
	return nil
}

// ScopeKind is how far a role reaches.
type ScopeKind string

const (
	OfUnion   ScopeKind = "union"   // everything; without an ID
	OfComune  ScopeKind = "comune"  // ID is the ISTAT code
	OfPartner ScopeKind = "partner" // ID is the partner's name in the network files
	OfGroup   ScopeKind = "group"   // ID is the group's name
)

// Scope is where a role holds.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
}

// Union is the scope of everything.
var Union = Scope{Kind: OfUnion}

// String is "union" or "partner:langanet".
func (s Scope) String() string {
	if s.ID == "" {
		return string(s.Kind)
	}
	return string(s.Kind) + ":" + s.ID
}

// Grant is a role within a scope.
type Grant struct {
	Role  Role  `json:"role"`
	Scope Scope `json:"scope"`
}

// Identity is who asks. The zero value is a stranger, who has no right.
type Identity struct {
	Person string  // name of the account; "" for a stranger
	Via    string  // "session", "token:ID", "socket"
	From   string  // address the request came from; "" for the socket
	Grants []Grant // what the person has
	Only   []Right // of a token: no more than these; nil: all that the grants give
}

// Known says whether it is somebody.
func (id Identity) Known() bool { return id.Person != "" }

// May says whether the right is held in some scope.
func (id Identity) May(r Right) bool { return len(id.Scopes(r)) > 0 }

// Scopes are those in which the right is held; none: it is not held. Whoever
// holds it for the union gets Union alone.
func (id Identity) Scopes(r Right) []Scope {
	if id.Only != nil && !slices.Contains(id.Only, r) {
		return nil
	}
	var out []Scope
	for _, g := range id.Grants {
		if !slices.Contains(g.Role.Rights(), r) {
			continue
		}
		if g.Scope == Union {
			return []Scope{Union}
		}
		if !slices.Contains(out, g.Scope) {
			out = append(out, g.Scope)
		}
	}
	return out
}

// MayGive says whether a right may be handed to others within a scope: one's
// own, and a personal one by who manages people and is not held to less by a
// token.
func (id Identity) MayGive(r Right, of Scope) bool {
	return id.MayIn(r, of) || r.Personal() && id.Only == nil && id.MayIn(ManagePeople)
}

// MayIn says whether the right is held in one of the scopes that a thing
// belongs to, or for the union.
func (id Identity) MayIn(r Right, of ...Scope) bool {
	for _, s := range id.Scopes(r) {
		if s == Union || slices.Contains(of, s) {
			return true
		}
	}
	return false
}
