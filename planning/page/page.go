// Package page brings the residents' page of coverage: which share of each
// comune the planned network reaches, a map of it, and what the figures rest
// on; and the map tiles that other pages use too. It shows what planning
// computed and computes nothing itself.
package page

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/planning"
)

//go:embed all:templates words assets api.json
var files embed.FS

// Addresses of map tiles, as web maps write them.
const (
	ReliefTiles   = "/tiles/rilievo/{z}/{x}/{y}.png"
	CoverageTiles = "/tiles/copertura/{z}/{x}/{y}.png"
)

// Plan is what was planned. ok is false while it is being computed.
type Plan interface {
	Planned() (grid *planning.Coverage, share *planning.ShareReport, ok bool, err error)
}

// Draw renders a map tile as PNG.
type Draw func(z, x, y int) ([]byte, error)

// Class is a step of the legend of the coverage map.
type Class struct {
	ID     string // none, under-30, 30-100, from-100
	Colour string // as SVG writes it: #rrggbb
}

// Config is what the pages are told.
type Config struct {
	Classes []Class // of the coverage tiles, in the order of the legend
	Cache   int     // bytes of tiles kept
}

// Default keeps 24 MB of tiles, which holds the union at every zoom in use.
func Default() Config { return Config{Cache: 24 << 20} }

// Deps is what the pages read.
type Deps struct {
	Shell    *web.Shell
	Union    *territory.Union
	Terrain  planning.Source // of the relief
	Plan     Plan
	Relief   Draw
	Coverage Draw // asked only once the plan is there
	Log      *slog.Logger
}

// Pages are planning's pages.
type Pages struct {
	cfg    Config
	deps   Deps
	shell  *web.Shell
	log    *slog.Logger
	html   *web.Pages
	relief *tiles
	cover  *tiles
	land   func() *landMap // drawn once
}

// New parses the templates; it touches nothing outside.
func New(cfg Config, deps Deps) (*Pages, error) {
	if deps.Shell == nil || deps.Union == nil || deps.Plan == nil || deps.Relief == nil || deps.Coverage == nil {
		return nil, fmt.Errorf("planning pages: something to read from is not given")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Cache <= 0 {
		cfg.Cache = Default().Cache
	}
	html, err := deps.Shell.PagesIn(files)
	if err != nil {
		return nil, fmt.Errorf("planning pages: %w", err)
	}
	p := &Pages{
		cfg: cfg, deps: deps, shell: deps.Shell, log: deps.Log, html: html,
		relief: newTiles(deps.Relief, cfg.Cache/2, "public, max-age=86400"),
		cover:  newTiles(deps.Coverage, cfg.Cache/2, "public, max-age=600"),
	}
	p.land = sync.OnceValue(p.draw)
	return p, nil
}

// Mount puts the pages, their files, the tiles and the API on the shell.
func (p *Pages) Mount() error {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return err
	}
	if err := p.shell.Static("copertura", assets); err != nil {
		return err
	}
	p.shell.Enter(web.Entry{Path: "/copertura", Title: p.html.Texts("cover.nav"), Summary: p.html.Texts("cover.summary"), Order: 10, Access: web.Public})
	p.shell.Handle("GET /copertura", web.Public, p.shell.Func(p.coverage))
	p.shell.Handle("GET /copertura/comuni.json", web.Public, p.shell.Func(p.outlines))
	p.shell.Handle("GET /tiles/rilievo/{z}/{x}/{file}", web.Public, p.shell.Func(p.relief.serve))
	p.shell.Handle("GET /tiles/copertura/{z}/{x}/{file}", web.Public, p.shell.Func(p.coverTile))
	fragment, err := files.ReadFile("api.json")
	if err != nil {
		return err
	}
	return p.shell.API(fragment, map[string]web.Route{"GET /api/v1/coverage": {Access: web.Public, Handler: p.shell.Taking(p.apiCoverage)}})
}
