package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/web/browsertest"
)

var update = flag.Bool("update", false, "write the generated pages and pictures of docs/ anew")

// startDemo runs a demo in this process until the test ends.
func startDemo(t *testing.T, args ...string) demoFile {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var talk bytes.Buffer
	done := make(chan int, 1)
	go func() {
		all := append([]string{"crinale", "demo", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"}, args...)
		done <- runContext(ctx, all, &talk, &talk)
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != exitDone {
			t.Errorf("the demo ended with %d:\n%s", code, talk.String())
		}
	})
	var f demoFile
	until(t, "demo.json", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		return err == nil && json.Unmarshal(b, &f) == nil
	})
	return f
}

// until waits for something that must come.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !there() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s did not come within %v", what, patience)
		}
	}
}

// pages are all pages of the demo, with the name of their picture in docs/.
var pages = []struct{ path, picture string }{
	{"/", "home"},
	{"/copertura", "copertura"},
	{"/stato", "stato"},
	{"/entra", "entra"},
	{"/invito", "invito"},
}

// staffPages are those that need an account.
var staffPages = []struct{ path, picture string }{
	{"/rete", "rete"},
	{"/rete/collegamenti/trezzo-santo-stefano", "collegamento"},
	{"/rete/allarmi", "allarmi"},
	{"/rete/apparati", "apparati"},
	{"/rete/modifiche", "modifiche"},
	{"/conto", "conto"},
	{"/persone", "persone"},
	{"/persone/technician", "persona"},
	{"/registro", "registro"},
}

// enter signs a browser in with the keyboard alone.
func enter(t *testing.T, b *browsertest.Browser, f demoFile, role string) {
	t.Helper()
	i := slices.IndexFunc(f.Accounts, func(a demoAccount) bool { return a.Role == role })
	at := b.Keyboard(f.HTTP+"/entra", browsertest.Way{}, browsertest.Step{To: "#nome", Keys: f.Accounts[i].User}, browsertest.Step{To: "#password", Keys: f.Accounts[i].Password + browsertest.Enter})
	if at.URL != f.HTTP+"/" {
		t.Fatalf("signed in as %s, and landed on %s:\n%s", role, at.URL, at.Text)
	}
}

// TestPagesInABrowser loads every page of the demo in Chromium with no outside
// host reachable: no console error, no lost request, no stranger, no
// overlapping boxes, no axe violation, at three widths and without JavaScript.
// With -update it writes the pictures of docs/.
func TestPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: -short")
	}
	b := browsertest.Open(t)
	f := startDemo(t)
	until(t, "the coverage plan", func() bool { return pageHas(t, f.HTTP+"/copertura", "17.755") })
	look(t, b, f, pages)
	enter(t, b, f, "admin")
	until(t, "an open alert", func() bool {
		return browsertest.Eval[bool](b, f.HTTP+"/rete/allarmi", `document.body.innerHTML.includes("trezzo-santo-stefano")`)
	})
	look(t, b, f, staffPages)
}

// look checks pages, and with -update takes their pictures.
func look(t *testing.T, b *browsertest.Browser, f demoFile, pages []struct{ path, picture string }) {
	t.Helper()
	for _, p := range pages {
		b.Check(f.HTTP + p.path)
		if *update {
			for _, w := range browsertest.Widths {
				file := filepath.Join("../../docs/pictures", picture(p.picture, w))
				b.Screenshot(f.HTTP+p.path, w, file)
			}
		}
	}
}
