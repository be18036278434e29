// Package feed publishes to each partner, over MQTT 3.1.1, the state of its
// own links and nobody else's: what the links are, each reading, the open
// alerts, the sites, and whether the feed is alive. To each edge it says how the
// way of its town hall is, and what it is to forget. The topics are in
// topics.go, the messages in messages.go, and both in docs/reference/asyncapi.yaml.
//
// The feed takes from the controller's topics and never makes it wait. Between
// them stands a board: of a state only the latest is kept, of samples the
// latest thousand while there is a connection, of alerts everything until the
// broker has acknowledged it. An open alert is sent again each minute, as a
// state is: a subscriber that comes in the instant of a retained message may
// miss it, which is the broker's doing. After each new connection, and so after
// a restart of either side, all that is retained is sent again, and what the
// broker retains of links, alerts and sites that are no longer the partner's
// is cleared.
package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/internal/bus"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

// Config is how often the feed speaks. Default gives every field its usual
// value.
type Config struct {
	Repeat     time.Duration // a state is sent at least this often, so that its age is known; an open alert too
	Gap        time.Duration // between two states of a link when only its levels changed
	SiteGap    time.Duration // between two messages of a site
	StaleAfter time.Duration // a reading older than this is stale
	Samples    int           // that wait for the broker; the oldest are dropped
	Window     int           // messages under way to the broker at the same time
	AckLimit   time.Duration // a broker that acknowledges nothing for so long is left and tried again
}

// Default suits a read of each device every 10 s.
func Default() Config {
	return Config{
		Repeat:     60 * time.Second,
		Gap:        10 * time.Second,
		SiteGap:    60 * time.Second,
		StaleAfter: 30 * time.Second,
		Samples:    1000,
		Window:     32,
		AckLimit:   20 * time.Second,
	}
}

// For fits the feed to an interval between reads: a reading is stale after
// three of them, and never before 30 s.
func (c Config) For(interval time.Duration) Config {
	c.StaleAfter = max(30*time.Second, 3*interval)
	return c
}

// Watch is whose news is published: the controller.
type Watch interface {
	States() *bus.Topic[network.LinkState]
	Readings() *bus.Topic[network.Reading]
	AlertEvents() *bus.Topic[controller.AlertEvent]
	Links() []network.LinkState
	Alerts(open bool) []controller.Alert
}

var _ Watch = (*controller.Controller)(nil)

// Broker is where to publish, and as whom.
type Broker struct {
	URL      string // tcp://HOST:PORT, or ssl:// for TLS
	User     string
	Password string
}

// Deps is what the feed needs of others.
type Deps struct {
	Network *network.Network
	Watch   Watch            // it must be ready before Run, so that its open alerts are those of the last run
	Broker  func() Broker    // asked before each attempt to connect
	Edges   Edges            // nil: none are spoken to
	Rules   controller.Rules // by which a way is narrow; zero: the usual ones
	Log     *slog.Logger     // nil: slog.Default
}

// Feed is the publisher.
type Feed struct {
	cfg   Config
	deps  Deps
	log   *slog.Logger
	board *board
	ready chan struct{}
	once  sync.Once

	missed atomic.Uint64 // see Figures

	mu  sync.Mutex
	err error
}

// New wires a feed; it touches nothing outside.
func New(cfg Config, deps Deps) (*Feed, error) {
	switch {
	case deps.Network == nil || deps.Watch == nil || deps.Broker == nil:
		return nil, fault.New(fault.Internal, "feed: network, watch and broker must be given")
	case cfg.Repeat <= 0 || cfg.Gap <= 0 || cfg.SiteGap <= 0 || cfg.StaleAfter <= 0 || cfg.AckLimit <= 0:
		return nil, fault.New(fault.Invalid, "feed: every duration must be more than 0")
	case cfg.Samples < 1 || cfg.Window < 1:
		return nil, fault.New(fault.Invalid, "feed: samples and window must be at least 1")
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	if deps.Rules == (controller.Rules{}) {
		deps.Rules = controller.DefaultRules()
	}
	return &Feed{
		cfg: cfg, deps: deps, log: deps.Log,
		board: newBoard(cfg.Samples), ready: make(chan struct{}),
		err: fault.New(fault.Unreachable, "feed: not connected yet"),
	}, nil
}

// Ready is closed once the broker has acknowledged the first state of
// everything. It stays open while there is no broker.
func (f *Feed) Ready() <-chan struct{} { return f.ready }

// Err says why the feed is not connected to the broker; nil when it is.
func (f *Feed) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *Feed) setErr(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// Dropped is how many samples found no room or no broker and were dropped.
func (f *Feed) Dropped() uint64 { return f.board.figures().Dropped }

// Run publishes until ctx ends, connecting again whenever the broker is lost.
// It gives no error: a broker that is away is logged, and Err tells. It may be
// called once.
func (f *Feed) Run(ctx context.Context) error {
	w := newWatcher(f.cfg, f.deps.Network, f.board)
	states := f.deps.Watch.States().Subscribe(1024)
	defer states.Close()
	readings := f.deps.Watch.Readings().Subscribe(1024)
	defer readings.Close()
	alerts := f.deps.Watch.AlertEvents().Subscribe(1024)
	defer alerts.Close()
	links := f.deps.Watch.Links()
	w.begin(time.Now(), links, f.deps.Watch.Alerts(true))
	h := newHalls(f.cfg, f.deps.Rules, f.deps.Network, f.board)
	for _, s := range links {
		h.state(time.Now(), s)
	}
	var enrolled <-chan struct{}
	if f.deps.Edges != nil {
		enrolled = f.deps.Edges.Changed()
		h.enrolled(time.Now(), f.deps.Edges.Now())
	}

	var sender sync.WaitGroup
	sender.Go(func() { f.send(ctx) })
	defer sender.Wait()

	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var lost uint64
	audit := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-states.C:
			w.state(time.Now(), s)
			h.state(time.Now(), s)
		case <-enrolled:
			h.enrolled(time.Now(), f.deps.Edges.Now())
		case now := <-look.C:
			h.look(now)
		case r := <-readings.C:
			w.reading(r)
		case e := <-alerts.C:
			w.alert(e)
		case now := <-tick.C:
			w.tick(now)
			h.tick(now)
			f.missed.Store(states.Dropped() + readings.Dropped() + alerts.Dropped())
			// Events may be lost where this loop is starved; what is open is
			// then asked for.
			if d := alerts.Dropped(); d != lost || now.Sub(audit) >= time.Minute {
				lost, audit = d, now
				w.audit(f.deps.Watch.Alerts(true))
			}
		}
	}
}
