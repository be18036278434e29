package page_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/network"
)

var all = []string{"/", "/rete/modifiche", "/rete/modifiche/c16", "/rete/modifiche/nuova?apparato=saliceto-est", "/stato", "/rete", "/rete?lang=en", "/rete/allarmi", "/rete/apparati", "/rete/collegamenti/bossolasco-serravalle-langhe", "/rete/collegamenti/fibra-cortemilia?ore=24"}

func TestPagesInBothLanguages(t *testing.T) {
	w := newWorld(t)
	missing := regexp.MustCompile(`>\s*(?:[a-z]+\.)+[a-z]+\s*<|%!`)
	for _, target := range all {
		for _, lang := range []string{"it", "en"} {
			u := target + "?lang=" + lang
			if strings.Contains(target, "?") {
				u = target + "&lang=" + lang
			}
			rec := w.get(u)
			body := rec.Body.String()
			if rec.Code != 200 || !strings.Contains(body, "</html>") {
				t.Errorf("%s: %d", u, rec.Code)
			}
			if m := missing.FindString(body); m != "" {
				t.Errorf("%s: a word is missing: %q", u, m)
			}
			if strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "<script>") || strings.Contains(body, "<b>") || strings.Contains(body, " style=") {
				t.Errorf("%s: something slipped through unescaped or inline", u)
			}
		}
	}
}

func TestOverviewShowsTheWorstFirst(t *testing.T) {
	body := newWorld(t).get("/rete").Body.String()
	table := body[strings.Index(body, "<tbody>"):]
	order := []string{"state-down", "state-degraded", "state-unknown", "state-up"}
	last := -1
	for _, s := range order {
		at := strings.Index(table, s)
		if at <= last {
			t.Fatalf("%s stands at %d, after %d", s, at, last)
		}
		last = at
	}
	for _, want := range []string{`class="link-line link-down"`, `class="link-line link-degraded"`, "Mombarcaro, crinale", "Allarmi aperti: 3"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestLinkPage(t *testing.T) {
	w := newWorld(t)
	body := w.get("/rete/collegamenti/saliceto-murazzano").Body.String()
	for _, want := range []string{
		"−71\u00a0dBm", "previsto −58\u00a0dBm, differenza −13\u00a0dB", "(debole)", "garantiti 30\u00a0Mbps", "(sotto il garantito)", "Partner Uno",
		"Segnale &lt;b&gt;debole&lt;/b&gt;", "7.18.2 (stable)", "4 giorni", "profilo.svg", "km</dd>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	fibre := w.get("/rete/collegamenti/fibra-cortemilia").Body.String()
	if strings.Contains(fibre, "profilo.svg") || strings.Contains(fibre, "dBm") || !strings.Contains(fibre, "fibra") {
		t.Error("a fibre is shown as a radio link")
	}
	if rec := w.get("/rete/collegamenti/nessuno"); rec.Code != 404 {
		t.Errorf("unknown link: %d", rec.Code)
	}
	w.err = errors.New("disk gone")
	if rec := w.get("/rete/collegamenti/saliceto-murazzano"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "storico non è disponibile") || strings.Contains(rec.Body.String(), "disk gone") {
		t.Errorf("a page without its history: %d", rec.Code)
	}
}

// What a device refuses to tell stands at the device, in the API as in both
// pages, and is an empty list where it refuses nothing.
func TestRefusalsAreShown(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/rete/apparati", "/rete/collegamenti/saliceto-murazzano"} {
		for lang, want := range map[string]string{"it": "non leggibile: ", "en": "not readable: "} {
			body := w.get(target + "?lang=" + lang).Body.String()
			if n := strings.Count(body, want); n != 2 || !strings.Contains(body, want+"/interface/wireless/registration-table/print: not enough permissions (9) &lt;b&gt;") {
				t.Errorf("%s in %s: %d refusals", target, lang, n)
			}
		}
	}
	body := w.get("/api/v1/devices").Body.String()
	var got struct{ Devices []page.Device }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Devices) != 20 {
		t.Fatalf("%v %s", err, body)
	}
	if i := slices.IndexFunc(got.Devices, func(d page.Device) bool { return d.ID == w.net.Devices[13].ID }); i < 0 || len(got.Devices[i].Warnings) != 2 {
		t.Fatalf("%d %s", i, body)
	}
	if n := strings.Count(body, `"warnings":[]`); n != 19 {
		t.Errorf("%d devices without refusals, want 19", n)
	}
}

func TestChartsShowGaps(t *testing.T) {
	w := newWorld(t)
	body := w.get("/rete/collegamenti/saliceto-murazzano?ore=6").Body.String()
	paths := regexp.MustCompile(`class="line line-0" d="([^"]+)"`).FindAllStringSubmatch(body, -1)
	drawn := 0
	for _, p := range paths {
		if len(p[1]) < 20 {
			continue // of the key
		}
		drawn++
		if n := strings.Count(p[1], "M"); n != 2 {
			t.Errorf("a line with one gap has %d pieces: %.60s", n, p[1])
		}
	}
	if drawn != 3 {
		t.Errorf("%d charts are drawn", drawn)
	}
	for _, want := range []string{"−62", "ultimo", "11:00", "garantiti 30"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestResidentsSeeNoPartnersAndNoLinks(t *testing.T) {
	body := newWorld(t).get("/stato").Body.String()
	for _, secret := range []string{"Partner", "wisp", "127.0.0.1", "dBm", "–"} {
		main := body[strings.Index(body, "<main"):strings.Index(body, "</main>")]
		if strings.Contains(main, secret) {
			t.Errorf("residents read %q", secret)
		}
	}
	for _, want := range []string{"Bossolasco", "è guasto", "lavora peggio", "nessun collegamento osservato"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestAPI(t *testing.T) {
	w := newWorld(t)
	var links struct{ Links []page.Link }
	if err := json.Unmarshal(w.get("/api/v1/links").Body.Bytes(), &links); err != nil || len(links.Links) != 11 {
		t.Fatalf("%v, %d links", err, len(links.Links))
	}
	unknown := w.get("/api/v1/links/fibra-cortemilia").Body.String()
	for _, want := range []string{`"capacity_mbps":null`, `"at":null`, `"age_s":null`, `"reading":null`, `"planned_dbm":null`, `"promised_mbps":1000`, `"alerts":[]`, `"partners":[]`} {
		if !strings.Contains(unknown, want) {
			t.Errorf("no %s in %s", want, unknown)
		}
	}
	var got page.Readings
	rec := w.get("/api/v1/links/saliceto-murazzano/readings?from=2026-11-22T08:00:00Z&to=2026-11-22T09:00:00Z&step=60")
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.StepS != 60 || len(got.A) < 30 || len(got.B) != len(got.A) || got.A[0].SignalDBm == nil {
		t.Fatalf("%v %+v", err, rec.Body)
	}
	if !strings.Contains(rec.Body.String(), `"snr_db":null`) {
		t.Error("an unknown quantity is not null")
	}
	for _, bad := range []string{"from=yesterday", "to=1", "from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z", "step=0", "step=x", "step=500ms", "from=2020-01-01T00:00:00Z&step=1",
		"step_s=NaN", "last=1h", "limit=-1", "step=60&step=30", "%zz", "step=60;limit=1",
		"from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "from=1969-12-31T23:59:59Z&to=1970-01-01T01:00:00Z", "to=2201-01-01T00:00:00Z",
		"from=2016-11-22T08:59:59Z&to=2026-11-22T09:00:00Z", "from=2000-01-01T00:00:00Z&step=31d"} {
		rec := w.get("/api/v1/links/saliceto-murazzano/readings?" + bad)
		if rec.Code != 400 || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", bad, rec.Code, rec.Body)
		}
	}
	for target, want := range map[string]int{
		"/api/v1/alerts": 3, "/api/v1/alerts?open=false": 4, "/api/v1/devices": 20, "/api/v1/sites": 10,
	} {
		var lists map[string]any
		if err := json.Unmarshal(w.get(target).Body.Bytes(), &lists); err != nil {
			t.Fatal(err)
		}
		for name, v := range lists {
			if l, ok := v.([]any); name != "next" && (!ok || len(l) != want) || name == "next" && v != nil {
				t.Errorf("%s: %d %s, want %d", target, len(l), name, want)
			}
		}
	}
	if rec := w.get("/api/v1/links/saliceto-murazzano/readings?from=2016-11-22T09:00:00Z&to=2026-11-22T09:00:00Z"); rec.Code != 200 {
		t.Errorf("ten years: %d %s", rec.Code, rec.Body)
	}
	for target, known := range map[string]string{
		"/api/v1/links?status=down": "known are limit, after", "/api/v1/links/fibra-cortemilia?x": "takes no parameters",
		"/api/v1/links/fibra-cortemilia/readings?limit=1": "known are from, to, step", "/api/v1/alerts?Open=true": "known are open, limit, after",
		"/api/v1/devices?site=a": "known are limit, after", "/api/v1/sites?limit=0": "from 1 to",
	} {
		if rec := w.get(target); rec.Code != 400 || !strings.Contains(rec.Body.String(), known) {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	for _, ore := range []string{"2", "-1", "1e9", "x"} {
		if rec := w.get("/rete/collegamenti/fibra-cortemilia?ore=" + ore); rec.Code != 400 {
			t.Errorf("ore=%s: %d", ore, rec.Code)
		}
	}
	if devices := w.get("/api/v1/devices").Body.String(); !strings.Contains(devices, `"seat":null`) || strings.Contains(devices, `"seat":""`) || strings.Contains(devices, `"site":""`) {
		t.Errorf("a place that is not set is not null: %s", devices)
	}
	if rec := w.get("/api/v1/alerts?open=maybe"); rec.Code != 400 {
		t.Errorf("open=maybe: %d", rec.Code)
	}
	if rec := w.get("/api/v1/links/none"); rec.Code != 404 {
		t.Errorf("unknown link: %d", rec.Code)
	}
}

// TestAPIKeysAreDescribed holds the hand-written document against what the
// routes really answer.
func TestAPIKeysAreDescribed(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]any
			}
		}
	}
	if err := json.Unmarshal(w.get("/api/v1/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	first := func(target, key string) map[string]any {
		var v map[string]any
		if err := json.Unmarshal(w.get(target).Body.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		list, _ := v[key].([]any)
		if len(list) == 0 {
			t.Fatalf("%s: no %s", target, key)
		}
		return list[0].(map[string]any)
	}
	w.desk.in = []network.PartnerID{"wisp-uno"}
	w.halls.in = []controller.EdgeAccess{{ID: "bergolo", Device: "mombarcaro-est"}}
	one := func(v map[string]any, key string) map[string]any { return v[key].([]any)[0].(map[string]any) }
	change := decode[map[string]any](t, w.get("/api/v1/changes/c16"))
	link := first("/api/v1/links", "links")
	for name, v := range map[string]map[string]any{
		"Link": link, "LinkEnd": link["a"].(map[string]any), "Reading": link["a"].(map[string]any)["reading"].(map[string]any),
		"Alert": first("/api/v1/alerts", "alerts"), "Device": first("/api/v1/devices", "devices"), "Site": first("/api/v1/sites", "sites"),
		"Plan": first("/api/v1/plans", "plans"), "PlanEnd": first("/api/v1/plans", "plans")["a"].(map[string]any),
		"Change": change, "ChangeDevice": one(change, "devices"), "ChangeEvent": one(change, "events"), "LinkBefore": one(change, "links"),
		"Differences": decode[map[string]any](t, w.get("/api/v1/network/diff")), "PartnerAccess": first("/api/v1/partners", "partners"), "EdgeAccess": first("/api/v1/edges", "edges"),
	} {
		s := doc.Components.Schemas[name]
		for k := range v {
			if _, ok := s.Properties[k]; !ok {
				t.Errorf("%s: %q is not described", name, k)
			}
		}
		for _, k := range s.Required {
			if _, ok := v[k]; !ok {
				t.Errorf("%s: %q is required and absent", name, k)
			}
		}
	}
}

func TestEventStream(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.shell.Handler())
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	id := w.net.Links[0].ID
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/rete/eventi?link="+string(id), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" || res.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%s %v", ct, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		for lines.Scan() {
			if s, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return s
			}
		}
		t.Fatalf("the stream ended before %q: %v", prefix, lines.Err())
		return ""
	}
	next(": still here")                                                                    // the beat says that the subscription stands
	w.changes.Publish(network.LinkState{Link: w.net.Links[1].ID, Status: network.StatusUp}) // as before: nothing to tell
	w.changes.Publish(network.LinkState{Link: id, Status: network.StatusUp})
	if got := next("event: "); got != "reading" {
		t.Errorf("got %s", got)
	}
	w.changes.Publish(network.LinkState{Link: w.net.Links[1].ID, Status: network.StatusDown})
	if got := next("event: "); got != "state" {
		t.Errorf("got %s", got)
	}
	if got := next("data: "); !strings.Contains(got, `"status":"down"`) {
		t.Errorf("got %s", got)
	}
	w.events.Publish(controller.AlertEvent{Change: controller.Opened, Alert: controller.Alert{ID: "x"}})
	if got := next("event: "); got != "alert" {
		t.Errorf("got %s", got)
	}
	if rec := w.get("/rete/eventi?link=none"); rec.Code != 404 {
		t.Errorf("a stream of an unknown link: %d", rec.Code)
	}
}
