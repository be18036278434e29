// Package web is the HTTP shell of the program: one listener, the layout in
// two languages, static files, the error page, problem+json and the headers
// that keep a browser safe. It knows no area: each area's page package brings
// its templates, words and handlers and mounts them here.
//
// It also knows who asks (a session, a token, or the socket of the data
// folder) and lets each route be asked by those it is for. Without TLS it
// serves this machine only.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/zone"
)

// Config says where the shell listens and what it tells of itself.
type Config struct {
	Addr  string   // host:port, on loopback where there is no certificate; port 0 takes any free one
	Hosts []string // further names a browser may ask for, without port

	// CertFile and KeyFile are PEM files of a certificate with its chain and of
	// its key; both or none. They are read again when they change.
	CertFile, KeyFile string
	// Forwarded trusts X-Forwarded-For and X-Forwarded-Proto of a proxy on this
	// machine. Set it only where every visitor comes through that proxy.
	Forwarded bool

	Union    string         // name over every page
	Demo     bool           // every page says that radios and readings are simulated
	Location *time.Location // of the times on pages; nil: Europe/Rome

	MaxBody       int64         // bytes of a request
	HeaderTimeout time.Duration // to read a request's header
	ReadTimeout   time.Duration // to read a whole request
	WriteTimeout  time.Duration // to write an answer; event streams set their own
	IdleTimeout   time.Duration // of a kept connection
	GraceTimeout  time.Duration // for answers under way when the shell ends
}

// Default is the configuration of a small server.
func Default() Config {
	return Config{
		Addr:          "127.0.0.1:8080",
		Union:         "Unione Montana Alta Langa",
		MaxBody:       1 << 20,
		HeaderTimeout: 10 * time.Second,
		ReadTimeout:   30 * time.Second,
		WriteTimeout:  60 * time.Second,
		IdleTimeout:   2 * time.Minute,
		GraceTimeout:  5 * time.Second,
	}
}

// Deps is what the shell needs of the world. All may be left out.
type Deps struct {
	Log    *slog.Logger
	Now    func() time.Time                // the clock of ages on pages
	Health func(ctx context.Context) error // asked by /healthz
	// People are the accounts; nil: nobody can sign in, there are no such pages.
	People People
	// Identify says who asks, instead of People; an error answers the request.
	// For tests.
	Identify func(r *http.Request) (login.Identity, error)
	// Observe is told how long each answer took, by the class of its status,
	// "2xx"; nil: nobody is.
	Observe func(class string, took time.Duration)
	// Audit is the log that /registro shows; nil: there is no such page.
	Audit AuditLog
}

// Shell serves pages. Mount everything before Run.
type Shell struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	health  func(ctx context.Context) error
	observe func(class string, took time.Duration)
	hosts   map[string]bool

	mux      *http.ServeMux
	mounted  []Mounted
	who      func(r *http.Request) (login.Identity, error)
	people   People
	audit    AuditLog
	sessions *scs.SessionManager
	static   *static
	own      *Pages // home and error pages
	api      apiDoc
	entries  []Entry
	foot     []FootLink
	chain    http.Handler

	strangers map[string]http.Handler // by pattern, what they are answered
	bodies    map[string]int64        // by pattern, bytes of a body

	ready   chan struct{}
	closing chan struct{}
	mu      sync.Mutex
	url     string

	unproxied sync.Once // the warning that a proxy is not trusted
}

// Entry is a line of the navigation and a card of the home page.
type Entry struct {
	Path    string
	Title   map[Lang]string
	Summary map[Lang]string
	Order   int    // ascending
	Staff   bool   // for technicians; stands apart on the home page
	Access  Access // who sees it: that of the route it leads to
}

// New builds the shell; it neither listens nor reads anything but what is
// embedded in the program.
func New(cfg Config, deps Deps) (*Shell, error) {
	if err := checkAddr(cfg); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Observe == nil {
		deps.Observe = func(string, time.Duration) {}
	}
	if deps.Health == nil {
		deps.Health = func(context.Context) error { return nil }
	}
	if cfg.Location == nil {
		cfg.Location = zone.Rome()
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = Default().MaxBody
	}
	s := &Shell{
		cfg: cfg, log: deps.Log, now: deps.Now, health: deps.Health, observe: deps.Observe, who: deps.Identify,
		audit: deps.Audit, people: deps.People,
		hosts: map[string]bool{}, mux: http.NewServeMux(), strangers: map[string]http.Handler{}, bodies: map[string]int64{},
		ready: make(chan struct{}), closing: make(chan struct{}),
	}
	for _, h := range append([]string{hostOf(cfg.Addr)}, cfg.Hosts...) {
		s.hosts[strings.ToLower(strings.TrimSuffix(h, "."))] = true
	}
	var err error
	if s.static, err = newStatic(); err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	if s.own, err = s.PagesIn(embedded); err != nil {
		return nil, err
	}
	s.Handle("GET /static/", Public, s.Func(s.static.serve))
	s.Handle("GET /{$}", Public, s.Func(s.home))
	s.Handle("GET /favicon.ico", Public, http.RedirectHandler("/static/icon.svg", http.StatusMovedPermanently))
	s.Handle("GET /healthz", Public, http.HandlerFunc(s.healthz))
	s.mountAPI()
	if s.people != nil {
		s.sessions = sessions(s.people)
		s.mountSignIn()
		s.mountAccount()
		s.mountPersons()
		if err := s.mountPeopleAPI(); err != nil {
			return nil, err
		}
	}
	if s.audit != nil {
		if err := s.mountLog(); err != nil {
			return nil, err
		}
	}
	s.chain = s.protect()
	return s, nil
}

// Handle mounts a handler under a pattern of http.ServeMux, for those whom a
// lets in. It panics on a pattern that clashes with another, as the mux does,
// and where a is the zero value: bugs of the wiring, which every start shows.
func (s *Shell) Handle(pattern string, a Access, h http.Handler) {
	if a.kind == nobody {
		panic("web: route " + pattern + " does not say who may ask it")
	}
	s.mux.Handle(pattern, s.gate(a, h))
	s.mounted = append(s.mounted, Mounted{pattern, a})
}

// Enter adds a line to the navigation. It panics where Access is the zero
// value, as Handle does.
func (s *Shell) Enter(e Entry) {
	if e.Access.kind == nobody {
		panic("web: entry " + e.Path + " does not say who may see it")
	}
	i := len(s.entries)
	for i > 0 && s.entries[i-1].Order > e.Order {
		i--
	}
	s.entries = append(s.entries, Entry{})
	copy(s.entries[i+1:], s.entries[i:])
	s.entries[i] = e
}

// entriesFor are the lines that the asker may follow.
func (s *Shell) entriesFor(r *http.Request) []Entry {
	id := Who(r.Context())
	out := make([]Entry, 0, len(s.entries))
	for _, e := range s.entries {
		if e.Access.Allows(id) {
			out = append(out, e)
		}
	}
	return out
}

// Plain says whether the look comes from our own plain stylesheet because the
// build had no Node, and what to do about it; "" when all is there.
func (s *Shell) Plain() string {
	if s.static.dist {
		return ""
	}
	return "this build has no Bootstrap Italia, Leaflet and fonts, pages use the plain stylesheet: run `make assets` (needs Node) and build again"
}

// Handler is the whole shell as a handler, for tests.
func (s *Shell) Handler() http.Handler { return s.chain }

// Ready is closed once the shell listens.
func (s *Shell) Ready() <-chan struct{} { return s.ready }

// URL is where the shell listens, "http://127.0.0.1:8080"; "" before Ready.
func (s *Shell) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

func (s *Shell) home(w http.ResponseWriter, r *http.Request) error {
	var staff []Entry
	for _, e := range s.entriesFor(r) {
		if e.Staff {
			staff = append(staff, e)
		}
	}
	return s.own.Write(w, r, "home.html", View{Title: "home.title", Data: staff})
}
