package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/crinale/crinale/internal/fault"
)

// apiDoc is the OpenAPI document, put together from what each area writes by
// hand about its routes.
type apiDoc struct {
	doc    map[string]any
	routes []string // "GET /api/v1/links"
}

// API mounts an area's routes under /api/v1 with the fragment of OpenAPI that
// describes them: an object with "paths" and perhaps "components". A route
// that the fragment does not describe, or the other way round, is an error.
func (s *Shell) API(fragment []byte, routes map[string]Route) error {
	var f struct {
		Paths      map[string]map[string]any `json:"paths"`
		Components map[string]map[string]any `json:"components"`
	}
	if err := json.Unmarshal(fragment, &f); err != nil {
		return fmt.Errorf("read OpenAPI fragment: %w", err)
	}
	described := map[string]bool{}
	for p, methods := range f.Paths {
		for m := range methods {
			described[strings.ToUpper(m)+" "+p] = true
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		if !described[pattern] {
			return fmt.Errorf("route %q is not described in its OpenAPI fragment", pattern)
		}
		delete(described, pattern)
	}
	for _, d := range slices.Sorted(maps.Keys(described)) {
		return fmt.Errorf("OpenAPI fragment describes %q, which is not mounted", d)
	}
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		s.Handle(pattern, routes[pattern].Access, routes[pattern].Handler)
		s.api.routes = append(s.api.routes, pattern)
	}
	paths := s.api.doc["paths"].(map[string]any)
	for p, m := range f.Paths {
		paths[p] = m
	}
	components := s.api.doc["components"].(map[string]any)
	for kind, named := range f.Components {
		all, _ := components[kind].(map[string]any)
		if all == nil {
			all = map[string]any{}
			components[kind] = all
		}
		for name, c := range named {
			if _, twice := all[name]; twice {
				return fmt.Errorf("OpenAPI component %s/%s is described twice", kind, name)
			}
			all[name] = c
		}
	}
	return nil
}

// APIRoutes are the patterns mounted under /api/v1.
func (s *Shell) APIRoutes() []string { return slices.Clone(s.api.routes) }

func (s *Shell) mountAPI() {
	s.api.doc = map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "crinale", "version": "1",
			"description": "What the server tells about the network. Keys carry their units; what is not known is null, never 0; times are RFC 3339 in UTC.",
			"license":     map[string]any{"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
		},
		"servers":    []any{map[string]any{"url": "/"}},
		"components": map[string]any{},
		"paths":      map[string]any{},
	}
	const path = "/api/v1/openapi.json"
	err := s.API([]byte(`{
	  "paths": {"`+path+`": {"get": {"operationId": "openapi", "summary": "This document",
	    "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {}}}}}}},
	  "components": {"schemas": {"Problem": {"type": "object", "description": "RFC 9457",
	    "required": ["type", "title", "status", "detail", "kind", "ref"],
	    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
	      "detail": {"type": "string"}, "kind": {"type": "string"}, "ref": {"type": "string"}}}},
	    "responses": {"Problem": {"description": "It did not work", "content": {"application/problem+json":
	      {"schema": {"$ref": "#/components/schemas/Problem"}}}}},
	  "parameters": `+pageParameters+`}
	}`), map[string]Route{
		"GET " + path: {Public, s.Taking(func(w http.ResponseWriter, r *http.Request) error { return JSON(w, r, s.api.doc) })},
	})
	if err != nil {
		panic(err) // a constant above is wrong
	}
}

// JSON answers with a value as JSON, with its ETag.
func JSON(w http.ResponseWriter, r *http.Request, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", cacheControl(r, "no-cache", "private, no-cache"))
	}
	tag := Tag(b)
	Bytes(w, r, append(b, '\n'), "W/"+tag) // weak: the bytes may travel compressed
	return nil
}

// cacheControl is what a cache may do with an answer: one that somebody got by
// being who they are is not for others.
func cacheControl(r *http.Request, public, personal string) string {
	if Who(r.Context()).Known() {
		return personal
	}
	return public
}

// Made answers with a value that the request brought about, as JSON. Caches
// keep none of it: it may hold a secret that is told once.
func Made(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the peer may have gone
	return nil
}

func (s *Shell) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	if err := s.health(r.Context()); err != nil {
		s.log.Error("web: not healthy", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "failing", "kind": fault.Of(err).String()})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "ok"})
}
