// Package proxy is HTTP in and out of an edge: it answers for services that are
// its own names, out of a store where edge's rules allow, from their origin
// where they do not, and obeys what package edge decides.
package proxy

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Service is one name that the edge answers for, and where its answers come
// from.
type Service struct {
	Host   string // as in the request, in lower case, with a port only if one is part of it
	Origin *url.URL
	Rules  edge.Rules
	// Background is asked for on the main way alone; First goes before all others
	// on the second.
	Background, First bool
}

// Config is what a Proxy answers for.
type Config struct {
	Name     string // in Cache-Status, and in Via of requests
	Services []Service
	Timeout  time.Duration // until the head of the origin's answer
	// Pass is how long requests for an address whose answer was not for others
	// no longer wait for each other's.
	Pass time.Duration
	// Zone is where people read the clock on pages that are not of an origin.
	Zone *time.Location
}

// lanes is how many requests of services that do not go first are under way on
// the second way at once.
const lanes = 2

// Default is the configuration without services.
func Default() Config {
	return Config{Name: "crinale", Timeout: 30 * time.Second, Pass: 10 * time.Second, Zone: time.Local}
}

// Deps are what a Proxy uses.
type Deps struct {
	Store     edge.Store
	Transport http.RoundTripper // nil: one that follows nothing and unpacks nothing
	Watch     Watch             // nil: always online
	// Unsent is given what cannot be sent now, and answers where it can be kept to
	// be sent later; false: it answered nothing. nil: nothing is kept.
	Unsent func(w http.ResponseWriter, r *http.Request, host string) bool
	// Heard says whether nothing that is stored is under an order to be forgotten
	// which was not obeyed yet. It may wait a little. What is stored is given only
	// when the origin says that it holds, or cannot be asked, while it says no. nil:
	// there are no orders.
	Heard func(context.Context) bool
	Log   *slog.Logger // nil: silent
}

// Proxy is the handler of an edge.
type Proxy struct {
	cfg      Config
	deps     Deps
	services map[string]*Service
	reaches  map[string]*reach // of the origins, by the name of the service
	tallies  map[string]*tally // of the services, by their names

	recent recent

	lane chan struct{} // of requests on the second way that are not of those that go first

	mu      sync.Mutex
	flights map[string]*flight
	passes  map[string]time.Time // until when an address is not waited for
	asking  map[string]bool      // addresses that are asked for behind an answer
	behind  sync.WaitGroup       // validations behind an answer
}

// New makes a proxy; it opens nothing.
func New(c Config, d Deps) (*Proxy, error) {
	p := &Proxy{cfg: c, deps: d, services: map[string]*Service{}, reaches: map[string]*reach{}, tallies: map[string]*tally{}, flights: map[string]*flight{}, passes: map[string]time.Time{}, asking: map[string]bool{}, lane: make(chan struct{}, lanes), recent: recent{seed: maphash.MakeSeed()}}
	for i := range c.Services {
		s := &c.Services[i]
		switch {
		case s.Host == "" || s.Host != strings.ToLower(s.Host):
			return nil, fault.New(fault.Invalid, "service %q: give the name it answers for, in lower case", s.Host)
		case s.Origin == nil || s.Origin.Host == "" || s.Origin.Scheme != "http" && s.Origin.Scheme != "https":
			return nil, fault.New(fault.Invalid, "service %s: origin: give an http or https address", s.Host)
		case p.services[s.Host] != nil:
			return nil, fault.New(fault.Invalid, "service %s: it is there twice", s.Host)
		}
		p.services[s.Host], p.reaches[s.Host], p.tallies[s.Host] = s, &reach{}, &tally{}
	}
	if c.Zone == nil {
		p.cfg.Zone = time.Local
	}
	if d.Store == nil {
		return nil, fault.New(fault.Invalid, "proxy: there is no store")
	}
	if c.Timeout <= 0 {
		return nil, fault.New(fault.Invalid, "proxy: timeout %v: give a time above zero", c.Timeout)
	}
	if d.Transport == nil {
		p.deps.Transport = newTransport(c.Timeout, nil)
	}
	if d.Log == nil {
		p.deps.Log = slog.New(slog.DiscardHandler)
	}
	return p, nil
}

// Wait waits for what is asked behind answers that were given.
func (p *Proxy) Wait() { p.behind.Wait() }

// visit is one request under way.
type visit struct {
	p     *Proxy
	s     *Service
	w     http.ResponseWriter
	r     *http.Request // nil behind an answer
	q     edge.Request
	key   string
	asked time.Time
	// unsure says that what is stored may be under an order to be forgotten that was
	// not heard.
	unsure bool
}

// ServeHTTP answers one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := p.services[strings.ToLower(r.Host)]
	if s == nil {
		p.refuse(w, http.StatusMisdirectedRequest, "host")
		return
	}
	if r.Method == http.MethodConnect || r.URL.Path == "" || r.URL.Path[0] != '/' && r.URL.Path != "*" {
		p.refuse(w, http.StatusBadRequest, "target")
		return
	}
	v := &visit{p: p, s: s, w: w, r: r, q: edge.Request{Method: r.Method, Header: r.Header}, key: key(s, r.URL), asked: time.Now()}
	v.count().requests.Add(1)
	if why := edge.Bypass(v.q); why != edge.WhyNot {
		if v.reachable() {
			v.pass(why)
		} else {
			v.unsent(http.StatusServiceUnavailable, detailOffline)
		}
		return
	}
	v.cached()
}

// key is the address of what is stored: the service and the path with its query
// as they came. What no key has in it never reaches the origin either.
func key(s *Service, u *url.URL) string { return s.Host + u.RequestURI() }

// refuse answers what reaches no origin.
func (p *Proxy) refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Cache-Status", edge.Status{Cache: p.cfg.Name, Detail: detail}.String())
	http.Error(w, http.StatusText(status), status)
}

// cached answers GET and HEAD.
func (v *visit) cached() {
	v.unsure = v.p.deps.Heard != nil && !v.p.deps.Heard(v.r.Context())
	found := v.p.deps.Store.Find(v.key) // after that: what was forgotten meanwhile is not found
	o, g := v.matching(found)
	var d edge.Decision
	if o != nil {
		d = g.Evaluate(v.q, v.asked)
	} else {
		d = v.s.Rules.Evaluate(nil, v.q, v.asked)
	}
	if v.unsure {
		d = d.Unsure(v.q)
	}
	if d.Act != edge.Serve && d.Act != edge.GiveUp && !v.reachable() {
		v.offline(o)
		return
	}
	switch d.Act {
	case edge.GiveUp:
		v.p.refuse(v.w, http.StatusGatewayTimeout, "only-if-cached")
	case edge.Serve, edge.ServeAndValidate:
		if !v.giveWhole(o, g, d) && !v.give(o, d, edge.Status{Hit: true}) {
			if !v.reachable() {
				v.unavailable(http.StatusServiceUnavailable, detailOffline)
				return
			}
			v.fetch(found, o, edge.Decision{Act: edge.Fetch, Why: edge.WhyPartial})
			return
		}
		v.count().hits.Add(1)
		if d.Act == edge.ServeAndValidate {
			v.validateBehind(o, d)
		}
	default:
		if d.Why == edge.WhyMiss {
			d.Why = edge.WhyURIMiss
			if len(found) > 0 {
				d.Why = edge.WhyVary
			}
		}
		v.fetch(found, o, d)
	}
}

// interim passes answers on that come before the final one (RFC 9110 §15.2).
func (v *visit) interim(ctx context.Context) context.Context {
	if v.w == nil {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		if code == http.StatusContinue || code == http.StatusSwitchingProtocols {
			return nil
		}
		own := v.w.Header()
		for name, lines := range edge.WithoutConnection(http.Header(h)) {
			own[name] = lines
		}
		v.w.WriteHeader(code)
		for name := range h {
			delete(own, name)
		}
		return nil
	}})
}
