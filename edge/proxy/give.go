package proxy

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/crinale/crinale/edge"
)

// give answers out of the store, and is false when what is stored does not hold
// what is asked for, or cannot be opened; then nothing was answered yet.
func (v *visit) give(o edge.Object, d edge.Decision, st edge.Status) bool {
	s := o.Head()
	h := s.Header.Clone()
	for _, name := range d.Without {
		delete(h, name)
	}
	h.Set("Age", strconv.FormatInt(int64(d.Age/time.Second), 10))
	ttl := d.Lifetime - d.Age
	st.TTL = &ttl
	if st.Detail != "" {
		h.Set(savedField, s.Got.UTC().Format(http.TimeFormat))
		if (v.unsure || !d.Fresh()) && v.marked(o, h.Clone(), st) {
			return true
		}
	}
	if edge.NotModified(v.q.Header, s, v.asked) {
		v.head(edge.NotModifiedHeader(h), st)
		v.w.WriteHeader(http.StatusNotModified)
		return true
	}
	length, status := o.Length(), s.Status
	span := edge.Span{Length: length}
	if r, ok := edge.ParseRange(v.q.Header); ok && length >= 0 && edge.RangeApplies(v.q, s) {
		switch spans := r.Of(length); len(spans) {
		case 0:
			v.head(http.Header{"Content-Range": {edge.Unsatisfied(length)}, "Age": h["Age"]}, st)
			v.w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		case 1: // of several ranges the whole is as good an answer (RFC 9110 §14.2)
			span, status = spans[0], http.StatusPartialContent
			h.Set("Content-Range", edge.Part{Span: span, Of: length}.ContentRange())
		}
	}
	if length < 0 || span.Length > 0 && !edge.Holds(o.Held(), span) {
		return false
	}
	if status != http.StatusNoContent {
		h.Set("Content-Length", strconv.FormatInt(span.Length, 10))
	}
	if v.q.Method == http.MethodHead || span.Length == 0 {
		v.head(h, st)
		v.w.WriteHeader(status)
		return true
	}
	body, err := o.Open()
	if err != nil {
		v.p.deps.Log.Warn("a stored answer cannot be opened", "service", v.s.Host, "err", err)
		return false
	}
	defer body.Close()
	v.head(h, st)
	v.w.WriteHeader(status)
	n, err := send(v.w, body, span)
	v.count().given.Add(n)
	if err != nil || n < span.Length {
		panic(http.ErrAbortHandler)
	}
	return true
}

// send puts a span of a body on the way out.
func send(w io.Writer, body edge.Body, span edge.Span) (int64, error) {
	if s, ok := body.(edge.Sender); ok {
		return s.SendTo(w, span)
	}
	return io.Copy(w, io.NewSectionReader(body, span.First, span.Length))
}
