package page

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// comuneRow is what residents are told of a comune. Links are not named, nor
// whose they are.
type comuneRow struct {
	Name   string
	Status network.LinkStatus
	Since  time.Time
	Links  int // watched
	Down   int
}

// status is /stato.
func (p *Pages) status(w http.ResponseWriter, r *http.Request) error {
	rows, trouble, watched := p.comuni()
	var live []string // the stream of changes is for those who may see the network
	if web.Who(r.Context()).May(login.ReadNetwork) {
		live = []string{"rete/live.js"}
	}
	return p.html.Write(w, r, "status.html", web.View{
		Title: "status.title", Nav: "/stato", Scripts: live,
		Data: struct {
			Rows, Trouble []comuneRow
			Watched       int
			Now           string
		}{rows, trouble, watched, p.shell.Clock(p.shell.Now())},
	})
}

// comuni sums the links up by comune. A link counts where either end stands.
func (p *Pages) comuni() (rows, trouble []comuneRow, watched int) {
	by := map[string]*comuneRow{}
	for _, c := range p.deps.Union.Comuni {
		by[c.ISTAT] = &comuneRow{Name: c.Name, Status: network.StatusUnknown}
	}
	for _, s := range p.deps.Links.Links() {
		l, ok := p.deps.Network.Link(s.Link)
		if !ok {
			continue
		}
		a, b := comuneOf(p.deps.Network, l.A), comuneOf(p.deps.Network, l.B)
		for i, code := range []string{a, b} {
			row := by[code]
			if row == nil || i == 1 && a == b {
				continue
			}
			row.Links++
			if s.Status == network.StatusDown {
				row.Down++
			}
			// One link heard is more than others unheard: unknown never hides
			// a known state.
			if row.Links == 1 || severe(s.Status) > severe(row.Status) || s.Status == row.Status && s.Since.Before(row.Since) {
				row.Status, row.Since = s.Status, s.Since
			}
		}
	}
	for _, c := range p.deps.Union.Comuni {
		row := *by[c.ISTAT]
		rows = append(rows, row)
		if row.Links > 0 {
			watched++
		}
		if row.Status == network.StatusDown || row.Status == network.StatusDegraded {
			trouble = append(trouble, row)
		}
	}
	slices.SortFunc(rows, func(a, b comuneRow) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(trouble, func(a, b comuneRow) int {
		return cmp.Or(cmp.Compare(severe(b.Status), severe(a.Status)), strings.Compare(a.Name, b.Name))
	})
	return rows, trouble, watched
}

func severe(s network.LinkStatus) int {
	switch s {
	case network.StatusDown:
		return 3
	case network.StatusDegraded:
		return 2
	case network.StatusUp:
		return 1
	}
	return 0
}
