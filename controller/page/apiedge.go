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

// Edges is the registry of the edges that the controller speaks to.
type Edges interface {
	List(ctx context.Context) ([]controller.EdgeAccess, error)
	Enrol(ctx context.Context, id controller.EdgeID, device network.DeviceID) (controller.EdgeLogin, error)
	Remove(ctx context.Context, id controller.EdgeID) error
	Order(ctx context.Context, to controller.EdgeID, kind controller.PurgeKind, what string) ([]controller.EdgeOrdered, error)
}

var _ Edges = (*controller.Edges)(nil)

func (p *Pages) mountEdgeAPI() error {
	fragment, err := files.ReadFile("apiedge.json")
	if err != nil {
		return err
	}
	routes := map[string]web.Route{}
	for pattern, h := range map[string]http.Handler{
		"GET /api/v1/edges":         p.shell.Taking(p.apiEdges, web.Paged()...),
		"POST /api/v1/edges":        p.shell.Taking(p.apiEdgeEnrol),
		"DELETE /api/v1/edges/{id}": p.shell.Taking(p.apiEdgeRemove),
		"POST /api/v1/edge-orders":  p.shell.Taking(p.apiEdgeOrder),
	} {
		routes[pattern] = web.Route{Access: web.NeedsUnion(login.ManagePartners), Handler: h}
	}
	return p.shell.API(fragment, routes)
}

func (p *Pages) edges() (Edges, error) {
	if p.deps.Edges == nil {
		return nil, fault.New(fault.NotFound, "this server speaks to no edges")
	}
	return p.deps.Edges, nil
}

func (p *Pages) apiEdges(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.edges()
	if err != nil {
		return err
	}
	all, err := reg.List(r.Context())
	if err != nil {
		return err
	}
	list, next, err := web.Page(w, r, all, func(a controller.EdgeAccess) string { return string(a.ID) })
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"edges": list, "next": next})
}

func (p *Pages) apiEdgeEnrol(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.edges()
	if err != nil {
		return err
	}
	var body struct {
		ID     controller.EdgeID `json:"id"`
		Device network.DeviceID  `json:"device"`
	}
	if err := web.NeededBody(r, &body); err != nil {
		return err
	}
	way, err := reg.Enrol(r.Context(), body.ID, body.Device)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, way)
}

func (p *Pages) apiEdgeRemove(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.edges()
	if err != nil {
		return err
	}
	if err := reg.Remove(r.Context(), controller.EdgeID(r.PathValue("id"))); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *Pages) apiEdgeOrder(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.edges()
	if err != nil {
		return err
	}
	var body struct {
		Edge controller.EdgeID    `json:"edge"`
		Kind controller.PurgeKind `json:"kind"`
		What string               `json:"what"`
	}
	if err := web.NeededBody(r, &body); err != nil {
		return err
	}
	given, err := reg.Order(r.Context(), body.Edge, body.Kind, body.What)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, map[string]any{"orders": given})
}
