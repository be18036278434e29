package routeros

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	ros "github.com/go-routeros/routeros/v3"
	"github.com/go-routeros/routeros/v3/proto"

	"github.com/crinale/crinale/internal/fault"
)

// row is one !re sentence: properties by name, bytes as they came.
type row map[string]string

// conn is one logged-in session. One command runs at a time, each with its
// own deadline and tag; after any trouble but a trap the session is broken and
// must be closed, since a late answer could be taken for that of the next
// command. Owned by one goroutine.
type conn struct {
	raw     net.Conn // deadlines and closing, TLS or not
	guard   *guard
	client  *ros.Client
	timeout time.Duration // of one command
	secret  string        // never shown
	tag     uint64
	used    bool // a command was answered
	broken  bool
}

// newConn wraps a connection whose protocol bytes run over stream and whose
// deadlines are set on raw.
func newConn(raw, stream net.Conn, c Config, secret string) (*conn, error) {
	g := &guard{conn: stream, max: c.Limits}
	client, err := ros.NewClient(g)
	if err != nil {
		return nil, err
	}
	linger(raw, 0)
	client.SetLogHandler(slog.DiscardHandler) // its debug lines carry passwords
	return &conn{raw: raw, guard: g, client: client, timeout: c.CommandTimeout, secret: secret}, nil
}

// linger with 0 has the system throw away what was not delivered when a session
// ends, also by the sudden end of this program: else a command could reach the
// device long after, when a cut link is back and the way back of its change has
// run. -1 is the usual end.
func linger(raw net.Conn, seconds int) {
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(seconds)
	}
}

// login opens the session: in clear first, by MD5 challenge where an old
// device asks for it.
func (c *conn) login(ctx context.Context, user, password string) error {
	err := c.bounded(ctx, func() error { return c.client.LoginContext(ctx, user, password) })
	if err == nil {
		return nil
	}
	c.broken = true
	err = c.explain(ctx, err)
	if t := asTrap(err); t != nil {
		return fault.New(fault.Denied, "login as %s: %w: check the user and the password", user, err)
	}
	if errors.Is(err, errSilent) {
		return fault.New(fault.Unreachable, "login as %s: %w: the port is open, but nothing speaks the RouterOS API there", user, err)
	}
	return fmt.Errorf("login as %s: %w", user, err)
}

// run sends one command and returns the rows of its answer. A *trap in the
// error's chain leaves the session usable; anything else breaks it.
func (c *conn) run(ctx context.Context, command string, args ...string) ([]row, error) {
	if c.broken {
		return nil, fault.New(fault.Unreachable, "%s: the session is broken", command)
	}
	c.tag++
	tag := strconv.FormatUint(c.tag, 36)
	words := make([]string, 0, len(args)+2)
	words = append(append(append(words, command), args...), ".tag="+tag)

	var reply *ros.Reply
	err := c.bounded(ctx, func() (err error) {
		reply, err = c.client.RunArgs(words)
		return err
	})
	if err == nil || reply != nil {
		if bad := whole(reply, tag); bad != nil {
			c.broken = true
			return nil, fault.New(fault.Unreachable, "%s: %w", command, bad)
		}
	}
	if err != nil {
		err = c.explain(ctx, err)
		if t := asTrap(err); t == nil || reply == nil {
			c.broken = true
		} else {
			c.used = true
			return nil, fault.New(t.kind(), "%s: %w", command, err)
		}
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	c.used = true
	rows := make([]row, len(reply.Re))
	for i, s := range reply.Re {
		rows[i] = s.Map
	}
	return rows, nil
}

// whole checks that an answer is finished and belongs to the command with the
// tag: the library takes the next !done for its own, whoever asked.
func whole(r *ros.Reply, tag string) error {
	if r == nil || r.Done == nil {
		return &protocolError{"the answer has no end"}
	}
	mine := func(s *proto.Sentence) bool { return s.Tag == tag }
	ok := mine(r.Done)
	for _, s := range r.Re {
		ok = ok && mine(s)
	}
	if !ok {
		return &protocolError{"the answer belongs to another command"}
	}
	return nil
}

// bounded runs one exchange under the command's own deadline; the end of ctx
// interrupts it before that. The library itself heeds neither.
func (c *conn) bounded(ctx context.Context, exchange func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.raw.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Unix(1, 0)) })
	c.guard.begin()
	err := exchange()
	if !stop() { // the deadline may still be set behind our back
		c.broken = true
	}
	return err
}

// errSilent is a peer that said nothing in time.
var errSilent = errors.New("no answer")

// explain makes one clear line of what the library or the network said, with
// a kind, and without what must not be shown.
func (c *conn) explain(ctx context.Context, err error) error {
	return c.scrub(c.cause(ctx, err))
}

func (c *conn) cause(ctx context.Context, err error) error {
	var bad *protocolError
	if errors.As(c.guard.err, &bad) {
		return fault.New(fault.Unreachable, "the peer %w: is this the port of the RouterOS API?", bad)
	}
	refused := refusal(c.guard.notes)
	var f *fatal
	if errors.As(refused, &f) {
		return fault.As(fault.Refused, f)
	}
	var device *ros.DeviceError
	if errors.As(err, &device) {
		if refused == nil {
			refused = &trap{}
		}
		return refused
	}
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fault.New(fault.Unreachable, "%w: %w", errSilent, context.Cause(ctx))
		}
		return fault.As(fault.Unreachable, context.Cause(ctx))
	}
	return fault.As(fault.Unreachable, reason(err, c.timeout))
}

// reason says what a failed read, write or dial means.
func reason(err error, timeout time.Duration) error {
	var timed net.Error
	var unknown *ros.UnknownReplyError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return fmt.Errorf("%w within %v", errSilent, timeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		return errors.New("the device closed the connection")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("the device reset the connection")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused: is the API service of the device on, and open to this address?")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errors.New("no route to the device")
	case errors.As(err, &unknown):
		return &protocolError{fmt.Sprintf("the device sends the unknown reply %q", line(unknown.Sentence.Word))}
	case strings.HasPrefix(err.Error(), "invalid RouterOS sentence word"):
		return &protocolError{"the device sends a word that is no property: is this the port of the RouterOS API?"}
	}
	return err
}

// scrub hides the password where a peer sent it back to us.
func (c *conn) scrub(err error) error {
	if c.secret == "" || !strings.Contains(err.Error(), c.secret) {
		return err
	}
	clean := strings.ReplaceAll(err.Error(), c.secret, "…")
	if asTrap(err) != nil {
		return &trap{messages: []string{clean}}
	}
	var bad *protocolError
	if errors.As(err, &bad) {
		return fault.As(fault.Of(err), &protocolError{clean})
	}
	return fault.New(fault.Of(err), "%s", clean)
}

// close ends the session, one that is not broken in the usual way.
func (c *conn) close() {
	if !c.broken {
		linger(c.raw, -1)
	}
	c.broken = true
	_ = c.raw.Close() // the raw one: a TLS farewell could wait for the peer
	_ = c.client.Close()
}
