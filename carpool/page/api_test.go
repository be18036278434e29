package page_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/crinale/crinale/internal/login"
)

// program is somebody's token.
type program struct {
	v      *visitor
	secret string
}

func (w *world) program(v *visitor, rights ...login.Right) program {
	w.t.Helper()
	if len(rights) == 0 {
		rights = []login.Right{login.UseCarpool}
	}
	n, err := w.people.AddToken(w.t.Context(), login.TokenRequest{Person: v.by.Account, Name: "prova", Rights: rights, Days: 1})
	must(w.t, err)
	return program{w.visitor(), n.Secret}
}

func (p program) call(method, path string, body any, header ...string) got {
	p.v.w.t.Helper()
	header = append(header, "Authorization", "Bearer "+p.secret)
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		must(p.v.w.t, err)
		text = string(b)
		header = append(header, "Content-Type", "application/json")
	}
	return p.v.do(method, "/api/v1/carpool"+path, text, header...)
}

// read wants a status and reads the answer into v.
func read[T any](t *testing.T, g got, status int) T {
	t.Helper()
	var v T
	if g.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d: %s", g.Request.Method, g.Request.URL.Path, g.StatusCode, status, g.Body)
	}
	if err := json.Unmarshal([]byte(g.Body), &v); err != nil {
		t.Fatalf("%s: %v", g.Body, err)
	}
	return v
}

type obj = map[string]any

// TestAPI is a lift by programs alone.
func TestAPI(t *testing.T) {
	w := newWorld(t)
	d, car := w.driver()
	r, o := w.resident(), w.resident()
	driver, rider, other := w.program(d), w.program(r), w.program(o)
	once := func(s string) []string { return []string{"Idempotency-Key", s + "-of-a-test"} }

	bergolo, cortemilia := obj{"place": "bergolo-municipio", "at": w.place("bergolo-municipio").At}, obj{"place": "cortemilia-municipio", "at": w.place("cortemilia-municipio").At}
	offer := obj{"vehicle": car, "from": bergolo, "to": cortemilia, "when": obj{"time": "07:10", "date": "2026-11-25"}, "seats": 2, "max_detour_s": 900, "milli_eur_km": 50}
	if g := driver.call("POST", "/offers", offer); g.StatusCode != http.StatusBadRequest || !strings.Contains(g.Body, "Idempotency-Key") {
		t.Errorf("without a key: %d %s", g.StatusCode, g.Body)
	}
	first := read[obj](t, driver.call("POST", "/offers", offer, once("offer")...), http.StatusCreated)
	again := read[obj](t, driver.call("POST", "/offers", offer, once("offer")...), http.StatusCreated)
	if first["id"] != again["id"] || first["max_detour_s"] != 900.0 {
		t.Errorf("%v %v", first, again)
	}
	found := read[struct {
		Matches []struct {
			Ride  string
			Cents int `json:"contribution_cents"`
		}
	}](t, w.program(r).v.get("/api/v1/carpool/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=2026-11-25T08:00:00%2B01:00"), http.StatusOK)
	if len(found.Matches) != 1 || found.Matches[0].Cents == 0 {
		t.Fatalf("%+v", found)
	}
	request := read[obj](t, rider.call("POST", "/requests", obj{"from": bergolo, "to": cortemilia, "when": obj{"from": "2026-11-25T06:00:00Z", "to": "2026-11-25T07:00:00Z", "arrive": true}, "max_walk_s": 900}, once("request")...), http.StatusCreated)
	id := request["id"].(string)
	if way, ok := request["way"].(obj); !ok || way["kind"] == "" {
		t.Errorf("a request without a stated way: %v", request)
	}
	if g := other.call("GET", "/requests/"+id, nil); g.StatusCode != http.StatusNotFound {
		t.Errorf("another's request: %d", g.StatusCode)
	}
	booking := read[obj](t, rider.call("POST", "/requests/"+id+"/book", obj{"ride": found.Matches[0].Ride}, once("booking")...), http.StatusCreated)["id"].(string)
	if g := other.call("GET", "/bookings/"+booking, nil); g.StatusCode != http.StatusNotFound || strings.Contains(g.Body, "Cognome") {
		t.Errorf("another's booking: %d %s", g.StatusCode, g.Body)
	}
	if g := rider.call("POST", "/bookings/"+booking+"/accept", nil); g.StatusCode != http.StatusForbidden {
		t.Errorf("the rider accepts: %d", g.StatusCode)
	}
	if g := driver.call("GET", "/bookings/"+booking, nil); strings.Contains(g.Body, "Cognome2") || strings.Contains(g.Body, "+393331200002") {
		t.Errorf("before the acceptance the driver reads %s", g.Body)
	}
	if got := read[obj](t, driver.call("POST", "/bookings/"+booking+"/accept", obj{"reason": ""}), http.StatusOK); got["state"] != "accepted" {
		t.Errorf("%v", got)
	}
	if g := driver.call("POST", "/bookings/"+booking+"/accept", nil); g.StatusCode != http.StatusConflict {
		t.Errorf("accepted twice: %d", g.StatusCode)
	}
	if all := read[obj](t, rider.call("GET", "/bookings", nil), http.StatusOK)["bookings"].([]any); len(all) != 1 {
		t.Errorf("%v", all)
	}
	if g := driver.call("POST", "/bookings/"+booking+"/fly", nil); g.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown step: %d", g.StatusCode)
	}
	read[obj](t, rider.call("POST", "/requests/"+id+"/withdraw", nil), http.StatusOK)
	read[obj](t, driver.call("POST", "/offers/"+first["id"].(string)+"/end", obj{"reason": "ferie"}), http.StatusOK)

	for path, want := range map[string]string{
		"/search?from=bergolo-municipio&to=cortemilia-municipio":                                              "give one of them",
		"/search?from=nowhere&to=cortemilia-municipio&arrive=2026-11-25T08:00:00Z":                            "id of a meeting point",
		"/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=yesterday":                             "2026-11-23T09",
		"/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=2020-01-01T00:00:00Z":                  "from now on",
		"/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=2026-11-25T08:00:00Z&seats=40":         "whole number",
		"/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=2026-11-25T08:00:00Z&wheelchair=maybe": "true or false",
		"/search?from=bergolo-municipio&to=cortemilia-municipio&arrive=2026-11-25T08:00:00Z&radius=1":         "not known",
	} {
		if g := w.visitor().get("/api/v1/carpool" + path); g.StatusCode != http.StatusBadRequest || !strings.Contains(g.Body, want) {
			t.Errorf("%s: %d %s", path, g.StatusCode, g.Body)
		}
	}
	if g := w.visitor().get("/api/v1/carpool/requests"); g.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger: %d", g.StatusCode)
	}
}

// TestAPIIsAsDescribed holds answers against the OpenAPI document.
func TestAPIIsAsDescribed(t *testing.T) {
	w := newWorld(t)
	d, car := w.driver()
	w.offer(d, car, "2026-11-25", "07:10")
	r := w.resident()
	w.booked(r, "2026-11-25")
	p := w.program(r)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(w.visitor().get("/api/v1/openapi.json").Body))
	must(t, err)
	doc.Servers = openapi3.Servers{{URL: w.URL}}
	router, err := legacy.NewRouter(doc)
	must(t, err)
	for _, path := range []string{"/places", "/places?comune=004021", "/search?from=44.55,8.18&to=cortemilia-municipio&arrive=2026-11-25T08:00:00%2B01:00&slack_min=120", "/search?from=bergolo-municipio&to=44.6,8.2&leave=" + monday.Add(time.Hour).Format(time.RFC3339), "/requests", "/bookings", "/offers", "/requests/q-nothing", "/search"} {
		g := p.call("GET", path, nil)
		route, params, err := router.FindRoute(g.Request)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		in := &openapi3filter.ResponseValidationInput{RequestValidationInput: &openapi3filter.RequestValidationInput{Request: g.Request, PathParams: params, Route: route},
			Status: g.StatusCode, Header: g.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true}}
		in.SetBodyBytes([]byte(g.Body))
		if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
			t.Errorf("%s: %d %s: %v", path, g.StatusCode, g.Body, err)
		}
	}
}
