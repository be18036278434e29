package carpool

import (
	"context"
	"fmt"
	"time"

	"github.com/crinale/crinale/internal/store"
)

// Report is something that troubles somebody: a ride, a booking, a member. One
// without a reporter was noted by the portal itself.
type Report struct {
	ID       string      `json:"id"`
	Reporter MemberID    `json:"reporter,omitempty"`
	About    MemberID    `json:"about"`
	Other    MemberID    `json:"other,omitempty"` // the second member that a noted pattern concerns
	Booking  BookingID   `json:"booking,omitempty"`
	Ride     RideID      `json:"ride,omitempty"`
	Kind     ReportKind  `json:"kind"`
	Text     string      `json:"text"`
	State    ReportState `json:"state"`
	Outcome  string      `json:"outcome,omitempty"`
	Reason   string      `json:"reason,omitempty"`
	By       string      `json:"handled_by,omitempty"`
	At       time.Time   `json:"at"`
	Handled  time.Time   `json:"handled,omitzero"`
}

// ReportKind is what it is about.
type ReportKind string

const (
	ReportSafety    ReportKind = "safety"
	ReportConduct   ReportKind = "conduct"
	ReportMoney     ReportKind = "money"  // asked for more than the contribution
	ReportPapers    ReportKind = "papers" // another car or driver than shown
	ReportNoShow    ReportKind = "no-show"
	ReportOther     ReportKind = "other"
	ReportPhone     ReportKind = "same-phone" // two members with one number, not said to be a family
	ReportAlarm     ReportKind = "alarm"      // something went wrong on a ride
	ReportUnreached ReportKind = "unreached"  // nobody answers, and something had to be heard
	ReportBack      ReportKind = "back"       // the number of somebody who left while suspended
	ReportTaxi      ReportKind = "taxi"       // a pattern of somebody who earns
)

// ReportState is where it stands.
type ReportState string

const (
	ReportOpen    ReportState = "open"
	ReportHandled ReportState = "handled"
)

const reportColumns = `id, reporter, about, other, booking, ride, kind, body, state, outcome, reason, handled_by, at_ms, handled_ms`

func scanReport(row scanner) (Report, error) {
	var r Report
	var at, handled int64
	err := row.Scan(&r.ID, &r.Reporter, &r.About, &r.Other, &r.Booking, &r.Ride, &r.Kind, &r.Text, &r.State, &r.Outcome, &r.Reason, &r.By, &at, &handled)
	r.At, r.Handled = moment(at), moment(handled)
	return r, err
}

// putReport puts one in the inbox.
func putReport(ctx context.Context, tx *store.Tx, r Report) error {
	_, err := tx.Exec(ctx, `INSERT INTO carpool_reports (`+reportColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', $10, 0)`,
		r.ID, string(r.Reporter), string(r.About), string(r.Other), string(r.Booking), string(r.Ride), string(r.Kind), r.Text, string(ReportOpen), store.Millis(tx.Now))
	if err != nil {
		return fmt.Errorf("write report %s: %w", r.ID, err)
	}
	return nil
}

// flagReport is a pattern that the portal noticed, once while it is open.
func flagReport(ctx context.Context, tx *store.Tx, r Report) error {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_reports WHERE reporter = '' AND about = $1 AND other = $2 AND kind = $3 AND state = $4`,
		string(r.About), string(r.Other), string(r.Kind), string(ReportOpen)).Scan(&n)
	if err != nil {
		return fmt.Errorf("read reports of %s: %w", r.About, err)
	}
	if n > 0 {
		return nil
	}
	r.ID = newID("x")
	return putReport(ctx, tx, r)
}
