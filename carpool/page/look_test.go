package page_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/web/browsertest"
)

// photo is the file of a screenshot; "" where none are wanted.
func photo(name string) string {
	dir := os.Getenv("CRINALE_SCREENSHOTS")
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "passaggi-"+name+".png")
}

const answered = "/passaggi?da=bergolo-municipio&a=cortemilia-municipio&giorno=2026-11-25&ora=08:00&senso=arrivo&lang=it"

// TestPagesInABrowser looks at every page at three widths, with axe, and for
// boxes that overlap. With CRINALE_SCREENSHOTS=DIR it leaves pictures there.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	offer := w.offer(driver, car, "2026-11-26", "07:30")
	rider := w.resident()
	booking := w.booked(rider, "2026-11-25")
	rider.led(rider.series("2026-12-10"), "/passaggi/miei?fatto=chiesto")

	b.Check(w.URL + "/passaggi?lang=it")
	b.Check(w.URL + answered)
	if wrong := b.Keyboard(w.URL+"/passaggi?da=&giorno=ieri&ora=25&lang=it", browsertest.Way{File: photo("ricerca-errore-360")}); !strings.Contains(wrong.Text, "Manca qualcosa") {
		t.Errorf("a search with mistakes: %s", wrong.Text)
	}
	for _, path := range strangers[1:] {
		b.Check(w.URL+path+"?lang=it", 360, 1280)
	}
	b.Check(w.URL+"/passaggi/aiuto?lang=en", 360)
	b.Check(w.URL+"/passaggi?lang=it", 360)

	submit := func(form string) browsertest.Step {
		return browsertest.Step{To: form + ` button[type="submit"]`, Keys: browsertest.Enter}
	}
	enter := func(v *visitor, noScript bool) browsertest.Landed {
		return b.Keyboard(w.URL+"/entra?dopo=%2Fpassaggi%2Fmiei", browsertest.Way{NoScript: noScript},
			browsertest.Step{To: "#nome", Keys: v.alias}, browsertest.Step{To: "#password", Keys: good}, submit(`form[action="/entra"]`))
	}
	leave := func() {
		b.Keyboard(w.URL+"/passaggi/aiuto", browsertest.Way{}, submit(`form[action="/esci"]`))
	}
	if in := enter(rider, false); in.URL != w.URL+"/passaggi/miei" {
		t.Fatalf("sign in: %s: %s", in.URL, in.Text)
	}
	pages := append(append([]string{}, own...), booking, booking+"/annulla", answered)
	for _, path := range pages {
		b.Check(w.URL + path)
	}
	pictures := func(pages ...string) {
		if photo("") == "" {
			return
		}
		for _, path := range pages {
			name, _, _ := strings.Cut(strings.ReplaceAll(strings.Trim(strings.TrimPrefix(path, "/passaggi"), "/"), "/", "-"), "?")
			if name == "" {
				name = "ricerca"
			}
			if strings.HasPrefix(name, "miei-b-") {
				name = "viaggio" + strings.TrimPrefix(name, "miei-"+filepath.Base(booking))
			}
			for _, width := range browsertest.Widths {
				b.Screenshot(w.URL+path, width, photo(fmt.Sprintf("%s-%d", name, width)))
			}
		}
	}
	pictures(pages...)
	pictures(strangers[1:]...)
	// By keys alone, without JavaScript: the form with what is wrong beside its
	// field, then the page that shows the request, then sent.
	const ask = `form[action="/passaggi/chiedi"]`
	wrong := b.Keyboard(w.URL+"/passaggi/chiedi?giorno=2026-11-27&ora=09:00", browsertest.Way{NoScript: true, File: photo("chiedi-errore-360")},
		browsertest.Step{To: "#da", Keys: "Bergolo"}, browsertest.Step{To: "#a", Keys: "Bergolo"}, browsertest.Step{To: "#nota", Keys: "Ho una borsa"}, submit(ask))
	if !strings.Contains(wrong.Text, "lo stesso luogo") {
		t.Errorf("a request to where it starts: %s", wrong.Text)
	}
	check := b.Keyboard(w.URL+"/passaggi/chiedi?da=bergolo-municipio&a=cortemilia-municipio&giorno=2026-11-27&ora=09:00", browsertest.Way{NoScript: true, File: photo("controlla-360")}, submit(ask))
	if !strings.Contains(check.Text, "È tutto giusto?") {
		t.Fatalf("the page that shows the request: %s", check.Text)
	}
	sent := b.Keyboard(w.URL+"/passaggi/chiedi?da=bergolo-municipio&a=cortemilia-municipio&giorno=2026-11-27&ora=09:00", browsertest.Way{NoScript: true}, submit(ask), submit(ask))
	if !strings.HasSuffix(sent.URL, "/passaggi/miei?fatto=chiesto") || !strings.Contains(sent.Text, "Vi cerchiamo un passaggio") {
		t.Errorf("sent: %s: %s", sent.URL, sent.Text)
	}
	leave()

	if in := enter(driver, true); in.URL != w.URL+"/passaggi/miei" {
		t.Fatalf("sign in: %s: %s", in.URL, in.Text)
	}
	for _, path := range []string{"/passaggi/miei", "/passaggi/offri", "/passaggi/offerte", "/passaggi/offerte/" + string(offer.ID), "/passaggi/offerte/" + string(offer.ID) + "/cambia", "/passaggi/auto", booking} {
		b.Check(w.URL + path)
	}
	if photo("") != "" {
		for _, width := range browsertest.Widths {
			for name, path := range map[string]string{"guida-miei": "/passaggi/miei", "guida-offri": "/passaggi/offri", "guida-offerta": "/passaggi/offerte/" + string(offer.ID), "guida-auto": "/passaggi/auto", "guida-viaggio": booking} {
				b.Screenshot(w.URL+path, width, photo(fmt.Sprintf("%s-%d", name, width)))
			}
		}
		b.ScreenshotDark(w.URL+"/passaggi/miei", 360, photo("guida-miei-dark-360"))
	}
	yes := b.Keyboard(w.URL+booking, browsertest.Way{NoScript: true, File: photo("accettato-360")}, submit(`form[action="`+booking+`"]`))
	if !strings.Contains(yes.Text, "Avete detto sì") {
		t.Errorf("accept by keys: %s", yes.Text)
	}
	large := b.Keyboard(w.URL+"/passaggi/offerte", browsertest.Way{File: photo("grandi-360")}, submit(`form[action="/passaggi/caratteri"]`))
	if large.URL != w.URL+"/passaggi/offerte" {
		t.Errorf("large type led to %s", large.URL)
	}
	for _, path := range []string{"/passaggi/miei", answered, "/passaggi/offri", booking} {
		b.Check(w.URL + path)
	}
	leave()

	w.at(time.Date(2026, 11, 25, 6, 11, 0, 0, time.UTC))
	driver.enter()
	driver.led(driver.post(booking, "fa", "board"), booking+"?fatto=salito")
	if in := enter(rider, true); in.URL != w.URL+"/passaggi/miei" {
		t.Fatalf("sign in: %s: %s", in.URL, in.Text)
	}
	b.Check(w.URL + booking + "/annulla")
	pictures(booking + "/annulla")
	stopped := b.Keyboard(w.URL+booking+"/annulla", browsertest.Way{NoScript: true, File: photo("fermata-360")}, submit(`form[action="`+booking+`/annulla"]`))
	if !strings.Contains(stopped.Text, "Lo abbiamo detto allo sportello") {
		t.Errorf("a car that stopped, by keys: %s", stopped.Text)
	}
	b.Check(w.URL+"/passaggi/miei", 360)
	pictures("/passaggi/miei")
}

// TestWeightInABrowser holds the search page against what an old phone at 50 kbit/s can
// bear.
func TestWeightInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	driver, car := w.driver()
	w.offer(driver, car, "2026-11-25", "07:10")
	for _, path := range []string{"/passaggi", answered} {
		bytes, requests := b.Weight(w.URL + path)
		t.Logf("%s: %d bytes in %d requests at the first visit", path, bytes, requests)
		if w.shell.Plain() == "" && (bytes > 60<<10 || requests > 5) {
			t.Errorf("%s: %d bytes in %d requests, more than 60 KB or 5", path, bytes, requests)
		}
		g := w.visitor().get(path, "Accept-Encoding", "gzip") // files of the shell never change: only the page comes again
		t.Logf("%s: %d bytes again", path, len(g.Body))
		if g.StatusCode != http.StatusOK || g.Header.Get("Content-Encoding") != "gzip" || len(g.Body) > 15<<10 {
			t.Errorf("%s again: %d, %d bytes, more than 15 KB", path, g.StatusCode, len(g.Body))
		}
	}
}
