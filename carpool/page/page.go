// Package page draws the portal: the pages of residents, of the desk, of the
// local police and of those who manage it.
//
// Pages are made on the server and work without JavaScript and on an old
// phone; a little script makes them better. They show what carpool decided and
// decide nothing: every rule, every right over a thing of somebody else's, is
// the portal's.
package page

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/web"
)

//go:embed all:templates words assets api.json
var files embed.FS

// Where the residents' pages stand.
const (
	searchPath   = "/passaggi"
	registerPath = "/passaggi/iscrizione"
	minePath     = "/passaggi/miei"
	askPath      = "/passaggi/chiedi"
	offerPath    = "/passaggi/offri"
	offersPath   = "/passaggi/offerte"
	carsPath     = "/passaggi/auto"
	profilePath  = "/passaggi/profilo"
	helpPath     = "/passaggi/aiuto"
	privacyPath  = "/passaggi/privacy"
	accessPath   = "/accessibilita"
	calendarPath = "/passaggi/calendario/"
)

// Config is what the residents' pages are told beside the portal.
type Config struct {
	Key     []byte // 32 bytes that seal forms kept over a sign-in; nil: of this run only
	Caps    carpool.Caps
	Limits  carpool.Limits
	MaxWalk time.Duration // that a search takes when nothing else is said
	Detour  time.Duration // that the form of an offer begins with
	Kept    time.Duration // a ride with names after its end, as the privacy notice says
	Address time.Duration // a private address after its last ride, likewise
	Picture int64         // bytes of one picture of a paper
	Union   Contacts
}

// Contacts are whom the pages name: where to call, whom to write to.
type Contacts struct {
	Desk  string // telephone of the desk, "+39 0173 …"; "": not shown
	Hours string // of the desk, as people say it
	Mail  string // where faults and questions go; "": not shown
	Owner string // of the data, as the privacy notice names it; "": the union
	DPO   string // address of the data protection officer; "": not shown
	Since string // date of the accessibility declaration, "2026-11-22"; "": not shown
}

// Default follows carpool.Default.
func Default() Config {
	d := carpool.Default()
	return Config{Caps: d.Caps, Limits: d.Limits, MaxWalk: d.MaxWalk, Detour: d.MaxDetour,
		Kept: d.RidesKept, Address: d.AddressKept, Picture: 6 << 20}
}

// Deps are what the residents' pages work with.
type Deps struct {
	Shell    *web.Shell
	Union    *territory.Union
	Members  Members
	Places   Places
	Offers   Offers
	Bookings Bookings
	Trust    Trust
	Talk     Talk
	Privacy  Privacy
	Accounts Accounts  // nil: nobody makes an account on a page
	ByMail   Courier   // of codes to e-mail addresses; nil: nobody signs in by one
	BySMS    Courier   // likewise to mobiles
	ByVoice  CodeCalls // likewise to telephones at home; nil: nobody calls
	Calendar Calendar  // nil: there are no calendar addresses
	// Shown says a notice on a page, "" where its reader has left; nil: pages
	// show no news.
	Shown func(ctx context.Context, lang, notice string) (title, text string, err error)
	Log   *slog.Logger
}

// Pages are those of residents.
type Pages struct {
	cfg     Config
	deps    Deps
	shell   *web.Shell
	log     *slog.Logger
	html    *web.Pages
	seal    *sealer
	sent    *sentForms
	land    *gazetteer
	lists   placeLists
	asked   *searches
	reading uploads
}

// New parses the templates; it touches nothing outside.
func New(cfg Config, deps Deps) (*Pages, error) {
	if deps.Shell == nil || deps.Union == nil || deps.Members == nil || deps.Places == nil || deps.Offers == nil ||
		deps.Bookings == nil || deps.Trust == nil || deps.Talk == nil || deps.Privacy == nil {
		return nil, fault.New(fault.Internal, "carpool pages: a part of the portal is not given")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Picture <= 0 {
		cfg.Picture = Default().Picture
	}
	if cfg.MaxWalk <= 0 {
		cfg.MaxWalk = Default().MaxWalk
	}
	if cfg.Detour <= 0 {
		cfg.Detour = Default().Detour
	}
	html, err := deps.Shell.PagesIn(files)
	if err != nil {
		return nil, fault.New(fault.Internal, "carpool pages: %w", err)
	}
	seal, err := newSealer(cfg.Key)
	if err != nil {
		return nil, err
	}
	return &Pages{cfg: cfg, deps: deps, shell: deps.Shell, log: deps.Log, html: html,
		seal: seal, sent: newSentForms(), asked: newSearches(), land: newGazetteer(deps.Union), lists: placeLists{of: map[web.Lang]placeList{}}}, nil
}

// Mount puts the pages, their files and their API on the shell.
func (p *Pages) Mount() error {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return err
	}
	if err := p.shell.Static("passaggi", assets); err != nil {
		return err
	}
	p.shell.Enter(web.Entry{Path: searchPath, Title: p.html.Texts("pool.nav"), Summary: p.html.Texts("pool.summary"), Order: 20, Access: web.Public})
	p.mountPublic()
	p.mountOwn()
	p.mountFoot()
	return p.mountAPI()
}

// mountPublic mounts what everybody may read.
func (p *Pages) mountPublic() {
	for pattern, f := range map[string]func(*visit) error{
		"GET " + searchPath:                           p.search,
		"GET " + registerPath:                         p.registerPage,
		"POST " + registerPath:                        p.register,
		"POST " + registerPath + "/conferma":          p.confirmAlias,
		"GET " + calendarPath + "{file}":              p.feed,
		"GET " + helpPath:                             p.help,
		"GET " + privacyPath:                          p.privacyNotice,
		"GET " + accessPath:                           p.accessibility,
		"POST " + searchPath + "/caratteri":           p.setLarge,
		"GET " + searchPath + "/senza-rete":           p.offline,
		"GET " + searchPath + "/manifest.webmanifest": p.manifest,
		"GET " + searchPath + "/sw.js":                p.worker,
	} {
		p.shell.Handle(pattern, web.Public, p.visited(f))
	}
}

// mountOwn mounts what is a resident's own. A stranger's form is kept sealed
// in their browser until they have signed in.
func (p *Pages) mountOwn() {
	needs := web.Needs(login.UseCarpool)
	for pattern, f := range map[string]func(*visit) error{
		"GET " + minePath:                    p.mine,
		"GET " + minePath + "/{id}":          p.booking,
		"GET " + minePath + "/copia":         p.copyMine,
		"GET " + minePath + "/{id}/annulla":  p.cancelPage,
		"GET " + askPath:                     p.askPage,
		"GET " + offerPath:                   p.offerPage,
		"GET " + offersPath:                  p.offers,
		"GET " + offersPath + "/{id}":        p.offer,
		"GET " + offersPath + "/{id}/cambia": p.editOffer,
		"GET " + carsPath:                    p.cars,
		"GET " + profilePath:                 p.profile,
		"GET " + profilePath + "/dati.json":  p.export,
		"GET " + profilePath + "/cancellami": p.forgetPage,
	} {
		p.shell.Handle(pattern, needs, p.own(f))
	}
	for pattern, f := range map[string]func(*visit) error{
		"POST " + askPath:                        p.ask,
		"POST " + offerPath:                      p.addOffer,
		"POST " + minePath + "/{id}":             p.act,
		"POST " + minePath + "/{id}/annulla":     p.cancel,
		"POST " + minePath + "/{id}/messaggio":   p.sayTo,
		"POST " + minePath + "/{id}/segnala":     p.report,
		"POST " + minePath + "/{id}/blocca":      p.block,
		"POST " + searchPath + "/richieste/{id}": p.actRequest,
		"POST " + appealPath + "{id}":            p.appeal,
		"POST " + minePath + "/avviso":           p.watch,
		"POST " + minePath + "/avviso/togli":     p.unwatch,
		"POST " + offersPath + "/{id}":           p.changeOffer,
		"POST " + offersPath + "/{id}/cambia":    p.saveOffer,
		"POST " + carsPath:                       p.putCar,
		"POST " + carsPath + "/togli":            p.dropCar,
		"POST " + profilePath:                    p.saveProfile,
		"POST " + profilePath + "/consensi":      p.consents,
		"POST " + profilePath + "/blocchi":       p.unblock,
		"POST " + profilePath + "/calendario":    p.calendar,
		"POST " + profilePath + "/cancellami":    p.forget,
	} {
		p.shell.HandleOr(pattern, needs, p.own(f), p.visited(p.keepForm))
	}
	papers := "POST " + carsPath + "/documenti"
	p.shell.Handle(papers, needs, p.own(p.papers))
	p.shell.TakesUpTo(papers, 3*p.cfg.Picture+64<<10)
}

// mountFoot puts at the foot of every page what a public body must offer
// there.
func (p *Pages) mountFoot() {
	p.shell.Foot(web.FootLink{Path: privacyPath, Title: p.html.Texts("pool.foot.privacy"), Element: "privacy-policy-link"})
	p.shell.Foot(web.FootLink{Path: accessPath, Title: p.html.Texts("pool.foot.access"), Element: "accessibility-link"})
	p.shell.Foot(web.FootLink{Path: helpPath, Title: p.html.Texts("pool.foot.faq"), Element: "faq"})
	p.shell.Foot(web.FootLink{Path: helpPath + "#guasti", Title: p.html.Texts("pool.foot.report"), Element: "report-inefficiency"})
	p.shell.Foot(web.FootLink{Path: privacyPath + "#note-legali", Title: p.html.Texts("pool.foot.legal"), Element: "legal-notes"})
}
