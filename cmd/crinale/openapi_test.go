package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
)

// schema is the part of JSON Schema that the OpenAPI document uses.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"` // a word or a list of them
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
	Additional any                `json:"additionalProperties"` // a schema, true or false
	OneOf      []*schema          `json:"oneOf"`
	AnyOf      []*schema          `json:"anyOf"`
}

type openAPI struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema *schema }
		}
	}
	Components struct{ Schemas map[string]*schema }
}

// check lists where a value is not as the schema says. A key that the schema
// does not name is a fault too: readers could not know of it.
func (d *openAPI) check(s *schema, v any, at string) (bad []string) {
	if s == nil {
		return nil
	}
	if s.Ref != "" {
		to := d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		if to == nil {
			return []string{at + ": " + s.Ref + " is not in the document"}
		}
		return d.check(to, v, at)
	}
	if some := append(slices.Clone(s.OneOf), s.AnyOf...); len(some) > 0 {
		for _, one := range some {
			if len(d.check(one, v, at)) == 0 {
				return nil
			}
		}
		return []string{fmt.Sprintf("%s: %T is none of those that it may be", at, v)}
	}
	if kinds := kindsOf(s.Type); len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k string) bool { return isKind(v, k) }) {
		return []string{fmt.Sprintf("%s is %T %v, want %v", at, v, v, kinds)}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		bad = append(bad, fmt.Sprintf("%s: %v is not one of %v", at, v, s.Enum))
	}
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			bad = append(bad, d.check(s.Items, e, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case map[string]any:
		for _, k := range s.Required {
			if _, ok := x[k]; !ok {
				bad = append(bad, at+"."+k+" is missing")
			}
		}
		for k, e := range x {
			switch p := s.Properties[k]; {
			case p != nil:
				bad = append(bad, d.check(p, e, at+"."+k)...)
			case s.Properties != nil && s.Additional == nil:
				bad = append(bad, at+"."+k+" is not in the document")
			}
		}
	}
	return bad
}

func kindsOf(t any) (out []string) {
	switch x := t.(type) {
	case string:
		return []string{x}
	case []any:
		for _, e := range x {
			out = append(out, fmt.Sprint(e))
		}
	}
	return out
}

func isKind(v any, kind string) bool {
	switch x := v.(type) {
	case nil:
		return kind == "null"
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case float64:
		return kind == "number" || kind == "integer" && x == math.Trunc(x)
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return false
}

// TestAnswersAreAsTheDocumentSays asks a running demo for everything that the
// OpenAPI document describes with GET, after a change, a token and a sign-in,
// and holds each answer against its schema.
func TestAnswersAreAsTheDocumentSays(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "demo", "--data", dir, "--radios", "20", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
	var f demoFile
	p.awaitJSON(t, filepath.Join(dir, "demo.json"), &f)
	cl, err := localClient(dir)
	if err != nil {
		t.Fatal(err)
	}
	var made login.NewToken
	ask := web.TokenAsked{Person: "technician", Name: "prova", Rights: []login.Right{login.ReadNetwork}, Days: 1}
	if err := cl.call(t.Context(), http.MethodPost, "/api/v1/tokens", ask, &made); err != nil {
		t.Fatal(err)
	}
	h := &host{url: f.HTTP}
	h.signIn(t, &guest{user: f.Accounts[1].User, password: f.Accounts[1].Password, session: h.browser()})
	change := changeOnce(t, cl, dir)

	var doc openAPI
	if err := cl.call(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil, &doc); err != nil {
		t.Fatal(err)
	}
	asked := 0
	// Not even an admin reads what is a resident's or an officer's.
	others := map[string]string{
		"/api/v1/carpool/bookings": "resident", "/api/v1/carpool/offers": "resident", "/api/v1/carpool/requests": "resident", "/api/v1/carpool/checks": "police",
	}
	for path, role := range others {
		i := slices.IndexFunc(f.Accounts, func(a demoAccount) bool { return a.Role == role })
		g := &guest{user: f.Accounts[i].User, password: f.Accounts[i].Password, session: h.browser()}
		h.signIn(t, g)
		got := h.ask(t, g.session, "", http.MethodGet, path)
		var v any
		if err := json.Unmarshal([]byte(got.body), &v); got.status != http.StatusOK || err != nil {
			t.Errorf("%s as %s: %d %s", path, role, got.status, clip(got.body, 200))
			continue
		}
		asked++
		for _, b := range doc.check(doc.Paths[path]["get"].Responses["200"].Content["application/json"].Schema, v, path) {
			t.Error(b)
		}
	}
	for path, methods := range doc.Paths {
		get, ok := methods["get"]
		if !ok {
			continue
		}
		s := get.Responses["200"].Content["application/json"].Schema
		if s == nil {
			continue // lines of JSON, or this document itself
		}
		target := strings.NewReplacer("/links/{id}", "/links/trezzo-santo-stefano", "/changes/{id}", "/changes/"+change, "{name}", "technician").Replace(path)
		if others[path] != "" || others[strings.TrimSuffix(path, "/{id}")] != "" {
			continue // asked above; single ones by the tests of the pages
		}
		switch path {
		case "/api/v1/carpool/search":
			target += "?from=bergolo-municipio&to=verduno-ospedale&leave=" + time.Now().Add(24*time.Hour).UTC().Format("2006-01-02T15:04:05Z")
		case "/api/v1/tokens":
			target += "?person=technician"
		case "/api/v1/alerts":
			target += "?open=false"
		}
		var v any
		if err := cl.call(t.Context(), http.MethodGet, target, nil, &v); err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		asked++
		bad := doc.check(s, v, path)
		for _, b := range bad[:min(len(bad), 5)] {
			t.Error(b)
		}
	}
	if asked < 15 {
		t.Errorf("only %d answers were described with a schema", asked)
	}
	res, err := cl.send(t.Context(), http.MethodGet, "/api/v1/links/none-of-this-name", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	var v any
	if err != nil || json.Unmarshal(b, &v) != nil || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("a problem: %s %s", res.Header.Get("Content-Type"), b)
	}
	for _, b := range doc.check(doc.Components.Schemas["Problem"], v, "problem") {
		t.Error(b)
	}
}

// changeOnce changes one radio of the demo and gives the name of the change.
func changeOnce(t *testing.T, cl *client, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "network", "devices.yaml")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "tx_power_dbm: 2.5", "tx_power_dbm: 1", 1)
	if text == string(b) {
		t.Fatal("the demo has no radio with 2.5 dBm")
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var rec controller.ChangeRecord
	until(t, "a change", func() bool {
		return cl.call(t.Context(), http.MethodPost, "/api/v1/changes", page.ApplyBody{}, &rec) == nil
	})
	until(t, "its end", func() bool {
		if err := cl.call(t.Context(), http.MethodGet, "/api/v1/changes/"+rec.ID, nil, &rec); err != nil {
			t.Fatal(err)
		}
		return rec.State.Ended()
	})
	return rec.ID
}
