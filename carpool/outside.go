package carpool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// A passenger of another operator books like a neighbour: the same seats, the
// same blocks, the same driver who says yes or no. They have no account, phone
// or channel here; their own operator tells them, and finds them another way
// when this one falls away, so the portal neither tells them nor searches on.

const guest = "g" // the letter of their names

// Outside says whether a member stands for a passenger of another operator.
func (m MemberID) Outside() bool { return strings.HasPrefix(string(m), guest+"-") }

// outsideAccount is the account under which an operator acts for a passenger.
// Nobody signs in with it.
func outsideAccount(operator, user string) string {
	sum := sha256.Sum256([]byte(operator + "\x00" + user))
	return "outside:" + hex.EncodeToString(sum[:16])
}

// Outside lets an operator's passenger in, or finds them again. alias is how
// the operator calls them.
func (p *Members) Outside(ctx context.Context, operator, user, alias string) (By, error) {
	by := By{Account: outsideAccount(operator, user)}
	name, err := cleanName("alias", alias, maxName, false)
	if err != nil || name == "" {
		name = "Ospite"
	}
	err = p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		m, err := memberOf(ctx, tx, by.Account)
		if err == nil {
			by.Member = m.ID
			return nil
		}
		if fault.Of(err) != fault.NotFound {
			return err
		}
		m = Member{ID: MemberID(newID(guest)), Account: by.Account, First: name, Last: operator, Lang: "it", State: Active, Created: tx.Now}
		by.Member = m.ID
		if err := putMember(ctx, tx, m); err != nil {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.outside.join", Object: string(m.ID), Detail: map[string]string{"operator": operator}})
	})
	if err != nil {
		return By{}, fmt.Errorf("passenger of %s: %w", operator, err)
	}
	return by, nil
}

// OutsideBooking is a booking of an operator's passenger, with under whom it
// can be changed; NotFound for any other.
func (p *Bookings) OutsideBooking(ctx context.Context, id BookingID) (Booking, By, error) {
	var bk Booking
	var by By
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if bk, err = bookingIn(ctx, tx, id); err != nil {
			return err
		}
		if !bk.Rider.Outside() {
			return fault.New(fault.NotFound, "there is no such booking")
		}
		m, err := memberIn(ctx, tx, bk.Rider)
		by = By{Account: m.Account, Member: m.ID}
		return err
	})
	return bk, by, err
}

// OpenBetween gives open requests of adults from one meeting point to another
// within a span: what other operators may know is looked for.
func (p *Bookings) OpenBetween(ctx context.Context, from, to time.Time) ([]Request, error) {
	var out []Request
	err := p.deps.Store.View(ctx, func(tx *store.Tx) error {
		list, err := requestsWhere(ctx, tx, `state = 'open' AND from_place <> '' AND to_place <> '' AND to_ms > $1 AND from_ms < $2
			AND rider IN (SELECT id FROM carpool_members WHERE state = 'active' AND minor = 0)`, store.Millis(from), store.Millis(to))
		out = nil
		for _, r := range list {
			if !r.Rider.Outside() {
				out = append(out, Request{ID: r.ID, Rider: r.Rider, From: r.From, To: r.To, When: r.When, Companions: r.Companions, Series: r.Series})
			}
		}
		return err
	})
	return out, err
}

// DropOutside forgets passengers of other operators who joined before and have
// no request or booking any more.
func (p *Members) DropOutside(ctx context.Context, before time.Time) error {
	return p.deps.Audit.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM carpool_members WHERE id LIKE 'g-%' AND created_ms < $1
			AND id NOT IN (SELECT rider FROM carpool_bookings) AND id NOT IN (SELECT rider FROM carpool_requests)`, store.Millis(before))
		if err != nil {
			return fmt.Errorf("forget passengers of other operators: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		return p.deps.Audit.Add(ctx, tx, audit.Entry{Action: "carpool.outside.forget", Detail: map[string]string{"passengers": fmt.Sprint(n)}})
	})
}

// outsideAfter is wayAfter for a passenger of another operator: their request
// ends with their lift.
func (b base) outsideAfter(ctx context.Context, tx *store.Tx, r Request, bk Booking) error {
	switch bk.State {
	case Completed:
		return b.endRequest(ctx, tx, r, RequestDone, tx.Now)
	case Declined, Cancelled, NoShow:
		return b.endRequest(ctx, tx, r, RequestWithdrawn, tx.Now)
	}
	return nil
}
