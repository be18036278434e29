package page

import (
	"net/http"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/web"
)

const closedShown = 100

// alerts is /rete/allarmi.
func (p *Pages) alerts(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	var open, closed []alertRow
	for _, a := range t.alertList(false) {
		switch {
		case a.IsOpen():
			open = append(open, t.alertRow(a))
		case len(closed) < closedShown:
			closed = append(closed, t.alertRow(a))
		}
	}
	return p.html.Write(w, r, "alerts.html", web.View{
		Title: "alerts.title", Nav: "/rete/allarmi", Scripts: []string{"rete/live.js"},
		Data: struct {
			Open, Closed []alertRow
			Shown        int
			Now          string
		}{open, closed, closedShown, p.clock()},
	})
}

// devices is /rete/apparati.
func (p *Pages) devices(w http.ResponseWriter, r *http.Request) error {
	t := p.of(r)
	count := map[controller.Reach]int{}
	var rows []deviceRow
	for _, s := range t.deviceStates() {
		count[s.Reach]++
		rows = append(rows, t.deviceRow(s))
	}
	return p.html.Write(w, r, "devices.html", web.View{
		Title: "devices.title", Nav: "/rete/apparati", Scripts: []string{"rete/live.js"},
		Data: struct {
			Rows                     []deviceRow
			Up, Silent, Never, Plans int
			Now                      string
		}{rows, count[controller.ReachUp], count[controller.ReachUnreachable], count[controller.ReachUnknown], count[controller.ReachPlanned], p.clock()},
	})
}
