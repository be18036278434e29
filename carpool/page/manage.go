package page

import (
	"net/http"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/web"
)

// tab is one part of the management.
type tab struct {
	URL, Text string
	Count     int // that wait
	Here      bool
}

func (s *Staff) manageRoutes() staffRoutes {
	routes := staffRoutes{
		"GET " + managePath:                      s.managePage,
		"GET " + reportsPath:                     s.reportsPage,
		"POST " + reportsPath + "/{id}":          s.handleReport,
		"GET " + suspendedPath:                   s.suspensionsPage,
		"POST " + suspendedPath:                  s.managePropose,
		"POST " + suspendedPath + "/{id}/decidi": s.manageSettle,
		"POST " + suspendedPath + "/{id}/leva":   s.manageLift,
		"POST " + suspendedPath + "/{id}/resta":  s.manageUphold,
		"GET " + listPath:                        s.listedPage,
		"GET " + listPath + ".csv":               s.listedCSV,
		"GET " + listPath + "/{id}":              s.oneListed,
		"POST " + listPath:                       s.putListed,
		"POST " + listPath + "/{id}":             s.putListed,
		"POST " + listPath + "/{id}/togli":       s.dropListed,
		"GET " + messagesPath:                    s.messagesPage,
		"POST " + messagesPath + "/{id}/riprova": s.onMessage("riprova", Messages.Retry),
		"POST " + messagesPath + "/{id}/togli":   s.onMessage("buttato", Messages.Drop),
		"GET " + keysPath:                        s.keysPage,
		"POST " + keysPath:                       s.addKey,
		"POST " + keysPath + "/{id}/ruota":       s.rotateKey,
		"POST " + keysPath + "/{id}/revoca":      s.revokeKey,
	}
	return routes
}

// managedView is a part of the management with the way to the others.
type managedView struct {
	Tabs []tab
	V    any
}

// managed shows a part of the management.
func (s *Staff) managed(w http.ResponseWriter, r *http.Request, status int, page, title string, v any) error {
	tabs, err := s.tabs(r)
	if err != nil {
		return err
	}
	return s.html.WriteStatus(w, r, status, page, web.View{Title: title, Nav: managePath, Self: selfOf(tabs), Styles: []string{"sportello/staff.css"}, Data: managedView{tabs, v}})
}

// selfOf is the part that is shown.
func selfOf(tabs []tab) string {
	for _, t := range tabs {
		if t.Here {
			return t.URL
		}
	}
	return managePath
}

// tabs are the parts that this server has, with what waits in them.
func (s *Staff) tabs(r *http.Request) ([]tab, error) {
	p, ctx := s.of(r), r.Context()
	suspensions, err := s.deps.Trust.Suspensions(ctx, true)
	if err != nil {
		return nil, err
	}
	waiting := 0
	for _, x := range suspensions {
		if x.State == carpool.SuspensionProposed || x.Appealed() {
			waiting++
		}
	}
	tabs := []tab{
		{URL: managePath, Text: p.word("manage.tab.figures")},
		{URL: reportsPath, Text: p.word("manage.tab.reports")},
		{URL: suspendedPath, Text: p.word("manage.tab.suspended"), Count: waiting},
		{URL: listPath, Text: p.word("manage.tab.list")},
	}
	if s.deps.Messages != nil {
		list, err := s.deps.Messages.List(ctx)
		if err != nil {
			return nil, err
		}
		tabs = append(tabs, tab{URL: messagesPath, Text: p.word("manage.tab.messages"), Count: len(list)})
	}
	if s.deps.Operators != nil {
		tabs = append(tabs, tab{URL: keysPath, Text: p.word("manage.tab.keys")})
	}
	here := 0
	for i, t := range tabs {
		if len(t.URL) > len(tabs[here].URL) && len(r.URL.Path) >= len(t.URL) && r.URL.Path[:len(t.URL)] == t.URL {
			here = i
		}
	}
	tabs[here].Here = true
	return tabs, nil
}
