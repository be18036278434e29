package spine_test

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/crinale/crinale/internal/spine/spinetest"
)

// client is a paho client; lost counts connections that ended without its
// will.
func client(l spinetest.Login, id string, clean bool, lost *atomic.Int32) mqtt.Client {
	o := mqtt.NewClientOptions().AddBroker("tcp://" + l.Addr).SetUsername(l.User).SetPassword(l.Password)
	o.SetClientID(id).SetCleanSession(clean).SetProtocolVersion(4).SetAutoReconnect(false)
	o.SetConnectionLostHandler(func(mqtt.Client, error) {
		if lost != nil {
			lost.Add(1)
		}
	})
	return mqtt.NewClient(o)
}

// connect connects and says whether the broker had kept the session.
func connect(t *testing.T, c mqtt.Client) (kept bool) {
	t.Helper()
	tok := c.Connect()
	if !tok.WaitTimeout(spinetest.Limit) || tok.Error() != nil {
		t.Fatalf("connect: %v", tok.Error())
	}
	return tok.(*mqtt.ConnectToken).SessionPresent()
}

// All partners are users of one account, and there a client id is a session.
// Whatever id a partner chooses, no other partner's connection ends by it, nor
// does anything that waits for the other get lost, nor come to the first.
func TestClientIDOfAnotherIsAnotherSession(t *testing.T) {
	_, a, b, in := two(t)
	pub(t, in, "-t", treeA+"state", "-r", "-q", "1", "-m", "a")
	pub(t, in, "-t", treeB+"state", "-r", "-q", "1", "-m", "b")
	away := b.Sub(t, "-i", "noc-away", "-c", "-t", treeB+"#", "-q", "1")
	away.Until(t, "retained", spinetest.Topic(treeB+"state"))
	away.Stop()
	numbered(t, in, treeB+"wait", 1, 3)

	var lost atomic.Int32
	here := client(b, "noc", false, &lost)
	got := make(chan string, 100)
	connect(t, here)
	defer here.Disconnect(0)
	sub := here.Subscribe(treeB+"#", 1, func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) })
	if !sub.WaitTimeout(spinetest.Limit) || sub.Error() != nil {
		t.Fatal(sub.Error())
	}
	if m := next(t, got); m != "b" {
		t.Fatalf("B got %q", m)
	}

	for _, id := range []string{"noc", "noc-away", "wisp-b:noc", "wisp-b:noc-away", ":noc", "wisp-a:noc"} {
		for _, flags := range [][]string{{"-c"}, {}} {
			subA := a.Sub(t, append([]string{"-i", id, "-t", treeA + "#", "-q", "1"}, flags...)...)
			subA.Until(t, "retained", spinetest.Topic(treeA+"state"))
			pub(t, in, "-t", treeB+"live", "-q", "1", "-m", id)
			if m := next(t, got); m != id {
				t.Errorf("after A came as %q, B got %q", id, m)
			}
			pub(t, in, "-t", treeA+"state", "-q", "1", "-m", "fence")
			for _, m := range subA.Until(t, "fence", func(m spinetest.Msg) bool { return m.Payload == "fence" }) {
				if m.Topic != treeA+"state" {
					t.Errorf("A as %q got %+v", id, m)
				}
			}
			subA.Stop()
		}
	}
	if n := lost.Load(); n != 0 || !here.IsConnectionOpen() {
		t.Errorf("B's connection was ended %d times", n)
	}
	back := b.Sub(t, "-i", "noc-away", "-c", "-t", treeB+"wait", "-q", "1")
	want := 1
	back.Until(t, "all that waited for B", func(m spinetest.Msg) bool {
		if m.Topic != treeB+"wait" {
			return false
		}
		if m.Payload != fmt.Sprint(want) {
			t.Errorf("B got %+v, want %d", m, want)
		}
		want++
		return want == 4
	})
}

func next(t *testing.T, c <-chan string) string {
	t.Helper()
	select {
	case m := <-c:
		return m
	case <-time.After(spinetest.Limit):
		t.Fatal("no message")
		return ""
	}
}

// One user's second client with the same id still takes the place of the
// first, as the protocol wants it.
func TestClientIDOfOneself(t *testing.T) {
	_, a, _, _ := two(t)
	var lost atomic.Int32
	first, second := client(a, "noc", true, &lost), client(a, "noc", true, nil)
	connect(t, first)
	connect(t, second)
	defer second.Disconnect(0)
	// The client closes first, and calls its handler after that.
	for end := time.Now().Add(spinetest.Limit); (first.IsConnectionOpen() || lost.Load() == 0) && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
	if first.IsConnectionOpen() || lost.Load() == 0 {
		t.Error("both are connected")
	}
}

// A session lasts over connections, and over a restart of the broker, which
// has a new key then.
func TestSessionLastsOverRestart(t *testing.T) {
	dir, hash := t.TempDir(), user(t, "wisp-a", "pa").Hash
	sub := func(c mqtt.Client, got chan string) {
		t.Helper()
		tok := c.Subscribe(treeA+"#", 1, func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) })
		if !tok.WaitTimeout(spinetest.Limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	for life := range 3 {
		cmd, stop, addr, password := startChild(t, dir, hash, io.Discard)
		a := spinetest.Login{Addr: addr, User: "wisp-a", Password: "pa"}
		in := spinetest.Login{Addr: addr, User: "_crinale", Password: password}
		for again := range 2 {
			got := make(chan string, 100)
			c := client(a, "noc", false, nil)
			c.AddRoute("#", func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) })
			kept := connect(t, c)
			if first := life == 0 && again == 0; kept == first {
				t.Errorf("life %d, connection %d: session kept: %v", life, again, kept)
			} else if first {
				sub(c, got)
			} else if m := next(t, got); m != fmt.Sprint("while away ", life, again) {
				t.Errorf("life %d, connection %d: got %q", life, again, m)
			}
			pub(t, in, "-t", treeA+"x", "-q", "1", "-m", "here")
			if m := next(t, got); m != "here" {
				t.Errorf("got %q", m)
			}
			c.Disconnect(100)
			n, m := life, again+1
			if again == 1 {
				n, m = life+1, 0
			}
			pub(t, in, "-t", treeA+"x", "-q", "1", "-m", fmt.Sprint("while away ", n, m))
		}
		if life == 1 {
			cmd.Process.Kill()
			cmd.Wait()
		} else {
			stop()
		}
	}
}

// A client with a wrong user or password is told so in the CONNACK.
func TestRefusalIsTold(t *testing.T) {
	_, a, _, _ := two(t)
	for name, l := range map[string]spinetest.Login{
		"wrong password": {Addr: a.Addr, User: "wisp-a", Password: "wrong"},
		"unknown":        {Addr: a.Addr, User: "wisp-c", Password: "pa"},
		"nobody":         {Addr: a.Addr},
	} {
		tok := client(l, "noc", true, nil).Connect()
		if !tok.WaitTimeout(spinetest.Limit) || !errors.Is(tok.Error(), packets.ErrorRefusedNotAuthorised) {
			t.Errorf("%s: got %v", name, tok.Error())
		}
	}
	for id, want := range map[string]error{"with.dot": packets.ErrorRefusedIDRejected, "with space": packets.ErrorRefusedIDRejected} {
		tok := client(a, id, true, nil).Connect()
		if !tok.WaitTimeout(spinetest.Limit) || !errors.Is(tok.Error(), want) {
			t.Errorf("id %q: got %v", id, tok.Error())
		}
	}
}

// A last will is published when the connection breaks, and not after a
// DISCONNECT, though the front stands between.
func TestLastWill(t *testing.T) {
	_, _, b, in := two(t)
	will := treeB + "will"
	pub(t, in, "-t", treeB+"begin", "-r", "-q", "1", "-m", "x")
	watch := b.Sub(t, "-t", treeB+"#", "-q", "1")
	watch.Until(t, "begin", spinetest.Topic(treeB+"begin"))
	for range 20 {
		// mosquitto_pub sends its message and DISCONNECT in one go.
		pub(t, in, "-t", treeB+"shot", "-q", "0", "-m", "x", "--will-topic", will, "--will-payload", "dead")
	}
	dying := in.Sub(t, "-t", treeB+"begin", "--will-topic", will, "--will-payload", "killed", "--will-qos", "1")
	dying.Until(t, "its own", spinetest.Topic(treeB+"begin"))
	dying.Stop()
	shots := 0
	for _, m := range watch.Until(t, "will", spinetest.Topic(will)) {
		switch {
		case m.Topic == treeB+"shot":
			shots++
		case m.Topic == will && m.Payload != "killed":
			t.Errorf("a will came after a DISCONNECT: %+v", m)
		}
	}
	if shots != 20 {
		t.Errorf("%d of 20 messages before a DISCONNECT came", shots)
	}
}
