package page

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
)

// StaffAccounts say what residents sign in by, and give codes to be read out.
type StaffAccounts interface {
	Aliases(ctx context.Context, person string) ([]login.Alias, error)
	StartAlias(ctx context.Context, person, alias string, source netip.Addr) (code string, err error)
}

// accessView is one way in of somebody's account: what stands in their record.
type accessView struct {
	By, Label string
	OK        bool // an alias of this kind signs in
}

// accesses are the ways in that the desk can vouch for; none where somebody has
// no account of their own.
func (s *Staff) accesses(ctx context.Context, m carpool.Member) ([]accessView, error) {
	if s.deps.Accounts == nil || m.Account == "" {
		return nil, nil
	}
	aliases, err := s.deps.Accounts.Aliases(ctx, m.Account)
	if err != nil {
		return nil, err
	}
	var out []accessView
	for _, a := range []accessView{{By: string(carpool.AccessPhone), Label: m.Phone}, {By: string(carpool.AccessMail), Label: m.Email}} {
		for _, known := range aliases {
			a.OK = a.OK || known.Confirmed && known.Kind == a.By
		}
		if a.Label != "" {
			out = append(out, a)
		}
	}
	return out, nil
}

// giveAccess writes down that the desk knows whose a number or address is.
func (s *Staff) giveAccess(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m, err := s.member(ctx, carpool.MemberID(r.PathValue("member")))
	if err != nil {
		return err
	}
	f, err := s.form(r, "accesso", "certo")
	if err != nil {
		return err
	}
	if s.deps.Accounts == nil {
		return fault.New(fault.NotFound, "there are no accounts of residents here")
	}
	if f.get("accesso") == "" {
		f.refuse("desk.access.choose")
		return s.showPerson(w, r, f, m)
	}
	if !f.on("certo") {
		f.refuse("desk.access.tick")
		return s.showPerson(w, r, f, m)
	}
	if err := s.deps.Desk.Vouch(ctx, deskFor(ctx, m.ID), carpool.AccessBy(f.get("accesso"))); err != nil {
		if fault.Of(err) == fault.Conflict {
			f.refuse("desk.access.taken")
			return s.showPerson(w, r, f, m)
		}
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showPerson(w, r, f, m)
	}
	return seeOther(w, r, personPath(m.ID)+"?fatto=accesso")
}
