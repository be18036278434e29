// Package page brings the pages of the network: the map and the link, alert
// and device pages of the technicians, the residents' page of what is down,
// and the JSON that commands and scripts read. It shows what the controller
// knows and decides nothing.
package page

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/bus"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/web"
)

//go:embed all:templates words assets *.json
var files embed.FS

// Config is what the pages are told beside the network.
type Config struct {
	Tiles   string        // address of relief tiles with {z}/{x}/{y}; "": no relief behind the map
	Native  int           // deepest zoom worth asking tiles of; deeper ones are enlarged; 0: 13
	Credit  string        // where the heights of the relief come from
	Streams int           // event streams open at the same time; more are refused
	Own     int           // of them for one person, so that nobody takes all
	Beat    time.Duration // between signs of life on an event stream
	Stay    time.Duration // an event stream ends after it, and the browser asks again: a right that was taken away ends there
	Rules   controller.Rules
}

// Default has no relief.
func Default() Config {
	return Config{Streams: 200, Own: 20, Beat: 15 * time.Second, Stay: 10 * time.Minute, Rules: controller.DefaultRules()}
}

// Links is the last known state of links.
type Links interface {
	Links() []network.LinkState
	Link(network.LinkID) (network.LinkState, bool)
	Planned(network.LinkID) controller.Planned
}

// Devices is the last known state of devices.
type Devices interface {
	Devices() []controller.DeviceState
	Device(network.DeviceID) (controller.DeviceState, bool)
}

// Alerts lists alerts, the newest first.
type Alerts interface {
	Alerts(open bool) []controller.Alert
}

// Changes tells what has just changed.
type Changes interface {
	States() *bus.Topic[network.LinkState]
	AlertEvents() *bus.Topic[controller.AlertEvent]
}

// History gives the readings of one end of a link in steps. Each is the mean
// of its step and carries the step's beginning as its time; a step without
// readings is left out.
type History interface {
	Range(ctx context.Context, link network.LinkID, end network.End, from, to time.Time, step time.Duration) ([]network.Reading, error)
}

// ProfileFunc draws the ground under a link as SVG, in a language ("it", "en").
type ProfileFunc func(ctx context.Context, id network.LinkID, lang string) ([]byte, error)

// Deps is what the pages read.
type Deps struct {
	Shell    *web.Shell
	Network  *network.Network
	Union    *territory.Union
	Links    Links
	Devices  Devices
	Alerts   Alerts
	Changes  Changes
	Changer  Changer     // nil: devices are not changed
	Partners Partners    // nil: none are kept
	Edges    Edges       // nil: none are kept
	History  History     // nil: no charts
	Profile  ProfileFunc // nil: no pictures of the ground
	Log      *slog.Logger
}

// Pages are the controller's pages.
type Pages struct {
	cfg     Config
	deps    Deps
	shell   *web.Shell
	log     *slog.Logger
	html    *web.Pages
	streams chan struct{} // one token for each event stream
	crowd   crowd
	crowded atomic.Bool // a stream was refused, and the log says so

	reading  chan struct{} // a token for the one round of all devices that may go on
	readFrom time.Time     // when the last one began
	last     atomic.Pointer[controller.Differences]
}

// New parses the templates; it touches nothing outside.
func New(cfg Config, deps Deps) (*Pages, error) {
	if deps.Shell == nil || deps.Network == nil || deps.Union == nil || deps.Links == nil || deps.Devices == nil || deps.Alerts == nil || deps.Changes == nil {
		return nil, fmt.Errorf("controller pages: something to read from is not given")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Streams < 1 {
		cfg.Streams = Default().Streams
	}
	if cfg.Native <= 0 {
		cfg.Native = 13
	}
	if cfg.Beat <= 0 {
		cfg.Beat = Default().Beat
	}
	if cfg.Own < 1 {
		cfg.Own = Default().Own
	}
	if cfg.Stay <= 0 {
		cfg.Stay = Default().Stay
	}
	html, err := deps.Shell.PagesIn(files)
	if err != nil {
		return nil, fmt.Errorf("controller pages: %w", err)
	}
	return &Pages{cfg: cfg, deps: deps, shell: deps.Shell, log: deps.Log, html: html, streams: make(chan struct{}, cfg.Streams), reading: make(chan struct{}, 1)}, nil
}

// Mount puts the pages, their files and their API on the shell.
func (p *Pages) Mount() error {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return err
	}
	if err := p.shell.Static("rete", assets); err != nil {
		return err
	}
	for i, e := range []struct {
		path, key string
		staff     bool
	}{
		{"/stato", "status", false}, {"/rete", "map", true}, {"/rete/allarmi", "alerts", true}, {"/rete/apparati", "devices", true},
	} {
		access := web.Public
		if e.staff {
			access = web.Needs(login.ReadNetwork)
		}
		p.shell.Enter(web.Entry{
			Access: access, Path: e.path, Title: p.html.Texts(e.key + ".nav"), Summary: p.html.Texts(e.key + ".summary"), Order: 20 + 10*i, Staff: e.staff,
		})
	}
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /stato":                              p.status,
		"GET /rete":                               p.overview,
		"GET /rete/eventi":                        p.events,
		"GET /rete/allarmi":                       p.alerts,
		"GET /rete/apparati":                      p.devices,
		"GET /rete/collegamenti/{id}":             p.link,
		"GET /rete/collegamenti/{id}/profilo.svg": p.profile,
		"GET /rete/collegamenti":                  toOverview,
		"GET /rete/collegamenti/{id}/{$}":         toLink,
	} {
		access := web.Needs(login.ReadNetwork)
		if pattern == "GET /stato" {
			access = web.Public
		}
		p.shell.Handle(pattern, access, p.shell.Func(f))
	}
	p.mountChanges()
	if err := p.mountAPI(); err != nil {
		return err
	}
	if err := p.mountChangeAPI(); err != nil {
		return err
	}
	if err := p.mountPartnerAPI(); err != nil {
		return err
	}
	return p.mountEdgeAPI()
}

func toOverview(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/rete", http.StatusSeeOther)
	return nil
}

func toLink(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, linkPath(network.LinkID(r.PathValue("id"))), http.StatusMovedPermanently)
	return nil
}
