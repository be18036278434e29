package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/internal/web/browsertest"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/page"
)

// plan is a share made up from the comuni, so that every bar differs.
type plan struct {
	share *planning.ShareReport
	ready bool
	err   error
}

func (p *plan) Planned() (*planning.Coverage, *planning.ShareReport, bool, error) {
	return nil, p.share, p.ready, p.err
}

func shareOf(u *territory.Union) *planning.ShareReport {
	r := &planning.ShareReport{
		CensusYear: 2021, Sectors: 24, Unknown: 12,
		Terrain:     planning.Source{Source: "Alta Langa, SRTM30 heights, 30 arc seconds", CellM: 927, Surface: planning.BareEarth, Coarse: true},
		Assumptions: planning.ShareAssumed{Confidence: network.StandardMinimum},
		People:      map[string]int{"named-place": 9000, "town-hall": 3000, "scattered": 5755},
	}
	for i, c := range u.Comuni {
		n := c.People[2021]
		s := planning.ComuneShare{ISTAT: c.ISTAT, Name: c.Name, Inhabitants: n, Covered30: n * i / (len(u.Comuni) - 1), Covered100: n * i / (len(u.Comuni) - 1) / 2}
		r.Comuni = append(r.Comuni, s)
		r.Inhabitants += n
		r.Covered30 += s.Covered30
		r.Covered100 += s.Covered100
	}
	return r
}

// paint is a tile of one colour with its number of calls.
func paint(c color.NRGBA, calls *atomic.Int64) page.Draw {
	picture := sync.OnceValues(func() ([]byte, error) {
		img := image.NewNRGBA(image.Rect(0, 0, 256, 256))
		for i := range 256 * 256 {
			k := c
			if (i%256+i/256)%64 < 32 {
				k.R, k.G, k.B = k.R-20, k.G-20, k.B-20
			}
			img.SetNRGBA(i%256, i/256, k)
		}
		var b bytes.Buffer
		err := png.Encode(&b, img)
		return b.Bytes(), err
	})
	return func(z, x, y int) ([]byte, error) {
		calls.Add(1)
		if z == 9 {
			return nil, fault.New(fault.Internal, "broken tile")
		}
		return picture()
	}
}

type world struct {
	shell         *web.Shell
	plan          *plan
	relief, cover atomic.Int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	u, err := demo.Union()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{plan: &plan{share: shareOf(u), ready: true}}
	cfg := web.Default()
	cfg.Addr, cfg.Demo = "127.0.0.1:0", true
	if w.shell, err = web.New(cfg, web.Deps{}); err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{Cache: 1 << 20, Classes: []page.Class{{"none", "#dcdcdc"}, {"under-30", "#e69f00"}, {"30-100", "#3a92c8"}, {"from-100", "#004878"}}}, page.Deps{
		Shell: w.shell, Union: u, Plan: w.plan, Terrain: w.plan.share.Terrain,
		Relief:   paint(color.NRGBA{200, 205, 180, 255}, &w.relief),
		Coverage: paint(color.NRGBA{58, 146, 200, 100}, &w.cover),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.Mount(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) get(target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	r.Host = "localhost"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.shell.Handler().ServeHTTP(rec, r)
	return rec
}

func TestCoveragePage(t *testing.T) {
	w := newWorld(t)
	body := w.get("/copertura").Body.String()
	for _, want := range []string{
		"17.755", "grossolano", "927 m", "Il terreno è nudo", "802.11ac", "censimento 2021", "da 30 a 100 Mbps", "Tutta l’Unione", "Mombarcaro",
		"obiettivo: la metà", "12 abitanti", "#e69f00", `href="/tiles/copertura/`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if n := strings.Count(body, `<th scope="row">`); n != 39 {
		t.Errorf("%d rows, want 38 and the union", n)
	}
	if en := w.get("/copertura?lang=en").Body.String(); !strings.Contains(en, "17,755") || !strings.Contains(en, "coarse") {
		t.Error("the English page is not English")
	}
}

func TestWhileItIsComputed(t *testing.T) {
	w := newWorld(t)
	w.plan.ready = false
	rec := w.get("/copertura")
	if rec.Code != 200 || rec.Header().Get("Refresh") == "" || !strings.Contains(rec.Body.String(), "in calcolo") || strings.Contains(rec.Body.String(), "/tiles/copertura/11") {
		t.Errorf("page: %d", rec.Code)
	}
	if rec := w.get("/api/v1/coverage"); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("API: %d", rec.Code)
	}
	if rec := w.get("/tiles/copertura/11/1070/740.png"); rec.Code != 200 || rec.Header().Get("Cache-Control") != "no-store" || w.cover.Load() != 0 {
		t.Errorf("tile: %d %v", rec.Code, rec.Header())
	}
	w.plan.err = errors.New("no terrain")
	if rec := w.get("/copertura"); rec.Code != 500 || strings.Contains(rec.Body.String(), "no terrain") {
		t.Errorf("failed plan: %d", rec.Code)
	}
}

func TestCoverageAPIIsTheContract(t *testing.T) {
	var got planning.ShareReport
	rec := newWorld(t).get("/api/v1/coverage")
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.Inhabitants != 17755 || len(got.Comuni) != 38 {
		t.Fatalf("%v %d %d", err, got.Inhabitants, len(got.Comuni))
	}
	for _, query := range []string{"comune=004201", "lang=it", "%zz"} {
		if rec := newWorld(t).get("/api/v1/coverage?" + query); rec.Code != 400 || !strings.Contains(rec.Body.String(), "parameter") {
			t.Errorf("?%s: %d %s", query, rec.Code, rec.Body)
		}
	}
}

func TestOutlines(t *testing.T) {
	var got struct {
		Type     string
		Features []struct {
			Properties struct{ ISTAT, Name string }
			Geometry   struct {
				Type        string
				Coordinates [][][][2]float64
			}
		}
	}
	rec := newWorld(t).get("/copertura/comuni.json")
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.Type != "FeatureCollection" || len(got.Features) != 38 {
		t.Fatalf("%v %d", err, len(got.Features))
	}
	for _, f := range got.Features {
		if f.Geometry.Type != "MultiPolygon" || len(f.Geometry.Coordinates) == 0 || f.Properties.Name == "" {
			t.Errorf("%+v", f.Properties)
		}
	}
}

func TestTiles(t *testing.T) {
	w := newWorld(t)
	first := w.get("/tiles/rilievo/11/1070/740.png")
	if first.Code != 200 || first.Header().Get("Content-Type") != "image/png" || !strings.Contains(first.Header().Get("Cache-Control"), "max-age=86400") {
		t.Fatalf("%d %v", first.Code, first.Header())
	}
	if again := w.get("/tiles/rilievo/11/1070/740.png", "If-None-Match", first.Header().Get("ETag")); again.Code != 304 || w.relief.Load() != 1 {
		t.Errorf("%d after %d drawings", again.Code, w.relief.Load())
	}
	for _, bad := range []string{"16/0/0.png", "1/2/0.png", "1/0/2.png", "1/0/0.jpg", "1/0/.png", "01/0/0.png", "-1/0/0.png", "1/0/99999999.png", "1/0/0", "a/b/c.png"} {
		if rec := w.get("/tiles/rilievo/" + bad); rec.Code != 404 {
			t.Errorf("%s: %d", bad, rec.Code)
		}
	}
	if rec := w.get("/tiles/rilievo/9/1/1.png"); rec.Code != 500 {
		t.Errorf("a tile that cannot be drawn: %d", rec.Code)
	}
	before := w.relief.Load()
	if rec := w.get("/tiles/rilievo/9/1/1.png"); rec.Code != 500 || w.relief.Load() != before+1 {
		t.Error("a failure is kept as if it were a tile")
	}
}

func TestTilesAreDrawnOnceAndForgottenInTime(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { w.get("/tiles/rilievo/10/535/370.png") })
	}
	wg.Wait()
	if n := w.relief.Load(); n != 1 {
		t.Errorf("drawn %d times for 20 at once", n)
	}
	size := w.get("/tiles/rilievo/10/535/370.png").Body.Len()
	for i := range 1 << 19 / size * 2 { // twice what is kept
		w.get(fmt.Sprintf("/tiles/rilievo/14/%d/1.png", i))
	}
	before := w.relief.Load()
	w.get("/tiles/rilievo/10/535/370.png")
	if w.relief.Load() != before+1 {
		t.Error("the oldest tile was never forgotten")
	}
}

func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.shell.Run(ctx) }()
	<-w.shell.Ready()
	url := w.shell.URL() + "/copertura"
	b.Check(url, 360, 1280)
	b.Check(url+"?lang=en", 360)
	if w.shell.Plain() == "" {
		n := browsertest.Eval[int](b, url, `[...document.querySelectorAll("#coverage-map path.outline")].filter(e => e.getBoundingClientRect().width > 5).length`)
		if n != 38 {
			t.Errorf("%d comuni are outlined on the live map", n)
		}
	}
	bytes, requests := b.Weight(url)
	t.Logf("/copertura: %d bytes in %d requests", bytes, requests)
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, width := range browsertest.Widths {
			b.Screenshot(url+"?lang=it", width, filepath.Join(dir, fmt.Sprintf("copertura-%d.png", width)))
		}
		b.ScreenshotNoScript(url, 768, filepath.Join(dir, "copertura-noscript-768.png"))
		b.ScreenshotDark(url, 768, filepath.Join(dir, "copertura-dark-768.png"))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
