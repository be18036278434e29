package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

const suspendedPath = managePath + "/sospensioni"

// suspensionView is a suspension as those see it who may settle it.
type suspensionView struct {
	ID, URL, Who, Reason string
	By, At               string
	Settled, SettledBy   string
	Appeal, AppealAt     string
	Answer, AnsweredBy   string
	StateName, Colour    string
	CanSettle, CanLift   bool
	CanUphold            bool // the member appealed, and who looks may say that it stays
	OwnAppeal            bool // the member appealed, and who looks proposed it
	Own                  bool // proposed by who looks: somebody else decides
}

// suspensions are the open ones of the asker's comuni.
func (p speech) suspensions(ctx context.Context, path string, right login.Right) ([]suspensionView, error) {
	all, err := p.deps.Trust.Suspensions(ctx, true)
	if err != nil {
		return nil, err
	}
	var out []suspensionView
	for _, x := range all {
		m, err := p.deps.Members.See(ctx, staffBy(ctx), x.Member, carpool.LookSuspend, x.ID, func(comune string) bool { return within(ctx, right, comune) })
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p.suspensionView(ctx, path, x, m))
	}
	return out, nil
}

func (p speech) suspensionView(ctx context.Context, path string, x carpool.Suspension, m carpool.Member) suspensionView {
	me := web.Who(ctx).Person
	v := suspensionView{ID: x.ID, URL: path + "/" + url.PathEscape(x.ID), Who: p.forWhom(m).Name, Reason: x.Reason, By: x.By, At: p.moment(x.At), Settled: x.Settled, SettledBy: x.SettledBy,
		Appeal: x.Appeal, Answer: x.Answer, AnsweredBy: x.AnsweredBy, StateName: p.known("police.suspension." + string(x.State)), Colour: "unknown"}
	switch x.State {
	case carpool.SuspensionProposed:
		v.Colour, v.Own, v.CanSettle = "degraded", x.By == me, x.By != me
	case carpool.SuspensionInForce:
		v.Colour, v.CanLift = "down", true
		v.CanUphold, v.OwnAppeal = x.Appealed() && x.By != me, x.Appealed() && x.By == me
	}
	if x.Appeal != "" {
		v.AppealAt = p.moment(x.AppealAt)
	}
	return v
}

// suspension is the one of the path, where its member is of the asker's comuni.
func (s *Staff) suspension(r *http.Request, right login.Right) (carpool.Suspension, error) {
	id := r.PathValue("id")
	all, err := s.deps.Trust.Suspensions(r.Context(), true)
	if err != nil {
		return carpool.Suspension{}, err
	}
	i := slices.IndexFunc(all, func(x carpool.Suspension) bool { return x.ID == id })
	if i < 0 {
		return carpool.Suspension{}, outside("suspension", id)
	}
	in, err := s.inScope(r.Context(), right, all[i].Member)
	if err == nil && !in {
		err = outside("suspension", id)
	}
	return all[i], err
}

// settle is the word of a second pair of eyes: what its page shows again where
// something was wrong is show.
func (s *Staff) settle(w http.ResponseWriter, r *http.Request, right login.Right, back string, show func(http.ResponseWriter, *http.Request, *staffForm) error) error {
	x, err := s.suspension(r, right)
	if err != nil {
		return err
	}
	f, err := s.form(r, "motivo", "esito")
	if err != nil {
		return err
	}
	said, reason, by := f.get("esito"), f.get("motivo"), staffBy(r.Context())
	if said != "si" && said != "no" {
		return fault.New(fault.Invalid, "outcome %.20q of a suspension: want si or no", said)
	}
	switch {
	case reason == "":
		f.refuse("police.wrong.reason")
	case x.By == by.Account:
		f.refuse("police.self")
	default:
		if _, err := s.deps.Trust.Settle(r.Context(), by, x.ID, said == "si", reason); err == nil {
			return seeOther(w, r, back+"?fatto=decisa")
		} else if err = f.mendable(err); err != nil {
			return err
		}
	}
	return show(w, r, f)
}

// lift ends a suspension that is in force.
func (s *Staff) lift(w http.ResponseWriter, r *http.Request, right login.Right, back string, show func(http.ResponseWriter, *http.Request, *staffForm) error) error {
	return s.withReason(w, r, right, back+"?fatto=levata", s.deps.Trust.Lift, show)
}

// uphold answers an appeal: the suspension stays.
func (s *Staff) uphold(w http.ResponseWriter, r *http.Request, right login.Right, back string, show func(http.ResponseWriter, *http.Request, *staffForm) error) error {
	return s.withReason(w, r, right, back+"?fatto=resta", s.deps.Trust.Uphold, show)
}

// withReason does something to the suspension of the path for a written reason.
func (s *Staff) withReason(w http.ResponseWriter, r *http.Request, right login.Right, back string, do func(context.Context, carpool.By, string, string) (carpool.Suspension, error),
	show func(http.ResponseWriter, *http.Request, *staffForm) error) error {
	x, err := s.suspension(r, right)
	if err != nil {
		return err
	}
	f, err := s.form(r, "motivo")
	if err != nil {
		return err
	}
	if reason := f.get("motivo"); reason == "" {
		f.refuse("police.wrong.reason")
	} else if _, err := do(r.Context(), staffBy(r.Context()), x.ID, reason); err == nil {
		return seeOther(w, r, back)
	} else if err = f.mendable(err); err != nil {
		return err
	}
	return show(w, r, f)
}

func (s *Staff) policeSettle(w http.ResponseWriter, r *http.Request) error {
	return s.settle(w, r, login.CheckDrivers, policePath, s.showPolice)
}

func (s *Staff) policeLift(w http.ResponseWriter, r *http.Request) error {
	return s.lift(w, r, login.CheckDrivers, policePath, s.showPolice)
}

func (s *Staff) policeUphold(w http.ResponseWriter, r *http.Request) error {
	return s.uphold(w, r, login.CheckDrivers, policePath, s.showPolice)
}

func (s *Staff) manageSettle(w http.ResponseWriter, r *http.Request) error {
	return s.settle(w, r, login.ManageCarpool, suspendedPath, s.showSuspensions)
}

func (s *Staff) manageLift(w http.ResponseWriter, r *http.Request) error {
	return s.lift(w, r, login.ManageCarpool, suspendedPath, s.showSuspensions)
}

func (s *Staff) manageUphold(w http.ResponseWriter, r *http.Request) error {
	return s.uphold(w, r, login.ManageCarpool, suspendedPath, s.showSuspensions)
}

type suspensionsView struct {
	Trouble *staffTrouble
	Done    string
	Open    []suspensionView
}

// suspensionsPage is /passaggi/gestione/sospensioni.
func (s *Staff) suspensionsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showSuspensions(w, r, s.blank(r))
}

func (s *Staff) showSuspensions(w http.ResponseWriter, r *http.Request, f *staffForm) error {
	p := s.of(r)
	open, err := p.suspensions(r.Context(), suspendedPath, login.ManageCarpool)
	if err != nil {
		return err
	}
	v := suspensionsView{Trouble: f.trouble(), Done: p.known("manage.done." + r.URL.Query().Get("fatto")), Open: open}
	return s.managed(w, r, f.status(), "manage-suspensions.html", "manage.suspended.title", v)
}

// managePropose proposes the suspension of somebody whom a report is about.
func (s *Staff) managePropose(w http.ResponseWriter, r *http.Request) error {
	f, err := s.form(r, "persona", "motivo")
	if err != nil {
		return err
	}
	ctx, id, reason := r.Context(), carpool.MemberID(f.get("persona")), f.get("motivo")
	in, err := s.inScope(ctx, login.ManageCarpool, id)
	if err != nil {
		return err
	}
	if !in {
		return outside("member", string(id))
	}
	if reason == "" {
		f.refuse("police.wrong.reason")
	} else if _, err := s.deps.Trust.Propose(ctx, staffBy(ctx), id, reason); err == nil {
		return seeOther(w, r, suspendedPath+"?fatto=proposta")
	} else if err = f.mendable(err); err != nil {
		return err
	}
	return s.showSuspensions(w, r, f)
}
