package carpool

import (
	"cmp"
	"context"
	"fmt"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// AccessBy is what somebody signs in by.
type AccessBy string

const (
	AccessMail  AccessBy = "mail"
	AccessPhone AccessBy = "phone"
)

// Vouch makes the member's own address or number sign in to their account,
// since the desk saw whose it is, and tells them, all or nothing of it. The desk
// vouches for who agreed that it acts for them, and for nothing but what stands
// in their record.
func (d *Desk) Vouch(ctx context.Context, by By, how AccessBy) error {
	if err := mayDesk(by); err != nil {
		return err
	}
	if d.deps.Accounts == nil {
		return fault.New(fault.NotFound, "access: there are no accounts of residents here")
	}
	err := d.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.member.vouch", Object: string(by.Member), Detail: map[string]string{"by": string(how)}}, func(tx *store.Tx) error {
		account, alias, err := vouched(ctx, tx, by.Member, how)
		if err != nil {
			return err
		}
		if err := d.deps.Accounts.SetAlias(ctx, tx, account, alias); err != nil {
			return err
		}
		key := fmt.Sprintf("access:%s:%s:%d", by.Member, how, store.Millis(tx.Now))
		return Tell(ctx, tx, d.deps.Outbox, Notice{Key: key, Member: by.Member, Kind: NoticeAccess})
	})
	if err != nil {
		return fmt.Errorf("vouch for a way in: %w", err)
	}
	return nil
}

// vouched is the account of a member and what is to sign in to it.
func vouched(ctx context.Context, tx *store.Tx, member MemberID, how AccessBy) (account, alias string, err error) {
	m, err := memberIn(ctx, tx, member)
	if err != nil {
		return "", "", err
	}
	if _, ok, err := consentIn(ctx, tx, m.ID, ConsentDesk); err != nil || !ok {
		return "", "", cmp.Or(err, fault.New(fault.Denied, "access: this person has not agreed that the desk acts for them"))
	}
	switch how {
	case AccessMail:
		alias = m.Email
	case AccessPhone:
		alias = m.Phone
	}
	switch {
	case m.State == Gone:
		err = fault.New(fault.NotFound, "access: this person has left")
	case m.Account == "":
		err = fault.New(fault.Conflict, "access: this person has no account of their own")
	case alias == "":
		err = fault.New(fault.Invalid, "access: choose the e-mail address or the number that stands in their record")
	}
	return m.Account, alias, err
}
