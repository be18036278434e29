package carpool

import (
	"context"
	"fmt"
	"slices"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// shown is what a read showed to somebody of the staff, and of whom. Nobody:
// nothing of a member was shown.
type shown struct {
	what  LookAt
	thing string
	of    []MemberID
}

// reading runs a read that may show something of members to staff, and writes
// down in the log and for each of them that somebody looked; once an hour for
// the same thing. The read may run twice.
func (b base) reading(ctx context.Context, by By, read func(tx *store.Tx) (shown, error)) error {
	known := true
	err := b.deps.Store.View(ctx, func(tx *store.Tx) error {
		at, err := read(tx)
		if err != nil {
			return err
		}
		for _, m := range at.of {
			if known, err = looked(ctx, tx, m, by.Account, at.what, at.thing); err != nil || !known {
				return err
			}
		}
		return nil
	})
	if err != nil || known {
		return err
	}
	return b.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		at, err := read(tx)
		if err != nil {
			return err
		}
		for _, m := range at.of {
			if known, err = looked(ctx, tx, m, by.Account, at.what, at.thing); err != nil {
				return err
			}
			if known {
				continue
			}
			if err := lookIn(ctx, tx, m, by.Account, at.what, at.thing); err != nil {
				return err
			}
			if err := b.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.look", Object: string(m), Detail: map[string]string{"what": string(at.what), "thing": at.thing}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// See reads a member for staff of the comuni that in allows: for the desk, or
// for the office. What they look at, and the thing in which they see the member,
// is written down. Of somebody who has not agreed that the desk acts for them
// the page of a person tells no more than Find.
func (p *Members) See(ctx context.Context, by By, id MemberID, what LookAt, thing string, in func(comune string) bool) (Member, error) {
	may := mayOffice
	if by.Desk {
		may = mayDesk
	}
	if err := may(by); err != nil {
		return Member{}, err
	}
	var out Member
	err := p.reading(ctx, by, func(tx *store.Tx) (shown, error) {
		m, err := memberIn(ctx, tx, id)
		if err == nil && (m.State == Gone || !in(m.Comune)) {
			err = fault.New(fault.NotFound, "there is no such member")
		}
		if err != nil {
			return shown{}, err
		}
		if out = m; what == LookPerson {
			_, ok, err := consentIn(ctx, tx, id, ConsentDesk)
			if err != nil {
				return shown{}, err
			}
			if !ok {
				out = m.slight()
			}
		}
		return shown{what, thing, []MemberID{id}}, nil
	})
	if err != nil {
		return Member{}, fmt.Errorf("look at a member: %w", err)
	}
	return out, nil
}

// slight is as much of a member as the desk is told before they have agreed that
// it acts for them: who they are, so that they can be asked.
func (m Member) slight() Member {
	return Member{ID: m.ID, First: m.First, Last: m.Last, Comune: m.Comune, State: m.State, Minor: m.Minor, Guardian: m.Guardian}
}

// ComuneOf a member; NotFound for one who has left. It tells nothing else, and
// so is no look.
func (p *Members) ComuneOf(ctx context.Context, id MemberID) (string, error) {
	m, err := p.Get(ctx, id)
	if err == nil && m.State == Gone {
		err = fault.New(fault.NotFound, "there is no such member")
	}
	return m.Comune, err
}

// RequestsFor are the requests of a rider, for whoever acts for them; to the desk
// they are part of the page of a person.
func (p *Bookings) RequestsFor(ctx context.Context, by By, rider MemberID) ([]Request, error) {
	var out []Request
	err := p.reading(ctx, by, func(tx *store.Tx) (shown, error) {
		if _, err := mayAct(ctx, tx, by, rider); err != nil {
			return shown{}, err
		}
		var err error
		out, err = requestsExact(ctx, tx, `rider = $1`, sentence(string(rider)))
		return by.sees(LookPerson, "", rider), err
	})
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	return out, nil
}

// sees is what a read shows, where the desk reads.
func (by By) sees(what LookAt, thing string, of ...MemberID) shown {
	if !by.Desk {
		return shown{}
	}
	return shown{what, thing, slices.DeleteFunc(of, func(m MemberID) bool { return m == "" || m.Outside() })}
}
