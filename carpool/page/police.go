package page

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// StaffTrust is what officers and the office see of drivers: the queue of
// papers and suspensions, and nothing else. Each look is written down.
type StaffTrust interface {
	Queue(ctx context.Context, officer carpool.By, in func(comune string) bool) ([]carpool.CheckView, error)
	Look(ctx context.Context, officer carpool.By, id string) (carpool.CheckView, error)
	Picture(ctx context.Context, officer carpool.By, check, picture string) (carpool.Picture, error)
	Mine(ctx context.Context, driver carpool.MemberID) ([]carpool.Check, error)
	Drivers(ctx context.Context, by carpool.By) ([]carpool.DriverState, error)
	Decide(ctx context.Context, officer carpool.By, id string, d carpool.Decision) (carpool.Check, error)
	Propose(ctx context.Context, by carpool.By, member carpool.MemberID, reason string) (carpool.Suspension, error)
	Settle(ctx context.Context, by carpool.By, id string, ok bool, reason string) (carpool.Suspension, error)
	Lift(ctx context.Context, by carpool.By, id, reason string) (carpool.Suspension, error)
	Uphold(ctx context.Context, by carpool.By, id, reason string) (carpool.Suspension, error)
	Suspensions(ctx context.Context, open bool) ([]carpool.Suspension, error)
	SuspensionsOf(ctx context.Context, member carpool.MemberID) ([]carpool.Suspension, error)
}

const checkPath = policePath + "/controllo"

func (s *Staff) policeRoutes() staffRoutes {
	return staffRoutes{
		"GET " + policePath:                               s.policePage,
		"GET " + checkPath + "/{id}":                      s.checkPage,
		"GET " + checkPath + "/{id}/immagine/{picture}":   s.checkPicture,
		"POST " + checkPath + "/{id}":                     s.decide,
		"POST " + checkPath + "/{id}/sospendi":            s.policePropose,
		"POST " + policePath + "/sospensioni/{id}/decidi": s.policeSettle,
		"POST " + policePath + "/sospensioni/{id}/leva":   s.policeLift,
		"POST " + policePath + "/sospensioni/{id}/resta":  s.policeUphold,
	}
}

// checkRow is a line of the queue.
type checkRow struct {
	URL, Plate, Name, What string
	Asked                  time.Time
}

type policeView struct {
	Trouble     *staffTrouble
	Done        string
	Rows        []checkRow
	Suspensions []suspensionView
}

// policePage is /passaggi/polizia.
func (s *Staff) policePage(w http.ResponseWriter, r *http.Request) error {
	return s.showPolice(w, r, s.blank(r))
}

func (s *Staff) showPolice(w http.ResponseWriter, r *http.Request, f *staffForm) error {
	ctx, p := r.Context(), s.of(r)
	queue, err := s.queue(ctx)
	if err != nil {
		return err
	}
	v := policeView{Trouble: f.trouble(), Done: p.known("police.done." + r.URL.Query().Get("fatto"))}
	for _, c := range queue {
		what, err := p.checkWhat(ctx, c)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, checkRow{checkPath + "/" + url.PathEscape(c.ID), c.Plate, c.Name, what, c.Asked})
	}
	if v.Suspensions, err = p.suspensions(ctx, policePath+"/sospensioni", login.CheckDrivers); err != nil {
		return err
	}
	return s.html.WriteStatus(w, r, f.status(), "police.html", s.policeView(web.View{Title: "police.title", Self: policePath, Data: v}))
}

// policeView adds what every page of officers has. Nothing of it is kept by a
// browser or a proxy.
func (s *Staff) policeView(v web.View) web.View {
	v.Nav, v.Styles = policePath, append(v.Styles, "sportello/staff.css")
	return v
}

// queue are the checks of the officer's comuni, the oldest first.
func (s *Staff) queue(ctx context.Context) ([]carpool.CheckView, error) {
	all, err := s.deps.Trust.Queue(ctx, staffBy(ctx), func(comune string) bool { return within(ctx, login.CheckDrivers, comune) })
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b carpool.CheckView) int { return cmp.Or(a.Asked.Compare(b.Asked), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}

// checkWhat says why papers are looked at: for the first time, or since those
// before run out.
func (p speech) checkWhat(ctx context.Context, c carpool.CheckView) (string, error) {
	before, err := p.deps.Trust.Mine(ctx, c.Driver)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(before, func(x carpool.Check) bool {
		return x.ID != c.ID && x.Vehicle == c.Vehicle && x.State == carpool.CheckPassed
	})
	if i >= 0 {
		return p.word("police.what.due", p.date(before[i].Until())), nil
	}
	if slices.ContainsFunc(before, func(x carpool.Check) bool { return x.ID != c.ID }) {
		return p.word("police.what.again"), nil
	}
	return p.word("police.what.new"), nil
}
