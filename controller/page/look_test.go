package page_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/network"
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
	url := w.run(t)
	if w.shell.Plain() != "" {
		t.Skip("SKIPPED, NOT TESTED: no Leaflet in this build, run `make assets`")
	}
	id := w.net.Links[0].ID
	quit := make(chan struct{})
	defer close(quit)
	go func() {
		// The page has drawn its map and listens; say it until it is heard.
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-quit:
				tick.Stop()
				return
			case <-tick.C:
				w.changes.Publish(network.LinkState{Link: id, Status: network.StatusUp})
				w.changes.Publish(network.LinkState{Link: id, Status: network.StatusDown})
			}
		}
	}()
	got := browsertest.Eval[int](b, url+"/rete", `new Promise(done => {
		const seen = (e) => { const b = e.getBoundingClientRect(), m = map.getBoundingClientRect(); return b.height > 20 && b.top >= m.top && b.bottom <= m.bottom; };
		const map = document.getElementById("map");
		const look = () => { const n = [...map.querySelectorAll("path.link-down")].filter(seen).length; n === 2 ? done(n) : setTimeout(look, 20); };
		setTimeout(() => done(-1), 10000); look();
	})`)
	if got != 2 {
		t.Errorf("links that are down on the live map: %d, want 2", got)
	}
}
