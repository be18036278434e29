package proxy

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// mostHead is how long the head of an origin's answer may be, in bytes.
const mostHead = 64 << 10

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// transport follows nothing and unpacks nothing, and takes answers with a
// transfer coding that nobody knows: their body ends with the connection (RFC
// 9112 §6.3), and the field that names the coding is of the connection and goes
// no further. The library refuses them.
type transport struct {
	plain *http.Transport
	coded *http.Transport // for requests without a body and without TLS
}

func newTransport(timeout time.Duration, dial dialer) *transport {
	if dial == nil {
		dial = (&net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}).DialContext
	}
	one := func(dial dialer) *http.Transport {
		return &http.Transport{
			DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
			ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: mostHead, TLSHandshakeTimeout: timeout, DialContext: dial,
		}
	}
	return &transport{plain: one(dial), coded: one(func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &codedConn{Conn: c, raw: bufio.NewReaderSize(c, 32<<10)}, nil
	})}
}

// RoundTrip sends one request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" && r.Body == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return t.coded.RoundTrip(r)
	}
	return t.plain.RoundTrip(r)
}

// CloseIdleConnections lets go of what is kept for the next request.
func (t *transport) CloseIdleConnections() {
	t.plain.CloseIdleConnections()
	t.coded.CloseIdleConnections()
}

// codedConn leaves unknown transfer codings out of the heads that it reads. It
// is for requests without a body: all of a request is written before the first
// byte of its answer comes, so what comes after a write is a head.
type codedConn struct {
	net.Conn
	raw   *bufio.Reader
	head  bytes.Buffer // what of the heads is still to be read
	asked atomic.Bool  // a request was written since the last final head
}

func (c *codedConn) Write(p []byte) (int, error) {
	c.asked.Store(true)
	return c.Conn.Write(p)
}

func (c *codedConn) Read(p []byte) (int, error) {
	for c.head.Len() == 0 {
		// The library reads a connection that waits for its next request, too: what
		// comes is looked at only when it is here.
		if _, err := c.raw.Peek(1); err != nil {
			return 0, err
		}
		if !c.asked.Load() {
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
			if err != nil || n > mostHead || !interimLine(lines[0]) {
				c.asked.Store(false)
			}
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
// coding is not chunked, and Content-Length, which counts for nothing beside
// them. One that is chunked after another coding is left for the library to
// refuse.
func withoutUnknownCoding(lines []string) []string {
	unknown := false
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		switch {
		case ok && strings.EqualFold(name, "Transfer-Encoding"):
			last := value[strings.LastIndexByte(value, ',')+1:]
			unknown = !strings.EqualFold(strings.TrimSpace(last), "chunked")
		case ok && strings.EqualFold(name, "Content-Length"):
		default:
			out = append(out, line)
		}
	}
	if unknown {
		return out
	}
	return lines
}
