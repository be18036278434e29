package sim

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	loginWait   = 60 * time.Second // for a stranger to log in
	maxSessions = 64               // per device
	maxStreams  = 64               // per session
)

// accept serves a device's listener until it is closed.
func (f *Fleet) accept(ctx context.Context, d *device, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || quiet(err) {
				return
			}
			f.log.Warn("simulated device: accept", "device", d.id, "err", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond): // out of descriptors: others may close
			}
			continue
		}
		if a := d.wire.Load(); a != nil && (a.Kind == Off || a.Kind == Reboot) {
			reset(c)
			continue
		}
		f.sessions.Add(1)
		go func() {
			defer f.sessions.Done()
			f.serve(ctx, d, c)
		}()
	}
}

// reset closes a connection the way a host that has gone does.
func reset(c net.Conn) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

// session is one client's connection to one device.
type session struct {
	dev  *device
	conn net.Conn
	out  *wire
	user string // "" before login
	read bool   // may only read

	challenge []byte
	deadline  time.Time // to read by; zero: none

	mu      sync.Mutex
	streams map[*stream]bool
}

// stream is a command that goes on until it is cancelled.
type stream struct {
	tag    string
	cancel context.CancelFunc
}

// serve speaks with one client until either side ends it.
func (f *Fleet) serve(ctx context.Context, d *device, c net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	s := &session{dev: d, conn: c, out: newWire(d, c), streams: map[*stream]bool{}}
	s.out.done = ctx.Done()
	if !d.open(s) {
		c.Close()
		cancel()
		return
	}
	var streams sync.WaitGroup
	context.AfterFunc(ctx, func() { c.Close() })
	defer func() {
		cancel()
		c.Close()
		streams.Wait()
		d.closed(s)
	}()
	s.deadline = time.Now().Add(loginWait)
	c.SetReadDeadline(s.deadline)
	in := newWords(c)
	for {
		lim := strangers
		if s.user != "" {
			lim = users
		}
		ws, err := in.sentence(lim)
		if err != nil {
			if errors.Is(err, errTooLong) || errors.Is(err, errControl) {
				s.out.fatal(err.Error())
			}
			return
		}
		if len(ws) == 0 {
			continue
		}
		if !s.arrives(ctx, in) {
			return
		}
		if a := d.wire.Load(); a != nil && a.Kind == Slow {
			t := time.NewTimer(a.delay())
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
		}
		if !s.obey(ctx, ws, &streams) {
			return
		}
	}
}

// obey runs one sentence; false ends the session.
func (s *session) obey(ctx context.Context, ws []string, wg *sync.WaitGroup) bool {
	cmd, t := parseCommand(ws)
	writes := t == nil && s.user != "" && s.dev.changes(cmd)
	goesOn := s.respond(ctx, cmd, t, wg)
	if writes {
		s.dev.wrote()
	}
	return goesOn
}

func (s *session) respond(ctx context.Context, cmd command, t *trap, wg *sync.WaitGroup) bool {
	r := &replier{out: s.out, tag: cmd.tag, tagged: cmd.tagged}
	if t == nil {
		switch {
		case cmd.path == "/quit":
			s.out.fatal("session terminated on request")
			return false
		case cmd.path == "/login":
			t = s.login(cmd, r)
			if t == nil {
				return s.out.flush() == nil
			}
		case s.user == "":
			s.out.fatal("not logged in")
			return false
		case cmd.path == "/cancel":
			s.cancel(cmd)
			r.done(nil)
			return s.out.flush() == nil
		default:
			cmd.by = s.user
			var st *streaming
			if st, t = s.dev.exec(cmd, s.read, r); st != nil {
				t = s.start(ctx, st, r, wg)
			} else if t == nil {
				return s.out.flush() == nil
			}
		}
	} else if s.user == "" {
		s.out.fatal("not logged in")
		return false
	}
	if t != nil {
		r.trap(t)
	}
	return s.out.flush() == nil
}

// start runs a streaming command beside the session.
func (s *session) start(ctx context.Context, st *streaming, r *replier, wg *sync.WaitGroup) *trap {
	ctx, cancel := context.WithCancel(ctx)
	me := &stream{tag: r.tag, cancel: cancel}
	s.mu.Lock()
	full := len(s.streams) >= maxStreams
	if !full {
		s.streams[me] = true
	}
	s.mu.Unlock()
	if full {
		cancel()
		return &trap{category: "5", message: "too many commands"}
	}
	wg.Go(func() {
		defer cancel()
		interrupted := st.run(ctx, r)
		s.mu.Lock()
		delete(s.streams, me)
		s.mu.Unlock()
		if interrupted {
			r.trap(&trap{category: "2", message: "interrupted"})
		} else {
			r.done(nil)
		}
		s.out.flush()
	})
	return nil
}

// cancel ends the stream of a tag, or all without one.
func (s *session) cancel(cmd command) {
	tag, one := cmd.attr("tag")
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range s.streams {
		if !one || st.tag == tag {
			st.cancel()
		}
	}
}

// open registers a session; false when the device has too many.
func (d *device) open(s *session) bool {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	if d.fleet.ended || len(d.sessions) >= maxSessions {
		return false
	}
	d.sessions[s] = true
	return true
}

func (d *device) closed(s *session) {
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	delete(d.sessions, s)
}

// hangUp resets the sessions for which which is true, all for nil. It needs
// the fleet's lock.
func (d *device) hangUp(which func(*session) bool) {
	for s := range d.sessions {
		if which == nil || which(s) {
			reset(s.conn)
		}
	}
}
