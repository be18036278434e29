package proxy

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

// transport follows nothing and unpacks nothing.
func transport(timeout time.Duration) *http.Transport {
	return &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
		ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: mostHead,
	}
}

// mostHead is how long the head of an origin's answer may be, in bytes.
const mostHead = 64 << 10

// strictTransport takes answers with a transfer coding that nobody knows as
// well: their body ends with the connection (RFC 9112 §6.3), and the field that
// names the coding is of the connection and goes no further. The library refuses
// them, and so does the safe profile: nobody behind us could know how to undo
// the coding. Each connection carries one answer, so that its head can be told
// from a body.
func strictTransport(timeout time.Duration) *http.Transport {
	t := transport(timeout)
	t.DisableKeepAlives = true
	dial := (&net.Dialer{Timeout: timeout}).DialContext
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &codedConn{Conn: c, raw: bufio.NewReaderSize(c, 4<<10)}, nil
	}
	return t
}

// codedConn leaves unknown transfer codings out of the heads that it reads.
type codedConn struct {
	net.Conn
	raw  *bufio.Reader
	head bytes.Buffer // what of the heads is still to be read
	body bool         // the heads are over
}

func (c *codedConn) Read(p []byte) (int, error) {
	for c.head.Len() == 0 {
		if c.body {
			return c.raw.Read(p)
		}
		if err := c.readHead(); err != nil && c.head.Len() == 0 {
			return 0, err
		}
	}
	return c.head.Read(p)
}

// readHead takes one head, of an interim answer or of the final one. What is no
// head, or too long for one, goes through as it is.
func (c *codedConn) readHead() error {
	var lines []string
	for n := 0; ; {
		line, err := c.raw.ReadString('\n')
		n += len(line)
		lines = append(lines, line)
		if err != nil || n > mostHead || strings.Trim(line, "\r\n") == "" {
			c.body = err != nil || n > mostHead || !interimLine(lines[0])
			c.head.WriteString(strings.Join(withoutUnknownCoding(lines), ""))
			return err
		}
	}
}

func interimLine(status string) bool {
	f := strings.Fields(status)
	return len(f) > 1 && len(f[1]) == 3 && f[1][0] == '1' && f[1] != "101"
}

// withoutUnknownCoding drops the Transfer-Encoding lines of a head whose last
// coding is not chunked. One that is chunked after another coding is left for
// the library to refuse.
func withoutUnknownCoding(lines []string) []string {
	unknown := false
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(name, "Transfer-Encoding") {
			last := value[strings.LastIndexByte(value, ',')+1:]
			unknown = !strings.EqualFold(strings.TrimSpace(last), "chunked")
			continue
		}
		out = append(out, line)
	}
	if unknown {
		return out
	}
	return lines
}
