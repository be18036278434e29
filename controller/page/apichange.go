package page

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
)

// Changer compares devices with the network files, changes them, and takes
// changes back.
type Changer interface {
	Diff(ctx context.Context, devices []network.DeviceID) (controller.Differences, error)
	Apply(ctx context.Context, ask controller.ApplyRequest) (controller.ChangeRecord, error)
	Confirm(ctx context.Context, id string) (controller.ChangeRecord, error)
	Revert(ctx context.Context, id string) (controller.ChangeRecord, error)
	Change(ctx context.Context, id string) (controller.ChangeRecord, error)
	History(ctx context.Context, ask controller.HistoryQuery) ([]controller.ChangeRecord, error)
	Drift() (controller.Differences, bool) // of the last round that was read by itself; false before the first
}

var _ Changer = (*controller.Changes)(nil)

// ApplyBody is what POST /api/v1/changes takes. All of it may be left out.
type ApplyBody struct {
	Devices []network.DeviceID `json:"devices"` // none: all that differ and answer
	HoldS   *float64           `json:"hold_s"`  // null: the usual one
	Manual  bool               `json:"manual"`  // wait for confirm
	Digest  string             `json:"digest"`  // of the differences that were shown
}

// longestHold is a bound for the conversion only; the controller's is closer.
const longestHold = 24 * time.Hour

const (
	changesPerPage = 50 // where a request gives no limit
	mostChanges    = 499
)

func (p *Pages) mountChangeAPI() error {
	fragment, err := files.ReadFile("apichange.json")
	if err != nil {
		return err
	}
	routes := map[string]web.Route{}
	for pattern, h := range map[string]http.Handler{
		"GET /api/v1/network/diff":          p.shell.Taking(p.apiDiff, "device"),
		"GET /api/v1/changes":               p.shell.Taking(p.apiChanges, web.Paged("device")...),
		"POST /api/v1/changes":              p.shell.Taking(p.apiApply),
		"GET /api/v1/changes/{id}":          p.shell.Taking(p.apiChange),
		"POST /api/v1/changes/{id}/confirm": p.shell.Taking(p.apiConfirm),
		"POST /api/v1/changes/{id}/revert":  p.shell.Taking(p.apiRevert),
	} {
		routes[pattern] = web.Route{Access: web.NeedsUnion(login.ChangeNetwork), Handler: h}
	}
	return p.shell.API(fragment, routes)
}

// changer is who changes the network.
func (p *Pages) changer() (Changer, error) {
	if p.deps.Changer == nil {
		return nil, fault.New(fault.NotFound, "this server changes no devices")
	}
	return p.deps.Changer, nil
}

func (p *Pages) apiDiff(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	var devices []network.DeviceID
	if q := r.URL.Query(); q.Has("device") {
		for name := range strings.SplitSeq(q.Get("device"), ",") {
			if name == "" {
				return fault.New(fault.Invalid, "device=%q names no device: give names with commas between them, or leave it out for all", q.Get("device"))
			}
			devices = append(devices, network.DeviceID(name))
		}
	}
	d, err := c.Diff(r.Context(), devices)
	if err != nil {
		return err
	}
	return web.JSON(w, r, tidyDifferences(d))
}

func (p *Pages) apiApply(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	var body ApplyBody
	if err := web.NeededBody(r, &body); err != nil {
		return err
	}
	ask := controller.ApplyRequest{Devices: body.Devices, Manual: body.Manual, Digest: body.Digest}
	if body.HoldS != nil {
		if !(*body.HoldS > 0 && *body.HoldS <= longestHold.Seconds()) {
			return fault.New(fault.Invalid, "hold_s is %g: give seconds, more than 0 and at most %g", *body.HoldS, longestHold.Seconds())
		}
		ask.Hold = time.Duration(*body.HoldS * float64(time.Second))
	}
	rec, err := c.Apply(r.Context(), ask)
	if err != nil {
		return err
	}
	return changed(w, http.StatusAccepted, rec)
}

func (p *Pages) apiChanges(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	limit, after, err := web.Asked(r)
	if err != nil {
		return err
	}
	if !r.URL.Query().Has("limit") {
		limit = changesPerPage
	}
	limit = min(limit, mostChanges)
	list, more, err := history(r.Context(), c, controller.HistoryQuery{Device: network.DeviceID(r.URL.Query().Get("device")), Before: after, Limit: limit})
	if err != nil {
		return err
	}
	var next *string
	if more {
		next = web.Next(w, r, list[len(list)-1].ID)
	}
	out := []controller.ChangeRecord{}
	for _, rec := range list {
		out = append(out, tidyChange(rec))
	}
	return web.JSON(w, r, map[string]any{"changes": out, "next": next})
}

// history is a page of changes, and whether more follow it.
func history(ctx context.Context, c Changer, ask controller.HistoryQuery) (list []controller.ChangeRecord, more bool, err error) {
	limit := ask.Limit
	ask.Limit++
	if list, err = c.History(ctx, ask); err != nil {
		return nil, false, err
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

func (p *Pages) apiChange(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	rec, err := c.Change(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.JSON(w, r, tidyChange(rec))
}

func (p *Pages) apiConfirm(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	rec, err := c.Confirm(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return changed(w, http.StatusOK, rec)
}

func (p *Pages) apiRevert(w http.ResponseWriter, r *http.Request) error {
	c, err := p.changer()
	if err != nil {
		return err
	}
	rec, err := c.Revert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return changed(w, http.StatusAccepted, rec)
}

// changed answers with a change and where it is from now on.
func changed(w http.ResponseWriter, status int, rec controller.ChangeRecord) error {
	w.Header().Set("Location", "/api/v1/changes/"+url.PathEscape(rec.ID))
	return web.Made(w, status, tidyChange(rec))
}

// tidyDifferences makes empty lists of those that are nil, so that JSON never
// has null for a list.
func tidyDifferences(d controller.Differences) controller.Differences {
	devices := make([]controller.DeviceDifferences, len(d.Devices))
	for i, dev := range d.Devices {
		dev.Differences = orEmpty(dev.Differences)
		devices[i] = dev
	}
	d.Devices, d.Unread = devices, orEmpty(d.Unread)
	return d
}

// tidyChange is tidyDifferences for a change.
func tidyChange(rec controller.ChangeRecord) controller.ChangeRecord {
	tidy := func(in []controller.ChangeDevice) []controller.ChangeDevice {
		out := make([]controller.ChangeDevice, len(in))
		for i, dev := range in {
			dev.Changes, dev.Back = orEmpty(dev.Changes), orEmpty(dev.Back)
			out[i] = dev
		}
		return out
	}
	rec.Devices, rec.Others = tidy(rec.Devices), tidy(rec.Others)
	rec.Links, rec.Events = orEmpty(rec.Links), orEmpty(rec.Events)
	return rec
}
