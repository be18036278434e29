package carpool

import (
	"context"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// errNotYours is one text for what belongs to somebody else and for what does
// not exist: whoever tries names learns nothing.
var errNotYours = fault.New(fault.Denied, "that is not yours, or it does not exist")

// errNoConsent is what the desk is told where nobody agreed.
var errNoConsent = fault.New(fault.Denied, "desk: no agreement of this person is written down; ask them, and write it down first")

// mayAct says whether by acts for a member: the member by their own account,
// the guardian of a minor, or the desk where the member's consent is written
// down. The member must not be gone.
func mayAct(ctx context.Context, tx *store.Tx, by By, id MemberID) (Member, error) {
	if id == "" || by.Account == "" {
		return Member{}, errNotYours
	}
	m, err := memberIn(ctx, tx, id)
	if fault.Of(err) == fault.NotFound && err != nil || err == nil && m.State == Gone {
		return Member{}, errNotYours
	}
	if err != nil {
		return Member{}, err
	}
	if by.Desk {
		if by.Member != "" && by.Member != id {
			return Member{}, errNotYours
		}
		_, ok, err := consentIn(ctx, tx, id, ConsentDesk)
		if err == nil && !ok {
			err = errNoConsent
		}
		return m, err
	}
	if by.Member == "" {
		return Member{}, errNotYours
	}
	switch by.Member {
	case id:
		if m.Account != by.Account {
			return Member{}, errNotYours
		}
		return m, nil
	case m.Guardian:
		g, err := memberIn(ctx, tx, m.Guardian)
		if err != nil {
			return Member{}, err
		}
		if g.Account == by.Account && g.State == Active {
			return m, nil
		}
	}
	return Member{}, errNotYours
}

// mayDesk refuses whoever is not of the desk.
func mayDesk(by By) error {
	if !by.Desk || by.Account == "" {
		return fault.New(fault.Denied, "only the desk may do that")
	}
	return nil
}

// mayOffice refuses whoever acts as a member or as the desk: what is left are
// officers and the office, whose rights the page has looked at.
func mayOffice(by By) error {
	if by.Account == "" || by.Desk || by.Member != "" {
		return fault.New(fault.Denied, "only the office may do that")
	}
	return nil
}
