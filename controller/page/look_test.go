package page_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	url := w.run(t)
	link := "/rete/collegamenti/saliceto-murazzano"
	for _, path := range []string{"/stato", "/rete", "/rete/allarmi", "/rete/apparati", link} {
		b.Check(url+path, 360, 1280)
	}
	changes := []string{"/rete/modifiche", "/rete/modifiche/nuova?apparato=mombarcaro-est&apparato=cortemilia-ovest&apparato=bossolasco-est", "/rete/modifiche/c16", "/rete/modifiche/c1"}
	b.Check(url+changes[0], 360) // before the devices are read
	if rec := w.as("tecnica", "POST", "/rete/modifiche/leggi"); rec.Code != 303 {
		t.Fatal(rec.Code)
	}
	for _, path := range changes[:3] {
		b.Check(url + path)
	}
	b.Check(url+changes[3], 360)
	b.Check(url+"/stato?lang=it", 360)
	b.Check(url+link+"?ore=24&lang=en", 360)
	b.Check(url+"/stato?lang=it", 1280)
	bytes, requests := b.Weight(url + "/rete")
	t.Logf("/rete: %d bytes in %d requests", bytes, requests)
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, width := range browsertest.Widths {
			for _, path := range append([]string{"/stato", "/rete", "/rete/allarmi", "/rete/apparati", link}, changes...) {
				name, _, _ := strings.Cut(strings.ReplaceAll(strings.Trim(path, "/"), "/", "-"), "?")
				b.Screenshot(url+path, width, filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)))
			}
		}
		b.ScreenshotNoScript(url+"/rete", 768, filepath.Join(dir, "rete-noscript-768.png"))
		b.ScreenshotDark(url+link, 360, filepath.Join(dir, "link-dark-360.png"))
		b.ScreenshotNoScript(url+"/rete/modifiche/c16", 360, filepath.Join(dir, "modifica-noscript-360.png"))
		b.ScreenshotDark(url+"/rete/modifiche", 768, filepath.Join(dir, "modifiche-dark-768.png"))
		b.ScreenshotDark(url+"/rete", 1280, filepath.Join(dir, "rete-dark-1280.png"))
	}
}

// TestMapLivesInABrowser waits for a link to change its state on the map and
// in the table, without a reload.
func TestMapLivesInABrowser(t *testing.T) {
	t.Parallel()
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

// TestCountdownInABrowser sees the time of a change run down, the state change
// without a reload, the focus stay on its button, and what is said when the
// server is no longer heard.
func TestCountdownInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	var asked atomic.Int64
	w.shell.Handle("POST /prova", web.Public, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 1 {
			if _, err := w.changer.Confirm(t.Context(), "c16"); err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
			}
			return
		}
		w.changer.touch("c16") // its journal grows: the page is put anew
	}))
	url := w.run(t)
	got := browsertest.Eval[string](b, url+"/rete/modifiche/c16", `new Promise(async done => {
		const until = async (what, ok) => {
			for (let i = 0; i < 100; i++) { if (ok()) return what; await new Promise(r => setTimeout(r, 200)); }
			throw new Error("never: " + what);
		};
		const left = () => document.querySelector("[data-left]")?.textContent;
		const first = left(), real = window.fetch, seen = [];
		try {
			document.getElementById("annulla-c16").focus();
			seen.push(await until("runs", () => left() !== first && /^[01]:\d\d$/.test(left())));
			await real("/prova", { method: "POST" });
			seen.push(await until("new line", () => document.getElementById("journal").textContent.includes("touched")));
			seen.push(await until("focus", () => document.activeElement.id === "annulla-c16"));
			window.fetch = () => Promise.reject(new Error("cut"));
			seen.push(await until("lost", () => !document.getElementById("lost").hidden));
			window.fetch = real;
			seen.push(await until("found", () => document.getElementById("lost").hidden));
			await real("/prova", { method: "POST" });
			seen.push(await until("confirmed", () => document.querySelector("[data-state]").textContent.trim() === "confermata"));
			seen.push(await until("said", () => document.getElementById("said").textContent === "confermata"));
			seen.push(await until("over", () => !left() && !document.getElementById("annulla-c16")));
		} catch (e) { seen.push(e.message); }
		done(seen.join(", "));
	})`)
	if want := "runs, new line, focus, lost, found, confirmed, said, over"; got != want {
		t.Errorf("the page of a change: %s\nwant %s", got, want)
	}
}
