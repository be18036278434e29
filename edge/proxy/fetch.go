package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/crinale/crinale/edge"
)

// flight is an answer under way that others wait for.
type flight struct {
	ready chan struct{} // closed when the rest is there
	// stored is the head of what all whose request is alike may have; nil when it
	// is for nobody else.
	stored *edge.Stored
	spool  *spool
	length int64 // of the body; -1 where it is not known
	fresh  bool  // what was stored holds: look there again
}

// conditional says that a request asks for less than the whole.
func conditional(h http.Header) bool {
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"} {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}

// fetch answers with what the origin says, asked whether o holds where d says so.
// Requests for one whole are asked once, and wait for each other.
func (v *visit) fetch(found []edge.Object, o edge.Object, d edge.Decision) {
	alone := v.q.Method != http.MethodGet || d.Why == edge.WhyRequest || d.Why == edge.WhyBypass || d.Act == edge.Fetch && conditional(v.q.Header)
	if alone {
		v.lead(nil, found, o, d)
		return
	}
	f, joined := v.p.join(v.key, v.asked)
	if !joined {
		v.lead(f, found, o, d)
		return
	}
	if f != nil {
		select {
		case <-f.ready:
		case <-v.r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		if v.share(f, d) {
			return
		}
	}
	v.lead(nil, found, o, d)
}

// join is the flight for an address: one to lead, or one to wait for; nil and
// true where nobody waits, since the answer was for nobody else before.
func (p *Proxy) join(key string, now time.Time) (f *flight, joined bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until, ok := p.passes[key]; ok {
		if now.Before(until) {
			return nil, true
		}
		delete(p.passes, key)
	}
	if f := p.flights[key]; f != nil {
		return f, true
	}
	f = &flight{ready: make(chan struct{})}
	p.flights[key] = f
	return f, false
}

// mostPasses bounds the addresses that are remembered as not to be waited for.
const mostPasses = 10_000

// land ends the waiting for a flight: what it is to have is there.
func (p *Proxy) land(f *flight, key string, now time.Time) {
	if f == nil {
		return
	}
	if f.spool == nil {
		p.leave(f, key)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.stored == nil && !f.fresh && p.cfg.Pass > 0 {
		if len(p.passes) >= mostPasses {
			clear(p.passes)
		}
		p.passes[key] = now.Add(p.cfg.Pass)
	}
	close(f.ready)
}

// leave says that a flight can be joined no more: what it brought is in the
// store, or lost.
func (p *Proxy) leave(f *flight, key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flights[key] == f {
		delete(p.flights, key)
	}
}

// share answers with what a flight brought, if this request is like the one that
// it was for; false when nothing was answered.
func (v *visit) share(f *flight, d edge.Decision) bool {
	if f.fresh {
		found := v.p.deps.Store.Find(v.key)
		o, _ := v.matching(found)
		if o == nil {
			return false
		}
		again := v.s.Rules.Evaluate(o.Head(), v.q, time.Now())
		return again.Act == edge.Serve && v.give(o, again, edge.Status{Fwd: d.Why, FwdStatus: http.StatusNotModified, Collapsed: true})
	}
	s := f.stored
	if s == nil {
		return false
	}
	names, _ := edge.Selecting(s.Header)
	if edge.Variant(names, v.q.Header) != s.Variant || v.s.Rules.Evaluate(s, v.q, time.Now()).Act != edge.Serve {
		return false
	}
	r := f.spool.reader()
	if r == nil {
		return false
	}
	defer r.close()
	h := s.Header.Clone()
	said, _ := v.s.Rules.Directives(s.Header)
	for _, name := range said.NoCacheFields {
		delete(h, name)
	}
	v.spooled(h, s.Status, f.length, r, edge.Status{Fwd: d.Why, Collapsed: true})
	return true
}

// spooled answers with a body that comes.
func (v *visit) spooled(h http.Header, status int, length int64, body io.Reader, st edge.Status) {
	v.head(h, st)
	if length >= 0 {
		v.w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	}
	v.w.WriteHeader(status)
	if _, err := copyFlushed(v.w, body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// lead asks the origin, and answers.
func (v *visit) lead(f *flight, found []edge.Object, o edge.Object, d edge.Decision) {
	landed := false
	land := func() {
		if !landed {
			landed = true
			v.p.land(f, v.key, v.asked)
		}
	}
	defer land() // whatever happens: nobody waits for ever
	ctx := v.r.Context()
	if f != nil { // others may wait for it, and the store has use of it
		ctx = context.WithoutCancel(ctx)
	}
	h := v.outbound(v.r.Header)
	validating := d.Act == edge.Validate
	switch {
	case validating:
		h = edge.Validating(h, o.Head())
	case d.Why == edge.WhyPartial && v.complete(h, o):
	case d.Why == edge.WhyVary && !conditional(v.q.Header):
		h = edge.Validating(h, heads(found)...)
	}
	res, a, err := v.ask(v.interim(ctx), v.q.Method, h, nil, 0)
	if err != nil {
		if o != nil {
			if u := v.s.Rules.Unreachable(o.Head(), v.q, time.Now()); (d.IfError || u.Act == edge.Serve) && v.give(o, u, edge.Status{Fwd: d.Why, Detail: detailLost}) {
				return
			}
		}
		land()
		v.lost(err)
		return
	}
	closing := true
	defer func() {
		if closing {
			res.Body.Close()
		}
	}()
	st := edge.Status{Fwd: d.Why}
	switch {
	case a.Status == http.StatusNotModified && !conditional(v.q.Header) || a.Status == http.StatusNotModified && validating:
		st.FwdStatus = a.Status
		fresh := v.freshened(found, o, validating, a)
		if fresh == nil { // it is about something else: ask for the whole
			land()
			v.p.deps.Store.Delete(v.key)
			v.lead(nil, nil, nil, edge.Decision{Act: edge.Fetch, Why: d.Why})
			return
		}
		if f != nil {
			f.fresh = true
		}
		land()
		age, _ := fresh.Head().Age(time.Now())
		lifetime, _ := v.s.Rules.Lifetime(fresh.Head().Status, fresh.Head().Header, fresh.Head().Got)
		if !v.give(fresh, edge.Decision{Age: age, Lifetime: lifetime}, st) {
			v.lead(nil, nil, nil, edge.Decision{Act: edge.Fetch, Why: edge.WhyPartial})
		}
		return
	case d.IfError && o != nil && failed(a.Status):
		st.FwdStatus = a.Status
		failing := st
		failing.Detail = detailFailed
		if v.give(o, d, failing) {
			return
		}
	case v.q.Method == http.MethodHead:
		v.headed(o, a)
	case a.Status == http.StatusPartialContent:
		if v.part(res, a, o, st) {
			return
		}
	}
	s, refusal := v.s.Rules.Storable(v.q, a)
	if refusal != edge.Keep || a.Status == http.StatusPartialContent {
		land()
		if refusal != edge.RefuseMethod && validating && !failed(a.Status) {
			v.p.deps.Store.Delete(v.key) // what is stored is no longer what the origin says
		}
		v.direct(res, st)
		return
	}
	draft, err := v.p.deps.Store.Begin(v.key, s, edge.Part{Span: edge.Span{Length: res.ContentLength}, Of: res.ContentLength}, nil)
	if err != nil {
		v.p.deps.Log.Warn("an answer cannot be stored", "service", v.s.Host, "err", err)
		land()
		v.direct(res, st)
		return
	}
	sp := newSpool(draft, 0)
	r := sp.reader()
	defer r.close()
	if f != nil && v.s.Rules.Evaluate(s, v.q, a.Got).Act == edge.Serve { // what must be validated is for none who waits (RFC 9111 §4)
		f.stored, f.spool, f.length = s, sp, res.ContentLength
	}
	land()
	closing = false
	v.p.behind.Go(func() {
		v.p.pump(res, sp, draft)
		if f != nil {
			v.p.leave(f, v.key)
		}
	})
	st.Stored = true
	v.spooled(edge.WithoutConnection(res.Header), a.Status, res.ContentLength, r, st)
}

// pump takes the body of an answer off the origin and into the store.
func (p *Proxy) pump(res *http.Response, sp *spool, draft edge.Draft) {
	defer sp.leave()
	defer res.Body.Close()
	buf := make([]byte, 32<<10)
	var n int64
	for {
		k, err := res.Body.Read(buf)
		if k > 0 {
			sp.write(buf[:k])
			n += int64(k)
		}
		switch {
		case errors.Is(err, io.EOF) && (res.ContentLength < 0 || n == res.ContentLength):
			sp.finish(nil)
			if sp.whole() {
				if _, err := draft.Commit(n); err != nil {
					p.deps.Log.Warn("an answer cannot be stored", "err", err)
				}
			}
			return
		case err != nil:
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			sp.finish(err)
			return
		}
	}
}

// failed says that an answer is one instead of which a stored one may be given
// (RFC 5861 §4).
func failed(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func heads(found []edge.Object) []*edge.Stored {
	out := make([]*edge.Stored, len(found))
	for i, o := range found {
		out[i] = o.Head()
	}
	return out
}

// freshened is what a 304 is about, with what it says; nil when it is about
// nothing that is stored and may stay so.
func (v *visit) freshened(found []edge.Object, o edge.Object, validating bool, a edge.Response) edge.Object {
	candidates := found
	if validating {
		candidates = []edge.Object{o}
	}
	for _, c := range candidates {
		if !edge.Freshens(a.Header, c.Head()) {
			continue
		}
		s, refusal := v.s.Rules.Freshen(c.Head(), v.q, a)
		if refusal != edge.Keep {
			return nil
		}
		fresh, err := v.p.deps.Store.Freshen(c, s)
		if err != nil {
			v.p.deps.Log.Warn("a stored answer cannot be freshened", "service", v.s.Host, "err", err)
			return nil
		}
		return fresh
	}
	return nil
}

// headed lets an answer to HEAD freshen what is stored, or end it (RFC 9111
// §4.3.5).
func (v *visit) headed(o edge.Object, a edge.Response) {
	if o == nil || failed(a.Status) {
		return
	}
	length := ""
	if o.Length() >= 0 {
		length = strconv.FormatInt(o.Length(), 10)
	}
	if edge.HeadFreshens(a, o.Head(), length) {
		if s, refusal := v.s.Rules.Freshen(o.Head(), v.q, a); refusal == edge.Keep {
			if _, err := v.p.deps.Store.Freshen(o, s); err == nil {
				return
			}
		}
	}
	v.p.deps.Store.Delete(v.key)
}
