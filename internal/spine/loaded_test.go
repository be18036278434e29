package spine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// The first to subscribe after a start has all that is retained, however soon
// it comes: its subscription is on the way before it is let in.
func TestFirstSubscriberHasAllThatIsRetained(t *testing.T) {
	const retained = 500
	dir := t.TempDir()
	s, stop := sweeping(t, dir, &lines{})
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetUsername(internalUser).SetPassword(s.password).SetAutoReconnect(false))
	if tok := c.Connect(); !tok.WaitTimeout(limit) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	var sent []mqtt.Token
	for i := range retained {
		sent = append(sent, c.Publish(fmt.Sprint("kept/", i), 1, true, "x"))
	}
	for _, tok := range sent {
		if !tok.WaitTimeout(limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	c.Disconnect(0)
	stop()

	for range 5 {
		s, stop = sweeping(t, dir, &lines{})
		if n := retainedAtOnce(t, s, "kept/#"); n != retained {
			t.Errorf("the first to subscribe has %d of %d", n, retained)
		}
		stop()
	}
}

// retainedAtOnce counts what comes with a subscription that is sent in one
// piece with the CONNECT. A PINGREQ after it is the fence: what is retained
// comes before the answer to it, or never.
func retainedAtOnce(t *testing.T, s *Spine, filter string) (n int) {
	t.Helper()
	conn, err := net.Dial("tcp", s.MQTTAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	hello := connect{flags: flagClean | flagUser | flagPassword, password: []byte(s.password)}
	all := append(hello.packet(internalUser, ""), 0x82, byte(5+len(filter)), 0, 1, 0, byte(len(filter)))
	all = append(append(all, filter...), 0) // QoS 0
	all = append(all, 0xc0, 0)
	if _, err := conn.Write(all); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for {
		kind, err := in.ReadByte()
		if err != nil {
			t.Fatalf("after %d: %v", n, err)
		}
		size, err := in.ReadByte() // all are short
		if err != nil || size > 127 {
			t.Fatalf("a length of %d, %v", size, err)
		}
		if _, err := io.CopyN(io.Discard, in, int64(size)); err != nil {
			t.Fatal(err)
		}
		switch {
		case kind == 0xd0: // PINGRESP
			return n
		case kind == 0x31: // PUBLISH, retained, QoS 0
			n++
		}
	}
}
