package routeros

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// The sudden end of the program closes its sessions without a word of ours: the
// peer must see a reset then too, and nothing that was under way.
func TestSessionOfAKilledProgramLeavesNothingBehind(t *testing.T) {
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
	if _, err := newConn(raw, raw, Default(), ""); err != nil {
		t.Fatal(err)
	}
	_ = raw.Close() // what the system does
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer sees %v, want a reset", err)
	}
}
