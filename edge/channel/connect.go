package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/crinale/crinale/edge"
	"github.com/crinale/crinale/internal/fault"
)

const (
	connectLimit = 10 * time.Second
	keepAlive    = 15 * time.Second
	pingLimit    = 5 * time.Second // with keepAlive: how long a dead link is not noticed
	tryAgain     = 5 * time.Second // an order that the disk did not take
)

// wait d, give or take a quarter, so that many do not come at once.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d*3/4 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// box holds the newest message of a topic until somebody looks: whoever is slow
// finds the last word, and not all that were before.
type box struct {
	fresh chan message // size one
}

type message struct {
	payload  []byte
	retained bool // it was there before we came
}

func newBox() box { return box{make(chan message, 1)} }

// put is called by one goroutine alone.
func (b box) put(m message) {
	select {
	case <-b.fresh:
	default:
	}
	b.fresh <- m
}

// session connects, and hears until the connection is lost or ctx ends. onIn is
// called when the broker has taken the subscriptions.
func (c *Channel) session(ctx context.Context, onIn func()) error {
	lost := make(chan error, 1)
	ways, orders := newBox(), newBox()
	client, err := c.connect(ctx, lost)
	if err != nil {
		return err
	}
	number := c.connected()
	defer c.lost(number)
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{}, 2)
	go func() { c.hearWays(ctx, ways); done <- struct{}{} }()
	go func() { c.hearOrders(ctx, number, orders); done <- struct{}{} }()
	defer func() {
		client.Disconnect(100)
		end()
		<-done
		<-done
	}()
	prefix := "crinale/v1/edge/" + c.cfg.Name
	token := client.SubscribeMultiple(map[string]byte{prefix + "/way": 1, prefix + "/orders": 1}, func(_ mqtt.Client, m mqtt.Message) {
		switch m.Topic() {
		case prefix + "/way":
			ways.put(message{m.Payload(), m.Retained()})
		case prefix + "/orders":
			orders.put(message{m.Payload(), m.Retained()})
		}
	})
	select {
	case <-token.Done():
	case <-ctx.Done():
		return nil
	case err := <-lost:
		return c.refusal(err)
	case <-time.After(connectLimit):
		return fault.New(fault.Unreachable, "hear the controller at %s: it does not take the subscriptions", c.cfg.Broker())
	}
	if err := token.Error(); err != nil {
		return c.refusal(err)
	}
	for topic, code := range token.(*mqtt.SubscribeToken).Result() {
		if code >= 0x80 { // the token itself has no error then
			return fault.New(fault.Denied, "hear the controller at %s: %s may not read %s: is it enrolled under this name?", c.cfg.Broker(), c.cfg.User, topic)
		}
	}
	onIn()
	select {
	case <-ctx.Done():
		return nil
	case err := <-lost:
		c.lost(number) // before what is under way is waited for
		return fault.New(fault.Unreachable, "hear the controller at %s: %w", c.cfg.Broker(), err)
	}
}

// connect logs in. lost gets the cause when the connection ends later.
func (c *Channel) connect(ctx context.Context, lost chan<- error) (mqtt.Client, error) {
	u, err := url.Parse(c.cfg.Broker())
	if err != nil || u.Hostname() == "" {
		return nil, fault.New(fault.Invalid, "hear the controller: the broker's address cannot be read")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), map[bool]string{true: "1883", false: "8883"}[u.Scheme == "tcp"])
	}
	o := mqtt.NewClientOptions()
	o.AddBroker(u.String()).SetClientID(fmt.Sprintf("edge-%08x", rand.Uint32())).SetUsername(c.cfg.User).SetPassword(c.cfg.Password)
	o.SetProtocolVersion(4) // 3.1.1, with no second attempt in 3.1, whose EOF would hide the cause
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetConnectTimeout(connectLimit).SetWriteTimeout(connectLimit)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingLimit)
	o.SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.cfg.Roots, ServerName: u.Hostname()})
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		lost <- err
	})
	client := mqtt.NewClient(o)
	token := client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		client.Disconnect(0)
		return nil, ctx.Err()
	}
	if err := token.Error(); err != nil {
		return nil, c.refusal(err)
	}
	return client, nil
}

// refusal says what is the matter when the broker does not let the edge in.
func (c *Channel) refusal(err error) error {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		record  tls.RecordHeaderError
	)
	kind, mend := fault.Unreachable, "it cannot be reached"
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		kind, mend = fault.Denied, "controller.user or what is in controller.password_file is wrong, or the edge was removed at the controller"
	case errors.Is(err, syscall.ECONNREFUSED):
		mend = "nothing listens there"
	case errors.As(err, &dns):
		mend = "the name of the host is not known"
	case errors.As(err, &unknown):
		kind, mend = fault.Denied, "nobody that this machine trusts vouches for its certificate: name controller.ca_file"
	case errors.As(err, &host):
		kind, mend = fault.Denied, "its certificate is for other names"
	case errors.As(err, &record):
		kind, mend = fault.Invalid, "it does not speak TLS at that port"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		mend = "it closed the connection"
	}
	return fault.New(kind, "hear the controller at %s as %s: %s: %w", c.cfg.Broker(), c.cfg.User, mend, err)
}

// hearWays takes each newest word of the way until ctx ends.
func (c *Channel) hearWays(ctx context.Context, b box) {
	var last *edge.Word
	for {
		var m message
		select {
		case <-ctx.Done():
			return
		case m = <-b.fresh:
		}
		if len(m.payload) == 0 {
			continue // the edge was removed at the controller, which then ends the connection
		}
		now := time.Now()
		said, err := edge.ParseSaid(m.payload)
		if err == nil {
			err = said.Counts(now)
		}
		if fault.Of(err) == fault.Stale && m.retained {
			continue // a newer one is under way
		}
		begins := c.note(withWays, err)
		if begins {
			c.deps.Log.Warn("a word of the controller counts for nothing", "err", err)
		}
		if err != nil {
			continue
		}
		c.mu.Lock()
		c.state.Said = said
		c.mu.Unlock()
		w := said.Word(last, now)
		last = &w
		c.deps.Tell(w)
	}
}

// hearOrders obeys each newest list of orders until ctx ends.
func (c *Channel) hearOrders(ctx context.Context, number int, b box) {
	var m message
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case m = <-b.fresh:
		case <-again:
		}
		again = nil
		if len(m.payload) == 0 {
			continue
		}
		orders, err := edge.ParseOrders(m.payload)
		if err == nil {
			err = c.obey(ctx, orders)
		}
		if ctx.Err() != nil {
			return
		}
		begins := c.note(withOrders, err)
		if begins {
			c.deps.Log.Error("orders of the controller are not obeyed: what is saved is not given unasked", "err", err)
		}
		if err != nil {
			c.heard.Store(false)
			again = time.After(tryAgain)
			continue
		}
		c.obeyedAll(number)
	}
}
