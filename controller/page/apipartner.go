package page

import (
	"context"
	"net/http"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// Partners is the registry of who may read the feed.
type Partners interface {
	List(ctx context.Context) ([]controller.PartnerAccess, error)
	Add(ctx context.Context, id network.PartnerID) (controller.PartnerLogin, error)
	Rotate(ctx context.Context, id network.PartnerID) (controller.PartnerLogin, error)
	Revoke(ctx context.Context, id network.PartnerID) error
}

var _ Partners = (*controller.Partners)(nil)

func (p *Pages) mountPartnerAPI() error {
	fragment, err := files.ReadFile("apipartner.json")
	if err != nil {
		return err
	}
	routes := map[string]web.Route{}
	for pattern, h := range map[string]http.Handler{
		"GET /api/v1/partners":              p.shell.Taking(p.apiPartners, web.Paged()...),
		"POST /api/v1/partners":             p.shell.Taking(p.apiPartnerAdd),
		"POST /api/v1/partners/{id}/rotate": p.shell.Taking(p.apiPartnerRotate),
		"DELETE /api/v1/partners/{id}":      p.shell.Taking(p.apiPartnerRevoke),
	} {
		routes[pattern] = web.Route{Access: web.NeedsUnion(login.ManagePartners), Handler: h}
	}
	return p.shell.API(fragment, routes)
}

func (p *Pages) partners() (Partners, error) {
	if p.deps.Partners == nil {
		return nil, fault.New(fault.NotFound, "this server keeps no partners")
	}
	return p.deps.Partners, nil
}

func (p *Pages) apiPartners(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.partners()
	if err != nil {
		return err
	}
	all, err := reg.List(r.Context())
	if err != nil {
		return err
	}
	list, next, err := web.Page(w, r, all, func(a controller.PartnerAccess) string { return string(a.ID) })
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"partners": list, "next": next})
}

func (p *Pages) apiPartnerAdd(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.partners()
	if err != nil {
		return err
	}
	var body struct {
		ID network.PartnerID `json:"id"`
	}
	if err := web.NeededBody(r, &body); err != nil {
		return err
	}
	way, err := reg.Add(r.Context(), body.ID)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, way)
}

func (p *Pages) apiPartnerRotate(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.partners()
	if err != nil {
		return err
	}
	way, err := reg.Rotate(r.Context(), network.PartnerID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusOK, way)
}

func (p *Pages) apiPartnerRevoke(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.partners()
	if err != nil {
		return err
	}
	if err := reg.Revoke(r.Context(), network.PartnerID(r.PathValue("id"))); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
