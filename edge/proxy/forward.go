package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/crinale/crinale/edge"
)

// claims are fields by which a stranger could say who asks, for what name or for
// what address. They are in no key, so they do not reach the origin (see
// "poisoning" in the tests).
var claims = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Scheme",
	"X-Forwarded-Server", "X-Forwarded-Ssl", "X-Host", "X-Http-Host-Override", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
	"X-Original-Host", "X-Original-Url", "X-Real-Ip", "X-Rewrite-Url", "True-Client-Ip", "Cf-Connecting-Ip", "Cdn-Loop", "Proxy",
}

// outbound is the header with which the origin is asked.
func (v *visit) outbound(h http.Header) http.Header {
	out := edge.WithoutConnection(h)
	for _, name := range claims {
		delete(out, name)
	}
	out.Add("Via", "1.1 "+v.p.cfg.Name)
	if v.r != nil {
		if host, _, err := net.SplitHostPort(v.r.RemoteAddr); err == nil {
			out.Set("X-Forwarded-For", host)
		}
	}
	out.Set("X-Forwarded-Host", v.s.Host)
	if _, ok := out["User-Agent"]; !ok {
		out["User-Agent"] = nil // else the library says its own
	}
	return out
}

// ask sends a request to the origin.
func (v *visit) ask(ctx context.Context, method string, h http.Header, body io.Reader, length int64) (*http.Response, edge.Response, error) {
	origin := *v.s.Origin
	target := v.r.URL
	origin.Path, origin.RawPath, origin.RawQuery, origin.ForceQuery = target.Path, target.RawPath, target.RawQuery, target.ForceQuery
	req, err := http.NewRequestWithContext(ctx, method, origin.String(), body)
	if err != nil {
		return nil, edge.Response{}, err
	}
	req.Header, req.ContentLength = h, length
	asked, way := time.Now(), v.p.stand().Way
	if way == edge.WaySecond && !v.s.First {
		select {
		case v.p.lane <- struct{}{}:
			defer func() { <-v.p.lane }() // until the head is here: what comes is bounded by the reader
		case <-ctx.Done():
			return nil, edge.Response{}, ctx.Err()
		}
	}
	res, err := v.p.deps.Transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() == nil {
			v.noted(way, err)
		}
		return nil, edge.Response{}, err
	}
	v.noted(way, nil)
	res.Body = counted{res.Body, v.p.tallies[v.s.Host]}
	a := edge.Response{Status: res.StatusCode, Header: res.Header, Asked: asked, Got: time.Now()}
	return res, a, nil
}

// pass sends a request on as it is, and its answer back; what it changes at the
// origin goes out of the store.
func (v *visit) pass(why edge.Why) {
	length, body := v.r.ContentLength, io.Reader(v.r.Body)
	if length == 0 {
		body = nil
	}
	res, a, err := v.ask(v.interim(v.r.Context()), v.r.Method, v.outbound(v.r.Header), body, length)
	if err != nil {
		v.lost(err)
		return
	}
	defer res.Body.Close()
	target := *v.r.URL
	target.Scheme, target.Host = v.s.Origin.Scheme, v.s.Host
	for _, u := range edge.Invalidates(v.r.Method, &target, a) {
		v.p.deps.Store.Delete(key(v.s, u))
	}
	v.direct(res, edge.Status{Fwd: why})
}

// direct gives an answer of the origin as it comes. One that ends too early
// breaks the connection, so that nobody takes it for whole.
func (v *visit) direct(res *http.Response, st edge.Status) {
	v.head(edge.WithoutConnection(res.Header), st)
	names := make([]string, 0, len(res.Trailer))
	for name := range res.Trailer {
		names = append(names, name)
	}
	if len(names) > 0 {
		v.w.Header().Set("Trailer", strings.Join(names, ", "))
	}
	v.w.WriteHeader(res.StatusCode)
	if _, err := copyFlushed(v.w, res.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	for name, lines := range res.Trailer {
		v.w.Header()[name] = lines
	}
}

// buffers are those of answers under way. A thousand who wait for the same answer
// must not have one each.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// patient is a reader that can be waited for without a buffer.
type patient interface{ wait() }

// copyFlushed copies what comes as soon as it comes.
func copyFlushed(w http.ResponseWriter, body io.Reader) (n int64, err error) {
	flush, waiting := http.NewResponseController(w), func() {}
	if p, ok := body.(patient); ok {
		waiting = p.wait
	}
	for {
		waiting()
		k, err := copyOnce(w, flush, body)
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// copyOnce copies what one read gives.
func copyOnce(w io.Writer, flush *http.ResponseController, body io.Reader) (int, error) {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	k, err := body.Read(buf[:])
	if k == 0 {
		return 0, err
	}
	if _, err := w.Write(buf[:k]); err != nil {
		return 0, unlessEOF(err)
	}
	if err := flush.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return k, unlessEOF(err)
	}
	return k, err
}

// unlessEOF is an error of writing, which never ends an answer well.
func unlessEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// head sets the header of an answer, with what this cache did. Via is for
// requests: in an answer a gateway need not say it (RFC 9110 §7.6.3), and
// Cache-Status has its name.
func (v *visit) head(h http.Header, st edge.Status) {
	st.Cache = v.p.cfg.Name
	own := v.w.Header()
	for name, lines := range h {
		own[name] = lines
	}
	own.Add("Cache-Status", st.String())
	if len(h["Date"]) == 0 {
		own.Set("Date", v.asked.UTC().Format(http.TimeFormat))
	}
}

// lost answers when the origin did not.
func (v *visit) lost(err error) {
	if v.r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // nobody waits for an answer any more
	}
	status := http.StatusBadGateway
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	v.p.deps.Log.Debug("origin does not answer", "service", v.s.Host, "err", err)
	v.unsent(status, detailLost)
}

// unsent answers a request that did not reach the origin, or may not have: a
// write that was under way is nobody's to send again.
func (v *visit) unsent(status int, detail string) {
	if detail == detailOffline && v.p.deps.Unsent != nil && v.p.deps.Unsent(v.w, v.r, v.s.Host) {
		return
	}
	v.unavailable(status, detail)
}
