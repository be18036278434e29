package page

import (
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/web"
)

// staffFaults are the errors of the portal that staff can meet, by a part that
// no other has; the first that fits counts. The words are desk.fault.KEY.
var staffFaults = []struct{ part, key string }{
	{"these are your own papers", "own-papers"},
	{": it ran out on ", "ran-out"},
	{"nothing is valid until", "too-long"},
	{"you proposed it", "proposed"},
	{"this is about yourself", "yourself"},
	{"a suspension of this member is", "suspended-already"},
	{"the suspension is", "suspension-moved"},
	{"no appeal waits", "no-appeal"},
	{"it was handled already", "handled"},
	{"a colleague has this call", "call-taken"},
	{"this call is done already", "call-done"},
	{"take this call first", "call-first"},
	{"find: write at least", "find-short"},
	{"you have looked at many people", "find-many"},
	{"no agreement of this person", "no-consent"},
	{"a minor rides when", "minor"},
	{"not suspended can ask", "suspended"},
	{"lifts on this day already", "many"},
	{"journeys on this day already", "many"},
	{"asked for and withdrawn", "many"},
	{"it is where the journey begins", "same-place"},
	{"not there any more", "gone"},
	{"has ended", "ended"},
	{"its time is over", "ended"},
	{"changed by others at this moment", "retry"},
	{"name of the meeting point", "place-name"},
	{"lifts to come stop there", "place-used"},
	{"position: latitude", "position"},
	{"the way home is still ahead", "way-home"},
	{"a ride is under way", "under-way"},
	{"you are the guardian of a minor", "guards"},
	{"bus stop: its id", "bus-stop"},
	{"another comune has one of this name", "place-taken"},
	{"choose it on the map", "address"},
	{"phone: write", "phone"},
	{"is this portal itself", "operator-self"},
	{"scopes:", "scopes"},
	{"webhook:", "webhook"},
	{"it has a key already", "has-key"},
	{"is not yours", "not-yours"},
}

// staffFault says an error of the portal, of a kind, in the words of the page.
// Where there are none an English reader gets the error itself, an Italian one
// what kind of trouble it is.
func staffFault(html *web.Pages, lang web.Lang, said string, kind fault.Kind) string {
	for _, w := range staffFaults {
		if strings.Contains(said, w.part) {
			return html.Text(lang, "desk.fault."+w.key)
		}
	}
	if lang == web.English {
		return said
	}
	return html.Text(lang, "desk.fault."+kind.String())
}
