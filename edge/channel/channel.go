// Package channel is how an edge hears its controller: over MQTT 3.1.1 it reads
// its own two topics, which the broker retains, how its way is and what it is to
// forget. It publishes nothing and decides nothing.
//
// What is saved may be given as if it were right only while all orders are known
// to be obeyed: Heard says whether they are. That is so from when the orders that
// the broker retains were carried out until the connection is lost.
package channel

import (
	"context"
	"crypto/x509"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

// Config is where the controller is heard, and as whom.
type Config struct {
	Broker   func() string // tls://HOST:PORT, or tcp://HOST:PORT; asked before each attempt to connect
	User     string        // edge-NAME
	Name     string        // of the edge, in its topics
	Password string
	Roots    *x509.CertPool // that vouch for the broker; nil: those of the machine
	File     string         // where the last order that was obeyed is remembered
	Wait     time.Duration  // after a start, until what is saved is given without having heard the orders
	Again    time.Duration  // between two attempts to connect, at most
}

// Default says nothing of where.
func Default() Config { return Config{Wait: 2 * time.Second, Again: 5 * time.Second} }

// Deps are what is done with what is heard.
type Deps struct {
	Tell   func(edge.Word)
	Forget func(edge.Order) error // returns when the disk knows
	Log    *slog.Logger           // nil: silent
}

// State is how the channel stands.
type State struct {
	Connected bool
	Since     time.Time // of Connected
	Err       string    // why it is not connected, or why what came could not be used; "" when all is well
	Said      edge.Said // the last that counted when it came; At is zero when there was none
	Obeyed    int64     // number of the last order; 0: none yet
	Heard     bool      // all orders are obeyed
}

// trouble is with what something is wrong.
type trouble uint8

const (
	withOrders trouble = iota
	withWays
	withConnection
)

// Channel is a channel to one controller.
type Channel struct {
	cfg  Config
	deps Deps

	heard atomic.Bool
	begun chan struct{} // closed when the orders were heard first, or were waited for long enough
	once  sync.Once

	mu     sync.Mutex
	count  int // of connections
	state  State
	wrong  map[trouble]string
	obeyed edge.Obeyed
}

// New makes a channel; it touches nothing but the file of the last order. One that
// cannot be read is as if orders had been missed.
func New(c Config, d Deps) (*Channel, error) {
	switch {
	case c.Broker == nil:
		return nil, fault.New(fault.Internal, "channel: nobody knows where the broker is")
	case c.User == "" || c.Name == "" || c.File == "":
		return nil, fault.New(fault.Invalid, "channel: user, name and file must be given")
	case c.Wait <= 0 || c.Again <= 0:
		return nil, fault.New(fault.Invalid, "channel: give times above zero")
	case d.Tell == nil || d.Forget == nil:
		return nil, fault.New(fault.Internal, "channel: there is nobody to tell")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	ch := &Channel{cfg: c, deps: d, begun: make(chan struct{}), wrong: map[trouble]string{withConnection: "not connected yet"}}
	var err error
	if ch.obeyed, err = readObeyed(c.File); err != nil {
		d.Log.Warn("which orders were obeyed is not known: all that is saved is forgotten when the controller is heard", "file", c.File, "err", err)
		ch.obeyed = edge.Obeyed{Seq: -1}
	}
	ch.state = State{Since: time.Now(), Obeyed: max(ch.obeyed.Seq, 0)}
	return ch, nil
}

// Heard says whether all orders of the controller are obeyed, so that what is saved
// may be given. After a start it waits until they are, but no longer than
// Config.Wait.
func (c *Channel) Heard(ctx context.Context) bool {
	if c.heard.Load() {
		return true
	}
	select {
	case <-c.begun:
	case <-ctx.Done():
	}
	return c.heard.Load()
}

// State is how the channel stands now.
func (c *Channel) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.Heard = c.heard.Load()
	for _, t := range []trouble{withConnection, withOrders, withWays} {
		if s.Err == "" {
			s.Err = c.wrong[t]
		}
	}
	return s
}

// Run hears until ctx ends, and connects again whenever the broker is lost.
func (c *Channel) Run(ctx context.Context) error {
	late := time.AfterFunc(c.cfg.Wait, c.begin)
	defer late.Stop()
	defer c.begin()
	said := ""
	for failed := 0; ctx.Err() == nil; failed++ {
		err := c.session(ctx, func() {
			if said != "" {
				c.deps.Log.Info("the controller is heard again", "broker", c.cfg.Broker())
			}
			said, failed = "", 0
		})
		if err != nil {
			c.note(withConnection, err)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			c.deps.Log.Warn("the controller is not heard, and is tried again", "err", err)
		}
		wait(ctx, c.pause(failed, err))
	}
	return nil
}

// pause is how long to wait after failures. Who is not let in time and again will
// not be soon: a controller that starts lets nobody in for some seconds.
func (c *Channel) pause(failed int, err error) time.Duration {
	most := c.cfg.Again
	if fault.Of(err) == fault.Denied {
		most *= 6
	}
	return min(250*time.Millisecond<<min(failed, 10), most)
}

// begin ends the waiting after the start.
func (c *Channel) begin() { c.once.Do(func() { close(c.begun) }) }

// connected notes a connection, and gives its number.
func (c *Channel) connected() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	c.state.Connected, c.state.Since = true, time.Now()
	clear(c.wrong)
	return c.count
}

// lost notes that a connection is no more: from now on nothing is heard.
func (c *Channel) lost(number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if number != c.count {
		return // another one has taken its place
	}
	c.heard.Store(false)
	if c.state.Connected {
		c.state.Connected, c.state.Since = false, time.Now()
	}
}

// obeyedAll notes that all orders of a connection that still is are obeyed.
func (c *Channel) obeyedAll(number int) {
	c.mu.Lock()
	if number == c.count && c.state.Connected {
		c.heard.Store(true)
	}
	c.mu.Unlock()
	c.begin()
}

// note notes what is wrong, nil for nothing, and says whether that begins now.
func (c *Channel) note(with trouble, err error) (begins bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.wrong[with]
	if err == nil {
		delete(c.wrong, with)
		return false
	}
	c.wrong[with] = err.Error()
	return old == ""
}
