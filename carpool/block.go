package carpool

import (
	"context"
	"fmt"
	"slices"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/store"
)

// mostBlocks of one member.
const mostBlocks = 500

// oneself is a member, and the guardian of a minor; wards a member, and the
// minors whose guardian they are.
const (
	oneself = `(SELECT id FROM carpool_members WHERE id = $1 UNION SELECT guardian FROM carpool_members WHERE id = $1 AND minor = 1)`
	wards   = `SELECT id FROM carpool_members WHERE id = %s OR guardian = %[1]s AND minor = 1`
)

// keptAway are those whom a member blocked, or who blocked them. What guardians
// block holds for their minors, on both sides.
func keptAway(ctx context.Context, tx *store.Tx, id MemberID) ([]MemberID, error) {
	const other = `SELECT other FROM carpool_blocks WHERE member IN ` + oneself + ` UNION SELECT member FROM carpool_blocks WHERE other IN ` + oneself
	rows, err := tx.Query(ctx, other+` UNION SELECT id FROM carpool_members WHERE minor = 1 AND guardian IN (`+other+`)`, string(id))
	if err != nil {
		return nil, fmt.Errorf("read blocks of %s: %w", id, err)
	}
	return all(rows, func(r scanner) (id MemberID, err error) { return id, r.Scan(&id) })
}

// blockedIn says whether one of two keeps the other away.
func blockedIn(ctx context.Context, tx *store.Tx, a, b MemberID) (bool, error) {
	away, err := keptAway(ctx, tx, a)
	return slices.Contains(away, b), err
}

// errApart is a lift between two of whom one keeps the other away.
var errApart = fault.New(fault.Denied, "booking: this lift cannot be booked")

// mayMeet refuses a rider on a ride of somebody who is kept away, or on which
// such a one has a seat.
func mayMeet(ctx context.Context, tx *store.Tx, rider MemberID, r Ride) error {
	away, err := keptAway(ctx, tx, rider)
	if err != nil || len(away) == 0 {
		return err
	}
	seated, err := bookingsWhere(ctx, tx, `ride = $1 AND state IN ('accepted', 'boarded')`, string(r.ID))
	if err != nil {
		return err
	}
	if slices.Contains(away, r.Driver) || slices.ContainsFunc(seated, func(k Booking) bool { return k.Rider != rider && slices.Contains(away, k.Rider) }) {
		return errApart
	}
	return nil
}

// part ends the lifts to come between two, and between the minors of one and
// the other; and where both ride in the car of a third, that of one, who keeps the
// other away. To all others it is a cancellation or a no of theirs like any.
func (b base) part(ctx context.Context, tx *store.Tx, one, other MemberID) error {
	a, o := fmt.Sprintf(wards, "$1"), fmt.Sprintf(wards, "$2")
	list, err := bookingsWhere(ctx, tx, `(state = 'asked' AND unseen = 0 OR state = 'accepted' AND pickup_ms > $3)
		AND (rider IN (`+a+`) AND driver IN (`+o+`) OR rider IN (`+o+`) AND driver IN (`+a+`))`, string(one), string(other), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	third, err := bookingsWhere(ctx, tx, `state = 'accepted' AND pickup_ms > $3 AND rider IN (`+a+`)
		AND ride IN (SELECT ride FROM carpool_bookings WHERE rider IN (`+o+`) AND state IN ('accepted', 'boarded'))`, string(one), string(other), store.Millis(tx.Now))
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, a, string(one))
	if err != nil {
		return fmt.Errorf("read the minors of %s: %w", one, err)
	}
	mine, err := all(rows, func(r scanner) (id MemberID, err error) { return id, r.Scan(&id) })
	if err != nil {
		return err
	}
	for _, k := range append(list, third...) {
		ch := bookingChange{event: EventCancel, as: AsRider}
		if !slices.Contains(mine, k.Rider) {
			if ch.as = AsDriver; k.State == Asked {
				ch.event = EventDecline
			}
		}
		ch.who = string(ch.as)
		if _, err := b.changeIn(ctx, tx, k, ch); err != nil {
			return err
		}
	}
	return nil
}

// Block keeps somebody away: no match, no message, no booking between the two
// from now on, not even in the car of a third; lifts to come between them are
// called off as by whoever blocks, and for the rider another is looked for. The
// other is not told why. What a guardian blocks holds for their minors.
func (p *Members) Block(ctx context.Context, by By, other MemberID) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.block.add", Object: string(by.Member)}, func(tx *store.Tx) error {
		m, err := mayAct(ctx, tx, by, by.Member)
		if err != nil {
			return err
		}
		if other == m.ID {
			return fault.New(fault.Invalid, "block: that is you")
		}
		if _, err := memberIn(ctx, tx, other); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_blocks WHERE member = $1`, string(m.ID)).Scan(&n); err != nil {
			return err
		}
		if n >= mostBlocks {
			return fault.New(fault.Conflict, "block: your list is full; tell the office what troubles you")
		}
		_, err = tx.Exec(ctx, `INSERT INTO carpool_blocks (member, other, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			string(m.ID), string(other), store.Millis(tx.Now))
		if err != nil {
			return err
		}
		return p.part(ctx, tx, m.ID, other)
	})
	if err != nil {
		return fmt.Errorf("block: %w", err)
	}
	(&Bookings{p.base}).settleDue(ctx)
	return nil
}

// Unblock ends it.
func (p *Members) Unblock(ctx context.Context, by By, other MemberID) error {
	err := p.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.block.end", Object: string(by.Member)}, func(tx *store.Tx) error {
		if _, err := mayAct(ctx, tx, by, by.Member); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `DELETE FROM carpool_blocks WHERE member = $1 AND other = $2`, string(by.Member), sentence(string(other)))
		return oneRow(res, err, "you have not blocked this person")
	})
	if err != nil {
		return fmt.Errorf("unblock: %w", err)
	}
	return nil
}

// Blocks are those whom a member keeps away.
func (p *Members) Blocks(ctx context.Context, member MemberID) ([]MemberID, error) {
	var out []MemberID
	err := p.deps.Store.View(ctx, func(tx *store.Tx) (err error) { out, err = blocksIn(ctx, tx, member); return err })
	if err != nil {
		return nil, fmt.Errorf("read blocks: %w", err)
	}
	return out, nil
}

func blocksIn(ctx context.Context, tx *store.Tx, member MemberID) ([]MemberID, error) {
	rows, err := tx.Query(ctx, `SELECT other FROM carpool_blocks WHERE member = $1 ORDER BY at_ms, other`, string(member))
	if err != nil {
		return nil, err
	}
	return all(rows, func(r scanner) (id MemberID, err error) { return id, r.Scan(&id) })
}
