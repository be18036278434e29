package interop

import (
	_ "embed"
	"net/http"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

//go:embed manage.json
var fragment []byte

// Mount puts the API for other operators, and the routes by which the union
// lets them in and out, on a shell.
func (s *Server) Mount(shell *web.Shell) error {
	shell.Handle(Prefix+"/", web.Public, s.Handler())
	manage := func(f func(w http.ResponseWriter, r *http.Request) error) web.Route {
		return web.Route{Access: web.NeedsUnion(login.ManageCarpool), Handler: shell.Taking(f)}
	}
	const base = "/api/v1/carpool/operators"
	return shell.API(fragment, map[string]web.Route{
		"GET " + base:                   manage(s.listOperators),
		"POST " + base:                  manage(s.addOperator),
		"POST " + base + "/{id}/rotate": manage(s.rotateOperator),
		"DELETE " + base + "/{id}":      manage(s.revokeOperator),
	})
}

func (s *Server) listOperators(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Operators.List(r.Context())
	if err != nil {
		return err
	}
	return web.JSON(w, r, map[string]any{"operators": list})
}

func (s *Server) addOperator(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		ID      string  `json:"id"`
		Name    string  `json:"name"`
		Scopes  []Scope `json:"scopes"`
		Webhook string  `json:"webhook"`
	}
	if err := web.NeededBody(r, &in); err != nil {
		return err
	}
	if in.Scopes == nil {
		in.Scopes = Usual()
	}
	k, err := s.Operators.Add(r.Context(), Operator{ID: in.ID, Name: in.Name, Scopes: in.Scopes, Webhook: in.Webhook})
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusCreated, k)
}

func (s *Server) rotateOperator(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		KeepS int64 `json:"keep_s"`
	}
	if err := web.Body(r, &in); err != nil {
		return err
	}
	if in.KeepS < 0 || in.KeepS > 30*86400 {
		return fault.New(fault.Invalid, "keep_s: between 0 and %d", 30*86400)
	}
	k, err := s.Operators.Rotate(r.Context(), r.PathValue("id"), time.Duration(in.KeepS)*time.Second)
	if err != nil {
		return err
	}
	return web.Made(w, http.StatusOK, k)
}

func (s *Server) revokeOperator(w http.ResponseWriter, r *http.Request) error {
	if err := s.Operators.Revoke(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
