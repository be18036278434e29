package routeros

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// A command that was not delivered when its session broke is never delivered:
// the peer sees a reset, not an end.
func TestBrokenSessionLeavesNothingBehind(t *testing.T) {
	for _, c := range []struct {
		broken bool
		want   error
	}{{true, syscall.ECONNRESET}, {false, io.EOF}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		raw, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		s, err := newConn(raw, raw, Default(), "")
		if err != nil {
			t.Fatal(err)
		}
		s.broken = c.broken
		s.close()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, c.want) {
			t.Errorf("broken %v: the peer sees %v, want %v", c.broken, err, c.want)
		}
	}
}
