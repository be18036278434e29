package carpool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// leftKept is for how long somebody is known again who left while suspended.
const leftKept = 365 * 24 * time.Hour

// reasonLeft is what they read when they come back, as the reason of the
// suspension that goes on; they may appeal as against any.
const reasonLeft = "Avete lasciato il portale mentre eravate sospesi: la sospensione continua. Potete chiedere che sia rivista."

// A mark says by what: "shown" is an address or number that the account had
// proved to be its own, "said" one that anybody may have typed.
const (
	leftShown = "shown:"
	leftSaid  = "said:"
)

// keepLeft keeps by what a member is known again who leaves while suspended, or
// while that is being decided: nothing but marks, for a year. What nobody has
// settled makes no more than a report of who comes back.
func (b base) keepLeft(ctx context.Context, tx *store.Tx, m Member) error {
	open, err := suspensionsWhere(ctx, tx, `member = $1 AND state IN ('proposed', 'in-force')`, string(m.ID))
	if err != nil || len(open) == 0 || b.deps.Accounts == nil {
		return err
	}
	shown, said, err := b.marksOf(ctx, tx, m)
	if err != nil {
		return err
	}
	var kept []string
	for _, mark := range shown {
		kept = append(kept, leftSaid+mark)
		if open[0].State == SuspensionInForce {
			kept = append(kept, leftShown+mark)
		}
	}
	if said != "" {
		kept = append(kept, leftSaid+said)
	}
	for _, mark := range kept {
		if _, err := tx.Exec(ctx, `INSERT INTO carpool_left (mark, until_ms) VALUES ($1, $2) ON CONFLICT (mark) DO UPDATE SET until_ms = excluded.until_ms`,
			mark, store.Millis(tx.Now.Add(leftKept))); err != nil {
			return fmt.Errorf("keep who left: %w", err)
		}
	}
	return nil
}

// marksOf are those of what a member's account signs in by, and that of the number
// they gave.
func (b base) marksOf(ctx context.Context, tx *store.Tx, m Member) (shown []string, said string, err error) {
	if m.Phone != "" {
		said = b.deps.Accounts.Mark(m.Phone)
	}
	if m.Account != "" {
		shown, err = b.deps.Accounts.Marks(ctx, tx, m.Account)
	}
	return shown, said, err
}

// comesBack is what follows when somebody joins who left while suspended. Who
// signs in by the same address or number, and has shown that it is theirs, is
// suspended still. A number that was only typed, then or now, may be anybody's:
// the office is told, and who typed it learns nothing.
func (b base) comesBack(ctx context.Context, tx *store.Tx, m *Member) error {
	if b.deps.Accounts == nil {
		return nil
	}
	shown, said, err := b.marksOf(ctx, tx, *m)
	if err != nil {
		return err
	}
	for _, mark := range shown {
		left, err := leftIn(ctx, tx, leftShown+mark)
		if err != nil {
			return err
		}
		if left {
			m.State = Suspended
			if err := putMember(ctx, tx, *m); err != nil {
				return err
			}
			return putSuspension(ctx, tx, Suspension{ID: newID("z"), Member: m.ID, State: SuspensionInForce, Reason: reasonLeft, By: string(AsProgram), At: tx.Now,
				SettledBy: string(AsProgram), SettledAt: tx.Now})
		}
	}
	return b.noteBack(ctx, tx, m.ID, append(shown, said)...)
}

// noteBack tells the office of a member who has, or says they have, the number or
// address of somebody who left while suspended.
func (b base) noteBack(ctx context.Context, tx *store.Tx, m MemberID, marks ...string) error {
	for _, mark := range marks {
		left, err := leftIn(ctx, tx, leftSaid+mark)
		if err != nil {
			return err
		}
		if left && mark != "" {
			return flagReport(ctx, tx, Report{About: m, Kind: ReportBack})
		}
	}
	return nil
}

// forgiven takes the marks of a member away whose suspension was lifted.
func (b base) forgiven(ctx context.Context, tx *store.Tx, m Member) error {
	if b.deps.Accounts == nil {
		return nil
	}
	shown, said, err := b.marksOf(ctx, tx, m)
	if err != nil {
		return err
	}
	for _, mark := range append(shown, said) {
		if _, err := tx.Exec(ctx, `DELETE FROM carpool_left WHERE mark IN ($1, $2)`, leftShown+mark, leftSaid+mark); err != nil {
			return fmt.Errorf("forget who left: %w", err)
		}
	}
	return nil
}

// leftIn says whether a mark is kept.
func leftIn(ctx context.Context, tx *store.Tx, mark string) (bool, error) {
	var until int64
	err := tx.QueryRow(ctx, `SELECT until_ms FROM carpool_left WHERE mark = $1`, mark).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read who left: %w", err)
	}
	return tx.Now.Before(moment(until)), nil
}
