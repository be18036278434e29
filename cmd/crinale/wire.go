package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/interop"
	"github.com/crinale/crinale/carpool/notify"
	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/feed"
	"github.com/crinale/crinale/controller/history"
	ctlpage "github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/login"
	"github.com/crinale/crinale/internal/mail"
	"github.com/crinale/crinale/internal/metrics"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/outbox"
	"github.com/crinale/crinale/internal/spine"
	"github.com/crinale/crinale/internal/territory"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/census"
	"github.com/crinale/crinale/planning/dem"
	"github.com/crinale/crinale/planning/export"
	plnpage "github.com/crinale/crinale/planning/page"
	"github.com/crinale/crinale/radio"
	"github.com/crinale/crinale/radio/routeros"
)

// Who can do what: each line is a plug that fits its socket.
var (
	_ controller.Observer      = (*radio.Fleet)(nil)
	_ controller.Sink          = (*history.History)(nil)
	_ controller.Ledger        = (*controller.StoreLedger)(nil)
	_ controller.PartnerBroker = (*spine.Spine)(nil)
	_ controller.Provisioner   = (*radio.Fleet)(nil)
	_ radio.Provisioner        = (*routeros.Driver)(nil)
	_ web.People               = (*login.People)(nil)
	_ web.AuditLog             = (*audit.Log)(nil)
	_ ctlpage.Changer          = (*controller.Changes)(nil)
	_ feed.Watch               = (*controller.Controller)(nil)
	_ ctlpage.Links            = (*controller.Controller)(nil)
	_ ctlpage.Devices          = (*controller.Controller)(nil)
	_ ctlpage.Alerts           = (*controller.Controller)(nil)
	_ ctlpage.Changes          = (*controller.Controller)(nil)
	_ ctlpage.History          = historyView{}
	_ radio.Driver             = (*routeros.Driver)(nil)
	_ planning.Terrain         = (*dem.Mosaic)(nil)
	_ plnpage.Plan             = (*coverage)(nil)
	_ ctlpage.Partners         = partnerVerbs{}
)

// world is what a server runs on: read once, before anything is wired.
type world struct {
	network   *network.Network
	terrain   *dem.Mosaic
	union     *territory.Union
	demand    planning.Demand
	planned   map[network.LinkID]planning.PlannedLink
	simulated bool      // pages say that radios and readings are simulated
	ways      ways      // of the portal
	codes     io.Writer // where the demo writes the codes of who joins the portal; nil elsewhere
}

// survey plans every link and spreads the people.
func survey(n *network.Network, t *dem.Mosaic) (world, error) {
	u, err := demo.Union()
	if err != nil {
		return world{}, fmt.Errorf("territory: %w", err)
	}
	d, err := census.Spread(u, u.LatestYear())
	if err != nil {
		return world{}, fmt.Errorf("census: %w", err)
	}
	return world{network: n, terrain: t, union: u, demand: d, planned: planning.Links(n, t)}, nil
}

// level is the planned level that a link gives at one of its devices; false
// where planning has no answer.
func (w world) level(id network.LinkID, to network.DeviceID) (unit.DBm, bool) {
	l, ok := w.network.Link(id)
	if !ok {
		return 0, false
	}
	if to == l.A {
		return w.planned[id].A.Get()
	}
	return w.planned[id].B.Get()
}

// profile draws the ground under a link as SVG.
func (w world) profile(_ context.Context, id network.LinkID, lang string) ([]byte, error) {
	p, ok := w.planned[id]
	if !ok || p.Plan == nil {
		return nil, fault.New(fault.NotFound, "no profile of %s", id)
	}
	var b bytes.Buffer
	if err := export.ProfileSVG(&b, p.Plan, lang); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// server is one crinale, wired and not started.
type server struct {
	cfg      config
	log      *slog.Logger
	spine    *spine.Spine // nil with an outer broker
	metrics  *metrics.Registry
	audit    *audit.Log
	people   *login.People
	partners *controller.Partners
	edges    *controller.Edges
	changes  *controller.Changes
	outbox   *outbox.Box
	carpool  *carpool.Portal
	mailer   *mail.Mailer // nil: no server is configured
	io       *notify.IO   // nil: App IO is not used
	gateway  notify.Gateway
	copies   *copies // nil for a check
	modem    *modem  // nil: no router sends short messages
	receiver *notify.Receiver
	sms      *notify.SMS // nil: no gateway is configured
	notify   *notify.Notifier
	outside  *interop.Server // nil: no other operators
	history  *history.History
	rules    controller.Rules
	influx   *history.Influx // nil when off
	driver   *routeros.Driver
	control  *controller.Controller
	feed     *feed.Feed
	web      *web.Shell
	coverage *coverage
	local    *local
}

// wire plugs a server together; nothing is touched before it runs. For a
// check k is nil, and what lives in the database is left out.
func wire(cfg config, w world, book radio.Book, k *kept, log *slog.Logger) (*server, error) {
	s := &server{cfg: cfg, log: log, metrics: metrics.New()}
	var err error
	fail := func(what string, err error) (*server, error) { return nil, fmt.Errorf("%s: %w", what, err) }

	var users, edges controller.PartnerBroker
	var broker func() feed.Broker
	if cfg.MQTT.Broker == "" {
		sc := spine.Default()
		sc.Dir, sc.MQTTAddr = filepath.Join(cfg.Data, "spine"), cfg.MQTT.Listen
		if s.spine, err = spine.New(sc, spine.Deps{Log: log}); err != nil {
			return fail("mqtt", err)
		}
		guests := controller.NewGuests(s.spine)
		users, edges = guests.Of("partners"), guests.Of("edges")
		broker = func() feed.Broker {
			user, password := s.spine.Internal()
			return feed.Broker{URL: "tcp://" + s.spine.MQTTAddr(), User: user, Password: password}
		}
	} else {
		if err := feed.CheckURL(cfg.MQTT.Broker); err != nil {
			return fail("mqtt.broker", err)
		}
		password, err := secret("mqtt.password_file", cfg.MQTT.PasswordFile)
		if err != nil {
			return nil, err
		}
		broker = func() feed.Broker {
			return feed.Broker{URL: cfg.MQTT.Broker, User: cfg.MQTT.User, Password: password}
		}
	}
	if err := s.wireSenders(w, book); err != nil {
		return nil, err
	}
	if k != nil {
		if err := s.wirePeople(k); err != nil {
			return nil, err
		}
		if s.partners, err = controller.NewPartners(controller.PartnersDeps{Store: k.db, Audit: s.audit, Network: w.network, Broker: users, Log: log}); err != nil {
			return fail("partners", err)
		}
		if s.edges, err = controller.NewEdges(controller.EdgesDeps{Store: k.db, Audit: s.audit, Network: w.network, Broker: edges, Log: log}); err != nil {
			return fail("edges", err)
		}
		if s.copies, err = newCopies(cfg.Copies, cfg.Data, k.db, log); err != nil {
			return nil, err
		}
		if err := s.wireCarpool(w, k); err != nil {
			return nil, err
		}
	}
	if err := s.wireHistory(); err != nil {
		return nil, err
	}
	if err := s.wireControl(w, book, k, broker); err != nil {
		return nil, err
	}
	if err := s.wirePages(w); err != nil {
		return nil, err
	}
	if k != nil {
		if err := s.wireCarpoolPages(w, k); err != nil {
			return nil, err
		}
		if err := s.receiver.Mount(s.web, s.notify); err != nil {
			return fail("sms", err)
		}
		if err := s.mountOutside(w); err != nil {
			return fail("carpool: open data", err)
		}
	}
	s.wireFigures()
	if err := s.metrics.Err(); err != nil {
		return fail("metrics", err)
	}
	s.web.Handle("GET /metrics", web.NeedsUnion(login.ReadMetrics), s.metrics.Handler())
	s.local = newLocal(cfg.Data, s.web.Handler(), log)
	return s, nil
}

func (s *server) wireHistory() error {
	hc := history.Default()
	hc.Dir = filepath.Join(s.cfg.Data, "history")
	hc.RawDays, hc.MinuteDays, hc.QuarterDays = s.cfg.History.RawDays, s.cfg.History.MinuteDays, s.cfg.History.QuarterDays
	var err error
	if s.history, err = history.New(hc, history.Deps{Log: s.log}); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if s.cfg.History.InfluxURL == "" {
		return nil
	}
	ic := history.DefaultInflux()
	ic.URL, ic.Org, ic.Bucket = s.cfg.History.InfluxURL, s.cfg.History.InfluxOrg, s.cfg.History.InfluxBucket
	if ic.Token, err = secret("history.influx_token_file", s.cfg.History.InfluxTokenFile); err != nil {
		return err
	}
	if s.influx, err = history.NewInflux(ic, history.Deps{Log: s.log}); err != nil {
		return fmt.Errorf("history.influx_url: %w", err)
	}
	return nil
}

func (s *server) wireControl(w world, book radio.Book, k *kept, broker func() feed.Broker) error {
	ca, err := loadCA("radio.ca_file", s.cfg.Radio.CAFile)
	if err != nil {
		return err
	}
	rc := routeros.Default()
	rc.RootCAs = ca
	if s.driver, err = routeros.New(rc, routeros.Deps{Log: s.log}); err != nil {
		return fmt.Errorf("radio: %w", err)
	}
	fc := radio.Default()
	fc.Timeout = max(fc.Timeout, s.cfg.timeout())                         // a poll has its own, shorter one; a change has time
	fleet, err := radio.New(fc, radio.Deps{Driver: s.driver, Book: book}) // the controller logs silence
	if err != nil {
		return fmt.Errorf("radio: %w", err)
	}
	cc := controller.Default()
	cc.Interval, cc.Deadline, cc.Workers = s.cfg.every(), s.cfg.timeout(), s.cfg.Poll.Workers
	cc.Spread = s.cfg.every() / 2
	cc.Rules = cc.Rules.For(cc.Interval)
	cc.Rules.Efficiency = planning.UsableShare // one idea of capacity for plan and watch
	s.rules = cc.Rules
	var ledger controller.Ledger
	if k != nil {
		ledger = controller.NewLedger(k.db)
		if err := s.wireChanges(w, fleet, k); err != nil {
			return err
		}
	}
	sinks := []controller.Sink{s.history}
	if s.influx != nil {
		sinks = append(sinks, s.influx)
	}
	s.control, err = controller.New(cc, controller.Deps{
		Network: w.network, Observer: fleet, Sinks: sinks, Ledger: ledger, Log: s.log,
		Planned: func(id network.LinkID) controller.Planned {
			p := w.planned[id]
			return controller.Planned{A: p.A, B: p.B}
		},
	})
	if err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	fd := feed.Deps{Network: w.network, Watch: s.control, Broker: broker, Rules: cc.Rules, Log: s.log}
	if s.edges != nil {
		fd.Edges = s.edges
	}
	if s.feed, err = feed.New(feed.Default().For(s.cfg.every()), fd); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	return nil
}
