package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// Look is somebody of the office, the desk or the police who saw what is kept
// about a member.
type Look struct {
	ID     string    `json:"id"`
	Member MemberID  `json:"member"`
	Who    string    `json:"who"` // account
	What   LookAt    `json:"what"`
	Thing  string    `json:"thing,omitempty"` // the check, booking … that was looked at
	At     time.Time `json:"at"`
}

// LookAt is what was seen.
type LookAt string

const (
	LookQueue   LookAt = "papers.queue"   // the name in the queue of papers
	LookPapers  LookAt = "papers"         // dates and plate
	LookPicture LookAt = "papers.picture" // a picture of a paper
	LookFind    LookAt = "desk.find"      // found by name or number
	LookConsent LookAt = "desk.consent"   // consent written down
	LookPerson  LookAt = "desk.person"    // the page of a person, with what they asked for
	LookRequest LookAt = "desk.request"   // a request
	LookBooking LookAt = "desk.booking"   // a lift, with who drives and who rides
	LookCall    LookAt = "desk.call"      // name and number, to call
	LookSlip    LookAt = "desk.slip"      // a journey, to print it
	LookSheet   LookAt = "desk.sheet"     // on the sheet of a day
	LookReport  LookAt = "office.report"  // in a report
	LookSuspend LookAt = "office.suspension"
	LookExport  LookAt = "desk.export" // all that is kept
)

// lookIn writes down that somebody was looked at.
func lookIn(ctx context.Context, tx *store.Tx, member MemberID, who string, what LookAt, thing string) error {
	_, err := tx.Exec(ctx, `INSERT INTO carpool_looks (id, member, who, what, thing, at_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
		newID("s"), string(member), who, string(what), sentence(thing), store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("write down a look at %s: %w", member, err)
	}
	return nil
}

// lookOnce is lookIn, but once an hour for the same thing: a list that is shown
// again is no other look.
func lookOnce(ctx context.Context, tx *store.Tx, member MemberID, who string, what LookAt, thing string) error {
	seen, err := looked(ctx, tx, member, who, what, thing)
	if err != nil || seen {
		return err
	}
	return lookIn(ctx, tx, member, who, what, thing)
}

// looked says whether somebody saw a thing of a member in the last hour: it, or
// the member's whole page of which a request and a lift are part.
func looked(ctx context.Context, tx *store.Tx, member MemberID, who string, what LookAt, thing string) (bool, error) {
	whole := what
	if what == LookRequest || what == LookBooking {
		whole = LookPerson
	}
	var seen int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_looks WHERE who = $1 AND member = $2 AND (what = $3 AND thing = $4 OR what = $5 AND what <> $3) AND at_ms > $6`,
		who, string(member), string(what), sentence(thing), string(whole), store.Millis(tx.Now.Add(-time.Hour))).Scan(&seen)
	if err != nil {
		return false, fmt.Errorf("read looks at %s: %w", member, err)
	}
	return seen > 0, nil
}

func scanLook(row scanner) (Look, error) {
	var l Look
	var at int64
	err := row.Scan(&l.ID, &l.Member, &l.Who, &l.What, &l.Thing, &at)
	l.At = moment(at)
	return l, err
}

// Looks tells a member who looked at what is kept about them, the newest
// first.
func (t *Trust) Looks(ctx context.Context, member MemberID) ([]Look, error) {
	var out []Look
	err := t.deps.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, member, who, what, thing, at_ms FROM carpool_looks WHERE member = $1 ORDER BY at_ms DESC, id LIMIT 1000`, string(member))
		if err != nil {
			return err
		}
		out, err = all(rows, scanLook)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read looks: %w", err)
	}
	return out, nil
}
