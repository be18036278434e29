package spine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// front stands on the MQTT address, before the server's own listener, because
// to the server a client id is a session, whoever asks for it. The front reads the
// CONNECT of each client and puts the user's name before the id, USER:ID, so
// that the ids of one user can never be those of another; no user's name has a
// colon. All that follows passes as it is.
//
// The server listens for the front on loopback. Who reaches that port without
// the front gets in as nobody: there a partner's name has the key at its end,
// which is random, new at each start, and known to the front alone.
//
// Until the server has let a client in, nothing but its CONNECT reaches the
// server, and time, bytes and number of those waiting are bounded.
type front struct {
	to     string // the server's own listener
	key    string
	bounds bounds
	names  *names
	say    func(format string, a ...any) // a line of the log about a client
	news   chan struct{}                 // size one: there may be sessions to drop
	done   sync.WaitGroup

	mu      sync.Mutex
	closing bool
	conns   map[net.Conn]bool       // all that are open; true once let in
	places  map[netip.Prefix]*place // where those come from that are not let in yet
	users   map[string]int          // let in, by user
	held    map[string]int          // clients that have or ask for a session, by its id
	claimed map[string]bool         // sessions that are being dropped
	left    map[string]time.Time    // sessions that last: when their client went
	count   Figures
}

// place is where clients come from: an address, or an IPv6 network of /64.
type place struct {
	at      netip.Prefix
	waiting int           // connections not let in yet
	logins  chan struct{} // a token for each that the server is judging
}

// bounds are what one client, one place or one user may take.
type bounds struct {
	conns      int           // open at the same time
	perUser    int           // open and let in, of one user; the internal one is free
	perPlace   int           // not let in yet, of one place
	logins     int           // judged by the server at the same time, of one place: each costs it a hash
	toConnect  time.Duration // for the whole CONNECT
	toAccept   time.Duration // for the server's answer to it
	stalled    time.Duration // a client that takes nothing for so long is left
	toFarewell time.Duration // for the last bytes to a client
}

var usualBounds = bounds{
	perPlace: 200, logins: 8,
	toConnect: 5 * time.Second, toAccept: 30 * time.Second, stalled: 30 * time.Second, toFarewell: time.Second,
}

func newFront(b bounds, to, key string, n *names, say func(string, ...any)) *front {
	return &front{
		to: to, key: key, bounds: b, names: n, say: say,
		conns: map[net.Conn]bool{}, places: map[netip.Prefix]*place{}, users: map[string]int{},
		news: make(chan struct{}, 1), held: map[string]int{}, claimed: map[string]bool{}, left: map[string]time.Time{},
	}
}

// run takes clients from the listener until it is closed.
func (f *front) run(ln net.Listener) {
	var pause time.Duration
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // most often too many open files
			pause = min(max(2*pause, 10*time.Millisecond), time.Second)
			f.say("accept a client: %v", err)
			time.Sleep(pause)
			continue
		}
		pause = 0
		from, why := f.admit(c)
		if why != "" {
			f.say("%s - refused: %s", c.RemoteAddr(), why)
			c.Close()
			continue
		}
		f.done.Go(func() { f.serve(c, from) })
	}
}

// source is where a client comes from, as far as limits care.
func source(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ap.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // these lengths fit
	return p
}

// admit notes a new connection, or says why there is no room for it.
func (f *front) admit(c net.Conn) (from *place, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := source(c.RemoteAddr())
	from = f.places[at]
	if from == nil {
		from = &place{at: at, logins: make(chan struct{}, f.bounds.logins)}
	}
	switch {
	case f.closing:
		why = "the broker ends"
	case len(f.conns) >= f.bounds.conns:
		why = fmt.Sprintf("%d connections are open", len(f.conns))
	case from.waiting >= f.bounds.perPlace:
		why = fmt.Sprintf("%d connections from there have not logged in yet", from.waiting)
	default:
		f.conns[c] = false
		f.places[at] = from
		from.waiting++
		return from, ""
	}
	f.count.Refused++
	return nil, why
}

// letIn moves a connection from those waiting to those of its user, unless the
// user has too many.
func (f *front) letIn(c net.Conn, from *place, user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if user != internalUser && f.users[user] >= f.bounds.perUser {
		return false
	}
	f.conns[c] = true
	f.arrived(from)
	f.users[user]++
	f.count.Accepted++
	return true
}

// arrived ends the waiting of one connection. The lock is held.
func (f *front) arrived(from *place) {
	if from.waiting--; from.waiting <= 0 {
		delete(f.places, from.at)
	}
}

func (f *front) leave(c net.Conn, from *place, user string) {
	c.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.conns[c] {
		f.arrived(from)
	} else if f.users[user]--; f.users[user] <= 0 {
		delete(f.users, user)
	}
	delete(f.conns, c)
}

// serve is the whole life of a connection.
func (f *front) serve(c net.Conn, from *place) {
	var p connect
	defer func() { f.leave(c, from, p.user) }()
	c.SetDeadline(time.Now().Add(f.bounds.toConnect))
	p, err := readConnect(c)
	if err != nil {
		f.refuse(c, err)
		return
	}
	id := p.session()
	if !f.hold(id) {
		f.refuse(c, &refusal{unavailable, fmt.Sprintf("session %q is just being dropped", id)})
		return
	}
	defer f.release(c, id, p.flags&flagClean == 0)
	from.logins <- struct{}{} // each is given back within toAccept
	judged := sync.OnceFunc(func() { <-from.logins })
	defer judged()
	s, err := net.DialTimeout("tcp", f.to, f.bounds.toAccept)
	if err != nil {
		f.refuse(c, &refusal{unavailable, fmt.Sprintf("reach the server: %v", err)})
		return
	}
	defer s.Close()
	at := s.LocalAddr().String()
	f.names.put(at, c.RemoteAddr().String())
	defer f.names.drop(at)
	answer, err := f.ask(s, p)
	judged()
	switch {
	case f.names.denied(at) || err == nil && answer[3] != accepted:
		f.refused()
		if err != nil { // the server says it in its log only
			answer = connack(notAuthorised)
		}
		f.farewell(c, answer)
		return
	case err != nil: // the server has said why in its log
		f.refused()
		return
	case !f.letIn(c, from, p.user):
		f.refuse(c, &refusal{unavailable, fmt.Sprintf("user %q has %d connections open", p.user, f.bounds.perUser)})
		return
	}
	c.SetDeadline(time.Time{})
	f.carry(c, s, answer)
}

// ask puts the CONNECT to the server and gives its CONNACK.
func (f *front) ask(s net.Conn, p connect) ([]byte, error) {
	s.SetDeadline(time.Now().Add(f.bounds.toAccept))
	user := p.user
	if user != internalUser { // its password is random itself, and what it retains bears its name
		user += f.key
	}
	if _, err := s.Write(p.packet(user, p.session())); err != nil {
		return nil, err
	}
	answer := make([]byte, 4)
	if _, err := io.ReadFull(s, answer); err != nil {
		return nil, err
	}
	if answer[0] != 0x20 || answer[1] != 2 {
		return nil, fmt.Errorf("the server answers %x", answer)
	}
	s.SetDeadline(time.Time{})
	return answer, nil
}

// refuse tells a client, where it can understand it, and the log.
func (f *front) refuse(c net.Conn, err error) {
	f.refused()
	var r *refusal
	switch {
	case errors.As(err, &r):
		f.say("%s - refused: %s", c.RemoteAddr(), r.why)
		if r.code != 0 {
			f.farewell(c, connack(r.code))
		}
	case errors.Is(err, os.ErrDeadlineExceeded):
		f.say("%s - refused: no complete CONNECT in %s", c.RemoteAddr(), f.bounds.toConnect)
	}
}

func (f *front) refused() {
	f.mu.Lock()
	f.count.Refused++
	f.mu.Unlock()
}

func connack(code byte) []byte { return []byte{0x20, 2, 0, code} }

// farewell sends last bytes. What the client still sends is read away for a
// moment: closing with unread bytes would take the answer from it.
func (f *front) farewell(c net.Conn, last []byte) {
	c.SetDeadline(time.Now().Add(f.bounds.toFarewell))
	if _, err := c.Write(last); err != nil {
		return
	}
	if halfClose(c) {
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	}
}

// close ends what is left of all connections, once the server has ended, and
// waits for it. What the server sent last still has a moment to arrive.
func (f *front) close() {
	f.mu.Lock()
	f.closing = true
	f.mu.Unlock()
	f.end(false)
	late := time.AfterFunc(f.bounds.toFarewell, func() { f.end(true) })
	defer late.Stop()
	f.done.Wait()
}

// end closes the connections that are let in, or those that are not.
func (f *front) end(in bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c, is := range f.conns {
		if is == in {
			c.Close()
		}
	}
}
