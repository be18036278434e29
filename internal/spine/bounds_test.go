package spine

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func TestFrontBounds(t *testing.T) {
	t.Run("time to CONNECT", func(t *testing.T) {
		f, said, dial := standing(t, func(b *bounds) { b.toConnect = 50 * time.Millisecond }, "127.0.0.1:1")
		slow := dial("127.0.0.1")
		slow.Write(login("noc", "u")[:10])
		if answer(t, slow) != -1 || !strings.Contains(said.String(), "no complete CONNECT in 50ms") {
			t.Errorf("log: %s", said)
		}
		until(t, "counted", func() bool { n := f.figures(); return n.Refused == 1 && n.Waiting == 0 })
	})
	t.Run("bytes before CONNECT", func(t *testing.T) {
		_, said, dial := standing(t, nil, "127.0.0.1:1")
		long := dial("127.0.0.1")
		long.Write(framed(make([]byte, maxConnect+1))[:4]) // the length alone is enough
		if answer(t, long) != -1 || !strings.Contains(said.String(), "at most 8192") {
			t.Errorf("log: %s", said)
		}
	})
	t.Run("refusals with an answer", func(t *testing.T) {
		_, _, dial := standing(t, nil, "127.0.0.1:1")
		for code, packet := range map[int][]byte{
			badVersion:     raw("MQTT", 5, flagUser, "noc", "u"),
			badID:          login(strings.Repeat("i", 300), "u"),
			badCredentials: login("noc", strings.Repeat("u", 300)),
			notAuthorised:  raw("MQTT", 4, flagClean, "noc"),
			unavailable:    login("noc", "u"), // nobody listens behind
		} {
			c := dial("127.0.0.1")
			c.Write(append(packet, make([]byte, 5000)...)) // what is not read must not take the answer away
			if got := answer(t, c); got != code {
				t.Errorf("got %d, want %d", got, code)
			}
		}
	})
	t.Run("waiting from one place", func(t *testing.T) {
		f, said, dial := standing(t, func(b *bounds) { b.perPlace = 2 }, peer(t, idle))
		dial("127.0.0.2")
		second := dial("127.0.0.2")
		until(t, "two wait", func() bool { return f.figures().Waiting == 2 })
		if answer(t, dial("127.0.0.2")) != -1 || !strings.Contains(said.String(), "127.0.0.2:") || !strings.Contains(said.String(), "2 connections from there have not logged in") {
			t.Errorf("log: %s", said)
		}
		other := dial("127.0.0.3")
		other.Write(login("a", "u"))
		if answer(t, other) != accepted {
			t.Error("another place has to suffer")
		}
		second.Write(login("b", "u")) // one less waits
		if answer(t, second) != accepted {
			t.Error("not let in")
		}
		third := dial("127.0.0.2")
		third.Write(login("c", "u"))
		if answer(t, third) != accepted {
			t.Error("there is room again, and it is refused")
		}
	})
	t.Run("connections in all", func(t *testing.T) {
		f, said, dial := standing(t, func(b *bounds) { b.conns = 2 }, peer(t, idle))
		first := dial("127.0.0.1")
		first.Write(login("a", "u"))
		answer(t, first)
		dial("127.0.0.1")
		until(t, "both are there", func() bool { n := f.figures(); return n.Open == 1 && n.Waiting == 1 })
		if answer(t, dial("127.0.0.1")) != -1 || !strings.Contains(said.String(), "2 connections are open") {
			t.Errorf("log: %s", said)
		}
		first.Close()
		until(t, "one has gone", func() bool { return f.figures().Open == 0 })
		again := dial("127.0.0.1")
		again.Write(login("a", "u"))
		if answer(t, again) != accepted {
			t.Error("there is room again, and it is refused")
		}
	})
	t.Run("connections of a user", func(t *testing.T) {
		f, said, dial := standing(t, func(b *bounds) { b.perUser = 1 }, peer(t, idle))
		for i, want := range []int{accepted, unavailable} {
			c := dial("127.0.0.1")
			c.Write(login(fmt.Sprint(i), "wisp-a"))
			if got := answer(t, c); got != want {
				t.Errorf("connection %d: %d", i, got)
			}
		}
		for range 3 {
			c := dial("127.0.0.1")
			c.Write(login("x", internalUser))
			if got := answer(t, c); got != accepted {
				t.Errorf("the internal user: %d", got)
			}
		}
		if !strings.Contains(said.String(), `user "wisp-a" has 1 connections open`) {
			t.Errorf("log: %s", said)
		}
		if n := f.figures(); n.Accepted != 4 || n.Open != 4 || n.Refused != 1 {
			t.Errorf("%+v", n)
		}
	})
	t.Run("a client that takes nothing", func(t *testing.T) {
		flood := func(c net.Conn, _ connect) {
			c.Write(connack(accepted))
			for {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}
		f, said, dial := standing(t, func(b *bounds) { b.stalled = 200 * time.Millisecond }, peer(t, flood))
		c := dial("127.0.0.1")
		c.Write(login("a", "u"))
		until(t, "left", func() bool { n := f.figures(); return n.Accepted == 1 && n.Open == 0 })
		if !strings.Contains(said.String(), "takes nothing for 200ms") {
			t.Errorf("log: %s", said)
		}
	})
	t.Run("logins at the same time", func(t *testing.T) {
		asked, may := make(chan string, 10), make(chan struct{})
		to := peer(t, func(c net.Conn, p connect) { asked <- p.id; <-may; idle(c, p) })
		_, _, dial := standing(t, func(b *bounds) { b.logins = 2 }, to)
		var conns []net.Conn
		for i := range 5 {
			c := dial("127.0.0.2")
			c.Write(login(fmt.Sprint(i), "u"))
			conns = append(conns, c)
		}
		<-asked
		<-asked
		other := dial("127.0.0.3")
		other.Write(login("other", "u"))
		if id := <-asked; id != "u:other" {
			t.Errorf("%s is judged, as a third of one place, before another place", id)
		}
		close(may)
		for _, c := range append(conns, other) {
			if code := answer(t, c); code != accepted {
				t.Errorf("answer %d", code)
			}
		}
	})
}

func TestPlaces(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:5000":         "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1":   "192.0.2.7/32",
		"[2001:db8:1:2:3::4]:99": "2001:db8:1:2::/64",
		"[fe80::1%lo]:99":        "fe80::/64",
		"pipe":                   "invalid Prefix",
	} {
		if got := source(address(addr)).String(); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
