// Package controller watches the network: it reads every device, turns what it
// hears into readings of links, judges them, and keeps the last known state.
//
// It decides with pure functions (Pair, Judge, LinkSight.Status) and hands the
// results to its sinks and topics. It does not talk to radios, brokers or
// pages itself: cmd/crinale plugs in who does.
package controller

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/bus"
	"github.com/crinale/crinale/internal/network"
)

// Controller is the watch over one network.
type Controller struct {
	cfg    Config
	deps   Deps
	log    *slog.Logger
	ready  chan struct{}
	book   *book
	topics topics

	mu    sync.RWMutex
	cache *cache
}

type topics struct {
	states   bus.Topic[network.LinkState]
	readings bus.Topic[network.Reading]
	alerts   bus.Topic[AlertEvent]
}

// New wires a controller; it touches nothing outside.
func New(cfg Config, deps Deps) (*Controller, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	return &Controller{
		cfg: cfg, deps: deps, log: deps.Log,
		ready: make(chan struct{}),
		book:  newBook(deps.Ledger, deps.Log),
		cache: newCache(deps.Network, cfg.Rules, deps.Planned),
	}, nil
}

// Ready is closed once the open alerts of the last run are back and polling
// begins.
func (c *Controller) Ready() <-chan struct{} { return c.ready }

// Run polls until ctx ends. It may be called once.
func (c *Controller) Run(ctx context.Context) error {
	gone, err := c.restore(ctx)
	if err != nil {
		return err
	}
	bookCtx, closeBook := context.WithCancel(context.WithoutCancel(ctx))
	defer closeBook()
	var last, work sync.WaitGroup
	last.Go(func() { c.book.run(bookCtx) })
	c.announce(gone)

	polls := make(chan poll, 64)
	work.Go(func() {
		newPoller(c.cfg, c.deps.Observer, c.log, polls).run(ctx, watched(c.deps.Network))
	})
	close(c.ready)
	c.loop(ctx, polls)
	work.Wait()
	closeBook()
	last.Wait()
	return nil
}

// restore brings back the alerts of the last run. It gives those that are
// closed now, since their link or device is no longer in the network files.
func (c *Controller) restore(ctx context.Context) ([]AlertEvent, error) {
	if c.deps.Ledger == nil {
		return nil, nil
	}
	alerts, err := c.deps.Ledger.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("controller: read the alerts of the last run: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	var gone []AlertEvent
	links, devices := map[int][]Alert{}, map[int][]Alert{}
	for i, a := range alerts {
		if !a.IsOpen() {
			continue
		}
		l, okLink := c.cache.link[a.Link]
		d, okDevice := c.cache.device[a.Device]
		switch {
		case a.Link != "" && okLink:
			links[l] = append(links[l], a)
		case a.Link == "" && okDevice && c.cache.devices[d].state.Reach != ReachPlanned:
			devices[d] = append(devices[d], a)
		default:
			alerts[i].Closed = &now
			gone = append(gone, AlertEvent{Closed, alerts[i]})
		}
	}
	for i, as := range links {
		c.cache.links[i].judge = Restore(as)
		c.cache.links[i].state.Alerts = ids(c.cache.links[i].judge)
	}
	for i, as := range devices {
		c.cache.devices[i].judge = Restore(as)
		c.cache.devices[i].state.Alerts = ids(c.cache.devices[i].judge)
	}
	c.book.fill(alerts)
	return gone, nil
}

// loop takes one result after another; only it changes the cache.
func (c *Controller) loop(ctx context.Context, polls <-chan poll) {
	tick := time.NewTicker(c.cfg.Interval / 2)
	defer tick.Stop()
	troubles := make([]trouble, len(c.deps.Sinks))
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-polls:
			c.take(ctx, p, troubles)
		case now := <-tick.C:
			c.mu.Lock()
			states := c.cache.age(now)
			c.mu.Unlock()
			for _, s := range states {
				c.topics.states.Publish(s)
			}
		}
	}
}

// take brings one result through the whole house.
func (c *Controller) take(ctx context.Context, p poll, troubles []trouble) {
	var readings []network.Reading
	if p.observation != nil {
		readings = Pair(c.deps.Network, *p.observation)
	}
	c.mu.Lock()
	states, events := c.cache.take(p, readings)
	c.mu.Unlock()

	if len(readings) > 0 {
		for i, s := range c.deps.Sinks {
			err := s.Append(ctx, readings)
			if troubles[i].note(err, p.at) {
				c.tellSink(s, err, troubles[i])
			}
		}
	}
	for _, r := range readings {
		c.topics.readings.Publish(r)
	}
	c.announce(events)
	for _, s := range states {
		c.topics.states.Publish(s)
	}
}

func (c *Controller) tellSink(s Sink, err error, t trouble) {
	if err != nil {
		c.log.Error("sink does not take readings", "sink", fmt.Sprintf("%T", s), "err", err)
		return
	}
	c.log.Info("sink takes readings again", "sink", fmt.Sprintf("%T", s), "failed", t.last)
}

// announce writes alerts to the book, the log and the topic.
func (c *Controller) announce(events []AlertEvent) {
	for _, e := range events {
		c.book.put(e.Alert)
		c.log.Info("alert "+string(e.Change), "alert", e.Alert.ID, "severity", e.Alert.Severity, "seen", e.Alert.Seen.EN)
		c.topics.alerts.Publish(e)
	}
}

// States tells each new state of a link, on every read and when time makes it
// unknown. The readings inside are shared: do not change them.
func (c *Controller) States() *bus.Topic[network.LinkState] { return &c.topics.states }

// Readings tells every reading.
func (c *Controller) Readings() *bus.Topic[network.Reading] { return &c.topics.readings }

// AlertEvents tells each alert that opens or closes.
func (c *Controller) AlertEvents() *bus.Topic[AlertEvent] { return &c.topics.alerts }

// Links is the last known state of every link, in the order of the files.
func (c *Controller) Links() []network.LinkState {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]network.LinkState, len(c.cache.links))
	for i, l := range c.cache.links {
		out[i] = l.state
	}
	return out
}

// Link is the last known state of one link.
func (c *Controller) Link(id network.LinkID) (network.LinkState, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, ok := c.cache.link[id]
	if !ok {
		return network.LinkState{}, false
	}
	return c.cache.links[i].state, true
}

// Devices is the last known state of every device, in the order of the files.
func (c *Controller) Devices() []DeviceState {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]DeviceState, len(c.cache.devices))
	for i, d := range c.cache.devices {
		out[i] = d.state
	}
	return out
}

// Device is the last known state of one device.
func (c *Controller) Device(id network.DeviceID) (DeviceState, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, ok := c.cache.device[id]
	if !ok {
		return DeviceState{}, false
	}
	return c.cache.devices[i].state, true
}

// Planned is what planning expects of a link.
func (c *Controller) Planned(id network.LinkID) Planned {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if i, ok := c.cache.link[id]; ok {
		return c.cache.links[i].planned
	}
	return Planned{}
}

// Alerts lists alerts, the newest first: only the open ones, or the recently
// closed ones too.
func (c *Controller) Alerts(open bool) []Alert {
	as := c.book.list(open)
	slices.Reverse(as)
	return as
}

// Alert is one alert, open or recently closed.
func (c *Controller) Alert(id string) (Alert, bool) { return c.book.get(id) }
