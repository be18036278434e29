package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// StaffTalk is the inbox of reports.
type StaffTalk interface {
	Reports(ctx context.Context, by carpool.By) ([]carpool.Report, error)
	Handle(ctx context.Context, by carpool.By, id, outcome, reason string) error
}

const (
	reportsPath  = managePath + "/segnalazioni"
	handledShown = 20
)

// urgentReports are looked at first.
var urgentReports = []carpool.ReportKind{carpool.ReportAlarm, carpool.ReportSafety, carpool.ReportUnreached}

type reportView struct {
	ID, URL, Kind, Text    string
	About, Other, Reporter string
	AboutID                carpool.MemberID
	At                     time.Time
	Urgent                 bool
	Outcomes               []staffOption
	Outcome, Reason        string
}

type reportsView struct {
	Trouble       *staffTrouble
	Done          string
	Open, Handled []reportView
	Taxi          int // patterns among the open ones
}

// reportsPage is /passaggi/gestione/segnalazioni.
func (s *Staff) reportsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showReports(w, r, s.blank(r))
}

func (s *Staff) showReports(w http.ResponseWriter, r *http.Request, f *staffForm) error {
	ctx, p := r.Context(), s.of(r)
	all, err := s.deps.Talk.Reports(ctx, staffBy(ctx))
	if err != nil {
		return err
	}
	v := reportsView{Trouble: f.trouble(), Done: p.known("manage.done." + r.URL.Query().Get("fatto"))}
	for _, x := range all {
		if x.State != carpool.ReportOpen && len(v.Handled) == handledShown {
			continue
		}
		row, err := p.reportView(ctx, x)
		if err != nil {
			return err
		}
		if x.State != carpool.ReportOpen {
			v.Handled = append(v.Handled, row)
			continue
		}
		v.Open = append(v.Open, row)
		if x.Kind == carpool.ReportTaxi {
			v.Taxi++
		}
	}
	slices.SortStableFunc(v.Open, func(a, b reportView) int { return bit(b.Urgent) - bit(a.Urgent) })
	w.Header().Set("Cache-Control", "no-store")
	return s.managed(w, r, f.status(), "manage-reports.html", "manage.reports.title", v)
}

func (p speech) reportView(ctx context.Context, x carpool.Report) (reportView, error) {
	v := reportView{ID: x.ID, URL: reportsPath + "/" + url.PathEscape(x.ID), Kind: p.known("manage.kind." + string(x.Kind)), AboutID: x.About, At: x.At,
		Urgent: slices.Contains(urgentReports, x.Kind), Reason: x.Reason, Outcome: p.known("manage.outcome." + x.Outcome)}
	if v.Text = p.known("manage." + x.Text); v.Text == "" { // a pattern is told as a key of words
		v.Text = x.Text
	}
	var err error
	if v.About, err = p.nameOf(ctx, x.ID, x.About); err != nil {
		return v, err
	}
	if v.Other, err = p.nameOf(ctx, x.ID, x.Other); err != nil {
		return v, err
	}
	if v.Reporter, err = p.nameOf(ctx, x.ID, x.Reporter); err != nil {
		return v, err
	}
	for _, o := range carpool.ReportOutcomes {
		v.Outcomes = append(v.Outcomes, staffOption{Value: o, Text: p.word("manage.outcome." + o)})
	}
	return v, nil
}

// nameOf is the name of a member in a report for the office; "" for nobody.
func (p speech) nameOf(ctx context.Context, report string, id carpool.MemberID) (string, error) {
	if id == "" {
		return "", nil
	}
	m, err := p.deps.Members.See(ctx, staffBy(ctx), id, carpool.LookReport, report, func(string) bool { return true })
	if gone(err) {
		return p.word("manage.gone"), nil
	}
	return p.forWhom(m).Name, err
}

// handleReport closes a report.
func (s *Staff) handleReport(w http.ResponseWriter, r *http.Request) error {
	f, err := s.form(r, "esito", "motivo")
	if err != nil {
		return err
	}
	id, outcome, reason := r.PathValue("id"), f.get("esito"), f.get("motivo")
	if !slices.Contains(carpool.ReportOutcomes, outcome) {
		f.refuse("desk.wrong.choose")
		return s.showReports(w, r, f)
	}
	if reason == "" {
		f.refuse("police.wrong.reason")
		return s.showReports(w, r, f)
	}
	err = s.deps.Talk.Handle(r.Context(), carpool.By{Account: web.Who(r.Context()).Person}, id, outcome, reason)
	if err != nil {
		if err = f.mendable(err); err != nil {
			return err
		}
		return s.showReports(w, r, f)
	}
	return seeOther(w, r, reportsPath+"?fatto=chiusa")
}
