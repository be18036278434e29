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

// Kinds that people choose from, and what the office may have done.
var (
	ReportKinds    = []ReportKind{ReportSafety, ReportConduct, ReportMoney, ReportPapers, ReportNoShow, ReportOther}
	ReportOutcomes = []string{"nothing", "talked", "warned", "suspension", "passed-on"}
)

// Report tells the office of something that troubles somebody: about a booking
// (the other side), a ride (its driver) or a member.
func (t *Talk) Report(ctx context.Context, by By, r Report) (Report, error) {
	if !slices.Contains(ReportKinds, r.Kind) {
		return Report{}, fault.New(fault.Invalid, "report: say what it is about")
	}
	text, err := cleanText("report", r.Text, maxReportText, true)
	if err != nil {
		return Report{}, err
	}
	out := Report{ID: newID("x"), Kind: r.Kind, Text: text, State: ReportOpen}
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.report.add", Object: out.ID, Detail: map[string]string{"kind": string(r.Kind)}}, func(tx *store.Tx) error {
		me, err := mayAct(ctx, tx, by, by.Member)
		if err != nil {
			return err
		}
		out.Reporter, out.At = me.ID, tx.Now
		if err := aboutWhat(ctx, tx, by, r, &out); err != nil {
			return err
		}
		if out.About == me.ID {
			return fault.New(fault.Invalid, "report: that is about yourself")
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM carpool_reports WHERE reporter = $1 AND at_ms > $2`, string(me.ID), store.Millis(tx.Now.Add(-24*time.Hour))).Scan(&n); err != nil {
			return err
		}
		if n >= reportsADay {
			return fault.New(fault.Denied, "too many reports today; call the office")
		}
		return putReport(ctx, tx, out)
	})
	if err != nil {
		return Report{}, fmt.Errorf("report: %w", err)
	}
	return out, nil
}

// aboutWhat finds whom a report is about.
func aboutWhat(ctx context.Context, tx *store.Tx, by By, r Report, out *Report) error {
	switch {
	case r.Booking != "":
		k, _, other, err := partyIn(ctx, tx, by, r.Booking)
		out.About, out.Booking, out.Ride = other, k.ID, k.Ride
		return err
	case r.Ride != "":
		ride, err := rideIn(ctx, tx, r.Ride)
		out.About, out.Ride = ride.Driver, ride.ID
		return err
	}
	m, err := memberIn(ctx, tx, r.About)
	out.About = m.ID
	return err
}

// Reports are the inbox of the office: the open ones first, the newest of each
// first. Each person that a report names counts as looked at, once an hour.
func (t *Talk) Reports(ctx context.Context, by By) ([]Report, error) {
	if err := mayOffice(by); err != nil {
		return nil, err
	}
	var out []Report
	err := t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.report.list"}, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+reportColumns+` FROM carpool_reports ORDER BY state DESC, at_ms DESC, id LIMIT 500`)
		if err != nil {
			return err
		}
		if out, err = all(rows, scanReport); err != nil {
			return err
		}
		for _, r := range out {
			for _, m := range []MemberID{r.Reporter, r.About, r.Other} {
				if m == "" || r.State != ReportOpen {
					continue
				}
				if err := lookOnce(ctx, tx, m, by.Account, LookReport, r.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return out, nil
}

// Handle closes a report with what was done. Whoever reported is told the
// outcome, not the reason.
func (t *Talk) Handle(ctx context.Context, by By, id, outcome, reason string) error {
	if err := mayOffice(by); err != nil {
		return err
	}
	if !slices.Contains(ReportOutcomes, outcome) {
		return fault.New(fault.Invalid, "outcome: choose one of the list")
	}
	reason, err := cleanText("reason", reason, t.cfg.Limits.Note, false)
	if err != nil {
		return err
	}
	err = t.deps.Audit.Do(ctx, audit.Entry{Action: "carpool.report.handle", Object: id, Detail: map[string]string{"outcome": outcome}}, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+reportColumns+` FROM carpool_reports WHERE id = $1`, sentence(id))
		if err != nil {
			return err
		}
		found, err := all(rows, scanReport)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "there is no such report")
		}
		r := found[0]
		if r.State != ReportOpen {
			return fault.New(fault.Conflict, "it was handled already")
		}
		for _, who := range []MemberID{r.Reporter, r.About, r.Other} {
			if who == "" {
				continue
			}
			m, err := memberIn(ctx, tx, who)
			if err == nil {
				err = notOneself(m, by)
			}
			if err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE carpool_reports SET state = $2, outcome = $3, reason = $4, handled_by = $5, handled_ms = $6 WHERE id = $1`,
			r.ID, string(ReportHandled), outcome, reason, by.Account, store.Millis(tx.Now)); err != nil {
			return err
		}
		if r.Reporter == "" {
			return nil
		}
		return Tell(ctx, tx, t.deps.Outbox, Notice{Key: "report:" + r.ID, Member: r.Reporter, Kind: NoticeReport, With: map[string]string{WithReason: "report." + outcome}})
	})
	if err != nil {
		return fmt.Errorf("handle a report: %w", err)
	}
	return nil
}
