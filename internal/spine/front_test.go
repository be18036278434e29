package spine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const limit = 2 * time.Minute

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) say(format string, a ...any) { fmt.Fprintf(l, format+"\n", a...) }

// peer is a server that the front can stand before: it lets everybody in and
// then does with the connection what the test wants.
func peer(t *testing.T, then func(net.Conn, connect)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				p, err := readConnect(c)
				if err != nil {
					t.Errorf("the server got: %v", err)
					return
				}
				then(c, p)
			}()
		}
	}()
	return ln.Addr().String()
}

// idle lets a client in and waits for its end.
func idle(c net.Conn, _ connect) {
	c.Write(connack(accepted))
	io.Copy(io.Discard, c)
}

// standing starts a front; it ends with the test.
func standing(t *testing.T, change func(*bounds), to string) (f *front, said *lines, dial func(from string) net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := usualBounds
	b.conns, b.perUser = 10, 10
	if change != nil {
		change(&b)
	}
	said = &lines{}
	f = newFront(b, to, "@key", newNames("@key"), said.say)
	f.done.Go(func() { f.run(ln) })
	t.Cleanup(func() { ln.Close(); f.close() })
	return f, said, func(from string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(limit))
		return c
	}
}

func login(id, user string) []byte { return raw("MQTT", 4, flagUser|flagPassword, id, user, "p") }

// answer reads a CONNACK; -1 is an end without one.
func answer(t *testing.T, c net.Conn) int {
	t.Helper()
	var b [4]byte
	_, err := io.ReadFull(c, b[:])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("no answer and no end")
	}
	if err != nil {
		return -1
	}
	if b[0] != 0x20 || b[1] != 2 {
		t.Fatalf("the answer is %x", b)
	}
	return int(b[3])
}

// until polls for what must come.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

func TestFrontNamesUserAndSession(t *testing.T) {
	seen := make(chan connect, 1)
	to := peer(t, func(c net.Conn, p connect) { seen <- p; idle(c, p) })
	_, _, dial := standing(t, nil, to)
	for _, c := range []struct{ id, user, wantID, wantUser string }{
		{"noc", "wisp-a", "wisp-a:noc", "wisp-a@key"},
		{"wisp-b:noc", "wisp-a", "wisp-a:wisp-b:noc", "wisp-a@key"},
		{"noc", "wisp-a:wisp-b", "wisp-a:wisp-b:noc", "wisp-a:wisp-b@key"}, // no user can be named so
		{"feed", internalUser, internalUser + ":feed", internalUser},
		{"noc", "wisp-a@key", "wisp-a@key:noc", "wisp-a@key@key"},
	} {
		conn := dial("127.0.0.1")
		conn.Write(login(c.id, c.user))
		if code := answer(t, conn); code != accepted {
			t.Errorf("%+v: answer %d", c, code)
		}
		if p := <-seen; p.id != c.wantID || p.user != c.wantUser || string(p.password) != "p" || p.keepAlive != 60 {
			t.Errorf("%+v: the server got %+v", c, p)
		}
	}
	conn := dial("127.0.0.1")
	conn.Write(raw("MQTT", 4, flagUser|flagClean|flagWill, "", "a/b", "gone", "wisp-a"))
	if code, p := answer(t, conn), <-seen; code != accepted || p.id != "" || string(p.willTopic) != "a/b" || string(p.willMessage) != "gone" {
		t.Errorf("answer %d, the server got %+v", code, p)
	}
}

// Nothing but the CONNECT reaches the server before it has let the client in;
// afterwards everything does, in order, however it was cut.
func TestFrontHoldsBackUntilLetIn(t *testing.T) {
	early, got := make(chan int, 1), make(chan []byte, 1)
	to := peer(t, func(c net.Conn, _ connect) {
		c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, _ := c.Read(make([]byte, 1))
		early <- n
		c.SetReadDeadline(time.Time{})
		c.Write(append(connack(accepted), "hello"...))
		all, _ := io.ReadAll(c)
		got <- all
		c.Write([]byte("bye"))
	})
	_, _, dial := standing(t, nil, to)
	conn := dial("127.0.0.1")
	rest := bytes.Repeat([]byte("0123456789"), 50_000)
	go func() {
		conn.Write(append(login("noc", "u"), rest...))
		halfClose(conn)
	}()
	if n := <-early; n != 0 {
		t.Error("bytes reached the server before its CONNACK")
	}
	if answer(t, conn) != accepted {
		t.Error("not let in")
	}
	if all := <-got; !bytes.Equal(all, rest) {
		t.Errorf("the server got %d bytes, want %d", len(all), len(rest))
	}
	if all, err := io.ReadAll(conn); string(all) != "hellobye" {
		t.Errorf("the client got %q, %v", all, err)
	}
}

// The end does not wait for clients.
func TestFrontEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := usualBounds
	b.conns, b.perUser, b.toFarewell = 10, 10, 50*time.Millisecond
	f := newFront(b, peer(t, idle), "", newNames(""), func(string, ...any) {})
	f.done.Go(func() { f.run(ln) })
	for _, packet := range [][]byte{nil, {0x10}, login("a", "u"), login("b", "u")} {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write(packet)
	}
	until(t, "four are there", func() bool { n := f.figures(); return n.Open == 2 && n.Waiting == 2 })
	ln.Close()
	ended := make(chan bool)
	go func() { f.close(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(limit):
		t.Fatal("it does not end")
	}
	if n := f.figures(); n.Open != 0 || n.Waiting != 0 || len(f.users) != 0 || len(f.places) != 0 {
		t.Errorf("left over: %+v %v %v", n, f.users, f.places)
	}
}

// The log of the whole broker tells the client's own address, not the
// front's, and never the key; and the server's own listener is no way in.
func TestFrontIsTheOnlyWayIn(t *testing.T) {
	said := &lines{}
	cfg := Default()
	cfg.Dir, cfg.MQTTAddr = t.TempDir(), "127.0.0.1:0"
	s, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("p"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetPartners([]User{{Name: "wisp-a", Hash: string(hash)}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	try := func(from, to, user string) int {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(limit))
		c.Write(login("noc", user))
		return answer(t, c)
	}
	if code := try("127.0.0.5", s.MQTTAddr(), "wisp-a"); code != accepted {
		t.Errorf("by the front: %d", code)
	}
	if code := try("127.0.0.7", s.MQTTAddr(), "intruder"); code != notAuthorised {
		t.Errorf("an unknown user: %d", code)
	}
	behind := fmt.Sprintf("127.0.0.1:%d", s.opts.MQTT.Port)
	if code := try("127.0.0.1", behind, "wisp-a"); code == accepted {
		t.Error("a partner got in behind the front")
	}
	if n := s.Figures(); n.Accepted != 1 || n.Refused != 1 || n.Messages == 0 || n.Bytes == 0 {
		t.Errorf("%+v", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := s.Figures(); n != (Figures{}) {
		t.Errorf("at the end: %+v", n)
	}
	var refused string
	for l := bufio.NewScanner(strings.NewReader(said.String())); l.Scan(); {
		if strings.Contains(l.Text(), "intruder") {
			refused = l.Text()
		}
	}
	if !strings.Contains(refused, "127.0.0.7:") || strings.Contains(refused, "127.0.0.1:") {
		t.Errorf("of the intruder: %s", refused)
	}
	if strings.Contains(said.String(), s.key) {
		t.Errorf("the key is told:\n%s", said)
	}
}
