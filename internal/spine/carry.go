package spine

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// carry passes bytes both ways until one side ends, beginning with the
// server's answer. One goroutine stays until both directions have ended.
func (f *front) carry(c, s net.Conn, answer []byte) {
	up := make(chan struct{})
	f.done.Go(func() {
		defer close(up)
		_, _ = io.CopyBuffer(plain{s}, plain{c}, make([]byte, 2<<10))
		// The server reads what is on its way to it, such as a DISCONNECT,
		// after which no will is published, and then closes.
		s.SetReadDeadline(time.Now().Add(f.bounds.stalled))
		halfClose(s)
	})
	out := &patient{c: c, limit: f.bounds.stalled}
	if _, err := out.Write(answer); err == nil {
		_, _ = io.CopyBuffer(out, plain{s}, make([]byte, 8<<10))
	}
	if out.late {
		f.say("%s - left: it takes nothing for %s", c.RemoteAddr(), f.bounds.stalled)
	}
	c.Close()
	<-up
}

// plain hides the short cuts of TCP connections from io.Copy: they would keep
// two pipes open for each direction.
type plain struct{ io.ReadWriter }

// patient writes to a client, each piece within a time.
type patient struct {
	c     net.Conn
	limit time.Duration
	late  bool
}

func (p *patient) Write(b []byte) (int, error) {
	p.c.SetWriteDeadline(time.Now().Add(p.limit))
	n, err := p.c.Write(b)
	p.late = errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// halfClose says that no more is sent.
func halfClose(c net.Conn) bool {
	half, ok := c.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
