// Package spine is the message broker inside the process: a NATS server with
// JetStream on the disk and an MQTT 3.1.1 listener. It speaks MQTT to the
// outside and has no other listener; the program itself reaches it over MQTT
// as well, as the user that [Spine.Internal] names.
//
// Before the server's MQTT listener stands a front, which puts the name of the
// user before each client id, so that the sessions of one user are out of reach
// of all others, and which bounds what strangers may take. Why it is so stands
// in docs/adr/0003.
//
// Users other than the internal one may read the topics they are given and
// nothing else; they may publish nothing. Whoever keeps the users sets them
// all at once by [Spine.SetPartners].
package spine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/crinale/crinale/internal/fault"
)

// Config says where the broker listens and what it may use.
type Config struct {
	Dir         string        // folder of the messages that must survive
	MQTTAddr    string        // host:port of the MQTT listener; port 0: any free one
	AckWait     time.Duration // an unacknowledged QoS 1 message is sent again after this
	KeepOffline time.Duration // how long messages wait for a subscriber that is away
	MaxStore    int64         // bytes on the disk, for all messages
	MaxPayload  int           // bytes of one message
	MaxConns    int           // connections at one time
	MaxPerUser  int           // of these, connections of one user
	MaxSessions int           // sessions kept for one user while their clients are away; the longest away are dropped
}

// Default listens on loopback at MQTT's own port. Dir must still be set.
func Default() Config {
	return Config{
		MQTTAddr:    "127.0.0.1:1883",
		AckWait:     time.Second,
		KeepOffline: 24 * time.Hour,
		MaxStore:    512 << 20,
		MaxPayload:  64 << 10,
		MaxConns:    1000,
		MaxPerUser:  100,
		MaxSessions: 20,
	}
}

// Deps is what the broker needs of others.
type Deps struct {
	Log *slog.Logger // nil: silent
}

// Spine is the broker.
type Spine struct {
	cfg      Config
	host     string
	port     int
	log      *slog.Logger
	password string
	key      string        // see front
	pause    time.Duration // before a sweep
	ready    chan struct{}

	mu     sync.Mutex
	users  []User
	change int             // how often users were set
	srv    *server.Server  // nil unless running
	opts   *server.Options // those in force, users left out
	front  *front          // nil unless running
	listen string          // real address once ready
}

const (
	internalUser = "_crinale"      // no partner can be named so: an underscore is refused
	startLimit   = 2 * time.Minute // of each step of a start; a slow disk may have much to read
)

// New makes a broker that does not run yet.
func New(cfg Config, deps Deps) (*Spine, error) {
	if cfg.Dir == "" {
		return nil, fault.New(fault.Invalid, "message broker: no folder given for its messages")
	}
	host, p, err := net.SplitHostPort(cfg.MQTTAddr)
	port, perr := strconv.ParseUint(p, 10, 16)
	if err != nil || perr != nil {
		return nil, fault.New(fault.Invalid, "message broker: MQTT address %q is not HOST:PORT; write it such as 127.0.0.1:1883", cfg.MQTTAddr)
	}
	if cfg.AckWait <= 0 || cfg.KeepOffline <= 0 || cfg.MaxStore <= 0 || cfg.MaxPayload <= 0 || cfg.MaxConns <= 0 || cfg.MaxPerUser <= 0 || cfg.MaxSessions <= 0 {
		return nil, fault.New(fault.Invalid, "message broker: ack wait, keep offline, max store, max payload, max connections, max per user and max sessions must all be above zero")
	}
	log := deps.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return &Spine{
		cfg: cfg, host: host, port: int(port), log: log,
		password: rand.Text(), key: "@" + rand.Text(), pause: sweepPause, ready: make(chan struct{}), listen: cfg.MQTTAddr,
	}, nil
}

// Internal is the name and the password, new at each start, of the one user
// that may publish. It may also read everything.
func (s *Spine) Internal() (user, password string) { return internalUser, s.password }

// Ready is closed once clients can connect.
func (s *Spine) Ready() <-chan struct{} { return s.ready }

// MQTTAddr is the host:port of the listener: the real one once ready.
func (s *Spine) MQTTAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listen
}

// Run runs the broker until ctx ends. It runs once.
func (s *Spine) Run(ctx context.Context) error {
	if err := writable(s.cfg.Dir); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return s.explain(err)
	}
	defer ln.Close()
	s.mu.Lock()
	opts, err := s.options()
	change := s.change
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("message broker: %w", err)
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("message broker: %w", err)
	}
	bridge := newBridge(s.log)
	bridge.names.key = s.key
	srv.SetLoggerV2(bridge, false, false, false)
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	srv.Start()
	to := net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port)) // Start wrote the real port into opts
	if err := s.started(ctx, srv, to, bridge); err != nil {
		return err
	}
	b := usualBounds
	b.conns, b.perUser = s.cfg.MaxConns, s.cfg.MaxPerUser
	front := newFront(b, to, s.key, bridge.names, bridge.refused)
	s.mu.Lock()
	s.srv, s.front, s.opts = srv, front, opts.Clone()
	s.listen = net.JoinHostPort(s.host, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
	if s.change != change { // users were set while it started
		err = s.reload()
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	front.done.Go(func() { front.run(ln) })
	sweeping, stop := context.WithCancel(ctx)
	defer stop()
	front.ring() // what the last life left
	front.done.Go(func() { s.sweeper(sweeping, srv, front) })
	s.log.Info("message broker listens", "mqtt", s.MQTTAddr())
	close(s.ready)
	select {
	case <-ctx.Done():
	case err = <-bridge.fatal:
		err = s.explain(err)
	}
	s.mu.Lock()
	s.srv, s.front = nil, nil
	s.mu.Unlock()
	stop()
	ln.Close()
	srv.Shutdown()
	front.close()
	return err
}

// started waits until the server, at the address to, is up and knows what it
// keeps, or says why it is not.
func (s *Spine) started(ctx context.Context, srv *server.Server, to string, bridge *bridge) error {
	select {
	case err := <-bridge.fatal:
		return s.explain(err)
	default:
	}
	if !srv.ReadyForConnections(startLimit) {
		select {
		case err := <-bridge.fatal:
			return s.explain(err)
		default:
			return fault.New(fault.Internal, "message broker: not ready after %s", startLimit)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if err := s.limitBacklog(ctx, srv); err != nil {
		return err
	}
	if err := s.loadRetained(ctx, srv, to, bridge.names); err != nil && ctx.Err() == nil {
		s.log.Warn("message broker: what is retained is not read yet; who subscribes now may miss some of it until it is published again", "err", err)
	}
	return nil
}

// explain gives a failure of the server its mend.
func (s *Spine) explain(err error) error {
	var text = err.Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE) || strings.Contains(text, "address already in use"):
		return fault.New(fault.Conflict, "listen for MQTT on %s: the port is in use; end the other program (another crinale, or mosquitto), or choose another address", s.cfg.MQTTAddr)
	case errors.Is(err, syscall.EACCES) || strings.Contains(text, "permission denied"):
		return fault.New(fault.Denied, "listen for MQTT on %s: not permitted; ports below 1024 need a privilege, choose one above: %w", s.cfg.MQTTAddr, err)
	case strings.Contains(text, "cannot assign requested address") || strings.Contains(text, "no such host"):
		return fault.New(fault.Invalid, "listen for MQTT on %s: this machine does not have that address; use one of its own, or 127.0.0.1: %w", s.cfg.MQTTAddr, err)
	}
	return fmt.Errorf("message broker: %w", err)
}

// writable makes the folder, and says plainly when it cannot be written.
func writable(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".crinale-probe-*"); err == nil {
			probe.Close()
			return os.Remove(probe.Name())
		}
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fault.New(fault.Invalid, "message broker: folder %s cannot be written: %w; give the user that runs crinale the right to write there, or choose another folder", filepath.Clean(dir), err)
}
