package proxy

import (
	"context"
	"io"
	"sync/atomic"
	"time"
)

// tally counts what a service was asked for.
type tally struct{ requests, hits, given, fetched atomic.Int64 }

// Unasked marks requests for which nobody waits: they count as fetched, and as
// nothing that was given.
func Unasked(ctx context.Context) context.Context { return context.WithValue(ctx, unasked{}, true) }

type unasked struct{}

// count is where a request counts that was answered here.
func (v *visit) count() *tally {
	if v.r != nil && v.r.Context().Value(unasked{}) != nil {
		return &tally{}
	}
	return v.p.tallies[v.s.Host]
}

// Tally is what a service was asked for since the start.
type Tally struct {
	Requests int64
	Hits     int64 // answered without a word to the origin
	Given    int64 // bytes of bodies that came out of the store
	Fetched  int64 // bytes of bodies that came from the origin
}

// Tally is that of a service; zero for one that is not there.
func (p *Proxy) Tally(host string) Tally {
	t := p.tallies[host]
	if t == nil {
		return Tally{}
	}
	return Tally{t.requests.Load(), t.hits.Load(), t.given.Load(), t.fetched.Load()}
}

// Lost is since when the origin of a service takes no connection; zero: it does.
func (p *Proxy) Lost(host string) time.Time {
	r := p.reaches[host]
	if r == nil {
		return time.Time{}
	}
	return r.lostSince()
}

// counted is a body of an origin whose bytes are counted.
type counted struct {
	io.ReadCloser
	t *tally
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.t.fetched.Add(int64(n))
	return n, err
}
