package page

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/web"
)

//go:embed all:staff
var staffFiles embed.FS

// Where the pages of staff stand.
const (
	deskPath   = "/passaggi/sportello"
	policePath = "/passaggi/polizia"
	managePath = "/passaggi/gestione"
	placesPath = "/passaggi/punti"
)

// StaffConfig is what the pages of staff are told beside the portal.
type StaffConfig struct {
	Tiles   string        // address of relief tiles with {z}/{x}/{y}; "": no relief behind the map
	Native  int           // deepest zoom worth asking tiles of; 0: 13
	Credit  string        // where the relief comes from
	MaxWalk time.Duration // of a request by the desk
	Slack   time.Duration // how much earlier an arrival or later a departure may be
	Lines   int           // of a special day at most
}

// StaffDefault has no relief behind its map.
func StaffDefault() StaffConfig {
	d := carpool.Default()
	return StaffConfig{Native: 13, MaxWalk: d.MaxWalk, Slack: time.Hour, Lines: 200}
}

// StaffDeps are what the pages of staff work with. Accounts, Operators,
// Messages and Figures may be nil: then there is no such page or form.
type StaffDeps struct {
	Shell     *web.Shell
	Union     *territory.Union
	Members   StaffMembers
	Points    StaffPlaces
	Bookings  StaffBookings
	Trust     StaffTrust
	Desk      StaffDesk
	Talk      StaffTalk
	Privacy   StaffPrivacy
	Lifts     StaffLifts
	Accounts  StaffAccounts
	Operators Operators
	Messages  Messages
	Figures   Figures
	// Spoken is what an operator reads out for a notice, "" when it is settled;
	// nil: the pages say the kind of news in words of their own.
	Spoken func(ctx context.Context, lang, notice string) (string, error)
	Log    *slog.Logger
}

// Staff are the pages of those who work for the portal: the desk that books
// for residents, the officers who look at papers, those who manage, and those
// who keep the meeting points of their comune.
type Staff struct {
	cfg   StaffConfig
	deps  StaffDeps
	shell *web.Shell
	log   *slog.Logger
	html  *web.Pages
	asked *searches
}

// NewStaff parses the templates; it touches nothing outside.
func NewStaff(cfg StaffConfig, deps StaffDeps) (*Staff, error) {
	if deps.Shell == nil || deps.Union == nil || deps.Members == nil || deps.Points == nil || deps.Bookings == nil ||
		deps.Trust == nil || deps.Desk == nil || deps.Talk == nil || deps.Privacy == nil || deps.Lifts == nil {
		return nil, fault.New(fault.Internal, "carpool pages of staff: a part of the portal is not given")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	d := StaffDefault()
	if cfg.Native <= 0 {
		cfg.Native = d.Native
	}
	if cfg.MaxWalk <= 0 {
		cfg.MaxWalk = d.MaxWalk
	}
	if cfg.Slack <= 0 {
		cfg.Slack = d.Slack
	}
	if cfg.Lines <= 0 {
		cfg.Lines = d.Lines
	}
	own, err := fs.Sub(staffFiles, "staff")
	if err != nil {
		return nil, err
	}
	html, err := deps.Shell.PagesIn(own)
	if err != nil {
		return nil, fault.New(fault.Internal, "carpool pages of staff: %w", err)
	}
	return &Staff{cfg: cfg, deps: deps, shell: deps.Shell, log: deps.Log, html: html, asked: newSearches()}, nil
}

// staffRoutes are handlers by pattern.
type staffRoutes map[string]func(http.ResponseWriter, *http.Request) error

// Mount puts the pages, their files and their API on the shell.
func (s *Staff) Mount() error {
	assets, err := fs.Sub(staffFiles, "staff/assets")
	if err != nil {
		return err
	}
	if err := s.shell.Static("sportello", assets); err != nil {
		return err
	}
	for _, part := range []struct {
		path, key string
		order     int
		access    web.Access
		routes    staffRoutes
	}{
		{deskPath, "desk", 210, web.Needs(login.DeskCarpool), s.deskRoutes()},
		{policePath, "police", 220, web.Needs(login.CheckDrivers), s.policeRoutes()},
		{placesPath, "places", 230, web.Needs(login.EditPlaces), s.placesRoutes()},
		{managePath, "manage", 240, web.NeedsUnion(login.ManageCarpool), s.manageRoutes()},
	} {
		for pattern, f := range part.routes {
			s.shell.Handle(pattern, part.access, s.shell.Func(f))
		}
		s.shell.Enter(web.Entry{Path: part.path, Title: s.html.Texts(part.key + ".nav"), Summary: s.html.Texts(part.key + ".summary"),
			Order: part.order, Staff: true, Access: part.access})
	}
	return s.mountAPI()
}

// by is the operator of a request who acts for a member; "" for nobody yet.
func deskFor(ctx context.Context, m carpool.MemberID) carpool.By {
	return carpool.By{Account: web.Who(ctx).Person, Member: m, Desk: true}
}

// asked is whoever sent a request, for themselves.
func staffBy(ctx context.Context) carpool.By {
	return carpool.By{Account: web.Who(ctx).Person}
}

// within says whether the asker holds a right for a comune.
func within(ctx context.Context, right login.Right, comune string) bool {
	return web.Who(ctx).MayIn(right, login.Scope{Kind: login.OfComune, ID: comune})
}

// outside is the answer for what is not there, or not in the asker's scope:
// the same for both, so that nobody learns which.
func outside(what, id string) error {
	return fault.New(fault.NotFound, "%s %.40q: there is none here", what, id)
}

// comuni are those in which the asker holds a right, by name.
func (s *Staff) comuni(ctx context.Context, right login.Right) []territory.Comune {
	var out []territory.Comune
	for _, c := range s.deps.Union.Comuni {
		if within(ctx, right, c.ISTAT) {
			out = append(out, c)
		}
	}
	return out
}

// comuneName is the name of a comune, its code where the union does not have
// it.
func (s *Staff) comuneName(istat string) string {
	if c, ok := s.deps.Union.Comune(istat); ok {
		return c.Name
	}
	return istat
}
