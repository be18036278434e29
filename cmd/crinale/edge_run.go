package main

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/edge/mirror"
	"github.com/crinale/crinale/edge/page"
	"github.com/crinale/crinale/edge/people"
	"github.com/crinale/crinale/edge/proxy"
	"github.com/crinale/crinale/edge/queue"
	"github.com/crinale/crinale/edge/store"
	"github.com/crinale/crinale/edge/warm"
	"github.com/crinale/crinale/internal/fault"
	lifecycle "github.com/crinale/crinale/internal/run"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/web"
)

// edgeServer is one edge, wired.
type edgeServer struct {
	policy edge.Policy
	data   string
	addr   string
	certs  map[string]*tls.Certificate // by host; nil: plain HTTP
	log    *slog.Logger

	store *store.Store
	ways  *proxy.Ways
	watch *edge.Watch
	proxy *proxy.Proxy
	page  *page.Page
	queue *queue.Queue

	mirrors []*mirror.Mirror
	people  *people.Book // with a reader alone, once open
	office  *page.Office
	warmer  *warm.Warmer

	link  *edgeLink
	key   func(comune string) ([]byte, bool)
	ready chan struct{}
	bound net.Addr // once ready

	listener  net.Listener // already at addr; nil: it is opened
	figuresAt string       // where Prometheus reads; "" for nowhere
}

func runEdge(c *cli.Context) error {
	p, err := readPolicy(c.String("config"))
	if err != nil {
		return err
	}
	if os.Getenv("GOMEMLIMIT") == "" { // a mini PC has other things to do
		debug.SetMemoryLimit(56 << 20)
		if os.Getenv("GOGC") == "" { // up to there, memory is given for fewer collections: each hit leaves some kilobytes
			debug.SetGCPercent(400)
		}
	}
	release, err := lockData(c.String("data"))
	if err != nil {
		return err
	}
	defer release()
	s, err := newEdgeServer(p, c.String("data"), c.String("listen"), c.String("keys"), logger(c))
	if err != nil {
		return err
	}
	s.figuresAt = c.String("metrics")
	return s.run(c.Context, func() {
		scheme := "http"
		if s.certs != nil {
			scheme = "https"
		}
		fmt.Fprintf(c.App.ErrWriter, "Edge %s answers at %s://%s for %d services.\n", p.Name, scheme, s.bound, len(p.Services))
	})
}

// newEdgeServer plugs an edge together; it opens nothing but the certificates.
func newEdgeServer(p edge.Policy, data, addr, keys string, log *slog.Logger) (*edgeServer, error) {
	s := &edgeServer{policy: p, data: data, addr: addr, log: log, ready: make(chan struct{})}
	if err := s.certificates(); err != nil {
		return nil, err
	}
	if err := checkKeys(p, keys); err != nil {
		return nil, err
	}
	comuni := map[string]string{} // by host
	sealed := map[string]bool{}
	c := proxy.Default()
	c.Name = p.Name
	quota := map[string]int64{}
	for i := range p.Services {
		v := &p.Services[i]
		u, err := v.OriginURL()
		if err != nil {
			return nil, err
		}
		first := p.Second != nil && slices.Contains(p.Second.First, v.Host) || v.Priority == edge.PriorityFirst
		c.Services = append(c.Services, proxy.Service{Host: v.Host, Origin: u, Rules: v.Rules(), Background: v.Priority == edge.PriorityBackground, First: first})
		comuni[v.Host] = v.Comune
		if v.Encrypt {
			sealed[v.Comune] = true
		}
		if v.QuotaMB > 0 {
			quota[v.Host] = int64(v.QuotaMB * 1e6)
		}
	}
	sc := store.Default()
	sc.Dir = filepath.Join(data, "saved")
	sc.Most, sc.MinFree, sc.Memory, sc.Services, sc.Sealed = int64(p.Store.MostGB*1e9), int64(p.Store.MinFreeGB*1e9), int64(p.Store.RAMMB*1e6), quota, sealed
	sc.Owner = func(address string) (service, comune string) {
		host, _, _ := strings.Cut(address, "/")
		return host, comuni[host]
	}
	var err error
	if s.store, err = store.New(sc, store.Deps{Keys: &sealing{keyFiles(keys), sealed}, Log: log}); err != nil {
		return nil, err
	}
	wc := proxy.WaysConfig{Timeout: c.Timeout, Probes: p.Probe.Addresses}
	if len(wc.Probes) == 0 {
		wc.Probes = originAddresses(c.Services)
	}
	if v := p.Second; v != nil {
		wc.Second = &proxy.SecondWay{Source: net.ParseIP(v.Source), Cap: int64(v.CapGB * 1e9), File: filepath.Join(data, "second_way.json")}
	}
	if s.ways, err = proxy.NewWays(wc, func() edge.Stand { return s.watch.Stand() }); err != nil {
		return nil, err
	}
	ec := edge.DefaultWatch()
	ec.Every, ec.HasSecond = time.Duration(p.Probe.EveryS*float64(time.Second)), p.Second != nil
	s.watch, err = edge.NewWatch(ec, edge.WatchDeps{Probe: s.ways.Probe, SecondOpen: s.ways.SecondOpen, Log: log,
		Queued:  s.waiting,
		Changed: func(st edge.Stand) { s.ways.Turned(st.Way); s.link.turned() }})
	if err != nil {
		return nil, err
	}
	s.link = &edgeLink{s.watch, make(chan struct{}, 1)}
	keyed := &sealing{keyFiles(keys), sealed}
	s.key = keyed.Key
	if s.queue, err = s.newQueue(filepath.Join(data, "queue"), s.key); err != nil {
		return nil, err
	}
	if s.proxy, err = proxy.New(c, proxy.Deps{Store: s.store, Transport: s.ways, Watch: s.watch, Unsent: s.unsent, Log: log}); err != nil {
		return nil, err
	}
	if err := s.newWarm(); err != nil {
		return nil, err
	}
	if err := s.newOffice(); err != nil {
		return nil, err
	}
	s.page, err = page.New(page.Config{}, page.Deps{Now: s.standing})
	return s, err
}

// originAddresses are where the origins take connections.
func originAddresses(all []proxy.Service) (out []string) {
	for _, s := range all {
		port := s.Origin.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[s.Origin.Scheme]
		}
		out = append(out, net.JoinHostPort(s.Origin.Hostname(), port))
	}
	return out
}

// certificates reads those of the services. An address that others can reach
// needs one for each name.
func (s *edgeServer) certificates() error {
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return usage("--listen %q: write address:port", s.addr)
	}
	type named struct {
		at              strict.At
		host, cert, key string
	}
	var all []named
	for _, v := range s.policy.Services {
		all = append(all, named{v.At, v.Host, v.CertFile, v.KeyFile})
	}
	if r := s.policy.Reader; r != nil {
		all = append(all, named{r.At, r.Host, r.CertFile, r.KeyFile})
	}
	without := ""
	for _, v := range all {
		if v.cert == "" {
			without = v.host
			continue
		}
		cert, err := tls.LoadX509KeyPair(v.cert, v.key)
		if err != nil {
			return fault.New(fault.Invalid, "%s: certificate of %s: %w", v.at, v.host, err)
		}
		name, _, _ := strings.Cut(v.host, ":")
		if err := cert.Leaf.VerifyHostname(name); err != nil {
			return fault.New(fault.Invalid, "%s: the certificate is for other names: %w", v.at, err)
		}
		if s.certs == nil {
			s.certs = map[string]*tls.Certificate{}
		}
		s.certs[name] = &cert
	}
	switch {
	case s.certs != nil && without != "":
		return fault.New(fault.Invalid, "%s has no certificate, and others have: give it cert_file and key_file", without)
	case s.certs != nil && s.policy.Status != "" && s.certificate(s.policy.Status) == nil:
		return fault.New(fault.Invalid, "%s: status_host %s is in none of the certificates: add the name to one of them", s.policy.At, s.policy.Status)
	case s.certs == nil && !loopback(host):
		return fault.New(fault.Invalid, "--listen %s can be reached by other machines: give each service cert_file and key_file in edge.yaml", s.addr)
	}
	return nil
}

// certificate is the one for a name; nil when there is none.
func (s *edgeServer) certificate(name string) *tls.Certificate {
	name, _, _ = strings.Cut(strings.ToLower(name), ":")
	if c := s.certs[name]; c != nil {
		return c
	}
	if host, _, _ := strings.Cut(s.policy.Status, ":"); name == host {
		for _, c := range s.certs {
			if c.Leaf.VerifyHostname(name) == nil {
				return c
			}
		}
	}
	return nil
}

// keyFiles reads the secrets of comuni from a folder, again each time: what is
// taken away there is gone here.
func keyFiles(folder string) func(string) ([]byte, bool) {
	return func(comune string) ([]byte, bool) {
		if folder == "" {
			return nil, false
		}
		text, err := os.ReadFile(filepath.Join(folder, comune+".key"))
		if err != nil {
			return nil, false
		}
		key, err := hex.DecodeString(strings.TrimSpace(string(text)))
		return key, err == nil && len(key) == 32
	}
}

// sealing gives the keys of the comuni whose services are encrypted, and of no
// other.
type sealing struct {
	file   func(string) ([]byte, bool)
	sealed map[string]bool
}

func (k *sealing) Key(comune string) ([]byte, bool) {
	if !k.sealed[comune] {
		return nil, false
	}
	return k.file(comune)
}

// checkKeys sees that what is to be encrypted can be, from the first moment.
func checkKeys(p edge.Policy, folder string) error {
	key := keyFiles(folder)
	for _, v := range p.Services {
		if !v.Encrypt {
			continue
		}
		if _, ok := key(v.Comune); !ok {
			return fault.New(fault.Invalid, "%s: service %s is to be encrypted, and there is no key of comune %s: put 64 hexadecimal digits into %s.key in the folder of --keys, readable by this user alone (openssl rand -hex 32)", v.At, v.Host, v.Comune, v.Comune)
		}
		if st, err := os.Stat(filepath.Join(folder, v.Comune+".key")); err == nil && st.Mode().Perm()&0o077 != 0 {
			return fault.New(fault.Denied, "%s can be read by others: chmod 600 it", filepath.Join(folder, v.Comune+".key"))
		}
	}
	return nil
}

// run answers until ctx ends.
func (s *edgeServer) run(ctx context.Context, onReady func()) error {
	if err := s.store.Open(); err != nil {
		return err
	}
	if err := s.queue.Open(ctx); err != nil {
		return err
	}
	defer s.queue.Close()
	if err := s.openOffice(); err != nil {
		s.log.Error("employees cannot enter", "err", err)
	}
	own := &local{data: s.data, handler: s.commands(), log: s.log, ready: make(chan struct{})}
	stages := []lifecycle.Stage{
		{Name: "store", Run: s.store.Run},
		{Name: "ways", Run: s.ways.Run},
		{Name: "watch", Run: s.watch.Run},
		{Name: "queue", Run: s.queue.Run},
		{Name: "answers", Run: s.serve, Ready: s.ready},
		{Name: "warm", Run: s.warmer.Run},
		{Name: "commands", Run: own.run, Ready: own.ready},
	}
	for _, m := range s.mirrors {
		stages = append(stages, lifecycle.Stage{Name: "archive", Run: s.copying(m)})
	}
	if s.figuresAt != "" {
		stages = append(stages, lifecycle.Stage{Name: "metrics", Run: s.serveFigures})
	}
	return lifecycle.All(ctx, stages, onReady)
}

// serve takes requests until ctx ends, and then gives those under way a moment.
func (s *edgeServer) serve(ctx context.Context) error {
	l, err := s.listener, error(nil)
	if l == nil {
		l, err = net.Listen("tcp", s.addr)
	}
	if err != nil {
		return fault.New(fault.Refused, "listen at %s: %w", s.addr, err)
	}
	s.bound = l.Addr()
	srv := &http.Server{
		Handler: http.HandlerFunc(s.route), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	answer := func() error { return srv.Serve(l) }
	if s.certs != nil {
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c := s.certificate(h.ServerName); c != nil {
				return c, nil
			}
			return nil, fmt.Errorf("no certificate for %q", h.ServerName)
		}}
		answer = func() error { return srv.ServeTLS(l, "", "") }
	}
	close(s.ready)
	err = serveUntil(ctx, srv, answer, 5*time.Second)
	s.proxy.Wait()
	return err
}

func (s *edgeServer) route(w http.ResponseWriter, r *http.Request) {
	if s.policy.Status != "" && strings.EqualFold(r.Host, s.policy.Status) {
		s.page.ServeHTTP(w, r)
		return
	}
	if s.policy.Reader != nil && strings.EqualFold(r.Host, s.policy.Reader.Host) {
		if s.office == nil {
			noOffice(w, r)
			return
		}
		s.office.ServeHTTP(w, r)
		return
	}
	if author := edge.TakeAuthor(r.Header); author != "" && s.people != nil {
		if p, ok := s.people.Author(author); ok {
			r = r.WithContext(context.WithValue(r.Context(), authorKey{}, p))
		}
	}
	s.proxy.ServeHTTP(w, r)
}

// authorKey is where a request has who sends it.
type authorKey struct{}

// standing is what the status page shows.
func (s *edgeServer) standing() page.Standing {
	st := s.store.Stats()
	out := page.Standing{Name: s.policy.Name, Stand: s.watch.Stand(), Stored: st.Disk, Objects: int64(st.Objects), Spent: s.ways.Spent(), Waiting: s.waiting()}
	if v := s.policy.Second; v != nil {
		out.Cap = int64(v.CapGB * 1e9)
	}
	for i := range s.policy.Services {
		v := &s.policy.Services[i]
		r := v.Rules().Offline
		out.Services = append(out.Services, page.Service{Host: v.Host, Offline: string(r.Rule), Until: r.Until, Lost: s.proxy.Lost(v.Host)})
	}
	return out
}

// waiting is how many writes wait to be sent.
func (s *edgeServer) waiting() int {
	st, err := s.queue.Stats()
	if err != nil {
		return 0 // not open yet, or not any more
	}
	return st.States[edge.StateQueued] + st.States[edge.StateSending]
}

// status is what edge status prints.
func (s *edgeServer) status() edgeStanding {
	stand, st := s.watch.Stand(), s.store.Stats()
	out := edgeStanding{
		Name: s.policy.Name, Comune: s.policy.Comune, Mode: stand.Mode.String(), Way: stand.Way.String(), Since: stand.Since.UTC(), Why: stand.Why, Waiting: s.waiting(),
		Store: edgeStore{
			Objects: int64(st.Objects), Bytes: st.Disk, MostB: int64(s.policy.Store.MostGB * 1e9), Evicted: st.Evicted, Stored: st.Stored,
			Faults: st.Write + st.Index, Damaged: st.Damaged + st.ScrubBad, MemoryN: st.HitsRAM, DiskN: st.HitsDisk, MissesN: st.Misses, Pending: st.Pending,
		},
	}
	for _, v := range s.policy.Services {
		t := s.proxy.Tally(v.Host)
		e := edgeService{Host: v.Host, Comune: v.Comune, Offline: v.Offline.Rule, Requests: t.Requests, Hits: t.Hits, GivenB: t.Given, FetchedB: t.Fetched, StoredB: st.Services[v.Host]}
		if lost := s.proxy.Lost(v.Host); !lost.IsZero() {
			lost = lost.UTC()
			e.LostSince = &lost
		}
		out.Services = append(out.Services, e)
	}
	if v := s.policy.Second; v != nil {
		out.Second = &edgeSecond{SpentB: s.ways.Spent(), CapB: int64(v.CapGB * 1e9), EuroPerGB: v.EuroPerGB, Euro: float64(s.ways.Spent()) / 1e9 * v.EuroPerGB}
	}
	return out
}

// commands are what the verbs on this machine ask. The socket is the owner's
// alone.
func (s *edgeServer) commands() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /edge/status", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, s.status()) })
	mux.HandleFunc("POST /edge/word", func(w http.ResponseWriter, r *http.Request) {
		var word edgeWord
		if !readJSON(w, r, &word) {
			return
		}
		s.watch.Tell(edge.Word{At: time.Now(), Up: word.Up, Narrow: word.Narrow, Mbps: word.Mbps})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /edge/purge", func(w http.ResponseWriter, r *http.Request) {
		var o edgePurgeOrder
		if !readJSON(w, r, &o) {
			return
		}
		n, err := s.purge(o)
		if err != nil {
			answerProblem(w, err)
			return
		}
		s.log.Info("purged", "service", o.Service, "count", n)
		answerJSON(w, http.StatusOK, edgePurged{n})
	})
	s.queueRoutes(mux)
	s.peopleRoutes(mux)
	s.warmRoutes(mux)
	return mux
}

func (s *edgeServer) purge(o edgePurgeOrder) (int, error) {
	if o.Service != "" && !slices.ContainsFunc(s.policy.Services, func(v edge.ServicePolicy) bool { return v.Host == o.Service }) {
		return 0, fault.New(fault.NotFound, "%q is no service of this edge", o.Service)
	}
	return s.store.Purge(store.Purge{Address: o.Address, Prefix: o.Prefix, Tag: o.Tag})
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		answerProblem(w, fault.New(fault.Invalid, "the request cannot be read: %w", err))
		return false
	}
	return true
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func answerProblem(w http.ResponseWriter, err error) {
	status := map[fault.Kind]int{fault.Invalid: 400, fault.NotFound: 404, fault.Conflict: 409, fault.Denied: 403}[fault.Of(err)]
	if status == 0 {
		status = 500
	}
	answerJSON(w, status, web.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Error(), Kind: fault.Of(err).String()})
}
