package remote

import (
	"net/http"
	"sync"
	"time"
)

// Paced sends no more requests in a second than a number, evenly, over base; nil
// is a transport of its own. A service that many edges read is not asked all at
// once when the link is back.
func Paced(base http.RoundTripper, perSecond float64) http.RoundTripper {
	if base == nil {
		tr := http.DefaultTransport.(*http.Transport).Clone()
		tr.ResponseHeaderTimeout = time.Minute
		base = tr
	}
	if perSecond <= 0 {
		return base
	}
	return &paced{base: base, every: time.Duration(float64(time.Second) / perSecond)}
}

type paced struct {
	base  http.RoundTripper
	every time.Duration

	mu   sync.Mutex
	next time.Time // when one may go
}

func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	if wait := at.Sub(now); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, r.Context().Err()
		}
	}
	return p.base.RoundTrip(r)
}
