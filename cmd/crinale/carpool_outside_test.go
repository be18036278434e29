package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/crinale/crinale/carpool/gtfs"
	"github.com/crinale/crinale/carpool/interop"
)

// The files of open data are there for everybody, valid and without a ride; the
// API for operators answers where it has a name, and asks for a key.
func TestOutside(t *testing.T) {
	s := wired(t, func(c *config) { c.Carpool.Interop.Operator = "passaggi.unione.example" })
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.web.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://127.0.0.1"+path, nil))
		return rec
	}
	feed := get("/passaggi/gtfs.zip")
	z, err := zip.NewReader(bytes.NewReader(feed.Body.Bytes()), int64(feed.Body.Len()))
	if err != nil || feed.Code != 200 {
		t.Fatalf("%d, %v: %.200s", feed.Code, err, feed.Body)
	}
	if found := append(gtfs.Check(z, gtfs.DefaultLimits()), gtfs.CheckProfile(z, nil, nil, gtfs.DefaultLimits())...); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if got := get("/passaggi/passaggi.csv"); got.Code != 200 || got.Body.Len() == 0 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	var doc struct{ Dataset map[string]any }
	if got := get("/passaggi/passaggi.json"); got.Code != 200 || json.Unmarshal(got.Body.Bytes(), &doc) != nil || doc.Dataset["dct:title"] == nil {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := get(interop.Prefix + "/status"); got.Code != 200 {
		t.Errorf("status: %d", got.Code)
	}
	if got := get(interop.Prefix + "/driver_journeys"); got.Code != 401 || got.Body.Len() != 0 {
		t.Errorf("without a key: %d %s", got.Code, got.Body)
	}
	if got := get("/api/v1/carpool/operators"); got.Code != 401 {
		t.Errorf("operators: %d", got.Code)
	}
}
