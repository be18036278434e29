package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Clients that send a byte now and then, or read none, lose the line and keep
// nobody else from being answered.
func TestSlowClients(t *testing.T) {
	read := make(chan error, 1)
	s := shell(t, func(c *Config) {
		c.HeaderTimeout, c.ReadTimeout, c.WriteTimeout, c.IdleTimeout = 500*time.Millisecond, 600*time.Millisecond, 600*time.Millisecond, 500*time.Millisecond
	})
	s.Handle("POST /body", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	}))
	written := make(chan error, 1)
	s.Handle("GET /much", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 1<<20)
		for {
			if _, err := w.Write(b); err != nil {
				written <- err
				return
			}
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	host := strings.TrimPrefix(s.URL(), "http://")
	dial := func(sent string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		return c
	}
	// ends wants the server to close a line by itself.
	ends := func(what string, c net.Conn) {
		t.Helper()
		var late net.Error
		if _, err := io.Copy(io.Discard, c); errors.As(err, &late) && late.Timeout() {
			t.Errorf("%s: the line stays open", what)
		}
	}

	half := dial(fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: %s\r\nX-Slow: ", host))
	body := dial(fmt.Sprintf("POST /body HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\nx", host))
	deaf := dial(fmt.Sprintf("GET /much HTTP/1.1\r\nHost: %s\r\n\r\n", host))
	idle := dial(fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", host))
	if res, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", res, err)
	}
	if err := <-read; err == nil {
		t.Error("a body that never comes is read to its end")
	}
	if err := <-written; err == nil {
		t.Error("an answer that nobody reads is written to its end")
	}
	ends("half a header", half)
	ends("half a body", body)
	ends("a kept line", idle)
	_ = deaf.Close()

	res, err := http.Get(s.URL() + "/healthz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("others: %v, %v", res, err)
	}
	_ = res.Body.Close()
	many := dial(fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: %s\r\nX-Long: %s\r\n\r\n", host, strings.Repeat("x", 64<<10)))
	if res, err := http.ReadResponse(bufio.NewReader(many), nil); err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KB: %v, %v", res, err)
	}
}
