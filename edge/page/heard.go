package page

import (
	"fmt"
	"time"

	"github.com/crinale/crinale/edge"
)

// Heard is what is known of the controller.
type Heard struct {
	Connected bool
	Since     time.Time // of Connected
	Said      edge.Said // At is zero when it said nothing yet
}

var saidWords = map[edge.WayState]string{
	edge.SaidUp:      "il collegamento funziona",
	edge.SaidNarrow:  "il collegamento è ridotto",
	edge.SaidDown:    "il collegamento è interrotto",
	edge.SaidUnknown: "lo stato del collegamento non è noto",
}

// words are what people read of it.
func (h *Heard) words(p *Page) string {
	now, text := time.Now().In(p.cfg.Zone), ""
	if said := h.Said; !said.At.IsZero() {
		text = fmt.Sprintf("Dal controllo della rete, %s: %s", edge.AtWords(said.At.In(p.cfg.Zone), now), saidWords[said.State])
		if said.Mbps > 0 {
			text += fmt.Sprintf(", porta %.0f Mbit/s", said.Mbps)
		}
		text += ". "
	}
	if !h.Connected {
		text += "Il controllo della rete non si sente " + p.since(h.Since) + "."
	}
	return text
}
