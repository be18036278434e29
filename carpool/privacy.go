package carpool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// Holding is a table that may hold something about people: what its columns
// are, which rows are about whom, and what deletion and time do to them. The
// portal exports, forgets and expires by this list alone, so a table that is
// not on it, or a column, is found by a test.
//
// In the statements $1 is the member. Those that run before are told first:
// the member's own row comes last.
type Holding struct {
	Table   string
	Columns string   // each with its mark: "name*" personal, "name@" a member's name, "name" neither
	About   []About  // whose rows they are; none: nobody's
	Forget  []string // statements that leave nothing personal of $1
	Expire  []Expire
	Kept    string // why its rows are kept when a member goes, and are nobody's
}

// About is a view of the rows that a member may have: those of Where, without
// the columns of Hide, which are about somebody else.
type About struct {
	Where string // of $1
	Hide  string // columns with spaces between
}

// Expire is what time does: a statement of $1, the moment that lies Age back,
// in milliseconds; of "today" the day.
type Expire struct {
	Age string // "now", "once", "messages", "notices", "pictures", "rides", "year", "today"
	Do  string
}

// ages are how long things are kept.
func (c Config) ages(now time.Time) map[string]any {
	ago := func(d time.Duration) int64 { return store.Millis(now.Add(-d)) }
	const day = 24 * time.Hour
	return map[string]any{
		"now": ago(0), "once": ago(7 * day), "messages": ago(30 * day), "notices": ago(30 * day), "pictures": ago(30 * day),
		"rides": ago(c.RidesKept), "year": ago(365 * day), "today": string(DateOf(now, c.Location)),
	}
}

// Keeper is a part of the program beside this package that has such tables,
// with the prefix of their names.
type Keeper struct {
	Owner    string
	Holdings []Holding
}

// columnNames of a holding, without their marks.
func (h Holding) columnNames() []string {
	out := strings.Fields(h.Columns)
	for i, c := range out {
		out[i] = strings.TrimRight(c, "*@")
	}
	return out
}

// shown are the columns of one view.
func (h Holding) shown(a About) []string {
	hide := strings.Fields(a.Hide)
	return slices.DeleteFunc(h.columnNames(), func(c string) bool { return slices.Contains(hide, c) })
}

// holdings are all tables that hold people, those of keepers first: the
// members' own rows are needed until the end.
func (b base) holdings() []Holding {
	var out []Holding
	for _, k := range b.deps.Keepers {
		out = append(out, k.Holdings...)
	}
	out = append(out, rideHoldings...)
	return append(out, holdings...)
}

// forgetIn leaves nothing personal of a member in any table.
func (b base) forgetIn(ctx context.Context, tx *store.Tx, id MemberID) error {
	for _, h := range b.holdings() {
		for _, q := range h.Forget {
			if _, err := tx.Exec(ctx, q, string(id)); err != nil {
				return fmt.Errorf("forget %s in %s: %w", id, h.Table, err)
			}
		}
	}
	return nil
}
