package routeros

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// overTCP is a session over a real connection: ours, the connection under it,
// and the peer's end.
func overTCP(t *testing.T) (s *conn, raw, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if raw, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	if s, err = newConn(raw, raw, Default(), ""); err != nil {
		t.Fatal(err)
	}
	return s, raw, far
}

// A command that was not delivered when its session broke is never delivered:
// the peer sees a reset, not an end.
func TestBrokenSessionLeavesNothingBehind(t *testing.T) {
	for _, c := range []struct {
		broken bool
		want   error
	}{{true, syscall.ECONNRESET}, {false, io.EOF}} {
		s, _, far := overTCP(t)
		s.broken = c.broken
		s.close()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, c.want) {
			t.Errorf("broken %v: the peer sees %v, want %v", c.broken, err, c.want)
		}
	}
}

// The sudden end of the program closes its sessions without a word of ours: the
// peer must see a reset then too, and nothing that was under way.
func TestSessionOfAKilledProgramLeavesNothingBehind(t *testing.T) {
	_, raw, far := overTCP(t)
	_ = raw.Close() // what the system does
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer sees %v, want a reset", err)
	}
}
