package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crinale/crinale/edge"
)

// raw is an origin that says the same bytes to each connection.
func raw(t *testing.T, says string) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.WriteString(c, says)
				}
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// TestUnknownTransferCoding: the body goes to the end of the connection, and is
// given without the coding's name.
func TestUnknownTransferCoding(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		profile    edge.Profile
		status     int
		body       string
	}{
		{"strict", "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: abc\r\n\r\nwhole", edge.Strict, 200, "whole"},
		{"strict, after an interim answer", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: abc\r\n\r\nwhole", edge.Strict, 200, "whole"},
		{"strict, chunked as ever", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", edge.Strict, 200, "whole"},
		{"strict, a body that looks like a head", "HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\nTransfer-Encoding: abc\r\n\r\nab", edge.Strict, 200, "Transfer-Encoding: abc\r\n\r\nab"},
		{"strict, packed and chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", edge.Strict, 502, "Bad Gateway: origin-unreachable\n"},
		{"strict, no answer", "nonsense", edge.Strict, 502, "Bad Gateway: origin-unreachable\n"},
		{"strict, a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 3*mostHead), edge.Strict, 502, "Bad Gateway: origin-unreachable\n"},
		{"safe", "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: abc\r\n\r\nwhole", edge.Safe, 200, "whole"},
		{"safe, with a length that lies", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: abc\r\n\r\nwhole", edge.Safe, 200, "whole"},
		{"safe, packed and chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", edge.Safe, 502, "Bad Gateway: origin-unreachable\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHall(t, edge.DefaultRules(), func(http.ResponseWriter, *http.Request) {})
			s := h.p.services[name]
			s.Origin, s.Rules.Profile = raw(t, tt.says), tt.profile
			g := h.ask("GET", "/a")
			if g.StatusCode != tt.status || g.body != tt.body || g.err != nil || g.Header.Get("Transfer-Encoding") != "" {
				t.Errorf("%d %q %v %v", g.StatusCode, g.body, g.err, g.Header)
			}
		})
	}
}

// TestCodingOnAKeptConnection: the second answer of a connection has a head of
// its own.
func TestCodingOnAKeptConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var conns atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer c.Close()
				from := bufio.NewReader(c)
				for _, says := range []string{
					"HTTP/1.1 200 OK\r\nContent-Length: 31\r\nCache-Control: no-store\r\n\r\nHTTP/1.1 200\r\nTransfer-Encoding",
					"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: abc\r\n\r\nwhole",
				} {
					if _, err := http.ReadRequest(from); err != nil {
						return
					}
					_, _ = io.WriteString(c, says)
				}
			}()
		}
	}()
	h := newHall(t, edge.DefaultRules(), func(http.ResponseWriter, *http.Request) {})
	h.p.services[name].Origin = &url.URL{Scheme: "http", Host: l.Addr().String()}
	if g := h.ask("GET", "/1"); g.body != "HTTP/1.1 200\r\nTransfer-Encoding" {
		t.Errorf("%q", g.body)
	}
	if g := h.ask("GET", "/2"); g.body != "whole" || conns.Load() != 1 {
		t.Errorf("%q on %d connections", g.body, conns.Load())
	}
}
