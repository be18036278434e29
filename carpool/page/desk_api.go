package page

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// StaffPrivacy is what staff does with what is held about people.
type StaffPrivacy interface {
	Export(ctx context.Context, by carpool.By, member carpool.MemberID, w io.Writer) error
	Forget(ctx context.Context, by carpool.By, member carpool.MemberID) error
	Purge(ctx context.Context, by carpool.By, dry bool) (carpool.Purged, error)
}

// StaffLifts are the lifts ahead, without their drivers.
type StaffLifts interface {
	Ahead(ctx context.Context, by carpool.By, from carpool.Date, days int) ([]carpool.Lift, error)
}

// mountAPI puts what commands and scripts read under /api/v1/carpool.
func (s *Staff) mountAPI() error {
	fragment, err := staffFiles.ReadFile("staff/api.json")
	if err != nil {
		return err
	}
	return s.shell.API(fragment, map[string]web.Route{
		"GET /api/v1/carpool/drivers":                  {Access: web.NeedsUnion(login.ManageCarpool), Handler: s.shell.Taking(s.apiDrivers, web.Paged()...)},
		"GET /api/v1/carpool/lifts":                    {Access: web.NeedsUnion(login.ManageCarpool), Handler: s.shell.Taking(s.apiLifts, web.Paged("days")...)},
		"POST /api/v1/carpool/purge":                   {Access: web.NeedsUnion(login.ManageCarpool), Handler: s.shell.Taking(s.apiPurge, "dry")},
		"POST /api/v1/carpool/members/{member}/export": {Access: web.Needs(login.DeskCarpool), Handler: s.shell.Func(s.apiExport)},
		"GET /api/v1/carpool/checks":                   {Access: web.Needs(login.CheckDrivers), Handler: s.shell.Taking(s.apiChecks, web.Paged()...)},
		"GET /api/v1/carpool/listed":                   {Access: web.NeedsUnion(login.ManageCarpool), Handler: s.shell.Taking(s.apiListed, web.Paged("comune")...)},
		"GET /api/v1/carpool/points":                   {Access: web.Needs(login.EditPlaces), Handler: s.shell.Taking(s.apiPoints, web.Paged("comune")...)},
	})
}

// apiPoints are the meeting points of the comuni in the asker's scope, closed
// ones too; those that are open everybody may read.
func (s *Staff) apiPoints(w http.ResponseWriter, r *http.Request) error {
	ctx, only := r.Context(), r.URL.Query().Get("comune")
	if only != "" && !within(ctx, login.EditPlaces, only) {
		return outside("comune", only)
	}
	all, err := s.deps.Points.List(ctx, only)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p carpool.Place) bool { return !within(ctx, login.EditPlaces, p.Comune) })
	places, next, err := web.Page(w, r, all, func(p carpool.Place) string { return string(p.ID) })
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"points": places, "next": next})
}

// apiListed is the union's list of whom to call.
func (s *Staff) apiListed(w http.ResponseWriter, r *http.Request) error {
	all, err := s.deps.Points.Listed(r.Context(), r.URL.Query().Get("comune"))
	if err != nil {
		return err
	}
	listed, next, err := web.Page(w, r, all, func(l carpool.Listed) string { return l.ID })
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"listed": listed, "next": next})
}

// apiDrivers are drivers with the state of their papers, and no name.
func (s *Staff) apiDrivers(w http.ResponseWriter, r *http.Request) error {
	all, err := s.deps.Trust.Drivers(r.Context(), staffBy(r.Context()))
	if err != nil {
		return err
	}
	drivers, next, err := web.Page(w, r, all, func(d carpool.DriverState) string { return string(d.ID) })
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"drivers": drivers, "next": next})
}

// apiLifts are the lifts of the days ahead that can be asked for.
func (s *Staff) apiLifts(w http.ResponseWriter, r *http.Request) error {
	days := 7
	if given := r.URL.Query().Get("days"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil {
			return fault.New(fault.Invalid, "days: %.20q is no number of days; write one from 1 to %d", given, carpool.AheadMost)
		}
		days = n
	}
	all, err := s.deps.Lifts.Ahead(r.Context(), staffBy(r.Context()), carpool.DateOf(s.shell.Now(), s.shell.Location()), days)
	if err != nil {
		return err
	}
	lifts, next, err := web.Page(w, r, all, func(l carpool.Lift) string { return l.Depart.UTC().Format(time.RFC3339) + string(l.Ride) })
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"lifts": lifts, "next": next})
}

// apiPurge does now what time does each night; dry only counts it.
func (s *Staff) apiPurge(w http.ResponseWriter, r *http.Request) error {
	dry := r.URL.Query().Get("dry") == "true"
	if given := r.URL.Query().Get("dry"); !dry && given != "" && given != "false" {
		return fault.New(fault.Invalid, "dry: %.20q is neither true nor false", given)
	}
	gone, err := s.deps.Privacy.Purge(r.Context(), staffBy(r.Context()), dry)
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"dry": dry, "rows": gone})
}

// apiExport is all that is held about a person of the desk's comuni, who asked
// for it on paper and agreed that the desk acts for them.
func (s *Staff) apiExport(w http.ResponseWriter, r *http.Request) error {
	id := carpool.MemberID(r.PathValue("member"))
	in, err := s.inScope(r.Context(), login.DeskCarpool, id)
	if err == nil && !in {
		err = outside("member", string(id))
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.deps.Privacy.Export(r.Context(), deskFor(r.Context(), id), id, &b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // the peer may have gone
	return nil
}
