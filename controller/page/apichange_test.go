package page_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

const jsonKind = "application/json"

func decode[T any](t *testing.T, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %v %s", rec.Code, err, rec.Body)
	}
	return v
}

func TestDiffAPI(t *testing.T) {
	w := newWorld(t)
	d := decode[controller.Differences](t, w.get("/api/v1/network/diff"))
	if d.Digest != "d1" || len(d.Devices) != 3 || len(d.Unread) != 1 || d.Count() != 6 {
		t.Errorf("%+v", d)
	}
	if body := w.get("/api/v1/network/diff?device=saliceto-est,mombarcaro-est").Body.String(); !strings.Contains(body, `"unreachable":[]`) || !strings.Contains(body, `"differences":[]`) || strings.Contains(body, "cortemilia") {
		t.Errorf("two devices: %s", body)
	}
	if got := w.changer.asked; len(got) != 2 || got[0] != nil || !slices.Equal(got[1], []network.DeviceID{"saliceto-est", "mombarcaro-est"}) {
		t.Errorf("asked %v", got)
	}
	for query, want := range map[string]string{"device=": "names no device", "device=a,,b": "names no device", "devices=a": "known are device", "device=nessuno": "no device"} {
		if rec := w.get("/api/v1/network/diff?" + query); rec.Code != 400 || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("?%s: %d %s", query, rec.Code, rec.Body)
		}
	}
}

func TestApplyAPI(t *testing.T) {
	w := newWorld(t)
	rec := w.send("tecnica", "POST", "/api/v1/changes", jsonKind, `{"devices":["mombarcaro-est"],"hold_s":30.5,"manual":true,"digest":"d1"}`)
	c := decode[controller.ChangeRecord](t, rec)
	if rec.Code != 202 || rec.Header().Get("Location") != "/api/v1/changes/"+c.ID || rec.Header().Get("Cache-Control") != "no-store" || c.State != controller.ChangePlanned || c.HoldS != 30.5 {
		t.Errorf("%d %v %+v", rec.Code, rec.Header(), c)
	}
	if !strings.Contains(rec.Body.String(), `"events":[]`) || !strings.Contains(rec.Body.String(), `"devices":[]`) {
		t.Errorf("a list that is null: %s", rec.Body)
	}
	if rec := w.send("tecnica", "POST", "/api/v1/changes", "application/json; charset=utf-8", `{}`); rec.Code != 202 {
		t.Errorf("{}: %d %s", rec.Code, rec.Body)
	}
	want := []controller.ApplyRequest{{Devices: []network.DeviceID{"mombarcaro-est"}, Hold: 30500 * time.Millisecond, Manual: true, Digest: "d1"}, {}}
	if got := w.changer.applied; len(got) != 2 || got[0].Hold != want[0].Hold || !slices.Equal(got[0].Devices, want[0].Devices) || !got[0].Manual || got[0].Digest != "d1" || got[1].Hold != 0 || got[1].Devices != nil || got[1].Manual {
		t.Errorf("asked %+v", got)
	}
	for _, bad := range []struct {
		kind, body, says string
		code             int
	}{
		{jsonKind, ``, "empty", 400},
		{jsonKind, `{"hold":90}`, "unknown field", 400},
		{jsonKind, `{"hold_s":-1}`, "hold_s", 400},
		{jsonKind, `{"hold_s":0}`, "hold_s", 400},
		{jsonKind, `{"hold_s":1e300}`, "hold_s", 400},
		{jsonKind, `{"hold_s":"90"}`, "hold_s", 400},
		{jsonKind, `{} {}`, "more than one", 400},
		{jsonKind, `[]`, "read the body", 400},
		{jsonKind, `{"devices":`, "read the body", 400},
		{"application/x-www-form-urlencoded", `{}`, "Content-Type", 400},
		{"", `{}`, "Content-Type", 400},
		{jsonKind, `{"digest":"d0"}`, "no longer", 409},
		{jsonKind, `{"digest":"` + strings.Repeat("x", 1<<20) + `"}`, "read the body", 413},
	} {
		if rec := w.send("tecnica", "POST", "/api/v1/changes", bad.kind, bad.body); rec.Code != bad.code || !strings.Contains(rec.Body.String(), bad.says) {
			t.Errorf("%q %.40s: %d %.200s", bad.kind, bad.body, rec.Code, rec.Body)
		}
	}
	if n := len(w.changer.applied); n != 2 {
		t.Errorf("%d changes were begun", n)
	}
}

func TestChangeAPI(t *testing.T) {
	w := newWorld(t)
	one := w.get("/api/v1/changes/c16")
	if c := decode[controller.ChangeRecord](t, one); c.ID != "c16" || c.State != controller.ChangeWaiting || len(c.Events) != 2 {
		t.Errorf("%+v", c)
	}
	rec := w.as("tecnica", "POST", "/api/v1/changes/c16/confirm")
	if c := decode[controller.ChangeRecord](t, rec); rec.Code != 200 || c.State != controller.ChangeConfirmed {
		t.Errorf("confirm: %d %+v", rec.Code, c)
	}
	rec = w.as("tecnica", "POST", "/api/v1/changes/c16/revert")
	if c := decode[controller.ChangeRecord](t, rec); rec.Code != 202 || c.Of != "c16" || rec.Header().Get("Location") != "/api/v1/changes/c17" {
		t.Errorf("revert: %d %v %+v", rec.Code, rec.Header(), c)
	}
	if rec := w.as("tecnica", "POST", "/api/v1/changes/c4/confirm"); rec.Code != 409 || !strings.Contains(rec.Body.String(), `"kind":"unconfirmed"`) {
		t.Errorf("confirm too late: %d %s", rec.Code, rec.Body)
	}
	for _, target := range []string{"/api/v1/changes/none", "/api/v1/changes?after=none"} {
		if rec := w.get(target); rec.Code != 404 {
			t.Errorf("%s: %d", target, rec.Code)
		}
	}
	w.changer.err = fault.New(fault.Internal, "disk gone")
	for _, target := range []string{"/api/v1/changes", "/api/v1/changes/c1", "/api/v1/network/diff"} {
		if rec := w.get(target); rec.Code != 500 || strings.Contains(rec.Body.String(), "disk") {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
}

func TestChangesAPIInPages(t *testing.T) {
	w := newWorld(t)
	type list struct {
		Changes []controller.ChangeRecord
		Next    *string
	}
	var ids []string
	target := "/api/v1/changes?limit=5"
	for target != "" {
		l := decode[list](t, w.get(target))
		for _, c := range l.Changes {
			ids = append(ids, c.ID)
			if len(c.Events) != 0 {
				t.Errorf("%s in a list has its journal", c.ID)
			}
		}
		target = ""
		if l.Next != nil {
			target = "/api/v1/changes?limit=5&after=" + *l.Next
		}
	}
	if len(ids) != 16 || ids[0] != "c16" || ids[15] != "c1" {
		t.Errorf("%v", ids)
	}
	if l := decode[list](t, w.get("/api/v1/changes?limit=1000")); len(l.Changes) != 16 || l.Next != nil {
		t.Errorf("%d changes, %v", len(l.Changes), l.Next)
	}
	if l := decode[list](t, w.get("/api/v1/changes?device=saliceto-est")); l.Changes == nil || len(l.Changes) != 0 {
		t.Errorf("changes of a device without: %v", l.Changes)
	}
}

func TestPartnersAPI(t *testing.T) {
	w := newWorld(t)
	rec := w.send("tecnica", "POST", "/api/v1/partners", jsonKind, `{"id":"wisp-uno"}`)
	if l := decode[controller.PartnerLogin](t, rec); rec.Code != 201 || l.Password != "PASSWORD-wisp-uno" || rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("ETag") != "" {
		t.Errorf("add: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	if rec := w.send("tecnica", "POST", "/api/v1/partners", jsonKind, `{"id":"wisp-uno"}`); rec.Code != 409 {
		t.Errorf("add twice: %d", rec.Code)
	}
	if rec := w.send("tecnica", "POST", "/api/v1/partners", jsonKind, `{}`); rec.Code != 400 {
		t.Errorf("add nobody: %d", rec.Code)
	}
	if body := w.get("/api/v1/partners").Body.String(); !strings.Contains(body, `"id":"wisp-uno"`) || !strings.Contains(body, `"next":null`) || strings.Contains(body, "PASSWORD") {
		t.Errorf("list: %s", body)
	}
	rec = w.as("tecnica", "POST", "/api/v1/partners/wisp-uno/rotate")
	if l := decode[controller.PartnerLogin](t, rec); rec.Code != 200 || l.Password != "AGAIN-wisp-uno" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("rotate: %d %s", rec.Code, rec.Body)
	}
	if rec := w.as("tecnica", "DELETE", "/api/v1/partners/wisp-uno"); rec.Code != 204 || rec.Body.Len() != 0 {
		t.Errorf("revoke: %d %s", rec.Code, rec.Body)
	}
	for _, ask := range [][2]string{{"DELETE", "/api/v1/partners/wisp-uno"}, {"POST", "/api/v1/partners/wisp-uno/rotate"}} {
		if rec := w.as("tecnica", ask[0], ask[1]); rec.Code != 404 {
			t.Errorf("%s %s: %d", ask[0], ask[1], rec.Code)
		}
	}
	if body := w.get("/api/v1/partners").Body.String(); !strings.Contains(body, `"partners":[]`) {
		t.Errorf("nobody: %s", body)
	}
}

func TestEdgesAPI(t *testing.T) {
	w := newWorld(t)
	rec := w.send("tecnica", "POST", "/api/v1/edges", jsonKind, `{"id":"bergolo","device":"mombarcaro-est"}`)
	if l := decode[controller.EdgeLogin](t, rec); rec.Code != 201 || l.Password != "PASSWORD-bergolo" || l.User != "edge-bergolo" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("enrol: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	if body := w.get("/api/v1/edges").Body.String(); !strings.Contains(body, `"id":"bergolo"`) || !strings.Contains(body, `"next":null`) || strings.Contains(body, "PASSWORD") {
		t.Errorf("list: %s", body)
	}
	rec = w.send("tecnica", "POST", "/api/v1/edge-orders", jsonKind, `{"kind":"tag","what":"albo"}`)
	if rec.Code != 201 || !strings.Contains(rec.Body.String(), `{"edge":"bergolo","seq":1,`) {
		t.Errorf("order: %d %s", rec.Code, rec.Body)
	}
	if rec := w.as("tecnica", "DELETE", "/api/v1/edges/bergolo"); rec.Code != 204 || rec.Body.Len() != 0 {
		t.Errorf("remove: %d %s", rec.Code, rec.Body)
	}
	if rec := w.as("tecnica", "DELETE", "/api/v1/edges/bergolo"); rec.Code != 404 {
		t.Errorf("remove twice: %d", rec.Code)
	}
}

func TestPlansAPI(t *testing.T) {
	w := newWorld(t, shared)
	plans := decode[struct{ Plans []page.Plan }](t, w.get("/api/v1/plans")).Plans
	if len(plans) != 11 {
		t.Fatalf("%d plans", len(plans))
	}
	for _, p := range plans {
		switch {
		case p.Link == "fibra-cortemilia" && (p.A.PlannedDBm != nil || p.B.Device != "" || p.DistM != nil || p.PromisedMbps != 1000):
			t.Errorf("a fibre: %+v", p)
		case p.Link == "saliceto-murazzano" && (p.A.PlannedDBm == nil || *p.A.PlannedDBm != -58 || *p.B.PlannedDBm != -59 || *p.DistM < 1000):
			t.Errorf("a radio link: %+v", p)
		}
	}
	if own := decode[struct{ Plans []page.Plan }](t, w.as("due", "GET", "/api/v1/plans")).Plans; len(own) != len(parts["due"].links) {
		t.Errorf("%d plans for a partner of %d links", len(own), len(parts["due"].links))
	}
}

// A server without what changes devices, or without partners, says so.
func TestWithoutChanger(t *testing.T) {
	w := newWorld(t, func(_ *page.Config, d *page.Deps) { d.Changer, d.Partners, d.Edges = nil, nil, nil })
	for _, ask := range [][2]string{
		{"GET", "/api/v1/network/diff"}, {"GET", "/api/v1/changes"}, {"POST", "/api/v1/changes"}, {"GET", "/api/v1/changes/c1"}, {"POST", "/api/v1/changes/c1/confirm"},
		{"POST", "/api/v1/changes/c1/revert"}, {"GET", "/rete/modifiche"}, {"GET", "/rete/modifiche/nuova?apparato=a"}, {"GET", "/rete/modifiche/c1"}, {"POST", "/rete/modifiche"},
		{"POST", "/rete/modifiche/leggi"}, {"POST", "/rete/modifiche/c1/conferma"},
		{"GET", "/api/v1/partners"}, {"POST", "/api/v1/partners"}, {"POST", "/api/v1/partners/a/rotate"}, {"DELETE", "/api/v1/partners/a"},
		{"GET", "/api/v1/edges"}, {"POST", "/api/v1/edges"}, {"DELETE", "/api/v1/edges/a"}, {"POST", "/api/v1/edge-orders"},
	} {
		if rec := w.send("tecnica", ask[0], ask[1], jsonKind, "{}"); rec.Code != 404 {
			t.Errorf("%s %s: %d", ask[0], ask[1], rec.Code)
		}
	}
	if strings.Contains(w.get("/rete").Body.String(), "/rete/modifiche") {
		t.Error("the navigation leads to what is not there")
	}
}

// FuzzApply sends any body: it is taken or refused with words, never failed.
func FuzzApply(f *testing.F) {
	f.Add(`{"devices":["mombarcaro-est"],"hold_s":30,"manual":true,"digest":"d1"}`)
	f.Add(`{"hold_s":1e999}`)
	f.Add("{\"devices\":[\"\\u0000\"]}")
	f.Add(`null`)
	f.Add(`{"devices":null}`)
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, body string) {
		if rec := w.send("tecnica", "POST", "/api/v1/changes", jsonKind, body); rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}
