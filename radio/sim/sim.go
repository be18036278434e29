// Package sim is a whole fleet of simulated RouterOS devices on loopback.
//
// Each device of a network is a TCP listener that speaks the RouterOS API.
// Words are coded by go-routeros/v3/proto, never by the codec of
// radio/routeros, so that the simulator stays an independent peer. Received
// levels start from a planned level given at wiring; weather, noise and the
// faults that a test or the demo commands bend them. What a client writes is
// kept on disk, as a real device keeps it. Scripts and the scheduler really run,
// with or without a session.
//
// It is not a model of everything RouterOS can do: the menus are those a
// controller of radio links reads and writes. The demo, the tests and
// `crinale radio sim` use it.
package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/unit"
)

// Config of a fleet. The zero value of every field but StateDir means the
// value that Default gives.
type Config struct {
	StateDir string        // where passwords, ports and device configurations are kept
	Listen   string        // loopback host:port; port 0: any free, else the first of consecutive ports
	Control  string        // loopback host:port of the control HTTP
	Seed     uint64        // of all that is drawn: versions, noise, traffic
	User     string        // management user of every device
	NoTLS    bool          // no TLS listeners
	Join     time.Duration // from matching settings to an associated link; negative: at once
	// Versions overrides the RouterOS version of devices, as "7.12.1 (stable)".
	// One before 6.43 asks for the MD5 challenge at login.
	Versions map[network.DeviceID]string
	// Gateways are where the management network enters: a device answers only
	// while a chain of links that are up joins it to one of them. Devices of one
	// site or seat are joined by cable. None: all answer.
	Gateways []network.DeviceID
}

// Default is a fleet on any free loopback ports. StateDir must still be set.
func Default() Config {
	return Config{Listen: "127.0.0.1:0", Control: "127.0.0.1:0", User: "crinale", Join: 2 * time.Second}
}

// Deps is what a fleet needs from others.
type Deps struct {
	Network *network.Network
	// Level is the planned level a link gives at one of its devices, before
	// weather and faults; false: not known, and the radio link stays down. It is
	// asked once for each end, in Run.
	Level func(l network.LinkID, to network.DeviceID) (unit.DBm, bool)
	Log   *slog.Logger
}

// Endpoint is where a device is reached. SSH is always null for now.
type Endpoint struct {
	ID       network.DeviceID `json:"id"`
	Address  string           `json:"address"`
	TLS      *string          `json:"tls"`
	SSH      *string          `json:"ssh"`
	User     string           `json:"user"`
	Password string           `json:"password"`
}

// Fleet is the simulated devices and the air between them.
type Fleet struct {
	cfg   Config
	deps  Deps
	log   *slog.Logger
	ready chan struct{}

	// mu guards the devices' configurations, the links, the faults and the
	// weather. Nothing waits while holding it.
	mu       sync.Mutex
	devices  []*device
	byID     map[network.DeviceID]*device
	links    []*link
	byLink   map[network.LinkID]*link
	faults   map[string]*active
	waiting  []*active // faults that wait for writes
	nextID   int
	walked   time.Time // when it was last found out which devices are joined to a gateway
	weather  Weather
	control  string
	memory   memory
	tls      *tls.Config
	ended    bool
	running  bool
	saveMu   sync.Mutex     // serialises writes of fleet.json and sim.json
	sessions sync.WaitGroup // and saves that Run waits for
}

// New makes a fleet of a network. It touches nothing outside.
func New(c Config, d Deps) (*Fleet, error) {
	def := Default()
	if c.StateDir == "" {
		return nil, fault.New(fault.Invalid, "simulated fleet: no state folder given")
	}
	if c.Listen == "" {
		c.Listen = def.Listen
	}
	if c.Control == "" {
		c.Control = def.Control
	}
	if c.User == "" {
		c.User = def.User
	}
	if c.Join == 0 {
		c.Join = def.Join
	}
	for _, a := range []struct{ name, addr string }{{"listen", c.Listen}, {"control", c.Control}} {
		if err := loopback(a.addr); err != nil {
			return nil, fault.New(fault.Invalid, "simulated fleet: %s address %q: %w", a.name, a.addr, err)
		}
	}
	if d.Network == nil || d.Level == nil {
		return nil, fault.New(fault.Invalid, "simulated fleet: it needs a network and the planned levels")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{
		cfg: c, deps: d, log: d.Log, ready: make(chan struct{}),
		byID: map[network.DeviceID]*device{}, byLink: map[network.LinkID]*link{}, faults: map[string]*active{},
	}
	for id, v := range c.Versions {
		if _, ok := d.Network.Device(id); !ok {
			return nil, fault.New(fault.Invalid, "simulated fleet: version given for %q, which is no device of the network", id)
		}
		if parseVersion(v) == (version{}) {
			return nil, fault.New(fault.Invalid, `simulated fleet: version %q of %s is not like "7.18.2 (stable)"`, v, id)
		}
	}
	for _, id := range c.Gateways {
		if _, ok := d.Network.Device(id); !ok {
			return nil, fault.New(fault.Invalid, "simulated fleet: gateway %q is no device of the network", id)
		}
	}
	for i, nd := range d.Network.Devices {
		dev := newDevice(f, i, nd)
		f.devices = append(f.devices, dev)
		f.byID[nd.ID] = dev
	}
	for i, nl := range d.Network.Links {
		l, err := newLink(f, i, nl)
		if err != nil {
			return nil, fault.As(fault.Invalid, fmt.Errorf("simulated fleet: %w", err))
		}
		f.links = append(f.links, l)
		f.byLink[nl.ID] = l
	}
	places := map[string][]*device{}
	for _, dev := range f.devices {
		dev.factory = f.factory(dev)
		dev.config = dev.factory
		p := "site/" + string(dev.net.Site)
		if dev.net.Site == "" {
			p = "seat/" + string(dev.net.Seat)
		}
		places[p] = append(places[p], dev)
	}
	for p, ds := range places {
		if p == "seat/" {
			continue
		}
		for _, dev := range ds {
			dev.mates = ds
		}
	}
	return f, nil
}

// loopback refuses an address others could reach: devices have weak secrets.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("the simulator listens on loopback only, give 127.0.0.1:PORT")
	}
	return nil
}

// Ready is closed once every device answers and sim.json is written.
func (f *Fleet) Ready() <-chan struct{} { return f.ready }

// Control is the URL of the control HTTP; "" before Ready.
func (f *Fleet) Control() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.control
}

// Devices are the endpoints of the fleet, in the network's order; none before
// Ready.
func (f *Fleet) Devices() []Endpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.endpoints()
}

// Writes counts, by device, the commands that ask to change its configuration
// (set, add, remove, unset, enable, disable, comment, run, reboot) seen on the
// wire, the refused ones too. What its own scripts and its console change does
// not count.
func (f *Fleet) Writes() map[network.DeviceID]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make(map[network.DeviceID]int, len(f.devices))
	for _, d := range f.devices {
		out[d.id] = d.writes
	}
	return out
}

// Run serves the fleet until ctx ends. A fleet runs once.
func (f *Fleet) Run(ctx context.Context) error {
	f.mu.Lock()
	again := f.running
	f.running = true
	f.mu.Unlock()
	if again {
		return errors.New("simulated fleet: it runs already, or ran before")
	}
	if err := f.load(); err != nil {
		return fmt.Errorf("simulated fleet: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	ls, err := f.listen()
	if err != nil {
		return fmt.Errorf("simulated fleet: %w", err)
	}
	srv := &http.Server{Handler: f.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelWarn)}
	f.mu.Lock()
	f.control = "http://" + ls.control.Addr().String()
	f.mu.Unlock()
	var wg sync.WaitGroup
	for _, l := range ls.devices {
		wg.Go(func() { f.accept(ctx, l.dev, l.Listener) })
	}
	failed := make(chan error, 1)
	wg.Go(func() {
		if err := srv.Serve(ls.control); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("simulated fleet: control: %w", err)
		}
	})

	err = f.announce()
	if err == nil {
		f.log.Info("simulated fleet ready", "devices", len(f.devices), "control", f.Control())
		close(f.ready)
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}

	cancel()
	f.end()
	srv.Close()
	ls.close()
	wg.Wait()
	f.sessions.Wait()
	if err != nil {
		return err
	}
	return nil
}

// end stops the timers of faults and closes every session.
func (f *Fleet) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for _, a := range f.faults {
		a.stop()
	}
	f.waiting = nil
	for _, d := range f.devices {
		d.powerOff()
		d.hangUp(nil)
	}
}
