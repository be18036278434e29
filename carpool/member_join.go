package carpool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// Registration is somebody who joins.
type Registration struct {
	Member   Member
	Consents []ConsentTo // at least to the terms
	How      string      // "page" by oneself; "voice" or "paper" by the desk
}

// Register lets somebody in: oneself by an account, a minor by the guardian,
// anyone by the desk, with the consent that was given by voice or on paper. A
// phone number that another member has is noted for the office unless it is
// said to be the family's; the desk is asked to say so.
func (p *Members) Register(ctx context.Context, by By, r Registration) (Member, error) {
	m, err := joining(by, r)
	if err != nil {
		return Member{}, err
	}
	consents := uniq(r.Consents)
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		m.ID, m.State, m.Created = MemberID(newID("m")), Active, tx.Now
		if err := p.mayJoin(ctx, tx, by, m); err != nil {
			return err
		}
		if err := putMember(ctx, tx, m); err != nil {
			return err
		}
		for _, what := range consents {
			if _, err := putConsent(ctx, tx, m.ID, what, r.How, by.Account); err != nil {
				return err
			}
		}
		if err := p.sharedPhone(ctx, tx, by, m); err != nil {
			return err
		}
		if err := p.comesBack(ctx, tx, &m); err != nil {
			return err
		}
		if err := p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.member.register", Object: string(m.ID),
			Detail: map[string]string{"how": r.How, "minor": fmt.Sprint(m.Minor)}}); err != nil {
			return err
		}
		return Tell(ctx, tx, p.deps.Outbox, Notice{Key: "welcome:" + string(m.ID), Member: m.ID, Kind: NoticeWelcome})
	})
	if err != nil {
		return Member{}, fmt.Errorf("register: %w", err)
	}
	return m, nil
}

// CheckJoin is somebody who joins by a page as they would be kept, or what is
// wrong with what they say, as far as it can be told before there is an account.
func CheckJoin(r Registration) (Member, error) { return joining(By{Account: "new"}, r) }

// joining is what can be said of a registration without the store.
func joining(by By, r Registration) (Member, error) {
	if by.Account == "" {
		return Member{}, errNotYours
	}
	m := r.Member
	for _, what := range r.Consents {
		if !slices.Contains(consentsKnown, what) {
			return m, fault.New(fault.Invalid, "consent: there is none to that")
		}
	}
	if !slices.Contains(r.Consents, ConsentTerms) {
		return m, fault.New(fault.Invalid, "consent: read the privacy notice and agree to take part")
	}
	hows := []string{"page"}
	m.Account = by.Account
	switch {
	case by.Desk:
		hows = []string{"voice", "paper"}
		m.Account = ""
		if !slices.Contains(r.Consents, ConsentDesk) {
			return m, fault.New(fault.Invalid, "consent: the desk acts only for people who agree to it; ask them")
		}
	case m.Minor:
		m.Account = ""
		if by.Member == "" || m.Guardian != by.Member {
			return m, fault.New(fault.Invalid, "guardian: a minor is registered by the guardian or at the desk")
		}
	case by.Member != "":
		return m, fault.New(fault.Conflict, "you have joined already")
	}
	if !slices.Contains(hows, r.How) {
		return m, fault.New(fault.Invalid, "how: say how the consent was given: %v", hows)
	}
	if m.Minor && !slices.Contains(r.Consents, ConsentMinor) {
		return m, fault.New(fault.Invalid, "consent: the guardian must agree that the minor rides")
	}
	if !m.Minor && slices.Contains(r.Consents, ConsentMinor) {
		return m, fault.New(fault.Invalid, "consent: that of a guardian is for a minor")
	}
	m, err := checkMember(m)
	if err == nil && slices.Contains(r.Consents, ConsentIO) && m.Fiscal == "" {
		err = fault.New(fault.Invalid, "fiscal code: App IO needs it; write it, or do not choose App IO")
	}
	if err == nil && m.Fiscal != "" && !slices.Contains(r.Consents, ConsentIO) {
		err = fault.New(fault.Invalid, "fiscal code: it is kept only for App IO; agree to that, or leave it out")
	}
	if err == nil && by.Desk && m.Phone == "" && !m.Minor {
		err = fault.New(fault.Invalid, "phone: the desk needs a number to call back")
	}
	return m, err
}

// mayJoin is what only the store knows.
func (p *Members) mayJoin(ctx context.Context, tx *store.Tx, by By, m Member) error {
	if m.Account != "" {
		switch _, err := memberOf(ctx, tx, m.Account); {
		case err == nil:
			return fault.New(fault.Conflict, "you have joined already")
		case fault.Of(err) != fault.NotFound:
			return err
		}
	}
	if m.Minor && !by.Desk {
		if _, err := mayAct(ctx, tx, by, m.Guardian); err != nil {
			return err
		}
	}
	return checkGuardian(ctx, tx, m)
}

// sharedPhone is what comes of a number that somebody else has too.
func (p *Members) sharedPhone(ctx context.Context, tx *store.Tx, by By, m Member) error {
	others, err := samePhone(ctx, tx, m)
	if err != nil || len(others) == 0 || m.Family || m.Minor {
		return err
	}
	if by.Desk {
		return fault.New(fault.Conflict, "phone: another member has this number; if it is the family's, say so, else ask for the number again")
	}
	return flagReport(ctx, tx, Report{About: m.ID, Kind: ReportPhone, Other: others[0]})
}

// Update changes what somebody has said about themselves. Account, state,
// guardian and the day they joined stay; an age is changed at the desk. Under
// another name the police look at a driver's papers again.
func (p *Members) Update(ctx context.Context, by By, m Member) (Member, error) {
	var out, before Member
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.member.update", Object: string(m.ID)}, func(tx *store.Tx) error {
		old, err := mayAct(ctx, tx, by, m.ID)
		if err != nil {
			return err
		}
		m := m
		m.Account, m.State, m.Created = old.Account, old.State, old.Created
		if !by.Desk {
			m.Minor, m.Guardian = old.Minor, old.Guardian
		}
		if m, err = checkMember(m); err != nil {
			return err
		}
		if err := checkGuardian(ctx, tx, m); err != nil {
			return err
		}
		if m.Fiscal != "" {
			_, ok, err := consentIn(ctx, tx, m.ID, ConsentIO)
			if err != nil {
				return err
			}
			if !ok {
				return fault.New(fault.Invalid, "fiscal code: it is kept only for App IO; agree to that first")
			}
		}
		if m.Phone != old.Phone && !by.Desk {
			if old.State == Suspended {
				return fault.New(fault.Denied, "phone: while you are suspended your number stays; the desk changes it")
			}
			if err := mayRenumber(ctx, tx, m.ID); err != nil {
				return err
			}
		}
		if m.Phone != old.Phone || m.Family != old.Family {
			if err := p.sharedPhone(ctx, tx, by, m); err != nil {
				return err
			}
		}
		if m.Phone != old.Phone && m.Phone != "" && p.deps.Accounts != nil {
			if err := p.noteBack(ctx, tx, m.ID, p.deps.Accounts.Mark(m.Phone)); err != nil {
				return err
			}
		}
		if m.Guardian != old.Guardian {
			away, err := keptAway(ctx, tx, m.Guardian)
			if err != nil {
				return err
			}
			for _, x := range away {
				if err := p.part(ctx, tx, m.ID, x); err != nil {
					return err
				}
			}
		}
		if m.First != old.First || m.Last != old.Last {
			if err := p.voidChecks(ctx, tx, m.ID, "", "name changed"); err != nil {
				return err
			}
		}
		out, before = m, old
		return putMember(ctx, tx, m)
	})
	if err != nil {
		return Member{}, fmt.Errorf("change a member: %w", err)
	}
	if by.Desk && out.Account != "" && before.Phone != "" && before.Phone != out.Phone && p.deps.Accounts != nil {
		if err := p.deps.Accounts.DropAlias(ctx, out.Account, before.Phone); err != nil && fault.Of(err) != fault.NotFound {
			return out, fmt.Errorf("change a member: it is done, but the old number still signs in: %w", err)
		}
	}
	return out, nil
}

// numbersADay is how often a member may change their number in a day: nobody
// tries out the numbers of others.
const numbersADay = 2

// mayRenumber notes a change of a member's number, or refuses one too many.
func mayRenumber(ctx context.Context, tx *store.Tx, id MemberID) error {
	what := "number::" + string(id) + ":"
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_once WHERE key LIKE $1 || '%' AND at_ms > $2`, what, store.Millis(tx.Now.Add(-24*time.Hour))).Scan(&n); err != nil {
		return fmt.Errorf("count the numbers of %s: %w", id, err)
	}
	if n >= numbersADay {
		return fault.New(fault.Conflict, "phone: you have changed your number %d times today; try tomorrow, or call the desk", n)
	}
	return once(what+newID("t")).note(ctx, tx, "")
}
