package page

import (
	"net/http"
	"slices"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// mountAPI puts what commands and scripts read under /api/v1/carpool.
func (s *Staff) mountAPI() error {
	fragment, err := staffFiles.ReadFile("staff/api.json")
	if err != nil {
		return err
	}
	return s.shell.API(fragment, map[string]web.Route{
		"GET /api/v1/carpool/drivers": {Access: web.NeedsUnion(login.ManageCarpool), Handler: s.shell.Taking(s.apiDrivers, web.Paged()...)},
		"GET /api/v1/carpool/checks":  {Access: web.Needs(login.CheckDrivers), Handler: s.shell.Taking(s.apiChecks, web.Paged()...)},
		"GET /api/v1/carpool/listed":  {Access: web.NeedsUnion(login.ManageCarpool), Handler: s.shell.Taking(s.apiListed, web.Paged("comune")...)},
		"GET /api/v1/carpool/points":  {Access: web.Needs(login.EditPlaces), Handler: s.shell.Taking(s.apiPoints, web.Paged("comune")...)},
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
