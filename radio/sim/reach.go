package sim

import (
	"bufio"
	"context"
	"errors"
	"os"
	"time"
)

// errCutOff ends a session whose device was out of reach for too long.
var errCutOff = errors.New("out of reach")

const (
	walkEvery = 100 * time.Millisecond // how long it is taken for known who is joined
	lookEvery = 20 * time.Millisecond  // how often a session that waits looks
	cutWait   = 2 * time.Minute        // what a connection bears without a path
)

// reaches says whether a chain of links that are up joins a device to a
// gateway. It needs the lock.
func (f *Fleet) reaches(d *device, now time.Time) bool {
	if len(f.cfg.Gateways) == 0 {
		return true
	}
	if now.Sub(f.walked) >= walkEvery || now.Before(f.walked) {
		f.settleAll(now)
		f.walk()
		f.walked = now
	}
	return d.joined
}

// walk finds the devices that are joined to a gateway. It needs the lock.
func (f *Fleet) walk() {
	var next []*device
	join := func(d *device) {
		if !d.joined && d.on() {
			d.joined = true
			next = append(next, d)
		}
	}
	for _, d := range f.devices {
		d.joined = false
	}
	for _, id := range f.cfg.Gateways {
		join(f.byID[id])
	}
	for len(next) > 0 {
		d := next[len(next)-1]
		next = next[:len(next)-1]
		for _, e := range d.ends {
			if o := e.other(); o != nil && e.link.up {
				join(o.dev)
			}
		}
		for _, o := range d.mates {
			if d.plugged() && o.plugged() {
				join(o)
			}
		}
	}
}

// plugged says whether the cable to the other devices of the site carries
// anything. It needs the lock.
func (d *device) plugged() bool {
	e := d.config.port("ether1")
	return e != nil && !e.disabled()
}

func (d *device) isJoined() bool {
	if len(d.fleet.cfg.Gateways) == 0 {
		return true
	}
	d.fleet.mu.Lock()
	defer d.fleet.mu.Unlock()
	return d.fleet.reaches(d, time.Now())
}

// waitJoined waits until there is a path to the device; false when done is
// closed first, or the wait is over.
func (d *device) waitJoined(done <-chan struct{}, wait time.Duration) bool {
	if d.isJoined() {
		return true
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for !d.isJoined() {
		select {
		case <-done:
			return false
		case <-over.C:
			return false
		case <-look.C:
		}
	}
	return true
}

// arrives waits until a sentence that a client sent reaches the device, as TCP
// does by sending it again. False: the client gave up before, and the sentence
// is lost.
func (s *session) arrives(ctx context.Context, in *words) bool {
	if s.dev.isJoined() {
		return true
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looked := make(chan bool)
	go func() {
		gone := hangsUp(in.in)
		if gone {
			cancel()
		}
		looked <- gone
	}()
	arrived := s.dev.waitJoined(ctx.Done(), cutWait)
	s.conn.SetReadDeadline(time.Unix(1, 0)) // ends the look
	gone := <-looked
	s.conn.SetReadDeadline(s.deadline)
	return arrived && !gone
}

// hangsUp waits for the client to close its side; false when the read deadline
// ends the wait, or the client has sent more than can be looked past.
func hangsUp(in *bufio.Reader) bool {
	for {
		_, err := in.Peek(in.Buffered() + 1)
		if err != nil {
			return !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, bufio.ErrBufferFull)
		}
	}
}
