package carpool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"database/sql"

	"github.com/crinale/crinale/internal/store"
)

// leftKept is for how long somebody is known again who left while suspended.
const leftKept = 365 * 24 * time.Hour

// reasonLeft is what they read when they come back, as the reason of the
// suspension that goes on; they may appeal as against any.
const reasonLeft = "Avete lasciato il portale mentre eravate sospesi: la sospensione continua. Potete chiedere che sia rivista."

// keepLeft keeps by what a member is known again who leaves while suspended, or
// while that is being decided: nothing but marks of what they signed in by and of
// their number, for a year.
func (b base) keepLeft(ctx context.Context, tx *store.Tx, m Member) error {
	open, err := suspensionsWhere(ctx, tx, `member = $1 AND state IN ('proposed', 'in-force')`, string(m.ID))
	if err != nil || len(open) == 0 || b.deps.Accounts == nil {
		return err
	}
	marks, err := b.marksOf(ctx, tx, m)
	if err != nil {
		return err
	}
	for _, mark := range append(marks, b.phoneMark(m)) {
		if mark == "" {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO carpool_left (mark, until_ms) VALUES ($1, $2) ON CONFLICT (mark) DO UPDATE SET until_ms = excluded.until_ms`,
			mark, store.Millis(tx.Now.Add(leftKept))); err != nil {
			return fmt.Errorf("keep who left: %w", err)
		}
	}
	return nil
}

// marksOf are those of what a member's account signs in by, which the account
// has shown to be theirs.
func (b base) marksOf(ctx context.Context, tx *store.Tx, m Member) ([]string, error) {
	if m.Account == "" {
		return nil, nil
	}
	return b.deps.Accounts.Marks(ctx, tx, m.Account)
}

func (b base) phoneMark(m Member) string {
	if m.Phone == "" {
		return ""
	}
	return b.deps.Accounts.Mark(m.Phone)
}

// comesBack is what follows when somebody joins who left while suspended. Who
// signs in by the same address or number, and has shown that it is theirs, is
// suspended still. A number that was only typed may be anybody's: the office is
// told, and who typed it learns nothing.
func (b base) comesBack(ctx context.Context, tx *store.Tx, m *Member) error {
	if b.deps.Accounts == nil {
		return nil
	}
	marks, err := b.marksOf(ctx, tx, *m)
	if err != nil {
		return err
	}
	for _, mark := range marks {
		left, err := leftIn(ctx, tx, mark)
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
	if left, err := leftIn(ctx, tx, b.phoneMark(*m)); err != nil || !left {
		return err
	}
	return flagReport(ctx, tx, Report{About: m.ID, Kind: ReportBack})
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
