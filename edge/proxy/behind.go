package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/crinale/crinale/edge"
)

// validateBehind asks whether a stale answer that was given still holds, or for
// a new one (RFC 5861 §3). One at a time for an address.
func (v *visit) validateBehind(o edge.Object, d edge.Decision) {
	r := v.r.Clone(context.WithoutCancel(v.r.Context()))
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range", "Cache-Control", "Pragma"} {
		delete(r.Header, name)
	}
	behind := &visit{p: v.p, s: v.s, w: nobody{http.Header{}}, r: r, q: edge.Request{Method: http.MethodGet, Header: r.Header}, key: v.key, asked: time.Now()}
	if !v.p.asks(v.key) {
		return
	}
	d.Act, d.IfError = edge.Validate, false
	v.p.behind.Go(func() {
		defer v.p.asked(v.key)
		defer func() {
			if e := recover(); e != nil && e != http.ErrAbortHandler {
				panic(e)
			}
		}()
		behind.lead(nil, nil, o, d)
	})
}

// asks is true for the first who asks behind an answer for an address, until
// asked.
func (p *Proxy) asks(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking[key] {
		return false
	}
	p.asking[key] = true
	return true
}

func (p *Proxy) asked(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asking, key)
}

// nobody takes an answer that nobody waits for.
type nobody struct{ h http.Header }

func (n nobody) Header() http.Header         { return n.h }
func (n nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n nobody) WriteHeader(int)             {}
