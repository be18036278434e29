package sim

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-routeros/routeros/v3/proto"

	"github.com/crinale/crinale/internal/network"
)

// client is one end of a session over a pipe.
type client struct {
	t    *testing.T
	conn net.Conn
	in   chan *proto.Sentence
}

func connect(t *testing.T, f *Fleet, d *device) *client {
	mine, theirs := net.Pipe()
	go f.serve(t.Context(), d, theirs)
	c := &client{t, mine, make(chan *proto.Sentence, 100)}
	go func() {
		r := proto.NewReader(mine)
		for {
			s, err := r.ReadSentence()
			if err != nil {
				close(c.in)
				return
			}
			c.in <- s
		}
	}()
	c.send("/login", "=name=crinale", "=password="+f.memory.Devices[d.id].Password)
	return c
}

func (c *client) send(words ...string) {
	c.t.Helper()
	w := proto.NewWriter(c.conn)
	w.BeginSentence()
	for _, x := range words {
		w.WriteWord(x)
	}
	if err := w.EndSentence(); err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
}

// answer is the last word that came by now; "" when none did, "closed" at the
// end.
func (c *client) answer() string {
	synctest.Wait()
	last := ""
	for {
		select {
		case s, ok := <-c.in:
			if !ok {
				return "closed"
			}
			last = s.Word
		default:
			return last
		}
	}
}

// TestPath: what is sent to a device out of reach arrives when there is a path
// again, and is lost when the client gave up before; a connection bears two
// minutes of it.
func TestPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := loaded(t, pairNetwork(), Config{Gateways: []network.DeviceID{"a"}, Join: 2 * time.Second})
		defer f.end()
		d := f.devices[1]
		waits, gives := connect(t, f, d), connect(t, f, d)
		for _, c := range []*client{waits, gives} {
			if a := c.answer(); a != "!done" {
				t.Fatalf("login: %q", a)
			}
		}
		cut := func() string {
			t.Helper()
			id, err := f.Inject(Fault{Link: "l", Kind: Off})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		id := cut()
		waits.send("/system/identity/set", "=name=waited")
		gives.send("/interface/set", "=numbers=ether1", "=comment=given up")
		time.Sleep(20 * time.Second)
		if a := waits.answer(); a != "" || d.writes != 0 {
			t.Errorf("out of reach: %q, %d writes", a, d.writes)
		}
		gives.conn.Close()
		synctest.Wait()
		f.Clear(id)
		time.Sleep(1900 * time.Millisecond)
		if a := waits.answer(); a != "" {
			t.Errorf("before the link has joined: %q", a)
		}
		time.Sleep(300 * time.Millisecond)
		if a := waits.answer(); a != "!done" {
			t.Errorf("after the link has joined: %q", a)
		}
		f.mu.Lock()
		if n := d.identity(); n != "waited" || d.writes != 1 || d.config.port("ether1").get("comment") != "" {
			t.Errorf("identity %s, %d writes, comment %q", n, d.writes, d.config.port("ether1").get("comment"))
		}
		f.mu.Unlock()

		// An answer that is on its way when the path ends comes later.
		waits.send("/interface/wireless/set", "=numbers=wlan1", "=frequency=5700")
		if a := waits.answer(); a != "" || propOf(d, "wlan1", "frequency") != "5700" {
			t.Errorf("the change that cuts its own path: %q", a)
		}
		at(t, d, "/interface wireless set wlan1 frequency=5600")
		time.Sleep(3 * time.Second)
		if a := waits.answer(); a != "!done" {
			t.Errorf("the late answer: %q", a)
		}

		cut()
		waits.send("/system/identity/set", "=name=never")
		time.Sleep(cutWait + time.Second)
		if a := waits.answer(); a != "closed" || d.identity() != "waited" {
			t.Errorf("after two minutes: %q", a)
		}
		// The gateway itself is always there.
		if g := connect(t, f, f.devices[0]); g.answer() != "!done" {
			t.Error("the gateway does not answer")
		} else {
			g.conn.Close()
		}
	})
}
