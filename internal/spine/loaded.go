package spine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	retained   = "$MQTT_rmsgs"                 // the server's stream of retained messages
	mark       = "$crinale/loaded"             // a topic that nobody but the internal user can read
	markRecord = "$MQTT.rmsgs.$crinale.loaded" // its subject in that stream
)

// loadRetained waits until the server knows all messages that are retained. It
// begins to read them when the first MQTT client comes, goes on while clients
// subscribe, and never gives them what it had not read by then.
//
// The wait is for an empty retained message: it is stored behind all others,
// and the server deletes it when it has read up to it.
func (s *Spine) loadRetained(ctx context.Context, srv *server.Server, addr string, n *names) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	c, leave, err := s.login(ctx, addr, n, "")
	if err != nil {
		return err
	}
	defer leave()
	js, end, err := s.jetstream(srv)
	if err != nil {
		return err
	}
	defer end()
	state := func() (jetstream.StreamState, error) {
		stream, err := js.Stream(ctx, retained)
		if err != nil {
			return jetstream.StreamState{}, err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(markRecord))
		if err != nil {
			return jetstream.StreamState{}, err
		}
		return info.State, nil
	}
	before, err := state()
	if err != nil {
		return err
	}
	publish := append([]byte{0x33, byte(4 + len(mark)), 0, byte(len(mark))}, mark...) // retained, QoS 1
	if _, err := c.Write(append(publish, 0, 1)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil { // PUBACK
		return err
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		now, err := state()
		switch {
		case err != nil:
			return err
		case now.LastSeq == before.LastSeq:
			return errors.New("nothing can be retained")
		case len(now.Subjects) == 0:
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("not done after %s", startLimit)
		}
	}
}

// login connects to the server as the broker itself, without the wish for a
// session, until leave or until ctx ends.
func (s *Spine) login(ctx context.Context, addr string, n *names, id string) (c net.Conn, leave func(), err error) {
	var d net.Dialer
	c, err = d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	at := c.LocalAddr().String()
	n.put(at, "the broker itself")
	stop := context.AfterFunc(ctx, func() { c.Close() })
	leave = func() {
		stop()
		c.Close()
		n.drop(at)
	}
	p := connect{flags: flagClean | flagUser | flagPassword, password: []byte(s.password)}
	answer := make([]byte, 4)
	if _, err = c.Write(p.packet(internalUser, id)); err == nil {
		_, err = io.ReadFull(c, answer)
	}
	if err == nil && (answer[0] != 0x20 || answer[3] != accepted) {
		err = fmt.Errorf("the server answers %x", answer)
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	return c, leave, nil
}
