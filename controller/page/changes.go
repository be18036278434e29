package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

const (
	changesPath  = "/rete/modifiche"
	historyShown = 20
	readPatience = 45 * time.Second // for all devices; an answer must be written within the shell's minute
)

// holds are the times that the page of a new change offers, in seconds.
var holds = []int{60, 90, 180, 300, 600}

const usualHold = 90

func (p *Pages) mountChanges() {
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + changesPath:                     p.changes,
		"POST " + changesPath:                    p.apply,
		"POST " + changesPath + "/leggi":         p.readAgain,
		"GET " + changesPath + "/nuova":          p.review,
		"GET " + changesPath + "/{id}":           p.change,
		"POST " + changesPath + "/{id}/conferma": p.confirm,
		"POST " + changesPath + "/{id}/annulla":  p.revert,
	} {
		p.shell.Handle(pattern, web.NeedsUnion(login.ChangeNetwork), p.shell.Func(f))
	}
	if p.deps.Changer != nil {
		p.shell.Enter(web.Entry{
			Path: changesPath, Title: p.html.Texts("changes.nav"), Summary: p.html.Texts("changes.summary"), Order: 60, Staff: true,
			Access: web.NeedsUnion(login.ChangeNetwork),
		})
	}
}

func changePath(id string) string { return changesPath + "/" + url.PathEscape(id) }

// read asks all devices, one round at a time: who asks while one goes on gets
// what that one finds.
func (p *Pages) read(ctx context.Context, c Changer) error {
	asked := time.Now()
	select {
	case p.reading <- struct{}{}:
		defer func() { <-p.reading }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if p.readFrom.After(asked) {
		return nil
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	d, err := c.Diff(ctx, nil)
	if err != nil {
		return err
	}
	p.readFrom = began
	p.last.Store(&d)
	return nil
}

// newest is what the last round of all devices found: ours, or the one that
// the controller makes by itself.
func (p *Pages) newest(c Changer) (controller.Differences, bool) {
	d, ok := c.Drift()
	if own := p.last.Load(); own != nil && (!ok || own.At.After(d.At)) {
		return *own, true
	}
	return d, ok
}

// mendable says whether an error is one that its form answers, with what was
// asked still in view.
func mendable(err error) bool {
	switch fault.Of(err) {
	case fault.Invalid, fault.Conflict, fault.Unreachable, fault.Refused, fault.Unconfirmed, fault.Denied:
		return err != nil
	}
	return false
}

// trouble is why something was not done: in words of the page, with the
// English of the error below.
type trouble struct{ Text, Detail string }

func (t tongue) trouble(err error) *trouble {
	if err == nil {
		return nil
	}
	return &trouble{t.word("trouble." + fault.Of(err).String()), err.Error()}
}

func status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return web.Status(err)
}

// readAgain is POST /rete/modifiche/leggi.
func (p *Pages) readAgain(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	if err := p.read(r.Context(), c); err != nil {
		return err
	}
	http.Redirect(w, r, changesPath+"#differenze", http.StatusSeeOther)
	return nil
}

// changes is /rete/modifiche.
func (p *Pages) changes(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	before := r.URL.Query().Get("prima")
	list, more, err := history(r.Context(), c, controller.HistoryQuery{Before: before, Limit: historyShown})
	if err != nil {
		return err
	}
	t := p.of(r)
	var open, past []changeRow
	for _, rec := range list {
		if row := t.changeRow(rec); row.Ended {
			past = append(past, row)
		} else {
			open = append(open, row)
		}
	}
	older := ""
	if more {
		older = changesPath + "?prima=" + url.QueryEscape(list[len(list)-1].ID) + "#storia"
	}
	var diff *diffView
	if d, ok := p.newest(c); ok {
		diff = t.diffView(d)
		diff.Stale = slices.ContainsFunc(list, func(rec controller.ChangeRecord) bool {
			return rec.Ended == nil || rec.Ended.After(d.At)
		})
	}
	return p.html.Write(w, r, "changes.html", web.View{
		Title: "changes.title", Nav: changesPath, Styles: []string{"rete/change.css"}, Scripts: []string{"rete/change.js"},
		Data: struct {
			Open, Past []changeRow
			Older      string
			First      bool // page of the history
			Diff       *diffView
			Now        string
		}{open, past, older, before == "", diff, p.clock()},
	})
}

// review is /rete/modifiche/nuova: what differs on the devices chosen, read
// now, and the form that applies exactly that.
func (p *Pages) review(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	devices := chosen(r.URL.Query()["apparato"])
	if len(devices) == 0 {
		http.Redirect(w, r, changesPath+"#differenze", http.StatusSeeOther)
		return nil
	}
	return p.showReview(w, r, c, devices, nil)
}

func (p *Pages) showReview(w http.ResponseWriter, r *http.Request, c Changer, devices []network.DeviceID, why error) error {
	ctx, cancel := context.WithTimeout(r.Context(), readPatience)
	defer cancel()
	d, err := c.Diff(ctx, devices)
	if err != nil {
		return err
	}
	t := p.of(r)
	return p.html.WriteStatus(w, r, status(why), "review.html", web.View{
		Title: "review.title", Nav: changesPath, Styles: []string{"rete/change.css"},
		Data: struct {
			Diff    *diffView
			Holds   []holdChoice
			Joined  []linkRef
			Trouble *trouble
		}{t.diffView(d), t.holdChoices(), t.joined(d), t.trouble(why)},
	})
}

// chosen are the devices of a form, each once.
func chosen(names []string) []network.DeviceID {
	var out []network.DeviceID
	for _, n := range names {
		if id := network.DeviceID(n); n != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// form reads the fields of a POST.
func form(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "read the form: %w", err)
	}
	return r.PostForm, nil
}

// apply is POST /rete/modifiche.
func (p *Pages) apply(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	f, err := form(r)
	if err != nil {
		return err
	}
	ask := controller.ApplyRequest{Devices: chosen(f["apparato"]), Manual: f.Get("manuale") == "si", Digest: f.Get("impronta")}
	switch {
	case len(ask.Devices) == 0:
		return fault.New(fault.Invalid, "no device is named: choose at least one")
	case ask.Digest == "":
		return fault.New(fault.Invalid, "the form does not say which differences were shown: go back and look at them again")
	}
	hold, err := strconv.Atoi(f.Get("tenuta"))
	if err != nil || !slices.Contains(holds, hold) {
		return fault.New(fault.Invalid, "tenuta=%q: want one of %v, in seconds", f.Get("tenuta"), holds)
	}
	ask.Hold = time.Duration(hold) * time.Second
	rec, err := c.Apply(r.Context(), ask)
	switch {
	case mendable(err):
		return p.showReview(w, r, c, ask.Devices, err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, changePath(rec.ID), http.StatusSeeOther)
	return nil
}

// change is /rete/modifiche/{id}.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	return p.showChange(w, r, c, nil)
}

// showChange is the page of a change, and why what was asked of it was not
// done; nil: nothing was asked, or it was done.
func (p *Pages) showChange(w http.ResponseWriter, r *http.Request, c Changer, why error) error {
	rec, err := c.Change(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	t := p.of(r)
	return p.html.WriteStatus(w, r, status(why), "change.html", web.View{
		Title: "change.title", Args: []any{rec.ID}, Nav: changesPath, Styles: []string{"rete/change.css"}, Scripts: []string{"rete/change.js"},
		Data: struct {
			changeRow
			Trouble *trouble
		}{t.changeRow(rec), t.trouble(why)},
	})
}

// confirm is POST /rete/modifiche/{id}/conferma.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, Changer.Confirm)
}

// revert is POST /rete/modifiche/{id}/annulla.
func (p *Pages) revert(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, Changer.Revert)
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request, do func(Changer, context.Context, string) (controller.ChangeRecord, error)) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	rec, err := do(c, r.Context(), r.PathValue("id"))
	switch {
	case mendable(err):
		return p.showChange(w, r, c, err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, changePath(rec.ID), http.StatusSeeOther)
	return nil
}
