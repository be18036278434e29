package main

import (
	"context"
	"crypto/tls"
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
	"github.com/crinale/crinale/edge/acme"
	"github.com/crinale/crinale/edge/channel"
	"github.com/crinale/crinale/edge/mirror"
	"github.com/crinale/crinale/edge/page"
	"github.com/crinale/crinale/edge/people"
	"github.com/crinale/crinale/edge/proxy"
	"github.com/crinale/crinale/edge/queue"
	"github.com/crinale/crinale/edge/store"
	"github.com/crinale/crinale/edge/warm"
	"github.com/crinale/crinale/internal/certfile"
	"github.com/crinale/crinale/internal/fault"
	lifecycle "github.com/crinale/crinale/internal/run"
	"github.com/crinale/crinale/internal/zone"
)

// edgeServer is one edge, wired.
type edgeServer struct {
	policy edge.Policy
	data   string
	addr   string
	certs  map[string]*certfile.Pair // by host; none, and no authority: plain HTTP
	acme   *acme.Keeper              // nil: no authority is asked
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
	saved   *savings

	channel  *channel.Channel // nil: no controller is heard
	brokerAt func() string    // of the controller in this process, whose port is known late; nil: as edge.yaml says

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
		if s.secure() {
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
	c.Name, c.Zone = p.Name, zone.Rome() // where people read the clock, whatever the machine is set to
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
	if err := s.newChannel(); err != nil {
		return nil, err
	}
	pd := proxy.Deps{Store: s.store, Transport: s.ways, Watch: s.watch, Unsent: s.unsent, Log: log}
	if s.channel != nil {
		pd.Heard = s.channel.Heard
	}
	if s.proxy, err = proxy.New(c, pd); err != nil {
		return nil, err
	}
	if err := s.newWarm(); err != nil {
		return nil, err
	}
	if err := s.newOffice(); err != nil {
		return nil, err
	}
	s.page, err = page.New(page.Config{Zone: zone.Rome()}, page.Deps{Now: s.standing})
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
	s.saved = newSavings(s)
	own := &local{data: s.data, handler: s.commands(), log: s.log, ready: make(chan struct{})}
	stages := []lifecycle.Stage{
		{Name: "store", Run: s.store.Run},
		{Name: "ways", Run: s.ways.Run},
		{Name: "watch", Run: s.watch.Run},
		{Name: "queue", Run: s.queue.Run},
	}
	if s.acme != nil {
		stages = append(stages, lifecycle.Stage{Name: "certificates", Run: s.acme.Run})
	}
	if s.channel != nil {
		stages = append(stages, lifecycle.Stage{Name: "channel", Run: s.channel.Run})
	}
	stages = append(stages, []lifecycle.Stage{
		{Name: "answers", Run: s.serve, Ready: s.ready},
		{Name: "warm", Run: s.warmer.Run},
		{Name: "savings", Run: s.saved.run},
		{Name: "commands", Run: own.run, Ready: own.ready},
	}...)
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
	if s.secure() {
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
