package page

import (
	"strings"
	"testing"
	"time"

	"github.com/crinale/crinale/edge"
)

func TestWhatTheControllerSaid(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 42, 0, 0, time.UTC)
	for want, h := range map[string]*Heard{
		"<p>Dal controllo della rete, il 20/11/2026 alle 09:42: il collegamento è ridotto, porta 12 Mbit/s. </p>": {Connected: true, Said: edge.Said{State: edge.SaidNarrow, Mbps: 12.4, At: at}},
		"il collegamento è interrotto. Il controllo della rete non si sente dalle 09:42 del 20/11/2026.":          {Since: at, Said: edge.Said{State: edge.SaidDown, At: at}},
		"<p>Il controllo della rete non si sente dalle 09:42 del 20/11/2026.</p>":                                 {Since: at},
		"lo stato del collegamento non è noto":                                                                    {Connected: true, Said: edge.Said{State: edge.SaidUnknown, At: at}},
	} {
		if body := show(t, Standing{Name: "bergolo", Heard: h}, "GET", "/").Body.String(); !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	for _, h := range []*Heard{nil, {Connected: true}} {
		if body := show(t, Standing{Name: "bergolo", Heard: h}, "GET", "/").Body.String(); strings.Contains(body, "controllo della rete") {
			t.Errorf("nothing was said: %s", body)
		}
	}
}
