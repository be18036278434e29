package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crinale/crinale/internal/fault"
)

// outer is the one server that a client talks to. It follows nobody
// elsewhere: no redirect, no proxy of the environment, no other host.
type outer struct {
	name   string // for errors
	base   *url.URL
	client *http.Client
}

// newOuter takes https, and http only to this machine.
func newOuter(name, raw string, roots *x509.CertPool) (*outer, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, fault.New(fault.Invalid, "notify.%s.url: write it as https://host/path", name)
	}
	loopback := u.Hostname() == "localhost"
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		loopback = ip.IsLoopback()
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return nil, fault.New(fault.Invalid, "notify.%s.url: use https; http is only for a server on this machine", name)
	}
	return &outer{name: name, base: u, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, MaxIdleConns: 4, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10},
	}}, nil
}

// answer is what a server said.
type answer struct {
	code int
	wait time.Duration // of Retry-After; 0: none
	body []byte        // at most 64 KiB
}

// do sends a request to the one host there is. Its error names neither the
// address with its query nor anything of the body.
func (o *outer) do(ctx context.Context, timeout time.Duration, req *http.Request) (answer, error) {
	if req.URL.Scheme != o.base.Scheme || req.URL.Host != o.base.Host {
		return answer{}, fault.New(fault.Internal, "%s: asked for a host that is not configured", o.name)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req.Header.Set("User-Agent", "crinale")
	res, err := o.client.Do(req.WithContext(ctx))
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return answer{}, fault.New(fault.Unreachable, "%s: %w", o.name, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return answer{}, fault.New(fault.Unreachable, "%s: read the answer: %w", o.name, err)
	}
	return answer{code: res.StatusCode, wait: retryAfter(res.Header.Get("Retry-After"), res.Header.Get("Date")), body: body}, nil
}

// retryAfter reads a Retry-After header (RFC 9110, 10.2.3): seconds, or a date,
// which counts from the server's own clock.
func retryAfter(s, date string) time.Duration {
	const most = 24 * time.Hour
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(most/time.Second))) * time.Second
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(date)
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), most)
}

// wrong gives a status its kind. 429 and what may pass are the caller's to
// look at first.
func (o *outer) wrong(doing string, code int) error {
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fault.New(fault.Denied, "%s: %s: %d: it does not let us in; check the key", o.name, doing, code)
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500 || code < 400:
		return fault.New(fault.Unreachable, "%s: %s: %d: not now", o.name, doing, code)
	}
	return fault.New(fault.Refused, "%s: %s: %d: it refuses the message", o.name, doing, code)
}
