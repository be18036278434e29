package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/internal/web/browsertest"
)

// TestAccountsInABrowser signs in with keys alone, with and without JavaScript,
// and looks at every page of accounts and of the log.
func TestAccountsInABrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t, func(c *web.Config) { c.Demo = true })
	ctx := context.Background()
	shot := func(name string) string {
		dir := os.Getenv("CRINALE_SCREENSHOTS")
		if dir == "" {
			return ""
		}
		return filepath.Join(dir, name+".png")
	}
	for _, lang := range []string{"it", "en"} {
		b.Check(w.URL + "/entra?dopo=%2Fconto&lang=" + lang)
		b.Check(w.URL + "/invito?lang=" + lang)
	}
	b.Check(w.URL + "/?lang=it")
	bytes, requests := b.Weight(w.URL + "/entra")
	t.Logf("sign-in page: %d bytes in %d requests", bytes, requests)
	if w.Shell.Plain() == "" && bytes > 60<<10 {
		t.Errorf("the sign-in page weighs %d bytes, more than 60 KB", bytes)
	}
	submit := func(form string) browsertest.Step {
		return browsertest.Step{To: form + ` button[type="submit"]`, Keys: browsertest.Enter}
	}
	const signIn = `form[action="/entra"]`

	// A wrong password, then the right one, with keys alone.
	for _, noScript := range []bool{false, true} {
		wrong := b.Keyboard(w.URL+"/entra?dopo=%2Fconto", browsertest.Way{NoScript: noScript, File: shot("entra-errore-360")},
			browsertest.Step{To: "#nome", Keys: "amministratrice"}, browsertest.Step{To: "#password", Keys: "sbagliata del tutto"}, submit(signIn))
		if !strings.Contains(wrong.Text, "non sono giusti") {
			t.Errorf("a wrong password: %s: %s", wrong.URL, wrong.Text)
		}
		in := b.Keyboard(w.URL+"/entra?dopo=%2Fconto", browsertest.Way{NoScript: noScript},
			browsertest.Step{To: "#nome", Keys: "amministratrice"}, browsertest.Step{To: "#password", Keys: good}, submit(signIn))
		if in.URL != w.URL+"/conto" || !strings.Contains(in.Text, "Siete entrati come amministratrice") {
			t.Fatalf("sign in: %s: %s", in.URL, in.Text)
		}
		if !noScript {
			out := b.Keyboard(w.URL+"/conto", browsertest.Way{Width: 768}, submit(`form[action="/esci"]`))
			if out.URL != w.URL+"/" {
				t.Errorf("sign out: %s", out.URL)
			}
		}
	}

	for _, name := range []string{"tecnico-del-turno-di-notte-in-valle", "vista"} {
		w.add(name, login.Grant{Role: login.Viewer, Scope: login.Scope{Kind: login.OfComune, ID: "004132"}}, login.Grant{Role: login.Viewer, Scope: login.Scope{Kind: login.OfPartner, ID: "rete-wireless-della-langa"}})
	}
	if _, err := w.People.Invite(ctx, "invitata", []login.Grant{technician}); err != nil {
		t.Fatal(err)
	}
	if err := w.People.Lock(ctx, "vista"); err != nil {
		t.Fatal(err)
	}
	w.token("amministratrice", login.ReadNetwork, login.ReadAudit, login.ManagePeople)
	w.token("tecnica", login.ReadNetwork)
	w.visitor().enter("tecnica")
	pages := []string{"/conto", "/persone", "/persone/tecnica", "/registro", "/persone/vista", "/registro?verifica=1&chi=nessuna"}
	for _, page := range pages[:4] {
		b.Check(w.URL + page)
	}
	b.Check(w.URL+pages[5]+"&lang=en", 360)
	b.Check(w.URL+"/conto", 360)
	b.Check(w.URL+"/persone?lang=it", 360)

	// What is told once, by keys alone.
	invite := `form[action="/persone"]`
	for _, width := range browsertest.Widths {
		made := b.Keyboard(w.URL+"/persone", browsertest.Way{Width: width, Dark: width == 768, File: shot(fmt.Sprintf("invito-fatto-%d", width))},
			browsertest.Step{To: "#nome", Keys: fmt.Sprintf("nuova-%d", width)},
			browsertest.Step{To: "#ruolo", Keys: "tecnico"}, browsertest.Step{To: "#ambito", Keys: "tutta"}, submit(invite))
		if !strings.Contains(made.Text, "Invito per nuova-") {
			t.Errorf("invite: %s", made.Text)
		}
	}
	setup := `form[action="/conto/codice"]`
	begun := b.Keyboard(w.URL+"/conto", browsertest.Way{File: shot("secondo-codice-360")}, browsertest.Step{To: "#pw-codice", Keys: good}, submit(setup))
	secret := regexp.MustCompile(`[A-Z2-7]{32}`).FindString(begun.Text)
	if secret == "" {
		t.Fatalf("second code: %s", begun.Text)
	}
	if _, err := w.People.ConfirmTOTP(ctx, "amministratrice", codeOf(t, secret, time.Now().Add(-30*time.Second))); err != nil {
		t.Fatal(err)
	}
	b.Check(w.URL+"/conto", 360)
	key := b.Keyboard(w.URL+"/conto", browsertest.Way{NoScript: true, File: shot("chiave-360")},
		browsertest.Step{To: "#chiave", Keys: "portatile"}, browsertest.Step{To: "#diritto-network\\.read", Keys: " "}, browsertest.Step{To: "#pw-chiave", Keys: good}, submit(`form[action="/conto/chiavi"]`))
	if !strings.Contains(key.Text, "crn_") {
		t.Errorf("key: %s", key.Text)
	}
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, page := range pages {
			for _, width := range browsertest.Widths {
				b.Screenshot(w.URL+page, width, shot(fmt.Sprintf("%s-%d", strings.Trim(regexp.MustCompile(`[^a-z]+`).ReplaceAllString(page, "-"), "-"), width)))
			}
		}
		b.ScreenshotDark(w.URL+"/persone/tecnica", 360, shot("persona-dark-360"))
		b.ScreenshotDark(w.URL+"/registro", 768, shot("registro-dark-768"))
	}
	b.Keyboard(w.URL+"/conto", browsertest.Way{}, submit(`form[action="/esci"]`))
	step := b.Keyboard(w.URL+"/entra", browsertest.Way{File: shot("passo-360")},
		browsertest.Step{To: "#nome", Keys: "amministratrice"}, browsertest.Step{To: "#password", Keys: good}, submit(signIn))
	if !strings.Contains(step.Text, "codice della vostra app") {
		t.Errorf("second step: %s", step.Text)
	}
	through := b.Keyboard(w.URL+"/entra", browsertest.Way{NoScript: true},
		browsertest.Step{To: "#nome", Keys: "amministratrice"}, browsertest.Step{To: "#password", Keys: good}, submit(signIn),
		browsertest.Step{To: "#codice", Keys: codeOf(t, secret, time.Now())}, submit(signIn))
	if through.URL != w.URL+"/" || !strings.Contains(through.Text, "Per i tecnici") {
		t.Errorf("second step by keys: %s: %s", through.URL, through.Text)
	}
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, width := range browsertest.Widths {
			b.Screenshot(w.URL+"/", width, shot(fmt.Sprintf("home-entrata-%d", width)))
		}
	}
	b.Keyboard(w.URL+"/", browsertest.Way{}, submit(`form[action="/esci"]`))
	if dir := os.Getenv("CRINALE_SCREENSHOTS"); dir != "" {
		for _, width := range browsertest.Widths {
			b.Screenshot(w.URL+"/entra", width, shot(fmt.Sprintf("entra-%d", width)))
			b.Screenshot(w.URL+"/invito", width, shot(fmt.Sprintf("invito-%d", width)))
		}
		b.ScreenshotDark(w.URL+"/entra", 360, shot("entra-dark-360"))
	}
}
