package page_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// run starts the shell of a world.
func (w *world) run(t *testing.T) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.shell.Run(ctx) }()
	<-w.shell.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w.shell.URL()
}

// TestPagesInABrowser looks at every page. With CRINALE_SCREENSHOTS=DIR it
// leaves pictures there.
func TestPagesInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	w := newWorld(t)
	url := w.run(t)
	link := "/rete/collegamenti/saliceto-murazzano"
	for _, path := range []string{"/stato", "/rete", "/rete/allarmi", "/rete/apparati", link} {
		b.Check(url+path, 360, 1280)
	}
	b.Check(url+link+"?ore=24&lang=en", 360)
	b.Check(url+"/stato?lang=it", 1280)
	bytes, requests := b.Weight(url + "/rete")
	t.Logf("/rete: %d bytes in %d requests", bytes, requests)
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, width := range browsertest.Widths {
			for _, path := range []string{"/stato", "/rete", "/rete/allarmi", "/rete/apparati", link} {
				name := strings.ReplaceAll(strings.Trim(path, "/"), "/", "-")
				b.Screenshot(url+path, width, filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)))
			}
		}
		b.ScreenshotNoScript(url+"/rete", 768, filepath.Join(dir, "rete-noscript-768.png"))
		b.ScreenshotDark(url+link, 360, filepath.Join(dir, "link-dark-360.png"))
		b.ScreenshotDark(url+"/rete", 1280, filepath.Join(dir, "rete-dark-1280.png"))
	}
}

// TestMapLivesInABrowser waits for a link to change its state on the map and
// in the table, without a reload.
func TestMapLivesInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	w := newWorld(t)
	w.shell.Handle("POST /prova", web.Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		w.set(0, network.StatusUp)
		w.set(0, network.StatusDown)
	}))
	url := w.run(t)
	if w.shell.Plain() != "" {
		t.Skip("SKIPPED, NOT TESTED: no Leaflet in this build, run `make assets`")
	}
	// The page cannot see when its event stream stands: it says the change
	// until it is heard.
	got := browsertest.Eval[string](b, url+"/rete", `new Promise(done => {
		const map = document.getElementById("map");
		const seen = (e) => { const b = e.getBoundingClientRect(), m = map.getBoundingClientRect(); return b.height > 20 && b.top >= m.top && b.bottom <= m.bottom; };
		const state = () => [
			[...map.querySelectorAll("path.link-down")].filter(seen).length,
			document.querySelector("#summary .state-down + strong").textContent,
			document.querySelectorAll("#links tbody .state-down").length].join(" ");
		const before = state();
		const look = () => {
			if (state() === "2 2 2") { done(before + ", " + state()); return; }
			fetch("/prova", { method: "POST" });
			setTimeout(look, 200);
		};
		setTimeout(() => done(before + ", still " + state()), 20000);
		look();
	})`)
	if got != "1 1 1, 2 2 2" {
		t.Errorf("links that are down on the map, in the summary and in the table: %s", got)
	}
}
