package page_test

import (
	"strings"
	"testing"
	"time"
)

// What staff did wrong they read in Italian, without the dates of machines.
func TestStaffFaultsInItalian(t *testing.T) {
	o := newOffice(t)
	o.suspensions[1].AppealAt = staffNow.Add(-time.Hour)
	for _, c := range []struct {
		who, path, field, value, want string
	}{
		{"polizia-due", "/passaggi/polizia/sospensioni/z-2/resta", "motivo", "perché sì", "L’avete proposta voi"},
		{"sportello", "/passaggi/sportello/chiamate/t-anna/esito", "esito", "sentito", "Prima prendete la telefonata"},
		{"gestione", "/passaggi/gestione/sospensioni/z-1/leva", "motivo", "perché sì", "ricaricate la pagina"}, // no words of its own
	} {
		g := o.post(c.who, c.path, c.field, c.value)
		says(t, g, 400, "Non è stato fatto", c.want)
		if content := text(mainOf(g.Body.String())); english.MatchString(content) || strings.Contains(content, "2026-") {
			t.Errorf("%s: English, or a date of machines, in: %s", c.path, content)
		}
	}
	says(t, o.as("polizia", "/passaggi/polizia"), 200, "Li ho rinnovati.", "domenica 22 novembre")
}
