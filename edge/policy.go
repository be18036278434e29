package edge

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/strict"
)

// Policy is edge.yaml: what one edge answers for, and how.
type Policy struct {
	At       strict.At        `yaml:"-"`
	Name     string           `yaml:"name,required"`   // of the edge, in Cache-Status and Via
	Comune   string           `yaml:"comune,required"` // ISTAT code of the comune it stands in
	Title    string           `yaml:"title"`           // for people: "Comune di Bergolo"
	Mbps     float64          `yaml:"backhaul_mbps"`   // of the radio link, where the controller does not say
	Status   string           `yaml:"status_host"`     // name at which employees see how the edge stands; empty: none
	Services []ServicePolicy  `yaml:"services,required"`
	Probe    ProbePolicy      `yaml:"probe"`
	Second   *SecondWayPolicy `yaml:"second_way"`
	Store    StorePolicy      `yaml:"store"`
	Reader   *ReaderPolicy    `yaml:"reader"`
	// Controller is where the edge hears how its link is; nil: by its own probes and by hand.
	Controller *ControllerPolicy `yaml:"controller"`
	ACME       *ACMEPolicy       `yaml:"acme"` // gets the certificates of names that have no file; nil: none
}

// ServicePolicy is one name that the edge answers for.
type ServicePolicy struct {
	At       strict.At     `yaml:"-"`
	Host     string        `yaml:"host,required"`
	Origin   string        `yaml:"origin,required"`
	Agreed   string        `yaml:"agreed,required"` // who agreed that this edge answers for this name, and when
	Comune   string        `yaml:"comune"`          // whose quota and key; empty: that of the edge
	CertFile string        `yaml:"cert_file"`
	KeyFile  string        `yaml:"key_file"`
	Offline  OfflinePolicy `yaml:"offline"`
	GuessH   *float64      `yaml:"guess_lifetime_h"`
	QuotaMB  float64       `yaml:"quota_mb"`
	Priority string        `yaml:"priority"`
	Encrypt  bool          `yaml:"encrypt"`
	Warm     []WarmPolicy  `yaml:"warm"`
	Writes   []WriteRule   `yaml:"writes"` // that may wait while the link is down; what none names is refused
}

// OfflinePolicy is what a service gives while its origin cannot be reached.
type OfflinePolicy struct {
	At                 strict.At `yaml:"-"`
	Rule               string    `yaml:"rule"`
	Days               float64   `yaml:"days"`
	EvenMustRevalidate bool      `yaml:"even_must_revalidate"`
}

// ProbePolicy is how the edge sees by itself whether its ways work.
type ProbePolicy struct {
	At        strict.At `yaml:"-"`
	Addresses []string  `yaml:"addresses"` // host:port; the way works when any takes a connection
	EveryS    float64   `yaml:"every_s"`
}

// SecondWayPolicy is another way to the world that costs.
type SecondWayPolicy struct {
	At        strict.At `yaml:"-"`
	Source    string    `yaml:"source_address,required"` // of this machine, on the modem's side
	CapGB     float64   `yaml:"cap_gb_month,required"`
	EuroPerGB float64   `yaml:"euro_per_gb"`
	First     []string  `yaml:"first"` // hosts of services that go by it before all others
}

// StorePolicy bounds what is kept.
type StorePolicy struct {
	At        strict.At `yaml:"-"`
	MostGB    float64   `yaml:"most_gb"`
	MinFreeGB float64   `yaml:"min_free_gb"`
	RAMMB     float64   `yaml:"ram_mb"`
}

// WarmPolicy is what is fetched before anybody asks.
type WarmPolicy struct {
	At       strict.At `yaml:"-"`
	URLs     []string  `yaml:"urls"`      // paths of the service
	Sitemap  string    `yaml:"sitemap"`   // path of a sitemap.xml
	Window   string    `yaml:"window"`    // "22:00-06:00", in local time
	BudgetMB float64   `yaml:"budget_mb"` // of one window
}

// Priorities of a service, the first first.
const (
	PriorityFirst      = "first"
	PriorityNormal     = "normal"
	PriorityBackground = "background"
)

var (
	edgeName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	hostName   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[0-9]{1,5})?$`)
	istatCode  = regexp.MustCompile(`^[0-9]{6}$`)
	timeWindow = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$`)
)

// DefaultPolicy has no services.
func DefaultPolicy() Policy {
	return Policy{
		Mbps:  30,
		Probe: ProbePolicy{EveryS: 15},
		Store: StorePolicy{MostGB: 20, MinFreeGB: 2, RAMMB: 24},
	}
}

// ParsePolicy reads edge.yaml over the defaults. The error names every line that
// is wrong.
func ParsePolicy(file string, data []byte) (Policy, error) {
	p := DefaultPolicy()
	p.At = strict.At{File: file, Line: 1} // an empty file is at no line
	p.Probe.At, p.Store.At = p.At, p.At
	if err := strict.Decode(file, data, &p); err != nil {
		return Policy{}, err
	}
	var l strict.List
	p.check(&l)
	if err := l.Err(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func (p *Policy) check(l *strict.List) {
	if !edgeName.MatchString(p.Name) {
		l.Add(p.At.Problem("name", "%q: write small letters, digits and hyphens", p.Name))
	}
	if !istatCode.MatchString(p.Comune) {
		l.Add(p.At.Problem("comune", "%q: write the six digits of its ISTAT code, in quotes", p.Comune))
	}
	if p.Title == "" {
		p.Title = p.Name
	}
	if p.Status != "" && !hostName.MatchString(p.Status) {
		l.Add(p.At.Problem("status_host", "%q: write a name in small letters", p.Status))
	}
	if len(p.Services) == 0 {
		l.Add(p.At.Problem("services", "there is none: an edge answers for at least one name"))
	}
	seen := map[string]bool{p.Status: true}
	for i := range p.Services {
		s := &p.Services[i]
		s.check(l, p)
		if seen[s.Host] {
			l.Add(s.At.Problem("host", "%q is there twice", s.Host))
		}
		seen[s.Host] = true
	}
	if p.Reader != nil {
		var hosts []string
		for i := range p.Services {
			hosts = append(hosts, p.Services[i].Host)
		}
		p.Reader.check(l, hosts, seen)
	}
	for _, a := range p.Probe.Addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			l.Add(p.Probe.At.Problem("addresses", "%q: write host:port", a))
		}
	}
	above(l, p.At, "backhaul_mbps", p.Mbps)
	above(l, p.Probe.At, "every_s", p.Probe.EveryS)
	above(l, p.Store.At, "most_gb", p.Store.MostGB)
	above(l, p.Store.At, "ram_mb", p.Store.RAMMB)
	if p.Store.MinFreeGB < 0 {
		l.Add(p.Store.At.Problem("min_free_gb", "%v: write 0 or more", p.Store.MinFreeGB))
	}
	if p.Second != nil {
		p.Second.check(l, seen)
	}
	if p.Controller != nil {
		p.Controller.check(l)
	}
	if p.ACME != nil {
		p.ACME.check(l)
	}
}

func above(l *strict.List, at strict.At, key string, v float64) {
	if !(v > 0) || v > 1e9 {
		l.Add(at.Problem(key, "%v: write a number above 0", v))
	}
}

func (w *SecondWayPolicy) check(l *strict.List, hosts map[string]bool) {
	if net.ParseIP(w.Source) == nil {
		l.Add(w.At.Problem("source_address", "%q: write the address that this machine has on the modem's side", w.Source))
	}
	above(l, w.At, "cap_gb_month", w.CapGB)
	if w.EuroPerGB < 0 {
		l.Add(w.At.Problem("euro_per_gb", "%v: write 0 or more", w.EuroPerGB))
	}
	for _, h := range w.First {
		if !hosts[h] {
			l.Add(w.At.Problem("first", "%q is no host of a service", h))
		}
	}
}

func (s *ServicePolicy) check(l *strict.List, p *Policy) {
	if !hostName.MatchString(s.Host) || len(s.Host) > 259 {
		l.Add(s.At.Problem("host", "%q: write the one name that browsers ask for, in small letters; an edge answers for no others", s.Host))
	}
	o, err := url.Parse(s.Origin)
	switch {
	case err != nil || o.Host == "" || o.Scheme != "http" && o.Scheme != "https" || o.User != nil || o.RawQuery != "" || o.Fragment != "" || o.Path != "" && o.Path != "/":
		l.Add(s.At.Problem("origin", "%q: write https://host, with nothing after it", s.Origin))
	case strings.EqualFold(o.Host, s.Host):
		l.Add(s.At.Problem("origin", "it is the name that the edge answers for: it would ask itself"))
	}
	if strings.TrimSpace(s.Agreed) == "" {
		l.Add(s.At.Problem("agreed", "write who agreed that this edge answers for this name, and when"))
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		l.Add(s.At.Problem("cert_file", "write cert_file and key_file, or neither"))
	}
	if s.Comune == "" {
		s.Comune = p.Comune
	} else if !istatCode.MatchString(s.Comune) {
		l.Add(s.At.Problem("comune", "%q: write the six digits of its ISTAT code, in quotes", s.Comune))
	}
	if s.QuotaMB < 0 {
		l.Add(s.At.Problem("quota_mb", "%v: write 0 for none, or more", s.QuotaMB))
	}
	if s.GuessH != nil && (*s.GuessH < 0 || *s.GuessH > 24*365) {
		l.Add(s.At.Problem("guess_lifetime_h", "%v: write 0 to guess none, up to a year", *s.GuessH))
	}
	switch s.Priority {
	case "":
		s.Priority = PriorityNormal
	case PriorityFirst, PriorityNormal, PriorityBackground:
	default:
		l.Add(s.At.Problem("priority", "%q: write first, normal or background", s.Priority))
	}
	s.Offline.check(l, s.At)
	checkWrites(l, s.Writes)
	for i := range s.Warm {
		s.Warm[i].check(l)
	}
}

func (o *OfflinePolicy) check(l *strict.List, service strict.At) {
	at := o.At
	if at.File == "" {
		at = service
	}
	switch OfflineRule(o.Rule) {
	case "":
		o.Rule = string(OfflineIfError)
	case OfflineNever, OfflineIfError:
	case OfflineUntil:
		if !(o.Days > 0) || o.Days > 3650 {
			l.Add(at.Problem("days", "%v: write for how many days after it was received a page may be given", o.Days))
		}
		return
	default:
		l.Add(at.Problem("rule", "%q: write never, stale-if-error or until", o.Rule))
		return
	}
	if o.Days != 0 {
		l.Add(at.Problem("days", "it counts with rule: until alone"))
	}
	if o.EvenMustRevalidate {
		l.Add(at.Problem("even_must_revalidate", "it counts with rule: until alone"))
	}
}

func (w *WarmPolicy) check(l *strict.List) {
	if len(w.URLs) == 0 && w.Sitemap == "" {
		l.Add(w.At.Problem("urls", "write urls, or a sitemap"))
	}
	for _, u := range append(w.URLs[:len(w.URLs):len(w.URLs)], w.Sitemap) {
		if u != "" && (u[0] != '/' || strings.HasPrefix(u, "//") || strings.ContainsAny(u, " #\\")) {
			l.Add(w.At.Problem("urls", "%q: write a path of the service, such as /albo/", u))
		}
	}
	if w.Window != "" && !timeWindow.MatchString(w.Window) {
		l.Add(w.At.Problem("window", "%q: write it as 22:00-06:00", w.Window))
	}
	if w.BudgetMB < 0 {
		l.Add(w.At.Problem("budget_mb", "%v: write 0 for none, or more", w.BudgetMB))
	}
}

// Rules are what the decisions of a service rest on.
func (s *ServicePolicy) Rules() Rules {
	r := DefaultRules()
	if s.GuessH != nil {
		r.Heuristic = time.Duration(*s.GuessH * float64(time.Hour))
	}
	r.Offline = Offline{
		Rule: OfflineRule(s.Offline.Rule), Until: time.Duration(s.Offline.Days * 24 * float64(time.Hour)),
		EvenMustRevalidate: s.Offline.EvenMustRevalidate,
	}
	return r
}

// OriginURL is where the answers come from.
func (s *ServicePolicy) OriginURL() (*url.URL, error) {
	u, err := url.Parse(s.Origin)
	if err != nil {
		return nil, fmt.Errorf("%s: origin: %w", s.At, err)
	}
	u.Path = ""
	return u, nil
}
